"""How many inputs a hyperplane can separate: where training without a penalty has no minimum."""

import math

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import ndtr

from theory.asymptotics.soft_threshold import density
from theory.validation import FloatArray, as_finite


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
        Positive; inf cannot occur.

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
    # The maximum may hide in a corner: bracket it on a grid that is dense near both ends.
    angles = np.linspace(0, math.pi, 1001)
    best = int(np.argmax(_log_ratio(angles, signal, margin)))
    low, high = angles[max(best - 1, 0)], angles[min(best + 1, angles.size - 1)]
    found = minimize_scalar(
        lambda angle: -float(_log_ratio(np.array(angle), signal, margin)),
        bounds=(low, high),
        method="bounded",
        options={"xatol": 1e-10},
    )
    return math.exp(-found.fun)


def _log_ratio(angle: FloatArray, signal: float, margin: float) -> FloatArray:
    c = margin - np.cos(angle) * signal
    short = (c * c + 1) * ndtr(c) + c * density(c)
    with np.errstate(divide="ignore"):
        return np.asarray(2 * np.log(np.sin(angle)) - np.log(short))
