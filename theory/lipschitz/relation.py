"""A network as the quadratic relations that a move of its input satisfies.

For two inputs that differ by x, let z and a be the differences of the pre-activations and the
activations of the rectified units. Linear units are eliminated: z = ζ (x, a) and C δf = u (x, a)
exactly, and each rectified unit gives a (z - a) >= 0.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from theory.lipschitz.bound import last_weights
from theory.lipschitz.verified import UNIT, gamma, refuse_large
from theory.networks import ReluNetwork
from theory.networks.arrays import dense
from theory.validation import FloatArray, IntArray


class Relation(NamedTuple):
    """Rows over (x, a): of each rectified unit that counts, and of the outputs.

    Attributes
    ----------
    rows, row_error : arrays, shape (N, inputs + N)
        ζ, each scaled by a power of two (a with it) to a norm near one; and their errors.
    outputs, output_error : arrays, shape (k, inputs + N)
    inputs : int
        Of x, which is Qᵀx where the first layer has fewer rows than columns.
    skew : float
        |x|² is at least (1 - skew) |Qᵀx|².
    layer, unit : arrays, shape (N,)
        The hidden layer of each row, and its unit there.
    scale : array, shape (N,)
        The powers of two: the unit's a is scale · a.
    """

    rows: FloatArray
    row_error: FloatArray
    outputs: FloatArray
    output_error: FloatArray
    inputs: int
    skew: float
    layer: IntArray
    unit: IntArray
    scale: FloatArray


class _Signals(NamedTuple):
    """What a layer hands on, as rows over (x, a), and how far these may be off."""

    rows: FloatArray
    error: FloatArray


class _Found(NamedTuple):
    """The rectified units of one layer: their rows, errors, places and powers of two."""

    rows: FloatArray
    error: FloatArray
    unit: IntArray
    scale: FloatArray


class _Input(NamedTuple):
    """A first layer F and what it leaves out: |W x - F Qᵀx| <= error |x|, row by row."""

    F: FloatArray
    error: FloatArray
    skew: float


def relate(net: ReluNetwork, direction: ArrayLike | None = None) -> Relation:
    """Return the relations of a network, without the units that cannot move its outputs.

    Raises
    ------
    TypeError, ValueError
        If the direction does not fit the outputs.
    UnsupportedSettingError
        If there are more than 6000 unknowns.
    """
    last = last_weights(net, direction)
    rectified = sum(int(mask.sum()) for mask in net.relu)
    refuse_large(min(net.weights[0].shape) + rectified + last.matrix.shape[0])
    first = last.matrix if net.depth == 1 else np.asarray(dense(net.weights[0]))
    given = reduced_input(first, last.error if net.depth == 1 else None)
    inputs = given.F.shape[1]
    shape = (first.shape[0], inputs + rectified)
    values = _Signals(np.zeros(shape), np.zeros(shape))
    values.rows[:, :inputs] = given.F
    values.error[:, 0] = given.error
    layers: list[_Found] = []
    column = inputs
    for j, mask in enumerate(net.relu):
        own, signals = _rectify(values, mask, column)
        layers.append(own)
        column += own.unit.size
        is_last = j == net.depth - 2
        W = last.matrix if is_last else net.weights[j + 1]
        values = _apply(W, signals, np.flatnonzero(~mask), last.error if is_last else None)
    return _pruned(layers, values, inputs, given.skew)


def reduced_input(W: FloatArray, error: FloatArray | None = None) -> _Input:
    """Return F with at most as many columns as rows, W x = F Qᵀ x for orthonormal Q."""
    m, d = W.shape
    extra = np.zeros(m) if error is None else np.linalg.norm(error, axis=1) * (1 + gamma(d + 2))
    if d <= m:
        return _Input(W, extra, 0.0)
    Q, R = np.linalg.qr(W.T)
    F = R.T
    residual = np.linalg.norm(W - F @ Q.T, axis=1) * (1 + gamma(d + 2))
    residual += gamma(m + 2) * 2 * (np.abs(F).sum(axis=1) + np.linalg.norm(W, axis=1))
    # |fl(QᵀQ) - QᵀQ| <= γ_d |Q|ᵀ|Q|, of Frobenius norm m at most but for a hair.
    skew = float(np.linalg.norm(Q.T @ Q - np.eye(m))) + gamma(d + 4) * m
    return _Input(F, residual + extra, skew)


def _powers_of_two(norms: FloatArray) -> FloatArray:
    safe = np.where(norms > 0, norms, 1.0)
    return np.exp2(np.round(np.log2(safe)))


def _rectify(values: _Signals, mask: NDArray[np.bool_], column: int) -> tuple[_Found, _Signals]:
    """Return a layer's rectified units, scaled, and what it hands on.

    Each rectified unit that can move becomes a new unknown, in the columns from the one given.
    """
    units = np.flatnonzero(mask)
    scale = _powers_of_two(np.linalg.norm(values.rows[units], axis=1))
    own_rows, own_error = values.rows[units], values.error[units]
    found = _Found(own_rows / scale[:, None], own_error / scale[:, None], units, scale)
    rows, error = values.rows.copy(), values.error.copy()
    rows[units], error[units] = 0.0, 0.0
    moves = own_rows.any(axis=1) | own_error.any(axis=1)
    rows[units[moves], column + np.flatnonzero(moves)] = scale[moves]
    return found, _Signals(rows, error)


def _apply(W: Any, signals: _Signals, linear: IntArray, W_error: FloatArray | None) -> _Signals:
    """Return W times the signals. Rectified units' columns are single products: no rounding."""
    rows = np.asarray(W @ signals.rows)
    error = np.asarray(abs(W) @ signals.error)
    if linear.size:
        through = abs(W[:, linear]) @ np.abs(signals.rows[linear])
        error = (error + gamma(linear.size + 2) * through) * (1 + gamma(W.shape[1] + 2))
    if W_error is not None and W_error.any():
        error = error + W_error @ (np.abs(signals.rows) + signals.error) * (1 + gamma(W.shape[1]))
    return _Signals(rows, error)


def _pruned(layers: list[_Found], outputs: _Signals, inputs: int, skew: float) -> Relation:
    """Return the relation of the units that can move and that the outputs depend on."""
    blank = np.zeros((0, outputs.rows.shape[1]))
    rows = np.vstack([blank, *(own.rows for own in layers)])
    error = np.vstack([blank, *(own.error for own in layers)])
    layer = np.repeat(np.arange(len(layers)), [own.unit.size for own in layers]).astype(np.intp)
    unit = np.concatenate([np.zeros(0, dtype=np.intp), *(own.unit for own in layers)])
    scale = np.concatenate([np.zeros(0), *(own.scale for own in layers)])
    used = (rows != 0) | (error != 0)
    wanted = ((outputs.rows != 0) | (outputs.error != 0)).any(axis=0)[inputs:]
    for j in range(len(layers) - 1, 0, -1):  # a layer depends on earlier ones alone
        wanted |= used[(layer == j) & wanted].any(axis=0)[inputs:]
    kept = wanted & used.any(axis=1)
    columns = np.concatenate([np.arange(inputs), inputs + np.flatnonzero(kept)])
    return Relation(
        rows=rows[np.ix_(kept, columns)],
        row_error=error[np.ix_(kept, columns)] * (1 + 4 * UNIT),
        outputs=outputs.rows[:, columns],
        output_error=outputs.error[:, columns] * (1 + 4 * UNIT),
        inputs=inputs,
        skew=skew,
        layer=layer[kept],
        unit=unit[kept],
        scale=scale[kept],
    )
