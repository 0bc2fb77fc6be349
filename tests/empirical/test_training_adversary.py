"""The attack that training meets: its ball, its box, its gain, and what training makes of it."""

import math
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from empirical.data import Part, Split
from empirical.training import Adversary, Training, train
from empirical.training.adversary import attacked
from empirical.training.loop import budget

R, N, D = 2, 40, 5


def affine_losses(W: torch.Tensor) -> Any:
    """Return softplus losses of R classifiers, rising along minus the label times W."""
    return lambda X, y: nn.functional.softplus(-y * (X * W[:, None]).sum(dim=2))


def drawn(seed: int = 0) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    g = torch.Generator().manual_seed(seed)
    X = torch.rand(R, N, D, generator=g, dtype=torch.float64)
    y = torch.randint(0, 2, (R, N), generator=g) * 2 - 1
    return X, y, torch.randn(R, D, generator=g, dtype=torch.float64)


def moved(adversary: Adversary, eps: float | None = None) -> tuple[Any, Any, Any]:
    X, y, W = drawn()
    generators = [torch.Generator().manual_seed(r) for r in range(R)]
    found = attacked(
        affine_losses(W),
        X,
        y,
        adversary,
        eps=adversary.eps if eps is None else eps,
        generators=generators,
    )
    return (found - X).numpy(), y.numpy(), W.numpy()


def size(move: Any, norm: float) -> Any:
    return np.linalg.norm(move, ord=norm, axis=2)


@pytest.mark.parametrize("norm", [2, math.inf])
@pytest.mark.parametrize("steps", [1, 7])
def test_affine_losses_are_attacked_along_their_gradient(norm: float, steps: int) -> None:
    move, y, W = moved(Adversary(norm=norm, eps=0.3, steps=steps))
    way = np.sign(W) if math.isinf(norm) else W / np.linalg.norm(W, axis=1, keepdims=True)
    assert move == pytest.approx(-0.3 * y[:, :, None] * way[:, None], abs=1e-12)


@pytest.mark.parametrize("norm", [2, math.inf])
@pytest.mark.parametrize("random_start", [False, True])
def test_attacked_inputs_stay_in_ball_and_box(norm: float, random_start: bool) -> None:
    adversary = Adversary(norm=norm, eps=0.4, steps=5, random_start=random_start, box=(0.0, 1.0))
    move, _, _ = moved(adversary)
    assert size(move, norm).max() <= 0.4 * (1 + 1e-12)
    X = drawn()[0].numpy()
    assert ((X + move >= -1e-15) & (X + move <= 1 + 1e-15)).all()
    assert (np.abs(move) > 1e-3).any(axis=2).all()


def test_a_single_step_ends_on_the_rim_and_smaller_balls_take_smaller_steps() -> None:
    for norm in (2, math.inf):
        adversary = Adversary(norm=norm, eps=0.2, steps=1)
        assert size(moved(adversary)[0], norm) == pytest.approx(0.2)
        assert size(moved(adversary, eps=0.05)[0], norm) == pytest.approx(0.05)
        assert (moved(adversary, eps=0.0)[0] == 0).all()
    short = Adversary(norm=2, eps=1.0, steps=3, step=0.1)
    assert size(moved(short)[0], 2) == pytest.approx(0.3)


@pytest.mark.parametrize("norm", [2, math.inf])
def test_random_starts_are_even_in_the_ball(norm: float) -> None:
    W = torch.zeros(1, 3, dtype=torch.float64)
    X = torch.zeros(1, 20_000, 3, dtype=torch.float64)
    adversary = Adversary(norm=norm, eps=2.0, steps=1, step=1e-9, random_start=True)
    generators = [torch.Generator().manual_seed(0)]
    ones = torch.ones(1, 20_000)
    move = attacked(affine_losses(W), X, ones, adversary, eps=2.0, generators=generators).numpy()
    radii = size(move, norm)[0] / 2.0
    # Even in the ball: radius³ is even in [0, 1]; 20,000 draws, five standard errors.
    assert radii.max() <= 1 + 1e-8
    assert (radii**3).mean() == pytest.approx(0.5, abs=5 * (1 / 12 / 20_000) ** 0.5)
    assert move.mean() == pytest.approx(0.0, abs=5 * 2.0 / 60_000**0.5)


def test_eps_rises_evenly_over_its_ramp() -> None:
    adversary = Adversary(norm=2, eps=0.8, ramp=3)
    training = Training(adversary=adversary)
    assert [budget(training, epoch) for epoch in (1, 2, 3, 4, 9)] == pytest.approx(
        [0.2, 0.4, 0.6, 0.8, 0.8]
    )
    assert budget(Training(), 3) == 0
    assert budget(Training(adversary=Adversary(norm=2, eps=0.8)), 1) == 0.8


def noisy() -> Split:
    """Return classes that a strong feature tells from afar and a weak, exact one from near."""
    rng = np.random.default_rng(1)
    y = rng.integers(0, 2, size=800)
    sign = 2 * y - 1
    strong = np.where(rng.random(800) < 0.95, sign, -sign) * 0.5
    X = np.stack([strong, 0.15 * sign], axis=1)
    part = Part(X[:400], y[:400])
    return Split(part, Part(X[400:], y[400:]), Part(X[400:], y[400:]))


def accuracy_under(model: nn.Module, part: Part, eps: float) -> float:
    """Return the accuracy of two affine scores under L∞ moves: exact."""
    with torch.no_grad():
        scores = model(torch.tensor(part.X, dtype=torch.float32)).numpy()
    (W,) = [p.detach().numpy() for p in model.parameters() if p.ndim == 2]
    sign = 2 * part.y - 1
    return float((sign * (scores[:, 1] - scores[:, 0]) > eps * np.abs(W[1] - W[0]).sum()).mean())


def test_training_on_attacks_gives_up_features_that_attacks_undo() -> None:
    split, robust = noisy(), {}
    for name, adversary in (
        ("natural", None),
        ("half", Adversary(norm=math.inf, eps=0.2, share=0.5)),
        ("attacked", Adversary(norm=math.inf, eps=0.2)),
    ):
        with torch.random.fork_rng():
            torch.manual_seed(0)
            model = nn.Sequential(nn.Linear(2, 2))
        train(model, split, Training(epochs=60, rate=0.1, adversary=adversary), seed=0)
        robust[name] = accuracy_under(model, split.test, 0.2)
    assert robust["attacked"] >= 0.9
    assert robust["natural"] < 0.5
    assert robust["half"] >= 0.9
