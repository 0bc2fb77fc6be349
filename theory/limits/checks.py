"""Checks that the ceilings share."""

from numpy.typing import ArrayLike

from theory.validation import FloatArray, as_finite


def as_share(name: str, value: ArrayLike) -> FloatArray:
    """Return probabilities as a float64 array; refuse what is not in [0, 1]."""
    shares = as_finite(name, value)
    beyond = (shares < 0) | (shares > 1)
    if beyond.any():
        raise ValueError(f"{name} must be in [0, 1]; got {shares[beyond].flat[0]}.")
    return shares


def as_positive(name: str, value: float) -> float:
    """Return one number above 0; refuse others."""
    number = as_finite(name, value)
    if number.shape != () or not number > 0:
        raise ValueError(f"{name} must be a number above 0; got {value!r:.80}.")
    return float(number)
