"""Certificates proven anew in balls: the part of `sparsebound certify --rigorous` that works."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from empirical.lowering import NamedLinear, NamedNetwork, own_labels
from empirical.whole_files import whole_file, write_table
from sparsebound.network_inputs import Inputs, Search, network_inputs
from sparsebound.network_table import rows, summary
from sparsebound.options import norm_name, quantiles, setting_columns
from sparsebound.progress import progress
from sparsebound.row_file import kept_rows
from theory.certify import DistanceBounds, certified_radii
from theory.certify.domain import refuse_extremes
from theory.linear import class_scores, flip_distance
from theory.networks import Reduction
from theory.rigorous import METHODS, MOST_WEIGHTS, proven_distances, proven_radii
from theory.validation import FloatArray, UnsupportedSettingError, as_budget

_AT_A_TIME = 4  # inputs: what is lost at most when the work is broken off
_L2_ALONE = "lipschitz"
# By how much float64's distance may leave its enclosure, relatively: some roundings of its terms.
_ROUNDING = 1e-9

Arrays = Mapping[str, NDArray[Any]]


def rigorous_radii(
    named: NamedNetwork, arrays: Arrays, *, search: Search, eps: Sequence[float], out: Path | None
) -> dict[str, Any]:
    """Return a summary of the proven radius of each input; write a row for each to `out`.

    The network is certified as it is given: a reduced one is another one, by its rounding.
    """
    budgets, methods = as_budget(eps), _methods(search)
    size = sum(int(np.prod(W.shape)) for W in named.net.weights)
    if size > MOST_WEIGHTS:
        raise UnsupportedSettingError(
            f"--rigorous is for networks of at most {MOST_WEIGHTS:,} weights; got {size:,}."
        )
    inputs = network_inputs(named, arrays, search.box)
    refuse_extremes(inputs.net)
    pieces, stood = [], []
    with kept_rows(out) as done, progress(len(inputs.X), "prove") as bar:
        for found in _largest(inputs, search, methods):
            piece = _proven(inputs, search, found, done.count)
            stands = piece.lower == found.lower
            table = rows(inputs, piece, done.count, search)
            for row, radius, stood_one in zip(table, found.lower, stands, strict=True):
                row |= {"float64 radius": float(radius), "stands": str(bool(stood_one)).lower()}
            done.append(table)
            bar.update(stands.size)
            pieces.append(piece)
            stood.append(stands)
    own = Reduction(network=inputs.net, input_map=None, steps=())
    told = summary(inputs, pieces, search, own, budgets) | {"kind": "proven in ball arithmetic"}
    return told | _count(np.concatenate(stood), pieces)


def rigorous_distances(
    named: NamedLinear, arrays: Arrays, *, norm: float, eps: Sequence[float], out: Path | None
) -> dict[str, Any]:
    """Return a summary of proven ends of each distance; write a row for each input to `out`."""
    budgets = as_budget(eps)
    predicted = class_scores(named.model, arrays["X"]).argmax(axis=1)
    labels = named.model.classes[predicted]
    if "y" in arrays:
        labels = own_labels(named, arrays["y"])
    found = flip_distance(named.model, arrays["X"], labels, norm=norm)
    lower, upper = proven_distances(named.model, arrays["X"], labels, norm=norm)
    stands = (found >= lower * (1 - _ROUNDING)) & (found <= upper * (1 + _ROUNDING))
    if out is not None:
        table = {
            "input": [*range(found.size)],
            "label": arrays["y"].tolist() if "y" in arrays else named.names[predicted].tolist(),
            "predicted": named.names[predicted].tolist(),
            "distance at least": lower.tolist(),
            "distance at most": upper.tolist(),
            **{k: [v] * found.size for k, v in setting_columns(norm, None).items()},
            "float64 distance": found.tolist(),
            "stands": [str(bool(stood)).lower() for stood in stands],
        }
        lines = [dict(zip(table, row, strict=True)) for row in zip(*table.values(), strict=True)]
        with whole_file(out) as part, part.open("w", encoding="utf-8", newline="") as stream:
            write_table(lines, stream)
    share = "robust accuracy, at least," if "y" in arrays else "unchanged, at least,"
    return {
        "inputs": found.size,
        "norm": norm_name(norm),
        "box": None,
        "kind": "proven in ball arithmetic",
        "distance from": "label given" if "y" in arrays else "label predicted",
        **quantiles("distance", lower),
        **{f"{share} at {e}": float((lower > e).mean()) for e in budgets},
        "float64 stands": f"{stands.sum()} of {stands.size}",
    }


def _methods(search: Search) -> tuple[str, ...]:
    """Return the methods to try; refuse those that ball arithmetic does not have."""
    if search.norm not in {2, math.inf}:
        raise ValueError(f"--norm must be 2 or inf for networks; got {search.norm:g}.")
    if not 0 < search.tol < 1:
        raise ValueError(f"--tol must be in (0, 1); got {search.tol}.")
    if search.method not in {"best", *METHODS}:
        raise UnsupportedSettingError(
            f"--rigorous has no check of {search.method}; it has {', '.join(METHODS)}, and best,"
            " the largest of them."
        )
    if search.method != "best":
        return (search.method,)
    return tuple(name for name in METHODS if name != _L2_ALONE or search.norm == 2)


def _largest(inputs: Inputs, search: Search, methods: Sequence[str]) -> Iterator[DistanceBounds]:
    """Yield the largest radii that float64 finds by any of the methods, some inputs at a time."""
    y = inputs.net.classes[inputs.label]
    setting: dict[str, Any] = {"norm": search.norm, "box": search.box, "tol": search.tol}
    runs = [
        certified_radii(inputs.net, inputs.X, y, method=name, size=_AT_A_TIME, **setting)
        for name in methods
    ]
    for found in zip(*runs, strict=True):
        radii = np.array([piece.lower for piece in found])
        best = radii.argmax(axis=0)
        yield replace(
            found[0],
            lower=radii.max(axis=0),
            method=np.array(methods)[best],
            nodes=np.sum([piece.nodes for piece in found], axis=0),
        )


def _proven(inputs: Inputs, search: Search, found: DistanceBounds, start: int) -> DistanceBounds:
    """Return the bounds that ball arithmetic proves of those found."""
    part = slice(start, start + found.lower.size)
    radii = proven_radii(
        inputs.net,
        inputs.X[part],
        inputs.net.classes[inputs.label[part]],
        found.lower,
        norm=search.norm,
        method=found.method.tolist(),
        box=search.box,
    )
    return replace(found, lower=radii)


def _count(stands: NDArray[np.bool_], pieces: Sequence[DistanceBounds]) -> dict[str, Any]:
    lower: FloatArray = np.concatenate([piece.lower for piece in pieces])
    return {
        "float64 stands": f"{stands.sum()} of {stands.size}",
        "stands only up to a millionth less": int((~stands & (lower > 0)).sum()),
        "not proven": int((~stands & (lower == 0)).sum()),
    }
