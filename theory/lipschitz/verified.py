"""Positive definiteness and spectral norms, proven in spite of rounding."""

from typing import Any

import numpy as np
import scipy.linalg as sla

from theory.networks.arrays import is_sparse
from theory.validation import FloatArray, UnsupportedSettingError

# Beyond this many rows a dense Cholesky factor no longer fits a laptop's memory and patience.
LARGEST_MATRIX = 6000

UNIT = float(np.finfo(np.float64).eps)  # twice the unit roundoff: room for the odd operation


def gamma(n: int) -> float:
    """Return the relative error of a sum of n products, whatever the order of summation."""
    return n * UNIT / (1.0 - n * UNIT)


def refuse_large(size: int) -> None:
    """Raise UnsupportedSettingError if a dense matrix of that many rows is too large."""
    if size > LARGEST_MATRIX:
        raise UnsupportedSettingError(
            f"the matrix to factor must have at most {LARGEST_MATRIX} rows; got {size}. "
            "frobenius_product and path_norm have no such limit."
        )


def rounding_shift(n: int) -> float:
    """Return what `is_positive_definite` takes off a diagonal of about one to allow for rounding.

    Twice γ_{n+1} times the trace, and some roundings of each entry.
    """
    return 2 * gamma(n + 2) * 2 * n + 8 * UNIT * n


def is_positive_definite(A: FloatArray, error: float = 0.0) -> bool:
    """Return True only if every symmetric matrix within `error` of A is positive semidefinite.

    Assumes a positive diagonal. The entries of A may carry a relative error of some roundings.

    Parameters
    ----------
    A : array, shape (n, n), symmetric
    error : float
        In spectral norm, relative to the matrix scaled to a unit diagonal.

    Notes
    -----
    Rump 2006, "Verification of positive definiteness" (BIT 46): if Cholesky's algorithm runs to
    its end in floating point, the least eigenvalue is at least -γ_{n+1}/(1 - γ_{n+1}) tr A.

    Examples
    --------
    >>> is_positive_definite(np.eye(2)), is_positive_definite(np.ones((2, 2)))
    (True, False)
    """
    n = A.shape[0]
    diagonal = np.diagonal(A)
    if not (diagonal > 0).all() or not np.isfinite(diagonal).all():
        return False
    # Powers of two scale without rounding; the diagonal ends up in [1/2, 2].
    scale = np.exp2(-np.round(np.log2(diagonal) / 2))
    scaled = A * scale[:, None] * scale
    # Entries of a definite matrix of that diagonal are at most 2: each may be off by 4 roundings.
    scaled[np.diag_indices(n)] -= rounding_shift(n) + 2 * error
    return _factors(scaled)


def spectral_norm(A: Any, error: FloatArray | None = None) -> float:
    """Return a number that the spectral norm of A does not exceed.

    Kind: upper, proven: within about n² roundings of the norm, n the shorter side of A.

    Parameters
    ----------
    A : array or scipy.sparse, shape (m, n)
    error : array, shape (m, n), optional
        How far the entries meant may be from those given.

    Raises
    ------
    UnsupportedSettingError
        If the shorter side is beyond 6000.

    Examples
    --------
    >>> bool(2.0 <= spectral_norm([[0.0, 2.0], [1.0, 0.0]]) < 2.0 + 1e-12)
    True
    """
    extra = 0.0 if error is None else float(np.linalg.norm(error)) * (1 + gamma(error.size + 2))
    B: Any = A if is_sparse(A) else np.asarray(A, dtype=np.float64)
    B = B if B.shape[0] <= B.shape[1] else B.T
    refuse_large(B.shape[0])
    largest = float(abs(B).max())
    if largest == 0.0:
        return extra
    unit = float(np.exp2(np.round(np.log2(largest))))  # lest squares overflow or underflow
    B = B / unit
    gram = B @ B.T
    gram = np.asarray(gram.toarray() if is_sparse(gram) else gram)
    # |fl(BBᵀ) - BBᵀ| <= γ |B||Bᵀ|, whose spectral norm is at most the squared Frobenius norm.
    frobenius = float((np.diagonal(gram)).sum())
    size = B.shape[1]
    return _largest_root(gram, 2 * gamma(size + 2) * frobenius) * unit + extra


def _largest_root(gram: FloatArray, error: float) -> float:
    """Return a number whose square no eigenvalue of the matrices within the error exceeds."""
    n = gram.shape[0]
    if n == 1:
        return float(np.sqrt(gram[0, 0] + error)) * (1 + 4 * UNIT)
    top = float(sla.eigvalsh(gram, subset_by_index=[n - 1, n - 1])[0])
    margin = 4 * gamma(n + 2) * n
    while True:
        level = (max(top, 0.0) + error) * (1 + margin)
        shifted = -gram
        shifted[np.diag_indices(n)] += level - error - 2 * gamma(n + 2) * n * level
        if _factors(shifted):
            return float(np.sqrt(level)) * (1 + 4 * UNIT)
        margin *= 2


def _factors(A: FloatArray) -> bool:
    """Return whether Cholesky's algorithm runs to its end."""
    if not np.isfinite(A).all():
        return False
    try:
        sla.cholesky(A, lower=True, overwrite_a=True, check_finite=False)
    except np.linalg.LinAlgError:
        return False
    return True
