"""Best-first search for the nearest flip of one input."""

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from theory.certify.branching import children
from theory.certify.halfspaces import Ball
from theory.certify.least_distance import shortest_move
from theory.certify.node_bounds import (
    Halfspace,
    Lines,
    Nodes,
    Problem,
    carried,
    improved,
    lines_of,
    lowered,
    part_of,
)
from theory.certify.node_intervals import roots, tightened
from theory.certify.node_pool import NodePool
from theory.certify.rounding import assured
from theory.certify.witness import (
    Incumbent,
    Rows,
    cell,
    descend,
    hidden_values,
    offer_cell,
    search,
)
from theory.validation import FloatArray

# Steps of ascent before intervals are tightened, and after.
_STEPS_BEFORE, _STEPS_AFTER = 6, 6
# Nodes split at a time: at most so many, and such that arrays have at most so many entries.
_BATCH, _ENTRIES = 64, 2**20
# From this many nodes on, networks of so few units are searched cell by cell: flips are then far
# away, lines from units' intervals say little, and the cells are not too many.
_MANY, _FEW_UNITS = 500, 40
# Cells solved around each new incumbent.
_SOLVES = 20
# Without a flip known, balls are searched of radii up to this many times the first, then all space.
_GROWTH, _STAGES = 8.0, 4
# In all of space rows contradict each other whose slopes sum to so few roundings of their terms,
# and offsets to this part of theirs or more: nothing flips, or only where weights so small count.
_SLOPE_ROUNDINGS, _LEFT = 16, 1e-7
_EPS = float(np.finfo(np.float64).eps)
# A row that lies below this level stems from a unit without a line above it, and says nothing.
_NO_ROW = 1e100


class Found(NamedTuple):
    """What a search leaves: a proven lower bound, how many nodes it took, whether it was ended."""

    lower: float
    nodes: int
    in_time: bool


@dataclass(kw_only=True)
class _Search:
    """A search: no flip within `limit` is nearer than `floor` or the least bound of open nodes."""

    problem: Problem
    incumbent: Incumbent
    rtol: float
    limit: float = np.inf
    floor: float = np.inf
    nodes: int = 0

    @property
    def radius(self) -> float:
        """Within which flips are sought."""
        return min(self.limit, self.incumbent.radius)

    @property
    def in_turn(self) -> bool:
        """Whether units are split layer by layer, nodes bounded by all of their signs at once."""
        few = self.problem.rectified.size <= _FEW_UNITS
        return np.isinf(self.radius) or (few and self.nodes > _MANY)

    @property
    def closed(self) -> float:
        """The bound from which on a node is closed."""
        return self.radius * (1 - self.rtol / 2)

    def still_open(self, nodes: Nodes) -> Nodes:
        """Return the nodes that may hold a flip nearer by more than the tolerance."""
        wanted = nodes.bound < self.closed
        self.floor = min(self.floor, float(nodes.bound[~wanted].min(initial=np.inf)))
        return nodes.take(wanted)


def nearest_flip(problem: Problem, incumbent: Incumbent, *, rtol: float, deadline: float) -> Found:
    """Return how far the nearest flip is at least; the incumbent is improved to the nearest found.

    Balls grow until one holds a flip; at last all space, or all that the box leaves, is searched.

    Parameters
    ----------
    problem : Problem
    incumbent : Incumbent
    rtol : float
        The search ends once the bounds differ by no more, relative.
    deadline : float
        In seconds of `time.perf_counter`.
    """
    incumbent.deadline = deadline
    search(problem, incumbent)
    state = _Search(problem=problem, incumbent=incumbent, rtol=rtol)
    lower, in_time, limits = 0.0, True, _limits(problem, incumbent.radius)
    for limit in limits:
        state.limit, state.floor = limit, np.inf
        least, in_time = _searched(state, deadline)
        lower = max(lower, min(least, state.radius))
        if not in_time or np.isfinite(incumbent.radius):
            break
    return Found(np.inf if lower > _box_reach(problem) else lower, state.nodes, in_time)


