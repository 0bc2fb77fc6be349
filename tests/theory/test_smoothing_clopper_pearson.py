"""Clopper and Pearson's bounds at their level, by the binomial law and by draws."""

import math
from typing import Any

import numpy as np
import pytest
from scipy.stats import binom

from theory.smoothing import clopper_pearson_lower


@pytest.mark.parametrize("p", [0.03, 0.5, 0.8, 0.99])
def test_clopper_pearson_covers_at_its_level(p: float) -> None:
    # Exactly: the probability of the hits whose bound exceeds p is at most the level, and with one
    # hit less it would not be.
    n, level = 200, 0.05
    k = np.arange(n + 1)
    missed = clopper_pearson_lower(k, n, level=level) > p
    assert binom.pmf(k[missed], n, p).sum() <= level
    first = int(np.argmax(missed)) if missed.any() else n + 1
    assert binom.sf(first - 2, n, p) > level


def test_clopper_pearson_covers_simulated_draws() -> None:
    rng = np.random.default_rng(1)
    runs, n, level, p = 20_000, 300, 0.05, 0.9
    missed = (clopper_pearson_lower(rng.binomial(n, p, runs), n, level=level) > p).sum()
    # a false alarm in 1e-6 of all seeds
    assert missed <= binom.isf(1e-6, runs, level)


def test_clopper_pearson_ends() -> None:
    ends = [0.0, 0.1 ** (1 / 7)]
    assert clopper_pearson_lower([0, 7], 7, level=0.1) == pytest.approx(ends, rel=1e-14)  # rounding


@pytest.mark.parametrize(
    ("hits", "n", "level", "message"),
    [
        (6, 5, 0.1, r"\[0, n=5\]; got 6"),
        (2.5, 5, 0.1, "hits must be integers; got 2.5"),
        ([1, 4.75], 5, 0.1, "hits must be integers; got 4.75"),
        (math.nan, 5, 0.1, "hits must be finite; got nan"),
        (0, 0, 0.1, "n must be"),
        (0, 5.5, 0.1, "n must be an integer; got 5.5"),
        (0, 5, 2.0, "level must lie"),
    ],
)
def test_clopper_pearson_refuses_by_value(hits: Any, n: Any, level: float, message: str) -> None:
    with pytest.raises((TypeError, ValueError), match=message):
        clopper_pearson_lower(hits, n, level=level)
