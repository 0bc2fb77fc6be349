"""Ceilings for inputs spread over a sphere, met by errors that are caps and belts."""

import math
from collections.abc import Callable, Iterator
from typing import NamedTuple, Protocol

import numpy as np

from empirical.verify.regions import Met, at_most, judged
from empirical.verify.verdict import Verdict
from theory.claims import CATALOGUE
from theory.validation import FloatArray

_DRAWN, _DIMENSIONS = 20_000, (3, 20, 200)
# For a cap only one coordinate is drawn, so often that four standard errors are .01 at most.
_DRAWN_OF_CAP = 400_000


class _Errors(Protocol):
    """A set of errors on the unit sphere."""

    def __call__(self, X: FloatArray) -> FloatArray:
        """Return each point's angle to the nearest error; 0 for an error."""


class _Caps(NamedTuple):
    """Points within an angle of any of some poles."""

    poles: FloatArray
    angle: float

    def __call__(self, X: FloatArray) -> FloatArray:
        """Return each point's angle to it."""
        away = np.arccos((X @ self.poles.T).clip(-1, 1)).min(axis=1)
        return np.asarray((away - self.angle).clip(min=0))


class _Belt(NamedTuple):
    """Points within an angle of the equator."""

    angle: float

    def __call__(self, X: FloatArray) -> FloatArray:
        """Return each point's angle to it."""
        return np.asarray((np.arcsin(np.abs(X[:, 0]).clip(max=1)) - self.angle).clip(min=0))


def _errors(dimension: int, rng: np.random.Generator) -> Iterator[_Errors]:
    """Yield caps, opposite caps, several caps and a belt, of middling measure."""
    first, width = np.eye(dimension)[:1], 1 / math.sqrt(dimension)
    yield _Caps(np.vstack([first, -first]), math.pi / 2 - 1.5 * width)
    yield _Caps(np.eye(dimension)[:3], math.pi / 2 - 2.0 * width)
    poles = rng.normal(size=(5, dimension))
    poles /= np.linalg.norm(poles, axis=1, keepdims=True)
    yield _Caps(poles, math.pi / 2 - 2.0 * width)
    yield _Belt(0.3 * width)


class _Sphere(NamedTuple):
    """Angles of points of a unit sphere to errors: to a cap of known measure, and to others."""

    dimension: int
    cap: FloatArray
    share: float
    others: list[FloatArray]


def _spheres(rng: np.random.Generator) -> Iterator[_Sphere]:
    for dimension in _DIMENSIONS:
        X = rng.normal(size=(_DRAWN, dimension))
        X /= np.linalg.norm(X, axis=1, keepdims=True)
        angle = math.pi / 2 - 1 / math.sqrt(dimension)
        cap, others = _cap(angle, dimension, rng), _errors(dimension, rng)
        yield _Sphere(dimension, cap, _measure(angle, dimension), [e(X) for e in others])


def _cap(angle: float, dimension: int, rng: np.random.Generator) -> FloatArray:
    """Return the angles of points to the cap of an angle."""
    height = rng.normal(size=_DRAWN_OF_CAP)
    across = np.sqrt(rng.chisquare(dimension - 1, _DRAWN_OF_CAP))
    return np.asarray((np.arctan2(across, height) - angle).clip(min=0))


def _measure(angle: float, dimension: int) -> float:
    """Return the share of the cap of an angle below a right one: its density, added up."""
    nodes, weights = np.polynomial.legendre.leggauss(400)

    def total(end: float) -> float:
        return float(end / 2 * (weights @ np.sin(end * (nodes + 1) / 2) ** (dimension - 2)))

    return total(angle) / total(math.pi / 2) / 2


def _straight(angles: FloatArray) -> FloatArray:
    return np.asarray(2 * np.sin(angles / 2))


def check_sphere(rng: np.random.Generator) -> Verdict:
    """Return the verdict on spheres: caps, several caps and belts of errors."""
    claim, met, reached = CATALOGUE["limits.sphere"], [], []
    for dimension, cap, share, others in _spheres(rng):
        for eps in (0.3 / math.sqrt(dimension), 1 / math.sqrt(dimension)):
            for angles in others:
                clean = at_most(float((angles > 0).mean()), _DRAWN)
                ceiling = float(claim.predict(clean, eps, dimension=dimension))
                met.append(Met(ceiling, float((_straight(angles) > eps).mean()), _DRAWN))
            ceiling = float(claim.predict(1 - share, eps, dimension=dimension))
            reached.append(Met(ceiling, float((_straight(cap) > eps).mean()), cap.size))
    return judged(claim, met, reached)


def check_distance(rng: np.random.Generator) -> Verdict:
    """Return the verdict on mean straight distances, in units of 1/√d."""
    claim, met, reached = CATALOGUE["limits.sphere-distance"], [], []
    for one in _spheres(rng):
        met += _mean_distances(one, claim.predict, _straight)
        ceiling = claim.predict(1 - one.share, dimension=one.dimension)
        reached.append(_mean(one.dimension, ceiling, _straight(one.cap)))
    return judged(claim, met, reached)


def check_rate(rng: np.random.Generator) -> Verdict:
    """Return the verdict on mean distances along spheres; errors on one half all but reach it."""
    claim, met = CATALOGUE["limits.sphere-rate"], []
    for one in _spheres(rng):
        met += _mean_distances(one, claim.predict, np.asarray)
    dimension = _DIMENSIONS[-1]
    half = _cap(math.pi / 2, dimension, rng)
    reached = [_mean(dimension, float(claim.predict(0.5, dimension=dimension)), half)]
    return judged(claim, met, reached)


def _mean_distances(
    one: _Sphere, predict: Callable[..., object], length: Callable[[FloatArray], FloatArray]
) -> list[Met]:
    found = []
    for angles in one.others:
        clean = at_most(float((angles > 0).mean()), _DRAWN)
        ceiling = float(np.asarray(predict(clean, dimension=one.dimension)))
        found.append(_mean(one.dimension, ceiling, length(angles)))
    return found


def _mean(dimension: int, ceiling: float, distances: FloatArray) -> Met:
    unit = math.sqrt(dimension)
    spread = float(unit * distances.std())
    return Met(unit * ceiling, float(unit * distances.mean()), distances.size, spread)
