"""Dynamic network surgery: thresholds, which weights come back, and what is trained meanwhile."""

import math
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from empirical.data import Part, Split, digits, split
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
    revision,
    state_of,
    train_under_surgery,
)
from empirical.training import Training, train
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


def alike(X: Any, y: Any) -> Split:
    """Return a split of equal parts."""
    part = Part(np.array(X, dtype=float), np.array(y))
    return Split(part, part, part)


def test_surgery_brings_a_pruned_weight_back() -> None:
    # Scores are w_1 x and w_2 x of the one input x = 1, whose label is the second. As w_2 begins
    # below the threshold it is pruned after the first step. The gradient by the product that it has
    # no part in, softmax(w_1, 0)_2 - 1, is then its own, so it grows until it is back.
    model, rate, thresholds = linear([[1.0], [-1.0]]), 0.5, (0.8, 1.2)
    history, w, mask = [], np.array([1.0, -1.0]), np.array([1.0, 1.0])
    for epochs in range(1, 13):
        p = np.exp(w * mask) / np.exp(w * mask).sum()
        w = w - rate * (p - [0, 1])
        mask = np.where(np.abs(w) < 0.8, 0.0, np.where(np.abs(w) >= 1.2, 1.0, mask))
        own = copied(model)
        last = Training(
            optimizer="sgd", rate=rate, momentum=0.0, epochs=epochs, batch=1, keep="last"
        )
        train_under_surgery(
            own, alike([[1.0]], [1]), last, always(own, *thresholds), seed=0, rng=rng()
        )
        assert arrays(masks_of(own))["0"][:, 0].tolist() == mask.tolist()
        assert own[0].weight_orig[:, 0].tolist() == pytest.approx(w.tolist(), abs=1e-12)
        history.append(mask[1])
    first_back = history.index(1.0)
    assert 1 < first_back < 11  # some steps without it, some with it
    assert set(history[:first_back]) == {0.0}
    assert set(history[first_back:]) == {1.0}


def test_training_as_usual_brings_nothing_back() -> None:
    """Else surgery has no reason to be."""
    model = linear([[1.0], [-0.5]])
    apply_masks(model, {"0": torch.tensor([[1], [0]])})
    train(model, alike([[1.0]], [1]), Training(epochs=5, keep="last"), seed=0)
    assert model[0].weight_orig[1].item() == -0.5
    assert model[0].weight[1].item() == 0.0


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
    assert {name: mask.sum().item() for name, mask in revised(model, surgery).items()} == {
        "0.weight": 0,
        "2.weight": 2,
    }


def revised(
    model: nn.Module, surgery: Surgery, *, step: int = 0, draws: np.random.Generator | None = None
) -> Any:
    """Return the masks that training would be given after a step."""
    values = {f"{n}.weight": layer.weight.detach()[None] for n, layer in prunable(model).items()}
    masks = {f"{name}.weight": mask[None].double() for name, mask in masks_of(model).items()}
    return revision(surgery, draws or rng())(step, values, masks)


def test_surgery_leaves_an_empty_layer_empty() -> None:
    model = linear([[1.0, -3.0]])
    apply_masks(model, {"0": torch.zeros(1, 2)})
    assert not revised(model, planned_surgery(model, c=1.0, stop=10))["0.weight"].any()


def test_probability_falls_and_ends() -> None:
    surgery = Surgery(low={}, high={}, gamma=0.5, power=2.0, stop=10)
    assert [surgery.probability(k) for k in (0, 2, 9, 10, 99)] == [1, 1 / 4, 1 / 5.5**2, 0, 0]


def test_revision_is_done_with_its_probability_layer_by_layer() -> None:
    model = linear([[1.0]], [[1.0]])
    surgery = Surgery(
        low={"0": 2.0, "2": 2.0}, high={"0": 3.0, "2": 3.0}, gamma=1.0, power=1.0, stop=10
    )
    n, draws = 2000, rng(7)
    gone = np.zeros((n, 2), dtype=bool)
    for row in gone:
        new = revised(model, surgery, step=1, draws=draws)
        assert not any(mask.any() for mask in new.values())
        row[:] = ["0.weight" in new, "2.weight" in new]
    # Hoeffding: a mean of n is further off than this with 1e-6
    margin = math.sqrt(math.log(2 / 1e-6) / (2 * n))
    assert np.abs(gone.mean(axis=0) - 1 / 2).max() < margin
    assert abs(gone.all(axis=1).mean() - 1 / 4) < margin
    assert revised(model, surgery, step=10, draws=draws) == {}


