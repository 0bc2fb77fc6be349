"""How an answer is judged: right, wrong with a hint, or not given yet."""

import importlib
import re
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray


class Unanswered(Exception):
    """The exercise still holds `...`."""


class WrongAnswer(Exception):
    """An answer is wrong; the message is a hint."""

    def _render_traceback_(self) -> list[str]:
        """Return what notebooks show: the hint, and not the way to it."""
        return [str(self)]


def judge(name: str, answer: Any) -> None:
    """Judge the answer to an exercise by its function in `exercises.lesson_NN`.

    Raises
    ------
    Unanswered, WrongAnswer
        If the answer is not right.
    ValueError
        If there is no such exercise.
    """
    found = re.fullmatch(r"(\d)([a-z])", name)
    module = importlib.import_module(f"exercises.lesson_0{found[1]}") if found else None
    by: Callable[[Any], None] | None = getattr(module, f"exercise_{name}", None)
    if by is None:
        raise ValueError(f"name must be that of an exercise, such as '1a'; got {name!r}.")
    _refuse_unanswered(answer)
    by(answer)


def require(is_right: Any, hint: str) -> None:
    """Raise WrongAnswer with a hint unless something is right."""
    if not is_right:
        raise WrongAnswer(hint)


def number(answer: Any) -> float:
    """Return an answer that must be one finite number."""
    value = vector(answer, 1) if np.ndim(answer) else np.array([_real(answer)])
    return float(value[0])


def vector(answer: Any, size: int) -> NDArray[np.float64]:
    """Return an answer that must be so many finite numbers."""
    values = _real(answer)
    require(
        values.shape == (size,),
        f"The answer must be {size} numbers in a row; yours has the shape {values.shape}.",
    )
    return values


def called(function: Any, *arguments: Any) -> Any:
    """Return what a function that is the answer makes of some arguments."""
    require(callable(function), f"The answer must be a function; got {function!r:.80}.")
    try:
        value = function(*arguments)
    except Exception as error:
        shown = ", ".join(f"{argument!r:.60}" for argument in arguments)
        raise WrongAnswer(
            f"Your function fails at ({shown}): {type(error).__name__}: {error}"
        ) from error
    _refuse_unanswered(value)
    return value


def judge_number(
    answer: Any,
    truth: float,
    hints: Mapping[float, str],
    *,
    otherwise: str,
    tolerance: float = 2e-3,
) -> None:
    """Judge one number: the truth, a mistake that has a hint of its own, or another one.

    Parameters
    ----------
    answer : object
    truth : float
    hints : mapping of float to str
        By the numbers that typical mistakes lead to.
    otherwise : str
        The hint for all others.
    tolerance : float
        Relative to the truth, or absolute where that is zero.
    """
    value, width = number(answer), tolerance * (abs(truth) or 1.0)
    if abs(value - truth) <= width:
        return
    nearest = min(hints, key=lambda wrong: abs(value - wrong), default=np.inf)
    known = abs(value - nearest) <= tolerance * (abs(nearest) or 1.0)
    raise WrongAnswer(hints[nearest] if known else otherwise)


def _real(answer: Any) -> NDArray[np.float64]:
    try:
        values = np.asarray(answer, dtype=np.float64)
    except (TypeError, ValueError):
        raise WrongAnswer(f"The answer must be made of numbers; got {answer!r:.80}.") from None
    require(np.isfinite(values).all(), f"The answer must be finite; got {answer!r:.80}.")
    return values


def _refuse_unanswered(answer: Any) -> None:
    """Raise Unanswered if an answer is `...`, or holds one."""
    parts = answer.values() if isinstance(answer, Mapping) else answer
    inside = list(parts) if isinstance(answer, Mapping | list | tuple) else []
    if any(part is ... for part in [answer, *inside]):
        raise Unanswered
