"""What training minimises, and how far from the least value given weights can be at most."""

import math
from typing import NamedTuple

import numpy as np
from scipy.special import xlogy

from theory.asymptotics import Objective
from theory.validation import FloatArray


class Slopes(NamedTuple):
    """A point of the dual problem: how each input's loss falls with its margin, grows with drops.

    Attributes
    ----------
    pulls : array, shape (n,)
        Minus the slope of each loss in its margin.
    drops : array, shape (n,)
        Its slope in the drop: the same, but for the squared loss at least its size.
    """

    pulls: FloatArray
    drops: FloatArray


def margin_drop(objective: Objective, weights: FloatArray) -> float:
    """Return by how much the training attack lowers every margin, in score units."""
    budget = objective.eps_inf / math.sqrt(weights.size)
    return objective.eps * float(np.linalg.norm(weights)) + budget * float(np.abs(weights).sum())


def attacked_losses(objective: Objective, margins: FloatArray, drop: float) -> FloatArray:
    """Return the loss of each input at its worst within the training attack."""
    if objective.loss == "logistic":
        return np.logaddexp(0.0, drop - margins)
    if objective.loss == "hinge":
        return np.maximum(0.0, 1 - margins + drop)
    return np.asarray((np.abs(1 - margins) + drop) ** 2 / 2)


def risk(objective: Objective, weights: FloatArray, A: FloatArray) -> float:
    """Return what training minimises, losses and penalties, summed over inputs.

    Parameters
    ----------
    objective : Objective
    weights : array, shape (d,)
    A : array, shape (n, d)
        Inputs times their labels.

    Examples
    --------
    >>> risk(Objective(loss="hinge", l2=1.0), np.array([0.5]), np.array([[1.0], [3.0]]))
    0.625
    """
    losses = attacked_losses(objective, A @ weights, margin_drop(objective, weights))
    l1 = objective.l1 * math.sqrt(weights.size)
    l2 = objective.l2 * weights.size
    return float(losses.sum() + l1 * np.abs(weights).sum() + l2 / 2 * (weights @ weights))


def slopes_at(objective: Objective, weights: FloatArray, A: FloatArray) -> Slopes:
    """Return the slopes of the losses at given weights; at a kink, one of several."""
    margins, drop = A @ weights, margin_drop(objective, weights)
    if objective.loss == "logistic":
        pulls = np.exp(-np.logaddexp(0.0, margins - drop))
        return Slopes(pulls, pulls)
    if objective.loss == "hinge":
        pulls = (margins - drop < 1).astype(np.float64)
        return Slopes(pulls, pulls)
    sizes = np.abs(1 - margins) + drop
    return Slopes(np.sign(1 - margins) * sizes, sizes)


def optimality_gap(
    objective: Objective, weights: FloatArray, A: FloatArray, slopes: Slopes
) -> float:
    """Return an upper bound on risk(weights) less the least risk, as a share of risk(weights).

    Kind: upper, up to rounding, whatever the slopes; near 0 only for good ones. Without a penalty:
    over the weights of norm at most 1 + 2 ||weights|| alone.

    Parameters
    ----------
    objective, weights, A
        As in `risk`.
    slopes : Slopes
        Any; values that no slope of the loss can have are moved to the nearest that one can.

    Returns
    -------
    float, at least 0

    Notes
    -----
    Every loss is at least drops * drop - pulls * margin less its conjugate, which makes risk at
    least -conjugate - g·w + c D(w) + penalty(w), with g = A' pulls and c the sum of drops. Along
    the best direction, soft(g) / ||soft(g)||, this is a parabola in ||w||, least in closed form.
    Without an L2 penalty it is taken up to a norm that the minimiser cannot pass:
    l1 sqrt(d) ||w||_2 <= l1 sqrt(d) ||w||_1 <= risk.
    """
    value = risk(objective, weights, A)
    if value == 0:
        return 0.0
    pulls, drops, conjugate = _feasible(objective, slopes)
    root, total = math.sqrt(weights.size), float(drops.sum())
    g = A.T @ pulls
    bar = objective.l1 * root + total * objective.eps_inf / root
    excess = float(np.linalg.norm(np.maximum(np.abs(g) - bar, 0.0))) - total * objective.eps
    curvature = objective.l2 * weights.size
    norm = max(excess, 0.0) / curvature if curvature else _farthest(objective, weights, value)
    least = -conjugate - max(excess, 0.0) * norm + curvature / 2 * norm**2
    return max((value - least) / value, 0.0)


def _feasible(objective: Objective, slopes: Slopes) -> tuple[FloatArray, FloatArray, float]:
    """Return slopes that losses can have, and the sum of the conjugates of the losses there."""
    if objective.loss == "squared":
        drops = np.maximum(slopes.drops, np.abs(slopes.pulls))
        return slopes.pulls, drops, float((drops**2 / 2 - slopes.pulls).sum())
    pulls = slopes.pulls.clip(0.0, 1.0)
    if objective.loss == "hinge":
        return pulls, pulls, -float(pulls.sum())
    entropy = xlogy(pulls, pulls) + xlogy(1 - pulls, 1 - pulls)
    return pulls, pulls, float(entropy.sum())


def _farthest(objective: Objective, weights: FloatArray, value: float) -> float:
    """Return a norm that no minimiser passes; without a penalty, one that is merely far."""
    if objective.l1:
        return value / (objective.l1 * math.sqrt(weights.size))
    return 1 + 2 * float(np.linalg.norm(weights))
