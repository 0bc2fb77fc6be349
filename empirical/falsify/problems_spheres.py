"""Instances of ceilings for spheres: what is classified correctly lies between angles to a pole.

What is so is the density between those angles, added up.
"""

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from empirical.falsify.search import TINY, Instance, Search, Span
from theory.claims import CATALOGUE
from theory.validation import FloatArray, UnsupportedSettingError

_NODES = np.polynomial.legendre.leggauss(60)
_MOST = 8  # dimensions: a density that sixty nodes add up to rounding
_SPACE = (
    Span("dimension", (), 2, _MOST, whole=True),
    Span("cuts", (4,), -0.5, math.pi + 0.5),
    Span("radius", (), 0.5, 2),
)
_EPS = Span("eps", (), 0.05, 2)
_AXES = {"dimension": (), "cuts": ("",), "radius": ()}


def _setting(instance: Instance) -> tuple[int, float, FloatArray]:
    """Return d, R and the angles (2, 2) between which is right; beyond a pole they are infinite."""
    dimension, radius = int(instance["dimension"]), float(instance["radius"])
    if not 2 <= dimension <= _MOST or not radius > TINY:
        raise UnsupportedSettingError("dimension must be in [2, 8], and the radius above 0.")
    ends = np.sort(instance["cuts"])
    ends = np.where(ends <= 0, -np.inf, np.where(ends >= math.pi, np.inf, ends))
    return dimension, radius, ends.reshape(2, 2)


def _total(
    dimension: int, lo: float, hi: float, of: Callable[[FloatArray], FloatArray] = np.ones_like
) -> float:
    """Return the integral of a function of the angle over part of a unit sphere."""
    at = lo + (hi - lo) * (_NODES[0] + 1) / 2
    return float((hi - lo) / 2 * (_NODES[1] @ (np.sin(at) ** (dimension - 2) * of(at))))


def _share(dimension: int, ends: FloatArray, lost: float) -> float:
    inner = np.stack([ends[:, 0] + lost, ends[:, 1] - lost], axis=1).clip(0, math.pi)
    kept = sum(_total(dimension, lo, hi) for lo, hi in inner.tolist() if lo < hi)
    return kept / _total(dimension, 0.0, math.pi)


def _clean(instance: Instance) -> dict[str, Any]:
    dimension, radius, ends = _setting(instance)
    accuracy = _share(dimension, ends, 0.0)
    if not TINY <= accuracy <= 1 - TINY:
        raise UnsupportedSettingError(f"the accuracy must be middling; got {accuracy}.")
    return {"accuracy": accuracy, "dimension": dimension, "radius": radius}


def _true_share(instance: Instance) -> float:
    dimension, radius, ends = _setting(instance)
    half = float(instance["eps"]) / (2 * radius)
    if half < TINY:
        raise UnsupportedSettingError("eps must be above 0.")
    return _share(dimension, ends, 2 * math.asin(half)) if half < 1 else 0.0


def _mean(instance: Instance, length: Callable[[FloatArray], FloatArray]) -> float:
    """Return the mean of a function of the angle to the nearest end, in radii."""
    dimension, radius, ends = _setting(instance)
    found = 0.0
    for lo, hi in ends[ends[:, 0] < ends[:, 1]].tolist():
        middle = min(max((lo + hi) / 2, 0.0), math.pi)
        for end in (lo, hi):
            if math.isfinite(end) and math.isfinite(middle):
                span = min(end, middle), max(end, middle)
                found += _total(dimension, *span, of=partial(_from_end, length, end))
    return radius * found / _total(dimension, 0.0, math.pi)


def _from_end(length: Callable[[FloatArray], FloatArray], end: float, at: FloatArray) -> FloatArray:
    return length(np.abs(at - end))


def _straight(angle: FloatArray) -> FloatArray:
    return np.asarray(2 * np.sin(angle / 2))


_SHARED: dict[str, Any] = {"direction": "upper", "build": dict, "fixed": frozenset({"dimension"})}

SEARCHES = (
    Search(
        claim=CATALOGUE["limits.sphere"],
        space=(*_SPACE, _EPS),
        claimed=lambda instance: float(
            CATALOGUE["limits.sphere"].predict(eps=float(instance["eps"]), **_clean(instance))
        ),
        true=_true_share,
        kind="exact: the density between angles without what attacks reach",
        axes={**_AXES, "eps": ()},
        allowance=1e-8,
        reason="shares from 1e-6 on are added up to 1e-15",
        **_SHARED,
    ),
    Search(
        claim=CATALOGUE["limits.sphere-distance"],
        space=_SPACE,
        claimed=lambda instance: CATALOGUE["limits.sphere-distance"].predict(**_clean(instance)),
        true=lambda instance: _mean(instance, _straight),
        kind="exact: the mean distance between angles, by quadrature",
        axes=_AXES,
        **_SHARED,
    ),
    Search(
        claim=CATALOGUE["limits.sphere-rate"],
        space=_SPACE,
        claimed=lambda instance: float(CATALOGUE["limits.sphere-rate"].predict(**_clean(instance))),
        true=lambda instance: _mean(instance, np.asarray),
        kind="exact: the mean arc between angles, by quadrature",
        axes=_AXES,
        **_SHARED,
    ),
)
