"""The limit law of |g(x)| / ‖∇g(x)‖ of wide networks with random weights, pruned or not."""

import math

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import betainc, betaincinv, ndtr

from theory.validation import FloatArray, as_finite


def ratio_cdf(t: ArrayLike, *, dimension: int, input_norm: float = 1.0) -> FloatArray:
    """Return the probability that the linearised distance |g| / ‖∇g‖ is at most t.

    Kind: estimate, asymptotic: exact in the limit of wide layers. Weights and masks are drawn,
    all with mean zero; neither depth nor densities nor scales enter. Of finite networks not
    checked: see `RandomNetwork.least_fan_in`, which must be large, and `relative_variations`.

    Parameters
    ----------
    t : float or array of any shape
        L2 distances, in units of the input.
    dimension : int, at least 2
        d.
    input_norm : float, positive
        ‖x‖, L2.

    Returns
    -------
    array, shape of t

    Raises
    ------
    TypeError, ValueError
        If a number is not finite or out of its range.

    Notes
    -----
    The law of ‖x‖ |u_1| for u uniform on the sphere of R^d: proofs/ratio_law.md, 4 and 5. For
    large d it is ‖x‖ / √d times the absolute value of a standard normal number.

    Examples
    --------
    >>> ratio_cdf([0.0, 0.5, 1.0], dimension=3).tolist()  # |u_1| is uniform for d = 3
    [0.0, 0.5, 1.0]
    """
    d, size = as_dimension(dimension), as_positive("input_norm", input_norm)
    part = np.clip(as_finite("t", t) / size, 0.0, 1.0)
    return np.asarray(betainc(0.5, (d - 1) / 2, part**2))


def ratio_quantiles(p: ArrayLike, *, dimension: int, input_norm: float = 1.0) -> FloatArray:
    """Return the linearised distances that `ratio_cdf` gives the probabilities p.

    Kind: estimate, asymptotic.

    Parameters
    ----------
    p : float or array of any shape, in [0, 1]
    dimension, input_norm
        As in `ratio_cdf`.

    Returns
    -------
    array, shape of p

    Raises
    ------
    TypeError, ValueError
        As `ratio_cdf`.

    Examples
    --------
    >>> ratio_quantiles(0.5, dimension=784, input_norm=28.0).round(3).item()
    0.675
    """
    d, size = as_dimension(dimension), as_positive("input_norm", input_norm)
    probabilities = as_finite("p", p)
    outside = (probabilities < 0) | (probabilities > 1)
    if outside.any():
        raise ValueError(f"p must lie in [0, 1]; got {probabilities[outside].flat[0]}.")
    return np.asarray(size * np.sqrt(betaincinv(0.5, (d - 1) / 2, probabilities)))


def shifted_ratio_cdf(
    t: ArrayLike,
    *,
    dimension: int,
    shift: float,
    density: float,
    input_norm: float = 1.0,
    alignment: float = 1.0,
) -> FloatArray:
    """Return what `ratio_cdf` becomes with one hidden layer and weights that have a mean.

    Kind: estimate, asymptotic: exact in the limit of d, n and ρ d, ρ n to infinity.

    Parameters
    ----------
    t, dimension, input_norm
        As in `ratio_cdf`.
    shift : float
        m: weights have mean m / √fan-in times their standard deviation, in both layers.
    density : float in (0, 1]
        ρ, of both layers.
    alignment : float in [-1, 1]
        c = Σ x / (√d ‖x‖).

    Returns
    -------
    array, shape of t
        It depends on the density through m √ρ, unless m is zero.

    Raises
    ------
    TypeError, ValueError
        If a number is not finite or out of its range.

    Notes
    -----
    The law of ‖x‖ / √d √(E σ(Z)² / P(Z > 0)) |N(a, 1)| for Z normal with mean m √ρ c and
    a = m √ρ E σ(Z) / √(E σ(Z)²): proofs/ratio_law.md, 6.

    Examples
    --------
    >>> setting = {"dimension": 784, "input_norm": 28.0}
    >>> [shifted_ratio_cdf(1.0, shift=2.0, density=rho, **setting).round(2).item()
    ...     for rho in (1.0, 0.1)]
    [0.08, 0.51]
    """
    d, size = as_dimension(dimension), as_positive("input_norm", input_norm)
    m, rho, c = (as_number(*pair) for pair in (
        ("shift", shift), ("density", density), ("alignment", alignment)))  # fmt: skip
    if not 0 < rho <= 1:
        raise ValueError(f"density must lie in (0, 1]; got {density}.")
    if not -1 <= c <= 1:
        raise ValueError(f"alignment must lie in [-1, 1]; got {alignment}.")
    mean = m * math.sqrt(rho) * c
    on = float(ndtr(mean))
    edge = math.exp(-(mean**2) / 2) / math.sqrt(2 * math.pi)
    first, second = mean * on + edge, (1 + mean**2) * on + mean * edge
    center = m * math.sqrt(rho) * first / math.sqrt(second)
    steps = np.maximum(as_finite("t", t), 0.0) / (size / math.sqrt(d) * math.sqrt(second / on))
    return np.asarray(ndtr(steps - center) - ndtr(-steps - center))


def as_dimension(dimension: int) -> int:
    """Return d; TypeError or ValueError if it is no integer of at least 2."""
    if not isinstance(dimension, (int, np.integer)) or isinstance(dimension, bool):
        raise TypeError(f"dimension must be an integer; got {dimension!r}.")
    if dimension < 2:
        raise ValueError(f"dimension must be at least 2; got {dimension}.")
    return int(dimension)


def as_number(name: str, value: float) -> float:
    """Return a finite number; TypeError or ValueError if it is none."""
    number = as_finite(name, value)
    if number.ndim:
        raise ValueError(f"{name} must be a number; got shape {number.shape}.")
    return float(number)


def as_positive(name: str, value: float) -> float:
    """Return a positive number; TypeError or ValueError if it is none."""
    number = as_number(name, value)
    if number <= 0:
        raise ValueError(f"{name} must be positive; got {value}.")
    return number
