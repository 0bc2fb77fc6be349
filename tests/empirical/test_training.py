"""Training: by its definition, alone and together, under masks, and what ends it."""

import math
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.utils import prune

from empirical.data import Part, Split
from empirical.models import MODELS
from empirical.training import PRESETS, Adversary, Training, train, train_together

BOX = (0.0, 1.0)


def data(n: int = 120, d: int = 6, classes: int = 3) -> Split:
    """Return inputs in [0, 1] whose label is that of the largest of some features."""
    rng = np.random.default_rng(0)
    X = rng.random((2 * n, d))
    y = X[:, :classes].argmax(axis=1)
    parts = (Part(X[:n], y[:n]), Part(X[n:], y[n:]))
    return Split(*parts, parts[1])


def network(seed: int, *widths: int) -> nn.Sequential:
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        first, second, third = widths or (6, 16, 3)
        return nn.Sequential(nn.Linear(first, second), nn.ReLU(), nn.Linear(second, third))


def convolutional(seed: int) -> nn.Sequential:
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return nn.Sequential(
            nn.Unflatten(1, (1, 2, 3)),
            nn.Conv2d(1, 4, 2, bias=False),
            nn.ReLU(),
            nn.Flatten(),
            nn.Linear(8, 3),
        )


def masked(model: nn.Sequential, seed: int) -> nn.Sequential:
    """Return the network with half of its first layer's weights pruned."""
    generator = torch.Generator().manual_seed(seed)
    first = next(layer for layer in model if hasattr(layer, "weight"))
    prune.custom_from_mask(
        first, "weight", torch.rand(first.weight.shape, generator=generator) < 0.5
    )
    return model


def weights(model: nn.Module) -> list[Any]:
    return [p.detach().numpy().copy() for p in model.parameters()]


def by_hand(model: nn.Sequential, part: Part, training: Training, seed: int) -> None:
    """Train by the textbook's loop."""
    X, y = torch.tensor(part.X, dtype=torch.float32), torch.tensor(part.y)
    if training.optimizer == "adam":
        steps: Any = torch.optim.Adam(model.parameters(), lr=training.rate)
    else:
        steps = torch.optim.SGD(model.parameters(), lr=training.rate, momentum=training.momentum)
    generator = torch.Generator().manual_seed(seed)
    loss = nn.CrossEntropyLoss(label_smoothing=training.smoothing)
    for _ in range(training.epochs):
        for rows in torch.randperm(len(y), generator=generator).split(training.batch):
            steps.zero_grad()
            value = loss(model(X[rows]), y[rows])
            for layer in (model[0], model[2]):
                value = value + training.l1 * layer.weight.abs().sum()
                value = value + training.weight_decay / 2 * layer.weight.square().sum()
            value.backward()
            steps.step()


@pytest.mark.parametrize(
    "training",
    [
        Training(epochs=6, batch=25),
        Training(epochs=6, batch=25, l1=1e-3, weight_decay=1e-2, smoothing=0.1),
        Training(epochs=6, batch=50, optimizer="sgd", rate=0.05),
    ],
)
def test_train_is_the_textbook_loop(training: Training) -> None:
    ours, theirs, split = network(1), network(1), data()
    history = train(ours, split, training, seed=3)
    assert history.best == training.epochs  # so that the last weights are kept
    by_hand(theirs, split.train, training, 3)
    for one, other in zip(weights(ours), weights(theirs), strict=True):
        assert one == pytest.approx(other, abs=1e-5)


def test_the_last_weights_are_kept_where_training_says_so() -> None:
    training = Training(epochs=40, rate=0.03, batch=25, keep="last")
    ours, theirs, split = network(3), network(3), data(30)
    history = train(ours, split, training, seed=3)
    assert history.best < history.kept == 40
    by_hand(theirs, split.train, training, 3)
    for one, other in zip(weights(ours), weights(theirs), strict=True):
        assert one == pytest.approx(other, abs=1e-4)  # 80 large steps in float32


