"""`sparsebound attack`: how near flips of a saved network are, as attacks find them."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click
import numpy as np

from empirical.data import Part
from empirical.experiments import (
    Network,
    attack_results,
    attack_row,
    attacked_part,
    chosen_inputs,
    load_network,
    one_thread,
    split_of,
)
from empirical.lowering import load_arrays
from empirical.module_attacks import ModelAttackResult
from empirical.sweeps import Settings
from empirical.sweeps.known import BALLS, GROUPS
from empirical.whole_files import whole_file, write_table
from sparsebound.network_settings import (
    changed,
    given_settings,
    refuse_other_sections,
    refuse_twice,
    resolved,
    with_settings,
)
from sparsebound.options import as_json, json_text, setting_columns, table_text
from sparsebound.row_file import refuse_unwritable

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_NAMES = {"0": "l0", "1": "l1", "2": "l2", "inf": "linf"}
_MEASURES = ("accuracy", "mean", "median", "success", "unknown")


@click.command()
@click.argument("net", type=_FILE)
@click.option(
    "--data", type=_FILE, help="Inputs to attack, an npz with X and y; default: NET's test part."
)
@click.option(
    "--norm",
    "norms",
    type=click.Choice(list(_NAMES)),
    multiple=True,
    help="That measures a change; repeatable. Default: 2.",
)
@click.option(
    "--attacks",
    metavar="NAMES",
    help=f"{', '.join(GROUPS)}, or names with commas between, as ddn,l2_deepfool. Default: quick.",
)
@click.option(
    "--inputs",
    type=click.IntRange(min=1),
    help="How many; default: all that --data has, or 100 of the test part.",
)
@click.option("--unit-box", is_flag=True, help="Attacked inputs stay in [0, 1]; default: no box.")
@click.option(
    "--eps",
    type=float,
    multiple=True,
    metavar="E",
    help="Report robust accuracy here, of those norms that are 2 or inf; repeatable, ascending.",
)
@with_settings
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="CSV, a row an input.")
@as_json
def attack(
    net: Path,
    data: Path | None,
    norms: tuple[str, ...],
    attacks: str | None,
    inputs: int | None,
    unit_box: bool,
    eps: tuple[float, ...],
    pairs: tuple[str, ...],
    out: Path | None,
    as_json: bool,
) -> None:
    """Look for the nearest flips of NET, a file that `sparsebound train` or `prune` wrote.

    \b
    Examples:
      sparsebound attack net.safetensors
      sparsebound attack net.safetensors --norm 2 --norm inf --out table.csv
      sparsebound attack net.safetensors --unit-box --inputs 200 --eps 0.1

    Distances are upper bounds, each with a point that was checked; so are their means and medians,
    and accuracies under attack. An input that is wrong or tied has distance 0; where all attacks
    fail, it is unknown, which proves nothing: `sparsebound certify` does.
    """  # noqa: D301  # click wants the character itself
    network = load_network(net)
    options = {
        "attack.norms": [_NAMES[norm] for norm in dict.fromkeys(norms)] or None,
        "attack.names": None if attacks is None else _split(attacks),
        "attack.inputs": inputs,
        "attack.box": "unit" if unit_box else None,
    }
    given = refuse_twice(given_settings(pairs), options)
    given = refuse_twice(given, _budgets(eps, _value(network, given, "attack.norms") or []))
    refuse_other_sections(given, "attack", "measure")
    count = None if data is None else _taken_count(network, given)
    settings = changed(network.settings, given)
    _refuse_nothing(settings, out)
    if out is not None:
        refuse_unwritable(out, [net] if data is None else [net, data])
    with one_thread():
        places, part = _attacked(settings, data, count)
        found = attack_results(network.model, part, settings)
        row = attack_row(network.model, part, settings, found)
    if out is not None:
        with whole_file(out) as unfinished, unfinished.open("w", newline="") as stream:
            write_table(_lines(found, places, part), stream)
    summary = _summary(network, row, found, settings)
    click.echo(json_text(summary) if as_json else table_text(summary))


def _split(names: str) -> list[str]:
    """Return names that have commas between them."""
    parts = [name.strip() for name in names.split(",")]
    if not all(parts):
        raise click.UsageError(f"--attacks must be names with commas between; got {names!r}.")
    return parts


def _value(network: Network, given: Mapping[str, Any], key: str) -> Any:
    """Return a setting as it is given, or else as the network has it."""
    return resolved({key: given[key]}, seed=0)[key] if key in given else network.settings[key]


def _budgets(eps: Sequence[float], norms: Sequence[str]) -> dict[str, Any]:
    """Return the settings that --eps stands for: budgets of each norm that has them."""
    balls = [norm for norm in norms if norm in BALLS]
    if eps and not balls:
        raise click.UsageError("--eps is for norms 2 and inf.")
    return {f"measure.budgets.{norm}": list(eps) for norm in balls} if eps else {}


def _taken_count(network: Network, given: dict[str, Any]) -> int | None:
    """Take from the given settings how many inputs of a file to attack; None means all.

    What is left is that of the network's own data, whose test part may be smaller than the file.
    """
    if "attack.inputs" not in given:
        return None
    count: int = _value(network, given, "attack.inputs")
    del given["attack.inputs"]
    return count


def _refuse_nothing(settings: Settings, out: Path | None) -> None:
    """Refuse an attack without norms where there is nothing to report."""
    if settings["attack.norms"] is not None:
        return
    if out is not None:
        raise click.UsageError("--out is for distances; attack.norms none gives none.")
    if all(settings[f"measure.budgets.{norm}"] is None for norm in BALLS):
        raise click.UsageError("attack.norms must be given, or measure.budgets; both are none.")


def _attacked(settings: Settings, data: Path | None, count: int | None) -> tuple[list[int], Part]:
    """Return the places and values of the inputs to attack, of a file its first ones."""
    if data is None:
        return chosen_inputs(settings).tolist(), attacked_part(settings, split_of(settings))
    arrays = load_arrays(data, required=("X", "y"))
    X, y = arrays["X"], arrays["y"]
    if X.ndim < 2 or y.shape != X.shape[:1]:
        raise ValueError(
            f"X and y in {data} must fit: (n, ...) and (n,); got {X.shape}, {y.shape}."
        )
    if not X.size:
        raise ValueError(f"X in {data} must have a row and a column or more; got {X.shape}.")
    if y.dtype.kind not in "iuf":
        raise TypeError(f"y in {data} must hold labels as numbers; got {y.dtype}.")
    most = len(y) if count is None else count
    if most > len(y):
        raise ValueError(f"attack.inputs must be at most {len(y)}, as {data} has; got {most}.")
    flat = np.asarray(X[:most], dtype=np.float64).reshape(most, -1)
    return list(range(most)), Part(flat, y[:most])


def _lines(
    found: Mapping[str, ModelAttackResult], places: list[int], part: Part
) -> list[dict[str, Any]]:
    """Return a row for each norm and input."""
    return [
        {
            "input": place,
            "label": int(part.y[i]),
            "distance": result.distances[i],
            "status": result.status[i],
            "attack": result.winner[i],
            "kind": result.kind,
            **setting_columns(result.norm, result.box),
        }
        for result in found.values()
        for i, place in enumerate(places)
    ]


def _summary(
    network: Network,
    row: Mapping[str, Any],
    found: Mapping[str, ModelAttackResult],
    settings: Settings,
) -> dict[str, Any]:
    """Return what is printed: for each norm the measures with their limits."""
    told: dict[str, Any] = {"kind": "upper bounds, by attacks", "box": settings["attack.box"]}
    told["compression"] = float(network.steps[-1]["compression"])
    for norm, result in found.items():
        told[f"{norm} attacks"] = ", ".join(result.attacks)
        told[f"{norm} inputs"] = len(result.distances)
        for name in _MEASURES:
            ends = (f"{norm}_{name}", f"{norm}_{name}_low", f"{norm}_{name}_high")
            value, low, high = (float(row[end]) for end in ends)
            told[f"{norm} {name}"] = value
            told[f"{norm} {name}, limits"] = [round(low, 6), round(high, 6)]
    for norm in BALLS:
        if f"{norm}_eps" in row:
            shares = zip(row[f"{norm}_eps"], row[f"{norm}_robust_accuracy"], strict=True)
            told |= {f"{norm} robust accuracy at {e:g}": float(share) for e, share in shares}
            told[f"{norm} alarms"] = row[f"{norm}_alarms"]
    return told
