"""Cells that differ in their seed alone become one row, with what is not known left unknown."""

import math
from typing import Any

import numpy as np
import pytest

from empirical.seed_table import Group, Measure, seed_groups
from empirical.sweeps.known import KNOWN

# Student's 97.5 % quantile with one degree of freedom, as tables have it.
T_1 = 12.7062
# Its digits.
TABLE = 1e-5


def cell(seed: int, *, sweeps: str = "one", status: str = "done", **other: Any) -> dict[str, Any]:
    settings = {key: option.default for key, option in KNOWN.items()}
    about = {"key": f"{sorted(other.items())} {seed}", "sweeps": sweeps, "status": status}
    measured = {"test_accuracy": 0.8 + 0.1 * seed, "compression": 2.0} if status == "done" else {}
    return {**settings, **measured, **about, "seed": seed, **other}


def test_seed_groups_are_of_settings_that_vary() -> None:
    rows = [
        cell(seed, **{"pruning.compression": c, "data.name": "mnist"})
        for c in (2.0, 4.0)
        for seed in (0, 1)
    ]
    found = seed_groups(rows)
    assert [group.settings for group in found] == [
        {"pruning.compression": 2.0},
        {"pruning.compression": 4.0},
    ]
    assert [(group.done, group.failed) for group in found] == [(2, 0), (2, 0)]


def test_seed_groups_have_students_interval() -> None:
    (group,) = seed_groups([cell(0), cell(1)])
    value, low, high = group.measures[Measure(name="test accuracy")]
    # Two values, .8 and .9: their deviation is .1 / √2, and so the mean's error .05.
    assert value == pytest.approx(0.85)
    assert (high - low) / 2 == pytest.approx(T_1 * 0.05, rel=TABLE)


def test_seed_groups_of_one_cell_have_no_limits() -> None:
    (group,) = seed_groups([cell(1)])
    value, low, high = group.measures[Measure(name="test accuracy")]
    assert value == pytest.approx(0.9)
    assert np.isnan([low, high]).all()


def test_seed_groups_leave_out_failed_cells_and_count_them() -> None:
    (group,) = seed_groups([cell(0), cell(1, status="failed"), cell(2, status="failed")])
    assert (group.done, group.failed) == (1, 2)
    assert group.measures[Measure(name="test accuracy")].value == pytest.approx(0.8)
    (none,) = seed_groups([cell(0, status="failed")])
    assert (none.done, none.measures) == (0, {})


@pytest.mark.parametrize("unknown", [None, math.nan, math.inf])
def test_seed_groups_do_not_know_a_mean_without_all_its_cells(unknown: float | None) -> None:
    rows = [cell(0, l2_kind="upper", l2_mean=0.5), cell(1, l2_kind="upper", l2_mean=unknown)]
    for row, key in zip(rows, "ab", strict=True):
        row["key"] = key
    for known in (rows, rows[1:]):
        (group,) = seed_groups(known)
        assert np.isnan(group.measures[Measure(name="mean L2 distance")]).all()


def test_seed_groups_have_a_measure_a_budget() -> None:
    left = {"linf_eps": [0.1, 0.2], "linf_robust_accuracy": [0.5, 0.25]}
    (group,) = seed_groups([cell(0, **left)])
    found = {m.eps: i.value for m, i in group.measures.items() if m.eps is not None}
    assert found == {0.1: 0.5, 0.2: 0.25}


def test_seed_groups_show_a_cell_of_two_sweeps_in_both() -> None:
    rows = [cell(0, sweeps="one,two"), cell(1, sweeps="two")]

    def told(group: Group) -> tuple[str, int]:
        return group.sweep, group.done

    assert [told(group) for group in seed_groups(rows)] == [("one", 1), ("two", 2)]
    assert seed_groups([]) == []
