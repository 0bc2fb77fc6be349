"""The fixed point of training, followed from a strong ridge, where it is plain, to none."""

from itertools import product
from typing import NamedTuple

import numpy as np

from theory.asymptotics.batch import Batch, some
from theory.asymptotics.fixed_point import Image, State, differences, image, units
from theory.asymptotics.loss_moments import LossMoments
from theory.asymptotics.start import BoolArray, start
from theory.asymptotics.weight_moments import WeightMoments
from theory.validation import FloatArray, IntArray

TOLERANCE = 1e-11  # relative, of each order parameter
_NEAR = 0.1  # an image this close, and
_SHORT = 0.5  # a Newton step this short, let the ridge weaken
_WEAKER = 10.0
_IDLE = 0.1  # a ridge below this share of the problem's own stiffness may go
_PATIENCE = 8  # rounds before a weaker ridge is given up for one between
_MOST_ROUNDS = 200
_LONGEST = 2.4  # of a Newton step, in log units: a little more than log 10
_DIFFERENCE = 1e-6


class Reached(NamedTuple):
    """Fixed points, arrays of n entries; rows that are stuck hold nan."""

    state: FloatArray  # (n, 5)
    moments: LossMoments
    weights: WeightMoments
    residual: FloatArray  # (n,), relative; inf where the path was not followed to its end
    stuck: BoolArray
    share_at_zero: FloatArray
    rounds: IntArray


class _Walk:
    """Where each row stands on its path: mutable, private to `followed`."""

    def __init__(self, batch: Batch) -> None:
        self.batch = batch
        self.ridge = _outweighing(batch)
        begun = start(batch, self.ridge)
        self.stuck, self.share = begun.stuck, begun.share
        self.state = begun.state
        self.image = image(batch, self.state, self.ridge)
        self.rounds = np.zeros(self.stuck.shape, dtype=np.intp)
        self.waited = np.zeros_like(self.rounds)
        self.stepped = np.zeros_like(self.ridge)  # how long the last Newton step was
        self.factor = np.full_like(self.ridge, _WEAKER)
        self.idle = np.full_like(self.ridge, _IDLE)
        # Where the path was last near, and under which ridge.
        self.good_state, self.good_ridge = self.state.copy(), self.ridge.copy()

    def gap(self) -> FloatArray:
        """Return the largest difference of each row from its image, relative."""
        return np.asarray(np.abs(differences(self.state, self.image.state)).max(axis=1))

    def is_near(self) -> BoolArray:
        """Return whether rows are near their fixed points under their ridges."""
        return (self.gap() < _NEAR) & (self.stepped < _SHORT)

    def put(self, rows: IntArray, state: FloatArray, images: Image) -> None:
        """Move rows to new states."""
        self.state[rows], self.image.state[rows] = state, images.state
        for old, new in (
            (self.image.moments, images.moments),
            (self.image.weights, images.weights),
        ):
            for kept, values in zip(old, new, strict=True):
                kept[rows] = values


def followed(batch: Batch) -> Reached:
    """Return the fixed point of every setting of a batch.

    Kind: exact, up to the residual told with it.

    Parameters
    ----------
    batch : Batch

    Returns
    -------
    Reached

    Notes
    -----
    Under a ridge that outweighs the loss the weights are nearly the first-order response to it. The
    ridge falls by a factor of 10 whenever Newton's method is near, by less where that has lost it,
    and goes when it is a tenth of the stiffness that is there without it. For a convex objective
    the fixed point is the one minimiser's: theory/proofs/asymptotics.md, [A10].
    """
    with np.errstate(all="ignore"):  # what leaves float64 shows in the residual
        walk = _Walk(batch)
        for _ in range(_MOST_ROUNDS):
            _weaken(walk)
            unfinished = ~walk.stuck & ~((walk.gap() < TOLERANCE) & (walk.ridge == 0))
            rows = np.flatnonzero(unfinished)
            if rows.size == 0:
                break
            walk.rounds[rows] += 1
            walk.waited[rows] += 1
            _advance(walk, rows)
            _retreat(walk, rows)
        residual = np.where(walk.ridge == 0, walk.gap(), np.inf)
    return Reached(
        walk.state,
        walk.image.moments,
        walk.image.weights,
        np.where(np.isnan(residual), np.inf, residual),
        walk.stuck,
        walk.share,
        walk.rounds,
    )


def _outweighing(batch: Batch) -> FloatArray:
    """Return ridges that outweigh the loss in every direction, that of the signal included."""
    signal = (batch.weights * (batch.means**2 + batch.deviations**2)).sum(axis=1)
    return np.asarray(4 * batch.ratio * (batch.scales.max(axis=1) ** 2 + signal))


