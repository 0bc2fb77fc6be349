"""The shortest move into a polyhedron, with the multipliers that prove it."""

from typing import Any, NamedTuple

import numpy as np
from scipy.optimize import linprog, nnls

from theory.certify.halfspaces import Ground, reached_box, shortest_moves
from theory.validation import Box, FloatArray

# All in units of the radius, and rows of norm 1: a residual that leaves no move, how far a move may
# leave the box, and how far contradictions are sought.
_NO_MOVE, _SLACK, _FAR = 1e-10, 1e-12, 1e3
# Without a radius: scales to try in turn, in units of the largest level, until a move is found.
_FURTHER = (1.0, 1e4, 1e8)
# What is asked of linear programs in turn, until one is decided.
_PRECISE = {"primal_feasibility_tolerance": 1e-10, "dual_feasibility_tolerance": 1e-10}
_TRIED: Any = (_PRECISE, {})
_INFEASIBLE = 2


class Shortest(NamedTuple):
    """A solver's answer: nothing of it is proven.

    Attributes
    ----------
    move : None or array, shape (d,)
        The shortest found; None where the solver found none.
    multipliers : array, shape (m,)
        Nonnegative: with them the sum of the rows is a halfspace as far away as the polyhedron, or
        one out of reach.
    """

    move: FloatArray | None
    multipliers: FloatArray


def shortest_move(ground: Ground, A: FloatArray, k: FloatArray, radius: float) -> Shortest:
    """Return the shortest δ with A δ + k <= 0, in a box or not, if it has norm below `radius`.

    Kind: estimate: feasible and optimal to a solver's tolerance, to be verified by the caller.

    Parameters
    ----------
    ground : Ground
    A : array, shape (m, d)
    k : array, shape (m,)
    radius : float
        May be inf.
    """
    live = A.any(axis=1) | (k > 0)
    if not live.any():
        return Shortest(np.zeros(A.shape[1]), np.zeros(k.size))
    scales = [radius]
    if np.isinf(radius):
        scales = [max(1.0, float(np.abs(k).max())) * further for further in _FURTHER]
    for scale in scales:
        move, weights = _scaled(ground, A[live], k[live], scale)
        if move is not None:
            break
    multipliers = np.zeros(k.size)
    multipliers[live] = weights
    return Shortest(move, multipliers)


def _scaled(
    ground: Ground, A: FloatArray, k: FloatArray, scale: float
) -> tuple[FloatArray | None, FloatArray]:
    """Return move and multipliers of a program in units of the scale."""
    size = np.linalg.norm(A, axis=1)
    unit = np.where(size > 0, size, scale)
    rows, levels = A / unit[:, None], k / (unit * scale)
    box = None if ground.box is None else (ground.box[0] / scale, ground.box[1] / scale)
    solve = _least_squares if ground.norm == 2 else _least_maximum
    try:
        move, weights = solve(ground._replace(box=box), rows, levels)
    except (RuntimeError, ValueError, np.linalg.LinAlgError):  # no answer is an answer here
        return None, np.zeros(k.size)
    return None if move is None else move * scale, weights / unit


def _least_squares(
    ground: Ground, A: FloatArray, k: FloatArray
) -> tuple[FloatArray | None, FloatArray]:
    """Return move and multipliers of L2: Lawson and Hanson's least-distance program.

    Multipliers u >= 0 minimise ‖Aᵀ u‖² + (k·u - 1)²; sides of the box are added as rows once a move
    leaves them.
    """
    m, d = A.shape
    for _ in range(d + 2):
        target = np.append(np.zeros(d), 1.0)
        E = np.vstack([A.T, k])
        u, _ = nnls(E, target, maxiter=10 * (E.shape[1] + d))
        rest = E @ u - target
        if -rest[-1] <= _NO_MOVE:
            return None, u[:m]
        move = rest[:d] / rest[-1]
        if ground.box is None:
            return move, u[:m]
        below, above = ground.box
        low, high = np.flatnonzero(move < below - _SLACK), np.flatnonzero(move > above + _SLACK)
        if not low.size and not high.size:
            return np.clip(move, below, above), u[:m]
        eye = np.eye(d)
        A = np.vstack([A, -eye[low], eye[high]])
        k = np.concatenate([k, below[low], -above[high]])
    return None, np.zeros(m)


def _least_maximum(
    ground: Ground, A: FloatArray, k: FloatArray
) -> tuple[FloatArray | None, FloatArray]:
    """Return move and multipliers of Linf, by linear programming.

    First the multipliers of L2 are tried, which are faster: they often show that no move suffices.
    If not, they say which rows to start with; those that the move violates are added.
    """
    move, u = _least_squares(Ground(2, None), A, k)
    active = u > 0
    for _ in range(k.size):
        if shortest_moves(ground, (u @ A)[None], np.array([u @ k]))[0][0] >= 1:
            return None, u
        move, weights = _least_maximum_of(ground, A[active], k[active])
        u = np.zeros(k.size)
        u[active] = weights
        violated = ~active if move is None else (A @ move + k > _SLACK) & ~active
        if not violated.any():
            return move, u
        active |= violated
    return None, u


def _least_maximum_of(
    ground: Ground, A: FloatArray, k: FloatArray
) -> tuple[FloatArray | None, FloatArray]:
    m, d = A.shape
    eye, one = np.eye(d), np.ones((d, 1))
    rows = np.block([[A, np.zeros((m, 1))], [eye, -one], [-eye, -one]])
    solved = _program(rows, np.concatenate([-k, np.zeros(2 * d)]), reached_box(ground, np.inf, A))
    if solved is None:  # every move is too far: how far a little slack would have to be
        rows = np.hstack([A, -np.ones((m, 1))])
        solved = _program(rows, -k, reached_box(ground, _FAR, A))
        return None, np.zeros(m) if solved is None else solved[1]
    return solved[0][:d], solved[1][:m]


def _program(
    rows: FloatArray, levels: FloatArray, box: Box
) -> tuple[FloatArray, FloatArray] | None:
    """Return x and multipliers that minimise the last of x >= 0, rows x <= levels, others boxed."""
    cost = np.append(np.zeros(rows.shape[1] - 1), 1.0)
    bounds = [*zip(*box, strict=True), (0, None)]
    for options in _TRIED:
        found: Any = linprog(
            cost, A_ub=rows, b_ub=levels, bounds=bounds, method="highs", options=options
        )
        if found.status == 0:
            return found.x, (-found.ineqlin.marginals).clip(min=0.0)
        if found.status == _INFEASIBLE:
            break
    return None
