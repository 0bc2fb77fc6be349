"""How wrong Gaussian margins can be: given mean and variance alone, and for Student's tails.

Proofs: theory/proofs/plug_in.md.
"""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats
from scipy.optimize import brentq
from scipy.special import ndtr, stdtr

from theory.mixtures.law import MarginLaw
from theory.validation import FloatArray, as_budget, as_finite


class AccuracyLimits(NamedTuple):
    """Between what an accuracy lies; kinds: lower and upper.

    Attributes
    ----------
    lower, upper : array
    """

    lower: FloatArray
    upper: FloatArray


class GaussianGap(NamedTuple):
    """Where Gaussian margins are furthest from the truth. Kind: exact.

    Attributes
    ----------
    standing : float
        (mean - drop) / deviation there, at least 0; at minus this the gap is the same with the
        other sign.
    gap : float
        True accuracy less Gaussian accuracy there.
    """

    standing: float
    gap: float


def accuracy_limits(law: MarginLaw, drop: ArrayLike) -> AccuracyLimits:
    """Return the least and the largest Pr(margin > drop) for margins of these moments.

    Kinds: lower and upper, whatever the laws of the two labels' margins; no pair is tighter.

    Parameters
    ----------
    law : MarginLaw
        Only its means, deviations and priors are used, not that it is Gaussian.
    drop : float or array of any shape, nonnegative
        As in `accuracy_after_drop`.

    Returns
    -------
    AccuracyLimits
        Arrays of the shape of drop.

    Raises
    ------
    TypeError, ValueError
        As `accuracy_after_drop`.

    Notes
    -----
    Cantelli's inequality for each label: theory/proofs/plug_in.md, [P1].

    Examples
    --------
    >>> law = MarginLaw(means=[2, 2], deviations=[1, 1], priors=[0.5, 0.5])
    >>> limits = accuracy_limits(law, [0.0, 4.0])
    >>> limits.lower.tolist(), limits.upper.tolist()
    ([0.8, 0.0], [1.0, 0.2])
    """
    gap, t = _standing(law, drop)
    with np.errstate(over="ignore"):
        share = np.where(law.deviations > 0, 1 / (1 + t * t), 0.0)  # beyond the drop, at most
    lower = np.where(gap > 0, 1 - share, 0.0)
    certain = (law.deviations == 0) & (gap <= 0)
    upper = np.where(gap > 0, 1.0, np.where(certain, 0.0, share))
    return AccuracyLimits((lower * law.priors).sum(axis=-1), (upper * law.priors).sum(axis=-1))


def gaussian_error(law: MarginLaw, drop: ArrayLike) -> FloatArray:
    """Return how far Pr(margin > drop) can be from the Gaussian formula with these moments.

    Kind: upper, whatever the laws of the two labels' margins; nothing smaller holds. Never above
    .5409, which it reaches where every mean is .213 deviations above the drop or below.

    Parameters
    ----------
    law, drop
        As in `accuracy_limits`.

    Returns
    -------
    array, shape of drop

    Raises
    ------
    TypeError, ValueError
        As `accuracy_limits`.

    Notes
    -----
    theory/proofs/plug_in.md, [P2].

    Examples
    --------
    >>> law = MarginLaw(means=[1, 3], deviations=[1, 1], priors=[0.5, 0.5])
    >>> gaussian_error(law, [0.0, 1.0]).round(4).tolist()
    [0.22, 0.3386]
    """
    gaussian = _gaussian_accuracy(law, drop)
    lower, upper = accuracy_limits(law, drop)
    return np.asarray(np.maximum(gaussian - lower, upper - gaussian))


