"""Best multipliers by a primal-dual interior-point method that knows the matrices' low rank.

Minimise t over t and θ such that S = [[t I, u], [uᵀ, form(λ)]] is positive definite, λ = groups θ.
What it returns is never trusted: `certificate.prove` proves a constant from any multipliers.
"""

from typing import Any, NamedTuple

import numpy as np
import scipy.linalg as sla

from theory.lipschitz.certificate import (
    even_multipliers,
    form_of,
    least_square,
    uniform_multipliers,
)
from theory.lipschitz.relation import Relation
from theory.validation import FloatArray, as_budget

ITERATIONS = 60
ROOM = 0.95  # of the way to the boundary that a step may go
SHORTEST = 1e-6  # a step below this says that rounding has won


class _Problem(NamedTuple):
    relation: Relation
    groups: FloatArray | None  # (N, groups): λ = groups θ; None: λ = θ


class _State(NamedTuple):
    t: float
    theta: FloatArray
    X: FloatArray  # the primal matrix, whose products with the constraints should be e_t


class _Step(NamedTuple):
    t: float
    theta: FloatArray
    S: FloatArray
    X: FloatArray


def best_multipliers(
    relation: Relation,
    groups: FloatArray | None = None,
    *,
    start: FloatArray | None = None,
    gap: float = 1e-8,
) -> FloatArray:
    """Return multipliers that nearly minimise the squared constant.

    Parameters
    ----------
    relation : Relation
    groups : array, shape (N, g), optional
        Multipliers are groups @ θ. Default: each is free.
    start : array, shape (N,) or (g,), optional
        Used if its form is positive definite; otherwise, and by default, one a layer.
    gap : float
        Relative duality gap at which to stop.

    Raises
    ------
    TypeError, ValueError
        If the gap is no number, negative or not finite.
    """
    as_budget(gap, "gap")
    problem = _Problem(relation, groups)
    theta = _first_theta(problem) if start is None else start
    # Outputs of size one: the matrices then have entries of like size.
    size = float(np.sqrt(least_square(relation, _expand(problem, theta))))
    if size == 0.0 or relation.rows.shape[0] == 0:
        return _expand(problem, theta)
    problem = problem._replace(relation=relation._replace(outputs=relation.outputs / size))
    R = _inverse(_slack(problem, 2.0, theta))
    if R is None and start is not None:  # of a direction that other units count for
        return best_multipliers(relation, groups, gap=gap)
    if R is None:
        raise RuntimeError("the first multipliers of a form must be feasible; these are not.")
    state = _State(2.0, theta, R / np.trace(R[: _k(problem), : _k(problem)]))
    for _ in range(ITERATIONS):
        ahead = _advance(problem, state)
        if ahead is None:
            break
        state, small = ahead
        if small <= gap * state.t:
            break
    return _expand(problem, state.theta)


def _first_theta(problem: _Problem) -> FloatArray:
    if problem.groups is None:
        return even_multipliers(problem.relation)
    uniform = uniform_multipliers(problem.relation)
    return np.asarray(np.linalg.lstsq(problem.groups, uniform, rcond=None)[0])


def _k(problem: _Problem) -> int:
    return int(problem.relation.outputs.shape[0])


def _expand(problem: _Problem, theta: FloatArray) -> FloatArray:
    return theta if problem.groups is None else problem.groups @ theta


def _collect(problem: _Problem, values: FloatArray) -> FloatArray:
    return values if problem.groups is None else problem.groups.T @ values


def _slack(problem: _Problem, t: float, theta: FloatArray) -> FloatArray:
    outputs = problem.relation.outputs
    form = form_of(problem.relation, _expand(problem, theta))
    return np.block([[t * np.eye(_k(problem)), outputs], [outputs.T, form]])


def _inverse(S: FloatArray) -> FloatArray | None:
    try:
        L = sla.cholesky(S, lower=True, check_finite=False)
    except np.linalg.LinAlgError:
        return None
    inverse, info = sla.lapack.dpotri(L, lower=1)
    if info != 0:
        return None
    return np.asarray(np.tril(inverse) + np.tril(inverse, -1).T)


def _products(problem: _Problem, X: FloatArray) -> FloatArray:
    """Return <A, X> for each constraint A: that of t, then those of θ; X symmetric."""
    k, a = _k(problem), _k(problem) + problem.relation.inputs
    moved = np.diagonal(X)[a:] - np.einsum("ij,ij->i", X[a:, k:], problem.relation.rows)
    return np.concatenate([[np.trace(X[:k, :k])], _collect(problem, 2 * moved)])


