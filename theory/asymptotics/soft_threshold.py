"""Moments of a Gaussian after soft thresholding."""

import math
from typing import NamedTuple

import numpy as np
from scipy.special import ndtr

from theory.validation import FloatArray


class SoftMoments(NamedTuple):
    """Moments of soft(Y, T) = sign(Y) max(|Y| - T, 0), each of the shape of the inputs."""

    mean: FloatArray
    absolute: FloatArray
    square: FloatArray
    share: FloatArray  # Pr(|Y| > T)


def density(t: FloatArray) -> FloatArray:
    """Return the density of a standard Gaussian at t; exact."""
    return np.exp(-t * t / 2) / math.sqrt(2 * math.pi)


def soft_moments(mean: FloatArray, deviation: FloatArray, threshold: FloatArray) -> SoftMoments:
    """Return moments of soft(Y, T) for Y ~ N(mean, deviation^2).

    Kind: exact; far in the tail relative rounding grows by the square of the distance in
    deviations.

    Parameters
    ----------
    mean, deviation, threshold : array, broadcastable
        The deviation above 0, the threshold at least 0. Not checked.

    Returns
    -------
    SoftMoments

    Notes
    -----
    theory/proofs/asymptotics.md, [A8].

    Examples
    --------
    >>> moments = soft_moments(np.array(0.0), np.array(1.0), np.array(0.0))
    >>> float(moments.mean), round(float(moments.absolute), 6), float(moments.square)
    (0.0, 0.797885, 1.0)
    """
    above, below = (mean - threshold) / deviation, (mean + threshold) / deviation
    p_above, p_below = ndtr(above), ndtr(-below)
    d_above, d_below = deviation * density(above), deviation * density(below)
    right = (mean - threshold) * p_above + d_above  # E max(Y - T, 0)
    left = d_below - (mean + threshold) * p_below  # E max(-Y - T, 0)
    variance = deviation * deviation
    square = ((mean - threshold) ** 2 + variance) * p_above + (mean - threshold) * d_above
    square = square + ((mean + threshold) ** 2 + variance) * p_below - (mean + threshold) * d_below
    return SoftMoments(right - left, right + left, square, p_above + p_below)
