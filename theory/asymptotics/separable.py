"""How many inputs a hyperplane can separate: where training without a penalty has no minimum."""

import math

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import ndtr, roots_genlaguerre

from theory.asymptotics.soft_threshold import density
from theory.validation import FloatArray, as_finite

_TAIL = -3.0  # below, the closed form would cancel
_NODES, _WEIGHTS = roots_genlaguerre(24, 2)


def separability_ratio(signal: float, margin: float = 0.0) -> float:
    """Return the ratio n / d below which two Gaussian classes are separable by a hyperplane.

    Kind: exact threshold of the limit: below it a unit vector w with y w·x >= margin for all n
    inputs exists with probability tending to 1, above it to 0.

    Parameters
    ----------
    signal : float, at least 0
        ||mu||_2; noise of covariance I.
    margin : float, at least 0
        In units of x.

    Returns
    -------
    float
        Positive; inf where it exceeds what a float holds, from a signal of 38.

    Raises
    ------
    TypeError, ValueError
        If a number is not finite or is negative.

    Notes
    -----
    max over the cosine rho of (1 - rho^2) / E[max(margin - rho signal - G, 0)^2]:
    theory/proofs/asymptotics.md, [A11]. 2 without a signal: Cover 1965. Candes and Sur 2018
    (arXiv 1804.09753) for logistic labels; Deng, Kammoun, Thrampoulidis 2019 (arXiv 1911.05822)
    for mixtures.

    Examples
    --------
    >>> round(separability_ratio(0.0), 6)
    2.0
    """
    for name, value in (("signal", signal), ("margin", margin)):
        if as_finite(name, value).shape != () or value < 0:
            raise ValueError(f"{name} must be a number of at least 0; got {value}.")
    # For strong signals the maximum hides near 0: bracket it on a grid first.
    angles = np.linspace(0, math.pi, 1001)
    best = int(np.argmax(_log_ratio(angles, signal, margin)))
    low, high = angles[max(best - 1, 0)], angles[min(best + 1, angles.size - 1)]
    found = minimize_scalar(
        lambda angle: -float(_log_ratio(np.array(angle), signal, margin)),
        bounds=(low, high),
        method="bounded",
        options={"xatol": 1e-10},
    )
    with np.errstate(over="ignore"):
        return float(np.exp(-found.fun))


def _log_ratio(angle: FloatArray, signal: float, margin: float) -> FloatArray:
    with np.errstate(divide="ignore"):
        return np.asarray(
            2 * np.log(np.sin(angle)) - _log_shortfall(margin - np.cos(angle) * signal)
        )


def _log_shortfall(c: FloatArray) -> FloatArray:
    """Return log E[max(c + G, 0)^2] of a standard Gaussian G."""
    near, far = np.maximum(c, _TAIL), np.maximum(-c, -_TAIL)
    with np.errstate(over="ignore"):
        size = 2 * np.log(np.hypot(near, 1))
        inside = size + np.log(ndtr(near) + near * density(near) / (near * near + 1))
    # With t = s / far: density(far) / far^3 times the integral of s^2 exp(-s - s^2 / (2 far^2)).
    tail = np.exp(-np.square(_NODES / far[..., None]) / 2) @ _WEIGHTS
    outside = np.log(tail) - 3 * np.log(far) - far * far / 2 - math.log(2 * math.pi) / 2
    return np.asarray(np.where(c < _TAIL, outside, inside))
