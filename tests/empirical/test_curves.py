"""Curves of two classifiers on two pixels, within the box and without, computed by hand."""

from functools import cache
from typing import Any

import numpy as np
import pytest
from scipy import stats

from empirical.curves import Comparison, curve_table
from empirical.data import Part
from theory.linear import LinearClassifier

ROUNDING = 1e-9  # sums and quotients of a few numbers of order one
BOX = (0.0, 1.0)
# (1, 0) is -1 and (1, 1) is +1 for both. The dense one has both at margin 1/2; within the box only
# the second pixel of (1, 0) can rise. The sparse one sees the second pixel alone.
MODELS = {
    "dense": LinearClassifier(weights=[1.0, 1.0], bias=-1.5),
    "sparse": LinearClassifier(weights=[0.0, 1.0], bias=-0.5),
}
DISTANCES: dict[tuple[Any, str, float], list[float]] = {
    (None, "dense", 2.0): [0.5 / np.sqrt(2), 0.5 / np.sqrt(2)],
    (None, "dense", np.inf): [0.25, 0.25],
    (BOX, "dense", 2.0): [0.5, 0.5 / np.sqrt(2)],
    (BOX, "dense", np.inf): [0.5, 0.25],
    **{(box, "sparse", norm): [0.5, 0.5] for box in (None, BOX) for norm in (2.0, np.inf)},
}


@cache
def rows(box: tuple[float, float] | None) -> list[dict[str, Any]]:
    test = Part(np.array([[1.0, 0.0], [1.0, 1.0]]), np.array([-1, 1]))
    return curve_table(Comparison(dataset="pixels", models=MODELS, test=test, box=box))


def wilson(accuracy: float, n: int) -> tuple[float, float]:
    z = stats.norm.ppf(0.975)
    centre = (accuracy + z**2 / (2 * n)) / (1 + z**2 / n)
    reach = z * np.sqrt(accuracy * (1 - accuracy) / n + z**2 / (4 * n**2)) / (1 + z**2 / n)
    return centre - reach, centre + reach


@pytest.mark.parametrize("box", [None, BOX], ids=str)
def test_curves_are_exact_and_attacked_within_the_box_of_the_comparison(box: Any) -> None:
    decided = 0
    for row in rows(box):
        distances = np.array(DISTANCES[box, row["classifier"], row["norm"]])
        if row["what"].endswith("bound") or np.abs(distances - row["eps"]).min() < 1e-3:
            continue  # attacks end 1e-4 beyond the boundary
        kept = (distances > row["eps"]).mean()
        # two pixels and two labels: every attack finds the nearest point
        assert row["accuracy"] == pytest.approx(kept, abs=ROUNDING)
        decided += row["what"] != "exact"
    assert decided > 50  # of 7 budgets, 3 attacks a norm, 2 classifiers


@pytest.mark.parametrize("box", [None, BOX], ids=str)
def test_limits_are_wilsons_for_attacks_and_none_for_lines(box: Any) -> None:
    for row in rows(box):
        measured = row["what"] not in {"exact", "Markov bound", "two-moment bound"}
        limits = wilson(row["accuracy"], 2) if measured else (row["accuracy"],) * 2
        # Wilson's formula in another order
        assert (row["low"], row["high"]) == pytest.approx(limits, rel=ROUNDING, abs=ROUNDING)
        assert row["low"] <= row["accuracy"] + ROUNDING
        assert row["accuracy"] <= row["high"] + ROUNDING


def test_bounds_from_moments_are_drawn_without_a_box_alone() -> None:
    bounds = {"Markov bound", "two-moment bound"}
    drawn = {box: {row["what"] for row in rows(box)} for box in (None, BOX)}
    assert not bounds & drawn[BOX]
    assert drawn[None] - drawn[BOX] == bounds
    for row in rows(None):
        if row["what"] == "Markov bound" and row["eps"] > 0:
            # every margin is 1/2, and an attack of size eps takes eps ‖w‖ of it
            mean = np.mean(DISTANCES[None, row["classifier"], row["norm"]])
            assert row["accuracy"] == pytest.approx(mean / row["eps"], rel=ROUNDING)
