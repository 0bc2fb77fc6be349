"""The cheapest move inside a box that raises one linear score by a given amount.

One input, one rival: the rival gains a_i per unit that coordinate i moves its way, the box leaves
it `room` c_i (inf without a box), and the gain has to reach `margin` m > 0. Cheapest means, over
0 <= u_i <= c_i with sum_i a_i u_i >= m,

    L2    u_i = min(c_i, t a_i), L∞  u_i = min(c_i, t):  t solves  sum_i min(a_i c_i, t s_i) = m
          with pull s_i = a_i² or a_i: increasing, concave and piecewise linear in t;
    L1    coordinates filled to their room in the order of decreasing a_i, the last in part;
    L0    coordinates in the order of decreasing reach a_i c_i, as few as reach m: a sum equal to
          m suffices (the rival ties), and so does one that falls short by rounding.

Everything is vectorised over inputs, which share a and differ in room and margin. The proof is in
theory/proofs/linear_distance.md.
"""

import numpy as np

from theory.validation import FloatArray

# Leads and reaches are sums of rounded products in different orders: relative to the lead.
_ROUNDING = 1e-13


def move_size(norm: float, a: FloatArray, room: FloatArray, margin: FloatArray) -> FloatArray:
    """Return the norm of the cheapest move of each input; inf where the box forbids every one.

    Kind: exact, but for a tie that only rounding keeps out of reach: it counts as reached, lest a
    distance be overstated. Parameters as in `cheapest_move`; returns shape (n,).
    """
    most = (a * room).sum(axis=1)
    nearly = (most < margin / (1 - _ROUNDING)) & (most >= margin * (1 - _ROUNDING))
    margin = np.where(nearly, np.minimum(margin, most) * (1 - _ROUNDING), margin)
    if norm == 0:
        return _fewest(a * room, margin * (1 - _ROUNDING))
    if norm == 1:
        return np.asarray(_greedy(a, room, margin).sum(axis=1))
    if norm == 2:
        return np.asarray(np.sqrt(np.square(_leveled(a, a, room, margin)).sum(axis=1)))
    return _water_level(a, np.ones_like(a), room, margin)


def cheapest_move(norm: float, a: FloatArray, room: FloatArray, margin: FloatArray) -> FloatArray:
    """Return how far each coordinate goes in the cheapest move of each input.

    Kind: exact; for L0, where the amounts are free, the smallest in L2 on the coordinates chosen.

    Parameters
    ----------
    norm : 0, 1, 2 or inf
    a : array, shape (s,), positive
        Gain of the rival per unit that a coordinate moves.
    room : array, shape (n, s), nonnegative, may be inf
        How far each coordinate may move.
    margin : array, shape (n,), positive
        The gain to reach.

    Returns
    -------
    array, shape (n, s)
        inf in the rows where the box forbids every move.
    """
    if norm == 0:
        return _leveled(a, a, _room_of_fewest(a * room, room, margin), margin)
    if norm == 1:
        return _greedy(a, room, margin)
    return _leveled(a, a if norm == 2 else np.ones_like(a), room, margin)


def _leveled(a: FloatArray, slope: FloatArray, room: FloatArray, margin: FloatArray) -> FloatArray:
    """Return min(room, t slope), which gains exactly the margin."""
    t = _water_level(a, slope, room, margin)
    return np.where(np.isinf(t)[:, None], np.inf, np.minimum(room, t[:, None] * slope))


def _water_level(
    a: FloatArray, slope: FloatArray, room: FloatArray, margin: FloatArray
) -> FloatArray:
    """Return the least t with sum_i a_i min(room_i, t slope_i) >= margin; inf where none is.

    Newton's method from the left: by concavity no step passes the root, and every step but the
    last closes a coordinate for good, so it ends at the root itself.
    """
    reach, pull = a * room, a * slope
    with np.errstate(over="ignore"):  # beyond float64 a coordinate never closes
        closing = room / slope
    last_pull = np.full(margin.size, pull.sum())
    t: FloatArray = margin / last_pull
    while True:
        is_open = closing > t[:, None]
        open_pull = is_open.astype(np.float64) @ pull
        moving = (open_pull < last_pull) & (open_pull > 0)
        if not moving.any():
            break
        gained = np.where(is_open, 0.0, reach).sum(axis=1)
        step = np.divide(margin - gained, open_pull, out=t.copy(), where=moving)
        t = np.maximum(t, step)  # rounding alone could lead back
        last_pull = np.where(moving, open_pull, last_pull)
    t[reach.sum(axis=1) < margin] = np.inf
    return t


def _greedy(a: FloatArray, room: FloatArray, margin: FloatArray) -> FloatArray:
    """Fill the coordinates to their room in the order of decreasing gain per unit."""
    order = np.argsort(-a, kind="stable")
    reach = (a * room)[:, order]
    reached = reach.cumsum(axis=1)
    missing = margin[:, None] - np.hstack([np.zeros((margin.size, 1)), reached[:, :-1]])
    move = np.empty_like(reach)
    move[:, order] = np.minimum(missing.clip(min=0.0), reach) / a[order]
    move[reached[:, -1] < margin] = np.inf
    return move


def _fewest(reach: FloatArray, margin: FloatArray) -> FloatArray:
    """Return how many of the largest reaches it takes to sum to at least the margin."""
    reached = np.asarray(np.sort(reach, axis=1)[:, ::-1]).cumsum(axis=1)
    short = (reached < margin[:, None]).sum(axis=1)
    return np.where(short == reach.shape[1], np.inf, short + 1.0)


def _room_of_fewest(reach: FloatArray, room: FloatArray, margin: FloatArray) -> FloatArray:
    """Return the room of the fewest coordinates that reach the margin, zero for the others."""
    order = np.argsort(-reach, axis=1, kind="stable")
    rank = np.empty_like(order)
    np.put_along_axis(rank, order, np.arange(reach.shape[1])[None, :], axis=1)
    return np.where(rank < _fewest(reach, margin)[:, None], room, 0.0)
