"""The setting of the study, how much of it is simulated, and how its numbers are told."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from empirical.intervals import resampled_interval
from theory.asymptotics import Objective
from theory.validation import FloatArray

# ‖mu‖, the share of features that carry it, and n / d, where they are not what varies.
SIGNAL, DENSITY, RATIO = 2.0, 0.1, 2.0


@dataclass(frozen=True, kw_only=True)
class Plan:
    """How much is simulated.

    Parameters
    ----------
    dimension : int, at least 1
        d. Multiples of 480 give every density a whole number of features.
    draws : int
        Of classes and inputs, for every point; at least 2, for an interval over them.

    Raises
    ------
    ValueError
        If there are too few of either.
    """

    dimension: int
    draws: int

    def __post_init__(self) -> None:
        for name, least in (("dimension", 1), ("draws", 2)):
            if getattr(self, name) < least:
                raise ValueError(f"{name} must be at least {least}; got {getattr(self, name)}.")


QUICK = Plan(dimension=480, draws=3)
DEFAULT = Plan(dimension=480, draws=4)
FULL = Plan(dimension=960, draws=12)


def _lasso(strength: float) -> Objective:
    return Objective(loss="logistic", l1=strength)


def _ridge(strength: float) -> Objective:
    return Objective(loss="logistic", l2=strength)


FAMILIES: Mapping[str, Callable[[float], Objective]] = {"L1": _lasso, "L2": _ridge}


def known(value: float) -> dict[str, float]:
    """Return a value that no draw made, with the interval of it alone."""
    return {"value": value, "low": value, "high": value}


def over_draws(sample: FloatArray) -> dict[str, float]:
    """Return the mean of independent draws, shape (draws,), with its 95 % interval; estimates."""
    return resampled_interval(sample, test_to_train=0.0)._asdict()
