"""Training of torch networks, one or many of one architecture at once."""

from empirical.training.history import History
from empirical.training.loop import train, train_together
from empirical.training.objective import Revise
from empirical.training.presets import PRESETS
from empirical.training.replicas import straight_through
from empirical.training.settings import KEEPS, OPTIMIZERS, Adversary, Training

__all__ = [
    "KEEPS",
    "OPTIMIZERS",
    "PRESETS",
    "Adversary",
    "History",
    "Revise",
    "Training",
    "straight_through",
    "train",
    "train_together",
]
