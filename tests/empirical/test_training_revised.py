"""Masks revised while training: who is trained, what is kept, and which networks it is done to."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils import prune

from empirical.data import Part, Split
from empirical.training import Training, straight_through, train, train_together

X = np.random.default_rng(0).random((240, 6))
Y = X[:, :3].argmax(axis=1)
DATA = Split(Part(X[:120], Y[:120]), Part(X[120:], Y[120:]), Part(X[120:], Y[120:]))
STEPS = 5  # an epoch of 120 inputs, 24 at a time


def masked(seed: int, share: float = 0.5) -> nn.Sequential:
    """Return a network with a share of its first layer's weights kept."""
    generator = torch.Generator().manual_seed(seed)
    model = nn.Sequential(nn.Linear(6, 16), nn.ReLU(), nn.Linear(16, 3))
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator) / 4)
    mask = torch.rand(16, 6, generator=generator) < share
    prune.custom_from_mask(model[0], "weight", mask)
    return model


def fixed(step: int, values: Mapping[str, Tensor], masks: Mapping[str, Tensor]) -> dict[str, Any]:
    return {}


def fewer(step: int, values: Mapping[str, Tensor], masks: Mapping[str, Tensor]) -> dict[str, Any]:
    """Prune, of each network, the smallest weight left and bring back the largest pruned one."""
    new = masks["0.weight"].flatten(1).clone()
    sizes = values["0.weight"].abs().flatten(1)
    smallest = torch.where(new == 1, sizes, torch.inf).argmin(dim=1, keepdim=True)
    largest = torch.where(new == 0, sizes, -torch.inf).argmax(dim=1, keepdim=True)
    new.scatter_(1, smallest, 0.0)
    if step % 2:
        new.scatter_(1, largest, 1.0)
    return {"0.weight": new.reshape(masks["0.weight"].shape)}


def by_hand(model: nn.Sequential, training: Training, seed: int, revise: Any) -> None:
    """Train by a loop in which gradients by the masked weight are put into the weight below."""
    X, y = torch.tensor(DATA.train.X, dtype=torch.float32), torch.tensor(DATA.train.y)
    first, _, last = model
    below, mask = first.weight_orig, first.weight_mask
    steps = torch.optim.Adam(model.parameters(), lr=training.rate)
    generator, step = torch.Generator().manual_seed(seed), 0
    for _ in range(training.epochs):
        for rows in torch.randperm(len(y), generator=generator).split(training.batch):
            used = (below.detach() * mask).requires_grad_()
            hidden = nn.functional.linear(X[rows], used, first.bias).relu()
            loss = nn.functional.cross_entropy(last(hidden), y[rows])
            loss = loss + training.weight_decay / 2 * (
                used.square().sum() + last.weight.square().sum()
            )
            steps.zero_grad()
            loss.backward()
            below.grad = used.grad
            steps.step()
            new = revise(step, {"0.weight": below.detach()[None]}, {"0.weight": mask[None]})
            mask.copy_(new.get("0.weight", mask[None])[0])
            step += 1


@pytest.mark.parametrize("revise", [fixed, fewer])
def test_revised_training_is_the_loop_by_hand(revise: Any) -> None:
    training = Training(epochs=6, batch=24, weight_decay=1e-2, keep="last")
    ours, theirs = masked(1), masked(1)
    before, pruned = ours[0].weight_orig.detach().clone(), ours[0].weight_mask == 0
    history = train(ours, DATA, training, seed=3, revise=revise)
    by_hand(theirs, training, 3, revise)
    assert history.kept == 6
    assert torch.equal(ours[0].weight_mask, theirs[0].weight_mask)
    for one, other in zip(ours.parameters(), theirs.parameters(), strict=True):
        assert torch.allclose(one, other, rtol=0, atol=1e-5)  # 30 steps in float32
    moved = ours[0].weight_orig != before
    assert moved[pruned].double().mean() > 0.5  # but for those of units that are never active
    assert torch.equal(ours[0].weight, ours[0].weight_orig * ours[0].weight_mask)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_straight_through_is_the_product_with_the_gradient_of_the_weight(dtype: Any) -> None:
    rng = np.random.default_rng(0)
    weight = torch.as_tensor(rng.standard_cauchy(10_000), dtype=dtype, device="cpu") ** 3
    mask = torch.as_tensor(rng.random(10_000) < 0.5).to(dtype)
    used = straight_through(weight.requires_grad_(), mask)
    assert torch.equal(used, weight * mask)
    gradient = torch.as_tensor(rng.normal(size=10_000), dtype=dtype)
    used.backward(gradient)
    assert torch.equal(weight.grad, gradient)


