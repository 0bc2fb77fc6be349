"""What simulations of several sizes say about the limit, and how far from it a size is."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from theory.validation import FloatArray, as_finite


class Extrapolated(NamedTuple):
    """A mean over draws as the dimension d grows: limit + slope / d. Kind: estimate.

    Attributes
    ----------
    limit, error : float
        The value at 1/d = 0 and its standard error.
    slope, slope_error : float
    misfit : float
        Chi-square of the fit, with as many degrees of freedom as sizes beyond two.
    """

    limit: float
    error: float
    slope: float
    slope_error: float
    misfit: float


def extrapolate(dimensions: Sequence[int], means: ArrayLike, errors: ArrayLike) -> Extrapolated:
    """Return the limit of means that simulations of several sizes came to.

    Parameters
    ----------
    dimensions : sequence of k >= 2 different int
    means, errors : array, shape (k,)
        Means over draws, and their standard errors, above 0.

    Returns
    -------
    Extrapolated

    Raises
    ------
    TypeError, ValueError
        If shapes do not fit, sizes are not different or errors are not above 0.

    Notes
    -----
    Measures are smooth functions f of few sums over inputs and features (overlap, norms), whose
    fluctuations about the limit are of order 1 / sqrt(d), with a mean of order 1/d. By Taylor the
    mean of f strays from its limit by f' times that mean and f'' / 2 times the variance: order
    1/d. One draw strays by order 1 / sqrt(d): see `allowance`. This is an argument, not a theorem:
    the misfit tests it.

    Examples
    --------
    >>> extrapolate([100, 200, 400], [2.1, 2.05, 2.025], [0.01] * 3).limit.__round__(6)
    2.0
    """
    d, mean, error = (as_finite("sizes, means and errors", v) for v in (dimensions, means, errors))
    if d.ndim != 1 or mean.shape != d.shape or error.shape != d.shape:
        raise ValueError(f"means and errors must be one a size; got {mean.shape}, {error.shape}.")
    if np.unique(d).size < max(2, d.size) or d.min() <= 0:
        raise ValueError(f"dimensions must be two or more different sizes; got {d.tolist()}.")
    if error.min() <= 0:
        raise ValueError(f"errors must be above 0; got {error.min()}.")
    design = np.stack([np.ones_like(d), 1 / d], axis=1) / error[:, None]
    covariance = np.linalg.inv(design.T @ design)
    limit, slope = covariance @ (design.T @ (mean / error))
    misfit = float((((mean - limit - slope / d) / error) ** 2).sum())
    deviations = np.sqrt(np.diag(covariance))
    return Extrapolated(
        float(limit), float(deviations[0]), float(slope), float(deviations[1]), misfit
    )


def allowance(
    dimensions: Sequence[int], deviations: ArrayLike, *, times: float = 3.0
) -> FloatArray:
    """Return c such that one draw of d features strays by about c / sqrt(d) from the mean at most.

    Kind: estimate: so many times the deviation of single draws, pooled over sizes. It holds for
    measures that vary with 1 / sqrt(d); `deviations * sqrt(d)` shows whether they do.

    Parameters
    ----------
    dimensions : sequence of int
    deviations : array, shape (k, ...)
        Of single draws, size by size.
    times : float

    Returns
    -------
    array, of the shape of one size's deviations

    Examples
    --------
    >>> allowance([100, 400], [0.02, 0.01]).round(6).tolist()
    0.6
    """
    spread = as_finite("deviations", deviations)
    d = as_finite("dimensions", dimensions)
    if d.ndim != 1 or spread.shape[:1] != d.shape:
        raise ValueError(f"deviations must be one a size; got {spread.shape} for {d.size} sizes.")
    scaled = np.moveaxis(spread, 0, -1) ** 2 * d
    return np.asarray(times * np.sqrt(scaled.mean(axis=-1)))
