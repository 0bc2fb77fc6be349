"""The strength of a penalty that serves a goal best, and how many inputs a goal needs."""

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from scipy.optimize import brentq

from theory.asymptotics.ceiling import limit_ceiling
from theory.asymptotics.law import CoordinateLaw
from theory.asymptotics.limit import Limit, limit_accuracy, limit_robust_accuracy
from theory.asymptotics.objective import Objective
from theory.asymptotics.predict import predict_many
from theory.validation import UnsupportedSettingError, as_budget, as_finite

Family = Callable[[float], Objective]

# From next to no penalty to one that leaves the mean of the inputs (L2) or nothing (L1).
STRENGTHS = np.logspace(-3, 3, 25)
_REFINED = 9
_ROUNDS = 3
_RATIOS = (1e-2, 1e4)


class Price(NamedTuple):
    """What robustness costs: the most accurate and the most robust training, side by side."""

    accurate: Limit
    robust: Limit
    price: float  # clean accuracy given up, in [0, 1]
    gain: float  # robust accuracy won, in [0, 1]


def best_strength(
    family: Family,
    law: CoordinateLaw,
    *,
    ratio: float,
    eps: float = 0.0,
    eps_inf: float = 0.0,
    strengths: Sequence[float] = tuple(STRENGTHS),
) -> Limit:
    """Return the limit whose robust accuracy is highest over the strengths of a penalty.

    Kind: estimate (limit); the best of a grid, refined three times between the best one's
    neighbours, to a thousandth of its log. At an end of the grid, that end: for the L2 penalty the
    strongest is often best, the classifier that averages.

    Parameters
    ----------
    family : callable
        Maps a strength, above 0, to an `Objective`.
    law : CoordinateLaw
    ratio : float, above 0
        n / d.
    eps, eps_inf : float, nonnegative
        The attack whose robust accuracy counts, as in `limit_robust_accuracy`; 0: clean accuracy.
    strengths : sequence of float
        Increasing, above 0; 25 from 1e-3 to 1e3 by default.

    Returns
    -------
    Limit

    Raises
    ------
    TypeError, ValueError
        As `predict_many` and `limit_robust_accuracy`.
    UnsupportedSettingError
        If no strength leaves a classifier.

    Examples
    --------
    >>> from theory.asymptotics import spiked_law
    >>> best = best_strength(
    ...     lambda l1: Objective(loss="squared", l1=l1), spiked_law(2, density=0.1), ratio=2
    ... )
    >>> round(limit_accuracy(best), 3), round(best.nonzero_fraction, 2)
    (0.972, 0.12)
    """
    as_budget(eps), as_budget(eps_inf, "eps_inf")

    def score(limit: Limit | None) -> float:
        if limit is None:
            return -math.inf
        return float(limit_robust_accuracy(limit, eps=eps, eps_inf=eps_inf))

    grid = np.asarray(strengths, dtype=np.float64)
    best: Limit | None = None
    for _ in range(1 + _ROUNDS):
        objectives = [family(float(strength)) for strength in grid]
        limits = predict_many(objectives, [law] * grid.size, [ratio] * grid.size)
        place = max(range(grid.size), key=lambda i: score(limits[i]))
        if score(limits[place]) >= score(best):
            best = limits[place]
        low, high = grid[max(place - 1, 0)], grid[min(place + 1, grid.size - 1)]
        grid = np.geomspace(low, high, _REFINED)
    if best is None:
        raise UnsupportedSettingError(
            "some strength must leave a classifier; got none from"
            f" {strengths[0]:g} to {strengths[-1]:g} at ratio {ratio:g}: each is w = 0 or has no"
            " minimiser."
        )
    return best


def price_of_robustness(
    family: Family, law: CoordinateLaw, *, ratio: float, eps: float = 0.0, eps_inf: float = 0.0
) -> Price:
    """Return what choosing the strength for robustness costs in accuracy, and what it wins.

    Kind: estimate (limit).

    Parameters
    ----------
    family, law, ratio, eps, eps_inf
        As in `best_strength`.

    Returns
    -------
    Price

    Raises
    ------
    TypeError, ValueError, UnsupportedSettingError
        As `best_strength`.
    """
    accurate = best_strength(family, law, ratio=ratio)
    robust = best_strength(family, law, ratio=ratio, eps=eps, eps_inf=eps_inf)
    robust_of = [
        float(limit_robust_accuracy(limit, eps=eps, eps_inf=eps_inf))
        for limit in (accurate, robust)
    ]
    return Price(
        accurate=accurate,
        robust=robust,
        price=limit_accuracy(accurate) - limit_accuracy(robust),
        gain=robust_of[1] - robust_of[0],
    )


def ratio_needed(
    family: Family, law: CoordinateLaw, *, target: float, eps: float = 0.0, eps_inf: float = 0.0
) -> Limit:
    """Return the limit at the fewest inputs that reach a robust accuracy, best strength each.

    Kind: estimate (limit), to .1 % of the ratio. Assumes that more inputs never hurt once the
    strength is chosen anew.

    Parameters
    ----------
    family, law, eps, eps_inf
        As in `best_strength`.
    target : float, in (0.5, 1)
        Robust accuracy wanted.

    Returns
    -------
    Limit
        Its `ratio` is the n / d needed.

    Raises
    ------
    TypeError, ValueError
        If the target is out of its range.
    UnsupportedSettingError
        If no classifier reaches the target (the ceiling is told), or none of this family does
        with 0.01 to 10,000 inputs a feature.
    """
    if as_finite("target", target).shape != () or not 0.5 < target < 1:
        raise ValueError(f"target must be a number in (0.5, 1); got {target}.")
    ceiling = limit_ceiling(law, eps=eps, eps_inf=eps_inf)
    if target >= ceiling:
        raise UnsupportedSettingError(
            f"target must be below {ceiling:.6g}, the most that any classifier reaches;"
            f" got {target:g}."
        )

    def best(log_ratio: float) -> Limit:
        ratio = math.exp(log_ratio)
        # The strengths that matter grow with the noise of the slopes, sqrt(n / d), or with n / d.
        strengths = STRENGTHS * max(1.0, ratio)
        return best_strength(
            family, law, ratio=ratio, eps=eps, eps_inf=eps_inf, strengths=tuple(strengths)
        )

    def lack(log_ratio: float) -> float:
        return target - float(limit_robust_accuracy(best(log_ratio), eps=eps, eps_inf=eps_inf))

    low, high = (math.log(ratio) for ratio in _RATIOS)
    if lack(high) > 0 or lack(low) < 0:
        raise UnsupportedSettingError(
            f"target must be reached between {_RATIOS[0]:g} and {_RATIOS[1]:g} inputs a feature;"
            f" got {target:g}, from {target - lack(low):.4f} to {target - lack(high):.4f} there."
        )
    return best(brentq(lack, low, high, xtol=1e-3))