def _limits(problem: Problem, radius: float) -> Iterator[float]:
    """Yield the radii within which to look for a flip, one after the other."""
    reach = _box_reach(problem)
    if np.isfinite(radius):
        yield radius
    elif np.isfinite(reach):
        yield 2 * reach or 1.0  # what is not found within twice the box is not there
    else:
        least = float(np.abs(problem.levels).max()) + 1.0
        size = np.linalg.norm(problem.weights[0], axis=1)
        values = np.abs(problem.biases[0][size > 0]) / size[size > 0]
        first = float(np.median(values)) if values.size else least
        yield from (max(first, 1e-3 * least) * _GROWTH**k for k in range(_STAGES))
        yield np.inf


def _box_reach(problem: Problem) -> float:
    """Return how long moves in the box can be at most."""
    if problem.ground.box is None:
        return np.inf
    side = np.maximum(-problem.ground.box[0], problem.ground.box[1])
    return float(np.linalg.norm(side, ord=problem.ground.norm))


def _searched(state: _Search, deadline: float) -> tuple[float, bool]:
    """Return the least bound left, and whether the search was completed."""
    start = roots(state.problem, state.radius)
    state.nodes += start.rival.size
    pool = NodePool(_processed(state, state.still_open(start)))
    batch, in_turn = _batch(state.problem), state.in_turn
    while len(pool) and time.perf_counter() < deadline:
        if state.in_turn != in_turn:  # anew: parts cut at later layers would each be cut in turn
            known = min(state.floor, float(pool.bounds.min()))
            state.floor = np.inf
            least, in_time = _searched(state, deadline)
            return max(known, least), in_time
        chosen = state.still_open(pool.take(batch))
        if chosen.rival.size:
            halves = children(state.problem, chosen, state.radius, in_turn=state.in_turn)
            state.nodes += halves.rival.size
            pool.put(_processed(state, halves))
    return min(state.floor, float(pool.bounds.min(initial=np.inf))), not len(pool)


