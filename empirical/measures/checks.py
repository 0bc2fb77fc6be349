"""Checks of what measures are given: each says what must hold and what was given."""

import numpy as np
from numpy.typing import ArrayLike

from empirical.attack_stack import BoolArray
from theory.validation import FloatArray, as_finite


def refuse_level(level: float) -> None:
    """Raise ValueError unless a level of confidence lies in (0, 1)."""
    if not 0 < level < 1:
        raise ValueError(f"level must lie in (0, 1); got {level}.")


def as_outcomes(name: str, outcomes: ArrayLike, n: int | None = None) -> BoolArray:
    """Return one boolean for each of n inputs, or of any number but none."""
    array = np.asarray(outcomes)
    if array.dtype != np.bool_:
        raise TypeError(f"{name} must be booleans; got {array.dtype}.")
    if array.ndim != 1 or array.size == 0:
        raise ValueError(f"{name} must have shape (n,) with n >= 1; got shape {array.shape}.")
    if n is not None and array.size != n:
        raise ValueError(f"{name} must have shape (n,) with n={n}; got shape {array.shape}.")
    return array


def as_shares(shares: ArrayLike) -> FloatArray:
    """Return some shares, each in [0, 1], as a float64 array."""
    array = as_finite("shares", shares)
    if array.ndim != 1 or array.size == 0:
        raise ValueError(f"shares must have shape (k,) with k >= 1; got shape {array.shape}.")
    outside = (array < 0) | (array > 1)
    if outside.any():
        raise ValueError(f"shares must lie in [0, 1]; got {array[outside][0]}.")
    return array
