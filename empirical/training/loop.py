"""Training: one loop for one network, and for many of one architecture at once."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from empirical.data import Part, Split
from empirical.training.history import History, Record
from empirical.training.objective import Revise, Task, minimised, validated
from empirical.training.replicas import Replicas, effective, stacked, write_back
from empirical.training.settings import OWN, Training
from theory.validation import FloatArray


def train(
    model: nn.Module,
    data: Split,
    training: Training,
    *,
    seed: int,
    revise: Revise | None = None,
    progress: Callable[[int], Any] | None = None,
) -> History:
    """Train a network in place; pruned weights stay pruned, unless masks are revised.

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
    revise : function of int, dict of tensors and dict of tensors, optional
        Called after each step with its number, from 0, the weights as trained below the masks and
        the masks, by the parameter's name and of shape (R, ...), with R = 1 here. Returns new
        masks by name, nonzero where a weight is kept; masks not returned stay. Given it, pruned
        weights are trained too: the gradient by a masked weight is given to the weight below
        (`straight_through`).
    progress : function of int, optional
        Called with the number of epochs done after each.

    Returns
    -------
    History

    Raises
    ------
    TypeError, ValueError
        If the network has buffers other than pruning masks, or the data do not fit it; if masks
        are to be revised, but it has none, or new ones do not fit.

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
    return train_together(
        [model], data, [training], seeds=[seed], revise=revise, progress=progress
    )[0]


def train_together(
    models: Sequence[nn.Module],
    data: Split,
    trainings: Sequence[Training],
    *,
    seeds: Sequence[int],
    revise: Revise | None = None,
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
    revise, progress : functions, optional
        As in `train`; masks of all networks are revised at once.

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
    replicas, shared = stacked(models), _shared(trainings)
    if revise is not None and not replicas.masks:
        raise ValueError("models must have masks to revise, if only of ones; got none.")
    task = Task(
        replicas=replicas,
        training=shared,
        penalties=_penalties(trainings, replicas),
        train=_on_device(data.train, replicas),
        validation=_on_device(data.validation, replicas),
        seeds=list(seeds),
        revise=revise,
    )
    began = time.monotonic()
    record = _run(task, progress)
    write_back(models, record.values, record.masks)
    return record.histories(time.monotonic() - began)


def _run(task: Task, progress: Callable[[int], Any] | None) -> Record:
    """Train the task's replicas in place; return what happened, with the weights to keep."""
    optimizer = _optimizer(task)
    generators = [torch.Generator().manual_seed(seed) for seed in task.seeds]
    record = Record(task.replicas, task.training)
    record.note(task.replicas, *validated(task))
    for epoch in range(1, task.training.epochs + 1):
        record.losses.append(_epoch(task, optimizer, generators, epoch))
        record.note(task.replicas, *validated(task))
        if progress is not None:
            progress(epoch)
        if not record.running.any():
            break
    return record


def _epoch(
    task: Task,
    optimizer: torch.optim.Optimizer,
    generators: Sequence[torch.Generator],
    epoch: int,
) -> FloatArray:
    """Return the mean loss of each replica over one pass."""
    X, y = task.train
    eps = budget(task.training, epoch)
    orders = torch.stack([torch.randperm(len(y), generator=g) for g in generators]).to(y.device)
    batches = torch.split(orders, task.training.batch, dim=1)
    losses = []
    for step, rows in enumerate(batches, start=(epoch - 1) * len(batches)):
        optimizer.zero_grad()
        # X[rows], but some times faster:
        inputs = X.index_select(0, rows.flatten()).reshape(*rows.shape, *X.shape[1:])
        loss = minimised(task, inputs, y[rows], eps=eps, generators=generators)
        torch.autograd.backward(loss.sum())
        optimizer.step()
        _revise_masks(task, step)
        losses.append(loss.detach())
    sizes = [rows.shape[1] for rows in batches]
    means: FloatArray = np.average(torch.stack(losses).double().cpu(), axis=0, weights=sizes)
    return means


def _revise_masks(task: Task, step: int) -> None:
    """Change the task's masks in place, if they are to be revised."""
    if task.revise is None:
        return
    masks = task.replicas.masks
    with torch.no_grad():
        values = {name: value.detach() for name, value in task.replicas.values.items()}
        new = task.revise(step, values, masks)
        _refuse_misfits(new, masks)
        for name, mask in new.items():
            masks[name].copy_(mask != 0)


def _refuse_misfits(new: Mapping[str, Tensor], masks: Mapping[str, Tensor]) -> None:
    """Raise ValueError unless new masks are of names and shapes as masks."""
    for name, mask in new.items():
        if name not in masks:
            raise ValueError(f"masks must be of {', '.join(masks)}; got {name!r}.")
        if mask.shape != masks[name].shape:
            raise ValueError(
                f"the mask of {name!r} must have shape {tuple(masks[name].shape)};"
                f" got {tuple(mask.shape)}."
            )


def budget(training: Training, epoch: int) -> float:
    """Return the adversary's eps in an epoch, counted from 1."""
    if training.adversary is None:
        return 0.0
    return training.adversary.eps * min(1.0, epoch / (training.adversary.ramp + 1))


def _optimizer(task: Task) -> torch.optim.Optimizer:
    values = [value.requires_grad_() for value in task.replicas.values.values()]
    training = task.training
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
        row = X[:1].expand(replicas.count, *X[:1].shape)
        outputs = replicas.forward(effective(replicas), row).shape[-1]
    if y.min() < 0 or y.max() >= outputs:
        raise ValueError(
            f"y must hold labels of the model, 0..{outputs - 1}; got {int(y.min())}"
            f" to {int(y.max())}."
        )
    return X, y
