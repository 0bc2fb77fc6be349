"""Nodes split in two at a unit: which one is decided by the bounds of a few of the halves."""

from dataclasses import replace

import numpy as np

from theory.certify.node_bounds import (
    Halfspace,
    Lines,
    Nodes,
    Problem,
    halfspaces,
    joined,
    lines_of,
)
from theory.validation import FloatArray, IntArray

# How many units of each node are tried, and what a unit counts whose lower line is in use: no line
# above it is, but splitting it tightens others.
_CANDIDATES, _BELOW = 6, 0.05
_LARGE = 1e150  # intervals without end are cut here to be compared


def children(problem: Problem, nodes: Nodes, radius: float, *, in_turn: bool) -> Nodes:
    """Return the two halves of each node; every node has an unstable unit.

    In turn: units of a layer are split before those of the next.
    """
    lines = lines_of(problem, nodes)
    found = halfspaces(problem, lines, nodes.weights, nodes.rival)
    score = _gaps(nodes, lines, found)
    if in_turn:
        score = _first_layer_first(problem, score)
    tried = min(_CANDIDATES, score.shape[1])
    top = np.argpartition(-score, tried - 1, axis=1)[:, :tried]
    rows = np.repeat(np.arange(nodes.rival.size), tried)
    halves = _split(nodes, found, rows, top.ravel())
    lengths = halfspaces(problem, lines_of(problem, halves), halves.weights, halves.rival).length
    lengths = np.minimum(lengths, min(2 * radius, _LARGE)).reshape(2, *top.shape)
    least = 1e-6 * found.length[:, None] + np.finfo(np.float64).tiny ** 0.5
    gain = np.fmax(lengths - found.length[:, None], least).prod(axis=0)
    gain = np.where(np.take_along_axis(score, top, axis=1) >= 0, gain, -1.0)
    unit = np.take_along_axis(top, gain.argmax(axis=1)[:, None], axis=1)[:, 0]
    return _split(nodes, found, np.arange(unit.size), unit)


def _gaps(nodes: Nodes, lines: Lines, found: Halfspace) -> FloatArray:
    """Return what the lines of each unstable unit can cost its node; -1 for other units."""
    lo, hi = nodes.lo.clip(min=-_LARGE), nodes.hi.clip(max=_LARGE)
    height = -lo / np.where(lines.unstable, hi - lo, 1.0) * hi
    weight = np.where(found.forms < 0, -found.forms, _BELOW * found.forms)
    return np.where(lines.unstable, weight * height, -1.0)


def _first_layer_first(problem: Problem, score: FloatArray) -> FloatArray:
    """Return scores by which layers are decided in turn: then every split is linear in the input.

    In all of space lines say little, and nodes are closed by what is linear.
    """
    for part in reversed(problem.parts):
        some = (score[:, part] >= 0).any(axis=1)
        score[some, part.stop :] = -1.0
    return score


def _split(nodes: Nodes, found: Halfspace, rows: IntArray, units: IntArray) -> Nodes:
    """Return the nodes of some rows with a unit on, then with it off; it keeps its line."""
    at, own = np.arange(rows.size), nodes.take(rows)
    form, slope = found.forms[rows, units].clip(min=0.0), own.weights[at, units]
    lo, hi = own.lo.copy(), own.hi.copy()
    lo[at, units] = hi[at, units] = 0.0
    on, off = own.weights.copy(), own.weights.copy()
    on[at, units], off[at, units] = (1 - slope) * form, slope * form
    return joined([replace(own, lo=lo, weights=on), replace(own, hi=hi, weights=off)])
