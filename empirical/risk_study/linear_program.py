"""Training by a linear programme, near enough to the minimum to know which inputs matter.

Hinge loss with an L1 penalty or an Linf attack alone: the risk is piecewise linear, its minimum is
at a vertex, and alternating directions near it slowly. They tell soon which weights are zero and
on which side of the kink most inputs are; what is left is a small programme, solved exactly.
"""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linprog

from empirical.risk_study.optimality import Slopes, margin_drop
from theory.asymptotics import Objective
from theory.validation import FloatArray

# Weights may be nonzero whose slope is at least this share of what moves one from zero.
_CLOSE = 0.85
# Inputs are near the kink within so many times the error of their margins.
_WIDTH = 30.0
_ROUNDS = 4
_ROUNDING = 1e-9
# Of programmes with more entries the simplex method takes longer than interior points, which
# cross over to a vertex too.
_LARGE = 50_000

Mask = NDArray[np.bool_]


def is_linear(objective: Objective) -> bool:
    """Return whether the risk is piecewise linear."""
    return objective.loss == "hinge" and objective.l2 == 0 and objective.eps == 0


def linear_minimiser(
    objective: Objective,
    A: FloatArray,
    weights: FloatArray,
    margins: FloatArray,
    slopes: Slopes,
) -> tuple[FloatArray, Slopes] | None:
    """Return weights and slopes at a vertex of a piecewise linear risk, or None if none is found.

    Kind: upper, and not proven least: see `optimality_gap`.

    Parameters
    ----------
    objective : Objective
        Piecewise linear.
    A : array, shape (n, d)
        Inputs times their labels.
    weights : array, shape (d,)
        Near the minimiser.
    margins : array, shape (n,)
        Another estimate of the margins less their drop: the distance of both tells their error.
    slopes : Slopes
        Near those of the minimum.
    """
    own = A @ weights - margin_drop(objective, weights)
    error = float(np.sqrt(np.mean((own - margins) ** 2)))
    near = np.abs(own - 1) <= _WIDTH * error
    wrong = own < 1
    used = (weights != 0) | (np.abs(A.T @ slopes.pulls) >= _CLOSE * _bar(objective, slopes, A))
    found = None
    for _ in range(_ROUNDS):
        solved = _solved(objective, A, near, wrong & ~near, used)
        if solved is None:
            return found
        found = solved
        own = A @ solved[0] - margin_drop(objective, solved[0])
        pull = np.abs(A.T @ solved[1].pulls)
        strayed = ~near & ((own < 1) != wrong)
        missed = ~used & (pull > (1 + _ROUNDING) * _bar(objective, solved[1], A))
        if not (strayed.any() or missed.any()):
            return found
        near, used = near | strayed, used | missed
    return found


def _bar(objective: Objective, slopes: Slopes, A: FloatArray) -> float:
    """Return the slope that moves a weight from zero."""
    root = math.sqrt(A.shape[1])
    return objective.l1 * root + objective.eps_inf / root * float(slopes.drops.sum())


def _solved(
    objective: Objective, A: FloatArray, near: Mask, wrong: Mask, used: Mask
) -> tuple[FloatArray, Slopes] | None:
    """Return the minimiser with inputs held on their side but for those near, zeros held too.

    Variables: positive and negative parts of weights, and losses of inputs near the kink.
    """
    root = math.sqrt(A.shape[1])
    budget = objective.eps_inf / root
    rows, pull = A[np.ix_(near, used)], A[np.ix_(wrong, used)].sum(axis=0)
    price = objective.l1 * root + budget * int(wrong.sum())
    count, (m, k) = int(near.sum()), rows.shape
    solved: Any = linprog(
        np.concatenate([price - pull, price + pull, np.ones(count)]),
        A_ub=np.hstack([budget - rows, budget + rows, -np.eye(m)]),
        b_ub=-np.ones(m),
        method="highs-ds" if rows.size < _LARGE else "highs-ipm",
    )
    if solved.status != 0:
        return None
    weights, pulls = np.zeros(A.shape[1]), wrong.astype(np.float64)
    weights[used] = solved.x[:k] - solved.x[k : 2 * k]
    pulls[near] = -solved.ineqlin.marginals
    return weights, Slopes(pulls, pulls)
