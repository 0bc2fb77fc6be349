"""Dynamic network surgery: thresholds, which weights come back, and what is trained meanwhile."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from empirical.data import digits, split
from empirical.models import mlp
from empirical.pruning import (
    Surgery,
    apply_masks,
    compression_of,
    copied,
    masks_of,
    operated_masks,
    planned_surgery,
    prunable,
    splicing,
    straight_through,
    surgery_step,
)
from empirical.pruning.masks import set_masks
from tests.empirical.pruned import arrays, lenet, linear


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def always(model: nn.Module, low: float, high: float) -> Surgery:
    names = prunable(model)
    return Surgery(
        low=dict.fromkeys(names, low),
        high=dict.fromkeys(names, high),
        gamma=0.0,
        power=1.0,
        stop=1000,
    )


def test_surgery_brings_a_pruned_weight_back() -> None:
    # y = w_1 x_1 + w_2 x_2 is to be 2 x_2, but w_2 is too small at first and is pruned. Its
    # gradient is that of the product it has no part in, so it grows by a tenth of (2 - 0) each
    # step, until it is in the product again.
    model = linear([[1.0, 0.5]])
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    surgery, x = always(model, 0.7, 1.0), torch.tensor([[0.0, 1.0]], dtype=torch.float64)
    history = []
    with splicing(model):
        for iteration in range(6):
            changes = surgery_step(model, surgery, iteration=iteration, rng=rng())
            history.append((tuple(changes), model[0].weight_orig[0, 1].item()))
            loss = (model(x) - 2).square().sum() / 2
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    assert [changes for changes, _ in history] == [(1, 0), (0, 0), (0, 0), (0, 1), (0, 0), (0, 0)]
    # 0.5, then + 0.2 each while pruned; then a tenth of what lacks; rounding of a few sums
    expected = [0.5, 0.7, 0.9, 1.1, 1.19, 1.271]
    assert [w for _, w in history] == pytest.approx(expected, abs=1e-12)
    assert model[0].weight_orig[0, 0].item() == 1.0  # of x_1 = 0 there is no gradient


def test_ordinary_masks_bring_nothing_back() -> None:
    """Else splicing has no reason to be."""
    model = linear([[1.0, 0.5]])
    apply_masks(model, {"0": torch.tensor([[1, 0]])})
    model(torch.ones(1, 2, dtype=torch.float64)).sum().backward()
    assert model[0].weight_orig.grad.tolist() == [[1.0, 0.0]]


def test_splicing_gives_the_gradient_by_the_masked_weight() -> None:
    model = lenet(rng(1)).double()
    masks = {n: torch.as_tensor(rng(2).random(m.shape) < 0.5) for n, m in masks_of(model).items()}
    plain = copied(model)  # dense, with zeros where the other is masked
    for name, layer in prunable(plain).items():
        layer.weight.data[~masks[name]] = 0.0
    apply_masks(model, masks)
    X = torch.as_tensor(rng(3).normal(size=(7, 64)))
    with splicing(model):
        assert torch.equal(model(X), plain(X))
        for own in (model, plain):
            own(X).square().sum().backward()
    for own, other in zip(prunable(model).values(), prunable(plain).values(), strict=True):
        assert torch.equal(own.get_parameter("weight_orig").grad, other.weight.grad)
        assert torch.equal(own.bias.grad, other.bias.grad)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_straight_through_is_the_product_exactly(dtype: Any) -> None:
    weight = torch.as_tensor(rng().standard_cauchy(10_000), dtype=dtype, device="cpu") ** 3
    mask = torch.as_tensor(rng(1).random(10_000) < 0.5).to(dtype)
    assert torch.equal(straight_through(weight, mask), weight * mask)


def test_operated_masks_by_enumeration() -> None:
    draws = rng(4)
    weights = draws.choice([-1.1, -1.0, -0.5, 0.0, 0.5, 0.9, 1.0, 1.05, 1.1, 2.0], size=(40, 5))
    masks = draws.random((40, 5)) < 0.5
    surgery = Surgery(low={"a": 0.9}, high={"a": 1.1}, gamma=0, power=1, stop=1)
    new = operated_masks({"a": torch.tensor(weights)}, {"a": torch.tensor(masks)}, surgery)["a"]
    for w, before, after in zip(weights.ravel(), masks.ravel(), new.numpy().ravel(), strict=True):
        # equation 3 of the paper
        expected = False if abs(w) < 0.9 else True if abs(w) >= 1.1 else before
        assert after == expected


@pytest.mark.parametrize("c", [-0.5, 0.0, 1.3])
def test_planned_surgery_takes_thresholds_from_the_weights_left(c: float) -> None:
    model = lenet(rng(5))
    apply_masks(model, {"1": torch.as_tensor(rng(6).random((4, 1, 3, 3)) < 0.5)})
    surgery = planned_surgery(model, c=c, stop=10)
    for name, layer in prunable(model).items():
        sizes = np.abs(layer.weight.detach().numpy().astype(float))[masks_of(model)[name].numpy()]
        threshold = np.mean(sizes) + c * np.sqrt(np.mean((sizes - np.mean(sizes)) ** 2))
        # two orders of summation of tens of numbers of order one
        assert surgery.low[name] == pytest.approx(0.9 * threshold, rel=1e-12)
        assert surgery.high[name] == pytest.approx(1.1 * threshold, rel=1e-12)


def test_planned_surgery_takes_a_factor_for_each_layer_and_prunes_nothing_below_zero() -> None:
    model = linear([[1.0, -3.0]], [[1.0], [3.0]])
    surgery = planned_surgery(model, c={"0": 2.0, "2": -5.0}, stop=10)
    assert surgery.low == pytest.approx({"0": 3.6, "2": 0.0})  # (2 + 2 · 1) · 0.9; 2 - 5 · 1 < 0
    with splicing(model):
        assert surgery_step(model, surgery, iteration=0, rng=rng()) == (2, 0)
    assert arrays(masks_of(model))["2"].tolist() == [[1], [1]]


def test_surgery_leaves_an_empty_layer_empty() -> None:
    model = linear([[1.0, -3.0]])
    apply_masks(model, {"0": torch.zeros(1, 2)})
    with splicing(model):
        surgery = planned_surgery(model, c=1.0, stop=10)
        assert surgery_step(model, surgery, iteration=0, rng=rng()) == (0, 0)


def test_probability_falls_and_ends() -> None:
    surgery = Surgery(low={}, high={}, gamma=0.5, power=2.0, stop=10)
    assert [surgery.probability(k) for k in (0, 2, 9, 10, 99)] == [1, 1 / 4, 1 / 5.5**2, 0, 0]


def test_surgery_step_is_done_with_its_probability_layer_by_layer() -> None:
    model = linear([[1.0]], [[1.0]])
    surgery = Surgery(
        low={"0": 2.0, "2": 2.0}, high={"0": 3.0, "2": 3.0}, gamma=1.0, power=1.0, stop=10
    )
    n, draws, counts, both = 2000, rng(7), np.zeros(2), 0
    with splicing(model):
        for _ in range(n):
            set_masks(model, dict.fromkeys(prunable(model), torch.ones(1, 1)))
            changes = surgery_step(model, surgery, iteration=1, rng=draws)
            gone = np.array([not bool(mask.any()) for mask in masks_of(model).values()])
            assert changes == (gone.sum(), 0)
            counts += gone
            both += bool(gone.all())
    # Hoeffding: a mean of n is further off than this with 1e-6
    margin = math.sqrt(math.log(2 / 1e-6) / (2 * n))
    assert np.abs(counts / n - 1 / 2).max() < margin
    assert abs(both / n - 1 / 4) < margin


def test_surgery_step_draws_as_much_each_time() -> None:
    model, draws = lenet(rng()), rng(8)
    with splicing(model):
        for iteration in (0, 5, 2000):
            surgery_step(model, always(model, 0.5, 0.6), iteration=iteration, rng=draws)
    same = rng(8)
    same.random(3 * 4)
    assert draws.random() == same.random()


def test_surgery_step_outside_splicing_is_refused() -> None:
    model = linear([[1.0]])
    with pytest.raises(ValueError, match=r"must be in splicing\(model\)"):
        surgery_step(model, always(model, 0.1, 0.2), iteration=0, rng=rng())


@pytest.mark.parametrize("fails", [False, True])
def test_splicing_leaves_ordinary_masks(fails: bool) -> None:
    model = linear([[1.0, 0.5]])
    parameter = model[0].weight
    x = torch.ones(1, 2, dtype=torch.float64)
    try:
        with splicing(model):
            surgery_step(model, always(model, 0.7, 1.0), iteration=0, rng=rng())
            if fails:
                raise KeyboardInterrupt
    except KeyboardInterrupt:
        assert fails
    assert model[0].weight_orig is parameter
    assert sorted(model.state_dict()) == ["0.weight_mask", "0.weight_orig"]
    assert len(model[0]._forward_pre_hooks) == 1
    model(x).sum().backward()
    assert parameter.grad.tolist() == [[1.0, 0.0]]
    assert torch.equal(copied(model)(x), model(x))


def test_splicing_in_splicing_is_one() -> None:
    model = linear([[1.0]])
    with splicing(model), splicing(model):
        assert len(model[0]._forward_pre_hooks) == 1


BAD: dict[str, tuple[dict[str, Any], str]] = {
    "c": ({"c": math.nan}, r"c must be finite"),
    "layers": ({"c": {"0": 1.0, "1": 1.0}}, r"c must be of layers 0; got 0, 1"),
    "gamma": ({"gamma": -1.0}, r"gamma must not be negative; got -1.0"),
    "power": ({"power": -1.0}, r"power must not be negative; got -1.0"),
    "stop": ({"stop": -1}, r"stop must not be negative; got -1"),
}


@pytest.mark.parametrize("case", BAD)
def test_planned_surgery_refuses(case: str) -> None:
    settings, message = BAD[case]
    with pytest.raises(ValueError, match=message):
        planned_surgery(linear([[1.0]]), **{"c": 1.0, "stop": 10, **settings})


def test_planned_surgery_refuses_weights_that_are_not_finite() -> None:
    with pytest.raises(ValueError, match=r"must be finite; those of layer '0' are not"):
        planned_surgery(linear([[1.0, math.nan]]), c=1.0, stop=10)


def epochs(model: nn.Module, X: Any, y: Any, count: int, after: Callable[[int], Any]) -> None:
    """Train by Adam, 64 inputs at a time, and call a function after each step."""
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
    generator = torch.Generator().manual_seed(0)
    step = 0
    for _ in range(count):
        for rows in torch.randperm(len(y), generator=generator).split(64):
            optimizer.zero_grad()
            functional.cross_entropy(model(X[rows]), y[rows]).backward()
            optimizer.step()
            after(step)
            step += 1


def test_surgery_on_digits_prunes_most_weights_at_little_loss() -> None:
    parts = split(digits(), rng=rng())
    (X, y), (X_test, y_test) = (
        (torch.as_tensor(part.X, dtype=torch.float32), torch.as_tensor(part.y))
        for part in (parts.train, parts.test)
    )
    model = mlp(64, 32, 10, seed=0)

    def accuracy() -> float:
        return float((model(X_test).argmax(1) == y_test).float().mean())

    epochs(model, X, y, 20, lambda step: None)
    dense, draws, spliced = accuracy(), rng(), 0
    surgery = planned_surgery(model, c=2.0, stop=250, gamma=1e-2)

    def operate(step: int) -> None:
        nonlocal spliced
        spliced += surgery_step(model, surgery, iteration=step, rng=draws).spliced

    with splicing(model):
        epochs(model, X, y, 20, operate)
    assert spliced > 10
    assert compression_of(model) > 4
    # three standard errors of a proportion near 0.95 of 450 inputs
    assert accuracy() > dense - 0.035
