"""What the rows of a weight matrix, dense or CSR, have in common: nothing, a multiple, a space."""

from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from scipy.linalg import qr

from theory.networks.arrays import dense, is_sparse
from theory.validation import FloatArray, IntArray

BoolArray = NDArray[np.bool_]
# Entries of multiples of one unit agree to 16 eps relative: some roundings of each, as those that
# merging the layer before leaves, and of the factor. Where that is not exact, and a sum of outgoing
# weights cancels so far that its parts are 1e4 times its row's largest sum, the units stay apart:
# what is lost otherwise remains below 1e-10.
_SAME, _CANCELLED = 16 * np.finfo(np.float64).eps, 1e-4
# The part of a row that counts as rounding when the rank is found, relative to its largest entry;
# and the smallest eigenvalue of a Gram matrix that leaves no doubt about its rank.
_RANK_TOLERANCE, _SURELY_FULL = 1e-13, 1e-8


def live_rows(W: Any) -> BoolArray:
    """Return which rows are not zero."""
    return np.asarray(np.diff(W.indptr) > 0 if is_sparse(W) else W.any(axis=1))


def live_columns(W: Any) -> BoolArray:
    """Return which columns are not zero."""
    if is_sparse(W):
        return np.asarray(np.bincount(W.indices, minlength=W.shape[1]) > 0)
    return np.asarray(W.any(axis=0))


def entries(W: Any) -> int:
    """Return how many entries a product with W multiplies."""
    return int(W.nnz if is_sparse(W) else W.size)


def without_zeros(W: Any) -> Any:
    """Return a matrix, if sparse as CSR that stores no zeros."""
    if not is_sparse(W):
        return W
    stored = sp.csr_array(W)
    stored.eliminate_zeros()
    return stored


def multiples(
    W: Any, b: FloatArray, relu: BoolArray, *, outgoing: Any
) -> tuple[IntArray, FloatArray]:
    """Return for each unit the one that it is a multiple of, often itself, and the factor.

    Kind: exact, or to rounding where merging them changes nothing beyond rounding. Multiples of a
    rectified unit are positive.

    Parameters
    ----------
    W : matrix, shape (n, k)
    b, relu : array, shape (n,)
        Bias, and whether a unit is rectified.
    outgoing : matrix, shape (m, n)
        The next layer's weights.

    Returns
    -------
    chosen : array, shape (n,)
        Those chosen are their own multiples.
    factor : array, shape (n,)
    """
    every = np.arange(b.size)
    chosen, factor, size = _candidates(W, b, relu)
    other = np.flatnonzero(chosen != every)
    if not other.size:
        return every, np.ones(b.size)
    same, exact = np.ones((2, b.size), dtype=bool)
    same[other], exact[other] = _compared(W, b, other, chosen[other], factor[other])
    chosen, factor = np.where(same, chosen, every), np.where(same, factor, 1.0)
    inexact = np.isin(every, chosen[same & ~exact])
    if inexact.any():
        apart = (inexact & _cancelled(outgoing, chosen, factor, size))[chosen]
        chosen, factor = np.where(apart, every, chosen), np.where(apart, 1.0, factor)
    return chosen, factor


def _candidates(W: Any, b: FloatArray, relu: BoolArray) -> tuple[IntArray, FloatArray, FloatArray]:
    """Return which unit each could be a multiple of, by which factor, and the size of its row.

    A projection of row and bias, all brought to size 1, puts multiples side by side. Other units
    there cost a comparison; one in between costs a merger, not an error.
    """
    every = np.arange(b.size)
    size = _largest(abs(W))
    size[size == 0] = 1.0
    probe = np.cos(np.arange(1.0, W.shape[1] + 2) ** 2)  # equidistributed, and the same each time
    with np.errstate(over="ignore", invalid="ignore"):  # what overflows is compared, not merged
        key = (W @ probe[1:] + b * probe[0]) / size
        spread = (abs(W) @ abs(probe[1:]) + abs(b * probe[0])) / size
        sign = np.where(relu | (key >= 0), 1.0, -1.0)
        order = np.lexsort((sign * key, relu))
        apart = np.diff((sign * key)[order]) > 1e-12 * spread[order][1:]
    starts = np.append(True, apart | np.diff(relu[order]))
    chosen = np.empty_like(every)
    chosen[order] = order[np.maximum.accumulate(np.where(starts, every, 0))]
    with np.errstate(over="ignore"):
        return chosen, sign * size / (sign * size)[chosen], size


