"""Lower bounds of the distance to a flip within parts of the input space, many parts at once.

A node is a rival and, for each hidden unit, an interval that its value stays in: splitting a unit
cuts its interval at zero. Linear relaxation with multipliers turns a node into a halfspace of moves
that holds all of its flips; the shortest move into the halfspace is no longer than any of them.
Proof: theory/proofs/branch_and_bound.md.
"""

from dataclasses import dataclass, fields
from typing import Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from theory.certify.halfspaces import Ground, shortest_moves
from theory.certify.rounding import assured
from theory.validation import FloatArray, IntArray

BoolArray = NDArray[np.bool_]
# The height of the line above a unit without bounds: any form that needs it bounds nothing.
_NO_LINE = 1e150
# Multipliers grow without end where no flip is: to here, where their squares are still numbers.
_MOST = 1e60
# Steps of the ascent: the first, in units of the Newton step of each multiplier alone, what a step
# that helps and one that does not make of the next, and how much of a step the next repeats.
_FIRST_PACE, _FASTER, _SLOWER, _MOMENTUM = 0.3, 1.3, 0.4, 0.5
# A step leaves at least this share of the lead's multiplier.
_LEAST_SHARE = 0.2


class Problem(NamedTuple):
    """The network around one input, as a function of the move δ, and the leads over m rivals.

    Attributes
    ----------
    ground : Ground
    weights, biases : lists of arrays
        Of the hidden layers, n units in all; the first bias is the first layer's value at the
        input.
    forms, levels : arrays, shapes (m, n_H), (m,)
        The leads are forms · (last hidden layer) + levels.
    parts : list of slices
        Where each hidden layer's units stand among all.
    rectified : array of bool, shape (n,)
    reach, lead_reach : arrays, shapes (n,), (m,)
        Typical norms of the gradients of units and leads.
    terms, lead_terms : arrays, shapes (n, 2), (m, 2)
        Of the units' values and of the leads: see theory.certify.rounding.
    rounding : float
        What sums may be off by, in units of their terms.
    """

    ground: Ground
    weights: list[FloatArray]
    biases: list[FloatArray]
    forms: FloatArray
    levels: FloatArray
    parts: list[slice]
    rectified: BoolArray
    reach: FloatArray
    lead_reach: FloatArray
    terms: FloatArray
    lead_terms: FloatArray
    rounding: float


@dataclass(kw_only=True)
class Nodes:
    """Parts of the input space, one a row.

    Parameters
    ----------
    lo, hi : array, shape (k, n)
        Bounds of every hidden unit's value.
    weights : array, shape (k, n)
        Of unstable units the lower slope in [0, 1]; of others the multiplier >= 0 of their sign.
    rival : array of int, shape (k,)
    bound : array, shape (k,)
        Lower bounds of the distance to a flip in each part.
    """

    lo: FloatArray
    hi: FloatArray
    weights: FloatArray
    rival: IntArray
    bound: FloatArray

    def take(self, rows: Any) -> "Nodes":
        """Return some of the parts."""
        return Nodes(**{f.name: getattr(self, f.name)[rows] for f in fields(self)})


def joined(several: list[Nodes]) -> Nodes:
    """Return the parts of all."""
    names = [f.name for f in fields(Nodes)]
    return Nodes(**{k: np.concatenate([getattr(p, k) for p in several]) for k in names})


class Lines(NamedTuple):
    """What the units' intervals make of them, each of shape (k, n).

    Attributes
    ----------
    unstable : whether a unit may be on or off
    above, offset : the line over it, or the unit itself
    sign : -1 or 1 if its value is known to be >= 0 or <= 0, so that sign · value <= 0; else 0
    """

    unstable: BoolArray
    above: FloatArray
    offset: FloatArray
    sign: FloatArray


class Halfspace(NamedTuple):
    """Of each node: slope · δ + offset <= 0 for every flip; and the shortest such move.

    Attributes
    ----------
    slope, offset : arrays, shapes (k, d), (k,)
    length, move : arrays, shapes (k,), (k, d)
    forms, slopes : arrays, shape (k, n)
        The coefficients of units' outputs, and the slopes of the lines that these chose.
    """

    slope: FloatArray
    offset: FloatArray
    length: FloatArray
    move: FloatArray
    forms: FloatArray
    slopes: FloatArray


_Record = TypeVar("_Record", Lines, Halfspace)


def part_of(record: _Record, rows: Any) -> _Record:
    """Return some rows of lines or halfspaces."""
    return type(record)(*(array[rows] for array in record))


def lines_of(problem: Problem, nodes: Nodes) -> Lines:
    """Return the lines of the units of each node."""
    lo, hi = nodes.lo, nodes.hi
    on = (lo >= 0) | ~problem.rectified
    unstable = ~on & (hi > 0)
    bounded = unstable & np.isfinite(lo) & np.isfinite(hi)
    low, high = np.where(bounded, lo, -1.0), np.where(bounded, hi, 0.0)
    chord = high / (high - low)
    return Lines(
        unstable=unstable,
        above=np.where(unstable, chord, on),
        offset=np.where(bounded, -chord * low, np.where(unstable, _NO_LINE, 0.0)),
        sign=np.where(unstable | ~problem.rectified, 0.0, np.where(on, -1.0, 1.0)),
    )


