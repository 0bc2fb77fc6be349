"""What happens to each network while many are trained, and the weights that are kept."""

import math
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from empirical.training.replicas import Replicas
from empirical.training.settings import Training
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
        The epoch, 0 for none, of least validation loss.
    kept : int
        The epoch whose weights were kept, with the masks that they had then: the best one, or the
        last whose validation loss is a number.
    diverged : bool
        Whether training ended because the loss was no longer a number.
    seconds : float
        Wall time, of all networks that were trained together.
    """

    loss: FloatArray
    validation_loss: FloatArray
    validation_accuracy: FloatArray
    best: int
    kept: int
    diverged: bool
    seconds: float


class Record:
    """The weights and masks of each replica that are kept so far, and what happened on the way."""

    def __init__(self, replicas: Replicas, training: Training) -> None:
        self.count = replicas.count
        self.values, self.masks = (
            {name: tensor.detach().clone() for name, tensor in part.items()}
            for part in (replicas.values, replicas.masks)
        )
        self.keeps_last = training.keep == "last"
        self.patience = math.inf if training.patience is None else training.patience
        self.least = np.full(self.count, np.inf)
        self.best, self.kept, self.ended = np.zeros((3, self.count), dtype=int)
        self.running = np.ones(self.count, dtype=bool)
        self.diverged = np.zeros(self.count, dtype=bool)
        self.losses: list[FloatArray] = []
        self.validation: list[tuple[FloatArray, FloatArray]] = []

    def note(self, replicas: Replicas, loss: FloatArray, accuracy: FloatArray) -> None:
        """Keep the weights of replicas that are better than before; end those that are not."""
        epoch = len(self.validation)
        self.validation.append((loss, accuracy))
        self.ended[self.running] = epoch
        self.diverged |= self.running & ~np.isfinite(loss)
        better = self.running & (loss < self.least)
        self.least[better], self.best[better] = loss[better], epoch
        self._keep(replicas, self.running & np.isfinite(loss) if self.keeps_last else better, epoch)
        self.running &= ~self.diverged & (epoch - self.best < self.patience)

    def _keep(self, replicas: Replicas, chosen: NDArray[np.bool_], epoch: int) -> None:
        self.kept[chosen] = epoch
        rows = torch.as_tensor(np.flatnonzero(chosen))
        with torch.no_grad():
            for kept, now in ((self.values, replicas.values), (self.masks, replicas.masks)):
                for name, tensor in now.items():
                    kept[name][rows] = tensor[rows]

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
                kept=int(self.kept[r]),
                diverged=bool(self.diverged[r]),
                seconds=seconds,
            )
            for r in range(self.count)
        ]