class _Corners(NamedTuple):
    """The values of a matrix on the vectors e and v = e - ζ of each unit, and on the outputs."""

    ee: FloatArray
    ve: FloatArray
    vv: FloatArray
    oe: FloatArray
    ov: FloatArray
    oo: FloatArray


def _corners(problem: _Problem, X: FloatArray) -> _Corners:
    k, a = _k(problem), _k(problem) + problem.relation.inputs
    rows = problem.relation.rows
    vX = X[a:] - rows @ X[k:]
    vv = vX[:, a:] - vX[:, k:] @ rows.T
    return _Corners(X[a:, a:], vX[:, a:], vv, X[:k, a:], vX[:, :k].T, X[:k, :k])


def _hessian(problem: _Problem, X: FloatArray, R: FloatArray) -> FloatArray:
    """Return <A_i, X A_j R> for all constraints, those of a unit being e vᵀ + v eᵀ."""
    x, r = _corners(problem, X), _corners(problem, R)
    units = x.ve * r.ve.T + x.ve.T * r.ve + x.vv * r.ee + x.ee * r.vv
    cross = (x.oe * r.ov + x.ov * r.oe).sum(axis=0)
    if problem.groups is not None:
        units, cross = problem.groups.T @ units @ problem.groups, problem.groups.T @ cross
    corner = np.array([[(x.oo * r.oo).sum()]])
    return np.block([[corner, cross[None, :]], [cross[:, None], units]])


def _symmetric(A: FloatArray) -> FloatArray:
    return (A + A.T) / 2


def _direction(
    problem: _Problem, state: _State, R: FloatArray, factor: Any, target: tuple[float, Any]
) -> _Step:
    """Return the Newton step to X S = mu I - second-order term."""
    mu, second = target
    rest = mu * R if second is None else mu * R - second
    right = _products(problem, rest)
    right[0] -= 1.0
    step = sla.cho_solve(factor, right, check_finite=False)
    dt, dtheta = float(step[0]), step[1:]
    base = _slack(problem, 0.0, np.zeros_like(dtheta))
    dS = _slack(problem, dt, dtheta) - base
    dX = rest - state.X - _symmetric(state.X @ dS @ R)
    return _Step(dt, dtheta, dS, dX)


def _longest(A: FloatArray, dA: FloatArray) -> float:
    """Return a step, at most one, that keeps A + step · dA positive definite with some room."""
    step = 1.0
    while step > SHORTEST and not _is_definite(A + (step / ROOM) * dA):
        step *= 0.85
    return step


def _is_definite(A: FloatArray) -> bool:
    return bool(sla.lapack.dpotrf(A, lower=1, overwrite_a=1)[1] == 0)


def _advance(problem: _Problem, state: _State) -> tuple[_State, float] | None:
    """Return the state after a predictor and corrector, and its gap; None where numbers give out.

    Mehrotra 1992, with the direction of Helmberg, Kojima and Monteiro.
    """
    S = _slack(problem, state.t, state.theta)
    R = _inverse(S)
    if R is None:
        return None
    n = S.shape[0]
    mu = float((state.X * S).sum()) / n
    try:
        factor = sla.cho_factor(_hessian(problem, state.X, R), lower=True)
        ahead = _direction(problem, state, R, factor, (0.0, None))
        dual, primal = _longest(S, ahead.S), _longest(state.X, ahead.X)
        reached = float(((state.X + primal * ahead.X) * (S + dual * ahead.S)).sum()) / n
        sigma = min(1.0, max(reached / mu, 1e-4)) ** 2
        second = _symmetric(ahead.X @ ahead.S @ R)
        step = _direction(problem, state, R, factor, (sigma * mu, second))
        dual, primal = _longest(S, step.S), _longest(state.X, step.X)
    except (np.linalg.LinAlgError, ValueError):
        return None
    X = state.X + primal * step.X
    after = _State(state.t + dual * step.t, state.theta + dual * step.theta, X)
    gap = float((X * (S + dual * step.S)).sum())
    off = _products(problem, X)
    off[0] -= 1.0
    if min(dual, primal) <= SHORTEST:
        return None
    return after, gap + float(np.abs(off).max()) * after.t