def _compared(
    W: Any, b: FloatArray, units: IntArray, models: IntArray, factor: FloatArray
) -> tuple[BoolArray, BoolArray]:
    """Return whether units are these multiples of others to rounding, and whether exactly."""
    rows, bias = W[units], b[units]
    off = abs(rows - _scaled_rows(W[models], factor))
    bias_off = abs(bias - factor * b[models])
    same = (_largest(off - _SAME * abs(rows)) <= 0) & (bias_off <= _SAME * abs(bias))
    is_power_of_two = np.frexp(abs(factor))[0] == 0.5  # then the products above are not rounded
    return same, is_power_of_two & (_largest(off) == 0) & (bias_off == 0)


def _cancelled(outgoing: Any, chosen: IntArray, factor: FloatArray, size: FloatArray) -> BoolArray:
    """Return for which units a merged weight, times the unit's size, nearly cancels."""
    gather = sp.csr_array((factor, (np.arange(chosen.size), chosen)), shape=(chosen.size,) * 2)
    sums = sp.coo_array(abs(outgoing @ gather))
    parts = sp.coo_array(abs(outgoing) @ abs(gather))
    most = np.zeros(outgoing.shape[0])
    np.maximum.at(most, sums.coords[0], sums.data * size[sums.coords[1]])
    row, unit = parts.coords
    cancelled = np.zeros(chosen.size, dtype=bool)
    cancelled[unit[_CANCELLED * parts.data * size[unit] > most[row]]] = True
    return cancelled


def row_space(W: Any) -> Any:
    """Return orthonormal columns Q with W = (W Q) Q', where W Q has fewer entries than W.

    Kind: exact, but for parts of rows that are rounding. Entries of W and inputs are counted.

    Returns
    -------
    None or matrix, shape (d, r)
        None: no such Q is found. CSR if Q selects the features used; else dense.
    """
    features = np.flatnonzero(live_columns(W))
    used = W[:, features]
    (n, s), d = used.shape, W.shape[1]
    work = entries(used) + s
    most = min(n, s)
    if s and (n + 1) * most <= work:  # the rank could be lower still
        basis = _orthonormal_rows(dense(used))
        if (n + 1) * basis.shape[1] < work:
            Q = np.zeros((d, basis.shape[1]))
            Q[features] = basis
            return Q
    if 0 < s < d:
        return sp.csr_array((np.ones(s), (features, np.arange(s))), shape=(d, s))
    return None


def _orthonormal_rows(W: FloatArray) -> FloatArray:
    """Return an orthonormal basis (d, r) of the space of the rows.

    Pivoting leaves r columns when what the others have beside them is rounding. It is slow, so
    Cholesky first tells whether the rank is plainly full.
    """
    n, d = W.shape
    size = abs(W).max(axis=1, keepdims=True)
    rows = W / np.where(size > 0, size, 1.0)
    gram = rows @ rows.T if n < d else rows.T @ rows
    try:
        np.linalg.cholesky(gram - _SURELY_FULL * np.trace(gram) * np.eye(min(n, d)))
    except np.linalg.LinAlgError:
        basis, triangle, _ = qr(rows.T, mode="economic", pivoting=True)
        rank = np.count_nonzero(abs(np.diag(triangle)) > _RANK_TOLERANCE)
        return np.asarray(basis[:, :rank])
    return np.eye(d) if n >= d else np.linalg.qr(rows.T)[0]


def _largest(W: Any) -> FloatArray:
    """Return the largest entry of each row."""
    largest = W.max(axis=1)
    return np.asarray(largest.toarray() if is_sparse(largest) else largest).ravel()


def _scaled_rows(W: Any, factor: FloatArray) -> Any:
    """Return a matrix, each row times its factor."""
    return W.multiply(factor[:, None]).tocsr() if is_sparse(W) else W * factor[:, None]
