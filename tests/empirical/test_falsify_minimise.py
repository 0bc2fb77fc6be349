"""The minimiser of instances: what is left out, what becomes zero or round, what stays."""

from typing import Any

import numpy as np

from empirical.falsify import Instance
from empirical.falsify.minimise import minimise


def last(steps: Any) -> Any:
    *_, end = steps
    return end


def test_minimise_drops_zeroes_and_rounds() -> None:
    instance = {
        "W": np.array([[0.9, 0.1], [1.234, 0.7]]),
        "x": np.array([1.1, 2.2]),
        "n": np.asarray(3.3),
    }
    axes = {"W": ("unit", "input"), "x": ("input",), "n": ()}

    def is_good(step: Instance) -> bool:
        return float((step["W"] @ step["x"]).max()) > 1.5

    found = last(minimise(instance, axes, fixed=frozenset({"n"}), is_good=is_good))
    assert found["W"].tolist() == [[0.7]]  # of the larger row what meets 2.2; 2 would not do
    assert found["x"].tolist() == [2.2]
    assert found["n"] == 3.3


def test_minimise_drops_rows_and_columns_of_one_name_together() -> None:
    instance = {"S": np.array([[1.0, 2.0], [3.0, 4.0]]), "kept": np.array([5.0, 6.0])}
    axes = {"S": ("input", "input"), "kept": ("",)}
    found = last(
        minimise(instance, axes, fixed=frozenset({"kept"}), is_good=lambda one: one["S"].max() > 3)
    )
    assert found["S"].tolist() == [[4.0]]
    assert found["kept"].tolist() == [5.0, 6.0]


def test_minimise_leaves_out_many_at_once() -> None:
    v, tried = np.zeros(300), []
    v[[4, 170]] = 1.0, 2.0

    def is_good(step: Instance) -> bool:
        tried.append(step["v"].size)
        return float(step["v"].sum()) == 3.0

    found = last(minimise({"v": v}, {"v": ("a",)}, fixed=frozenset(), is_good=is_good))
    assert found["v"].tolist() == [1.0, 2.0]
    assert tried[0] == 150  # refused: 170 is in the last half
    v[170], v[5], tried[:] = 0.0, 2.0, []
    found = last(minimise({"v": v}, {"v": ("a",)}, fixed=frozenset(), is_good=is_good))
    assert found["v"].tolist() == [1.0, 2.0]
    assert len(tried) < 60  # where one by one it took hundreds


def test_minimise_ends_where_nothing_is_good() -> None:
    assert not list(minimise({"v": np.ones(3)}, {"v": ("",)}, fixed=frozenset(), is_good=bool))[1:]
    steps = minimise({"v": np.ones(3)}, {"v": ("a",)}, fixed=frozenset(), is_good=lambda _: False)
    assert list(steps) == []
