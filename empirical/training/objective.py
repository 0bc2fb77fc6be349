"""What training minimises, for every replica at once."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from empirical.training.adversary import attacked
from empirical.training.replicas import Replicas, Values, effective, straight_through
from empirical.training.settings import Training
from theory.validation import FloatArray

# Inputs of the validation part that are run at a time, of all replicas together.
_AT_A_TIME = 2**14
# New masks after a step, of its number, weights below the masks and masks, stacked, by name.
Revise = Callable[[int, Values, Values], Mapping[str, Tensor]]


@dataclass(frozen=True, kw_only=True, eq=False)
class Task:
    """What is trained, how, on tensors (n, ...), (n,); penalties' factors are of shape (R,)."""

    replicas: Replicas
    training: Training
    penalties: dict[str, Tensor]
    train: tuple[Tensor, Tensor]
    validation: tuple[Tensor, Tensor]
    seeds: list[int]
    revise: Revise | None

    @property
    def weights(self) -> Values:
        """Parameters as networks use them; if masks are revised, pruned ones are trained too."""
        return effective(self.replicas, torch.mul if self.revise is None else straight_through)


def minimised(
    task: Task, X: Tensor, y: Tensor, *, eps: float, generators: Sequence[torch.Generator]
) -> Tensor:
    """Return the objective of each replica with its penalties."""
    weights = task.weights
    loss = objective(task, weights, X, y, eps=eps, generators=generators)
    for term in _penalties(task, weights):
        loss = loss + term
    return loss


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
    return _cross_entropies(task, task.replicas.forward(weights, X), y)


def _cross_entropies(task: Task, scores: Tensor, y: Tensor) -> Tensor:
    """Return the cross entropy of each input."""
    smoothing = task.training.smoothing
    # Classes ahead of inputs: softmax is ten times faster than over a short last axis.
    return cross_entropy(scores.mT, y, reduction="none", label_smoothing=smoothing)


def _penalties(task: Task, weights: Values) -> list[Tensor]:
    """Return the terms that penalties add to each replica's loss."""
    powers = {"l1": lambda W: W.abs(), "weight_decay": lambda W: W.square() / 2}
    return [
        factor * sum(powers[name](W).flatten(1).sum(dim=1) for W in _matrices(weights))
        for name, factor in task.penalties.items()
    ]


def _matrices(weights: Values) -> list[Tensor]:
    """Return the weights but not the biases, which are vectors."""
    return [W for W in weights.values() if W.ndim > 2]


def validated(task: Task) -> tuple[FloatArray, FloatArray]:
    """Return each replica's loss and accuracy on the validation part, in blocks."""
    X, y = task.validation
    count = task.replicas.count
    generators = [torch.Generator().manual_seed(seed) for seed in task.seeds]
    weights = {name: value.detach() for name, value in task.weights.items()}
    loss, right = torch.zeros(2, count, dtype=torch.float64)
    size = max(1, _AT_A_TIME // count)
    for inputs, labels in zip(torch.split(X, size), torch.split(y, size), strict=True):
        losses, hits = _evaluated(task, weights, inputs, labels, generators)
        loss += losses.double().cpu() * len(labels)
        right += hits.cpu()
    return np.asarray(loss / len(y)), np.asarray(right / len(y))


def _evaluated(
    task: Task, weights: Values, X: Tensor, y: Tensor, generators: Sequence[torch.Generator]
) -> tuple[Tensor, Tensor]:
    """Return each replica's mean loss and number of right labels on inputs (n, ...)."""
    X, y = (part.expand(task.replicas.count, *part.shape) for part in (X, y))
    scores, adversary = task.replicas.forward(weights, X), task.training.adversary
    if adversary is None:
        loss = _cross_entropies(task, scores, y).mean(dim=1)
    else:
        loss = objective(task, weights, X, y, eps=adversary.eps, generators=generators)
    # Contiguous: else argmax alone takes longer than the network.
    return loss, (scores.contiguous().argmax(dim=2) == y).sum(dim=1)
