"""Bounds of a second layer's values on L2 balls, where most of the work of linear relaxation goes.

A row w of the second layer, between the lines of the first layer's units, is bounded below by the
form w⁺ below + w⁻ above of their values and above by w⁺ above + w⁻ below. With mean = (below +
above) / 2 and half = (below - above) / 2 these are w mean ± |w| half, and |w| half vanishes but for
unstable units: both norms come from one product of w mean with the Gram matrix and a small one.
"""

import array_api_compat as aac
import numpy as np

from theory.certify.domain import Domain, Supports
from theory.certify.relaxation import Interval, Lines
from theory.networks.arrays import Array, dense, times_transposed


def second_interval(domain: Domain, eps: Array, first: Lines) -> Interval:
    """Return bounds of the second layer's values by linear relaxation. Kind: lower and upper.

    For L2 balls without a box: the domain has the first layer's Gram matrix.
    """
    xp = aac.array_namespace(eps)
    W, b = domain.layers[1]
    sizes = abs(W)
    mean, half = (first.below + first.above) / 2, (first.below - first.above) / 2
    norms = xp.sqrt(xp.linalg.diagonal(domain.gram))
    middle = times_transposed(mean * domain.centre, W) + b
    spread = times_transposed(half * domain.centre, sizes)
    down, up = _offsets(first.offset, W, sizes)
    square, cross = _squares(domain, mean, half)
    # As in `gram_norms`: what the quadratic forms may lose where rows nearly cancel.
    terms = norms.shape[0] + domain.net.dimension
    size = times_transposed((mean + xp.abs(half)) * norms, sizes)
    rounding = 4 * xp.finfo(eps.dtype).eps * terms * size * size
    low = xp.sqrt(xp.clip(square + 2 * cross, 0, None) + rounding)
    high = xp.sqrt(xp.clip(square - 2 * cross, 0, None) + rounding)
    return Interval(
        middle + spread + down - eps[:, None] * low, middle - spread + up + eps[:, None] * high
    )


def _offsets(offset: Array, W: Array, sizes: Array) -> tuple[Array, Array]:
    """Return what the upper lines' offsets add to the lower and to the upper bounds."""
    both, difference = times_transposed(offset, sizes), times_transposed(offset, W)
    return (difference - both) / 2, (difference + both) / 2


def _squares(domain: Domain, mean: Array, half: Array) -> tuple[Array, Array]:
    """Return ‖w mean‖² + ‖|w| half‖² and the product of the two, in the Gram matrix (n, n_2)."""
    if domain.supports is not None:
        return _sparse_squares(domain.supports, mean, half)
    W, gram = dense(domain.layers[1][0]), domain.gram
    if gram is None:
        raise ValueError("the domain must have a Gram matrix: L2 and no box.")
    if not aac.is_numpy_array(mean):  # on a device one large product is worth more than less work
        return _dense_squares(gram, W[None] * mean[:, None, :], abs(W) * half[:, None, :])
    return _host_squares(gram, np.ascontiguousarray(W.T), mean, half)


def _host_squares(gram: Array, W: Array, mean: Array, half: Array) -> tuple[Array, Array]:
    """Return what `_squares` does, input by input: W (n_1, n_2) is cut to the units that matter."""
    width = W.shape[1]
    square, cross = np.empty((2, mean.shape[0], width))
    for i, (level, bend) in enumerate(zip(mean, half, strict=True)):
        bent = np.flatnonzero(bend)
        straight = np.flatnonzero(np.where(bend, 0.0, level))
        rows = W.take(bent, axis=0)
        even, odd = rows * level[bent, None], np.abs(rows) * bend[bent, None]
        other = W.take(straight, axis=0) * level[straight, None]
        products = gram.take(np.concat([bent, straight]), axis=0)
        within = products[: bent.size].take(bent, axis=1) @ np.concat([even, odd], axis=1)
        across = products.take(straight, axis=1) @ other
        of_even, of_odd, of_other = within[:, :width], within[:, width:], across[: bent.size]
        cross[i] = _sums(of_even + of_other, odd)
        square[i] = _sums(of_even + 2 * of_other, even) + _sums(of_odd, odd)
        square[i] += _sums(across[bent.size :], other)
    return square, cross


def _sums(A: Array, B: Array) -> Array:
    return np.einsum("ij,ij->j", A, B)


def _dense_squares(gram: Array, even: Array, odd: Array) -> tuple[Array, Array]:
    xp = aac.array_namespace(even)
    products = even @ gram
    square = xp.sum(products * even, axis=2) + xp.sum((odd @ gram) * odd, axis=2)
    return square, xp.sum(products * odd, axis=2)


def _sparse_squares(supports: Supports, mean: Array, half: Array) -> tuple[Array, Array]:
    units, values, gram = supports
    even = (mean[:, units] * values).swapaxes(0, 1)
    odd = (half[:, units] * abs(values)).swapaxes(0, 1)
    square, cross = _dense_squares(gram, even, odd)
    return square.T, cross.T
