"""How many to remove, exactly, and which."""

import math
from fractions import Fraction
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import NDArray

from theory.validation import FloatArray

BoolArray = NDArray[np.bool_]


def as_fraction(name: str, value: Any) -> Fraction:
    """Return a number as an exact fraction; a float stands for the decimal that it is written as.

    Raises
    ------
    TypeError, ValueError
        If it is no number, or not finite.

    Examples
    --------
    >>> as_fraction("share", 0.1)
    Fraction(1, 10)
    """
    if isinstance(value, bool) or not isinstance(value, Real):
        raise TypeError(f"{name} must be a number; got {value!r}.")
    if isinstance(value, Fraction):
        return value
    if not math.isfinite(value):
        raise ValueError(f"{name} must be finite; got {value}.")
    return Fraction(repr(float(value)))


def as_compression(compression: float | Fraction) -> Fraction:
    """Return a compression as an exact fraction; refuse what is not a finite number from 1 on."""
    number = as_fraction("compression", compression)
    if number < 1:
        raise ValueError(f"compression must be at least 1; got {compression}.")
    return number


def compression_at(density: float | Fraction) -> Fraction:
    """Return the compression 1/density, exactly.

    Parameters
    ----------
    density : float or Fraction, in (0, 1]
        The share of groups kept. A float stands for the decimal that it is written as.

    Raises
    ------
    TypeError, ValueError
        If it is no such number.

    Examples
    --------
    >>> compression_at(0.1)
    Fraction(10, 1)
    """
    number = as_fraction("density", density)
    if not 0 < number <= 1:
        raise ValueError(f"density must be in (0, 1]; got {density}.")
    return 1 / number


def rounded(number: Fraction) -> int:
    """Return the nearest integer; of two, the even one, as torch.nn.utils.prune does.

    Examples
    --------
    >>> rounded(Fraction(5, 2)), rounded(Fraction(12, 5))
    (2, 2)
    """
    return round(number)


def survivors(
    scores: FloatArray, alive: BoolArray, protected: BoolArray, *, removed: int
) -> BoolArray:
    """Return which of n are kept when so many are removed: what is gone counts, and goes first.

    Then the least scores go; of equal ones the first; the protected last.

    Parameters
    ----------
    scores : array, shape (n,)
        Finite.
    alive, protected : array of bool, shape (n,)
    removed : int, in [0, n]

    Examples
    --------
    >>> alive = np.array([True, True, False, True])
    >>> survivors(np.array([2.0, 1.0, 9.0, 1.0]), alive, ~alive & False, removed=2)
    array([ True, False, False,  True])
    """
    order = np.lexsort((scores, protected, alive))  # stable: of equal ones the first
    kept = np.ones_like(alive)
    kept[order[:removed]] = False
    return kept
