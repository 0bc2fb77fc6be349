"""`sparsebound prune`: a saved network made sparse."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from empirical.experiments import (
    built_network,
    load_network,
    most_epochs,
    one_thread,
    split_of,
)
from empirical.pruning import SCHEMES
from empirical.sweeps.known import METHODS
from sparsebound.network_settings import (
    changed,
    given_settings,
    refuse_other_sections,
    refuse_twice,
    with_settings,
)
from sparsebound.options import as_json, json_text, table_text
from sparsebound.progress import progress
from sparsebound.row_file import refuse_unwritable
from sparsebound.train import saved_summary

_METHODS = tuple(name for name in METHODS if name != "none")
# What says how much to prune; at its default, nothing is. Surgery chooses by itself.
_AMOUNTS = {
    **dict.fromkeys(("one-shot", "iterative", "gradual"), "pruning.compression"),
    "tickets": "pruning.rounds",
}
_GIVEN_BY = {"pruning.compression": "--compression C", "pruning.rounds": "--set pruning.rounds=N"}


@click.command()
@click.argument("net", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--method",
    type=click.Choice(_METHODS),
    default="one-shot",
    show_default=True,
    metavar="METHOD",
    help=f"When to prune: {', '.join(_METHODS)}.",
)
@click.option(
    "--scheme",
    type=click.Choice(list(SCHEMES)),
    metavar="SCHEME",
    help="What to prune: weight, kernel or filter, magnitude or random, global or layer, as in"
    " 'weight magnitude global', the default.",
)
@click.option(
    "--compression",
    type=float,
    metavar="C",
    help="All weights (or groups) over those kept; for one-shot, iterative and gradual.",
)
@with_settings
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    default=Path("pruned.safetensors"),
    show_default=True,
    help="File of the pruned network, with its settings.",
)
@as_json
def prune(
    net: Path,
    method: str,
    scheme: str | None,
    compression: float | None,
    pairs: tuple[str, ...],
    out: Path,
    as_json: bool,
) -> None:
    """Prune the network of NET, a file that `sparsebound train` wrote, and train what is left.

    \b
    Examples:
      sparsebound prune net.safetensors --compression 8
      sparsebound prune net.safetensors --method iterative --compression 64 \\
        --scheme "weight magnitude layer" --set pruning.epochs=5
      sparsebound prune net.safetensors --method tickets --set pruning.rounds=10

    one-shot prunes at once; iterative doubles the compression again and again, with training
    between; gradual prunes in many small steps; tickets resets what is left to its first weights;
    surgery lets pruned weights come back (the network must be trained with training.keep=last).
    Training is as it was; pruning.epochs changes how long.
    """  # noqa: D301  # click wants the character itself
    dense = load_network(net)
    if dense.settings["pruning.method"] != "none":
        raise ValueError(
            f"{net} must hold a dense network; it was pruned before, by"
            f" {dense.settings['pruning.method']}."
        )
    options = {"pruning.method": method, "pruning.compression": compression, **_parts(scheme)}
    given = refuse_twice(given_settings(pairs), options)
    refuse_other_sections(given, "pruning")
    settings = changed(dense.settings, given)
    _refuse_no_amount(method, given)
    refuse_unwritable(out, (net,))
    with one_thread():
        parts = split_of(settings)
        with progress(most_epochs(settings, is_begun=True), "prune") as bar:
            network = built_network(settings, parts, begun=dense, progress=lambda _: bar.update())
        summary = saved_summary(network, parts, out)
    click.echo(json_text(summary) if as_json else table_text(summary))


def _refuse_no_amount(method: str, given: Mapping[str, Any]) -> None:
    """Refuse a method that was not told how much to prune."""
    key = _AMOUNTS.get(method)
    if key is not None and key not in given:
        raise click.UsageError(f"{_GIVEN_BY[key]} must be given for --method {method}.")


def _parts(scheme: str | None) -> dict[str, str]:
    """Return the settings that a scheme's name stands for."""
    names = ("granularity", "criterion", "scope")
    parts = scheme.split() if scheme else []
    return {f"pruning.{name}": part for name, part in zip(names, parts, strict=False)}
