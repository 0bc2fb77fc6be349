"""Schedules of pruning: when masks are made, from which weights, and how they go on later."""

from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from empirical.data import digits, split
from empirical.lowering import network_from_module
from empirical.models import mlp
from empirical.pruning import (
    COMPRESSIONS,
    SCHEMES,
    Stage,
    apply_masks,
    copied,
    cubic_density,
    gradual,
    iterative,
    masks_for,
    masks_of,
    one_shot,
    restore,
    state_of,
)
from empirical.training import Training, train
from tests.empirical.pruned import arrays, lenet, linear, nearest

GLOBAL, ANY = SCHEMES["weight magnitude global"], SCHEMES["weight random layer"]


def shaken(model: nn.Module) -> int:
    """Change weights, by what they are: stands for training; return how many weights are left."""
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(torch.sin(37 * parameter) + 0.1 * parameter)
    return sum(int(mask.sum()) for mask in masks_of(model).values())


def same(masks: Any, others: Any) -> bool:
    return masks.keys() == others.keys() and all(torch.equal(masks[k], others[k]) for k in masks)


def test_iterative_prunes_what_the_last_training_left() -> None:
    model, by_hand = (lenet(np.random.default_rng(0)) for _ in range(2))
    stages = iterative(model, GLOBAL, train=shaken, rng=np.random.default_rng(0))
    before = masks_of(by_hand)
    for number, (stage, compression) in enumerate(zip(stages, COMPRESSIONS, strict=True)):
        masks = masks_for(by_hand, GLOBAL, compression=compression, rng=np.random.default_rng(0))
        apply_masks(by_hand, masks)
        left = shaken(by_hand)
        assert same(stage.masks, masks)
        assert all(bool((mask <= before[name]).all()) for name, mask in masks.items())
        assert (stage.number, stage.asked, stage.trained) == (number, compression, left)
        assert same(state_of(model), state_of(by_hand))
        before = masks
    assert number == 6


def test_iterative_retrained_weights_decide() -> None:
    model = linear([[1.0, 2.0, 3.0, 4.0]])

    def turned(model: Any) -> None:  # the least weight left becomes the largest
        sizes = masks_of(model)["0"] * model[0].get_parameter("weight_orig").abs()
        with torch.no_grad():
            model[0].weight_orig[0, torch.where(sizes > 0, sizes, 99).argmin()] = 10.0

    stages = iterative(
        model, GLOBAL, compressions=(Fraction(4, 3), 2), train=turned, rng=np.random.default_rng(0)
    )
    assert [arrays(stage.masks)["0"].tolist() for stage in stages] == [
        [[0, 1, 1, 1]],
        [[0, 1, 0, 1]],
    ]


def test_stages_keep_their_masks_when_pruning_goes_on() -> None:
    stages = list(
        iterative(
            linear([[1.0, 2.0, 3.0, 4.0]]),
            GLOBAL,
            compressions=(1, 2, 4),
            train=lambda model: None,
            rng=np.random.default_rng(0),
        )
    )
    assert [int(stage.masks["0"].sum()) for stage in stages] == [4, 2, 1]


@pytest.mark.parametrize("done", range(8))
def test_iterative_goes_on_where_it_was_left(done: int) -> None:
    model, rng = lenet(np.random.default_rng(1)), np.random.default_rng(2)
    whole: list[Stage] = []
    saved, drawn = state_of(model), rng.bit_generator.state
    for stage in iterative(model, ANY, train=shaken, rng=rng):
        whole.append(stage)
        if len(whole) == done:
            saved, drawn = state_of(model), rng.bit_generator.state
    fresh, other = lenet(np.random.default_rng(9)), np.random.default_rng(0)
    restore(fresh, saved)
    other.bit_generator.state = drawn
    rest = list(iterative(fresh, ANY, train=shaken, rng=other, done=done))
    assert [stage.number for stage in rest] == list(range(done, 7))
    for stage, again in zip(whole[done:], rest, strict=True):
        assert same(stage.masks, again.masks)
        assert (stage.asked, stage.trained) == (again.asked, again.trained)
    if done < 7:
        assert same(state_of(model), state_of(fresh))


def test_stages_count_all_weights_and_name_empty_layers() -> None:
    model = lenet(np.random.default_rng(0))
    stage = one_shot(
        model,
        SCHEMES["filter random layer"],
        compression=9,
        train=lambda model: "trained",
        rng=np.random.default_rng(0),
    )
    # of 4 filters 8/9 are 3.6, of 6 they are 5.3: none of 4 · 9 weights is left, 1 of 6 · 36;
    # linear layers, of 30 and 15, are dense
    assert stage.empty == ("1",)
    assert stage.compression == (36 + 216 + 45) / (36 + 45)
    assert (stage.number, stage.asked, stage.trained) == (0, 9.0, "trained")


