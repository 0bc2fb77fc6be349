"""What a cell computes: the same again, each stage by itself, and what its numbers say."""

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import torch
from numpy.testing import assert_array_equal

from empirical.experiments import chosen_inputs, run_cell, split_of
from empirical.experiments.model import new_model
from empirical.experiments.pruning import levels_to
from empirical.ledger import Result, row_text
from empirical.pruning import state_of
from tests.empirical.small_cells import layers, masks, small, told
from theory.linear import LinearClassifier, flip_distance

METHODS: dict[str, dict[str, Any]] = {
    "one-shot": {"pruning.compression": 4},
    "iterative": {"pruning.compression": 8},
    "gradual": {"pruning.compression": 4, "pruning.steps": 3, "pruning.epochs": 1},
    "tickets": {"pruning.rounds": 2},
    "surgery": {"training.keep": "last", "pruning.stop": 20, "pruning.c": 0.5},
}


def pruned(method: str, changes: dict[str, Any] | None = None, *, seed: int = 0) -> Result:
    wanted = {"pruning.method": method, **METHODS[method], **(changes or {})}
    return run_cell(small(wanted, seed=seed))


def check_same_weights(one: Result, other: Result) -> None:
    assert one.weights.keys() == other.weights.keys()
    for name, value in one.weights.items():
        assert_array_equal(value, other.weights[name])


@pytest.mark.parametrize("method", METHODS)
def test_run_cell_is_the_same_again(method: str) -> None:
    one, other = (pruned(method) for _ in range(2))
    assert repr(told(one)) == repr(told(other))  # nan is then itself
    check_same_weights(one, other)
    assert row_text(one.row)


def test_run_cell_does_not_depend_on_threads_or_global_generators() -> None:
    one = run_cell(small())
    threads = torch.get_num_threads()
    try:
        torch.set_num_threads(2)
        torch.manual_seed(7)
        np.random.seed(7)  # noqa: NPY002  # what must not matter
        other = run_cell(small())
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(threads)
    assert repr(told(one)) == repr(told(other))
    check_same_weights(one, other)


def test_run_cell_seed_changes_the_network_but_not_the_inputs() -> None:
    one, other = run_cell(small()), run_cell(small(seed=1))
    assert not np.array_equal(one.weights["0.weight"], other.weights["0.weight"])
    assert_array_equal(one.row["inputs"], other.row["inputs"])


def test_data_seed_of_none_is_the_cells() -> None:
    own = {"data.seed": "none"}
    first, second = (split_of(small(own, seed=seed)).train.X for seed in (0, 1))
    assert not np.array_equal(first, second)
    assert_array_equal(split_of(small(seed=0)).train.X, split_of(small(seed=1)).train.X)
    assert_array_equal(
        split_of(small(own, seed=5)).train.X, split_of(small({"data.seed": 5})).train.X
    )


LATER: list[dict[str, Any]] = [
    {"attack.inputs": 9},
    {"attack.norms": ["linf", "l2"], "attack.names": ["linf_deepfool", "l2_deepfool"]},
    {"attack.box": "unit"},
    {"measure.budgets.l2": [0.1], "measure.restarts": 1},
    {"attack.norms": "none", "attack.names": ["quick"], "attack.inputs": 100},
]


@pytest.mark.parametrize("changes", LATER)
def test_later_settings_leave_the_network_as_it_is(changes: dict[str, Any]) -> None:
    check_same_weights(pruned("one-shot"), pruned("one-shot", changes))


@pytest.mark.parametrize("changes", [{"pruning.compression": 1}, {"pruning.compression": 8}])
def test_pruning_starts_from_the_dense_network(changes: dict[str, Any]) -> None:
    dense = run_cell(small())
    sparse = pruned("one-shot", {**changes, "pruning.epochs": 0})
    for name in ("0", "2"):
        assert_array_equal(dense.weights[f"{name}.weight"], sparse.weights[f"{name}.weight_orig"])
        assert_array_equal(dense.weights[f"{name}.bias"], sparse.weights[f"{name}.bias"])


def test_attacks_of_a_norm_do_not_depend_on_other_norms() -> None:
    both = {"attack.norms": ["linf", "l2"], "attack.names": ["linf_pgd", "l2_deepfool"]}
    one, other = run_cell(small()), run_cell(small(both))
    assert_array_equal(one.row["l2_distances"], other.row["l2_distances"])


@pytest.mark.parametrize("method", ["none", "one-shot", "surgery"])
def test_accuracies_and_counts_are_those_of_the_weights_kept(method: str) -> None:
    result = run_cell(small()) if method == "none" else pruned(method)
    data = split_of(small())
    (W1, b1), (W2, b2) = layers(result)
    for name, part in data._asdict().items():
        scores = np.maximum(part.X @ W1.T + b1, 0) @ W2.T + b2
        share = (scores.argmax(axis=1) == part.y).mean()
        # float32 may tell a near tie otherwise: one input of 449
        assert abs(result.row[f"{name}_accuracy"] - share) <= 1 / 449
    found = masks(result) or {"W1": np.ones_like(W1), "W2": np.ones_like(W2)}
    kept = [int(mask.sum()) for mask in found.values()]
    assert result.row["layer_kept"] == kept
    assert result.row["weights_kept"] == sum(kept)
    assert result.row["weights"] == 64 * 6 + 6 * 10
    assert result.row["compression"] == (64 * 6 + 6 * 10) / sum(kept)


