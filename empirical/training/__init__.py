"""Training of torch networks, one or many of one architecture at once."""

from empirical.training.history import History
from empirical.training.loop import train, train_together
from empirical.training.settings import OPTIMIZERS, Adversary, Training

__all__ = ["OPTIMIZERS", "Adversary", "History", "Training", "train", "train_together"]
