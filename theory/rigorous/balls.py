"""Balls of python-flint: midpoint and radius, kept so that the true number never leaves them."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
from flint import arb, arb_mat, ctx

from theory.networks.arrays import dense
from theory.validation import FloatArray

# Of a midpoint: sums of float64 products that cancel by seventy bits still keep float64's digits.
PRECISION = 128

Balls = list[arb]


@contextmanager
def precise() -> Iterator[None]:
    """Let midpoints have PRECISION bits while the block runs, and give back what they had."""
    before = ctx.prec
    ctx.prec = PRECISION
    try:
        yield
    finally:
        ctx.prec = before


def matrix(A: Any) -> arb_mat:
    """Return a matrix of float64 numbers, dense or sparse, as it is: every ball is one point.

    Examples
    --------
    >>> matrix(np.array([[0.1]]))[0, 0].fmpq() == arb(0.1).fmpq()
    True
    """
    full = np.asarray(dense(A), dtype=np.float64)
    return arb_mat(full.shape[0], full.shape[1], [arb(v) for v in full.ravel().tolist()])


def column(values: Sequence[arb] | FloatArray) -> arb_mat:
    """Return numbers as a matrix of one column."""
    return arb_mat(len(values), 1, [arb(v) for v in values])


def balls(values: Iterable[float]) -> Balls:
    """Return float64 numbers as they are."""
    return [arb(float(v)) for v in values]


def total(terms: Iterable[arb]) -> arb:
    """Return the sum of balls."""
    return sum(terms, arb(0))


def below(ball: arb) -> float:
    """Return the largest float64 number that is surely not above the true one.

    Raises
    ------
    ValueError
        If the ball says nothing.

    Examples
    --------
    >>> below(arb(1) / 3) < 1 / 3 + 1e-17, below(arb(0.1)) == 0.1
    (True, True)
    """
    with precise():
        end = ball.lower()
    if end.is_nan():
        raise ValueError("a ball must hold a number; got NaN.")
    found = float(end)  # rounds to nearest: perhaps up
    while arb(found) > end:
        found = float(np.nextafter(found, -np.inf))
    return found


def above(ball: arb) -> float:
    """Return the least float64 number that is surely not below the true one."""
    with precise():
        turned = -ball  # at fewer bits it would be rounded
    return -below(turned)
