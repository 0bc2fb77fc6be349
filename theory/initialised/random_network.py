"""The law of a ReLU network without biases whose weights are drawn and pruned at random."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from theory.validation import FloatArray, as_finite, as_inputs, refuse_nonfinite


@dataclass(frozen=True, kw_only=True, eq=False)
class RandomNetwork:
    """The law of g(x) = w σ(W_{L-1} σ(... σ(W_1 x))): entries V M, V of mean zero, M a mask of V.

    All entries of a layer have one law, and all entries and masks are independent.

    Parameters
    ----------
    widths : sequence of L int
        (d, n_1, ..., n_{L-1}): the inputs, and the units of each hidden layer.
    densities : float or sequence of L floats, in (0, 1]
        The probability that a weight is kept.
    deviations : float or sequence of L floats, positive
        Standard deviations of V.
    kurtoses : float or sequence of L floats, at least 1
        E V⁴ / (E V²)²: 3 of normal weights, 9/5 of uniform ones, 1 of random signs.
    difference : bool
        Whether g is the difference of two outputs, whose rows are drawn and pruned each by itself.

    Raises
    ------
    TypeError, ValueError
        If widths are not positive integers, or numbers are not one a layer and of their range.

    Examples
    --------
    >>> net = RandomNetwork(widths=(784, 1000), densities=[0.5, 0.25])
    >>> net.least_fan_in
    250.0
    """

    widths: Any
    densities: Any = 1.0
    deviations: Any = 1.0
    kurtoses: Any = 3.0
    difference: bool = False

    def __post_init__(self) -> None:
        widths = as_finite("widths", self.widths)
        if widths.ndim != 1 or not widths.size or (widths < 1).any() or (widths % 1).any():
            raise ValueError(f"widths must be positive integers; got {self.widths!r}.")
        object.__setattr__(self, "widths", tuple(int(n) for n in widths))
        for name, least in (("densities", 0.0), ("deviations", 0.0), ("kurtoses", 1.0)):
            object.__setattr__(self, name, self._a_layer(name, getattr(self, name), least))
        if (self.densities > 1).any():
            raise ValueError(f"densities must be at most 1; got {self.densities.max()}.")

    def _a_layer(self, name: str, values: ArrayLike, least: float) -> FloatArray:
        numbers = as_finite(name, values)
        if numbers.shape not in {(), (self.depth,)}:
            raise ValueError(f"{name} must be one a layer, {self.depth}; got {numbers.shape}.")
        if (numbers < least).any() or (least == 0 and (numbers == 0).any()):
            says = "positive" if least == 0 else f"at least {least:g}"
            raise ValueError(f"{name} must be {says}; got {numbers.min()}.")
        return np.array(np.broadcast_to(numbers, (self.depth,)))

    @property
    def depth(self) -> int:
        """The number of layers, L."""
        return len(self.widths)

    @property
    def dimension(self) -> int:
        """The number of inputs, d."""
        return int(self.widths[0])

    @property
    def variances(self) -> FloatArray:
        """The variance of an entry of each layer, pruned; of the last, of the row of g."""
        pruned = self.densities * self.deviations**2
        return np.asarray(np.where(self._doubled, 2 * pruned, pruned))

    @property
    def tails(self) -> FloatArray:
        """The kurtosis of an entry of each layer, pruned; of the last, of the row of g."""
        pruned = self.kurtoses / self.densities
        return np.asarray(np.where(self._doubled, 3 + (pruned - 3) / 2, pruned))

    @property
    def least_fan_in(self) -> float:
        """The least mean number of weights kept by a unit, or by an output: min ρ_j n_{j-1}."""
        return float((self.densities * np.array(self.widths)).min())

    @property
    def _doubled(self) -> FloatArray:
        return np.asarray((np.arange(self.depth) == self.depth - 1) & self.difference)


def as_input(net: RandomNetwork, x: ArrayLike) -> FloatArray:
    """Return one input, (d,); ValueError if it does not fit or is zero."""
    (point,) = as_inputs(np.atleast_2d(np.asarray(x)), net.dimension)[:1]
    refuse_nonfinite(point[None])
    if np.ndim(x) != 1 or not point.any():
        raise ValueError(f"x must be one input, not zero; got shape {np.shape(x)}.")
    return np.asarray(point)
