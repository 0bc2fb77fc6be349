"""What training minimises, for every replica at once."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from empirical.training.adversary import attacked
from empirical.training.replicas import Replicas, Values, effective
from empirical.training.settings import Training
from theory.validation import FloatArray

# Inputs of the validation part that are run at a time, of all replicas together.
_AT_A_TIME = 2**14


@dataclass(frozen=True, kw_only=True, eq=False)
class Task:
    """What is trained, how, on tensors (n, ...), (n,); penalties' factors are of shape (R,)."""

    replicas: Replicas
    training: Training
    penalties: dict[str, Tensor]
    train: tuple[Tensor, Tensor]
    validation: tuple[Tensor, Tensor]
    seeds: list[int]


def objective(
    task: Task,
    weights: Values,
    X: Tensor,
    y: Tensor,
    *,
    eps: float,
    generators: Sequence[torch.Generator],
) -> Tensor:
    """Return the mean loss of each replica on inputs (R, n, ...), attacked as training says."""
    losses = partial(_losses, task, weights)
    adversary = task.training.adversary
    if adversary is None:
        return losses(X, y).mean(dim=1)
    fixed = {name: value.detach() for name, value in weights.items()}
    moved = attacked(partial(_losses, task, fixed), X, y, adversary, eps=eps, generators=generators)
    loss = adversary.share * losses(moved, y).mean(dim=1)
    if adversary.share < 1:
        loss = loss + (1 - adversary.share) * losses(X, y).mean(dim=1)
    return loss


def _losses(task: Task, weights: Values, X: Tensor, y: Tensor) -> Tensor:
    """Return the cross entropy of each input."""
    scores = task.replicas.forward(weights, X)
    smoothing = task.training.smoothing
    rows = cross_entropy(
        scores.flatten(0, 1), y.flatten(), reduction="none", label_smoothing=smoothing
    )
    return rows.reshape(y.shape)


def penalties(task: Task, weights: Values) -> list[Tensor]:
    """Return the terms that penalties add to each replica's loss."""
    powers = {"l1": lambda W: W.abs(), "weight_decay": lambda W: W.square() / 2}
    return [
        factor * sum(powers[name](W).flatten(1).sum(dim=1) for W in _matrices(weights))
        for name, factor in task.penalties.items()
    ]


def _matrices(weights: Values) -> list[Tensor]:
    """Return the weights but not the biases, which are vectors."""
    return [W for W in weights.values() if W.ndim > 2]


def validated(task: Task, values: Values) -> tuple[FloatArray, FloatArray]:
    """Return each replica's loss and accuracy on the validation part, in blocks."""
    X, y = task.validation
    count = task.replicas.count
    generators = [torch.Generator().manual_seed(seed) for seed in task.seeds]
    weights = {
        name: value.detach() for name, value in effective(values, task.replicas.masks).items()
    }
    adversary = task.training.adversary
    eps = 0.0 if adversary is None else adversary.eps
    loss, right = torch.zeros(2, count, dtype=torch.float64)
    for rows in torch.split(torch.arange(len(y)), max(1, _AT_A_TIME // count)):
        inputs = X[rows].expand(count, *X[rows].shape)
        labels = y[rows].expand(count, -1)
        part = objective(task, weights, inputs, labels, eps=eps, generators=generators)
        loss += part.double().cpu() * len(rows)
        scores = task.replicas.forward(weights, inputs)
        right += (scores.argmax(dim=2) == labels).sum(dim=1).cpu()
    return np.asarray(loss / len(y)), np.asarray(right / len(y))
