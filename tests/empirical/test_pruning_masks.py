"""Masks on torch networks: what they do, what they count, and how pruned networks are copied."""

import copy
import math
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.utils import prune

from empirical.pruning import (
    apply_masks,
    compression_of,
    copied,
    empty_layers,
    masks_of,
    prunable,
    restore,
    state_of,
    weight_counts,
)
from tests.empirical.pruned import arrays, lenet, linear

ROUNDING = 1e-6  # sums of some tens of float32 products of order one


def half(model: nn.Module, rng: np.random.Generator) -> dict[str, torch.Tensor]:
    masks = masks_of(model)
    return {
        name: mask & torch.as_tensor(rng.random(mask.shape) < 0.5) for name, mask in masks.items()
    }


def images(rng: np.random.Generator) -> torch.Tensor:
    return torch.as_tensor(rng.normal(size=(5, 64)), dtype=torch.float32)


def test_prunable_names_linear_and_convolutional_layers_in_order() -> None:
    model = nn.Sequential(lenet(np.random.default_rng(0)), nn.BatchNorm1d(3), nn.Linear(3, 3))
    assert list(prunable(model)) == ["0.1", "0.4", "0.7", "0.9", "2"]
    assert list(prunable(nn.Linear(2, 1))) == [""]


def test_prunable_refuses_what_has_no_such_layer() -> None:
    with pytest.raises(ValueError, match=r"must have a Linear or a Conv2d layer; it has none"):
        prunable(nn.Sequential(nn.ReLU()))
    with pytest.raises(TypeError, match=r"must be a torch.nn.Module; got list"):
        prunable([nn.Linear(2, 1)])  # type: ignore[arg-type]


def test_apply_masks_sets_weights_to_zero_and_leaves_biases() -> None:
    rng = np.random.default_rng(0)
    model, by_hand = lenet(rng), lenet(np.random.default_rng(0))
    masks = half(model, rng)
    apply_masks(model, masks)
    for name, layer in prunable(by_hand).items():
        layer.weight.data[~masks[name]] = 0
    X = images(rng)
    torch.testing.assert_close(model(X), by_hand(X), rtol=0, atol=ROUNDING)


def test_apply_masks_again_keeps_parameters_and_one_hook() -> None:
    rng = np.random.default_rng(1)
    model = lenet(rng)
    before = list(model.parameters())
    for _ in range(3):
        masks = half(model, rng)
        apply_masks(model, masks)
        assert {id(p) for p in model.parameters()} == {id(p) for p in before}
        for name, layer in prunable(model).items():
            assert len(layer._forward_pre_hooks) == 1
            assert torch.equal(masks_of(model)[name], masks[name])
            assert torch.equal(layer.weight != 0, masks[name])


def test_apply_masks_leaves_layers_without_a_mask() -> None:
    model = linear([[1.0, 2.0]], [[3.0]])
    apply_masks(model, {"2": torch.tensor([[0.0]])})
    assert not prune.is_pruned(model[0])
    assert weight_counts(model) == {"0": (2, 2), "2": (0, 1)}


@pytest.mark.parametrize(
    ("masks", "message"),
    [
        ({"0": torch.ones(1, 2), "1": torch.ones(1)}, r"must be of layers 0, 2; got '1'"),
        ({"0": torch.ones(2, 1)}, r"layer '0' must have shape \(1, 2\); got \(2, 1\)"),
        ({"2": torch.ones(1, 1), "0": torch.ones(1, 2)}, r"pruned; 1 of layer '0' came back"),
    ],
    ids=["name", "shape", "revived"],
)
def test_apply_masks_refuses_and_changes_nothing(masks: Any, message: str) -> None:
    model = linear([[1.0, 2.0]], [[3.0]])
    apply_masks(model, {"0": torch.tensor([[1, 0]])})
    before = state_of(model)
    with pytest.raises(ValueError, match=message):
        apply_masks(model, masks)
    after = state_of(model)
    assert before.keys() == after.keys()
    assert all(torch.equal(before[name], after[name]) for name in before)


def test_compression_counts_all_weights_and_no_biases() -> None:
    model = nn.Sequential(nn.Conv2d(2, 3, 2), nn.Flatten(), nn.Linear(6, 6))
    masks = masks_of(model)
    masks["0"][0], masks["2"][1:] = False, False
    apply_masks(model, masks)
    assert weight_counts(model) == {"0": (16, 24), "2": (6, 36)}
    assert compression_of(model) == 60 / 22


def test_empty_layers_are_named_and_a_network_of_none_is_compressed_without_limit() -> None:
    model = linear([[1.0, 2.0]], [[3.0]])
    apply_masks(model, {"0": torch.zeros(1, 2)})
    assert empty_layers(model) == ("0",)
    assert compression_of(model) == 3.0
    apply_masks(model, {"2": torch.zeros(1, 1)})
    assert empty_layers(model) == ("0", "2")
    assert compression_of(model) == math.inf


@pytest.mark.parametrize("pruned", [False, True])
def test_copied_is_the_same_and_shares_nothing(pruned: bool) -> None:
    rng = np.random.default_rng(2)
    model = lenet(rng)
    if pruned:
        apply_masks(model, half(model, rng))
    X = images(rng)
    model(X).sum().backward()  # so that masked weights are results of the last forward
    twin, outputs = copied(model), model(X).detach()
    assert torch.equal(twin(X), outputs)
    with torch.no_grad():
        for parameter in twin.parameters():
            parameter.zero_()
    apply_masks(twin, {"9": torch.zeros(3, 5)})
    assert torch.equal(model(X), outputs)
    assert not torch.equal(twin(X), outputs)
    assert empty_layers(model) == ()


def test_deepcopy_of_a_pruned_network_fails_still() -> None:
    """Else `copied` has no reason to be."""
    model = linear([[1.0, 2.0]])
    apply_masks(model, {"0": torch.tensor([[1, 0]])})
    with pytest.raises(RuntimeError, match="deepcopy"):
        copy.deepcopy(model)


def test_restore_brings_back_weights_and_masks_whatever_was_pruned() -> None:
    rng = np.random.default_rng(3)
    dense, some, every = (lenet(rng) for _ in range(3))
    apply_masks(some, {"4": half(some, rng)["4"]})
    apply_masks(every, half(every, rng))
    X = images(rng)
    for source in (dense, some, every):
        for target in (dense, some, every):
            model = copied(target)
            restore(model, state_of(source))
            assert {n: m.tolist() for n, m in arrays(masks_of(model)).items()} == {
                n: m.tolist() for n, m in arrays(masks_of(source)).items()
            }
            for own, given in zip(prunable(model).values(), prunable(source).values(), strict=True):
                assert torch.equal(own.weight, given.weight)  # before any forward
            assert torch.equal(model(X), source(X))


def test_restore_refuses_the_state_of_another_architecture() -> None:
    with pytest.raises(RuntimeError, match="size mismatch"):
        restore(linear([[1.0, 2.0]]), state_of(linear([[1.0]])))


def test_state_of_is_a_copy() -> None:
    model = linear([[1.0, 2.0]])
    state = state_of(model)
    with torch.no_grad():
        model[0].weight.zero_()
    assert state["0.weight"].tolist() == [[1.0, 2.0]]
