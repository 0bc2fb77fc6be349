"""The nearest flip known of one input: every one is checked with the network itself."""

import time
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from theory.certify.halfspaces import Ground, shortest_moves
from theory.certify.least_distance import shortest_move
from theory.certify.node_bounds import BoolArray, Problem
from theory.networks.network import ReluNetwork, forward
from theory.validation import Box, FloatArray, IntArray

# How much longer than to the edge moves are tried, for flips that rounding hides there; by how much
# of its terms a lead is then asked to fall below zero; what gain is worth the trouble.
_OVERSHOOTS = np.array([0.0, 1e-14, 1e-13, 1e-12, 1e-11, 1e-10, 1e-9])
_DEEPER, _WORTHWHILE = (1e-11, 1e-9), 1e-8
# If walks find nothing: how many units' gradients are followed, to which powers of two.
_RAYS, _RAY_LENGTHS = 200, (-2, 12)
# The first search: steps towards each rival and halvings on the way back, walks followed up, and
# cells solved for each.
_STRIDE, _FARTHEST = 1.02, 1e30  # of a step to the edge of a linear piece; of a coordinate
_WALK_STEPS, _BISECTIONS, _WALKS_KEPT, _FIRST_SOLVES = 15, 12, 2, 30


@dataclass(kw_only=True)
class Incumbent:
    """The nearest flip of an input so far.

    Parameters
    ----------
    net : ReluNetwork
        The network as given.
    x : array, shape (d,)
    forms : array, shape (m, out)
        The leads of the input's label as forms of the outputs.
    box : None or pair of arrays
    norm : 2 or inf
    input_map : None or matrix (d, r)
        Orthonormal: what moves of the reduced inputs are.
    rounding : float
        What leads at x may be off by.
    deadline : float
        In seconds of `time.perf_counter`: after it no more cells are solved for nearer flips.
    radius, point
        The distance and the place of the nearest flip; inf and None at first.
    """

    net: ReluNetwork
    x: FloatArray
    forms: FloatArray
    box: Box | None
    norm: float
    input_map: Any = None
    rounding: float = 0.0
    deadline: float = np.inf
    radius: float = np.inf
    point: FloatArray | None = None

    def offer_point(self, point: FloatArray) -> bool:
        """Take a point of the original inputs if it flips, and is the nearest so far."""
        distance = float(np.linalg.norm(point - self.x, ord=self.norm))
        if not distance < self.radius or not self.least_leads(point[None])[0] <= 0:
            return False
        self.radius, self.point = distance, point
        return True

    def offer(self, move: FloatArray) -> bool:
        """Take a move of the reduced inputs, lengthened by rounding at most, if it flips.

        If possible by so much that it flips however the network's sums are ordered; or at least as
        the network itself computes them for this point alone, as it must where there is but a tie.
        """
        points = self.lifted(move * (1 + _OVERSHOOTS[:, None]))
        least = self.least_leads(points)
        plain = np.flatnonzero(least <= -self.rounding)[:1]
        rows = [*plain, *np.flatnonzero(least <= self.rounding)]
        return any(self.offer_point(points[row]) for row in rows)

    def least_leads(self, points: FloatArray) -> FloatArray:
        """Return the least lead at each point (k, d)."""
        return np.asarray((forward(self.net, points) @ self.forms.T).min(axis=1))

    def lifted(self, moves: FloatArray) -> FloatArray:
        """Return the original inputs that moves (k, r) of the reduced ones lead to, in the box."""
        steps = moves if self.input_map is None else np.asarray((self.input_map @ moves.T).T)
        points = self.x + steps
        return points if self.box is None else np.clip(points, *self.box)