def student_accuracy(law: MarginLaw, drop: ArrayLike, *, freedom: float) -> FloatArray:
    """Return Pr(margin > drop) for Student's margins of given moments.

    Kind: exact. Any linear classifier has them where inputs are y mu + sqrt(freedom - 2) L g / c
    with g standard Gaussian and c^2 an independent chi-square: Student's t in d dimensions.

    Parameters
    ----------
    law : MarginLaw
        Means and standard deviations; not Gaussian here.
    drop : float or array of any shape, nonnegative
        As in `accuracy_after_drop`.
    freedom : float, above 2
        Degrees of freedom; inf is Gaussian. The fewer, the heavier the tails.

    Returns
    -------
    array, shape of drop

    Raises
    ------
    TypeError, ValueError
        As `accuracy_after_drop`; if freedom is not above 2: there is no variance then.

    Notes
    -----
    theory/proofs/plug_in.md, [P3].

    Examples
    --------
    >>> law = MarginLaw(means=[1, 1], deviations=[1, 1], priors=[0.5, 0.5])
    >>> student_accuracy(law, [0.0, 1.0], freedom=3.0).round(4).tolist()
    [0.9092, 0.5]
    """
    freedom = _checked_freedom(freedom)
    gap, t = _standing(law, drop)
    standard = np.where(law.deviations > 0, t, np.where(gap > 0, math.inf, -math.inf))
    return np.asarray((_student_cdf(standard, freedom) * law.priors).sum(axis=-1))


def student_gap(freedom: float) -> GaussianGap:
    """Return the largest error of Gaussian margins where the truth is Student's t, moments known.

    Kind: exact. It tends to 1/2 as freedom falls to 2, and to 0 as it grows.

    Parameters
    ----------
    freedom : float, above 2, finite

    Returns
    -------
    GaussianGap

    Raises
    ------
    TypeError, ValueError
        As `student_accuracy`; if freedom is infinite: there is no gap.

    Notes
    -----
    The densities cross once on either side of sqrt(3); the gap is largest at the first crossing or
    at the second: theory/proofs/plug_in.md, [P4].

    Examples
    --------
    >>> where, gap = student_gap(3.0)
    >>> round(where, 4), round(gap, 4)
    (0.6277, 0.0869)
    """
    freedom = _checked_freedom(freedom)
    if freedom == math.inf:
        raise ValueError("freedom must be finite for a gap; got inf, which is Gaussian.")
    scale = math.sqrt((freedom - 2) / freedom)

    def surplus(t: float) -> float:  # of log density over the Gaussian's
        return float(stats.t.logpdf(t / scale, freedom) - math.log(scale) - stats.norm.logpdf(t))

    turn, far = math.sqrt(3), 4.0
    while surplus(far) <= 0:
        far *= 2
    crossings = [brentq(surplus, 0, turn, xtol=1e-14), brentq(surplus, turn, far, xtol=1e-14)]
    gaps = [float(_student_cdf(np.asarray(t), freedom) - ndtr(t)) for t in crossings]
    largest = int(np.argmax(np.abs(gaps)))
    return GaussianGap(float(crossings[largest]), gaps[largest])


def _student_cdf(t: FloatArray, freedom: float) -> FloatArray:
    """Return the distribution function of Student's t of variance 1."""
    if freedom == math.inf:
        return np.asarray(ndtr(t))
    return np.asarray(stdtr(freedom, t * math.sqrt(freedom / (freedom - 2))))


def _gaussian_accuracy(law: MarginLaw, drop: ArrayLike) -> FloatArray:
    return student_accuracy(law, drop, freedom=math.inf)


def _standing(law: MarginLaw, drop: ArrayLike) -> tuple[FloatArray, FloatArray]:
    """Return mean less drop, and that in deviations, one row a drop and one column a label."""
    gap = law.means - as_budget(drop, "drop")[..., None]
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        return np.asarray(gap), np.asarray(gap / law.deviations)


def _checked_freedom(freedom: float) -> float:
    value = float(freedom) if freedom == math.inf else float(as_finite("freedom", freedom))
    if not value > 2:
        raise ValueError(f"freedom must be above 2, for a variance to exist; got {freedom}.")
    return value
