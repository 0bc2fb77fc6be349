"""Models: their exact sizes, their initial weights, and that the theory computes what they do."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from empirical.lowering import network_from_module
from empirical.models import (
    MODELS,
    build_model,
    cnn,
    lenet5,
    lenet5_small,
    lenet_300_100,
    mlp,
)
from tests.empirical.lowered import assert_same_outputs
from theory.networks import forward

PRESETS: dict[str, Callable[..., nn.Sequential]] = {
    "lenet-300-100": lenet_300_100,
    "lenet5": lenet5,
    "lenet5-small": lenet5_small,
}
SETTINGS: dict[str, dict[str, Any]] = {
    "mlp": {"widths": [784, 20, 10]},
    "cnn": {"image": [1, 28, 28], "channels": [3, 4], "widths": [10]},
    **{name: {} for name in PRESETS},
}


def weights(module: nn.Module) -> list[int]:
    return [value.numel() for name, value in module.named_parameters() if name.endswith("weight")]


# Each product of sides written out: outputs × inputs (× kernel).
COUNTS = {
    "lenet-300-100": ([300 * 784, 100 * 300, 10 * 100], 266_200, 300 + 100 + 10),
    "lenet5": ([20 * 25, 50 * 20 * 25, 500 * 800, 10 * 500], 430_500, 20 + 50 + 500 + 10),
    "lenet5-small": ([150, 2400, 48_000, 10_080, 840], 61_470, 6 + 16 + 120 + 84 + 10),
}


@pytest.mark.parametrize("name", COUNTS)
def test_presets_have_exactly_the_weights_of_the_papers(name: str) -> None:
    each, total, biases = COUNTS[name]
    bare, full = PRESETS[name](bias=False, seed=0), PRESETS[name](seed=0)
    assert weights(bare) == weights(full) == each
    assert sum(each) == total == sum(value.numel() for value in bare.parameters())
    assert sum(value.numel() for value in full.parameters()) == total + biases


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("bias", [True, False])
def test_models_take_flat_rows_and_give_a_score_a_class(name: str, bias: bool) -> None:
    module = build_model(name, SETTINGS[name] | {"bias": bias}, seed=1)
    assert type(module) is nn.Sequential
    assert module(torch.zeros(3, 784)).shape == (3, 10)
    assert bias == any(key.endswith("bias") for key in module.state_dict())
    assert all(value.is_leaf and value.requires_grad for value in module.parameters())


@pytest.mark.parametrize("name", MODELS)
def test_models_lower_to_networks_with_the_same_outputs(name: str) -> None:
    module = build_model(name, SETTINGS[name], seed=2)
    net = assert_same_outputs(module, (784,))
    assert (net.dimension, net.outputs) == (784, 10)


def test_cnn_halves_odd_sides_as_its_lowering_does() -> None:
    module = cnn((2, 9, 7), [3, 2], [5, 4], kernel=5, seed=0)
    assert weights(module) == [3 * 2 * 25, 2 * 3 * 25, 5 * 2 * 2 * 1, 4 * 5]
    assert_same_outputs(module, (2 * 9 * 7,))


def test_lenet5_small_pools_and_rectifies_in_either_order() -> None:
    module = lenet5_small(seed=0)
    order = [type(layer).__name__ for layer in module[:4]]
    assert order == ["Unflatten", "Conv2d", "MaxPool2d", "ReLU"]
    as_published = nn.Sequential(*(module[i] for i in (0, 1, 3, 2, 4, 6, 5, *range(7, 13))))
    X = torch.rand(4, 784, generator=torch.Generator().manual_seed(0))
    assert torch.equal(module(X), as_published(X))


def test_mlp_is_dense_layers_with_relus_between() -> None:
    kinds = [type(layer) for layer in mlp(5, 4, 3, 2, seed=0)]
    assert kinds == [nn.Linear, nn.ReLU, nn.Linear, nn.ReLU, nn.Linear]
    assert [type(layer) for layer in mlp(5, 2, seed=0)] == [nn.Linear]
    net = network_from_module(mlp(5, 4, 2, seed=3), (5,))
    X = np.random.default_rng(0).normal(size=(6, 5))
    W, V = net.weights
    expected = np.maximum(X @ W.T + net.biases[0], 0) @ V.T + net.biases[1]
    np.testing.assert_allclose(forward(net, X), expected, rtol=1e-12, atol=1e-12)  # rounding


@pytest.mark.parametrize("name", MODELS)
def test_models_start_with_the_weights_that_torch_draws_for_the_seed(name: str) -> None:
    module = build_model(name, SETTINGS[name], seed=5)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(5)
        for layer in module:
            if isinstance(layer, nn.Linear):
                drawn: nn.Module = nn.Linear(layer.in_features, layer.out_features)
            elif isinstance(layer, nn.Conv2d):
                drawn = nn.Conv2d(layer.in_channels, layer.out_channels, layer.kernel_size)
            else:
                continue
            assert torch.equal(layer.weight, drawn.weight)
            assert torch.equal(layer.bias, drawn.bias)


@pytest.mark.parametrize("name", MODELS)
def test_models_depend_on_the_seed_alone_and_leave_the_global_generator(name: str) -> None:
    before = torch.random.get_rng_state()
    first = build_model(name, SETTINGS[name], seed=3).state_dict()
    assert torch.equal(torch.random.get_rng_state(), before)
    torch.rand(7)
    again = build_model(name, SETTINGS[name], seed=3).state_dict()
    other = build_model(name, SETTINGS[name], seed=4).state_dict()
    assert all(torch.equal(again[key], value) for key, value in first.items())
    assert not any(torch.equal(other[key], value) for key, value in first.items())


@pytest.mark.parametrize("widths", [(), (0, 3), (3, -1), (3, 2.0), (3, True), (3, "2"), (3, None)])
def test_mlp_refuses_widths_that_are_no_positive_integers(widths: Any) -> None:
    with pytest.raises(ValueError, match="widths must be positive integers; got"):
        mlp(*widths, seed=0)


def test_mlp_refuses_a_single_width() -> None:
    with pytest.raises(ValueError, match=r"of inputs and outputs; got \(3,\)"):
        mlp(3, seed=0)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"image": (8, 8)}, r"image must be \(channels, height, width\); got \(8, 8\)"),
        ({"image": (1, 0, 8)}, "image must be positive integers"),
        ({"image": (1, 8, 3)}, "large enough to be halved 2 times"),
        ({"channels": ()}, r"channels must be positive integers; got \(\)"),
        ({"channels": (4, 0)}, "channels must be positive integers"),
        ({"channels": 4}, "channels must be positive integers; got 4"),
        ({"widths": ()}, "widths must be positive integers"),
        ({"kernel": 4}, "kernel must be odd and positive; got 4"),
        ({"kernel": -3}, "kernel must be odd and positive; got -3"),
        ({"kernel": "3"}, "kernel must be odd and positive; got '3'"),
    ],
)
def test_cnn_refuses_by_value(change: dict[str, Any], message: str) -> None:
    settings: dict[str, Any] = {"image": (1, 8, 8), "channels": (4, 4), "widths": (10,)} | change
    with pytest.raises(ValueError, match=message):
        cnn(**settings, seed=0)


@pytest.mark.parametrize("seed", [-1, 2**63, 1.0, True, None, "0"])
def test_models_refuse_what_is_no_seed(seed: Any) -> None:
    with pytest.raises(ValueError, match=r"seed must be an integer in \[0, 2\*\*63\); got"):
        mlp(3, 2, seed=seed)


def test_models_take_the_integers_of_numpy() -> None:
    ours = mlp(np.int64(3), np.int64(2), seed=np.int64(1))  # type: ignore[arg-type]
    assert torch.equal(ours[0].weight, mlp(3, 2, seed=1)[0].weight)


@pytest.mark.parametrize(
    ("name", "settings", "message"),
    [
        ("resnet", {}, "one of mlp, cnn, lenet-300-100, lenet5, lenet5-small; got 'resnet'"),
        ("lenet5", {"width": 3}, "settings of lenet5 must be among bias, .*none required; got wid"),
        ("lenet5", {"seed": 3}, "must be among bias, .*; got seed"),
        ("mlp", {}, "settings of mlp must be among widths, bias, with widths; got none"),
        ("mlp", {"widths": 5}, "widths must be positive integers; got 5"),
        ("mlp", {"widths": "55"}, "widths must be positive integers; got '55'"),
        ("mlp", {"widths": [5, 2], "bias": "no"}, "bias must be true or false; got 'no'"),
        ("cnn", {"image": [1, 8, 8]}, "with image, channels, widths; got image"),
    ],
)
def test_build_model_refuses_by_name(name: str, settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        build_model(name, settings, seed=0)
