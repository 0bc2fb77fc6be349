"""Tables of random pruning: predictions meet what is measured, on networks known by hand."""

from typing import Any

import numpy as np
import pytest

from empirical.data import Part
from empirical.intervals import resampled_interval
from empirical.random_pruning import (
    DENSITIES,
    NORM_BOUNDS,
    STAGES,
    Effort,
    TrainedDigits,
    norm_table,
    ratio_table,
    trained_digits,
    trained_on,
)
from empirical.random_pruning.constant import no_path, same
from empirical.random_pruning.ratios import _OF_MEANS, _jackknifed
from theory.networks import ReluNetwork, class_scores

# An interval of 95 % is about two errors; five, with a false alarm in two million draws.
FIVE_OF_TWO = 2.5
# Networks are trained in float32.
SINGLE = 1e-5


@pytest.fixture(scope="module")
def trained() -> TrainedDigits:
    return trained_digits(np.random.default_rng(0), hidden=(16, 12))


@pytest.fixture(scope="module")
def rows(trained: TrainedDigits) -> list[dict[str, Any]]:
    effort = Effort(inputs=8, draws=60, masks=60, retrained=3, epochs=3, constant=200)
    return ratio_table(trained, np.random.default_rng(1), densities=(1.0, 0.25), effort=effort)


def tiny(*weights: Any) -> TrainedDigits:
    """Return a network known by hand, and one input at which its units are on."""
    net = ReluNetwork(weights=list(weights))
    part = Part(np.ones((1, net.dimension)), np.zeros(1, dtype=np.int64))
    return TrainedDigits("tiny", net, part, part)


def select(table: Any, **where: Any) -> list[dict[str, Any]]:
    found = [row for row in table if all(row[key] == value for key, value in where.items())]
    assert found, where
    return found


def near(measured: Any, value: float) -> bool:
    reach = FIVE_OF_TWO * max(measured["high"] - measured["value"], SINGLE)
    return bool(abs(measured["value"] - value) <= reach)


def test_trained_digits_learns_ten_digits(trained: TrainedDigits) -> None:
    guesses = class_scores(trained.net, trained.test.X).argmax(axis=1)
    assert (guesses == trained.test.y).mean() > 0.85  # one in ten by chance
    assert trained.name == "64-16-12-10"
    assert not any(b.any() for b in trained.net.biases)


def test_trained_on_keeps_zeros_and_networks_apart(trained: TrainedDigits) -> None:
    rng = np.random.default_rng(0)
    start = [W * (rng.random((2, *W.shape)) < 0.5) for W in map(np.asarray, trained.net.weights)]
    few = Part(trained.train.X[:150], trained.train.y[:150])
    both = trained_on(start, few, rng=np.random.default_rng(5), epochs=2)
    alone = trained_on([W[1:] for W in start], few, rng=np.random.default_rng(5), epochs=2)
    for before, after, one in zip(start, both, alone, strict=True):
        assert ((before == 0) == (after == 0)).all()
        np.testing.assert_allclose(after[1], one[0], rtol=0, atol=SINGLE)
        assert np.abs(after - before).max() > 100 * SINGLE


def test_norm_table_of_two_weights_is_known() -> None:
    table = norm_table(
        tiny([[3.0, 4.0]]), np.random.default_rng(0), alphas=(0.5,), inputs=1, masks=4000
    )
    for pruned in ("output layer", "all layers"):  # with one layer they are the same
        value = {row["what"]: row for row in select(table, pruned=pruned)}
        assert value["moments"]["value"] == pytest.approx(np.sqrt(12.5))
        assert near(value["root mean square"], np.sqrt(12.5))
        assert near(value["mean"], 3.0)  # of 5, 3, 4 and 0


def test_norm_table_has_bounds_above_and_moments_at_what_is_measured(
    trained: TrainedDigits,
) -> None:
    table = norm_table(trained, np.random.default_rng(0), alphas=(0.0, 0.5, 0.9), inputs=5)
    assert {row["kind"] for row in select(table, what="mean")} == {"estimate"}
    for mean in select(table, what="mean"):
        place = {key: mean[key] for key in ("pruned", "alpha")}
        for what in NORM_BOUNDS:
            (bound,) = select(table, what=what, **place)
            assert bound["kind"] == "upper"
            assert mean["value"] - FIVE_OF_TWO * (mean["high"] - mean["value"]) <= bound["value"]
        loosest, middle, sharp = (
            select(table, what=what, **place)[0]["value"] for what in NORM_BOUNDS
        )
        assert sharp <= middle * (1 + 1e-9) <= loosest * (1 + 2e-9)  # rounding of equal numbers
        (moments,), (root,) = (
            select(table, what=what, **place) for what in ("moments", "root mean square")
        )
        if place["pruned"] == "output layer":
            assert moments["kind"] == "exact"
            assert near(root, moments["value"])
        else:
            assert moments["kind"] == "estimate"
    dense = select(table, alpha=0.0, pruned="all layers")
    (root,) = select(dense, what="root mean square")
    assert select(dense, what="moments")[0]["value"] == pytest.approx(root["value"])


