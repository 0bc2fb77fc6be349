"""Small networks with given weights, and what several tests of pruning ask of them."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import nn


def linear(*rows: Sequence[Sequence[float]]) -> nn.Sequential:
    """Return a chain of linear layers without biases and with these weights, in float64."""
    layers = []
    for weights in rows:
        layer = nn.Linear(len(weights[0]), len(weights), bias=False, dtype=torch.float64)
        layer.weight.data = torch.tensor(weights, dtype=torch.float64)
        layers += [layer, nn.ReLU()]
    return nn.Sequential(*layers[:-1])


def drawn(model: nn.Module, rng: np.random.Generator, *, levels: int = 0) -> nn.Module:
    """Give a network random parameters; of so many levels only, if any: ties."""
    with torch.no_grad():
        for parameter in model.parameters():
            values = rng.normal(size=tuple(parameter.shape))
            if levels:
                values = rng.integers(-levels, levels + 1, size=tuple(parameter.shape))
            parameter.copy_(torch.as_tensor(values))
    return model


def lenet(rng: np.random.Generator) -> nn.Sequential:
    """Return a small convolutional network for 8 x 8 images."""
    model = nn.Sequential(
        nn.Unflatten(1, (1, 8, 8)),
        nn.Conv2d(1, 4, 3),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(4, 6, 3),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(6, 5),
        nn.ReLU(),
        nn.Linear(5, 3),
    )
    drawn(model, rng)
    return model


def arrays(masks: Any) -> dict[str, Any]:
    """Return masks as arrays of 0 and 1."""
    return {name: mask.numpy().astype(int) for name, mask in masks.items()}


def nearest(numerator: int, denominator: int) -> int:
    """Return the nearest integer to a fraction, of two the even one, in integers alone."""
    below, rest = divmod(numerator, denominator)
    return below + (2 * rest > denominator or (2 * rest == denominator and below % 2 == 1))


def chi_square_margin(cells: int, *, false_alarms: float = 1e-6) -> float:
    """Return what Pearson's statistic of a uniform draw exceeds no more often than that.

    Laurent and Massart 2000, lemma 1, of its limit: chi-square with cells - 1 degrees of freedom.
    """
    k, x = cells - 1, math.log(1 / false_alarms)
    return k + 2 * math.sqrt(k * x) + 2 * x
