"""Lottery tickets: how many weights a round leaves, which, and what a reset gives back."""

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from empirical.models import lenet_300_100
from empirical.pruning import (
    RESETS,
    apply_masks,
    compression_of,
    lottery_tickets,
    masks_of,
    restore,
    state_of,
    ticket_masks,
)
from tests.empirical.pruned import arrays, lenet, linear, nearest


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def shaken(model: nn.Module) -> dict[str, torch.Tensor]:
    """Return the network's state, and change its parameters: stands for training."""
    state = state_of(model)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(torch.sin(37 * parameter) + 0.1 * parameter)
    return state


def tickets(model: nn.Module, reset: Any = "original", **settings: Any) -> Any:
    return lottery_tickets(
        model,
        **{
            "rounds": 3,
            "train": shaken,
            "rng": rng(),
            "original": state_of(model),
            "reset": reset,
            **settings,
        },
    )


def value(state: Any, name: str) -> torch.Tensor:
    """Return a parameter by the name that it has when it is not pruned."""
    masked = f"{name}_mask"
    return state[f"{name}_orig"] * state[masked] if masked in state else state[name]


def test_tickets_leave_the_published_shares_of_weights() -> None:
    # Cosentino et al. 2019, tables 1 and 2, LeNet-300-100 without biases, in percent. Rounded to
    # one digit, and their code removes up to three weights more a round: 18 of 266,200 at most,
    # being scaled down each time
    published = {0: 100, 3: 51.3, 8: 16.9, 11: 8.7, 15: 3.6, 18: 1.8}
    model = lenet_300_100(bias=False, seed=0)
    left = [100 / compression_of(model)]
    for _ in range(18):
        apply_masks(model, ticket_masks(model))
        left.append(100 / compression_of(model))
    for rounds, share in published.items():
        assert left[rounds] == pytest.approx(share, abs=0.05 + 100 * 18 / 266_200)


def test_ticket_masks_remove_the_smallest_of_each_layer_by_its_rate() -> None:
    model = lenet(rng(1))  # two convolutions, a hidden layer, an output layer
    rates = {"1": (1, 5), "4": (1, 5), "7": (1, 5), "9": (1, 10)}
    for _ in range(6):
        old = masks_of(model)
        masks = ticket_masks(model)
        for name, (a, b) in rates.items():
            sizes = value(state_of(model), f"{name}.weight").abs()
            left = int(old[name].sum())
            assert int(masks[name].sum()) == left - nearest(a * left, b)
            assert bool((masks[name] <= old[name]).all())
            gone = old[name] & ~masks[name]
            if gone.any():
                assert sizes[gone].max() < sizes[masks[name]].min()
        apply_masks(model, masks)


def test_ticket_masks_take_rates_and_break_ties_in_order() -> None:
    model = linear([[1.0, -1.0, 1.0, 1.0]], [[2.0], [-2.0]])
    masks = arrays(ticket_masks(model, {"conv": 0, "hidden": 0.625, "output": 0.75}))
    # 2.5 of 4 and 1.5 of 2: halves round to even
    assert masks["0"].tolist() == [[0, 0, 1, 1]]
    assert masks["2"].tolist() == [[0], [0]]


def test_ticket_masks_never_empty_a_layer() -> None:
    model = lenet(rng())
    for _ in range(60):
        apply_masks(model, ticket_masks(model))
    assert [int(mask.sum()) for mask in masks_of(model).values()] == [2, 2, 2, 5]


def test_original_reset_gives_survivors_their_first_weights_exactly() -> None:
    model = lenet(rng(2))
    original = state_of(model)
    for stage in tickets(model):
        started = stage.trained
        for name, mask in stage.masks.items():
            expected = torch.where(mask, original[f"{name}.weight"], 0.0)
            assert torch.equal(value(started, f"{name}.weight"), expected)
            assert torch.equal(started[f"{name}.bias"], original[f"{name}.bias"])
    assert stage.number == 3


def test_tickets_are_pruned_by_trained_weights() -> None:
    # trained, the largest weight is the smallest; reset, it would be the last to go
    model = linear([[1.0, 2.0, 3.0, 4.0, 5.0]])

    def inverted(model: Any) -> None:
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.copy_(1 / parameter)

    rates = {"conv": 0.2, "hidden": 0.2, "output": 0.2}
    *_, last = tickets(model, train=inverted, rounds=2, rates=rates)
    # of 5 the fifth goes, of 4 (0.8) the fourth
    assert arrays(last.masks)["0"].tolist() == [[1, 1, 1, 0, 0]]


def test_no_reset_goes_on_with_trained_weights() -> None:
    model = lenet(rng(3))
    ended: Any = None
    for stage in tickets(model, "none"):
        started = stage.trained
        if ended is not None:
            for name, mask in stage.masks.items():
                expected = torch.where(mask, value(ended, f"{name}.weight"), 0.0)
                assert torch.equal(value(started, f"{name}.weight"), expected)
                assert torch.equal(started[f"{name}.bias"], ended[f"{name}.bias"])
        ended = state_of(model)


