"""The logistic loss log(1 + exp(drop - m)) of a fitted margin m, by quadrature."""

import math

import numpy as np
from scipy.special import expit, wrightomega

from theory.asymptotics.loss_moments import LossMoments
from theory.asymptotics.soft_threshold import density
from theory.validation import FloatArray

_REACH = 8.5  # deviations; a Gaussian has less than 2e-17 beyond
_STEP = 0.4  # of the trapezoid rule, in deviations and in units of the margin
_MOST_NODES = 20_000  # a spread of 600: past any training that has a minimum worth the name
_NEWTON = 60
_CLOSE = 1e-9  # a Newton step this small leaves an error of its square


def logistic_moments(
    mean: FloatArray, spread: FloatArray, V: FloatArray, drop: FloatArray
) -> LossMoments:
    """Return the moments of the logistic loss, its worst case within a drop of the margin.

    Kind: exact up to the quadrature, whose error is estimated by comparing it with the same rule
    on every other node.

    Parameters
    ----------
    mean, spread : array, shape (n,)
        Of the margin left out; the spread above 0.
    V, drop : array, shape (n,)
        The susceptibility, above 0; how far the training attack moves a margin.

    Returns
    -------
    LossMoments

    Notes
    -----
    The integrand is analytic in a strip of half-width near pi about the real margins, whatever V:
    the trapezoid rule's error falls as exp(-2 pi^2 / step): theory/proofs/asymptotics.md, [A7].
    """
    nodes, weights = _trapezoid(float(spread.max()))
    h = (mean - drop)[:, None] + spread[:, None] * nodes
    u = logistic_prox(h, V[:, None])
    slope = expit(-u)
    curvature = slope * (1 - slope)
    stiffness = curvature / (1 + V[:, None] * curvature)
    pull = slope @ weights
    error = np.zeros_like(V)
    for values in (slope, slope * slope, stiffness):
        whole, halved = values @ weights, 2 * (values[:, ::2] @ weights[::2])
        error = np.maximum(error, np.abs(halved / whole - 1))
    return LossMoments(
        pull=pull,
        scatter=(slope * slope) @ weights,
        stiffness=stiffness @ weights,
        price=pull,
        loss=np.logaddexp(0, -u) @ weights,
        prox_residual=np.abs(u - V[:, None] * slope - h).max(axis=1) / (1 + V),
        quadrature_error=error,
    )


def logistic_prox(h: FloatArray, V: FloatArray) -> FloatArray:
    """Return u with u = h + V / (1 + exp(u)): the margin that a step against the loss reaches.

    Kind: exact up to rounding; Newton's method from a start from which it cannot overshoot.

    Parameters
    ----------
    h, V : array, broadcastable
        Finite; V above 0.

    Returns
    -------
    array, of the broadcast shape

    Notes
    -----
    The equation is unchanged by (u, h) -> (-u, -h - V), so let h >= -V/2 and u >= 0. There
    f(u) = u - h - V / (1 + exp(u)) is increasing and concave, so Newton's method climbs to the root
    from any point below it; 1 / (1 + exp(u)) >= exp(-u) / 2 gives one that is close:
    theory/proofs/asymptotics.md, [A7].

    Examples
    --------
    >>> h, V = np.array([0.0, -5.0]), np.array([1.0, 1e4])
    >>> u = logistic_prox(h, V)
    >>> bool(np.allclose(u - V / (1 + np.exp(u)), h))
    True
    """
    flipped = h < -V / 2
    k = np.where(flipped, -h - V, h)
    u = np.maximum(k + wrightomega(np.log(V / 2) - k), 0.0)
    for _ in range(_NEWTON):
        slope = expit(-u)
        step = (V * slope + k - u) / (1 + V * slope * (1 - slope))
        u = u + step
        if np.abs(step).max() <= _CLOSE:
            break
    return np.asarray(np.where(flipped, -u, u))


def _trapezoid(spread: float) -> tuple[FloatArray, FloatArray]:
    """Return nodes (deviations) and weights fine enough for margins of this spread."""
    half = math.ceil(_REACH / min(_STEP, _STEP / spread) / 2) * 2
    half = min(half, _MOST_NODES)
    step = _REACH / half
    nodes = np.arange(-half, half + 1, dtype=np.float64) * step
    return nodes, density(nodes) * step
