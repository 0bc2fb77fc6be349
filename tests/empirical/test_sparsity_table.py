"""A row of the sparsity table recomputed by hand: medians, means, and intervals over splits."""

from typing import Any

import numpy as np
import pytest
from scipy import stats

from empirical.data import Part
from empirical.linear import FAMILIES
from empirical.linear_study import LinearCell
from empirical.summary import sparsity_table
from tests.empirical.planted import part, planted

ROUNDING = 1e-9  # moments of a few numbers of order one
DISTANCES = np.array([[0.0, 4.0, 1.0, 3.0], [1.0, 0.0, 0.0, 3.0], [2.0, 9.0, 5.0, 8.0]])
NONZEROS = np.array([2, 3, 10])
# Validation margins 1, 3 of each label; 1.5, 3; 2, 3: the first of ten features decides.
MEANS, DEVIATIONS = np.array([2.0, 2.25, 2.5]), np.array([1.0, 0.75, 0.5])


def wide(line: Part) -> Part:
    return Part(np.hstack([line.X, np.zeros((line.y.size, 9))]), line.y)


def cells() -> list[LinearCell]:
    """Return three splits of a one-weight and a wider classifier a family; tests are all wrong."""
    return [
        planted(
            wide(part(-1.0, -5.0)),
            validation=wide(part(1.0 + split / 2, 3.0)),
            weights=(np.arange(10) < size).astype(float),
            distances=distances,
            eps=[0.1, 0.4, 9.0],
            survived=np.array([[True] * 4, DISTANCES[split] > 2, [False] * 4]),
            split=split,
            family=family,
        )
        for split in range(3)
        for family in FAMILIES
        for size, distances in ((1, np.ones(4)), (NONZEROS[split], DISTANCES[split]))
    ]


def interval(values: Any) -> Any:
    """Return mean and limits: the variance of the mean of three splits is s² (1/3 + 1/2)."""
    sample = np.asarray(values)
    reach = stats.t.ppf(0.975, 2) * np.sqrt(sample.var(ddof=1) * (1 / 3 + 1 / 2))
    return sample.mean() + reach * np.array([0, -1, 1])


def test_sparsity_table_has_the_row_computed_by_hand() -> None:
    table = sparsity_table(cells())
    families = [row["family"] for row in table]
    assert families == [family for family in FAMILIES for _ in range(2)]
    row = table[families.index("ridge, cut") + 1]
    assert (row["dataset"], row["eps"], row["nonzero weights"]) == ("planted", 0.4, 3)
    assert row["accuracy"] == 0.75  # 3, 2 and 4 of four
    # Drops .8 and 1.2 are below the mean; 4 of mean 2.5 and variance 1/4 leaves Cantelli's .1.
    assert row["r_inf bound"] == pytest.approx((1 + 1 + 0.1) / 3, rel=ROUNDING)
    expected = {
        "r_2 attacked": [2.0, 1.0, 6.0],
        "r_2 predicted": MEANS / np.sqrt(NONZEROS),
        "r_inf attacked": [0.5, 0.25, 0.75],
        "r_inf predicted": stats.norm.cdf((MEANS - 0.4 * NONZEROS) / DEVIATIONS),
    }
    for name, values in expected.items():
        told = [row[f"{name}{side}"] for side in ("", " low", " high")]
        assert told == pytest.approx(interval(values), rel=ROUNDING)
