"""Rational arithmetic for violations: a number of float64 is a fraction, and so is what follows."""

from fractions import Fraction
from math import isqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

_DIGITS = 40  # of roots, after the point


def as_fractions(array: NDArray[Any]) -> NDArray[Any]:
    """Return the same numbers as fractions, in an array of objects; what is infinite stays.

    Examples
    --------
    >>> as_fractions(np.array([0.5, -2.0])).tolist()
    [Fraction(1, 2), Fraction(-2, 1)]
    """
    flat = [Fraction(value) if np.isfinite(value) else value for value in np.ravel(array).tolist()]
    found = np.empty(len(flat), dtype=object)
    found[:] = flat
    return found.reshape(np.shape(array))


def as_floats(array: NDArray[Any]) -> NDArray[np.float64]:
    """Return numbers, fractions perhaps, as float64."""
    return np.asarray(array, dtype=np.float64)


def roots(squares: Any) -> Any:
    """Return square roots: of floats in float64, of fractions rounded down to forty digits.

    Examples
    --------
    >>> roots(np.array([4.0])).tolist(), roots(as_fractions(np.array([2.25]))).tolist()
    ([2.0], [Fraction(3, 2)])
    """
    values = np.asarray(squares)
    if values.dtype != object:
        return np.sqrt(values)
    found = np.empty(values.size, dtype=object)
    found[:] = [_root(value) for value in values.ravel()]
    return found.reshape(values.shape)


def lengths(vectors: Any, norm: float) -> Any:
    """Return the norms, 1, 2 or inf, of vectors along the last axis, floats or fractions."""
    size = np.abs(vectors)
    if norm == 1:
        return size.sum(axis=-1)
    return size.max(axis=-1) if norm == np.inf else roots((size * size).sum(axis=-1))


def _root(square: Fraction) -> Fraction:
    unit = 10**_DIGITS
    return Fraction(isqrt(square.numerator * unit * unit // square.denominator), unit)
