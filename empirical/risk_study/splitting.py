"""Training by alternating directions: any of the losses, penalties and attacks together.

With D(w) the drop of every margin under attack, the risk is sum_i loss(z_i) + penalty(v), where
z = (margins, drops) and (v, t) are copies of linear images of (w, s), and t is at least D(v). Each
step is in closed form, or one root: `proxes`. Boyd et al. 2011, sections 3.4 and 5.
"""

import math
from typing import NamedTuple

import numpy as np

from empirical.risk_study.linear_program import is_linear, linear_minimiser
from empirical.risk_study.optimality import Slopes, margin_drop, optimality_gap
from empirical.risk_study.proxes import hinge_step, logistic_step, penalty_step, squared_step
from theory.asymptotics import Objective
from theory.validation import FloatArray

_OVER = 1.7  # relaxation; 1 is none, and 2 the limit
_FIRST_RHO = 0.3
_LOOK = 10  # rounds between two looks at the gap
_VERTEX = 300  # rounds before a linear programme is tried; then after each doubling
# Residuals that differ by more than this factor move rho.
_UNEVEN = 4.0


class ConvergenceError(RuntimeError):
    """Training stopped short of the minimum, or there is none."""


class Minimiser(NamedTuple):
    """Weights that minimise a risk, and proof of it.

    Attributes
    ----------
    weights : array, shape (d,)
        Zeros are exact.
    slopes : Slopes
        Of the dual problem.
    gap : float
        `optimality_gap` of both: an upper bound.
    iterations : int
    """

    weights: FloatArray
    slopes: Slopes
    gap: float
    iterations: int


class _Problem(NamedTuple):
    """What stays the same from round to round.

    z has one row, margins less drops, or for the squared loss two, margins and drops; row j is
    ofmargin[j] * A w + ofdrop[j] * s. inverse is that of the normal equations of the step in
    (w, s), with copies of w and s weighted by n; without an attack its last row is 0, so s is too.
    """

    objective: Objective
    A: FloatArray
    of_margin: FloatArray
    of_drop: FloatArray
    inverse: FloatArray


class _State(NamedTuple):
    """Copies z, v, t and the scaled multipliers of their being copies."""

    z: FloatArray
    v: FloatArray
    t: float
    of_z: FloatArray
    of_v: FloatArray
    of_t: float


def minimise(
    objective: Objective,
    A: FloatArray,
    *,
    tolerance: float = 1e-6,
    limit: int = 10_000,
) -> Minimiser:
    """Return the minimiser of a risk.

    Kind: upper, within the gap; see `optimality_gap`.

    Parameters
    ----------
    objective : Objective
    A : array, shape (n, d)
        Inputs times their labels.
    tolerance : float
        On the gap.
    limit : int
        Rounds; each costs two products with A.

    Returns
    -------
    Minimiser

    Raises
    ------
    ConvergenceError
        If the gap is still above the tolerance after so many rounds. Without a penalty: if weights
        are met that separate the inputs under attack, and so there is no minimiser or many are;
        if inputs are too few for the squared loss to have but one.

    Examples
    --------
    >>> A = np.array([[1.0, 2.0], [3.0, -1.0]])
    >>> minimise(Objective(loss="squared", l2=1.0), A).weights.round(2).tolist()
    [0.35, 0.19]
    """
    _refuse_few(objective, A)
    problem = _problem(objective, A)
    state, rho, vertex, least = _start(problem), _FIRST_RHO, _VERTEX, math.inf
    for done in range(1, limit + 1):
        before, (state, image) = state, _round(problem, state, rho)
        if done % _LOOK:
            continue
        _refuse_separated(objective, A, state.v)
        found = _judged(problem, state, rho, done)
        if found.gap > tolerance and done >= vertex and is_linear(objective):
            vertex *= 2
            exact = linear_minimiser(objective, A, state.v, state.z[0], found.slopes)
            found = found if exact is None else _better(problem, found, exact)
        if found.gap <= tolerance:
            return found
        least = min(least, found.gap)
        state, rho = _balanced(state, rho, _unevenness(state, before, image))
    raise ConvergenceError(
        f"training must reach a gap of {tolerance:g} of the risk; got {least:.1e} after {limit}"
        f" rounds for {objective}. Only a penalty makes sure that there is a minimiser."
    )


def _refuse_few(objective: Objective, A: FloatArray) -> None:
    free = not (objective.l1 or objective.l2 or objective.eps or objective.eps_inf)
    if objective.loss == "squared" and free and A.shape[0] < A.shape[1]:
        raise ConvergenceError(
            "training must have one minimiser; got fewer inputs than features, (n, d) ="
            f" {A.shape}, for {objective}. Add a penalty."
        )


