"""What a setting may be: its default, and how a value in a file is read."""

import math
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from empirical.sweeps.cells import Settings, Value

Reader = Callable[[Any], Value]
_TOO_LARGE = 2**63  # for SQLite's integers


def _nothing(value: Value) -> Mapping[str, Any]:
    return {}


@dataclass(frozen=True, kw_only=True)
class Option:
    """A setting that files may give.

    Parameters
    ----------
    default : value
        What it is where no file gives it; read like a file's value.
    read : callable
        Returns the value in its one type; raises ValueError or TypeError with what it must be.
    implies : callable
        Returns what other settings are, by dotted key, where this one has a value and no file gives
        them.
    """

    default: Any
    read: Reader
    implies: Callable[[Value], Mapping[str, Any]] = _nothing

    @property
    def resolved(self) -> Value:
        """The default in its one type."""
        return self.read(self.default)


def implied(known: Mapping[str, Option], given: Settings) -> dict[str, Value]:
    """Return what given settings say of others, read.

    Examples
    --------
    >>> fast = Option(default=False, read=truth, implies=lambda value: {"epochs": 1 + 9 * value})
    >>> implied({"fast": fast, "epochs": Option(default=3, read=integer(0))}, {"fast": True})
    {'epochs': 10}
    """
    values: dict[str, Any] = {}
    for key, value in given.items():
        if key in known:
            values |= known[key].implies(value)
    return {key: known[key].read(value) for key, value in values.items()}


def integer(at_least: int) -> Reader:
    """Return a reader of whole numbers; 1.0 is not one."""

    def read(value: Any) -> Value:
        if type(value) is not int:
            raise TypeError(f"must be an integer; got {value!r}.")
        if not at_least <= value < _TOO_LARGE:
            raise ValueError(f"must be at least {at_least} and below 2^63; got {value}.")
        return value

    return read


def number(what: str, is_so: Callable[[float], bool]) -> Reader:
    """Return a reader of floats; 1 is read as 1.0, so that both name the same cell."""

    def read(value: Any) -> Value:
        if type(value) not in (int, float):
            raise TypeError(f"must be a number; got {value!r}.")
        if not (abs(value) <= sys.float_info.max and is_so(value)):  # nor NaN
            raise ValueError(f"must be {what}; got {value}.")
        return float(value) + 0.0  # -0.0 becomes 0.0

    return read


positive = number("positive", lambda value: value > 0)
nonnegative = number("nonnegative", lambda value: value >= 0)
finite = number("finite", math.isfinite)
inside = number("in (0, 1)", lambda value: 0 < value < 1)
below_one = number("in [0, 1)", lambda value: 0 <= value < 1)
share = number("in (0, 1]", lambda value: 0 < value <= 1)
at_least_one = number("at least 1", lambda value: value >= 1)
above_one = number("above 1", lambda value: value > 1)


def choice(known: Iterable[str]) -> Reader:
    """Return a reader of one of some words."""
    words = tuple(known)

    def read(value: Any) -> Value:
        if value not in words or type(value) is not str:
            raise ValueError(f"must be one of {', '.join(words)}; got {value!r}.")
        return value

    return read


def truth(value: Any) -> Value:
    """Return true or false, if it is one."""
    if type(value) is not bool:
        raise TypeError(f"must be true or false; got {value!r}.")
    return value


def optional(read: Reader) -> Reader:
    """Return a reader that reads "none" (or an absent default) as None, the rest as `read` does."""
    return lambda value: None if value in (None, "none") else read(value)


def several(read: Reader) -> Reader:
    """Return a reader of lists of one value or more."""

    def read_all(values: Any) -> Value:
        if not isinstance(values, (list, tuple)) or not values:
            raise TypeError(f"must be a list of one value or more; got {values!r}.")
        return [read(value) for value in values]

    return read_all


def ascending(read: Reader) -> Reader:
    """Return a reader of lists whose numbers rise."""
    read_list = several(read)

    def read_all(values: Any) -> Value:
        numbers: Any = read_list(values)
        if any(after <= before for before, after in pairwise(numbers)):
            raise ValueError(f"must rise from value to value; got {values!r}.")
        return list(numbers)

    return read_all


def text(what: str, is_so: Callable[[str], object]) -> Reader:
    """Return a reader of text of some form."""

    def read(value: Any) -> Value:
        if type(value) is not str or not is_so(value):
            raise ValueError(f"must be {what}; got {value!r:.80}.")
        return value

    return read