def test_revise_is_called_after_each_step_with_stacks_by_name() -> None:
    seen = []

    def watched(step: int, values: Any, masks: Any) -> dict[str, Tensor]:
        shapes = {name: tuple(value.shape) for name, value in values.items()}
        assert shapes["2.bias"] == (2, 3)
        assert shapes["0.weight"] == tuple(masks["0.weight"].shape) == (2, 16, 6)
        assert list(masks) == ["0.weight"]
        seen.append((step, values["0.weight"].clone()))
        return {}

    models = [masked(0), masked(1)]
    before = torch.stack([model[0].weight_orig.detach() for model in models])
    trainings = [Training(epochs=2, batch=24, keep="last")] * 2
    train_together(models, DATA, trainings, seeds=[0, 1], revise=watched)
    assert [step for step, _ in seen] == list(range(2 * STEPS))
    assert (seen[0][1] - before).abs().max() == pytest.approx(1e-3, rel=1e-3)  # Adam's first step
    assert torch.equal(seen[-1][1], torch.stack([model[0].weight_orig for model in models]))


def test_networks_revised_together_are_as_each_alone() -> None:
    training = Training(epochs=10, batch=24, keep="last")
    alone, together = ([masked(seed) for seed in range(3)] for _ in range(2))
    for seed, model in enumerate(alone):
        train(model, DATA, training, seed=seed, revise=fewer)
    train_together(together, DATA, [training] * 3, seeds=range(3), revise=fewer)
    for one, other in zip(alone, together, strict=True):
        assert torch.equal(one[0].weight_mask, other[0].weight_mask)
        assert torch.allclose(one[0].weight_orig, other[0].weight_orig, rtol=0, atol=1e-4)


@pytest.mark.parametrize("keep", ["best", "last"])
def test_masks_kept_belong_to_the_weights_kept(keep: str) -> None:
    """Half-way all is pruned, and the best epoch is one before."""

    def until_empty(step: int, values: Any, masks: Any) -> dict[str, Tensor]:
        return {"0.weight": masks["0.weight"] * (torch.arange(6) >= step // STEPS)}

    model = masked(2, share=1.0)
    training = Training(epochs=9, rate=0.02, batch=24, keep=keep)
    history = train(model, DATA, training, seed=0, revise=until_empty)
    assert 0 < history.best < 6
    assert history.best == history.validation_loss.argmin()
    assert history.kept == (history.best if keep == "best" else 9)
    columns = min(history.kept - 1, 6)  # that the last step of the kept epoch leaves out
    assert model[0].weight_mask[0].tolist() == [0.0] * columns + [1.0] * (6 - columns)
    inputs = torch.tensor(DATA.validation.X, dtype=torch.float32)
    loss = nn.functional.cross_entropy(model(inputs), torch.tensor(DATA.validation.y)).item()
    assert loss == pytest.approx(history.validation_loss[history.kept], rel=1e-5)


def test_masks_are_ordinary_afterwards() -> None:
    model = masked(3)
    parameter, buffer = model[0].weight_orig, model[0].weight_mask
    train(model, DATA, Training(epochs=2, keep="last"), seed=0, revise=fewer)
    assert model[0].weight_orig is parameter
    assert model[0].weight_mask is buffer
    assert len(model[0]._forward_pre_hooks) == 1
    model(torch.ones(1, 6)).sum().backward()
    assert (parameter.grad[buffer == 0] == 0).all()


def test_revisions_that_do_not_fit_are_refused_and_leave_networks_alone() -> None:
    plain = nn.Sequential(nn.Linear(6, 3))
    with pytest.raises(ValueError, match="must have masks to revise, if only of ones; got none"):
        train(plain, DATA, Training(epochs=1), seed=0, revise=fixed)
    for new, said in (
        ({"2.weight": torch.ones(1, 3, 16)}, r"masks must be of 0\.weight; got '2\.weight'"),
        ({"0.weight": torch.ones(16, 6)}, r"must have shape \(1, 16, 6\); got \(16, 6\)"),
    ):
        model = masked(4)
        before = {name: value.clone() for name, value in model.state_dict().items()}
        with pytest.raises(ValueError, match=said):
            train(model, DATA, Training(epochs=1), seed=0, revise=lambda *_, new=new: new)
        assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
