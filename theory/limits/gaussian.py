"""One Gaussian class: errors of a given probability are near every input."""

import math

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtr, ndtri

from theory.limits.checks import as_positive, as_share
from theory.validation import FloatArray, UnsupportedSettingError, as_budget, as_finite, as_norm

# A covariance computed in float64 is symmetric and positive to far less than this, relatively.
_ROUNDING = 1e-10


def largest_deviation(covariance: ArrayLike, *, norm: float = 2) -> float:
    """Return the largest standard deviation of w·x among all w of dual norm 1.

    Kind: exact. It is the deviation that a budget is measured in: sqrt of the largest eigenvalue
    for L2, of the largest variance of a feature for Linf.

    Parameters
    ----------
    covariance : float or array, shape (), (d,) or (d, d)
        A multiple of the identity, a diagonal, or a symmetric positive semidefinite matrix.
    norm : {2, inf}
        Of the attack.

    Returns
    -------
    float
        In the units of x.

    Raises
    ------
    UnsupportedSettingError
        If the norm is 0 or 1.
    TypeError, ValueError
        If the covariance is malformed, asymmetric or has a negative variance.

    Notes
    -----
    theory/proofs/limits.md, [L3].

    Examples
    --------
    >>> largest_deviation([[2.0, 2.0], [2.0, 2.0]])
    2.0
    >>> round(largest_deviation([[2.0, 2.0], [2.0, 2.0]], norm=float("inf")), 4)
    1.4142
    """
    Sigma, order = as_finite("covariance", covariance), as_norm(norm)
    if order not in (2, math.inf):
        raise UnsupportedSettingError(f"norm must be 2 or inf; got {norm}.")
    if Sigma.size == 0 or Sigma.ndim > 2 or (Sigma.ndim == 2 and Sigma.shape[0] != Sigma.shape[1]):
        raise ValueError(f"covariance must have shape (), (d,) or (d, d); got {Sigma.shape}.")
    variances: FloatArray = Sigma
    if Sigma.ndim == 2:
        slack = _ROUNDING * float(np.abs(Sigma).max())
        if np.abs(Sigma - Sigma.T).max() > slack:
            raise ValueError("covariance must be symmetric; its mirrored entries differ.")
        eigenvalues = np.asarray(np.linalg.eigvalsh(Sigma), dtype=np.float64)
        if eigenvalues[0] < -slack:
            raise ValueError(f"covariance must be positive semidefinite; got {eigenvalues[0]}.")
        variances = eigenvalues if order == 2 else np.asarray(np.diag(Sigma))
    elif Sigma.min() < 0:
        raise ValueError(f"covariance must have no negative variance; got {Sigma.min()}.")
    return math.sqrt(max(0.0, float(variances.max())))


def gaussian_robust_ceiling(
    accuracy: ArrayLike, eps: ArrayLike, *, deviation: float = 1.0
) -> FloatArray:
    """Return the robust accuracy on one Gaussian class that no classifier exceeds.

    Kind: upper, for every deterministic classifier of this accuracy on the class; exact in that a
    half-space across the direction of the largest deviation has it. Inputs are N(m, Sigma), any m.
    No box.

    Parameters
    ----------
    accuracy : float or array, in [0, 1]
        The share of the class that is classified correctly without an attack.
    eps : float or array, nonnegative
        In the units of x; broadcast with the accuracy.
    deviation : float, above 0
        `largest_deviation` of the covariance in the attack's norm. Of two attacks at once, in L2
        and Linf, the budgets in their deviations add: eps is then that sum, and deviation 1.

    Returns
    -------
    array, shape of accuracy and eps, broadcast

    Raises
    ------
    TypeError, ValueError
        If a number is out of its range.

    Notes
    -----
    Φ(Φ⁻¹(accuracy) - eps/deviation): Borell 1975 and Sudakov, Tsirelson 1974;
    theory/proofs/limits.md, [L1] to [L3].

    Examples
    --------
    >>> gaussian_robust_ceiling(0.975, [0.0, 1.96]).round(3).tolist()
    [0.975, 0.5]
    """
    kept, budgets = as_share("accuracy", accuracy), as_budget(eps)
    return np.asarray(ndtr(ndtri(kept) - budgets / as_positive("deviation", deviation)))


def gaussian_distance_ceiling(accuracy: ArrayLike, *, deviation: float = 1.0) -> FloatArray:
    """Return the mean distance to the nearest error that no classifier exceeds: r_2 of one class.

    Kind: upper, exact for half-spaces, as `gaussian_robust_ceiling`. An error is at distance 0.

    Parameters
    ----------
    accuracy : float or array, in [0, 1]
    deviation : float, above 0
        As in `gaussian_robust_ceiling`; its norm is that of the distance.

    Returns
    -------
    array, shape of accuracy
        In the units of x; infinite where the accuracy is 1.

    Raises
    ------
    TypeError, ValueError
        If a number is out of its range.

    Notes
    -----
    The integral over eps of `gaussian_robust_ceiling`: theory/proofs/limits.md, [L4].

    Examples
    --------
    >>> gaussian_distance_ceiling([0.5, 1.0]).round(4).tolist()
    [0.3989, inf]
    """
    scale = as_positive("deviation", deviation)
    return np.asarray(scale * mean_positive_part(ndtri(as_share("accuracy", accuracy))))


def mean_positive_part(u: ArrayLike) -> FloatArray:
    """Return E max(u + z, 0) = u Φ(u) + φ(u), z standard Gaussian; u may be infinite.

    Examples
    --------
    >>> mean_positive_part([-np.inf, 0.0, np.inf]).round(4).tolist()
    [0.0, 0.3989, inf]
    """
    ends = np.asarray(u, dtype=np.float64)
    # Where Φ is 0 in float64, so is its product with u, which for an infinite u is no number.
    finite = np.maximum(ends, -40.0)
    density = np.exp(-np.square(np.minimum(finite, 40.0)) / 2) / math.sqrt(2 * math.pi)
    return np.asarray(np.maximum(finite * ndtr(finite) + density, 0.0))