def test_ratio_table_predicts_networks_drawn(rows: list[dict[str, Any]]) -> None:
    for measured in select(rows, stage="drawn", what="measured"):
        place = {key: measured[key] for key in ("stage", "measure", "density")}
        (told,) = select(rows, what="predicted", **place)
        assert told["kind"] == "exact"
        assert near(measured, told["value"])


def test_ratio_table_is_exact_where_nothing_is_pruned(rows: list[dict[str, Any]]) -> None:
    for measured in select(rows, stage="trained", what="measured", density=1.0):
        place = {key: measured[key] for key in ("stage", "measure", "density")}
        (told,) = select(rows, what="predicted", **place)
        assert measured["value"] == pytest.approx(told["value"])
        assert measured["high"] == pytest.approx(measured["low"])  # every mask is the same


def test_ratio_table_measures_what_training_on_does(rows: list[dict[str, Any]]) -> None:
    chosen = {"measure": "margin", "density": 0.25}
    (pruned,) = select(rows, stage="trained", what="measured", **chosen)
    (mended,) = select(rows, stage="retrained", what="measured", **chosen)
    assert mended["value"] > pruned["value"]
    told = select(rows, stage="retrained", what="predicted, not trained on")
    values = [row["value"] for row in select(rows, stage="trained", what="predicted")]
    assert [row["value"] for row in told] == values


def test_ratio_table_bounds_how_often_an_output_is_constant(rows: list[dict[str, Any]]) -> None:
    for density in (1.0, 0.25):
        for stage in STAGES:
            place = {"stage": stage, "density": density, "measure": "constant"}
            found = {row["what"]: row for row in select(rows, **place)}
            cut = found["no path, predicted"]["value"]
            assert near(found["no path, measured"], cut)
            assert found["no path, measured"]["value"] <= found["constant, measured"]["value"]
            if stage != "retrained":
                assert cut <= found["constant, bound"]["value"]
                assert found["constant, measured"]["low"] <= found["constant, bound"]["value"]
    assert (np.diff(DENSITIES) < 0).all()


def test_no_path_and_same_of_networks_known_by_hand() -> None:
    first = np.array([[[1.0, 0.0], [0.0, 0.0]], [[1.0, 0.0], [0.0, 0.0]], [[-1.0, 0.0], [0, 0]]])
    last = np.array([[[0.0, 1.0]], [[1.0, 0.0]], [[1.0, 0.0]]])
    X = np.array([[1.0, 1.0], [2.0, 0.0]])
    assert no_path([first, last]).tolist() == [True, False, False]
    assert same([first, last], X).tolist() == [True, False, True]  # the third is never on


def test_jackknifed_of_a_mean_is_students_interval() -> None:
    sample = np.random.default_rng(0).normal(size=(30, 2)) ** 2
    found = _jackknifed(_OF_MEANS, sample)["margin"]
    known = resampled_interval(sample[:, 0], test_to_train=0.0)
    np.testing.assert_allclose(found, known, rtol=1e-12)  # rounding


def test_jackknifed_covers_a_ratio() -> None:
    rng, hits = np.random.default_rng(0), 0
    for _ in range(400):
        a = rng.normal(size=60)
        found = _jackknifed(_OF_MEANS, np.stack([1 + a, 4 * (1 + a / 4) ** 2], axis=1))["ratio"]
        hits += found.low <= 1 / np.sqrt(4 * (1 + 1 / 16)) <= found.high
    assert hits > 400 * 0.95 - 5 * np.sqrt(400 * 0.95 * 0.05)  # five errors


def test_ratio_table_says_nan_where_no_gradient_is_left() -> None:
    found = _jackknifed(_OF_MEANS, np.zeros((5, 2)))
    assert np.isnan(found["ratio"].value)
    assert found["margin"].value == 0
