"""`sparsebound certify`: exact distances of a user's own model."""

import math
from pathlib import Path
from typing import Any

import click
import numpy as np

from empirical.lowering import NamedLinear, linear_from_file, load_arrays, own_labels
from figures.style import whole_file, write_table
from sparsebound.options import as_json, json_text
from theory.linear import class_scores, flip_distance, nearest_flip
from theory.validation import FloatArray, as_budget

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command()
@click.argument("model", type=_FILE)
@click.argument("data", type=_FILE)
@click.option("--linear", is_flag=True, help="MODEL is linear: required, the only kind so far.")
@click.option(
    "--norm",
    type=click.Choice(["0", "1", "2", "inf"]),
    default="2",
    show_default=True,
    help="That measures a change of an input.",
)
@click.option("--box", type=(float, float), metavar="LO HI", help="Every feature stays within.")
@click.option("--eps", type=float, multiple=True, help="Report robust accuracy here; repeatable.")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="CSV, a row an input.")
@click.option("--trust-pickle", is_flag=True, help="Read a joblib MODEL, which can run code.")
@as_json
def certify(
    model: Path,
    data: Path,
    linear: bool,
    norm: str,
    box: tuple[float, float] | None,
    eps: tuple[float, ...],
    out: Path | None,
    trust_pickle: bool,
    as_json: bool,
) -> None:
    """Give the exact distance of each input of DATA to the nearest flip of MODEL's label.

    MODEL: an npz with arrays W (d,), (1, d) or (c, d), b, and optionally classes, the labels'
    names; or a joblib file of a scikit-learn linear classifier. DATA: an npz with X (n, d) and
    optionally y (n,); without y, distances are from the predicted label.

    An input that is wrong or tied has distance 0. Quantiles are over the inputs that can flip.
    The CSV's "witnessed flip" is the norm of a change that does flip, a hair above the distance.
    """
    if not linear:
        raise click.UsageError("give --linear: only linear models can be certified so far.")
    if out is not None and out.resolve() in {model.resolve(), data.resolve()}:
        raise ValueError(f"--out must be another file than MODEL and DATA; got {out}.")
    named = linear_from_file(model, trust_pickle=trust_pickle)
    arrays = load_arrays(data, required=("X",))
    y = own_labels(named, arrays["y"]) if "y" in arrays else None
    setting: dict[str, Any] = {"norm": float(norm), "box": box}
    distances = flip_distance(named.model, arrays["X"], y, **setting)
    summary = _summary(distances, as_budget(eps), setting, labelled=y is not None)
    if out is not None:
        flips = nearest_flip(named.model, arrays["X"], y, **setting)
        with whole_file(out) as part, part.open("w", encoding="utf-8", newline="") as stream:
            write_table(_rows(named, arrays, distances, flips.norms), stream)
    click.echo(json_text(summary) if as_json else _table(summary))


def _summary(
    distances: FloatArray, eps: FloatArray, setting: dict[str, Any], *, labelled: bool
) -> dict[str, Any]:
    reachable = distances[np.isfinite(distances)]
    summary: dict[str, Any] = {
        "inputs": distances.size,
        "norm": "inf" if math.isinf(setting["norm"]) else int(setting["norm"]),
        "box": setting["box"],
        "kind": "exact",
        "distance from": "label given" if labelled else "label predicted",
        "share wrong or tied": float((distances == 0).mean()),
        "share that never flips": float(np.isinf(distances).mean()),
    }
    for name, q in {"5 %": 0.05, "median": 0.5, "95 %": 0.95}.items():
        value = float(np.quantile(reachable, q)) if reachable.size else None
        summary[f"distance, {name}"] = value
    summary |= {f"robust accuracy at {e}": float((distances > e).mean()) for e in eps}
    return summary


def _table(summary: dict[str, Any]) -> str:
    width = max(len(name) for name in summary)
    return "\n".join(
        f"{name:<{width}}  {f'{value:.6g}' if isinstance(value, float) else value}"
        for name, value in summary.items()
    )


def _rows(
    named: NamedLinear, arrays: Any, distances: FloatArray, witnessed: FloatArray
) -> list[dict[str, Any]]:
    predicted = named.names[class_scores(named.model, arrays["X"]).argmax(axis=1)].tolist()
    labels = arrays["y"].tolist() if "y" in arrays else predicted
    return [
        {"input": i, "label": label, "predicted": own, "distance": d, "witnessed flip": w}
        for i, (label, own, d, w) in enumerate(
            zip(labels, predicted, distances.tolist(), witnessed.tolist(), strict=True)
        )
    ]