def _weaken(walk: _Walk) -> None:
    """Lower the ridge of the rows that are near their fixed point under it."""
    rows = np.flatnonzero(walk.is_near() & (walk.ridge > 0))
    if rows.size == 0:
        return
    walk.good_state[rows], walk.good_ridge[rows] = walk.state[rows], walk.ridge[rows]
    own = walk.batch.ratio[rows] * walk.image.moments.stiffness[rows] + walk.batch.l2[rows]
    idle = walk.ridge[rows] < walk.idle[rows] * own
    walk.factor[rows] = np.minimum(walk.factor[rows] ** 1.5, _WEAKER)
    _move_to(walk, rows, np.where(idle, 0.0, walk.ridge[rows] / walk.factor[rows]))


def _retreat(walk: _Walk, rows: IntArray) -> None:
    """Go back with the rows that a weaker ridge has lost, to try one between."""
    lost = (walk.waited[rows] > _PATIENCE) & ~walk.is_near()[rows]
    rows = rows[lost & (walk.good_ridge[rows] > walk.ridge[rows])]
    if rows.size == 0:
        return
    walk.state[rows] = walk.good_state[rows]
    walk.factor[rows] = np.sqrt(walk.factor[rows])
    walk.idle[rows] *= np.where(walk.ridge[rows] == 0, _IDLE, 1.0)
    _move_to(walk, rows, walk.good_ridge[rows] / walk.factor[rows])


def _move_to(walk: _Walk, rows: IntArray, ridge: FloatArray) -> None:
    """Go on under other ridges from the states that are there."""
    walk.ridge[rows], walk.waited[rows] = ridge, 0
    walk.put(rows, walk.state[rows], image(some(walk.batch, rows), walk.state[rows], ridge))


def _advance(walk: _Walk, rows: IntArray) -> None:
    """Take one Newton step in every row, shortened until it helps, or else a damped plain one."""
    batch, ridge = some(walk.batch, rows), walk.ridge[rows]
    state, images = walk.state[rows], walk.image.state[rows]
    step = _newton_step(batch, state, images, ridge)
    walk.stepped[rows] = np.abs(step).max(axis=1)
    step *= np.minimum(1, _LONGEST / np.abs(step[:, 1:]).max(axis=1))[:, None]
    before = np.abs(differences(state, images)).max(axis=1)
    waiting = np.arange(rows.size)
    for part, move in product((1.0, 0.5, 0.2, 0.05), (_straight, _along_rays)):
        tried = move(state[waiting], part * step[waiting])
        reached = image(some(batch, waiting), tried, ridge[waiting])
        better = np.abs(differences(tried, reached.state)).max(axis=1) < before[waiting]
        walk.put(rows[waiting[better]], tried[better], _rows_of(reached, better))
        waiting = waiting[~better]
        if waiting.size == 0:
            return
    plain = 0.5 * np.clip(differences(state, images), -1, 1)[waiting]
    damped = _straight(state[waiting], plain)
    walk.put(rows[waiting], damped, image(some(batch, waiting), damped, ridge[waiting]))


def _straight(state: FloatArray, step: FloatArray) -> FloatArray:
    """Return states moved by relative steps: right where the overlap stays and the spread falls."""
    return state + step * units(state)


def _along_rays(state: FloatArray, step: FloatArray) -> FloatArray:
    """Return the same to first order: right where all weights grow alike, the overlap with them."""
    spread = units(state)[:, 0]
    moved = state + step
    standing = state[:, 0] / spread + step[:, 0] - state[:, 0] / spread * step[:, 1]
    moved[:, 0] = standing * np.exp(moved[:, 1])
    return moved


def _newton_step(
    batch: Batch, state: FloatArray, images: FloatArray, ridge: FloatArray
) -> FloatArray:
    """Return Newton's step towards state = image, by difference quotients."""
    size = len(State._fields)
    columns = [0, 1, 2]
    columns += [3] if batch.eps.any() else []  # otherwise the map does not look at the norm
    columns += [4] if batch.eps_inf.any() else []
    n, k = len(state), len(columns)
    repeated = np.repeat(np.arange(n), k)
    unit = units(state)
    moved = state[repeated] + _DIFFERENCE * unit[repeated] * np.tile(np.eye(size)[columns], (n, 1))
    quotients = image(some(batch, repeated), moved, ridge[repeated]).state.reshape(n, k, size)
    jacobian = np.zeros((n, size, size))
    jacobian[:, :, columns] = (
        (quotients - images[:, None]) / unit[:, None] / _DIFFERENCE
    ).transpose(0, 2, 1)
    jacobian = np.where(np.isfinite(jacobian), jacobian, 0.0)
    right = np.nan_to_num((images - state) / unit)[:, :, None]
    try:
        step = np.linalg.solve(np.eye(size) - jacobian, right)[:, :, 0]
    except np.linalg.LinAlgError:
        step = right[:, :, 0]
    return np.asarray(step)


def _rows_of(images: Image, rows: BoolArray) -> Image:
    return Image(
        images.state[rows],
        LossMoments(*(values[rows] for values in images.moments)),
        WeightMoments(*(values[rows] for values in images.weights)),
    )
