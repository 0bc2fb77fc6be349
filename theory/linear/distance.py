"""Distance from an input to the nearest place where another label scores at least as high."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from theory.linear.classifier import LinearClassifier, live_rows
from theory.linear.contest import (
    Contest,
    directions,
    free_distances,
    label_blocks,
    nearest_rival,
    open_contest,
)
from theory.linear.moves import cheapest_move
from theory.validation import Box, FloatArray, IntArray, as_box, as_finite, as_norm, refuse_outside


class Flips(NamedTuple):
    """Points that another label wins, each the witness of its norm. Kind: upper.

    Attributes
    ----------
    points : array, shape (n, d)
        NaN in the rows where nothing flips.
    norms : array, shape (n,)
        Norm of points - X; inf where nothing flips.
    """

    points: FloatArray
    norms: FloatArray


class _Ground(NamedTuple):
    """Where and how a move is measured; the box may be all of space."""

    norm: float
    box: Box


def _ground(
    model: LinearClassifier, X: FloatArray, norm: float, box: tuple[ArrayLike, ArrayLike] | None
) -> _Ground:
    bounds = as_box((-np.inf, np.inf) if box is None else box, model.dimension)
    refuse_outside(X, bounds)
    return _Ground(norm, bounds)


def _pushed(
    model: LinearClassifier, contest: Contest, rival: IntArray, ground: _Ground, extra: float
) -> FloatArray:
    """Return the inputs moved most cheaply until the rival leads by `extra` of the lead it had.

    Where the box ends before that, as far as the box goes.
    """
    rows, features = live_rows(model)
    points = contest.X.copy()
    for part, own, other in label_blocks(np.arange(rival.size), contest.own, rival):
        gradient = rows[other] - rows[own]
        moved, pull, room = directions(contest.X[part], gradient, features, ground.box)
        if not moved.size:  # labels with the same weights: no move parts them
            continue
        a = np.abs(pull) / np.abs(pull).max()
        lead = contest.lead[part, other] / np.abs(pull).max()
        unit = np.abs(contest.X[part]).max() or 1.0
        target = lead + extra * (lead + 1e-10 * unit)  # the constant parts a mere tie
        reachable = np.minimum(target, (a * room).sum(axis=1))
        move = cheapest_move(ground.norm, a, room, reachable)
        points[np.ix_(part, moved)] += np.sign(pull) * move
    return np.clip(points, *ground.box)


def _is_flipped(model: LinearClassifier, points: FloatArray, own: IntArray) -> NDArray[np.bool_]:
    """Return whether another label leads at each point by more than rounding can explain."""
    lead = open_contest(model, points, model.classes[own]).lead.min(axis=1)
    rows, features = live_rows(model)
    terms = np.abs(points[:, features]) @ np.abs(rows).T
    rounding = 8 * np.finfo(np.float64).eps * (terms.max(axis=1) + np.abs(model.bias).max())
    return np.asarray(-lead > rounding)


def _flipped(
    model: LinearClassifier, contest: Contest, rival: IntArray, ground: _Ground, overshoot: float
) -> FloatArray:
    """Return points that truly flip, the overshoot doubled for those whose flip rounding hides.

    NaN where the box ends before anything flips.
    """
    points = np.full(contest.X.shape, np.nan)
    pending = np.arange(rival.size)
    while pending.size and overshoot < 1e12:
        pushed = _pushed(model, contest.part(pending), rival[pending], ground, overshoot)
        won = _is_flipped(model, pushed, contest.own[pending])
        points[pending[won]] = pushed[won]
        pending = pending[~won]
        overshoot *= 2
    return points


def _row_norms(moves: FloatArray, norm: float) -> FloatArray:
    return np.asarray(np.linalg.norm(moves, ord=norm, axis=1), dtype=np.float64)


def flip_distance(
    model: LinearClassifier,
    X: ArrayLike,
    y: ArrayLike | None = None,
    *,
    norm: float = 2,
    box: tuple[ArrayLike, ArrayLike] | None = None,
) -> FloatArray:
    """Return the distance of each input to the nearest point where another label does as well.

    Where, that is, a label other than y (without y: than the predicted one) scores at least as
    high as it: ties count. Kind: exact, up to the float64 rounding of the scores.

    Parameters
    ----------
    model : LinearClassifier
    X : array, shape (n, d)
    y : array, shape (n,), optional
        Labels of the model.
    norm : 0, 1, 2 or inf
        0 counts the features changed.
    box : pair (lo, hi), optional
        Numbers or arrays of shape (d,), possibly infinite: every input lies in the box, and so
        must the flipped point. None: no box.

    Returns
    -------
    array, shape (n,)
        0 where the input is already wrong or tied; inf where nothing flips.

    Raises
    ------
    TypeError, ValueError
        If an argument is malformed, not finite, or outside the box; the message names the value.

    Notes
    -----
    Without a box, the lead over each rival divided by the dual norm of the difference of weights;
    with one, the closed forms of `theory.linear.moves`. Proof: theory/proofs/linear_distance.md.

    Examples
    --------
    >>> model = LinearClassifier(weights=[3.0, 4.0], bias=-1.0)
    >>> flip_distance(model, [[1.0, 2.0]], norm=2).tolist()
    [2.0]
    >>> flip_distance(model, [[1.0, 2.0]], norm=2, box=(0.0, 2.0)).round(3).tolist()
    [2.016]
    """
    norm = as_norm(norm)
    contest = open_contest(model, X, y)
    if box is None:
        return np.asarray(free_distances(model, contest, norm).min(axis=1))
    return nearest_rival(model, contest, *_ground(model, contest.X, norm, box))[0]


def nearest_flip(
    model: LinearClassifier,
    X: ArrayLike,
    y: ArrayLike | None = None,
    *,
    norm: float = 2,
    box: tuple[ArrayLike, ArrayLike] | None = None,
    overshoot: float = 1e-6,
) -> Flips:
    """Return for each input the nearest point, but for the overshoot, that another label wins.

    Kind: upper; the norm exceeds `flip_distance` by the overshoot alone, which is doubled for the
    inputs whose flip would drown in rounding. An input already wrong is its own flip. Where the
    box allows every rival a tie but no more, nothing flips although `flip_distance` is finite.

    Parameters
    ----------
    model, X, y, norm, box
        As in `flip_distance`.
    overshoot : float, positive
        Relative to the lead that the flip has to overcome.

    Returns
    -------
    Flips

    Raises
    ------
    TypeError, ValueError
        As `flip_distance`; and if the overshoot is not positive and finite.

    Examples
    --------
    >>> model = LinearClassifier(weights=[3.0, 4.0], bias=-1.0)
    >>> nearest_flip(model, [[1.0, 2.0]]).points.round(3).tolist()
    [[-0.2, 0.4]]
    """
    norm = as_norm(norm)
    if not as_finite("overshoot", overshoot) > 0:
        raise ValueError(f"overshoot must be positive; got {overshoot}.")
    contest = open_contest(model, X, y)
    ground = _ground(model, contest.X, norm, box)
    flips = Flips(np.full(contest.X.shape, np.nan), np.full(contest.own.size, np.inf))
    wrong = contest.lead.min(axis=1) < 0
    flips.points[wrong], flips.norms[wrong] = contest.X[wrong], 0.0
    pending = np.flatnonzero(~wrong)
    while pending.size:  # a rival that can only be tied is struck off, and the next one tried
        distance, rival = nearest_rival(model, contest.part(pending), *ground)
        pending, rival = pending[np.isfinite(distance)], rival[np.isfinite(distance)]
        points = _flipped(model, contest.part(pending), rival, ground, overshoot)
        flips.points[pending] = points
        contest.lead[pending, rival] = np.inf
        pending = pending[np.isnan(points).any(axis=1)]
    found = np.isfinite(flips.points).all(axis=1)
    flips.norms[found] = _row_norms(flips.points[found] - contest.X[found], norm)
    return flips
