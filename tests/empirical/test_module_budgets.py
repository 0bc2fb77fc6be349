"""Robust accuracy of torch classifiers under attacks of given sizes, and alarms of masking."""

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from empirical.models import mlp
from empirical.module_budgets import BudgetResult, masking_alarms, model_robust_accuracy
from tests.empirical.attacked import module_of_ten_digits
from theory.linear import flip_distance

BOX = (0.0, 1.0)


def rng() -> np.random.Generator:
    return np.random.default_rng(0)


class Rounded(nn.Module):
    """A model whose logits are rounded: their gradients are zero, and attacks see nothing."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        return (self.model(inputs) * 20).round()


class Wavy(nn.Module):
    """Two logits whose difference near 1 falls, then rises steeply in a direction that misleads."""

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        lead = torch.where(inputs[:, 0] > -1.0, 1.0 - 0.01 * inputs[:, 0], -1.0 + inputs[:, 0])
        return torch.stack([lead, torch.zeros_like(lead)], dim=1)


@pytest.mark.parametrize("norm", [2, math.inf])
def test_survivors_of_affine_models_are_between_the_exact_ones_and_few_more(norm: float) -> None:
    model, record, X, y = module_of_ten_digits()
    exact = flip_distance(record, X, y, norm=norm, box=BOX)
    eps = np.quantile(exact[exact > 0], [0.2, 0.5, 0.8])
    found = model_robust_accuracy(model, X, y, eps, norm=norm, box=BOX, rng=rng())
    for j, budget in enumerate(eps):
        assert found.survived[j][exact > budget * (1 + 1e-6)].all()
        # PGD's steps leave it a little short of the nearest flip.
        assert not found.survived[j][exact < 0.9 * budget].any()
    assert masking_alarms(found) == ()
    assert found.kind == "upper"


@pytest.mark.parametrize("norm", [2, math.inf])
def test_witnesses_break_within_their_budgets_and_are_kept_for_larger_ones(norm: float) -> None:
    model = mlp(8, 16, 3, seed=1)
    X = np.random.default_rng(2).random((20, 8))
    y = model(torch.tensor(X, dtype=torch.float32)).argmax(dim=1).numpy()
    y[0] = (y[0] + 1) % 3
    eps = np.array([0.0, 0.1, 0.3, 0.9])
    found = model_robust_accuracy(model, X, y, eps, norm=norm, box=BOX, rng=rng())
    assert found.wrong.tolist() == [True] + [False] * 19
    assert (np.diff(found.survived.astype(int), axis=0) <= 0).all()
    assert found.survived[0].tolist() == [False] + [True] * 19
    assert not found.survived[-1].all()
    broken = found.broken.any(axis=0)
    for j, i in zip(*np.nonzero(~found.survived), strict=True):
        witness = found.witnesses[j, i]
        scores = model.double()(torch.from_numpy(witness[None])).detach().numpy()[0]
        assert scores[y[i]] - np.delete(scores, y[i]).max() <= 1e-12  # rounding
        assert np.linalg.norm(witness - X[i], ord=norm) <= eps[j] * (1 + 1e-9) + 1e-15
        assert witness.min() >= 0
        assert witness.max() <= 1
        assert i == 0 or broken[: j + 1, i].any()


def test_a_model_of_rounded_logits_raises_the_alarm_of_random_moves() -> None:
    model, _, X, y = module_of_ten_digits()
    found = model_robust_accuracy(
        Rounded(model), X, y, [0.2, 0.6], norm=math.inf, box=BOX, rng=rng()
    )
    alarms = masking_alarms(found)
    assert any("random moves broke" in alarm and "eps=0.6" in alarm for alarm in alarms)


def test_a_model_that_misleads_from_its_inputs_is_found_by_larger_moves_only() -> None:
    found = model_robust_accuracy(
        Wavy(), [[0.0]] * 30, [0] * 30, [0.5, 1.5], norm=math.inf, box=None, rng=rng()
    )
    assert found.survived[0].all()
    assert any("random moves broke" in alarm for alarm in masking_alarms(found))


def result(**broken: list[list[int]]) -> BudgetResult:
    names = ("fgm", "random_fgm", "pgd", "random_pgd", "noise")
    none = [[0, 0, 0]] * 2
    table = np.array([broken.get(name, none) for name in names], dtype=bool)
    return BudgetResult(
        eps=np.array([0.1, 0.2]),
        attacks=names,
        broken=table,
        survived=np.ones((2, 3), dtype=bool),
        witnesses=np.full((2, 3, 1), np.nan),
        wrong=np.zeros(3, dtype=bool),
        norm=2.0,
        box=None,
    )


def test_alarms_say_what_beat_what_and_where() -> None:
    assert masking_alarms(result()) == ()
    fast = result(fgm=[[1, 0, 0], [1, 1, 1]], pgd=[[1, 0, 0], [1, 1, 0]])
    assert masking_alarms(fast) == ("At eps=0.2 one step broke 3 inputs, PGD only 2.",)
    falling = result(random_pgd=[[1, 1, 0], [1, 0, 0]])
    assert masking_alarms(falling) == ("PGD broke 1 inputs at eps=0.2, 2 at eps=0.1.",)
    noise = result(noise=[[0, 1, 1], [1, 1, 1]], pgd=[[0, 0, 1], [1, 1, 1]])
    assert masking_alarms(noise) == (
        "At eps=0.1 random moves broke 1 inputs that no gradient did.",
    )
    alone = replace(noise, broken=noise.broken[:, :1], eps=noise.eps[:1])
    assert len(masking_alarms(alone)) == 1


def test_seeds_repeat_results_and_global_generators_stay() -> None:
    model, _, X, y = module_of_ten_digits()
    before = torch.random.get_rng_state()
    runs = [
        model_robust_accuracy(model, X, y, [0.05, 0.1], norm=2, box=BOX, rng=rng()).broken
        for _ in range(2)
    ]
    np.testing.assert_array_equal(*runs)
    assert (torch.random.get_rng_state() == before).all()


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"norm": 1}, "norm must be 2 or inf; got 1"),
        ({"eps": [0.2, 0.1]}, "eps must be ascending"),
        ({"eps": []}, "eps must be ascending"),
        ({"eps": [-0.1]}, "eps must be at least 0"),
        ({"eps": [np.nan]}, "eps must be finite"),
        ({"restarts": 0}, "restarts must be a positive integer; got 0"),
        ({"y": [3]}, "y must hold labels"),
        ({"X": [[2.0, 0.0]]}, "X must lie in the box"),
        ({"X": [[np.nan, 0.0]]}, "X must be finite"),
    ],
)
def test_malformed_arguments_are_refused(changed: dict[str, Any], message: str) -> None:
    given = {"X": [[0.5, 0.5]], "y": [0], "eps": [0.1], "norm": 2, "box": BOX} | changed
    X, y, eps = (given.pop(name) for name in ("X", "y", "eps"))
    with pytest.raises(ValueError, match=message):
        model_robust_accuracy(nn.Linear(2, 3), X, y, eps, rng=rng(), **given)
