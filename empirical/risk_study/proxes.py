"""Steps of the splitting: each the point nearest to a given one, less what a function gains.

The proximal point of g at q with weight rho minimises g(z) + rho ||z - q||^2 / 2.
"""

import math

import numpy as np
from scipy.optimize import brentq
from scipy.special import expit

from theory.asymptotics import Objective
from theory.validation import FloatArray

_ROUNDS = 60  # more than bisection alone needs from a bracket of this width


def hinge_step(q: FloatArray, rho: float) -> FloatArray:
    """Return the proximal points of max(0, 1 - z)."""
    return np.where(q >= 1, q, np.minimum(q + 1 / rho, 1.0))


def logistic_step(q: FloatArray, rho: float) -> FloatArray:
    """Return the proximal points of log(1 + exp(-z)), to rounding.

    The root of z - q - sigmoid(-z) / rho lies between q and q + 1/rho; Newton's steps are taken
    where they stay in the bracket, halving where not.
    """
    lower, upper = q, q + 1 / rho
    z = np.clip(0.0, lower, upper)
    for _ in range(_ROUNDS):
        s = expit(-z)
        excess = z - q - s / rho
        if (np.abs(excess) <= 1e-14 * (1 + np.abs(q) + 1 / rho)).all():
            break
        lower, upper = np.where(excess < 0, z, lower), np.where(excess > 0, z, upper)
        newton = z - excess / (1 + s * (1 - s) / rho)
        inside = (newton >= lower) & (newton <= upper)
        z = np.where(inside, newton, (lower + upper) / 2)
    return np.asarray(z)


def squared_step(q: FloatArray, drops: FloatArray, rho: float) -> tuple[FloatArray, FloatArray]:
    """Return the proximal margins and drops of max(|1 - m| + s, 0)^2 / 2, input by input.

    With t the slope |1 - m| + s: both |1 - m| and s fall by t / rho, unless the first would pass
    zero; then m = 1 and s alone falls.
    """
    away, sign = np.abs(1 - q), np.sign(1 - q)
    both = np.maximum(away + drops, 0.0) / (1 + 2 / rho)
    alone = np.maximum(drops, 0.0) / (1 + 1 / rho)
    slope = np.where(both / rho <= away, both, alone)
    return 1 - sign * np.maximum(away - slope / rho, 0.0), drops - slope / rho


def penalty_step(
    objective: Objective, q: FloatArray, drop: float, *, rho: float, drop_rho: float
) -> tuple[FloatArray, float]:
    """Return the proximal weights and drop of the penalties, the drop at least the attack's.

    Minimises penalty(v) + rho ||v - q||^2 / 2 + drop_rho (t - drop)^2 / 2 over v and t with
    eps ||v||_2 + eps_inf ||v||_1 / sqrt(d) <= t. Given the multiplier c of that constraint, v is q
    soft-thresholded, shrunk as one group and scaled, and t = drop + c / drop_rho; the excess of
    the left side over t falls with c, and c is its root, or 0.
    """
    root = math.sqrt(q.size)

    def shrunk(c: float) -> FloatArray:
        bar = (objective.l1 * root + c * objective.eps_inf / root) / rho
        v = np.sign(q) * np.maximum(np.abs(q) - bar, 0.0)
        norm = float(np.linalg.norm(v))
        keep = max(0.0, 1 - c * objective.eps / rho / norm) if norm else 0.0
        return np.asarray(v * (keep / (1 + objective.l2 * q.size / rho)))

    def excess(c: float) -> float:
        v = shrunk(c)
        left = objective.eps * float(np.linalg.norm(v))
        left += objective.eps_inf / root * float(np.abs(v).sum())
        return left - drop - c / drop_rho

    first = excess(0.0)
    if first <= 0:
        return shrunk(0.0), drop
    # At half of it t alone has made up for the excess, whatever v does.
    most = 2 * first * drop_rho
    c = float(brentq(excess, 0.0, most, xtol=1e-14 * most, rtol=1e-14))
    return shrunk(c), drop + c / drop_rho