def test_one_shot_prunes_before_it_trains() -> None:
    model = lenet(np.random.default_rng(0))
    masks = masks_for(copied(model), GLOBAL, compression=5, rng=np.random.default_rng(0))
    seen = []
    stage = one_shot(
        model,
        GLOBAL,
        compression=5,
        train=lambda model: seen.append(masks_of(model)),
        rng=np.random.default_rng(0),
    )
    assert same(seen[0], masks)
    assert same(stage.masks, masks)


def test_iterative_with_real_training_keeps_weights_pruned_and_digits_recognised() -> None:
    data = split(digits(), rng=np.random.default_rng(0))
    model = mlp(64, 32, 10, seed=0)
    stages = iterative(
        model,
        GLOBAL,
        compressions=(1, 4),
        train=lambda model: train(model, data, Training(epochs=10), seed=0),
        rng=np.random.default_rng(0),
    )
    for stage in stages:
        net = network_from_module(model, (64,))
        # 64 · 32 + 32 · 10 = 2368 weights; none that is left is zero by chance
        assert net.densities == tuple(int(m.sum()) / m.numel() for m in stage.masks.values())
        assert sum(int(mask.sum()) for mask in stage.masks.values()) * stage.asked == 2368
        assert stage.trained.validation_accuracy[stage.trained.best] > 0.85  # chance is 0.1


@pytest.mark.parametrize(("start", "compression", "steps"), [(1, 10, 4), (2, 16, 7), (1, 3, 1)])
def test_gradual_follows_the_cubic(start: int, compression: int, steps: int) -> None:
    model, n = linear([[float(k) for k in range(1, 101)]]), 100
    stages = gradual(
        model,
        GLOBAL,
        compression=compression,
        steps=steps,
        start=start,
        train=shaken,
        rng=np.random.default_rng(0),
    )
    first, last = 1 - Fraction(1, start), 1 - Fraction(1, compression)
    for k, stage in enumerate(stages, start=1):
        # sparsity by equation 1 of Zhu and Gupta, t_0 = 0 and a step each time
        sparsity = last + (first - last) * (1 - Fraction(k, steps)) ** 3
        removed = nearest(sparsity.numerator * n, sparsity.denominator)
        assert stage.trained == n - removed
    assert k == steps
    assert stage.trained == n - nearest(n * (compression - 1), compression)


def test_gradual_goes_on_where_it_was_left() -> None:
    settings: Any = {"compression": 8, "steps": 5, "train": shaken}
    model, fresh = (lenet(np.random.default_rng(1)) for _ in range(2))
    whole = list(gradual(model, GLOBAL, rng=np.random.default_rng(0), **settings))
    first = gradual(fresh, GLOBAL, rng=np.random.default_rng(0), **settings)
    next(first), next(first)
    *_, last = gradual(fresh, GLOBAL, rng=np.random.default_rng(0), done=2, **settings)
    assert same(last.masks, whole[-1].masks)
    assert last.number == 4


def test_cubic_density_starts_and_ends_where_it_should_and_falls() -> None:
    densities = [cubic_density(k, steps=6, compression=20, start=2) for k in range(7)]
    assert (densities[0], densities[-1]) == (Fraction(1, 2), Fraction(1, 20))
    drops = -np.diff([float(density) for density in densities])
    assert (drops > 0).all()
    assert (np.diff(drops) < 0).all()


BAD: dict[str, tuple[Any, str]] = {
    "falling": ((iterative, {"compressions": (1, 4, 2)}), r"must rise; got 1, 4, 2"),
    "equal": ((iterative, {"compressions": (2, 2)}), r"must rise; got 2, 2"),
    "below 1": ((iterative, {"compressions": (0.5, 2)}), r"at least 1; got 0.5"),
    "done": ((iterative, {"done": 8}), r"done must be in \[0, 7\]; got 8"),
    "steps": ((gradual, {"compression": 2, "steps": 0}), r"steps must be at least 1; got 0"),
    "start": ((gradual, {"compression": 2, "steps": 3, "start": 4}), r"at most .* 2; got 4"),
    "nan": ((gradual, {"compression": np.nan, "steps": 3}), r"must be finite; got nan"),
}


@pytest.mark.parametrize("case", BAD)
def test_schedules_refuse_at_once_and_train_nothing(case: str) -> None:
    (schedule, settings), message = BAD[case]

    def train(model: nn.Module) -> None:
        raise AssertionError

    with pytest.raises(ValueError, match=message):
        schedule(linear([[1.0]]), GLOBAL, train=train, rng=np.random.default_rng(0), **settings)


@pytest.mark.parametrize("schedule", [iterative, gradual])
def test_schedules_refuse_an_mlp_for_filters_at_once(schedule: Any) -> None:
    settings = {"compression": 2, "steps": 2} if schedule is gradual else {}
    with pytest.raises(ValueError, match=r"filter pruning needs a Conv2d layer"):
        schedule(
            linear([[1.0]]),
            SCHEMES["filter magnitude global"],
            train=shaken,
            rng=np.random.default_rng(0),
            **settings,
        )
