"""What is searched, and how: a claim, the space of its instances, both sides, and the result."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from empirical.falsify.exact import as_fractions
from theory.claims.claim import Claim
from theory.validation import FloatArray

# Arrays by name: all that both sides of a claim are computed from.
Instance = Mapping[str, NDArray[Any]]
Direction = Literal["upper", "lower", "equal"]
# Numbers below this are left to rounding: no instance is built of them.
TINY = 1e-6


class Span(NamedTuple):
    """One array of the space that is searched: its shape, and what its entries lie between.

    Attributes
    ----------
    name : str
    shape : tuple of int
    lo, hi : float
    whole : bool
        Whether the entries are integers, both ends included.
    """

    name: str
    shape: tuple[int, ...]
    lo: float
    hi: float
    whole: bool = False

    @property
    def size(self) -> int:
        """The number of entries."""
        return int(np.prod(self.shape, dtype=int))


class Sides(NamedTuple):
    """What a claim gives for an instance, and what is so, by definition or by a witness."""

    claimed: float
    true: float


@dataclass(frozen=True, kw_only=True, eq=False)
class Search:
    """The problem of refuting a claim.

    Parameters
    ----------
    claim : Claim
    direction : {"upper", "lower", "equal"}
        Whether what is claimed is at least, at most or equal to what is so.
    space : tuple of Span
        What differential evolution moves.
    build : callable
        Takes the arrays of the space, gives the instance, which obeys the claim's assumptions.
    claimed : callable
        Takes an instance, gives the claim's number; a ValueError if the claim does not cover it.
    true : callable
        Takes an instance, gives what the number is in truth; if not exact, then on the side that
        cannot refute a true claim: a witnessed distance, a mean over points that were tried.
    kind : str
        What that number is, in words.
    axes : mapping of str to tuple of str
        For each array of an instance the name of each axis. What has the same name is dropped
        together; axes named "" are kept whole.
    fixed : frozenset of str
        Arrays that are not made rounder: norms, numbers of methods.
    allowance : float
        The violation, relative to the scale, that rounding may feign.
    reason : str
        Why not zero.
    scale : float, optional
        What slack is relative to; by default the larger side.
    rational : bool
        Whether `true` also takes arrays of fractions, and is then exact.
    """

    claim: Claim
    direction: Direction
    space: tuple[Span, ...]
    build: Callable[[Instance], Instance]
    claimed: Callable[[Instance], float]
    true: Callable[[Instance], Any]
    kind: str
    axes: Mapping[str, tuple[str, ...]]
    fixed: frozenset[str] = frozenset()
    allowance: float = 1e-9
    reason: str = "rounding of float64"
    scale: float | None = None
    rational: bool = False


@dataclass(frozen=True, kw_only=True, eq=False)
class Falsification:
    """What a search for a violation found.

    Parameters
    ----------
    key : str
        Of the claim.
    verdict : {"violated", "not violated"}
        Not violated is no proof: nothing that was tried violates it.
    claimed, true : float
        Of the instance.
    slack : float
        By how much the instance obeys the claim, relative to the search's scale: 1 is all of the
        larger side, 0 equality, negative a violation.
    instance : mapping of str to array
        Of a violation the minimised one, else the tightest that was found.
    slacks : array, shape (k,)
        Of all instances that were tried and that the claim covers, in this order.
    evaluations : int
        How many instances were tried, those not covered and those of minimising included.
    seconds : float
    confirmed : bool or None
        Whether exact rational arithmetic agrees that it is a violation; None where it was not
        asked.
    interrupted : bool
        Whether Ctrl-C ended the search.
    """

    key: str
    verdict: Literal["violated", "not violated"]
    claimed: float
    true: float
    slack: float
    instance: Instance
    slacks: FloatArray
    evaluations: int
    seconds: float
    confirmed: bool | None
    interrupted: bool


def instance_of(search: Search, vector: FloatArray) -> Instance:
    """Return the instance that a real vector stands for.

    Raises
    ------
    ValueError
        If there is none, as for weights that are all but zero.
    """
    arrays, start = {}, 0
    for span in search.space:
        part = np.asarray(vector[start : start + span.size], dtype=np.float64)
        arrays[span.name] = (np.round(part) if span.whole else part).reshape(span.shape)
        start += span.size
    built = search.build(arrays)
    return {name: np.asarray(array, dtype=np.float64) for name, array in built.items()}


def sides(search: Search, instance: Instance) -> Sides:
    """Return both sides of a claim in float64.

    Raises
    ------
    ValueError
        If the claim does not cover the instance.
    """
    return Sides(float(search.claimed(instance)), float(search.true(instance)))


def exact_sides(search: Search, instance: Instance) -> Sides:
    """Return both sides, the true one computed in fractions and rounded once.

    Raises
    ------
    ValueError
        As `sides`; if the search has no exact truth.
    """
    if not search.rational:
        raise ValueError(f"{search.claim.key} must have an exact truth; it has none.")
    fractions = {name: as_fractions(array) for name, array in instance.items()}
    return Sides(float(search.claimed(instance)), float(search.true(fractions)))


def slack_of(search: Search, found: Sides) -> float:
    """Return by how much a claim is obeyed, relative to the scale; negative if it is violated.

    Raises
    ------
    ValueError
        If a side is NaN, or both are too small to be told from rounding.
    """
    claimed, true = found
    scale = max(abs(claimed), abs(true)) if search.scale is None else search.scale
    if not scale > TINY:  # NaN as well
        raise ValueError(f"one side must exceed {TINY}; got {claimed} and {true}.")
    if np.isinf(claimed) or np.isinf(true):
        gap, scale = np.sign(claimed - true), 1.0
    else:
        gap = claimed - true
    if np.isnan(gap):
        raise ValueError(f"both sides must be numbers, one finite; got {claimed} and {true}.")
    signed = {"upper": gap, "lower": -gap, "equal": -abs(gap)}[search.direction]
    return float(signed / scale)


def is_violated(search: Search, slack: float) -> bool:
    """Return whether a slack is a violation beyond what rounding may feign."""
    return slack < -search.allowance


def is_confirmed(search: Search, instance: Instance) -> bool | None:
    """Return whether an instance violates a claim in exact arithmetic; None if there is none.

    What rounding alone makes an instance, such as a flip that is none, does not violate it.
    """
    if not search.rational:
        return None
    try:
        found = slack_of(search, exact_sides(search, instance))
    except ValueError:
        return False
    return is_violated(search, found)
