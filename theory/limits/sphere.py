"""Inputs spread evenly over a sphere: errors of a given measure are near every input."""

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtri, poch

from theory.limits.caps import as_dimension, cap_angle, cap_measure
from theory.limits.checks import as_positive, as_share
from theory.limits.gaussian import mean_positive_part
from theory.validation import FloatArray, as_budget

# What is left out of an integral, as a share of the sphere, and the nodes for the rest.
_LEFT_OUT = 1e-25
_NODES = np.polynomial.legendre.leggauss(200)


def chord(arc: ArrayLike, *, radius: float = 1.0) -> FloatArray:
    """Return the straight distance of two points of a sphere from that along it.

    Kind: exact.

    Parameters
    ----------
    arc : float or array, nonnegative
        The distance along the sphere; beyond half a great circle the chord is the diameter.
    radius : float, above 0

    Returns
    -------
    array, shape of arc

    Raises
    ------
    TypeError, ValueError
        If a number is out of its range.

    Examples
    --------
    >>> chord([math.pi / 3, 10.0]).round(4).tolist()
    [1.0, 2.0]
    """
    R = as_positive("radius", radius)
    return np.asarray(2 * R * np.sin((as_budget(arc, "arc") / (2 * R)).clip(max=math.pi / 2)))


def sphere_robust_ceiling(
    accuracy: ArrayLike, eps: ArrayLike, *, dimension: int, radius: float = 1.0
) -> FloatArray:
    """Return the robust accuracy on a sphere that no classifier exceeds.

    Kind: upper, for every deterministic classifier of this accuracy; exact in that one whose errors
    are a cap has it, as long as attacks stay on the sphere. Attacks that may leave it do no less.

    Parameters
    ----------
    accuracy : float or array, in [0, 1]
        The share of the sphere that is classified correctly without an attack.
    eps : float or array, nonnegative
        L2, straight through the ball; broadcast with the accuracy. For a budget along the sphere:
        `chord` of it.
    dimension : int, at least 2
        d, of the space that the sphere lies in.
    radius : float, above 0

    Returns
    -------
    array, shape of accuracy and eps, broadcast

    Raises
    ------
    TypeError, ValueError, UnsupportedSettingError
        If a number is out of its range.

    Notes
    -----
    Lévy 1951, Schmidt 1948; theory/proofs/limits.md, [L9].

    Examples
    --------
    >>> sphere_robust_ceiling(0.99, [0.0, 0.1, 0.2], dimension=500).round(3).tolist()
    [0.99, 0.536, 0.016]
    """
    size = as_positive("radius", radius)
    share = as_share("accuracy", accuracy)
    turn = 2 * np.arcsin((as_budget(eps) / (2 * size)).clip(max=1.0))
    # Without an error there is none to reach, however far.
    kept = cap_measure(cap_angle(share, dimension) - turn, dimension)
    return np.asarray(np.where(share == 1, 1.0, kept))


def sphere_distance_ceiling(accuracy: float, *, dimension: int, radius: float = 1.0) -> float:
    """Return the mean L2 distance to the nearest error on a sphere that no classifier exceeds.

    Kind: upper, exact where the errors are a cap; the quadrature errs by rounding. The distance is
    straight, to errors on the sphere; an error is at distance 0.

    Parameters
    ----------
    accuracy : float, in [0, 1]
    dimension : int, at least 2
    radius : float, above 0

    Returns
    -------
    float
        In the units of the radius; infinite if the accuracy is 1.

    Raises
    ------
    TypeError, ValueError, UnsupportedSettingError
        If a number is out of its range.

    Notes
    -----
    The integral of `sphere_robust_ceiling` over eps: theory/proofs/limits.md, [L10].

    Examples
    --------
    >>> round(sphere_distance_ceiling(0.99, dimension=500), 4)
    0.1042
    """
    size = as_positive("radius", radius)
    return size * _mean_over_cap(accuracy, dimension, lambda way: np.cos(way / 2))


def sphere_arc_ceiling(accuracy: float, *, dimension: int, radius: float = 1.0) -> float:
    """Return the mean distance along the sphere to the nearest error that no classifier exceeds.

    Kind: upper, as `sphere_distance_ceiling`.

    Parameters
    ----------
    accuracy, dimension, radius
        As in `sphere_distance_ceiling`.

    Returns
    -------
    float

    Raises
    ------
    TypeError, ValueError, UnsupportedSettingError
        As `sphere_distance_ceiling`.

    Notes
    -----
    theory/proofs/limits.md, [L10].

    Examples
    --------
    >>> round(sphere_arc_ceiling(0.5, dimension=2), 4)  # pi / 8
    0.3927
    """
    size = as_positive("radius", radius)
    return size * _mean_over_cap(accuracy, dimension, np.ones_like)


def sphere_arc_rate(accuracy: ArrayLike, *, dimension: int, radius: float = 1.0) -> FloatArray:
    """Return a closed form above `sphere_arc_ceiling`, that of order 1/√d.

    Kind: upper, for straight distances and those along the sphere.

    Parameters
    ----------
    accuracy : float or array, in [0, 1]
    dimension : int, at least 2
    radius : float, above 0

    Returns
    -------
    array, shape of accuracy

    Raises
    ------
    TypeError, ValueError, UnsupportedSettingError
        If a number is out of its range.

    Notes
    -----
    R (u Φ(u) + φ(u)) / κ with u = Φ⁻¹(accuracy) and κ = √2 Γ(d/2) / Γ((d - 1)/2), which is between
    √(d - 2) and √(d - 1). Gilmer et al. 2018, Theorem 5.1, says O(u/√d), which forgets that
    distances do not vanish at u = 0; theory/proofs/limits.md, [L11] to [L13].

    Examples
    --------
    >>> sphere_arc_rate([0.5, 0.99], dimension=500).round(4).tolist()
    [0.0179, 0.1043]
    """
    kappa = math.sqrt(2) * float(poch((as_dimension(dimension) - 1) / 2, 0.5))
    u = ndtri(as_share("accuracy", accuracy))
    return np.asarray(as_positive("radius", radius) / kappa * mean_positive_part(u))


def _mean_over_cap(
    accuracy: float, dimension: int, speed: Callable[[FloatArray], FloatArray]
) -> float:
    """Return the integral of speed(way) · cap_measure(theta - way), theta the correct cap's [L10].

    Below the angle `low` a cap is too small for float64 to miss it.
    """
    share = as_share("accuracy", accuracy)
    if share.shape != ():
        raise ValueError(f"accuracy must be one number; got shape {share.shape}.")
    if share == 1:
        return math.inf
    theta = float(cap_angle(share, dimension))
    low = float(cap_angle(_LEFT_OUT * share, dimension))
    at = low + (theta - low) * (_NODES[0] + 1) / 2
    return float((theta - low) / 2 * (_NODES[1] @ (speed(theta - at) * cap_measure(at, dimension))))