def hidden_values(problem: Problem, moves: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the units' values (k, n) after moves (k, d), and the leads (k, m)."""
    values, h = [], moves
    for part, W, b in zip(problem.parts, problem.weights, problem.biases, strict=True):
        z = h @ W.T + b
        values.append(z)
        h = np.where(problem.rectified[part], z.clip(min=0.0), z)
    return np.hstack(values), h @ problem.forms.T + problem.levels


class Rows(NamedTuple):
    """Inequalities A δ + k <= 0, and the terms of their sides.

    Attributes
    ----------
    A, k, terms : arrays, shapes (m, d), (m,), (m, 2)
    """

    A: FloatArray
    k: FloatArray
    terms: FloatArray


def cell(problem: Problem, on: BoolArray, rival: int) -> Rows:
    """Return what the flips to a rival in the cell of a pattern obey.

    One row a hidden unit, zero for linear ones, and at last the lead's.
    """
    rows, levels = [], []
    G, k = np.eye(problem.weights[0].shape[1]), np.zeros(problem.weights[0].shape[1])
    for part, W, b in zip(problem.parts, problem.weights, problem.biases, strict=True):
        G, k = W @ G, W @ k + b
        sign = np.where(problem.rectified[part], np.where(on[part], -1.0, 1.0), 0.0)
        rows.append(sign[:, None] * G)
        levels.append(sign * k)
        passed = on[part] | ~problem.rectified[part]
        G, k = G * passed[:, None], k * passed
    form = problem.forms[rival]
    return Rows(
        np.vstack([*rows, form @ G]),
        np.append(np.concatenate(levels), form @ k + problem.levels[rival]),
        np.vstack([problem.terms, problem.lead_terms[rival]]),
    )


def search(problem: Problem, incumbent: Incumbent) -> None:
    """Find a first flip: walk towards every rival, then through the cells around the nearest."""
    moves = walked(problem)
    if not moves.size:
        moves = _pulled_back(problem, _rays(problem))
    order = np.argsort(np.linalg.norm(moves, ord=incumbent.norm, axis=1))[:_WALKS_KEPT]
    for move in moves[order]:
        incumbent.offer(move)
    for move in moves[order]:
        descend(problem, incumbent, move, _FIRST_SOLVES)


def walked(problem: Problem) -> FloatArray:
    """Return flips (k, d) reached by steps on the linear pieces, each pulled back to its edge."""
    rivals = np.arange(problem.levels.size)
    moves = np.zeros((rivals.size, problem.weights[0].shape[1]))
    for _ in range(_WALK_STEPS):
        values, leads = hidden_values(problem, moves)
        left = leads[rivals, rivals] > 0
        if not left.any():
            break
        slope = _slopes(problem, values, rivals)
        lead = np.where(left, leads[rivals, rivals], 0.0)
        _, step = shortest_moves(_from(problem.ground, moves), slope, lead)
        moves = np.clip(moves + _STRIDE * step, -_FARTHEST, _FARTHEST)
        if problem.ground.box is not None:
            moves = np.clip(moves, *problem.ground.box)
    return _pulled_back(problem, moves)


def _rays(problem: Problem) -> FloatArray:
    """Return moves (k, d) along and against the gradients of first units, of many lengths."""
    W = problem.weights[0][:_RAYS]
    size = np.linalg.norm(W, axis=1, keepdims=True)
    W = W / np.where(size > 0, size, 1.0)
    unit = float(np.median(np.abs(problem.biases[0][:_RAYS]) / np.where(size > 0, size, 1.0)[:, 0]))
    lengths = (unit or 1.0) * 2.0 ** np.arange(*_RAY_LENGTHS)
    moves = (lengths[:, None, None] * np.concatenate([W, -W])).reshape(-1, W.shape[1])
    return np.asarray(moves if problem.ground.box is None else np.clip(moves, *problem.ground.box))


def _from(ground: Ground, moves: FloatArray) -> Ground:
    if ground.box is None:
        return ground
    return ground._replace(box=(ground.box[0] - moves, ground.box[1] - moves))


def _slopes(problem: Problem, values: FloatArray, rivals: IntArray) -> FloatArray:
    """Return the gradients (k, d) of the leads over some rivals where units have these values."""
    A = problem.forms[rivals]
    passed = (values > 0) | ~problem.rectified
    for part, W in zip(problem.parts[::-1], problem.weights[::-1], strict=True):
        A = (A * passed[:, part]) @ W
    return A


def _pulled_back(problem: Problem, moves: FloatArray) -> FloatArray:
    """Return those moves that flip, shortened by bisection."""
    moves = moves[hidden_values(problem, moves)[1].min(axis=1) <= 0]
    short, long = np.zeros(moves.shape[0]), np.ones(moves.shape[0])
    for _ in range(_BISECTIONS):
        middle = (short + long) / 2
        flips = hidden_values(problem, middle[:, None] * moves)[1].min(axis=1) <= 0
        short, long = np.where(flips, short, middle), np.where(flips, middle, long)
    return moves * long[:, None]


def descend(problem: Problem, incumbent: Incumbent, move: FloatArray, solves: int) -> None:
    """Improve the incumbent through the cells around a flip: in each the shortest flip is found."""
    values, leads = hidden_values(problem, move[None])
    rival, on = int(leads[0].argmin()), values[0] > 0
    tried, queue = {on.tobytes()}, [on]
    while queue and solves > 0 and time.perf_counter() < incumbent.deadline:
        on, solves = queue.pop(0), solves - 1
        rows = cell(problem, on, rival)
        found = shortest_move(problem.ground, rows.A, rows.k, incumbent.radius)
        if found.move is None or not offer_cell(problem, incumbent, found.move, rows):
            continue
        queue = []
        for flipped in _edges(rows.A, found.multipliers):
            other = on ^ flipped
            if other.tobytes() not in tried:
                tried.add(other.tobytes())
                queue.append(other)


def _edges(A: FloatArray, multipliers: FloatArray) -> list[BoolArray]:
    """Return the sets of units to flip: those that hold the move back, first all, then each."""
    force = multipliers[:-1] * np.linalg.norm(A[:-1], axis=1)
    active = np.argsort(-force)[: np.count_nonzero(force > 1e-9 * force.max(initial=0.0))]
    units = np.arange(force.size)
    every = [units == i for i in active]
    return [np.isin(units, active), *every] if active.size > 1 else every


def offer_cell(problem: Problem, incumbent: Incumbent, move: FloatArray, rows: Rows) -> bool:
    """Offer the shortest move into a cell's flips, if need be into flips by a little more."""
    if incumbent.offer(move):
        return True
    A, k, _ = rows
    length = float(np.linalg.norm(move, ord=incumbent.norm))
    for extra in _DEEPER:
        if length >= incumbent.radius * (1 - _WORTHWHILE):
            return False
        more = k.copy()
        more[-1] += extra * (abs(k[-1]) + float(np.linalg.norm(A[-1]) * np.linalg.norm(move)))
        found = shortest_move(problem.ground, A, more, incumbent.radius)
        if found.move is not None and incumbent.offer(found.move):
            return True
    return False