def _refuse_separated(objective: Objective, A: FloatArray, weights: FloatArray) -> None:
    """Refuse inputs that weights separate, attack and all, where nothing keeps weights small."""
    if objective.l1 or objective.l2 or objective.loss == "squared":
        return
    if (A @ weights > margin_drop(objective, weights)).all():
        # Larger, these weights have a risk as near to 0 as one likes, or 0.
        raise ConvergenceError(
            f"training must have one minimiser; got inputs that are separable, for {objective}."
            " Add a penalty."
        )


def _problem(objective: Objective, A: FloatArray) -> _Problem:
    n, d = A.shape
    squared = objective.loss == "squared"
    of_margin = np.array([1.0, 0.0] if squared else [1.0])
    of_drop = np.array([0.0, 1.0] if squared else [-1.0])
    inverse = np.zeros((d + 1, d + 1))
    normal = np.zeros((d + 1, d + 1))
    normal[:d, :d] = A.T @ A
    normal[:d, d] = normal[d, :d] = (of_margin @ of_drop) * A.sum(axis=0)
    normal[d, d] = n
    normal[np.diag_indices(d + 1)] += n
    size = d + 1 if objective.eps or objective.eps_inf else d
    inverse[:size, :size] = np.linalg.inv(normal[:size, :size])
    return _Problem(objective, A, of_margin, of_drop, inverse)


def _start(problem: _Problem) -> _State:
    n, d = problem.A.shape
    z = np.zeros((problem.of_margin.size, n))
    return _State(z, np.zeros(d), 0.0, z, np.zeros(d), 0.0)


def _round(problem: _Problem, state: _State, rho: float) -> tuple[_State, _State]:
    """Return the next state, and the images of (w, s) that it copies."""
    image = _images(problem, state)
    q_z = _OVER * image.z + (1 - _OVER) * state.z + state.of_z
    q_v = _OVER * image.v + (1 - _OVER) * state.v + state.of_v
    q_t = _OVER * image.t + (1 - _OVER) * state.t + state.of_t
    weight = rho * problem.A.shape[0]
    z = _loss_step(problem.objective.loss, q_z, rho)
    v, t = penalty_step(problem.objective, q_v, q_t, rho=weight, drop_rho=weight)
    return _State(z, v, t, q_z - z, q_v - v, q_t - t), image


def _images(problem: _Problem, state: _State) -> _State:
    """Return A w and s as rows of z, w, and s, for the (w, s) nearest to the copies."""
    A, n = problem.A, problem.A.shape[0]
    wanted = state.z - state.of_z
    right = np.append(
        A.T @ (problem.of_margin @ wanted) + n * (state.v - state.of_v),
        problem.of_drop @ wanted.sum(axis=1) + n * (state.t - state.of_t),
    )
    solved = problem.inverse @ right
    w, s = solved[:-1], float(solved[-1])
    rows = problem.of_margin[:, None] * (A @ w) + problem.of_drop[:, None] * s
    return state._replace(z=rows, v=w, t=s)


def _loss_step(loss: str, q: FloatArray, rho: float) -> FloatArray:
    if loss == "squared":
        return np.stack(squared_step(q[0], q[1], rho))
    return hinge_step(q, rho) if loss == "hinge" else logistic_step(q, rho)


def _judged(problem: _Problem, state: _State, rho: float, done: int) -> Minimiser:
    """Return the weights of a state, with the multipliers as slopes."""
    pulls = -rho * (problem.of_margin @ state.of_z)
    slopes = Slopes(pulls, rho * (problem.of_drop @ state.of_z))
    gap = optimality_gap(problem.objective, state.v, problem.A, slopes)
    return Minimiser(state.v, slopes, gap, done)


def _better(problem: _Problem, found: Minimiser, exact: tuple[FloatArray, Slopes]) -> Minimiser:
    gap = optimality_gap(problem.objective, exact[0], problem.A, exact[1])
    return found if found.gap <= gap else Minimiser(*exact, gap, found.iterations)


def _unevenness(state: _State, before: _State, image: _State) -> float:
    """Return how far copies are from images, over how far they still move: relative to sizes."""
    apart = _size(image.z - state.z, image.v - state.v, image.t - state.t)
    moved = _size(state.z - before.z, state.v - before.v, state.t - before.t)
    copies, multipliers = (
        _size(state.z, state.v, state.t),
        _size(state.of_z, state.of_v, state.of_t),
    )
    return (apart * multipliers + 1e-300) / (moved * copies + 1e-300)


def _size(z: FloatArray, v: FloatArray, t: float) -> float:
    """Return the norm in which copies are weighed."""
    return math.sqrt(float((z**2).sum()) + z.shape[1] * (float(v @ v) + t**2))


def _balanced(state: _State, rho: float, uneven: float) -> tuple[_State, float]:
    """Return rho moved towards equal residuals where they are not, and multipliers to fit."""
    if 1 / _UNEVEN <= uneven <= _UNEVEN:
        return state, rho
    factor = min(max(math.sqrt(uneven), 0.2), 5.0)
    scaled = state._replace(
        of_z=state.of_z / factor, of_v=state.of_v / factor, of_t=state.of_t / factor
    )
    return scaled, rho * factor
