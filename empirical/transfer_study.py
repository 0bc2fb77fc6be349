"""Whether points crafted on one of a network's pruned versions fool the others, on digits."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from torch import nn

from empirical.data import Part, Split, digits, split
from empirical.measures import TransferMatrix, transfer_matrix
from empirical.models import mlp
from empirical.pruning import SCHEMES, Stage, apply_masks, copied, gradual, masks_of
from empirical.training import Training, train_together

COMPRESSIONS = (1, 2, 4, 8, 16)
NAME = "64-20-10 on digits"
_SCHEME = SCHEMES["weight magnitude global"]
_TRAINING = Training(rate=1e-2, batch=64, keep="last")
_STEPS = 3  # of pruning, each with as much training as the dense network had


def pruned_versions(
    data: Split, compressions: Sequence[int], *, epochs: int, rng: np.random.Generator
) -> list[nn.Module]:
    """Return one network pruned by magnitude to each compression, step by step, and trained on.

    All start as one trained dense network, and are trained for as many epochs, shown inputs in one
    order: what sets them apart is what was pruned.
    """
    dense = mlp(64, 20, 10, seed=_seed(rng))
    apply_masks(dense, masks_of(dense))  # networks trained together are all pruned, or none
    _train([dense], data, epochs=epochs, rng=rng)
    models: list[nn.Module] = [copied(dense) for _ in compressions]
    schedules = [
        gradual(model, _SCHEME, compression=c, steps=_STEPS, train=_later, rng=rng)
        for model, c in zip(models, compressions, strict=True)
    ]
    for _ in range(_STEPS):
        _prune_next(schedules)
        _train(models, data, epochs=epochs, rng=rng)
    return models


def transfer_study(
    *,
    seed: int,
    compressions: Sequence[int] = COMPRESSIONS,
    eps: float = 0.1,
    inputs: int = 200,
    epochs: int = 12,
) -> TransferMatrix:
    """Return how often L∞ points crafted on each pruned version of a network fool the others.

    Kind: exact for these points, of one dense network and its versions; the limits are over inputs.
    Other seeds give other networks.

    Parameters
    ----------
    seed : int
    compressions : sequence of int
        From 1, which is dense but trained on as the others are.
    eps : float
        Pixels lie, and stay, in [0, 1].
    inputs : int
        Test inputs that are attacked.
    epochs : int
        Passes over the training part, of the dense network and after each step of pruning.

    Examples
    --------
    >>> matrix = transfer_study(seed=0, compressions=(1, 8), inputs=20, epochs=1)
    >>> matrix.names, matrix.rate.shape
    (('dense', 'compression 8'), (2, 2))
    """
    rng = np.random.default_rng([seed, 5])
    data = split(digits(), rng=rng)
    models = pruned_versions(data, compressions, epochs=epochs, rng=rng)
    names = ["dense" if c == 1 else f"compression {c}" for c in compressions]
    test = Part(*(part[:inputs] for part in data.test))
    return transfer_matrix(
        dict(zip(names, models, strict=True)),
        *test,
        eps=eps,
        norm=np.inf,
        box=(0.0, 1.0),
        restarts=1,
        rng=rng,
    )


def transfer_table(matrix: TransferMatrix) -> list[dict[str, Any]]:
    """Return a transfer matrix as rows, one a pair of networks, with limits over inputs.

    Kind: exact for these points, as each row says. `rate` is `fooled / tried`, nan where no point
    was tried; of a network and itself it is 1 by construction, so that `source fooled` tells how
    often its own points fool it, of those inputs that it labels rightly; nan if there are none.
    """
    return [_row(matrix, s, t) for s, t in np.ndindex(*matrix.rate.shape)]


def _row(matrix: TransferMatrix, s: int, t: int) -> dict[str, Any]:
    right, own = matrix.right[s], matrix.wrong_at[s, s]
    return {
        "source": matrix.names[s],
        "target": matrix.names[t],
        "rate": float(matrix.rate[s, t]),
        "low": float(matrix.low[s, t]),
        "high": float(matrix.high[s, t]),
        "tried": int(matrix.tried[s, t]),
        "fooled": int(matrix.fooled[s, t]),
        "kind": matrix.kind,
        "norm": matrix.norm,
        "eps": matrix.eps,
        "box": matrix.box,
        "inputs": right.size,
        "source right": int(right.sum()),
        "source accuracy": float(right.mean()),
        "source fooled": float(own[right].mean()) if right.any() else float("nan"),
    }


def _train(
    models: Sequence[nn.Module], data: Split, *, epochs: int, rng: np.random.Generator
) -> None:
    training = replace(_TRAINING, epochs=epochs)
    train_together(models, data, [training] * len(models), seeds=[_seed(rng)] * len(models))


def _later(model: nn.Module) -> None:
    """Stand for training in schedules whose networks are trained together after each step."""
    del model


def _prune_next(schedules: Sequence[Iterator[Stage]]) -> None:
    for schedule in schedules:
        next(schedule)


def _seed(rng: np.random.Generator) -> int:
    return int(rng.integers(2**31))
