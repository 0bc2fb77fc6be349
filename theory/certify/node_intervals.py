"""Tighter intervals of the units of nodes, from the ball and the halfspace that flips lie in."""

from dataclasses import replace

import numpy as np

from theory.certify.halfspaces import Ball, least_on_ball, least_on_cap
from theory.certify.node_bounds import Lines, Nodes, Problem, lines_of
from theory.validation import FloatArray, IntArray

# Intervals are widened by this part of their terms, beside what the sums of all layers round; and
# the ball, so that a flip at its very rim is not lost.
_PAD, _RIM = 1e-12, 1e-9


def roots(problem: Problem, radius: float) -> Nodes:
    """Return a node for each rival, with intervals for a ball of that radius, possibly inf."""
    shape = (problem.levels.size, problem.rectified.size)
    nodes = Nodes(
        lo=np.full(shape, -np.inf),
        hi=np.full(shape, np.inf),
        weights=np.zeros(shape),
        rival=np.arange(shape[0]),
        bound=np.zeros(shape[0]),
    )
    uncut = np.zeros((shape[0], problem.weights[0].shape[1]))
    if np.isfinite(radius):
        nodes = tightened(problem, nodes, Ball(radius, uncut, uncut[:, 0]))
    lines = lines_of(problem, nodes)
    mostly_on = lines.unstable & (nodes.hi > -nodes.lo)
    return replace(nodes, weights=mostly_on.astype(np.float64))


def tightened(problem: Problem, nodes: Nodes, ball: Ball) -> Nodes:
    """Return the nodes with tighter intervals, and bound inf where an interval is empty.

    Kind: intervals hold for all flips of the nodes in their balls.
    """
    ball = ball._replace(radius=ball.radius * (1 + _RIM))
    terms = problem.terms @ [1.0, ball.radius]
    pad = (_PAD + 2 * problem.rounding) * terms
    lo, hi = np.maximum(nodes.lo, -(terms + pad)), np.minimum(nodes.hi, terms + pad)
    empty = np.zeros(nodes.rival.size, dtype=bool)
    for layer, part in enumerate(problem.parts):
        now = replace(nodes, lo=lo, hi=hi)
        if layer == 0:
            units = np.arange(part.start, part.stop)
            below, above = _first_range(problem, ball)
        else:
            lines = lines_of(problem, now)
            wanted = lines.unstable[:, part] | ~np.isfinite(hi[:, part] - lo[:, part])
            units = part.start + np.flatnonzero(wanted.any(axis=0))
            below, above = _range(problem, ball, lines, (layer, units))
        lo[:, units] = np.fmax(lo[:, units], below - pad[units])
        hi[:, units] = np.fmin(hi[:, units], above + pad[units])
        empty |= (lo[:, part] > hi[:, part]).any(axis=1)
    bound = np.where(empty, np.inf, nodes.bound)
    return replace(nodes, lo=lo, hi=np.maximum(lo, hi), bound=bound)


def _first_range(problem: Problem, ball: Ball) -> tuple[FloatArray, FloatArray]:
    W, b = problem.weights[0], problem.biases[0]
    if problem.ground.norm != 2 or problem.ground.box is not None:
        rows = np.concatenate([W, -W])
        least = least_on_ball(
            problem.ground, ball, np.broadcast_to(rows, (ball.offset.size, *rows.shape))
        )
        return b + least[:, : b.size], b - least[:, b.size :]
    cut = ball.offset > 0
    size = np.linalg.norm(ball.slope, axis=1)
    unit = np.where(cut, 1.0, 0.0) / np.where(size > 0, size, 1.0)
    along, depth = unit[:, None] * (ball.slope @ W.T), (unit * ball.offset)[:, None]
    squares = np.einsum("ij,ij->i", W, W)
    low = least_on_cap(ball.radius, depth, along, squares)
    return b + low, b - least_on_cap(ball.radius, depth, -along, squares)


def _range(
    problem: Problem, ball: Ball, lines: Lines, which: tuple[int, IntArray]
) -> tuple[FloatArray, FloatArray]:
    """Return bounds of units of a later layer by linear relaxation of the layers before."""
    layer, units = which
    own = units - problem.parts[layer].start
    W, b = problem.weights[layer][own], problem.biases[layer][own]
    A = np.broadcast_to(np.concatenate([W, -W]), (ball.offset.size, 2 * own.size, W.shape[1]))
    offset = np.zeros(A.shape[:2])
    below = np.where(lines.unstable, lines.above > 0.5, lines.above)
    for j in range(layer - 1, -1, -1):
        part = problem.parts[j]
        down = np.minimum(A, 0.0)
        offset += (down @ lines.offset[:, part, None])[..., 0]
        A = (A - down) * below[:, None, part] + down * lines.above[:, None, part]
        offset += A @ problem.biases[j]
        A = A @ problem.weights[j]
    least = offset + least_on_ball(problem.ground, ball, A)
    return b + least[:, : own.size], b - least[:, own.size :]
