"""Cells of the compression study made so that what a check must say of them is known by hand."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from empirical.compression_study import CNN, EPS, MLP, CompressionCell
from theory.certify.bounds import DistanceBounds

INPUTS, TRAINED_ON, SEARCHED = 1000, 5000, 10
COMPRESSIONS = (1.0, 2.0, 4.0, 8.0, 16.0)


class Curve(NamedTuple):
    """What a family has at each level, on average over seeds."""

    accuracy: Sequence[float]
    robust: Sequence[float]
    r_2: Sequence[float] | None = None


def planted(
    curves: Mapping[tuple[str, str], Curve],
    *,
    seeds: int = 6,
    spread: float = 0.0,
    model: str = MLP,
    **named: Any,
) -> list[CompressionCell]:
    """Return the cells of curves by what they were trained by and family.

    Of pruned levels, seeds are off by steps between -spread and +spread, whose mean is 0; the dense
    level is as given, so that effects against it have that spread.
    """
    steps = spread * np.linspace(-1, 1, seeds)
    return [
        cell_of(trained, family, curve, level, seed, offset=steps[seed], model=model, **named)
        for (trained, family), curve in curves.items()
        for seed in range(seeds)
        for level in range(len(curve.accuracy))
    ]


def cell_of(
    trained: Any,
    family: str,
    curve: Curve,
    level: int,
    seed: int,
    *,
    offset: float,
    model: str,
    **named: Any,
) -> CompressionCell:
    off = offset if level else 0.0
    robust = curve.robust[level] + off
    survived = np.stack([share(robust + named.get("attacked", 0.0) * (level > 0))] * len(EPS))
    proven = robust + named.get("proven", 0.0) * (level > 0)
    r_2 = None if curve.r_2 is None else curve.r_2[level] + off
    return CompressionCell(
        seed=seed,
        model=model,
        trained=trained,
        family=family,
        level=level,
        compression=COMPRESSIONS[level],
        trained_on=TRAINED_ON,
        correct=share(curve.accuracy[level]),
        eps=np.array(EPS),
        fgsm=survived,
        survived=survived,
        certified=np.full(len(EPS), np.nan if model == CNN else proven),
        distances=None if r_2 is None else bounds(r_2, r_2 + named.get("slack", 0.0)),
        deepfool=None if r_2 is None else np.full(SEARCHED, r_2 + named.get("slack", 0.0)),
    )


def share(value: float) -> Any:
    """Return booleans of which that share is true, to the nearest thousandth."""
    return np.arange(INPUTS) < round(value * INPUTS)


def bounds(lower: float, upper: float) -> DistanceBounds:
    status = "exact" if lower == upper else "time limit"
    return DistanceBounds(
        lower=np.full(SEARCHED, lower),
        upper=np.full(SEARCHED, upper),
        witness=None,
        method=np.full(SEARCHED, "planted"),
        status=np.full(SEARCHED, status),
        nodes=np.zeros(SEARCHED, dtype=np.intp),
        norm=2.0,
        box=None,
    )
