"""Moves from one input that stay in a box and in a halfspace: the shortest, and their range."""

from typing import NamedTuple

import numpy as np

from theory.validation import Box, FloatArray

# A sum of reaches that misses its target by no more may miss it by rounding alone.
_ROUNDING = 1e-12
# Each is a lower bound of where the water ends, and the last is nearly always exact.
_WATER_STEPS = 8
# Evaluations on each search for a multiplier: every one is a valid bound, the best is taken.
_CUT_TRIALS, _BALL_TRIALS = 6, 2
_LEAST_MULTIPLIER = 1e-150
# What differences of squares of forms may be off by, far more than they are.
_SQUARE_ROUNDING = 1e-14


class Ground(NamedTuple):
    """Where moves δ from an input may go, and how they are measured.

    Attributes
    ----------
    norm : 2 or inf
    box : None or pair (below, above) of arrays, shape (d,) or one row a move (n, d)
        below <= δ <= above, below <= 0 <= above. None: no box.
    """

    norm: float
    box: Box | None


class Ball(NamedTuple):
    """Those moves of norm at most `radius` with slope · δ + offset <= 0, one halfspace a row.

    Attributes
    ----------
    radius : float
    slope : array, shape (n, d)
    offset : array, shape (n,)
    """

    radius: float
    slope: FloatArray
    offset: FloatArray


