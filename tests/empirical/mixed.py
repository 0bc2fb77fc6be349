"""Small mixtures, and what training on them minimises, written from its definition."""

import warnings
from typing import Any

import cvxpy as cp
import numpy as np

from empirical.risk_study import draw_inputs, draw_mixture
from theory.asymptotics import Objective, spiked_law


def sample(
    n: int, d: int, seed: int = 0, *, signal: float = 1.5, density: float = 0.3
) -> tuple[Any, Any]:
    rng = np.random.default_rng(seed)
    mixture = draw_mixture(spiked_law(signal, density=density), d, rng=rng)
    return draw_inputs(mixture, n, rng=rng)


def conic_least(objective: Objective, X: Any, y: Any) -> tuple[float, Any]:
    """Return the least risk and weights that reach it, by Clarabel, from the definition."""
    d = X.shape[1]
    w = cp.Variable(d)
    drop = objective.eps * cp.norm2(w) + objective.eps_inf / np.sqrt(d) * cp.norm1(w)
    margins = cp.multiply(y, X @ w)
    losses = {
        "logistic": lambda: cp.sum(cp.logistic(drop - margins)),
        "hinge": lambda: cp.sum(cp.pos(1 - margins + drop)),
        "squared": lambda: cp.sum_squares(cp.abs(1 - margins) + drop) / 2,
    }
    penalty = objective.l1 * np.sqrt(d) * cp.norm1(w) + objective.l2 * d / 2 * cp.sum_squares(w)
    problem = cp.Problem(cp.Minimize(losses[objective.loss]() + penalty))
    with warnings.catch_warnings():
        # Asked for more than it may reach, it says so; what it reaches is what tests compare.
        warnings.simplefilter("ignore", UserWarning)
        problem.solve(solver=cp.CLARABEL, tol_gap_rel=1e-9, tol_gap_abs=1e-9, tol_feas=1e-9)
    return float(problem.value), w.value


def worst_risk(objective: Objective, w: Any, X: Any, y: Any) -> float:
    """Return the risk of weights, the attack found by trying its corners: moves that matter."""
    d = w.size
    unit = w / np.linalg.norm(w) if w.any() else w
    toward = objective.eps * unit + objective.eps_inf / np.sqrt(d) * np.sign(w)
    total = 0.0
    for x, label in zip(X, y, strict=True):
        margins = label * np.array([(x - toward) @ w, x @ w, (x + toward) @ w])
        loss = {
            "logistic": np.log1p(np.exp(-margins)),
            "hinge": np.maximum(0, 1 - margins),
            "squared": (1 - margins) ** 2 / 2,
        }[objective.loss]
        total += float(loss.max())
    return total + objective.l1 * np.sqrt(d) * np.abs(w).sum() + objective.l2 * d / 2 * (w @ w)
