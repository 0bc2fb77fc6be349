"""Moments of a Gaussian between two bounds, without cancelling where these are close."""

from typing import NamedTuple

import numpy as np
from scipy.special import ndtr

from theory.asymptotics.soft_threshold import density
from theory.validation import FloatArray

# Nodes on [0, 1]: 16 integrate a Gaussian over one deviation to rounding.
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(16)
_NODES, _WEIGHTS = (_NODES + 1) / 2, _WEIGHTS / 2


class SlabMoments(NamedTuple):
    """E[r^k; 0 < r < 1] / width of r = Y / width, for k = 0, 1, 2: means of r^k over the slab."""

    zeroth: FloatArray
    first: FloatArray
    second: FloatArray


def slab_moments(mean: FloatArray, deviation: FloatArray, width: FloatArray) -> SlabMoments:
    """Return moments of Y ~ N(mean, deviation^2) between 0 and a width, by the width.

    Kind: exact up to rounding: closed forms where the slab is wider than a deviation,
    Gauss-Legendre where it is thinner and they would cancel.

    Parameters
    ----------
    mean, deviation, width : array, shape (n,)
        The deviation above 0, the width at least 0. Not checked.

    Returns
    -------
    SlabMoments

    Notes
    -----
    theory/proofs/asymptotics.md, [A6].

    Examples
    --------
    >>> moments = slab_moments(np.zeros(1), np.ones(1), np.array([1e-9]))
    >>> [round(float(moment[0]), 6) for moment in moments]
    [0.398942, 0.199471, 0.132981]
    """
    at = (width[:, None] * _NODES - mean[:, None]) / deviation[:, None]
    weights = density(at) * _WEIGHTS / deviation[:, None]
    thin = [weights @ _NODES**k for k in range(3)]
    wide = _closed(mean, deviation, np.maximum(width, deviation))
    is_thin = width < deviation
    return SlabMoments(
        *(np.where(is_thin, *pair) for pair in zip(thin, wide, strict=True)),
    )


def _closed(mean: FloatArray, deviation: FloatArray, width: FloatArray) -> tuple[FloatArray, ...]:
    low, high = mean / deviation, (mean - width) / deviation
    d_low, d_high = deviation * density(low), deviation * density(high)
    p = ndtr(low) - ndtr(high)
    first = mean * p + d_low - d_high
    second = mean * first + deviation**2 * p - width * d_high
    return p / width, first / width**2, second / width**3