def shortest_moves(
    ground: Ground, slope: FloatArray, offset: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return lengths and moves δ of the shortest with slope · δ + offset <= 0 (n, d), (n,).

    Kind: lower, exact up to rounding but for a box that closes in more than a few steps. Length 0
    where the offset is not positive, inf where no move suffices.
    """
    positive = offset.clip(min=0.0)
    if ground.box is not None:
        return _boxed_moves(ground.norm, ground.box, slope, positive)
    order = 2 if ground.norm == 2 else 1
    size = np.linalg.norm(slope, ord=order, axis=1)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        length = np.where(positive > 0, positive / size, 0.0)
    pace = np.where(np.isfinite(length) & (size > 0), length, 0.0)
    if ground.norm == 2:
        return length, -slope * (pace / np.where(size > 0, size, 1.0))[:, None]
    return length, -np.sign(slope) * pace[:, None]


def _boxed_moves(
    norm: float, box: Box, slope: FloatArray, offset: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return `shortest_moves` within a box: coordinates move in step until the box stops them.

    The gain is concave in the time t, so Newton's method from the left never passes the root, and
    every move on its way is at most as long as the shortest that suffices.
    """
    pull = np.abs(slope)
    speed = pull if norm == 2 else np.ones_like(pull)
    room = np.where(slope > 0, -box[0], box[1])
    room = np.where(pull > 0, room, 0.0)
    reach, gain = pull * room, pull * speed
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        closing = np.where(speed > 0, room / speed, 0.0)
        total = gain.sum(axis=1)
        t = np.where(offset > 0, offset / np.where(total > 0, total, 1.0), 0.0)
    for _ in range(_WATER_STEPS):
        is_open = closing > t[:, None]
        rest = np.where(is_open, gain, 0.0).sum(axis=1)
        missing = offset - np.where(is_open, 0.0, reach).sum(axis=1)
        better = np.divide(missing, rest, out=t.copy(), where=rest > 0)
        if not (better > t).any():
            break
        t = np.maximum(t, better)
    move = np.minimum(room, t[:, None] * speed)
    length = np.linalg.norm(move, axis=1) if norm == 2 else move.max(axis=1, initial=0.0)
    short = reach.sum(axis=1) < offset * (1 - _ROUNDING)
    return np.where(short, np.inf, length), -np.sign(slope) * move


def least_on_ball(ground: Ground, ball: Ball, forms: FloatArray) -> FloatArray:
    """Return the least value of forms (n, m, d) · δ over the moves of each row's ball.

    Kind: lower, by duality: forms may lose any multiple mu >= 0 of the halfspace's slope, for mu
    times its offset. Exact up to rounding for norm 2 without a box. A halfspace whose offset is not
    positive does not count.
    """
    cut = ball.offset > 0
    slope, offset = np.where(cut[:, None], ball.slope, 0.0), np.where(cut, ball.offset, 0.0)
    ball = Ball(ball.radius, slope, offset)
    if ground.norm == 2:
        size = np.linalg.norm(slope, axis=1)
        size = np.where(size > 0, size, 1.0)[:, None]
        along = (forms @ (slope / size)[:, :, None])[..., 0]
        squares = np.einsum("nmd,nmd->nm", forms, forms)
        depth = offset[:, None] / size
        if ground.box is None:
            return least_on_cap(ball.radius, depth, along, squares)
        depth = np.minimum(depth, ball.radius * (1 - 1e-6))
        mu = _cap_multipliers(ball.radius, depth, along, squares) / size
        return _least_in_box_and_ball(reached_box(ground, ball.radius, forms), ball, forms, mu)
    return _least_in_cut_box(reached_box(ground, ball.radius, forms), ball, forms)


def least_on_cap(
    radius: float, depth: FloatArray, along: FloatArray, squares: FloatArray
) -> FloatArray:
    """Return the least value of forms on {‖δ‖₂ <= radius, u · δ <= -depth}, u a unit vector.

    Kind: exact, rounded down. `along` holds form · u, `squares` the squared norms of the forms.
    """
    length = np.sqrt(squares)
    across = np.sqrt((squares - along * along).clip(min=0.0) + _SQUARE_ROUNDING * squares)
    half = np.sqrt(((radius - depth) * (radius + depth)).clip(min=0.0))
    free = radius * along >= depth * length
    return np.where(free, -radius * length, -along * depth - across * half)


def _cap_multipliers(
    radius: float, depth: FloatArray, along: FloatArray, squares: FloatArray
) -> FloatArray:
    """Return the multipliers mu >= 0 of u · δ + depth <= 0 that are the best without a box."""
    across = np.sqrt((squares - along * along).clip(min=0.0))
    half = np.sqrt((radius - depth) * (radius + depth))
    return np.where(depth > 0, (depth * across / half - along).clip(min=0.0), 0.0)


def reached_box(ground: Ground, radius: float, like: FloatArray) -> Box:
    """Return how far each of the last axis' coordinates may move within a radius."""
    rim = np.full(like.shape[-1], radius)
    if ground.box is None:
        return -rim, rim
    return np.maximum(ground.box[0], -rim), np.minimum(ground.box[1], rim)


def _least_in_box_and_ball(
    box: Box, ball: Ball, forms: FloatArray, multipliers: FloatArray
) -> FloatArray:
    """Return the best of the duals at some multipliers of the halfspace and of the ball."""
    below, above = box
    R, best = ball.radius, np.full(forms.shape[:2], -np.inf)
    for mu in (np.zeros_like(multipliers), multipliers):
        tilted = forms + mu[:, :, None] * ball.slope[:, None, :]
        paid = mu * ball.offset[:, None]
        boxed = np.where(tilted > 0, tilted * below, tilted * above).sum(axis=2)
        best = np.maximum(best, boxed + paid)
        nu = np.sqrt(np.einsum("nmd,nmd->nm", tilted, tilted)) / R
        for _ in range(_BALL_TRIALS):
            nu = nu.clip(min=_LEAST_MULTIPLIER)
            move = np.clip(-tilted / nu[:, :, None], below, above)
            squares = np.einsum("nmd,nmd->nm", move, move)
            dual = np.einsum("nmd,nmd->nm", tilted, move) + nu / 2 * (squares - R * R)
            best = np.maximum(best, dual + paid)
            nu = nu * np.sqrt(squares) / R
    return best


def _least_in_cut_box(box: Box, ball: Ball, forms: FloatArray) -> FloatArray:
    """Return the best of the duals on a bisection for the multiplier of the halfspace."""
    below, above = box

    def dual(mu: FloatArray) -> tuple[FloatArray, FloatArray]:
        tilted = forms + mu[:, :, None] * ball.slope[:, None, :]
        move = np.where(tilted > 0, below, above)
        value = np.einsum("nmd,nmd->nm", tilted, move) + mu * ball.offset[:, None]
        return value, np.einsum("nmd,nd->nm", move, ball.slope) + ball.offset[:, None]

    best, rise = dual(np.zeros(forms.shape[:2]))
    live = (ball.offset > 0)[:, None] & (rise > 0)
    if not live.any():
        return best
    size = np.abs(ball.slope).sum(axis=1, keepdims=True)
    lo, hi = np.zeros_like(best), np.full_like(best, np.inf)
    mu = np.where(live, np.abs(forms).sum(axis=2) / np.where(size > 0, size, 1.0), 0.0)
    for _ in range(_CUT_TRIALS):
        value, rise = dual(mu)
        best = np.maximum(best, value)
        lo, hi = np.where(rise > 0, mu, lo), np.where(rise > 0, hi, mu)
        mu = np.where(np.isinf(hi), 2 * mu, (lo + hi) / 2)
    return best
