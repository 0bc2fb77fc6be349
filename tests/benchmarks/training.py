"""How much faster networks are trained together than one by one, and what the presets reach.

    OMP_NUM_THREADS=1 SPARSEBOUND_DATA=... python tests/benchmarks/training.py [presets|surgery]

Ratios are medians of repetitions that take all ways in turns: ten networks by `train_together`, by
`train` one after the other, and by the loop that one writes in torch, which does not validate.
"presets" instead trains the two MNIST networks once and prints their test accuracy; "surgery" the
first alone, and what dynamic network surgery leaves of it. Both take some minutes.
"""

import sys
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import nn

from empirical.data import Part, Split, digits, mnist, split
from empirical.models import build_model, mlp
from empirical.pruning import compression_of, planned_surgery, prunable, train_under_surgery
from empirical.training import PRESETS, Training, train, train_together

COUNT, REPETITIONS = 10, 5
GOALS = {"lenet-300-100": 0.98, "lenet5-small": 0.988}


def by_torch(model: nn.Module, data: Split, training: Training, seed: int) -> None:
    """Train by the loop that one writes, without validation."""
    X, y = torch.tensor(data.train.X, dtype=torch.float32), torch.tensor(data.train.y)
    steps = torch.optim.Adam(model.parameters(), lr=training.rate, fused=True)
    generator = torch.Generator().manual_seed(seed)
    for _ in range(training.epochs):
        for rows in torch.randperm(len(y), generator=generator).split(training.batch):
            steps.zero_grad()
            nn.functional.cross_entropy(model(X[rows]), y[rows]).backward()
            steps.step()


def seconds(call: Callable[[], Any]) -> float:
    began = time.perf_counter()
    call()
    return time.perf_counter() - began


def compared(widths: tuple[int, ...], data: Split, training: Training, goal: str) -> None:
    """Print how much longer ten networks take alone."""

    def networks() -> list[nn.Module]:
        return [mlp(*widths, seed=seed) for seed in range(COUNT)]

    def alone(one: Callable[..., Any]) -> Callable[[], None]:
        def run() -> None:
            for seed, model in enumerate(networks()):
                one(model, data, training, seed)

        return run

    ways = {
        "together": lambda: train_together(
            networks(), data, [training] * COUNT, seeds=range(COUNT)
        ),
        "train": alone(lambda m, d, t, seed: train(m, d, t, seed=seed)),
        "torch": alone(by_torch),
    }
    found = np.array([[seconds(run) for run in ways.values()] for _ in range(REPETITIONS)])
    ratios = np.median(found[:, 1:] / found[:, :1], axis=0)
    name = "-".join(map(str, widths))
    print(
        f"{COUNT} × {name}, batch {training.batch}: together {np.median(found[:, 0]):.2f} s;"
        f" {ratios[0]:.1f} × faster than one by one, {ratios[1]:.1f} × than a plain torch loop"
        f"   goal {goal}",
        flush=True,
    )


def first(data: Split, n: int) -> Split:
    """Return the first inputs of each part."""
    return Split(*(Part(part.X[:n], part.y[:n]) for part in data))


def accuracy(model: nn.Module, data: Split) -> float:
    X = torch.as_tensor(data.test.X, dtype=torch.float32)
    with torch.no_grad():
        labels = torch.cat([model(rows).argmax(dim=1) for rows in X.split(1000)])
    return float((labels.numpy() == data.test.y).mean())


def trained(name: str, data: Split, goal: float) -> nn.Module:
    """Return a network trained by its preset, and print how well."""
    model = build_model(name, {}, seed=0)
    history = train(model, data, PRESETS[name], seed=0)
    print(
        f"{name}: test accuracy {accuracy(model, data):.2%}, goal {goal:.1%};"
        f" best of {len(history.loss)} epochs: {history.best}, {history.seconds:.0f} s",
        flush=True,
    )
    return model


def surgery(data: Split) -> None:
    """Prune LeNet-300-100 by surgery while it trains on, then tune what is left at a lower rate.

    Weights decay meanwhile: else Adam brings back more of them than surgery removes.
    """
    name = "lenet-300-100"
    model, preset = trained(name, data, GOALS[name]), PRESETS[name]
    began, dense = time.perf_counter(), accuracy(model, data)
    longer = replace(preset, epochs=36, patience=None, keep="last", weight_decay=1e-4)
    factors = dict(zip(prunable(model), (4.0, 2.0, 0.0), strict=True))
    plan = planned_surgery(model, c=factors, stop=12_000, gamma=0)
    train_under_surgery(model, data, longer, plan, seed=1, rng=np.random.default_rng(0))
    train(model, data, replace(preset, rate=3e-4), seed=2)
    print(
        f"surgery: sparsity {1 - 1 / compression_of(model):.2%}, goal 95 %; test accuracy lost"
        f" {100 * (dense - accuracy(model, data)):.2f} points, goal at most 0.3;"
        f" {time.perf_counter() - began:.0f} s",
        flush=True,
    )


if __name__ == "__main__":
    if sys.argv[1:] == ["presets"]:
        images = mnist()
        for name, goal in GOALS.items():
            trained(name, images, goal)
    elif sys.argv[1:] == ["surgery"]:
        surgery(mnist())
    else:
        small = split(digits(), rng=np.random.default_rng(0))
        compared((64, 32, 10), small, Training(epochs=10), "4 ×")
        compared((64, 32, 10), small, Training(epochs=10, batch=256), "-")
        images = first(mnist(), 5000)
        compared((784, 300, 100, 10), images, Training(epochs=1), "-")
        compared((784, 300, 100, 10), images, Training(epochs=1, batch=16), "-")