def halfspaces(problem: Problem, lines: Lines, weights: FloatArray, rival: IntArray) -> Halfspace:
    """Return the halfspaces that the nodes' multipliers make. Kind: lower, up to rounding."""
    below = np.where(lines.unstable, weights, lines.above)
    bonus = lines.sign * weights
    forms, slopes = np.empty_like(below), np.empty_like(below)
    A, offset = problem.forms[rival], problem.levels[rival]
    layers = zip(problem.parts, problem.weights, problem.biases, strict=True)
    for part, W, b in reversed(list(layers)):
        down = A < 0
        slopes[:, part] = slope = np.where(down, lines.above[:, part], below[:, part])
        forms[:, part] = A
        offset = offset + np.einsum("ij,ij->i", np.where(down, A, 0.0), lines.offset[:, part])
        A = slope * A + bonus[:, part]
        offset = offset + A @ b
        A = A @ W
    return Halfspace(A, offset, *shortest_moves(problem.ground, A, offset), forms, slopes)


def relaxed_values(
    problem: Problem, lines: Lines, found: Halfspace, rival: IntArray
) -> tuple[FloatArray, FloatArray]:
    """Return the units' values and the leads at the shortest moves, units on the lines chosen."""
    values = np.empty_like(found.forms)
    h = found.move
    for part, W, b in zip(problem.parts, problem.weights, problem.biases, strict=True):
        values[:, part] = z = h @ W.T + b
        raised = np.where(found.forms[:, part] < 0, lines.offset[:, part], 0.0)
        h = found.slopes[:, part] * z + raised
    return values, np.einsum("ij,ij->i", h, problem.forms[rival]) + problem.levels[rival]


def improved(
    problem: Problem, nodes: Nodes, lines: Lines, *, steps: int, radius: float
) -> tuple[FloatArray, Halfspace]:
    """Return better multipliers, found by ascent, and their halfspaces; radius is a typical one."""
    weights = nodes.weights
    best = halfspaces(problem, lines, weights, nodes.rival)
    pace = np.full(nodes.rival.size, _FIRST_PACE)
    momentum = np.zeros_like(weights)
    most = np.where(lines.unstable, 1.0, _MOST)
    for _ in range(steps):
        step, lead = _direction(problem, lines, best, nodes.rival, radius)
        trial = np.clip(weights + _MOMENTUM * momentum + pace[:, None] * step, 0.0, most)
        share = np.maximum(1 + pace * lead, _LEAST_SHARE)
        trial = np.where(lines.unstable, trial, np.minimum(trial / share[:, None], most))
        found = halfspaces(problem, lines, trial, nodes.rival)
        better = found.length > best.length
        better |= (found.length == best.length) & (found.offset > best.offset)
        momentum = np.where(better[:, None], trial - weights, 0.0)
        pace = np.where(better, _FASTER * pace, _SLOWER * pace)
        weights = np.where(better[:, None], trial, weights)
        best = _chosen(better, found, best)
    return weights, best


def _chosen(first: BoolArray, one: Halfspace, other: Halfspace) -> Halfspace:
    pairs = zip(one, other, strict=True)
    return Halfspace(*(np.where(first if a.ndim == 1 else first[:, None], a, b) for a, b in pairs))


def _direction(
    problem: Problem, lines: Lines, found: Halfspace, rival: IntArray, radius: float
) -> tuple[FloatArray, FloatArray]:
    """Return the Newton step of each multiplier alone, the curvature being that of its unit.

    And that of the lead's multiplier, which stays 1: instead the others are divided by it.
    """
    values, leads = relaxed_values(problem, lines, found, rival)
    size, gone = (np.linalg.norm(part, axis=1) for part in (found.slope, found.move))
    far = radius if np.isfinite(radius) else 1.0
    pace = np.where(gone > 0, gone, far) / np.where(size > 0, size, 1.0)
    rate = values / (problem.reach**2 * pace[:, None])
    up = found.forms > 0
    rise = np.where(up, rate / np.where(up, found.forms, 1.0), 0.0)
    lead = leads / (problem.lead_reach[rival] ** 2 * pace)
    return np.where(lines.unstable, rise, lines.sign * rate), lead


def carried(old: Lines, new: Lines, weights: FloatArray, forms: FloatArray) -> FloatArray:
    """Return multipliers for tighter intervals with which units keep the lines that they had."""
    fixed = old.unstable & ~new.unstable
    kept = np.where(new.sign < 0, 1 - weights, weights) * forms.clip(min=0.0)
    return np.where(fixed, kept, weights)


def lowered(
    problem: Problem, nodes: Nodes, lines: Lines, found: Halfspace, radius: float
) -> Halfspace:
    """Return halfspaces that hold all flips of norm at most radius whatever was rounded."""
    terms = problem.lead_terms[nodes.rival] + np.abs(lines.sign * nodes.weights) @ problem.terms
    offset, length, move = assured(
        problem.ground, found.slope, found.offset, problem.rounding * terms, radius
    )
    return found._replace(offset=offset, length=length, move=move)
