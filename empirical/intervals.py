"""Means, accuracies and differences with the intervals that say how well they are known.

Kind of every number here: estimate, with an interval over inputs or over splits.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from theory.validation import FloatArray


class Interval(NamedTuple):
    """An estimate between its confidence limits; all NaN where it is not covered."""

    value: float
    low: float
    high: float


def proportion_interval(outcomes: ArrayLike, *, level: float = 0.95) -> Interval:
    """Return the fraction of true outcomes with Wilson's interval.

    Raises
    ------
    TypeError
        If outcomes are not booleans, or there are none.

    Examples
    --------
    >>> proportion_interval([True, True, False, True]).value
    0.75
    """
    sample = np.asarray(outcomes)
    if sample.dtype != np.bool_ or sample.size == 0:
        raise TypeError(f"outcomes must be some booleans; got {sample.size} of {sample.dtype}.")
    tested = stats.binomtest(int(sample.sum()), sample.size)
    limits = tested.proportion_ci(level, method="wilson")
    return Interval(float(sample.mean()), float(limits.low), float(limits.high))


def resampled_interval(values: ArrayLike, *, test_to_train: float, level: float = 0.95) -> Interval:
    """Return the mean over random splits of one data set, with the corrected interval.

    Splits share inputs, so their values are correlated; the variance of their mean is widened
    from s²/J to s² (1/J + test_to_train). At test_to_train = 0 this is Student's interval of
    independent values. A mean with unknown (NaN) entries is not covered: a failed attack proves
    nothing about how far away the boundary is, so neither leaving it out nor a stand-in would be
    true.

    Parameters
    ----------
    values : array, shape (J,)
        One value a split; J >= 2.
    test_to_train : float
        Size of a split's test part over that of its training part.

    Notes
    -----
    Nadeau and Bengio 2003, Inference for the generalization error.

    Examples
    --------
    >>> interval = resampled_interval([0.8, 0.9, 1.0], test_to_train=0.5)
    >>> [round(number, 3) for number in interval]  # Student's 4.3 times .1 times √(1/3 + 1/2)
    [0.9, 0.507, 1.293]
    """
    sample = np.asarray(values, dtype=np.float64)
    if sample.size < 2 or not np.isfinite(sample).all():
        return Interval(np.nan, np.nan, np.nan)
    variance = sample.var(ddof=1) * (1 / sample.size + test_to_train)
    return _student(sample, float(np.sqrt(variance)), level)


def resampled_p_value(values: ArrayLike, *, test_to_train: float) -> float:
    """Return the two-sided p-value of a zero mean over random splits, variance corrected.

    NaN where `resampled_interval` is.

    Notes
    -----
    As `resampled_interval`.
    """
    sample = np.asarray(values, dtype=np.float64)
    if sample.size < 2 or not np.isfinite(sample).all():
        return float("nan")
    error = float(np.sqrt(sample.var(ddof=1) * (1 / sample.size + test_to_train)))
    if error == 0:
        return float(sample.mean() == 0)
    return float(2 * stats.t.sf(abs(sample.mean()) / error, sample.size - 1))


def holm(p_values: ArrayLike) -> FloatArray:
    """Return p-values adjusted for testing them together: family-wise, step-down.

    Examples
    --------
    >>> holm([0.01, 0.04, 0.03]).round(2).tolist()
    [0.03, 0.06, 0.06]
    """
    p = np.asarray(p_values, dtype=np.float64)
    order = np.argsort(p)
    stepped = np.maximum.accumulate(p[order] * np.arange(p.size, 0, -1))
    adjusted = np.empty_like(p)
    adjusted[order] = stepped.clip(max=1.0)
    return adjusted


def _student(sample: FloatArray, error: float, level: float) -> Interval:
    reach = float(stats.t.ppf((1 + level) / 2, sample.size - 1)) * error
    mean = float(sample.mean())
    return Interval(mean, mean - reach, mean + reach)
