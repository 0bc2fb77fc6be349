"""Exact distances of linear models: the part of `sparsebound certify` that is a formula."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from empirical.lowering import NamedLinear, own_labels
from empirical.whole_files import whole_file, write_table
from sparsebound.options import norm_name, quantiles, setting_columns
from theory.linear import class_scores, flip_distance, nearest_flip
from theory.validation import FloatArray, as_budget

Arrays = Mapping[str, NDArray[Any]]


def linear_distances(
    named: NamedLinear,
    arrays: Arrays,
    *,
    norm: float,
    box: tuple[float, float] | None,
    eps: Sequence[float],
    out: Path | None,
) -> dict[str, Any]:
    """Return a summary of the exact distance of each input; write a row for each to `out`."""
    y = own_labels(named, arrays["y"]) if "y" in arrays else None
    setting: dict[str, Any] = {"norm": norm, "box": box}
    distances = flip_distance(named.model, arrays["X"], y, **setting)
    summary = _summary(distances, as_budget(eps), setting, labelled=y is not None)
    if out is not None:
        flips = nearest_flip(named.model, arrays["X"], y, **setting)
        with whole_file(out) as part, part.open("w", encoding="utf-8", newline="") as stream:
            write_table(_rows(named, arrays, distances, flips.norms, setting), stream)
    return summary


def _summary(
    distances: FloatArray, eps: FloatArray, setting: dict[str, Any], *, labelled: bool
) -> dict[str, Any]:
    summary: dict[str, Any] = {
        "inputs": distances.size,
        "norm": norm_name(setting["norm"]),
        "box": setting["box"],
        "kind": "exact",
        "distance from": "label given" if labelled else "label predicted",
        "share wrong or tied": float((distances == 0).mean()),
        "share that never flips": float(np.isinf(distances).mean()),
    }
    summary |= quantiles("distance", distances)
    share = "robust accuracy" if labelled else "unchanged"
    summary |= {f"{share} at {e}": float((distances > e).mean()) for e in eps}
    return summary


def _rows(
    named: NamedLinear,
    arrays: Arrays,
    distances: FloatArray,
    witnessed: FloatArray,
    setting: dict[str, Any],
) -> list[dict[str, Any]]:
    predicted = named.names[class_scores(named.model, arrays["X"]).argmax(axis=1)].tolist()
    labels = arrays["y"].tolist() if "y" in arrays else predicted
    return [
        {
            "input": i,
            "label": label,
            "predicted": own,
            "distance": d,
            "kind": "exact",
            **setting_columns(**setting),
            "witnessed flip": w,
        }
        for i, (label, own, d, w) in enumerate(
            zip(labels, predicted, distances.tolist(), witnessed.tolist(), strict=True)
        )
    ]
