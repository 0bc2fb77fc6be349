"""The law of the coordinates of a signal: what its features mean and how they scatter."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from theory.validation import as_finite

# Weights written as decimals sum to 1 up to far less than this.
_ROUNDING = 1e-10


@dataclass(frozen=True, kw_only=True, eq=False)
class CoordinateLaw:
    """The law of one feature: its scaled class mean m, and the deviation of its noise.

    Inputs are x = y mu + Sigma^(1/2) z with labels y = ±1, z standard Gaussian and Sigma diagonal.
    Coordinate j has mean mu_j = m_j / sqrt(d) and noise of deviation sigma_j; the pairs
    (m_j, sigma_j) are drawn independently: with probability weights[k] they are
    m ~ N(means[k], deviations[k]^2) and sigma = scales[k]. So ||mu||^2 tends to E m^2.

    Parameters
    ----------
    weights : array, shape (k,)
        Probabilities, at least 0, sum 1.
    means : array, shape (k,)
        Of m, in units of sqrt(d) times a feature.
    deviations : array, shape (k,)
        Of m, at least 0; 0 is a point mass.
    scales : array, shape (k,) or ()
        Standard deviations of the noise, above 0; 1 by default.

    Raises
    ------
    TypeError, ValueError
        If an entry is not a finite number or is out of its range, or shapes do not fit.

    Examples
    --------
    >>> law = CoordinateLaw(weights=[0.9, 0.1], means=[0, 2], deviations=[0, 0])
    >>> law.scales.tolist()
    [1.0, 1.0]
    >>> round(law.signal, 4)
    0.6325
    """

    weights: Any
    means: Any
    deviations: Any
    scales: Any = 1.0

    def __post_init__(self) -> None:
        weights = as_finite("weights", self.weights)
        if weights.ndim != 1 or weights.size == 0:
            raise ValueError(
                f"weights must have shape (k,) with k >= 1; got shape {weights.shape}."
            )
        if (weights < 0).any() or abs(weights.sum() - 1) > _ROUNDING:
            raise ValueError(f"weights must be at least 0 and sum to 1; got {weights.tolist()}.")
        object.__setattr__(self, "weights", weights.copy())
        for name in ("means", "deviations", "scales"):
            values = as_finite(name, getattr(self, name))
            if values.shape not in {(), weights.shape}:
                raise ValueError(
                    f"{name} must have shape ({weights.size},); got shape {values.shape}."
                )
            object.__setattr__(self, name, np.broadcast_to(values, weights.shape).copy())
        if (self.deviations < 0).any():
            raise ValueError(f"deviations must be at least 0; got {self.deviations.min()}.")
        if (self.scales <= 0).any():
            raise ValueError(f"scales must be above 0; got {self.scales.min()}.")

    @property
    def signal(self) -> float:
        """The limit of ||mu||_2: half the distance of the class means."""
        return float(np.sqrt(self.weights @ (self.means**2 + self.deviations**2)))


def spiked_law(signal: float, density: float = 1.0) -> CoordinateLaw:
    """Return the law of a signal that a share of the features carries equally, noise 1.

    Parameters
    ----------
    signal : float, at least 0
        ||mu||_2, in units of the noise.
    density : float, in (0, 1]
        The share of features whose mean is not zero.

    Returns
    -------
    CoordinateLaw

    Raises
    ------
    TypeError, ValueError
        If a number is out of its range.

    Examples
    --------
    >>> law = spiked_law(2.0, density=0.25)
    >>> law.means.tolist(), law.weights.tolist()
    ([0.0, 4.0], [0.75, 0.25])
    """
    signal, density = _checked(signal, density)
    return _with_zeros(density, mean=signal / np.sqrt(density), deviation=0.0)


def gaussian_law(signal: float, density: float = 1.0) -> CoordinateLaw:
    """Return the law of a signal that is Gaussian on a share of the features, noise 1.

    Parameters
    ----------
    signal : float, at least 0
        The limit of ||mu||_2, in units of the noise.
    density : float, in (0, 1]
        The share of features whose mean is not zero.

    Returns
    -------
    CoordinateLaw

    Raises
    ------
    TypeError, ValueError
        If a number is out of its range.

    Examples
    --------
    >>> gaussian_law(2.0).deviations.tolist()
    [2.0]
    """
    signal, density = _checked(signal, density)
    return _with_zeros(density, mean=0.0, deviation=signal / np.sqrt(density))


def _checked(signal: float, density: float) -> tuple[float, float]:
    for name, value in (("signal", signal), ("density", density)):
        if as_finite(name, value).shape != ():
            raise ValueError(f"{name} must be one number; got {value!r:.80}.")
    if signal < 0:
        raise ValueError(f"signal must be at least 0; got {signal}.")
    if not 0 < density <= 1:
        raise ValueError(f"density must be in (0, 1]; got {density}.")
    return float(signal), float(density)


def _with_zeros(density: float, *, mean: float, deviation: float) -> CoordinateLaw:
    if density == 1:
        return CoordinateLaw(weights=[1.0], means=[mean], deviations=[deviation])
    return CoordinateLaw(
        weights=[1 - density, density], means=[0.0, mean], deviations=[0.0, deviation]
    )
