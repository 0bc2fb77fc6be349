"""Instances of ceilings for Gaussian inputs: what is said of an input is cut along one direction.

What is so is exact: a slab loses what attacks reach from its sides, and the tails that are left
are added up.
"""

import math
from typing import Any

import numpy as np

from empirical.falsify.search import TINY, Instance, Search, Span
from theory.claims import CATALOGUE
from theory.limits import largest_deviation
from theory.mixtures import GaussianClasses
from theory.validation import FloatArray, UnsupportedSettingError

_FLOOR = 0.1  # of the variance in any direction: a nonsingular covariance
_NORMS = (2.0, np.inf)
_DUAL = {2.0: 2, np.inf: 1}
# Cuts beyond this many deviations are none: one interval may reach to infinity.
_FAR = 3.5
_ROOT, _W = Span("root", (2, 2), -1, 1), Span("w", (2,), -2, 2)
_EPS, _NORM = Span("eps", (), 0.05, 2), Span("norm", (), 0, 1, whole=True)
_AXES = {"covariance": ("input", "input"), "w": ("input",), "eps": (), "norm": ()}


def _build(arrays: Instance) -> Instance:
    built = {name: array for name, array in arrays.items() if name != "root"}
    root = arrays["root"]
    built["covariance"] = root @ root.T + _FLOOR * np.eye(len(root))
    built["norm"] = np.asarray(_NORMS[int(arrays.get("norm", 0))])
    return built


def _covariance(instance: Instance) -> FloatArray:
    """Return the covariance; refuse what making an instance small leaves without symmetry."""
    covariance = instance["covariance"]
    if not np.array_equal(covariance, covariance.T):
        raise UnsupportedSettingError("covariance must be symmetric.")
    return covariance


def _along(instance: Instance) -> tuple[float, float]:
    """Return the deviation of w·x, and how far an attack moves it."""
    w = instance["w"]
    if not w.any():
        raise UnsupportedSettingError("w must not be zero.")
    deviation = math.sqrt(float(w @ _covariance(instance) @ w))
    if deviation < TINY or instance["eps"] < TINY:
        raise UnsupportedSettingError("w·x must have a density, and eps be above 0.")
    order = _DUAL[float(instance["norm"])]
    return deviation, float(instance["eps"]) * float(np.linalg.norm(w, ord=order))


def _ends(cuts: FloatArray) -> FloatArray:
    """Return sorted cuts in deviations of w·x, the far ones infinite."""
    ends = np.sort(cuts)
    return np.where(np.abs(ends) > _FAR, np.copysign(np.inf, ends), ends)


def _mass(intervals: FloatArray, lost: float) -> float:
    """Return the standard Gaussian mass of intervals (k, 2) that lose so much on either side."""
    root = math.sqrt(2)
    return sum(
        (math.erfc((lo + lost) / root) - math.erfc((hi - lost) / root)) / 2
        for lo, hi in intervals
        if lo + lost < hi - lost
    )


def _middling(share: float) -> float:
    """Return a share; refuse those of which rounding leaves too few digits to 0 or to 1."""
    if not TINY <= share <= 1 - TINY:
        raise UnsupportedSettingError(f"the accuracy must be middling; got {share}.")
    return share


def _of_class(instance: Instance, lost: float) -> float:
    """Return how much of a class is right: where w·x is in (c₁, c₂) or (c₃, c₄)."""
    return _mass(_ends(instance["cuts"]).reshape(2, 2), lost)


def _claimed_of_class(instance: Instance) -> float:
    norm, predict = float(instance["norm"]), CATALOGUE["limits.gaussian"].predict
    deviation = largest_deviation(instance["covariance"], norm=norm)
    clean = _middling(_of_class(instance, 0.0))
    return float(predict(clean, float(instance["eps"]), deviation=deviation))


def _true_of_class(instance: Instance) -> float:
    deviation, reach = _along(instance)
    return _of_class(instance, reach / deviation)