@pytest.mark.parametrize("build", [network, convolutional])
@pytest.mark.parametrize(
    "adversary",
    [
        None,
        Adversary(norm=math.inf, eps=0.05, box=BOX),
        Adversary(norm=2, eps=0.2, steps=3, random_start=True, share=0.5, ramp=2, box=BOX),
    ],
)
def test_networks_trained_together_are_as_each_alone(
    build: Any, adversary: Adversary | None
) -> None:
    split = data()
    trainings = [
        Training(epochs=10, batch=24, l1=l1, weight_decay=decay, adversary=adversary)
        for l1, decay in ((0.0, 0.0), (1e-3, 0.0), (0.0, 1e-2))
    ]
    alone = [masked(build(seed), seed) for seed in range(3)]
    together = [masked(build(seed), seed) for seed in range(3)]
    apart = [
        train(m, split, t, seed=s) for s, (m, t) in enumerate(zip(alone, trainings, strict=True))
    ]
    joint = train_together(together, split, trainings, seeds=range(3))
    for r in range(3):
        for one, other in zip(weights(alone[r]), weights(together[r]), strict=True):
            assert one == pytest.approx(other, abs=1e-4)  # after 50 steps, in float32
        assert joint[r].best == apart[r].best
        assert joint[r].validation_accuracy == pytest.approx(apart[r].validation_accuracy, abs=0.02)
        assert joint[r].loss == pytest.approx(apart[r].loss, rel=1e-4)


def test_training_learns_and_keeps_the_best_epoch() -> None:
    model, split = network(2), data()
    history = train(model, split, Training(epochs=40, rate=0.01), seed=0)
    assert history.validation_accuracy[0] < 0.5
    assert history.validation_accuracy[history.best] > 0.75
    assert history.validation_loss[history.best] == history.validation_loss.min()
    assert history.kept == history.best
    X, y = torch.tensor(split.validation.X, dtype=torch.float32), torch.tensor(split.validation.y)
    kept = nn.functional.cross_entropy(model(X), y).item()
    assert kept == pytest.approx(history.validation_loss.min(), rel=1e-5)


def test_patience_ends_training_where_validation_stops_falling() -> None:
    split = data(30)
    patient = train(network(3), split, Training(epochs=300, rate=0.03, patience=5), seed=0)
    assert len(patient.loss) == patient.best + 5 < 300
    until_then = Training(epochs=len(patient.loss), rate=0.03)
    fixed = train(network(3), split, until_then, seed=0)
    assert fixed.best == patient.best
    assert fixed.validation_loss.tolist() == patient.validation_loss.tolist()


def test_patience_ends_training_where_the_last_epoch_is_kept() -> None:
    split, model, fixed = data(30), network(3), network(3)
    patient = Training(epochs=300, rate=0.03, patience=5, keep="last")
    history = train(model, split, patient, seed=0)
    assert history.kept == len(history.loss) == history.best + 5 < 300
    train(fixed, split, Training(epochs=history.kept, rate=0.03, keep="last"), seed=0)
    for one, other in zip(weights(model), weights(fixed), strict=True):
        assert one.tolist() == other.tolist()


def test_networks_that_end_early_are_left_alone_by_those_that_go_on() -> None:
    split = data(30)
    settings = [Training(epochs=60, rate=0.03, patience=4, weight_decay=d) for d in (0.0, 0.3)]
    models = [network(3), network(3)]
    joint = train_together(models, split, settings, seeds=[0, 0])
    assert len(joint[0].loss) != len(joint[1].loss)
    for training, model, history in zip(settings, models, joint, strict=True):
        alone = network(3)
        apart = train(alone, split, training, seed=0)
        assert len(apart.loss) == len(history.loss)
        for one, other in zip(weights(alone), weights(model), strict=True):
            assert one == pytest.approx(other, abs=1e-4)


def test_pruned_weights_stay_pruned_and_are_not_moved() -> None:
    model = masked(network(4), 1)
    before = model[0].weight_orig.detach().clone()
    mask = model[0].weight_mask.clone()
    train(model, data(), Training(epochs=5, l1=1e-3, weight_decay=1e-3), seed=0)
    moved = model[0].weight_orig.detach() != before
    assert not moved[mask == 0].any()
    assert moved[mask == 1].all()
    assert (model[0].weight[mask == 0] == 0).all()
    assert torch.equal(model[0].weight, model[0].weight_orig * mask)


@pytest.mark.parametrize("keep", ["best", "last"])
def test_a_diverging_network_keeps_finite_weights_and_says_so(keep: str) -> None:
    models = [network(5), network(5)]
    with torch.no_grad():
        models[1][2].weight *= 1e38
    split = data()
    wild, tame = train_together(
        [models[1], models[0]], split, [Training(epochs=3, keep=keep)] * 2, seeds=[0, 0]
    )
    assert wild.diverged
    assert wild.kept == 0
    assert all(np.isfinite(w).all() for w in weights(models[1]))
    assert not tame.diverged
    assert len(tame.loss) == 3
    alone = network(5)
    train(alone, split, Training(epochs=3, keep=keep), seed=0)
    for one, other in zip(weights(models[0]), weights(alone), strict=True):
        assert one == pytest.approx(other, abs=1e-5)


