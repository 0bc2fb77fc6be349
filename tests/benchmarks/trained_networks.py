"""Networks of MNIST or of scikit-learn's digits: trained normally or robustly, pruned, lowered."""

from itertools import pairwise
from typing import Any

import numpy as np
import scipy.sparse as sp
import torch
from sklearn.datasets import load_digits
from torch import nn

from empirical import data as sets
from theory.networks import ReluNetwork

Data = tuple[torch.Tensor, torch.Tensor]

STEPS = 4  # of the attack that training meets


def mnist(part: str) -> Data:
    split = sets.mnist()
    parts = [split.test] if part == "t10k" else [split.train, split.validation]
    X, y = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
    return torch.from_numpy(X), torch.from_numpy(y)


def mlp(*widths: int) -> nn.Sequential:
    parts = [part for i, o in pairwise(widths) for part in (nn.Linear(i, o), nn.ReLU())]
    return nn.Sequential(*parts[:-1])


def linear_layers(module: nn.Sequential) -> list[nn.Linear]:
    return [layer for layer in module if isinstance(layer, nn.Linear)]


def attacked(module: nn.Module, X: Any, y: Any, radius: float, steps: int = STEPS) -> torch.Tensor:
    """Return inputs after projected gradient ascent in the L2 ball and [0, 1]."""
    move = torch.zeros_like(X)
    for _ in range(steps):
        move.requires_grad_()
        loss = nn.functional.cross_entropy(module(X + move), y)
        (slope,) = torch.autograd.grad(loss, move)
        with torch.no_grad():
            move = move + 2 * radius / steps * nn.functional.normalize(slope, dim=1)
            move = move * (radius / move.norm(dim=1, keepdim=True).clamp(min=radius))
            move = (X + move).clamp(0, 1) - X
    return (X + move).detach()


def digits(part: str) -> tuple[torch.Tensor, torch.Tensor]:
    X, y = load_digits(return_X_y=True)
    rows = slice(0, 1297) if part == "train" else slice(1297, None)
    return torch.tensor(X[rows] / 16, dtype=torch.float32), torch.tensor(y[rows])


def train(
    module: nn.Sequential, data: Data, epochs: int, *, radius: float = 0.0, masks: Any = ()
) -> None:
    X, y = data
    trainer = torch.optim.Adam(module.parameters(), 1e-3)
    for _ in range(epochs):
        for rows in torch.randperm(len(X)).split(128):
            batch = attacked(module, X[rows], y[rows], radius) if radius else X[rows]
            trainer.zero_grad()
            nn.functional.cross_entropy(module(batch), y[rows]).backward()
            trainer.step()
            with torch.no_grad():
                for layer, mask in zip(linear_layers(module), masks, strict=False):
                    layer.weight *= mask


def prune(module: nn.Sequential, share: float) -> list[torch.Tensor]:
    """Return the masks of the largest weights, half as many cut in the last layer, and cut."""
    masks, layers = [], linear_layers(module)
    for layer in layers:
        cut = share / 2 if layer is layers[-1] else share
        sizes = layer.weight.detach().abs()
        masks.append((sizes > sizes.flatten().kthvalue(int(cut * sizes.numel())).values).float())
        with torch.no_grad():
            layer.weight *= masks[-1]
    return masks


def lowered(module: nn.Sequential) -> ReluNetwork:
    weights = [layer.weight.detach().double().numpy() for layer in linear_layers(module)]
    sparse = [sp.csr_array(W) if (W != 0).mean() < 0.25 else W for W in weights]
    biases = [layer.bias.detach().double().numpy() for layer in linear_layers(module)]
    return ReluNetwork(weights=sparse, biases=biases)