def _batch(problem: Problem) -> int:
    """Return how many nodes to split at a time."""
    widths = [W.shape[0] for W in problem.weights]
    largest = 2 * max(widths) * max(*widths, problem.weights[0].shape[1])
    return int(np.clip(_ENTRIES // (2 * largest), 1, _BATCH))


def _processed(state: _Search, nodes: Nodes) -> Nodes:
    """Return the nodes with better bounds, without those closed by them."""
    problem = state.problem
    lines = lines_of(problem, nodes)
    nodes, found, lines = _bounded(state, nodes, lines, _STEPS_BEFORE)
    if nodes.rival.size and np.isfinite(state.radius):
        ball = Ball(state.radius, found.slope, found.offset)
        narrow = tightened(problem, nodes, ball)
        new = lines_of(problem, narrow)
        weights = carried(lines, new, nodes.weights, found.forms)
        nodes = state.still_open(replace(narrow, weights=weights))
        nodes, found, lines = _bounded(state, nodes, lines_of(problem, nodes), _STEPS_AFTER)
    if nodes.rival.size:
        _offer(state, found.move)
    undecided = lines.unstable.any(axis=1)
    for row in np.flatnonzero(~undecided).tolist():
        _solve(state, nodes, row)
    # Nodes without flips are not closed by being too far.
    if np.isinf(state.incumbent.radius) or state.in_turn:
        for row in np.flatnonzero(undecided).tolist():
            _solve_relaxed(state, nodes, part_of(lines, row), row)
    return state.still_open(nodes.take(undecided))


def _bounded(
    state: _Search, nodes: Nodes, lines: Lines, steps: int
) -> tuple[Nodes, Halfspace, Lines]:
    """Return nodes with better bounds, their halfspaces and lines, without those closed."""
    weights, found = improved(state.problem, nodes, lines, steps=steps, radius=state.radius)
    nodes = replace(nodes, weights=weights)
    found = lowered(state.problem, nodes, lines, found, state.radius)
    nodes.bound = np.fmax(nodes.bound, found.length)
    wanted = nodes.bound < state.closed
    return state.still_open(nodes), part_of(found, wanted), part_of(lines, wanted)


def _offer(state: _Search, moves: FloatArray) -> None:
    """Try the nodes' shortest moves as flips, and these drawn out to the rim of the ball."""
    problem, radius = state.problem, state.radius
    if np.isfinite(radius):
        length = np.linalg.norm(moves, ord=problem.ground.norm, axis=1)
        longer = (
            moves * np.where(length > 0, radius / np.where(length > 0, length, 1.0), 1.0)[:, None]
        )
        moves = np.concatenate([moves, longer * (1 - state.rtol)])
    if problem.ground.box is not None:
        moves = np.clip(moves, *problem.ground.box)
    flips = moves[hidden_values(problem, moves)[1].min(axis=1) <= 0]
    if flips.size:
        nearest = flips[np.linalg.norm(flips, ord=problem.ground.norm, axis=1).argmin()]
        if state.incumbent.offer(nearest):
            descend(problem, state.incumbent, nearest, _SOLVES)


def _solve(state: _Search, nodes: Nodes, row: int) -> None:
    """Close a node without unstable units: a cell, the bound of which multipliers prove."""
    problem = state.problem
    rows = cell(problem, nodes.lo[row] >= 0, int(nodes.rival[row]))
    found = shortest_move(problem.ground, rows.A, rows.k, state.radius)
    nodes.bound[row] = bound = max(
        nodes.bound[row], _proven(problem, rows, found.multipliers, state.radius)
    )
    state.floor = min(state.floor, bound)
    if found.move is None or bound >= state.closed:
        return
    if offer_cell(problem, state.incumbent, found.move, rows):
        descend(problem, state.incumbent, found.move, _SOLVES)


def _solve_relaxed(state: _Search, nodes: Nodes, lines: Lines, row: int) -> None:
    """Bound a node by all of its units' signs at once, each carried to the input on the lines.

    L2 serves for either norm: it is faster, and what matters is whether the node is empty.
    """
    problem, rival = state.problem, nodes.rival[row]
    both = [_relaxed_rows(problem, lines, rival, slope) for slope in (0.0, 1.0)]
    rows = Rows(*(np.concatenate(parts) for parts in zip(*both, strict=True)))
    drawn = rows.k > -_NO_ROW
    rows = Rows(*(part[drawn] for part in rows))
    found = shortest_move(problem.ground._replace(norm=2.0), rows.A, rows.k, state.radius)
    nodes.bound[row] = max(
        nodes.bound[row], _proven(problem, rows, found.multipliers, state.radius)
    )


def _relaxed_rows(problem: Problem, lines: Lines, rival: int, slope: float) -> Rows:
    """Return what a node's flips obey; unstable units have that lower slope."""
    A, k = problem.forms[rival][None], problem.levels[rival][None]
    terms = problem.lead_terms[rival][None]
    layers = zip(problem.parts, problem.weights, problem.biases, strict=True)
    for part, W, b in reversed(list(layers)):
        below = np.where(lines.unstable[part], slope, lines.above[part])
        down = np.minimum(A, 0.0)
        k = k + down @ lines.offset[part]
        A = (A - down) * below + down * lines.above[part]
        A = np.vstack([A, np.diag(lines.sign[part])])
        k = np.append(k, np.zeros(W.shape[0])) + A @ b
        terms = np.concatenate([terms, problem.terms[part]])
        A = A @ W
    return Rows(A, k, terms)


def _proven(problem: Problem, rows: Rows, multipliers: FloatArray, radius: float) -> float:
    """Return how far the halfspace is that some multiples of the rows sum up to.

    Of flips within the radius, possibly inf: then slopes that cancel to rounding count for none.
    """
    slope, offset = multipliers @ rows.A, float(multipliers @ rows.k)
    cancelled = _SLOPE_ROUNDINGS * _EPS * float(multipliers @ np.linalg.norm(rows.A, axis=1))
    left = offset > _LEFT * float(multipliers @ np.abs(rows.k))
    if np.isinf(radius) and left:
        slope = np.where(np.abs(slope) <= cancelled, 0.0, slope)
    doubt = problem.rounding * (multipliers @ rows.terms)
    _, length, _ = assured(problem.ground, slope[None], np.array([offset]), doubt[None], radius)
    return float(length[0])
