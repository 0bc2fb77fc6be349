"""Training: one loop for one network, and for many of one architecture at once."""

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from empirical.data import Part, Split
from empirical.training.history import History, Record
from empirical.training.objective import Task, objective, penalties, validated
from empirical.training.replicas import Replicas, Values, effective, stacked, write_back
from empirical.training.settings import OWN, Training
from theory.validation import FloatArray

# Inputs of the validation part that are run at a time, of all replicas together.
_AT_A_TIME = 2**14


def train(
    model: nn.Module,
    data: Split,
    training: Training,
    *,
    seed: int,
    progress: Callable[[int], Any] | None = None,
) -> History:
    """Train a network in place; pruned weights stay pruned.

    The same seed gives the same weights, on the same machine and number of threads.

    Parameters
    ----------
    model : torch module
        Takes rows of the data and returns (n, c) scores.
    data : Split
        Labels are 0..c-1. Its test part is not used.
    training : Training
    seed : int
        Of the order of inputs and the adversary's random starts.
    progress : function of int, optional
        Called with the number of epochs done after each.

    Returns
    -------
    History

    Raises
    ------
    TypeError, ValueError
        If the network has buffers other than pruning masks, or the data do not fit it.

    Examples
    --------
    >>> import torch
    >>> from empirical.data import digits, split
    >>> data = split(digits(), rng=np.random.default_rng(0))
    >>> _ = torch.manual_seed(0)
    >>> model = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))
    >>> history = train(model, data, Training(epochs=10), seed=0)
    >>> bool(history.validation_accuracy[history.best] > 0.85)
    True
    """
    return train_together([model], data, [training], seeds=[seed], progress=progress)[0]


def train_together(
    models: Sequence[nn.Module],
    data: Split,
    trainings: Sequence[Training],
    *,
    seeds: Sequence[int],
    progress: Callable[[int], Any] | None = None,
) -> list[History]:
    """Train networks of one architecture in place, each as `train` alone would, up to rounding.

    Every step is one for all: for small networks that takes little longer than one alone.

    Parameters
    ----------
    models : sequence of R torch modules
        Of one architecture; masks may differ.
    data : Split
        As in `train`.
    trainings : sequence of R
        Alike, but for l1 and weight_decay.
    seeds : sequence of R int
    progress : function of int, optional
        As in `train`.

    Returns
    -------
    list of R History

    Raises
    ------
    TypeError, ValueError
        As `train`; if there are not as many of each, or they are not alike.
    """
    if not len(models) == len(trainings) == len(seeds):
        raise ValueError(
            f"models, trainings and seeds must be as many; got {len(models)}, {len(trainings)} and"
            f" {len(seeds)}."
        )
    replicas = stacked(models)
    shared = _shared(trainings)
    task = Task(
        replicas=replicas,
        training=shared,
        penalties=_penalties(trainings, replicas),
        train=_on_device(data.train, replicas),
        validation=_on_device(data.validation, replicas),
        seeds=list(seeds),
    )
    kept, histories = _run(task, progress)
    write_back(models, kept)
    return histories


def _run(task: Task, progress: Callable[[int], Any] | None) -> tuple[Values, list[History]]:
    """Return the weights kept and what happened."""
    began, training = time.monotonic(), task.training
    values = {name: v.requires_grad_() for name, v in task.replicas.values.items()}
    optimizer = _optimizer(list(values.values()), training)
    generators = [torch.Generator().manual_seed(seed) for seed in task.seeds]
    record = Record(values, training.patience)
    record.note(values, *validated(task, values))
    for epoch in range(1, training.epochs + 1):
        eps = budget(training, epoch)
        record.losses.append(_epoch(task, values, optimizer, generators, eps))
        record.note(values, *validated(task, values))
        if progress is not None:
            progress(epoch)
        if not record.running.any():
            break
    return record.kept, record.histories(time.monotonic() - began)


def _epoch(
    task: Task,
    values: Values,
    optimizer: torch.optim.Optimizer,
    generators: Sequence[torch.Generator],
    eps: float,
) -> FloatArray:
    """Return the mean loss of each replica over one pass."""
    X, y = task.train
    orders = torch.stack([torch.randperm(len(y), generator=g) for g in generators])
    total = torch.zeros(task.replicas.count, dtype=torch.float64)
    for rows in torch.split(orders, task.training.batch, dim=1):
        optimizer.zero_grad()
        weights = effective(values, task.replicas.masks)
        loss = objective(task, weights, X[rows], y[rows], eps=eps, generators=generators)
        loss = loss + sum(penalties(task, weights))
        torch.autograd.backward(loss.sum())
        optimizer.step()
        total += loss.detach().double().cpu() * rows.shape[1]
    return np.asarray(total / len(y))


def budget(training: Training, epoch: int) -> float:
    """Return the adversary's eps in an epoch, counted from 1."""
    if training.adversary is None:
        return 0.0
    return training.adversary.eps * min(1.0, epoch / (training.adversary.ramp + 1))


def _optimizer(values: list[Tensor], training: Training) -> torch.optim.Optimizer:
    if training.optimizer == "adam":
        return torch.optim.Adam(values, lr=training.rate, fused=True)
    return torch.optim.SGD(values, lr=training.rate, momentum=training.momentum, fused=True)


def _shared(trainings: Sequence[Training]) -> Training:
    """Return what all trainings agree in."""
    alike = {replace(training, l1=0.0, weight_decay=0.0) for training in trainings}
    if len(alike) > 1:
        raise ValueError(
            f"trainings must be alike but for {' and '.join(OWN)}; got {len(alike)} kinds."
        )
    return alike.pop()


def _penalties(trainings: Sequence[Training], replicas: Replicas) -> dict[str, Tensor]:
    like = next(iter(replicas.values.values()))
    factors = {name: [getattr(training, name) for training in trainings] for name in OWN}
    return {
        name: torch.tensor(own, dtype=like.dtype, device=like.device)
        for name, own in factors.items()
        if any(own)
    }


def _on_device(part: Part, replicas: Replicas) -> tuple[Tensor, Tensor]:
    """Return inputs and labels as tensors of the networks' type and device."""
    like = next(iter(replicas.values.values()))
    X = torch.as_tensor(part.X).to(dtype=like.dtype, device=like.device)
    y = torch.as_tensor(part.y).to(device=like.device)
    with torch.no_grad():
        weights = effective(replicas.values, replicas.masks)
        outputs = replicas.forward(weights, X[:1].expand(replicas.count, *X[:1].shape)).shape[-1]
    if y.min() < 0 or y.max() >= outputs:
        raise ValueError(
            f"y must hold labels of the model, 0..{outputs - 1}; got {int(y.min())}"
            f" to {int(y.max())}."
        )
    return X, y
