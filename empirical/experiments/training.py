"""The stage "training": the dense network."""

from collections.abc import Callable
from typing import Any

from torch import nn

from empirical.data import Split
from empirical.experiments.streams import drawn_seed, seed_of
from empirical.pruning import compression_of
from empirical.sweeps import Settings, section
from empirical.sweeps.known import NORMS
from empirical.training import Adversary, History, Training, train

Step = dict[str, Any]  # what a training did, as JSON has it
STEP_NAMES = frozenset(
    {
        *("asked", "compression", "epochs", "kept", "diverged"),
        *("validation_loss", "validation_accuracy", "seconds"),
    }
)


def training_of(settings: Settings) -> Training:
    """Return how a cell's networks are trained.

    Raises
    ------
    ValueError
        If settings do not go together.
    """
    plain: dict[str, Any] = section(settings, "training")
    del plain["preset"]  # read with the file: what it stands for is in the other settings
    own = {key: plain.pop(key) for key in list(plain) if key.startswith("adversary.")}
    return Training(**plain, adversary=_adversary(own))


def train_dense(
    model: nn.Module,
    data: Split,
    settings: Settings,
    *,
    progress: Callable[[int], Any] | None = None,
) -> Step:
    """Train a network in place; return what that did."""
    seed = drawn_seed(seed_of(settings), "training")
    history = train(model, data, training_of(settings), seed=seed, progress=progress)
    return step_of(model, history, asked=1.0)


def step_of(model: nn.Module, history: History, *, asked: float) -> Step:
    """Return what training a network did.

    Parameters
    ----------
    model : torch module
        As trained.
    history : History
    asked : float
        The compression asked for.
    """
    return {
        "asked": asked,
        "compression": compression_of(model),
        "epochs": len(history.loss),
        "kept": history.kept,
        "diverged": history.diverged,
        "validation_loss": float(history.validation_loss[history.kept]),
        "validation_accuracy": float(history.validation_accuracy[history.kept]),
        "seconds": history.seconds,
    }


def _adversary(own: dict[str, Any]) -> Adversary | None:
    values = {key.removeprefix("adversary."): value for key, value in own.items()}
    norm, box = values.pop("norm"), values.pop("box")
    if norm == "none":
        return None
    return Adversary(**values, norm=NORMS[norm], box=unit_box(box))


def unit_box(name: Any) -> tuple[float, float] | None:
    """Return the box of a name."""
    return (0.0, 1.0) if name == "unit" else None