def test_the_same_seed_gives_the_same_weights_and_leaves_torch_alone() -> None:
    adversary = Adversary(norm=2, eps=0.1, steps=2, random_start=True)
    found = []
    for seed in (0, 0, 1):
        model = network(6)
        torch.manual_seed(7)
        train(model, data(), Training(epochs=3, adversary=adversary), seed=seed)
        after = torch.rand(1)
        torch.manual_seed(7)
        assert torch.equal(after, torch.rand(1))
        found.append(np.concatenate([w.ravel() for w in weights(model)]))
    assert (found[0] == found[1]).all()
    assert (found[0] != found[2]).any()


def test_progress_is_told_after_each_epoch() -> None:
    told: list[int] = []
    train(network(0), data(), Training(epochs=4), seed=0, progress=told.append)
    assert told == [1, 2, 3, 4]


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"optimizer": "lbfgs"}, "optimizer must be one of adam, sgd; got 'lbfgs'"),
        ({"rate": 0.0}, r"rate must be positive; got 0\.0"),
        ({"rate": math.nan}, "rate must be finite"),
        ({"epochs": -1}, "epochs must be at least 0; got -1"),
        ({"batch": 0}, "batch must be at least 1; got 0"),
        ({"patience": 0}, "patience must be at least 1; got 0"),
        ({"keep": "first"}, "keep must be one of best, last; got 'first'"),
        ({"smoothing": 1.0}, r"smoothing must be in \[0, 1\); got 1\.0"),
        ({"l1": -1e-3}, r"l1 must be nonnegative; got -0\.001"),
    ],
)
def test_training_refuses_values_out_of_range(settings: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        Training(**settings)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"norm": 1, "eps": 0.1}, "norm must be 2 or inf; got 1"),
        ({"norm": 2, "eps": -0.1}, r"eps must be positive; got -0\.1"),
        ({"norm": 2, "eps": 0.1, "share": 0.0}, r"share must be in \(0, 1\]; got 0\.0"),
        ({"norm": 2, "eps": 0.1, "steps": 0}, "steps must be at least 1; got 0"),
        ({"norm": 2, "eps": 0.1, "box": (1.0, 0.0)}, r"box must be a pair lo < hi; got \(1\.0"),
    ],
)
def test_adversary_refuses_values_out_of_range(settings: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        Adversary(**settings)


def test_counts_must_be_integers() -> None:
    with pytest.raises(TypeError, match=r"epochs must be an integer; got 2\.5"):
        Training(epochs=2.5)  # type: ignore[arg-type]


def test_networks_that_cannot_be_trained_together_are_refused() -> None:
    split, plain = data(), Training(epochs=1)
    with pytest.raises(ValueError, match=r"models\[1\] differs from\s+models\[0\]"):
        train_together([network(0), network(0, 6, 8, 3)], split, [plain] * 2, seeds=[0, 1])
    with pytest.raises(ValueError, match=r"pruned alike; models\[1\]"):
        train_together([network(0), masked(network(0), 0)], split, [plain] * 2, seeds=[0, 1])
    with pytest.raises(ValueError, match="models, trainings and seeds must be as many; got 1, 2"):
        train_together([network(0)], split, [plain] * 2, seeds=[0])
    with pytest.raises(ValueError, match="alike but for l1 and weight_decay; got 2 kinds"):
        train_together([network(0)] * 2, split, [plain, Training(epochs=2)], seeds=[0, 1])
    with pytest.raises(ValueError, match="at least one network; got none"):
        train_together([], split, [], seeds=[])
    with pytest.raises(ValueError, match=r"no buffers but pruning masks; got 1\.num_batches"):
        train(nn.Sequential(nn.Linear(6, 3), nn.BatchNorm1d(3)), split, plain, seed=0)
    with pytest.raises(ValueError, match="parameters; Sequential has none"):
        train(nn.Sequential(nn.ReLU()), split, plain, seed=0)


def test_labels_that_the_network_does_not_have_are_refused() -> None:
    split = data()
    signs = Split(*(Part(part.X, 2 * (part.y > 0) - 1) for part in split))
    for wrong, said in ((signs, r"0\.\.2; got -1 to 1"), (data(classes=5), r"0\.\.2; got 0 to 4")):
        before = weights(model := network(0))
        with pytest.raises(ValueError, match=said):
            train(model, wrong, Training(epochs=1), seed=0)
        assert all((a == b).all() for a, b in zip(before, weights(model), strict=True))


def test_presets_are_of_models() -> None:
    assert set(PRESETS) <= set(MODELS)
