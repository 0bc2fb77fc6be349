"""Caps of the sphere: the share of a sphere within an angle of a pole, and its inverse."""

import math

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import betainc, betaincc, betainccinv, betaincinv

from theory.limits.checks import as_share
from theory.validation import FloatArray, UnsupportedSettingError, as_finite


def cap_measure(angle: ArrayLike, dimension: int) -> FloatArray:
    """Return the share of a sphere within an angle of one of its points.

    Kind: exact, to the digits of an incomplete beta function.

    Parameters
    ----------
    angle : float or array
        In radians; below 0 the cap is empty, above pi the whole sphere.
    dimension : int, at least 2
        d, of the space that the sphere lies in: the unit vectors of R^d.

    Returns
    -------
    array, shape of angle

    Raises
    ------
    TypeError, ValueError
        If an angle is not finite, or the dimension not an integer.
    UnsupportedSettingError
        If the dimension is 1: two points, not connected.

    Notes
    -----
    theory/proofs/limits.md, [L8].

    Examples
    --------
    >>> cap_measure([-1.0, math.pi / 3, 4.0], 3).round(4).tolist()
    [0.0, 0.25, 1.0]
    """
    half = (as_dimension(dimension) - 1) / 2
    theta = as_finite("angle", angle).clip(0.0, math.pi)
    sine, cosine = np.sin(theta) ** 2, np.cos(theta) ** 2
    beyond = betainc(0.5, half, cosine)  # between this angle and a right one, on both sides
    # Of sine and cosine the smaller knows its digits; so does the smaller of two complements.
    rest = np.where(beyond < 0.5, 1 - beyond, betaincc(0.5, half, cosine))
    small = np.where(sine < cosine, betainc(half, 0.5, sine), rest) / 2
    return np.asarray(np.where(theta <= math.pi / 2, small, 1 - small))


def cap_angle(measure: ArrayLike, dimension: int) -> FloatArray:
    """Return the angle of the cap that is a given share of its sphere.

    Kind: exact, to the digits of an inverse incomplete beta function.

    Parameters
    ----------
    measure : float or array, in [0, 1]
    dimension : int, at least 2

    Returns
    -------
    array, shape of measure
        In radians, from 0 to pi.

    Raises
    ------
    TypeError, ValueError, UnsupportedSettingError
        If a share is out of its range, or as `cap_measure`.

    Notes
    -----
    The inverse of `cap_measure`.

    Examples
    --------
    >>> (cap_angle([0.25, 0.5, 0.75], 3) * 180 / math.pi).round(9).tolist()
    [60.0, 90.0, 120.0]
    """
    half = (as_dimension(dimension) - 1) / 2
    share = as_share("measure", measure)
    tail = np.minimum(share, 1 - share)
    sine = betaincinv(half, 0.5, 2 * tail)
    cosine = np.where(
        tail > 0.25,
        betaincinv(0.5, half, 1 - 2 * tail.clip(min=0.25)),
        betainccinv(0.5, half, 2 * tail.clip(max=0.25)),
    )
    small = np.arctan2(np.sqrt(sine), np.sqrt(cosine))
    return np.asarray(np.where(share <= 0.5, small, math.pi - small))


def as_dimension(dimension: int) -> int:
    """Return the dimension of the space around a sphere; refuse all but integers from 2."""
    if isinstance(dimension, bool) or not isinstance(dimension, (int, np.integer)):
        raise TypeError(f"dimension must be an integer; got {dimension!r:.80}.")
    if dimension < 2:
        raise UnsupportedSettingError(f"dimension must be at least 2; got {dimension}.")
    return int(dimension)
