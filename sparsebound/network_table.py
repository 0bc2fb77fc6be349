"""What `sparsebound certify` says of a network: a row an input, and a summary of all."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from sparsebound.network_inputs import Inputs, Search
from sparsebound.options import norm_name, quantiles, setting_columns
from theory.certify import DistanceBounds
from theory.networks import Reduction
from theory.validation import FloatArray


def rows(inputs: Inputs, piece: DistanceBounds, start: int, search: Search) -> list[dict[str, Any]]:
    """Return a row for each of those inputs, from number `start` on, that a piece is about."""
    part = slice(start, start + piece.lower.size)
    table: dict[str, list[Any]] = {
        "input": [*range(part.start, part.stop)],
        "label": inputs.names[inputs.label[part]].tolist(),
        "predicted": inputs.names[inputs.predicted[part]].tolist(),
        "radius": piece.lower.tolist(),
        "kind": np.where(piece.status == "exact", "exact", "lower").tolist(),
        **{
            name: [value] * piece.lower.size
            for name, value in setting_columns(search.norm, search.box).items()
        },
        "method": piece.method.tolist(),
        "status": piece.status.tolist(),
    }
    if search.exact:
        table |= {"upper": piece.upper.tolist(), "nodes": piece.nodes.tolist()}
    return [dict(zip(table, row, strict=True)) for row in zip(*table.values(), strict=True)]


def summary(
    inputs: Inputs,
    pieces: Sequence[DistanceBounds],
    search: Search,
    reduction: Reduction,
    eps: FloatArray,
) -> dict[str, Any]:
    """Return what all pieces together say."""
    lower = np.concatenate([piece.lower for piece in pieces])
    proven = "certified accuracy" if inputs.labelled else "certified unchanged"
    agree = float((inputs.label == inputs.predicted).mean())
    told = {
        "inputs": lower.size,
        "norm": norm_name(search.norm),
        "box": search.box,
        "method": "branch and bound" if search.exact else search.method,
        "kind": _kind(pieces) if search.exact else "proven lower bound",
        "network": _widths(inputs.net),
        "reduced to": _widths(reduction.network),
        "reduced by": list(reduction.steps),
        "distance from": "label given" if inputs.labelled else "label predicted",
        "accuracy": agree if inputs.labelled else None,
        "share wrong or tied": float((~inputs.right).mean()),
        "share that never flips": float(np.isinf(lower).mean()),
        **quantiles("radius", lower),
        **{f"{proven} at {e}": float((lower > e).mean()) for e in eps},
    }
    return told | (_ends(inputs, pieces, eps) if search.exact else _wins(inputs, pieces))


def _kind(pieces: Sequence[DistanceBounds]) -> str:
    closed = np.concatenate([piece.status == "exact" for piece in pieces])
    if closed.all():
        return "exact"
    return f"exact for {closed.sum()} of {closed.size} inputs, else proven lower bound"


def _widths(net: Any) -> str:
    return "-".join(map(str, (net.dimension, *net.widths, net.outputs)))


def _wins(inputs: Inputs, pieces: Sequence[DistanceBounds]) -> dict[str, Any]:
    """Return whose radii the result has (of inputs with a radius), and what they cost."""
    method = np.concatenate([piece.method for piece in pieces])
    won = np.concatenate([piece.lower > 0 for piece in pieces]) & inputs.right
    return {
        "radii by method": dict(Counter(method[won].tolist()).most_common()),
        "evaluations": sum(int(piece.nodes.sum()) for piece in pieces),
    }


def _ends(inputs: Inputs, pieces: Sequence[DistanceBounds], eps: FloatArray) -> dict[str, Any]:
    """Return what an exact search adds: upper bounds, how searches ended, and their cost."""
    lower, upper = (np.concatenate([getattr(p, k) for p in pieces]) for k in ("lower", "upper"))
    status = np.concatenate([piece.status for piece in pieces])
    left = "robust accuracy" if inputs.labelled else "unchanged"
    return {
        **{f"{left} at most, at {e}": float((upper > e).mean()) for e in eps},
        "searches": dict(Counter(status.tolist()).most_common()),
        "largest relative gap": float(_gaps(lower, upper).max()),
        "nodes": sum(int(piece.nodes.sum()) for piece in pieces),
    }


def _gaps(lower: FloatArray, upper: FloatArray) -> FloatArray:
    """Return the differences as parts of the upper bounds: 1 where there is none to a lower."""
    gaps = np.where(lower == upper, 0.0, 1.0)  # both may be infinite
    between = np.isfinite(upper) & (upper > 0)
    return np.where(between, 1 - lower / np.where(between, upper, 1.0), gaps)
