"""What no classifier beats on the limiting classes, with all their law known."""

import math

import numpy as np
from scipy.optimize import brentq
from scipy.special import ndtr

from theory.asymptotics.law import CoordinateLaw
from theory.asymptotics.soft_threshold import soft_moments
from theory.validation import FloatArray, UnsupportedSettingError, as_budget


def limit_ceiling(law: CoordinateLaw, *, eps: float = 0.0, eps_inf: float = 0.0) -> float:
    """Return the highest robust accuracy of any classifier, linear or not, trained or not.

    Kind: exact (limit). No box; the attack may move an input by both budgets together.

    Parameters
    ----------
    law : CoordinateLaw
    eps : float, nonnegative
        L2 budget, in units of x.
    eps_inf : float, nonnegative
        sqrt(d) times the Linf budget.

    Returns
    -------
    float
        At least 1/2, which no budget takes away.

    Raises
    ------
    TypeError, ValueError
        If a budget is not a number or is negative.
    UnsupportedSettingError
        If both budgets are above 0 and the scales of the noise are unequal.

    Notes
    -----
    Phi of the distance, in units of the noise, between mu and the attack's reach: the limit of
    `theory.mixtures.robust_bayes_accuracy`: theory/proofs/mixtures.md, [M5] and [M6].

    Examples
    --------
    >>> from theory.asymptotics import spiked_law
    >>> round(limit_ceiling(spiked_law(2.0, density=0.1), eps=1.0), 4)
    0.8413
    """
    eps, eps_inf = float(as_budget(eps)), float(as_budget(eps_inf, "eps_inf"))
    if np.ptp(law.scales) == 0:
        scale = float(law.scales[0])
        left = math.sqrt(float(law.weights @ _left(law, np.full(law.means.shape, eps_inf))))
        return float(ndtr(max(left - eps, 0.0) / scale))
    if eps > 0 and eps_inf > 0:
        raise UnsupportedSettingError(
            "eps or eps_inf must be 0 where features have unequal noise; got"
            f" eps={eps:g}, eps_inf={eps_inf:g}."
        )
    if eps == 0:
        left = law.weights @ (_left(law, np.full(law.means.shape, eps_inf)) / law.scales**2)
        return float(ndtr(math.sqrt(float(left))))
    return float(ndtr(_ridge_distance(law, eps)))


def _left(law: CoordinateLaw, threshold: FloatArray) -> FloatArray:
    """Return E[max(|m| - threshold, 0)^2] of each component."""
    spread = np.where(law.deviations > 0, law.deviations, 1.0)
    gaussian = soft_moments(law.means, spread, threshold).square
    point = np.maximum(np.abs(law.means) - threshold, 0) ** 2
    return np.asarray(np.where(law.deviations > 0, gaussian, point))


def _ridge_distance(law: CoordinateLaw, eps: float) -> float:
    """Return min over ||z||_2 <= eps of ||Sigma^(-1/2) (mu - z)||; z shares a ridge's shape."""
    square = law.means**2 + law.deviations**2
    if eps >= law.signal:
        return 0.0

    def excess(log_ridge: float) -> float:  # of ||z|| for z = mu / (1 + ridge sigma^2)
        kept = 1 / (1 + math.exp(log_ridge) * law.scales**2)
        return math.sqrt(float(law.weights @ (square * kept**2))) - eps

    ridge = math.exp(brentq(excess, -200, 200, xtol=1e-13))
    left = ridge * law.scales**2 / (1 + ridge * law.scales**2)
    return math.sqrt(float(law.weights @ (square * left**2 / law.scales**2)))