def _of_two(instance: Instance, *, attacked: bool) -> float:
    """Return how much of two classes is right: +1 is said where w·x is in one of two intervals."""
    deviation, reach = _along(instance)
    cuts, prior = _ends(instance["cuts"]), float(instance["prior"])
    inner = np.concatenate([[-np.inf], cuts, [np.inf]]).reshape(3, 2)
    # The cuts are around the middle of the means, in deviations.
    half = float(instance["w"] @ (instance["means"][1] - instance["means"][0])) / 2 / deviation
    lost = attacked * reach / deviation
    right = _mass(inner + half, lost), _mass(cuts.reshape(2, 2) - half, lost)
    return (1 - prior) * right[0] + prior * right[1]


def _claimed_of_two(instance: Instance) -> float:
    classes = GaussianClasses(
        means=instance["means"],
        covariance=instance["covariance"],
        positive_prior=float(instance["prior"]),
    )
    clean, eps = _middling(_of_two(instance, attacked=False)), float(instance["eps"])
    predict = CATALOGUE["limits.two-gaussians"].predict
    return float(predict(classes, clean, eps, norm=float(instance["norm"])))


def _labelled(instance: Instance) -> FloatArray:
    """Return the four intervals that three cuts leave; the last has the label of the first."""
    cuts = np.sort(instance["cuts"])
    return np.concatenate([[-np.inf], np.repeat(cuts, 2), [np.inf]]).reshape(4, 2)


def _claimed_of_generator(instance: Instance) -> float:
    first, second, third, last = (_mass(one[None], 0.0) for one in _labelled(instance))
    shares = [_middling(first + last), second, third]
    lipschitz = float(np.linalg.norm(_generator(instance), ord=2))
    predict = CATALOGUE["limits.generator"].predict
    return float(predict(shares, float(instance["eps"]), lipschitz=lipschitz))


def _generator(instance: Instance) -> FloatArray:
    """Return the matrix of a linear generator of inputs of this covariance."""
    try:
        return np.asarray(np.linalg.cholesky(_covariance(instance)))
    except np.linalg.LinAlgError as error:
        raise UnsupportedSettingError("covariance must be positive definite.") from error


def _true_of_generator(instance: Instance) -> float:
    deviation, reach = _along(instance)
    return _mass(_labelled(instance), reach / deviation)


_SHARED: dict[str, Any] = {
    "direction": "upper",
    "build": _build,
    "fixed": frozenset({"norm"}),
}
_FOUR = Span("cuts", (4,), -4, 4)

SEARCHES = (
    Search(
        claim=CATALOGUE["limits.gaussian"],
        space=(_ROOT, _W, _FOUR, _EPS, _NORM),
        claimed=_claimed_of_class,
        true=_true_of_class,
        kind="exact: the mass of two slabs without what attacks reach",
        axes={**_AXES, "cuts": ("",)},
        allowance=1e-8,
        reason="differences of tails know 1e-16, of shares from 1e-6 on",
        **_SHARED,
    ),
    Search(
        claim=CATALOGUE["limits.two-gaussians"],
        space=(
            *(_ROOT, _W, _FOUR, _EPS, _NORM),
            Span("means", (2, 2), -2, 2),
            Span("prior", (), 0.05, 0.95),
        ),
        claimed=_claimed_of_two,
        true=lambda instance: _of_two(instance, attacked=True),
        kind="exact: the mass of slabs of either label without what attacks reach",
        axes={**_AXES, "cuts": ("",), "means": ("", "input"), "prior": ()},
        allowance=1e-6,
        reason="near the highest accuracy its last digit moves a threshold by the digit's root",
        scale=1.0,
        **_SHARED,
    ),
    Search(
        claim=CATALOGUE["limits.generator"],
        space=(_ROOT, _W, Span("cuts", (3,), -2, 2), _EPS),
        claimed=_claimed_of_generator,
        true=_true_of_generator,
        kind="exact: the mass of slabs of each label without what attacks reach",
        axes={**_AXES, "cuts": ("",)},
        allowance=1e-8,
        reason="differences of tails know 1e-16, of shares from 1e-6 on",
        **_SHARED,
    ),
)