def test_revision_draws_as_much_each_time() -> None:
    model, draws = lenet(rng()), rng(8)
    for step in (0, 5, 2000):
        revised(model, always(model, 0.5, 0.6), step=step, draws=draws)
    same = rng(8)
    same.random(3 * 4)
    assert draws.random() == same.random()


def test_surgery_leaves_ordinary_masks() -> None:
    model, parts = mlp(64, 8, 10, seed=0), split(digits(), rng=rng())
    parameters = [layer.weight for layer in prunable(model).values()]
    surgery = planned_surgery(model, c=0.0, stop=20)
    last = Training(epochs=2, keep="last")
    train_under_surgery(model, parts, last, surgery, seed=0, rng=rng())
    x = torch.ones(1, 64)
    for layer, parameter in zip(prunable(model).values(), parameters, strict=True):
        mask = layer.get_buffer("weight_mask")
        assert layer.weight_orig is parameter
        assert len(layer._forward_pre_hooks) == 1
        assert torch.equal(layer.weight, parameter * mask)
        assert 0 < mask.mean() < 1
        model(x).sum().backward()
        assert (parameter.grad[mask == 0] == 0).all()
    assert torch.equal(copied(model)(x), model(x))
    before = arrays(masks_of(model))
    train(model, parts, Training(epochs=1, keep="last"), seed=0)
    assert all((before[name] == mask).all() for name, mask in arrays(masks_of(model)).items())


def test_surgery_is_the_same_for_the_same_seed_and_rng() -> None:
    parts, states = split(digits(), rng=rng()), []
    for seed, draws in ((0, 0), (0, 0), (1, 0), (0, 1)):
        model = mlp(64, 8, 10, seed=0)
        surgery = planned_surgery(model, c=0.0, stop=20, gamma=1.0)
        last = Training(epochs=2, keep="last")
        train_under_surgery(model, parts, last, surgery, seed=seed, rng=rng(draws))
        states.append(torch.cat([value.flatten() for value in state_of(model).values()]))
    assert torch.equal(states[0], states[1])
    assert not torch.equal(states[0], states[2])
    assert not torch.equal(states[0], states[3])


def test_train_under_surgery_refuses_and_leaves_the_network_alone() -> None:
    model, parts = linear([[1.0], [-1.0]]), alike([[1.0]], [1])
    with pytest.raises(ValueError, match=r'keep must be "last": earlier epochs are denser; got'):
        train_under_surgery(model, parts, Training(), always(model, 0.1, 0.2), seed=0, rng=rng())
    other = always(linear([[1.0]], [[1.0]]), 0.1, 0.2)
    with pytest.raises(ValueError, match=r"surgery must be of layers 0; got 0, 2"):
        train_under_surgery(model, parts, Training(keep="last"), other, seed=0, rng=rng())
    assert list(model.state_dict()) == ["0.weight"]


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


def test_surgery_on_digits_prunes_most_weights_at_little_loss() -> None:
    parts = split(digits(), rng=rng())
    X = torch.as_tensor(parts.test.X, dtype=torch.float32)
    model = mlp(64, 32, 10, seed=0)

    def accuracy() -> float:
        return float((model(X).argmax(1).numpy() == parts.test.y).mean())

    last = Training(epochs=20, rate=2e-3, keep="last")
    train(model, parts, last, seed=0)
    dense = accuracy()
    surgery = planned_surgery(model, c=2.0, stop=250, gamma=1e-2)
    train_under_surgery(model, parts, last, surgery, seed=0, rng=rng())
    assert compression_of(model) > 4
    # three standard errors of a proportion near 0.95 of 450 inputs
    assert accuracy() > dense - 0.035
