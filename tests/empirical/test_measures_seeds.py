"""Intervals over training seeds, against SciPy's and by their coverage."""

from typing import Any

import numpy as np
import pytest
from scipy import stats

from empirical.measures import over_seeds

NAN = float("nan")
# The probability that a correct interval fails a simulated test; the generator is fixed.
FALSE_ALARM = 1e-6


@pytest.mark.parametrize("level", [0.8, 0.95])
def test_over_seeds_is_scipys_interval_of_a_t_test(level: float) -> None:
    values = np.random.default_rng(0).normal(0.9, 0.01, size=7)
    limits = stats.ttest_1samp(values, 0).confidence_interval(level)
    found = over_seeds(values, level=level)
    assert found == pytest.approx((values.mean(), *limits), rel=1e-12)  # two orders of sums


def test_over_seeds_covers_other_seeds_but_no_other_inputs() -> None:
    rng, draws, seeds = np.random.default_rng(1), 3000, 5
    of_inputs = rng.normal(size=(draws, 1))  # what the inputs have in common with all seeds
    limits = [over_seeds(row) for row in of_inputs + rng.normal(size=(draws, seeds))]
    pairs = zip(limits, of_inputs[:, 0], strict=True)
    given_inputs = sum(low <= own <= high for (_, low, high), own in pairs)
    assert stats.binomtest(given_inputs, draws, 0.95).pvalue > FALSE_ALARM
    assert sum(low <= 0 <= high for _, low, high in limits) < 0.9 * draws


@pytest.mark.parametrize("values", [[], [1.0], [1.0, NAN], [1.0, np.inf, 2.0]])
def test_over_seeds_does_not_cover_too_few_or_unknown_values(values: Any) -> None:
    assert np.isnan(over_seeds(values)).all()


def test_over_seeds_of_equal_values_has_no_width() -> None:
    assert over_seeds([0.5, 0.5, 0.5]) == (0.5, 0.5, 0.5)


@pytest.mark.parametrize("level", [0, 1, 1.5, NAN])
def test_over_seeds_refuses_levels(level: float) -> None:
    with pytest.raises(ValueError, match=r"level must lie in \(0, 1\)"):
        over_seeds([1.0, 2.0], level=level)


def test_over_seeds_refuses_tables() -> None:
    with pytest.raises(ValueError, match=r"values must have shape \(seeds,\); got shape \(2, 2\)"):
        over_seeds([[1.0, 2.0], [3.0, 4.0]])
