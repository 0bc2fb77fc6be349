"""How a network is trained: what is minimised, by which steps, against which adversary."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from theory.validation import as_finite

OPTIMIZERS = ("adam", "sgd")
KEEPS = ("best", "last")
# What may differ between replicas that are trained in one pass.
OWN = ("l1", "weight_decay")


@dataclass(frozen=True, kw_only=True)
class Adversary:
    """An attack that training meets: steps of projected gradient ascent within a ball.

    Parameters
    ----------
    norm : 2 or inf
    eps : float, positive
        The ball's radius, in units of the inputs.
    steps : int, positive
        One step of size eps without a random start is the fast gradient (sign) method.
    step : float, positive, optional
        Size of a step; by default eps for one step, else 2.5 eps / steps (Madry et al. 2018).
    random_start : bool
        Whether ascent starts from a random move in the ball instead of the input.
    share : float, in (0, 1]
        Of the loss that is that of attacked inputs: 1 is Madry et al.'s training, 1/2 that of
        Cosentino et al. 2019.
    ramp : int, nonnegative
        Epochs in which eps rises evenly to its value.
    box : pair (lo, hi) of float, optional
        That attacked inputs stay in. None: no box.

    Raises
    ------
    TypeError, ValueError
        If a value is out of its range.
    """

    norm: float
    eps: float
    steps: int = 1
    step: float | None = None
    random_start: bool = False
    share: float = 1.0
    ramp: int = 0
    box: tuple[float, float] | None = None

    def __post_init__(self) -> None:
        if self.norm not in (2, math.inf):
            raise ValueError(f"norm must be 2 or inf; got {self.norm}.")
        _require("eps", self.eps, "positive", lambda eps: eps > 0)
        _require_count("steps", self.steps, 1)
        _require_count("ramp", self.ramp, 0)
        if self.step is not None:
            _require("step", self.step, "positive", lambda step: step > 0)
        _require("share", self.share, "in (0, 1]", lambda share: 0 < share <= 1)
        if self.box is not None and not self.box[0] < self.box[1]:
            raise ValueError(f"box must be a pair lo < hi; got {self.box}.")

    @property
    def stride(self) -> float:
        """The size of a step."""
        if self.step is not None:
            return self.step
        return self.eps if self.steps == 1 else 2.5 * self.eps / self.steps


@dataclass(frozen=True, kw_only=True)
class Training:
    """What is minimised, and by which steps.

    Parameters
    ----------
    optimizer : "adam" or "sgd"
    rate : float, positive
        The learning rate.
    momentum : float, in [0, 1)
        Of sgd.
    epochs : int, nonnegative
        At most so many passes over the training part.
    batch : int, positive
        Inputs a step.
    patience : int, positive, optional
        Training ends after so many epochs without a lower validation loss. None: never before
        `epochs`.
    keep : "best" or "last"
        The weights of the epoch of least validation loss, or of the last one that was run and whose
        validation loss is a number.
    smoothing : float, in [0, 1)
        Of labels: the share of probability spread over all classes.
    l1, weight_decay : float, nonnegative
        The loss gains l1 · Σ|w| + weight_decay / 2 · Σw², w the weights but not the biases.
    adversary : Adversary, optional

    Raises
    ------
    TypeError, ValueError
        If a value is out of its range.
    """

    optimizer: str = "adam"
    rate: float = 1e-3
    momentum: float = 0.9
    epochs: int = 30
    batch: int = 64
    patience: int | None = None
    keep: str = "best"
    smoothing: float = 0.0
    l1: float = 0.0
    weight_decay: float = 0.0
    adversary: Adversary | None = None

    def __post_init__(self) -> None:
        if self.optimizer not in OPTIMIZERS:
            raise ValueError(
                f"optimizer must be one of {', '.join(OPTIMIZERS)}; got {self.optimizer!r}."
            )
        _require("rate", self.rate, "positive", lambda rate: rate > 0)
        for name in ("momentum", "smoothing"):
            _require(name, getattr(self, name), "in [0, 1)", lambda value: 0 <= value < 1)
        for name in OWN:
            _require(name, getattr(self, name), "nonnegative", lambda value: value >= 0)
        _require_count("epochs", self.epochs, 0)
        _require_count("batch", self.batch, 1)
        if self.patience is not None:
            _require_count("patience", self.patience, 1)
        if self.keep not in KEEPS:
            raise ValueError(f"keep must be one of {', '.join(KEEPS)}; got {self.keep!r}.")


def _require(name: str, value: Any, what: str, is_so: Callable[[Any], bool]) -> None:
    if as_finite(name, value).ndim or not is_so(value):
        raise ValueError(f"{name} must be {what}; got {value}.")


def _require_count(name: str, value: Any, least: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"{name} must be an integer; got {value!r}.")
    if value < least:
        raise ValueError(f"{name} must be at least {least}; got {value}.")
