"""Positive definite matrices of balls, and largest eigenvalues, proven."""

import numpy as np
from flint import arb, arb_mat

from theory.rigorous.balls import Balls, total

# What is added to a largest eigenvalue of float64, relatively, until ball arithmetic agrees.
_HAIRS = (1e-13, 1e-11, 1e-8, 1e-4)


def is_positive_definite(A: arb_mat) -> bool:
    """Return True only if every symmetric matrix in these balls is positive definite.

    By Gaussian elimination: the pivots of a symmetric matrix are positive if and only if it is.

    Examples
    --------
    >>> is_positive_definite(arb_mat([[2, 1], [1, 2]])), is_positive_definite(arb_mat([[1, 1]] * 2))
    (True, False)
    """
    rows = A.tolist()
    for k, pivots in enumerate(rows):
        if not pivots[k] > 0:
            return False
        for i in range(k + 1, len(rows)):
            if not rows[i][k].is_zero():
                _eliminate(rows, k, i)
    return True


def _eliminate(rows: list[Balls], k: int, i: int) -> None:
    """Take a multiple of row k off row i, as far as the diagonal: the rest is its mirror."""
    factor = rows[i][k] / rows[k][k]
    own = rows[i]
    for j in range(k + 1, i + 1):
        own[j] -= factor * rows[j][k]


def largest_eigenvalue(A: arb_mat) -> arb:
    """Return a number that no eigenvalue of a symmetric matrix in these balls exceeds.

    Kind: upper, proven: a hair above that of float64, or else the largest absolute row sum.
    """
    n = A.nrows()
    rows = A.tolist()
    most = arb(0)
    for row in rows:
        most = most.max(total(abs(v) for v in row))
    middle = np.array([[float(v) for v in row] for row in rows])
    if most.is_zero() or not np.isfinite(middle).all():
        return most
    top = float(np.linalg.eigvalsh(middle)[-1])
    for hair in _HAIRS:
        level = arb(top * (1 + hair))
        shifted = arb_mat(n, n, [level if i == j else 0 for i in range(n) for j in range(n)])
        if is_positive_definite(shifted - A):
            return level
    return most
