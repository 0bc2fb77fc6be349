"""The search for a violation: differential evolution, descent from its best, and what is kept."""

import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any, NamedTuple

import numpy as np
from scipy.optimize import Bounds, differential_evolution, minimize

from empirical.falsify.minimise import minimise
from empirical.falsify.search import (
    Falsification,
    Instance,
    Search,
    Sides,
    instance_of,
    is_confirmed,
    is_violated,
    sides,
    slack_of,
)
from theory.validation import FloatArray

# What an objective gives where the claim does not cover the instance: worse than any slack.
_UNCOVERED = 1e3
# A violation this clear, relative to the scale, ends the search; of it so much has to be left when
# it is made simpler.
_CLEAR, _LEFT = 0.01, 0.5
# The share of the budget that is for the search, the rest being for making the instance simpler.
_SEARCHED = 0.8
# Of a round of differential evolution: members a variable, within limits, and generations. Of the
# descent after it: evaluations a variable.
_MEMBERS, _FEWEST, _MOST, _GENERATIONS, _STEPS = 4, 20, 60, 100, 40
Tick = Callable[[int, float], None]


class _Spent(Exception):  # noqa: N818  # not an error: the end of the search
    """The budget is spent, or a clear violation found."""


class _Measured(NamedTuple):
    """An instance that the claim covers, and by how much it obeys it."""

    slack: float
    instance: Instance
    sides: Sides


class _Trail:
    """What was tried so far: counted, and the worst of it kept."""

    def __init__(self, search: Search, seconds: float, evaluations: float, tick: Tick) -> None:
        self.search, self.seconds, self.evaluations, self.tick = search, seconds, evaluations, tick
        self.count, self.started = 0, time.perf_counter()
        self.slacks: list[float] = []
        self.worst: _Measured | None = None
        self.doubtful: _Measured | None = None
        self.simpler: list[_Measured] = []
        self.refused = ""

    @property
    def elapsed(self) -> float:
        return time.perf_counter() - self.started

    def refuse_beyond(self, share: float) -> None:
        """Raise _Spent once this share of the budget is spent."""
        elapsed = self.elapsed
        self.tick(self.count, elapsed)
        if elapsed >= share * self.seconds or self.count >= share * self.evaluations:
            raise _Spent

    def measured(self, make: Callable[[], Instance]) -> _Measured | None:
        """Return an instance and its slack, None if the claim does not cover it."""
        self.count += 1
        try:
            instance = make()
            found = sides(self.search, instance)
            return _Measured(slack_of(self.search, found), instance, found)
        except ValueError as error:
            self.refused = str(error)
            return None

    def keep(self, found: _Measured) -> bool:
        """Keep the worst, and the first violation that rounding made: False for such a one."""
        if self.worst is not None and found.slack >= self.worst.slack:
            return True
        if not _is_sure(self.search, found):
            self.doubtful = self.doubtful or found
            return False
        self.worst = found
        return True


def falsify(
    search: Search,
    rng: np.random.Generator,
    *,
    seconds: float = np.inf,
    evaluations: float = np.inf,
    tick: Tick = lambda count, elapsed: None,
) -> Falsification:
    """Return the worst instance of a claim that a search within a budget finds.

    Kind: a violation is one beyond the search's allowance, of a witnessed truth; that none is found
    proves nothing. With a budget of evaluations alone the result depends on rng alone; one of
    seconds may end the search elsewhere each time.

    Parameters
    ----------
    search : Search
    rng : numpy.random.Generator
    seconds, evaluations : float, positive, one of them finite
        Whichever ends first ends the search; a clear violation ends it at once. A fifth is left for
        making the instance simpler.
    tick : callable
        Told before each instance how many were tried, and the seconds that took.

    Returns
    -------
    Falsification

    Raises
    ------
    ValueError
        If a budget is not positive, or none is finite.
    RuntimeError
        If the claim covers no instance that was tried.

    Examples
    --------
    >>> from empirical.falsify import SEARCHES
    >>> found = falsify(SEARCHES["guo2018.lipschitz-product"], np.random.default_rng(0),
    ...     evaluations=500)
    >>> found.verdict
    'violated'
    """
    _refuse_budget("seconds", seconds)
    _refuse_budget("evaluations", evaluations)
    if np.isinf(seconds) and np.isinf(evaluations):
        raise ValueError("seconds or evaluations must be finite; got inf for both.")
    trail, interrupted = _Trail(search, seconds, evaluations, tick), False
    try:
        with suppress(_Spent):
            _explore(trail, rng)
        slacks = np.array(trail.slacks)
        with suppress(_Spent):
            _simplify(trail)
    except KeyboardInterrupt:
        slacks, interrupted = np.array(trail.slacks), True
    worst = _kept(trail)
    if worst is not None:
        return _result(trail, worst, slacks, interrupted)
    if interrupted:
        raise KeyboardInterrupt
    raise RuntimeError(f"{search.claim.key} covers none of {trail.count} tried: {trail.refused}")