def test_random_reset_draws_from_the_layers_own_distribution_by_its_rng() -> None:
    runs = []
    for seed in (0, 0, 1):
        model = lenet(rng(4))
        torch.manual_seed(seed + 5)
        expected = torch.rand(1)
        torch.manual_seed(seed + 5)
        runs.append([stage.trained for stage in tickets(model, "random", rng=rng(seed))])
        assert torch.equal(torch.rand(1), expected)  # the global generator is as it was
    for first, again, other in list(zip(*runs, strict=True))[1:]:
        for name in ("1.weight_orig", "9.weight_orig", "7.bias"):
            assert torch.equal(first[name], again[name])
            assert not torch.equal(first[name], other[name])
    dense, *rounds = runs[0]
    for before, after in pairwise(rounds):
        assert not torch.equal(before["1.weight_orig"], after["1.weight_orig"])
    fans = {"1": 9, "4": 36, "7": 6, "9": 5}
    for state in rounds:
        for name, fan in fans.items():
            # PyTorch's default for weights and biases: uniform within 1/sqrt(inputs)
            for drawn in (state[f"{name}.weight_orig"], state[f"{name}.bias"]):
                # the largest of at least three falls below a fiftieth with 1e-5
                assert fan**-0.5 / 50 < drawn.abs().max() <= fan**-0.5 * (1 + 1e-6)
    assert not torch.equal(dense["1.weight"], rounds[0]["1.weight_orig"])


def test_a_reset_can_be_a_function() -> None:
    model, called = lenet(rng()), []

    def reset(model: nn.Module, original: Any, rng: Any) -> None:
        called.append(masks_of(model))

    stages = list(tickets(model, reset))
    assert len(called) == 3
    for masks, stage in zip(called, stages[1:], strict=True):  # pruned before the reset
        assert all(torch.equal(masks[name], stage.masks[name]) for name in masks)


@pytest.mark.parametrize("reset", RESETS)
@pytest.mark.parametrize("done", [0, 1, 3, 4])
def test_tickets_go_on_where_they_were_left(reset: str, done: int) -> None:
    model, draws = lenet(rng(5)), rng(6)
    original = state_of(model)
    saved, state = state_of(model), draws.bit_generator.state
    whole = []
    for stage in tickets(model, reset, rng=draws):
        whole.append(stage)
        if len(whole) == done:
            saved, state = state_of(model), draws.bit_generator.state
    fresh, other = lenet(rng(8)), rng()
    restore(fresh, saved)
    other.bit_generator.state = state
    rest = list(tickets(fresh, reset, rng=other, original=original, done=done))
    assert [stage.number for stage in rest] == list(range(done, 4))
    for stage, again in zip(whole[done:], rest, strict=True):
        assert stage.trained.keys() == again.trained.keys()
        assert all(torch.equal(stage.trained[k], again.trained[k]) for k in again.trained)


def test_original_can_be_the_state_of_a_pruned_network() -> None:
    model = linear([[1.0, 2.0, 3.0, 4.0]])
    apply_masks(model, {"0": torch.tensor([[0, 1, 1, 1]])})
    rates = {"conv": 0.2, "hidden": 0.2, "output": 0.34}
    *_, last = tickets(model, rounds=1, rates=rates)
    assert value(last.trained, "0.weight").count_nonzero() == 2
    assert last.trained["0.weight_orig"].tolist() == [[1.0, 2.0, 3.0, 4.0]]


BAD: dict[str, tuple[dict[str, Any], str]] = {
    "reset": ({"reset": "other"}, r"reset must be one of original, random, none; got 'other'"),
    "rounds": ({"rounds": -1}, r"rounds must not be negative; got -1"),
    "done": ({"done": 5}, r"done must be in \[0, 4\]; got 5"),
    "names": ({"rates": {"conv": 0.2}}, r"rates must be of conv, hidden, output; got conv"),
    "rate": (
        {"rates": {"conv": 0.2, "hidden": 1, "output": 0.1}},
        r"rates must be in \[0, 1\); got 1 for hidden",
    ),
    "absent": ({"original": {}}, r"it has no '0.weight'"),
    "shape": (
        {"original": {"0.weight": torch.ones(2)}},
        r"its '0.weight' has shape \(2,\), the model's \(1, 1\)",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_tickets_refuse_at_once(case: str) -> None:
    settings, message = BAD[case]
    with pytest.raises(ValueError, match=message):
        tickets(linear([[1.0]]), **settings)


def test_ticket_masks_refuse_weights_that_are_not_finite() -> None:
    with pytest.raises(ValueError, match=r"must be finite; those of layer '0' are not"):
        ticket_masks(linear([[1.0, np.inf]]))
