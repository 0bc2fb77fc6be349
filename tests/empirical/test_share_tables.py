"""Which compression is best at which share: by hand without a spread, with one rarely wrong."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy import stats

from empirical.compression_study import CompressionCell
from empirical.share_tables import share_table
from tests.empirical.planted_networks import INPUTS, TRAINED_ON, Curve, planted, share

FAMILY = ("natural", "weight magnitude global")
ROUNDING = 1e-9  # sums of a few numbers of order one
SHARES = [0.0, 0.25, 0.5, 0.75, 1.0]


def table(accuracy: Any, robust: Any, **named: Any) -> list[dict[str, Any]]:
    return share_table(planted({FAMILY: Curve(accuracy, robust)}, **named), SHARES, eps=0.05)


def by_level(rows: Any, key: str) -> list[list[Any]]:
    levels = dict.fromkeys(row["level"] for row in rows)
    return [[row[key] for row in rows if row["level"] == level] for level in levels]


def test_share_table_mixes_accuracies() -> None:
    rows = table([0.9, 0.8], [0.5, 0.7])
    for values, (clean, robust) in zip(
        by_level(rows, "value"), [(0.9, 0.5), (0.8, 0.7)], strict=True
    ):
        assert values == pytest.approx([(1 - q) * clean + q * robust for q in SHARES], rel=ROUNDING)
    assert {(row["kind"], row["eps"], row["norm"], row["seeds"]) for row in rows} == {
        ("upper", 0.05, np.inf, 6)
    }


def test_share_table_has_the_interval_computed_by_hand() -> None:
    cells = planted({FAMILY: Curve([0.9], [0.5])}, seeds=3)
    accuracies = (0.9, 0.8, 0.95)
    cells = [replace(c, correct=share(a)) for c, a in zip(cells, accuracies, strict=True)]
    error = np.std(accuracies, ddof=1) * np.sqrt(1 / 3 + INPUTS / TRAINED_ON)
    reach = stats.t.ppf(0.975, 2) * error
    first = share_table(cells, [0.0], eps=0.05)[0]
    mean = np.mean(accuracies)
    told = [first[key] for key in ("value", "low", "high")]
    assert told == pytest.approx([mean, mean - reach, mean + reach], rel=ROUNDING)


def test_share_table_without_spread_leaves_the_best_alone_unbeaten() -> None:
    rows = table([0.9, 0.95, 0.8], [0.5, 0.7, 0.6])
    assert by_level(rows, "best") == [[False] * 5, [True] * 5, [False] * 5]
    assert by_level(rows, "beaten") == [[True] * 5, [False] * 5, [True] * 5]
    assert [flags[0] for flags in by_level(rows, "unbeaten")] == [False, True, False]


def test_share_table_without_spread_changes_the_best_where_lines_cross() -> None:
    rows = table([0.9, 0.8], [0.5, 0.7])  # they cross at q = 1/3
    assert by_level(rows, "best") == [[True] * 2 + [False] * 3, [False] * 2 + [True] * 3]
    assert by_level(rows, "beaten") == [[False] * 2 + [True] * 3, [True] * 2 + [False] * 3]
    assert not any(row["unbeaten"] for row in rows)


def test_share_table_beats_nothing_that_differs_by_chance() -> None:
    rows = table([0.9, 0.9], [0.5, 0.48], spread=0.1)
    assert by_level(rows, "best")[0] == [True] * 5
    assert not any(row["beaten"] for row in rows)
    assert all(row["unbeaten"] for row in rows)


def test_share_table_is_rarely_wrong_about_equal_compressions() -> None:
    rng, trials, level = np.random.default_rng(0), 200, 0.8
    curve = {FAMILY: Curve([0.9] * 3, [0.5] * 3)}
    start = [replace(cell, trained_on=10**9) for cell in planted(curve)]  # independent splits
    wrong = 0
    for _ in range(trials):
        rows = share_table([noisy(cell, rng) for cell in start], SHARES, eps=0.05, level=level)
        wrong += any(row["beaten"] for row in rows)
    # One in a million of the tests of a level that holds would fail.
    assert wrong <= stats.binom.ppf(1 - 1e-6, trials, 1 - level)
    assert wrong > 0  # limits that hold for nothing else would never be wrong


def noisy(cell: CompressionCell, rng: np.random.Generator) -> CompressionCell:
    clean, robust = share(0.9 + 0.02 * rng.normal()), share(0.5 + 0.05 * rng.normal())
    return replace(cell, correct=clean, survived=np.stack([robust, robust]))


def test_share_table_leaves_out_seeds_that_lack_a_level() -> None:
    cells = planted({FAMILY: Curve([0.9, 0.8], [0.5, 0.4])}, seeds=4)
    rows = share_table([c for c in cells if (c.seed, c.level) != (2, 1)], SHARES, eps=0.05)
    assert {row["seeds"] for row in rows} == {3}


def test_share_table_of_one_seed_says_nothing_surely() -> None:
    rows = table([0.9, 0.8], [0.5, 0.4], seeds=1)
    assert not any(row["beaten"] for row in rows)
    assert np.isnan([row["low"] for row in rows]).all()


def test_share_table_refuses_what_it_cannot_tell() -> None:
    cells = planted({FAMILY: Curve([0.9, 0.8], [0.5, 0.4])}, seeds=2)
    with pytest.raises(ValueError, match="a seed with every level"):
        share_table([cells[0], cells[3]], SHARES, eps=0.05)
    with pytest.raises(ValueError, match="a seed with every level"):
        share_table([], SHARES, eps=0.05)
    with pytest.raises(ValueError, match=r"eps must be one of \[0.05, 0.1\]; got 0.3"):
        share_table(cells, SHARES, eps=0.3)
    with pytest.raises(ValueError, match=r"shares must lie in \[0, 1\]"):
        share_table(cells, [0.0, 2.0], eps=0.05)
