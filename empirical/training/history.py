"""What happens to each network while many are trained, and the weights that are kept."""

import math
from dataclasses import dataclass

import numpy as np
import torch

from empirical.training.replicas import Values
from theory.validation import FloatArray


@dataclass(frozen=True, kw_only=True, eq=False)
class History:
    """How a network's training went.

    Parameters
    ----------
    loss : array, shape (epochs run,)
        The mean over each epoch of what was minimised, in nats.
    validation_loss : array, shape (epochs run + 1,)
        After each epoch, and at first before any: of the same inputs, attacked if training is, but
        without penalties.
    validation_accuracy : array, shape (epochs run + 1,)
        Of the inputs as they are.
    best : int
        The epoch, 0 for none, whose weights were kept: of least validation loss.
    diverged : bool
        Whether training ended because the loss was no longer a number.
    seconds : float
        Wall time, of all networks that were trained together.
    """

    loss: FloatArray
    validation_loss: FloatArray
    validation_accuracy: FloatArray
    best: int
    diverged: bool
    seconds: float


class Record:
    """The best weights of each replica so far, and what happened on the way."""

    def __init__(self, values: Values, patience: int | None) -> None:
        self.count = next(iter(values.values())).shape[0]
        self.kept = {name: value.detach().clone() for name, value in values.items()}
        self.patience = math.inf if patience is None else patience
        self.least = np.full(self.count, np.inf)
        self.best, self.ended = np.zeros(self.count, dtype=int), np.zeros(self.count, dtype=int)
        self.running, self.diverged = np.ones((2, self.count), dtype=bool)
        self.diverged[:] = False
        self.losses: list[FloatArray] = []
        self.validation: list[tuple[FloatArray, FloatArray]] = []

    def note(self, values: Values, loss: FloatArray, accuracy: FloatArray) -> None:
        """Keep the weights of replicas that are better than before; end those that are not."""
        epoch = len(self.validation)
        self.validation.append((loss, accuracy))
        self.ended[self.running] = epoch
        self.diverged |= self.running & ~np.isfinite(loss)
        better = self.running & (loss < self.least)
        self.least[better], self.best[better] = loss[better], epoch
        rows = torch.as_tensor(np.flatnonzero(better))
        with torch.no_grad():
            for name, value in values.items():
                self.kept[name][rows] = value[rows]
        self.running &= ~self.diverged & (epoch - self.best < self.patience)

    def histories(self, seconds: float) -> list[History]:
        """Return what happened to each replica until it ended."""
        losses = np.array(self.losses).reshape(-1, self.count)
        after = np.array(self.validation)
        return [
            History(
                loss=losses[: self.ended[r], r],
                validation_loss=after[: self.ended[r] + 1, 0, r],
                validation_accuracy=after[: self.ended[r] + 1, 1, r],
                best=int(self.best[r]),
                diverged=bool(self.diverged[r]),
                seconds=seconds,
            )
            for r in range(self.count)
        ]
