"""Intervals and p-values against their formulas by hand, and their coverage by definition."""

import itertools
from typing import Any

import numpy as np
import pytest
from scipy import stats

from empirical.intervals import (
    holm,
    proportion_interval,
    resampled_interval,
    resampled_p_value,
)

# The probability that a correct interval fails a simulated test; the generators are fixed.
FALSE_ALARM = 1e-6


@pytest.mark.parametrize(("hits", "n"), [(0, 5), (5, 5), (1, 1), (3, 10), (97, 100), (2, 1000)])
@pytest.mark.parametrize("level", [0.9, 0.95])
def test_proportion_interval_solves_wilsons_equation(hits: int, n: int, level: float) -> None:
    value, low, high = proportion_interval(np.arange(n) < hits, level=level)
    assert value == hits / n
    z = stats.norm.ppf((1 + level) / 2)
    # the two p at which the score statistic is z: |p̂ - p| = z sqrt(p (1 - p) / n)
    roots = np.roots([1 + z**2 / n, -2 * value - z**2 / n, value**2])
    # roots of a quadratic lose half the digits where they all but meet
    assert (low, high) == pytest.approx((min(roots), max(roots)), abs=1e-7)
    assert 0 <= low <= value <= high <= 1


def test_proportion_interval_covers_on_average() -> None:
    n, rates = 60, np.linspace(0.05, 0.95, 181)
    limits = np.array([proportion_interval(np.arange(n) < hits)[1:] for hits in range(n + 1)])
    covers = (limits[:, :1] <= rates) & (rates <= limits[:, 1:])
    coverage = (covers * stats.binom.pmf(np.arange(n + 1)[:, None], n, rates)).sum(axis=0)
    # Wilson's interval covers its level on average over rates (Agresti and Coull 1998), and
    # nowhere here falls as far short as Wald's, below 0.9.
    assert coverage.mean() == pytest.approx(0.95, abs=0.01)
    assert coverage.min() > 0.9


def mean_interval(values: Any, *, level: float = 0.95) -> Any:
    """Return Student's interval, which independent values have."""
    return resampled_interval(values, test_to_train=0.0, level=level)


def test_mean_interval_by_hand() -> None:
    value, low, high = mean_interval([1.0, 2.0, 3.0, 6.0])
    # mean 3, s² = (4 + 1 + 0 + 9) / 3; the table's t of 3 degrees of freedom, to 4 digits
    reach = 3.1824 * np.sqrt(14 / 3 / 4)
    assert (value, low, high) == pytest.approx((3, 3 - reach, 3 + reach), abs=2e-4)


@pytest.mark.parametrize("level", [0.5, 0.95, 0.99])
def test_mean_interval_covers_at_its_level(level: float) -> None:
    rng = np.random.default_rng(0)
    draws = 4000
    found = [mean_interval(rng.normal(3, 2, size=5), level=level) for _ in range(draws)]
    covered = sum(low <= 3 <= high for _, low, high in found)
    # Student's interval is exact for Gaussian values
    assert stats.binomtest(covered, draws, level).pvalue > FALSE_ALARM


@pytest.mark.parametrize("values", [[], [1.0], [1.0, np.nan, 2.0], [np.nan, np.nan]])
def test_means_of_unknown_or_too_few_values_are_not_covered(values: list[float]) -> None:
    assert np.isnan(mean_interval(values)).all()
    assert np.isnan(resampled_interval(values, test_to_train=0.5)).all()


def test_resampled_interval_by_hand() -> None:
    value, low, high = resampled_interval([1.0, 2.0, 3.0], test_to_train=0.5)
    # mean 2, s² = 1, variance 1/3 + 1/2; the table's t of 2 degrees of freedom, to 4 digits
    reach = 4.3027 * np.sqrt(5 / 6)
    assert (value, low, high) == pytest.approx((2, 2 - reach, 2 + reach), abs=2e-4)


def test_resampled_interval_of_independent_values_is_students() -> None:
    values = np.random.default_rng(1).normal(size=9)
    ours = resampled_interval(values, test_to_train=0.0, level=0.9)
    by_scipy = stats.ttest_1samp(values, 0).confidence_interval(0.9)
    assert ours[1:] == pytest.approx(tuple(by_scipy), rel=1e-10)  # a few roundings


def correlated(rng: np.random.Generator, draws: int, J: int, test_to_train: float) -> np.ndarray:
    """Return rows of J values of mean 0 and correlation ratio / (1 + ratio), as the method models.

    The mean's variance is then s² (1/J + ratio) with s² that of what values do not share, and
    Student's law is exact.
    """
    shared = np.sqrt(test_to_train) * rng.normal(size=(draws, 1))
    return shared + rng.normal(size=(draws, J))


def test_resampled_interval_covers_correlated_splits_and_students_does_not() -> None:
    draws, ratio = 3000, 0.5
    rows = correlated(np.random.default_rng(2), draws, 6, ratio)
    corrected = [resampled_interval(row, test_to_train=ratio) for row in rows]
    covered = sum(low <= 0 <= high for _, low, high in corrected)
    assert stats.binomtest(covered, draws, 0.95).pvalue > FALSE_ALARM
    naive = sum(low <= 0 <= high for _, low, high in map(mean_interval, rows))
    assert naive < 0.8 * draws  # the reason for the correction


def test_resampled_p_value_is_uniform_under_correlated_nulls() -> None:
    rows = correlated(np.random.default_rng(3), 2000, 5, 0.5)
    p = [resampled_p_value(row, test_to_train=0.5) for row in rows]
    assert stats.kstest(p, "uniform").pvalue > FALSE_ALARM


def test_resampled_p_value_is_where_the_interval_meets_zero() -> None:
    rng = np.random.default_rng(4)
    for values in rng.normal(0.5, 1, size=(20, 6)):
        p = resampled_p_value(values, test_to_train=0.3)
        for level, misses in ((1 - p - 1e-6, True), (1 - p + 1e-6, False)):
            _, low, high = resampled_interval(values, test_to_train=0.3, level=level)
            assert (low > 0 or high < 0) == misses


def test_resampled_p_value_without_independence_or_spread() -> None:
    values = np.random.default_rng(5).normal(size=8)
    by_scipy = stats.ttest_1samp(values, 0).pvalue
    assert resampled_p_value(values, test_to_train=0.0) == pytest.approx(by_scipy, rel=1e-10)
    assert resampled_p_value(np.full(4, 2.0), test_to_train=0.5) == 0
    assert resampled_p_value(np.zeros(4), test_to_train=0.5) == 1


def test_holm_by_hand() -> None:
    # sorted .005 · 4, .01 · 3, .03 · 2, .04 · 1, and no later one below an earlier
    expected = [0.03, 0.06, 0.06, 0.02]
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx(expected, rel=1e-12)  # one product
    assert holm([0.7, 0.6]).tolist() == [1.0, 1.0]
    assert holm([0.2]).tolist() == [0.2]
    assert holm([]).size == 0


def closed(p: np.ndarray) -> list[float]:
    """Return for each hypothesis the largest Bonferroni p-value of all sets that hold it."""
    every = range(p.size)
    sets = [s for size in every for s in itertools.combinations(every, size + 1)]
    return [max(min(1.0, len(s) * p[list(s)].min()) for s in sets if i in s) for i in every]


def test_holm_is_closed_testing_with_bonferroni() -> None:
    rng = np.random.default_rng(6)
    for _ in range(300):
        p = rng.random(4) ** rng.integers(1, 5)
        if rng.random() < 0.3:
            p[1] = p[0]  # a tie
        assert holm(p) == pytest.approx(closed(p), rel=1e-12)  # one product
