"""How far two laws are from each other, told by samples of them."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from theory.validation import FloatArray


class Gap(NamedTuple):
    """A Kolmogorov-Smirnov distance of two laws: an estimate, and limits that hold together.

    Attributes
    ----------
    value, lower, upper : float
    """

    value: float
    lower: float
    upper: float


def gap_between(one: FloatArray, other: FloatArray, *, level: float = 0.95) -> Gap:
    """Return the distance of the laws that two samples are drawn from, with limits.

    Kind: value is an estimate, the distance of the samples. Limits hold together with at least
    the level, for any two laws: by the inequality of Dvoretzky, Kiefer, Wolfowitz and Massart for
    each sample, with half of what the level leaves.

    Parameters
    ----------
    one, other : array, shapes (n,), (m,)
    level : float in (0, 1)

    Examples
    --------
    >>> gap_between(np.zeros(20_000), np.ones(20_000)).lower > 0.97
    True
    """
    at = np.concatenate([one, other])
    shares = [np.searchsorted(np.sort(part), at, side="right") / part.size for part in (one, other)]
    off = sum(_strip(part.size, (1 - level) / 2) for part in (one, other))
    return _within(float(np.abs(shares[0] - shares[1]).max()), float(off))


def gap_from(
    sample: FloatArray, cdf: Callable[[FloatArray], FloatArray], *, level: float = 0.95
) -> Gap:
    """Return the distance of the law of a sample from a given one without atoms, with limits.

    Kind: as of `gap_between`; by the same inequality, for the one sample.

    Parameters
    ----------
    sample : array, shape (n,)
    cdf : callable
    level : float in (0, 1)
    """
    ordered = np.sort(sample)
    given, n = cdf(ordered), sample.size
    above = np.arange(1, n + 1) / n - given
    value = float(max(above.max(), (1 / n - above).max()))
    return _within(value, _strip(n, 1 - level))


def _strip(n: int, significance: float) -> float:
    """Return how far a share of n may be from its probability, everywhere at once."""
    return float(np.sqrt(np.log(2 / significance) / (2 * n)))


def _within(value: float, off: float) -> Gap:
    return Gap(value, max(value - off, 0.0), min(value + off, 1.0))