def _refuse_budget(name: str, budget: float) -> None:
    if not budget > 0:
        raise ValueError(f"{name} must be above 0; got {budget:g}.")


def _explore(trail: _Trail, rng: np.random.Generator) -> None:
    """Search in rounds, each from members drawn anew, until the budget is spent."""
    spans = trail.search.space
    lo = np.concatenate([np.full(span.size, float(span.lo)) for span in spans])
    hi = np.concatenate([np.full(span.size, float(span.hi)) for span in spans])
    whole = np.concatenate([np.full(span.size, span.whole) for span in spans])

    def objective(vector: FloatArray) -> float:
        trail.refuse_beyond(_SEARCHED)
        found = trail.measured(lambda: instance_of(trail.search, vector))
        if found is None:
            return _UNCOVERED
        trail.slacks.append(found.slack)
        if not trail.keep(found):
            return _UNCOVERED  # or the search would end at, or gather around, what is none
        if found.slack < -max(_CLEAR, trail.search.allowance):
            raise _Spent
        return found.slack

    members = int(np.clip(_MEMBERS * lo.size, _FEWEST, _MOST))
    while True:
        found: Any = differential_evolution(
            objective,
            Bounds(lo, hi),
            init=lo + (hi - lo) * rng.random((members, lo.size)),
            maxiter=_GENERATIONS,
            integrality=whole,
            polish=False,
            seed=rng,
        )
        _descend(objective, np.asarray(found.x), lo, hi, ~whole)


def _descend(
    objective: Callable[[FloatArray], float],
    start: FloatArray,
    lo: FloatArray,
    hi: FloatArray,
    moved: Any,
) -> None:
    """Follow finite differences down from a point; what is integer stays."""
    if not moved.any():
        return

    def partly(part: FloatArray) -> float:
        vector = start.copy()
        vector[moved] = part
        return objective(vector)

    minimize(
        partly,
        start[moved],
        method="L-BFGS-B",
        bounds=Bounds(lo[moved], hi[moved]),
        options={"maxfun": _STEPS * int(moved.sum())},
    )


def _simplify(trail: _Trail) -> None:
    """Make the worst instance simpler: a violation stays clear, a tight one stays as tight."""
    search, worst = trail.search, trail.worst
    if worst is None:
        return
    violated = is_violated(search, worst.slack)
    if search.direction == "equal" and not violated:
        return  # what is left of an equality is rounding, which nobody has to read
    most = _LEFT * worst.slack if violated else worst.slack + search.allowance
    tried: list[_Measured] = []

    def is_good(instance: Instance) -> bool:
        trail.refuse_beyond(1.0)
        found = trail.measured(lambda: instance)
        if found is None or found.slack > most:
            return False
        tried.append(found)
        return True

    for _ in minimise(worst.instance, search.axes, fixed=search.fixed, is_good=is_good):
        trail.simpler.append(tried[-1])


def _kept(trail: _Trail) -> _Measured | None:
    """Return the simplest instance that is sure; what is doubtful where nothing is violated."""
    for found in reversed(trail.simpler):
        if _is_sure(trail.search, found):
            return found
    worst = trail.worst
    if worst is not None and is_violated(trail.search, worst.slack):
        return worst
    return trail.doubtful or worst


def _is_sure(search: Search, found: _Measured) -> bool:
    """Return whether an instance is no violation, or one that exact arithmetic does not deny."""
    return not is_violated(search, found.slack) or is_confirmed(search, found.instance) is not False


def _result(
    trail: _Trail, worst: _Measured, slacks: FloatArray, interrupted: bool
) -> Falsification:
    violated = is_violated(trail.search, worst.slack)
    confirmed = is_confirmed(trail.search, worst.instance) if violated else None
    return Falsification(
        key=trail.search.claim.key,
        verdict="violated" if violated and confirmed is not False else "not violated",
        claimed=worst.sides.claimed,
        true=worst.sides.true,
        slack=worst.slack,
        instance=worst.instance,
        slacks=slacks,
        evaluations=trail.count,
        seconds=trail.elapsed,
        confirmed=confirmed,
        interrupted=interrupted,
    )


def replayed(search: Search, instance: Instance) -> Falsification:
    """Return what an instance says of a claim, both sides computed anew.

    Raises
    ------
    ValueError
        If the claim does not cover it.
    """
    found = sides(search, instance)
    trail = _Trail(search, np.inf, 1, lambda count, elapsed: None)
    return _result(trail, _Measured(slack_of(search, found), instance, found), np.zeros(0), False)
