"""What cells measure: whose accuracy, in which box, by whose random numbers, in what time."""

import copy
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from empirical.data import Part, Split
from empirical.experiments import accuracy_row, measure, pruning, run_cell, split_of, training_row
from empirical.experiments import training as dense
from tests.empirical.small_cells import layers, small

ITERATIVE = {"pruning.method": "iterative", "pruning.compression": 8}
GRADUAL = {"pruning.method": "gradual", "pruning.compression": 4, "pruning.steps": 3}
TICKETS = {"pruning.method": "tickets", "pruning.rounds": 3}
BUDGETS = {"measure.budgets.linf": [0.1, 0.2], "attack.box": "unit"}


def accuracy(weights: list[list[float]], X: Any, y: list[int]) -> float:
    layer = nn.Linear(len(weights[0]), len(weights), bias=False)
    with torch.no_grad():
        layer.weight.copy_(torch.tensor(weights))
    part = Part(np.array(X), np.array(y))
    found: float = accuracy_row(nn.Sequential(layer), Split(part, part, part))["test_accuracy"]
    return found


def test_a_tie_is_wrong() -> None:
    assert accuracy([[0.0], [0.0]], [[1.0], [2.0]], [0, 1]) == 0
    assert accuracy([[1.0], [1.0], [0.0]], [[1.0], [-1.0]], [0, 2]) == 0.5


def test_accuracies_are_of_scores_in_float64() -> None:
    near = [[1.0, 1e-9]]  # the scores 1 and 1 + 1e-9 are the same in float32
    assert accuracy([[1.0, 0.0], [1.0, 1.0]], near, [1]) == 1
    assert accuracy([[1.0, 0.0], [1.0, 1.0]], near, [0]) == 0
    assert accuracy([[1.0, 0.0], [0.0, 1.0]], [[1.0, 1.0 + 1e-12]], [1]) == 1


def test_accuracy_is_that_of_the_attacks() -> None:
    row = run_cell(small({"attack.inputs": 450})).row
    assert row["test_accuracy"] == row["l2_accuracy"]


def test_budgets_stay_in_the_box() -> None:
    settings = small({**BUDGETS, "model.widths": [64, 10], "attack.inputs": 60})
    result = run_cell(settings)
    ((W, b),) = layers(result)
    test, rows = split_of(settings).test, result.row["inputs"]
    X, y = np.asarray(test.X[rows], dtype=np.float64), test.y[rows]
    for share, eps in zip(result.row["linf_robust_accuracy"], (0.1, 0.2), strict=True):
        boxed, free = (
            smallest_leads(W, b, y, np.maximum(X - eps, lo), np.minimum(X + eps, hi)) > 0
            for lo, hi in ((0, 1), (-np.inf, np.inf))
        )
        assert boxed.mean() > free.mean()  # else it would show nothing
        assert share >= boxed.mean()  # what no point of the box breaks


def smallest_leads(W: Any, b: Any, y: Any, lo: Any, hi: Any) -> Any:
    """Return the smallest lead of each label over its rivals between lo and hi: exact."""
    leads = np.full((len(y), len(b)), np.inf)
    for i, label in enumerate(y):
        for rival in range(len(b)):
            if rival != label:
                slope = W[label] - W[rival]
                worst = np.where(slope > 0, lo[i], hi[i])
                leads[i, rival] = slope @ worst + b[label] - b[rival]
    return leads.min(axis=1)


@pytest.mark.parametrize("name", ["model_attack_distances", "model_robust_accuracy"])
def test_attacks_have_random_numbers_of_their_seed_and_norm(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    drawn: list[float] = []
    attack = getattr(measure, name)

    def noted(*given: Any, rng: np.random.Generator, **settings: Any) -> Any:
        drawn.append(float(copy.deepcopy(rng).random()))
        return attack(*given, rng=rng, **settings)

    monkeypatch.setattr(measure, name, noted)
    both = {
        **{"attack.norms": ["l2", "linf"], "attack.names": ["l2_deepfool", "linf_deepfool"]},
        **{"measure.budgets.l2": [0.1], "measure.budgets.linf": [0.01], "measure.restarts": 1},
    }
    for seed in (0, 1, 2, 0):
        run_cell(small(both, seed=seed))
    assert len(drawn) == 8
    assert len(set(drawn)) == 6
    assert drawn[:2] == drawn[-2:]


@pytest.mark.parametrize(("changes", "rounds"), [(ITERATIVE, 3), (GRADUAL, 3), (TICKETS, 3)])
def test_every_training_has_a_seed_of_its_own(
    monkeypatch: pytest.MonkeyPatch, changes: dict[str, Any], rounds: int
) -> None:
    seeds: list[int] = []
    for module in (dense, pruning):
        train = module.train

        def noted(*given: Any, seed: int, train: Any = train, **settings: Any) -> Any:
            seeds.append(seed)
            return train(*given, seed=seed, **settings)

        monkeypatch.setattr(module, "train", noted)
    for seed in (0, 1):
        run_cell(small({**changes, "training.epochs": 1}, seed=seed))
    assert len(set(seeds)) == len(seeds) == 2 * (1 + rounds)


def test_training_row_tells_the_seconds_of_all_trainings() -> None:
    names = ("asked", "compression", "epochs", "kept", "diverged", "validation_loss")
    steps = [{**dict.fromkeys(names, 0), "seconds": seconds} for seconds in (1.0, 2.0, 4.0)]
    row = training_row(steps)
    assert (row["seconds_training"], row["seconds_pruning"]) == (1.0, 6.0)
    alone = training_row(steps[:1])
    assert (alone["seconds_training"], alone["seconds_pruning"]) == (1.0, 0)