def test_distances_are_upper_bounds_that_are_nearly_met() -> None:
    linear = {"model.widths": [64, 10], "attack.inputs": 40, "measure.budgets.l2": [0.05, 0.2]}
    result = run_cell(small(linear))
    ((W, b),) = layers(result)
    part = split_of(small(linear)).test
    rows = result.row["inputs"]
    exact = flip_distance(LinearClassifier(weights=W, bias=b), part.X[rows], part.y[rows], norm=2)
    found = result.row["l2_distances"]
    assert (found >= exact - 1e-9).all()  # rounding of a norm of 64 numbers
    assert np.median(found - exact) < 1e-3 * np.median(exact[exact > 0])
    # PGD and DeepFool can only break inputs that are not robust.
    for share, eps in zip(result.row["l2_robust_accuracy"], (0.05, 0.2), strict=True):
        assert share >= (exact > eps).mean()
    assert result.row["l2_accuracy"] == (exact > 0).mean()
    assert result.row["l2_mean"] == pytest.approx(found.mean())
    assert result.row["l2_kind"] == "upper"
    assert sum(result.row["l2_wins"].values()) == (exact > 0).sum()


def test_chosen_inputs_are_nested_and_of_the_test_part() -> None:
    few, many = (chosen_inputs(small({"attack.inputs": n})).tolist() for n in (10, 200))
    assert len(few) == 10
    assert set(few) < set(many) <= set(range(450))
    assert few != list(range(10))


def test_chosen_inputs_are_all_where_there_are_no_more() -> None:
    settings = {**small(), "data.name": "breast-cancer", "attack.inputs": 143}
    assert chosen_inputs(settings).tolist() == list(range(143))


def test_data_train_takes_a_part_of_the_training_inputs() -> None:
    whole, half, few = (split_of(small({"data.train": n})) for n in ("none", 400, 50))
    assert (len(whole.train.y), len(half.train.y), len(few.train.y)) == (898, 400, 50)
    rows = [{tuple(x) for x in part.train.X} for part in (whole, half, few)]
    assert rows[2] < rows[1] < rows[0]
    assert_array_equal(whole.test.X, few.test.X)


def test_binary_labels_are_counted_from_zero() -> None:
    data = {"data.name": "breast-cancer", "model.widths": [30, 4, 2], "attack.inputs": 20}
    result = run_cell(small(data))
    assert set(split_of(small(data)).train.y.tolist()) == {0, 1}
    assert result.row["test_accuracy"] > 0.8


def test_levels_double_and_end_where_asked() -> None:
    assert levels_to(64.0, 2.0) == [2, 4, 8, 16, 32, 64]
    for compression, factor in ((10.0, 2.0), (1.21, 1.1), (2.25, 1.5), (5.0, 7.0)):
        levels = levels_to(compression, factor)
        assert levels[-1] == compression
        assert all(
            1 < after / before <= factor * (1 + 1e-9) for before, after in pairwise([1, *levels])
        )


def test_iterative_pruning_reaches_each_level_from_the_one_before() -> None:
    levels = [pruned("iterative", {"pruning.compression": c}) for c in (2, 4, 8)]
    for level, result in zip((2, 4, 8), levels, strict=True):
        assert result.row["weights_kept"] == round(444 / level)
    for denser, sparser in pairwise(levels):
        for name, mask in masks(sparser).items():
            assert (mask <= masks(denser)[name]).all()
    assert levels[-1].row["pruning_asked"] == [2, 4, 8]
    at_once = pruned("one-shot", {"pruning.compression": 8})
    assert any((masks(at_once)[n] != m).any() for n, m in masks(levels[-1]).items())


def test_tickets_are_reset_to_the_first_weights() -> None:
    settings = small({"pruning.method": "tickets", "pruning.rounds": 2, "pruning.epochs": 0})
    result = run_cell(settings)
    first = state_of(new_model(settings))
    for name in ("0", "2"):
        assert_array_equal(result.weights[f"{name}.weight_orig"], first[f"{name}.weight"])
    # 20 % of 384 and 10 % of 60 weights go, twice; then of those left
    assert result.row["layer_kept"] == [384 - 77 - 61, 60 - 6 - 5]


def test_filters_of_convolutions_are_pruned() -> None:
    settings = {
        **{"model.name": "cnn", "model.channels": [4], "model.widths": [10]},
        **{"pruning.method": "one-shot", "pruning.granularity": "filter"},
        **{"pruning.scope": "layer", "pruning.compression": 2, "attack.inputs": 2},
    }
    result = run_cell(small(settings))
    kept = masks(result)["1.weight_mask"].any(axis=(1, 2, 3))
    assert kept.sum() == 2
    assert result.row["layer_kept"] == [18, 640]


def test_a_layer_without_weights_is_told() -> None:
    settings = {"pruning.method": "one-shot", "pruning.compression": 400, "pruning.epochs": 0}
    result = run_cell(small(settings))
    assert result.row["weights_kept"] == 1
    assert len(result.row["empty_layers"]) == 1
    assert result.row["l2_unknown"] == result.row["l2_accuracy"]  # nothing flips what is right


def test_training_against_an_adversary_changes_the_network() -> None:
    own = {"training.adversary.norm": "linf", "training.adversary.box": "unit"}
    one, other = run_cell(small()), run_cell(small(own))
    assert not np.array_equal(one.weights["0.weight"], other.weights["0.weight"])
