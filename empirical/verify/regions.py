"""Sets of inputs whose robust part is known from geometry, and how shares of them meet ceilings."""

import math
from dataclasses import replace
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from empirical.verify.verdict import Verdict, judge_bound, judge_identity, worse
from theory.claims.claim import Claim
from theory.validation import FloatArray

# Declared before any measurement: what counts as no error of an accuracy.
_MARGIN = 0.02
_NOISE = "four standard errors of the sample; four more are in the accuracy that ceilings are given"
_DUAL = {2.0: 2, np.inf: 1}


Kept = NDArray[np.bool_]


class Region(Protocol):
    """A set of inputs."""

    def __call__(self, X: FloatArray, eps: float, norm: float) -> Kept:
        """Return which inputs are in it with all that is within eps of them."""


class HalfSpaces(NamedTuple):
    """Where all rows of W x + b are positive."""

    W: FloatArray
    b: FloatArray

    def __call__(self, X: FloatArray, eps: float, norm: float) -> Kept:
        """Return which inputs are in it, robustly."""
        drop = eps * np.linalg.norm(self.W, ord=_DUAL[norm], axis=1)
        return np.asarray((X @ self.W.T + self.b > drop).all(axis=1))


class Ball(NamedTuple):
    """What is closer to the center than the radius, in L2."""

    center: FloatArray
    radius: float

    def __call__(self, X: FloatArray, eps: float, norm: float) -> Kept:
        """Return which inputs are in it, robustly."""
        away = np.abs(X - self.center)
        if norm == 2:
            return np.asarray(np.linalg.norm(away, axis=1) + eps < self.radius)
        return np.asarray(np.linalg.norm(away + eps, axis=1) < self.radius)


class Outside(NamedTuple):
    """What is farther from the center than the radius, in L2."""

    center: FloatArray
    radius: float

    def __call__(self, X: FloatArray, eps: float, norm: float) -> Kept:
        """Return which inputs are in it, robustly."""
        away = np.abs(X - self.center)
        if norm == 2:
            return np.asarray(np.linalg.norm(away, axis=1) - eps > self.radius)
        return np.asarray(np.linalg.norm((away - eps).clip(min=0), axis=1) > self.radius)


class Met(NamedTuple):
    """A ceiling, and the share of counted inputs that stays robust, or another mean of theirs.

    Attributes
    ----------
    ceiling, measured : float
    number : int
        Of inputs that were counted.
    deviation : float or None
        Of what is averaged; None for shares, which bring their own.
    """

    ceiling: float
    measured: float
    number: int
    deviation: float | None = None

    @property
    def error(self) -> float:
        """The standard error of what was measured."""
        if self.deviation is not None:
            return self.deviation / math.sqrt(self.number)
        return standard_error(self.measured, self.number)


def standard_error(share: float, count: int) -> float:
    """Return that of a share of so many inputs; one more keeps it above zero for 0 and 1."""
    return math.sqrt(share * (1 - share) / count) + 1 / count


def at_most(share: float, count: int) -> float:
    """Return what the probability behind a share may be, up to four standard errors."""
    return min(1.0, share + 4 * standard_error(share, count))


def at_least(share: float, count: int) -> float:
    """Return what the probability behind a share is surely above, by four standard errors."""
    return max(0.0, share - 4 * standard_error(share, count))


def judged(claim: Claim, met: list[Met], reached: list[Met]) -> Verdict:
    """Return whether nothing passes a ceiling, and what is to reach it does."""
    bound = np.array([one.ceiling for one in met])
    errors = np.array([one.error for one in met])
    measured = [one.measured for one in met]
    passed = judge_bound(claim, bound, measured, allowance=4 * errors, reason=_NOISE)
    attained = judge_identity(
        claim,
        [one.ceiling for one in reached],
        [one.measured for one in reached],
        tolerance=0.0,
        reason="sampling alone",
        errors=[one.error for one in reached],
        margin=_MARGIN,
        scale=1.0,
    )
    return replace(
        passed,
        status=worse(passed.status, attained.status),
        summary=f"classifiers: {passed.summary}; those that reach it: {attained.summary}",
        evidence={
            **passed.evidence,
            **{f"reached, {name}": value for name, value in attained.evidence.items()},
        },
    )
