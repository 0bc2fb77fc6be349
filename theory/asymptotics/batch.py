"""Many settings of one loss side by side, as arrays."""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

import numpy as np

from theory.asymptotics.law import CoordinateLaw
from theory.asymptotics.objective import Loss, Objective
from theory.validation import FloatArray, IntArray


@dataclass(frozen=True, kw_only=True, eq=False)
class Batch:
    """Objectives, ratios n / d and laws, one a row; laws are padded to k components by weight 0."""

    loss: Loss
    ratio: FloatArray  # (n,), as the next four
    l1: FloatArray
    l2: FloatArray
    eps: FloatArray
    eps_inf: FloatArray
    weights: FloatArray  # (n, k), as the next three
    means: FloatArray
    deviations: FloatArray
    scales: FloatArray


def batch_of(
    objectives: Sequence[Objective], laws: Sequence[CoordinateLaw], ratios: Sequence[float]
) -> Batch:
    """Return settings of one loss as a batch."""
    k = max(law.weights.size for law in laws)
    columns = {
        name: np.array([getattr(objective, name) for objective in objectives])
        for name in ("l1", "l2", "eps", "eps_inf")
    }
    components = {
        name: np.stack([_padded(getattr(law, name), k, filler) for law in laws])
        for name, filler in (("weights", 0.0), ("means", 0.0), ("deviations", 0.0), ("scales", 1.0))
    }
    return Batch(
        loss=objectives[0].loss, ratio=np.array(ratios, dtype=float), **columns, **components
    )


def some(batch: Batch, rows: IntArray) -> Batch:
    """Return the rows of a batch, in the order given; a row may come more than once."""
    arrays = {
        field.name: getattr(batch, field.name)[rows]
        for field in fields(batch)
        if field.name != "loss"
    }
    return replace(batch, **arrays)


def _padded(values: FloatArray, k: int, filler: float) -> FloatArray:
    return np.concatenate([values, np.full(k - values.size, filler)])
