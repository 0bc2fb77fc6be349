"""Rows of the compression tables recomputed by hand: means, kinds, and intervals over splits."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy import stats

from empirical.compression_study import CNN, EPS, MLP, CompressionCell
from empirical.compression_tables import LINEAR_FAMILIES, compression_table, r_2_table
from empirical.data import Part
from tests.empirical import planted as linear
from tests.empirical.planted_networks import (
    INPUTS,
    SEARCHED,
    TRAINED_ON,
    Curve,
    bounds,
    planted,
    share,
)

ROUNDING = 1e-9  # means of a few numbers of order one
GLOBAL, RANDOM = "weight magnitude global", "weight random layer"
ACCURACIES, R_2 = (0.9, 0.8, 0.95), (0.3, 0.25, 0.2)


def level_of_three_seeds(**changes: Any) -> list[CompressionCell]:
    """Return three networks of one level, of known accuracies and distances."""
    cells = planted({("natural", GLOBAL): Curve([0.9], [0.5], [0.3])}, seeds=3)
    return [
        replace(
            cell,
            correct=share(accuracy),
            distances=bounds(r_2, r_2),
            deepfool=np.full(SEARCHED, r_2 + 0.1),
            **changes,
        )
        for cell, accuracy, r_2 in zip(cells, ACCURACIES, R_2, strict=True)
    ]


def interval(values: Any, ratio: float) -> Any:
    """Return mean and limits: the variance of the mean of J splits is s² (1/J + ratio)."""
    sample = np.asarray(values)
    error = np.sqrt(sample.var(ddof=1) * (1 / sample.size + ratio))
    return sample.mean() + stats.t.ppf(0.975, sample.size - 1) * error * np.array([0, -1, 1])


def told(row: Any) -> list[float]:
    return [row[key] for key in ("value", "low", "high")]


def by_what(rows: Any) -> dict[Any, Any]:
    return {(row["measure"], row["what"], row["kind"], row["eps"]): row for row in rows}


def test_compression_table_has_the_row_computed_by_hand() -> None:
    found = by_what(compression_table(level_of_three_seeds()))
    accuracy = found["accuracy", "count", "exact", ""]
    assert told(accuracy) == pytest.approx(interval(ACCURACIES, INPUTS / TRAINED_ON), rel=ROUNDING)
    assert (accuracy["seeds"], accuracy["inputs"], accuracy["compression"]) == (3, INPUTS, 1.0)
    ratio = SEARCHED / TRAINED_ON
    exact = found["r_2", "branch and bound", "exact", ""]
    assert told(exact) == pytest.approx(interval(R_2, ratio), rel=ROUNDING)
    attacked = found["r_2", "DeepFool", "upper", ""]
    assert told(attacked) == pytest.approx(interval(np.array(R_2) + 0.1, ratio), rel=ROUNDING)
    assert (exact["norm"], exact["box"], exact["inputs"]) == (2.0, "none", SEARCHED)


def test_compression_table_has_attacks_above_proofs_at_each_budget() -> None:
    cells = planted({("natural", GLOBAL): Curve([0.9, 0.9], [0.5, 0.4])}, proven=-0.1)
    rows = compression_table(cells)
    for level, (attacked, proven) in enumerate([(0.5, 0.5), (0.4, 0.3)]):
        found = by_what(row for row in rows if row["level"] == level)
        for eps in EPS:
            for key, value in ((("PGD", "upper"), attacked), (("CROWN", "lower"), proven)):
                row = found[("robust accuracy", *key, eps)]
                # Without spread the limits are the value.
                assert told(row) == pytest.approx([value] * 3, abs=ROUNDING)
                assert (row["norm"], row["box"]) == (np.inf, (0.0, 1.0))


def test_compression_table_has_no_row_of_what_was_not_measured() -> None:
    cells = planted({("natural", GLOBAL): Curve([0.9], [0.5])}, model=CNN)
    kinds = {(row["measure"], row["kind"]) for row in compression_table(cells)}
    assert kinds == {("accuracy", "exact"), ("robust accuracy", "upper")}
    assert compression_table([]) == []


def test_compression_table_has_distances_in_the_box_computed_by_hand() -> None:
    many = np.array([0.0, 1.0, 2.0, 5.0])
    flips = [{"L0": many + k, "L2": many * k} for k in range(3)]
    cells = [
        replace(cell, flips=own) for cell, own in zip(level_of_three_seeds(), flips, strict=True)
    ]
    rows = [row for row in compression_table(cells) if row["measure"] == "distance"]
    found = {row["norm"]: row for row in rows}
    assert (len(rows), set(found)) == (2, {0.0, 2.0})
    for norm, means in ((0.0, [2.0, 3.0, 4.0]), (2.0, [0.0, 2.0, 4.0])):
        row = found[norm]
        assert told(row) == pytest.approx(interval(means, 4 / TRAINED_ON), rel=ROUNDING)
        assert (row["kind"], row["box"], row["inputs"]) == ("upper", (0.0, 1.0), 4)


def test_compression_table_does_not_cover_distances_that_are_unknown() -> None:
    cells = level_of_three_seeds(flips={"L0": np.ones(4), "L2": np.ones(4)})
    cells[1] = replace(cells[1], flips={"L0": np.array([1.0, np.nan]), "L2": np.ones(4)})
    found = {row["norm"]: row for row in compression_table(cells) if row["measure"] == "distance"}
    assert np.isnan(told(found[0.0])).all()
    assert told(found[2.0]) == pytest.approx([1.0] * 3, abs=ROUNDING)


def test_compression_table_tells_both_sides_of_a_search_that_did_not_end() -> None:
    cells = level_of_three_seeds()
    cells[0] = replace(cells[0], distances=bounds(0.2, 0.4))
    found = by_what(compression_table(cells))
    assert ("r_2", "branch and bound", "exact", "") not in found
    lower = found["r_2", "branch and bound", "lower", ""]["value"]
    upper = found["r_2", "branch and bound", "upper", ""]["value"]
    assert (lower, upper) == pytest.approx((0.65 / 3, 0.85 / 3), rel=ROUNDING)


def test_compression_table_does_not_cover_what_is_unknown() -> None:
    found = by_what(compression_table(level_of_three_seeds(eps=np.array(EPS))))
    assert np.isfinite(told(found["r_2", "DeepFool", "upper", ""])).all()
    cells = level_of_three_seeds()
    cells[2] = replace(cells[2], deepfool=np.full(SEARCHED, np.inf))
    one = by_what(compression_table(cells))["r_2", "DeepFool", "upper", ""]
    assert np.isnan(told(one)).all()
    alone = compression_table(cells[:1])
    assert np.isnan([told(row) for row in alone]).all()
    assert {row["seeds"] for row in alone} == {1}


def test_compression_table_counts_the_seeds_of_each_level() -> None:
    cells = planted({("natural", RANDOM): Curve([0.9, 0.8], [0.5, 0.4])}, seeds=4)
    gone = [cell for cell in cells if (cell.seed, cell.level) != (1, 1)]
    assert {(row["level"], row["seeds"]) for row in compression_table(gone)} == {(0, 4), (1, 3)}


def test_compression_table_keeps_families_and_sorts_levels() -> None:
    curve = Curve([0.9, 0.8, 0.7], [0.5, 0.4, 0.3])
    cells = planted({("natural", RANDOM): curve, ("natural", GLOBAL): curve})[::-1]
    rows = [row for row in compression_table(cells) if row["measure"] == "accuracy"]
    places = [(row["family"], row["compression"]) for row in rows]
    assert places == [(family, c) for family in (GLOBAL, RANDOM) for c in (1.0, 2.0, 4.0)]


def linear_cells() -> list[Any]:
    """Return two splits of a classifier each of two families; the first of four features decides.

    Validation margins are 1, 3 and 1, 5 of each label, before the norm √(weights).
    """
    return [
        linear.planted(
            wide(linear.part(1.0, 1.0)),
            validation=wide(linear.part(1.0, 3.0 + 2 * split)),
            weights=(np.arange(4) < count).astype(float),
            distances=np.full(4, 1.0 + split),
            split=split,
            family=family,
        )
        for split in range(2)
        for family, count in ((LINEAR_FAMILIES[0], 1), (LINEAR_FAMILIES[1], 4), ("ridge, cut", 2))
    ]


def wide(line: Part) -> Part:
    return Part(np.hstack([line.X, np.zeros((line.y.size, 3))]), line.y)


def test_r_2_table_has_linear_rows_computed_by_hand() -> None:
    rows = r_2_table([], linear_cells())
    assert {row["family"] for row in rows} == set(LINEAR_FAMILIES[:2])
    for family, left, norm in ((LINEAR_FAMILIES[0], 0.25, 1.0), (LINEAR_FAMILIES[1], 1.0, 2.0)):
        found = {row["kind"]: row for row in rows if row["family"] == family}
        assert found["upper"]["weights left"] == left
        assert told(found["upper"]) == pytest.approx(interval([1.0, 2.0], 0.5), rel=ROUNDING)
        means = np.array([2.0, 3.0]) / norm
        assert told(found["estimate"]) == pytest.approx(interval(means, 0.5), rel=ROUNDING)


def test_r_2_table_has_the_networks_that_were_searched() -> None:
    curves = {
        ("natural", GLOBAL): Curve([0.9, 0.8], [0.5, 0.4], [0.3, 0.2]),
        ("natural", RANDOM): Curve([0.9, 0.8], [0.5, 0.4]),
    }
    rows = r_2_table(planted(curves, slack=0.0), [])
    assert {(row["classifier"], row["on"], row["family"]) for row in rows} == {
        ("network", MLP, GLOBAL)
    }
    exact = {row["weights left"]: row["value"] for row in rows if row["kind"] == "exact"}
    assert exact == pytest.approx({1.0: 0.3, 0.5: 0.2}, rel=ROUNDING)
