"""Instances of the bound of Fawzi, Fawzi, Frossard 2018: inputs in a ball, a boundary through it.

What is so is the mean unsigned distance to the boundary.
"""

from collections.abc import Callable

import numpy as np

from empirical.falsify.exact import lengths
from empirical.falsify.problems_guo2018 import (
    LABELS,
    LINEAR_AXES,
    LINEAR_SPACE,
    labelled,
    linear_classifier,
    margins,
)
from empirical.falsify.search import Instance, Search
from theory.claims import CATALOGUE
from theory.claims.claim import Claim
from theory.validation import UnsupportedSettingError

_ROUNDING = 1 + 1e-12  # of norms that are to be at most the radius


def _in_ball(arrays: Instance) -> Instance:
    """Return inputs within radius M = 1, those beyond it moved onto its sphere, and |b| <= ‖w‖."""
    size = np.linalg.norm(arrays["X"], axis=1, keepdims=True)
    X = arrays["X"] / np.maximum(size, 1.0)
    bias = arrays["b"] * np.linalg.norm(arrays["w"])
    return labelled({**arrays, "X": X, "b": np.asarray(bias), "M": np.asarray(1.0)})


def _claimed(instance: Instance, bound: Callable[..., float]) -> float:
    X, y, M = instance["X"], instance["y"], float(instance["M"])
    if set(y.tolist()) != {-1.0, 1.0}:
        raise UnsupportedSettingError("y must hold both -1 and +1.")
    linear_classifier(instance)  # refuses w = 0
    norms = np.linalg.norm(X, axis=1)
    if norms.max() > M * _ROUNDING:
        raise UnsupportedSettingError(f"inputs must lie in the ball of radius M={M}.")
    if abs(instance["b"]) > M * np.linalg.norm(instance["w"]) * _ROUNDING:
        raise UnsupportedSettingError("the boundary must meet the ball: |b| <= M ‖w‖.")
    return bound(
        [(y == label).mean() for label in (-1, 1)],
        [X[y == label].mean(axis=0) for label in (-1, 1)],
        radius=M,
        error_rate=float((margins(instance) <= 0).mean()),
    )


def _mean_unsigned_distance(instance: Instance) -> object:
    size = abs(margins(instance))
    return size.sum() / len(size) / lengths(instance["w"][None], 2)[0]


def mean_distance_bound(claim: Claim) -> Search:
    """Return the search of a bound on the mean unsigned distance."""
    return Search(
        claim=claim,
        direction="upper",
        space=LINEAR_SPACE,
        build=_in_ball,
        claimed=lambda instance: _claimed(instance, claim.predict),
        true=_mean_unsigned_distance,
        kind="exact: the mean unsigned distance to the boundary",
        axes={**LINEAR_AXES, "M": ()},
        fixed=LABELS,
        rational=True,
    )


SEARCHES = (mean_distance_bound(CATALOGUE["fawzi2018.linear"]),)
