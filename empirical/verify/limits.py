"""Ceilings of robust accuracy for Gaussian classes, met by classifiers of many shapes.

What they keep is known from their geometry, not from attacks that might miss something: only
networks are attacked.
"""

import math
from collections.abc import Iterator
from dataclasses import replace
from statistics import NormalDist
from typing import Any

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier

from empirical.data import Part, sample_classes, sparse_mean_classes
from empirical.lowering import network_from_estimator
from empirical.network_attacks import network_attack_distances
from empirical.verify.regions import (
    Ball,
    HalfSpaces,
    Met,
    Outside,
    Region,
    at_least,
    at_most,
    judged,
)
from empirical.verify.verdict import Verdict
from theory.claims import CATALOGUE
from theory.mixtures import GaussianClasses
from theory.validation import FloatArray

_DIMENSION, _DRAWN, _TRAINED_ON, _ATTACKED = 6, 20_000, 300, 1000
_DRAWN_TO_REACH = 100_000  # so many that four standard errors are below the margin
_NORMS = (2.0, np.inf)
# Of the classifiers that reach the ceiling of two classes: means ±1.5, label +1 more often.
_SEPARATION, _PRIOR = 1.5, 0.7
_NORMAL = NormalDist()


def _covariances(rng: np.random.Generator) -> list[FloatArray]:
    root = rng.normal(size=(_DIMENSION, _DIMENSION))
    return [np.eye(_DIMENSION), np.diag(rng.uniform(0.3, 3.0, _DIMENSION)), root @ root.T / 3]


def _regions(Sigma: FloatArray, rng: np.random.Generator) -> Iterator[Region]:
    """Yield sets of middling probability: half-spaces, wedges, polytopes, balls and their rests."""
    size = math.sqrt(float(np.trace(Sigma)))
    for faces in (1, 1, 2, 5):
        W = rng.normal(size=(faces, _DIMENSION))
        spread = np.sqrt(np.einsum("ij,jk,ik->i", W, Sigma, W))
        yield HalfSpaces(W, spread * rng.uniform(0.5, 2.5, faces))
    yield Ball(np.zeros(_DIMENSION), 1.3 * size)
    yield Ball(rng.normal(size=_DIMENSION), 1.6 * size)
    yield Outside(1.5 * rng.normal(size=_DIMENSION), 0.7 * size)


def _widest(Sigma: FloatArray, norm: float) -> FloatArray:
    """Return the w of dual norm 1 along which inputs vary most."""
    if norm == 2:
        return np.asarray(np.linalg.eigh(Sigma)[1][:, -1])
    return np.asarray(np.eye(_DIMENSION)[np.argmax(np.diag(Sigma))])


def check_gaussian(rng: np.random.Generator) -> Verdict:
    """Return the verdict on one class: sets of many shapes, and the widest half-space."""
    claim, met, reached = CATALOGUE["limits.gaussian"], [], []
    for Sigma in _covariances(rng):
        many = rng.normal(size=(_DRAWN_TO_REACH, _DIMENSION)) @ np.linalg.cholesky(Sigma).T
        X = many[:_DRAWN]
        for norm in _NORMS:
            w = _widest(Sigma, norm)
            deviation = math.sqrt(float(w @ Sigma @ w))
            best = HalfSpaces(w[None], np.array([1.5 * deviation]))
            for eps in (0.3 * deviation, 0.9 * deviation):
                for region in _regions(Sigma, rng):
                    clean = at_most(region(X, 0.0, norm).mean(), len(X))
                    ceiling = float(claim.predict(clean, eps, deviation=deviation))
                    met.append(Met(ceiling, region(X, eps, norm).mean(), len(X)))
                ceiling = float(claim.predict(_NORMAL.cdf(1.5), eps, deviation=deviation))
                reached.append(Met(ceiling, best(many, eps, norm).mean(), _DRAWN_TO_REACH))
    return judged(claim, met, reached)


def _laws(rng: np.random.Generator) -> list[GaussianClasses]:
    """Return a law of one variance, and a correlated one."""
    even = sparse_mean_classes(_DIMENSION, nonzeros=2, separation=_SEPARATION)
    means = rng.normal(size=(2, _DIMENSION))
    return [
        replace(even, positive_prior=_PRIOR),
        GaussianClasses(means=means, covariance=_covariances(rng)[2], positive_prior=0.4),
    ]


def check_two_gaussians(rng: np.random.Generator) -> Verdict:
    """Return the verdict on two classes: lines, balls and networks, and lines that reach it."""
    laws = _laws(rng)
    met = []
    for classes in laws:
        train = sample_classes(classes, _TRAINED_ON, rng=rng)
        drawn = sample_classes(classes, _DRAWN, rng=rng)
        part = Part(drawn.X, drawn.y)
        half = float(np.linalg.norm(classes.means[1] - classes.means[0])) / 2
        pairs = [*_lines(LogisticRegression().fit(train.X, train.y)), *_balls(classes)]
        for norm, eps in ((2.0, 0.3 * half), (2.0, 0.7 * half), (np.inf, 0.15 * half)):
            for pair in pairs:
                ceiling = _ceiling_of(classes, _kept(pair, part, 0.0, norm), eps, norm=norm)
                met.append(Met(ceiling, _kept(pair, part, eps, norm), _DRAWN))
        met += _networks(classes, Part(train.X, train.y), part, rng)
    drawn = sample_classes(laws[0], _DRAWN_TO_REACH, rng=rng)
    reached = [_tilted(laws[0], Part(drawn.X, drawn.y), eps) for eps in (0.3, 0.9, 2.0)]
    return judged(CATALOGUE["limits.two-gaussians"], met, reached)


def _ceiling_of(classes: GaussianClasses, clean: float, eps: float, *, norm: float) -> float:
    """Return the ceiling of classifiers that have an accuracy that was counted."""
    predict = CATALOGUE["limits.two-gaussians"].predict
    return float(predict(classes, at_least(clean, _DRAWN), eps, norm=norm))


def _lines(fitted: Any) -> Iterator[tuple[Region, Region]]:
    """Yield where a line says +1 and where -1, its threshold moved or not."""
    w, b = fitted.coef_, fitted.intercept_
    for move in (-1.0, 0.0, 1.0):
        yield HalfSpaces(w, b + move), HalfSpaces(-w, -b - move)


def _balls(classes: GaussianClasses) -> Iterator[tuple[Region, Region]]:
    """Yield balls around the mean of label +1 and beyond, which are said to be +1."""
    center = 1.5 * classes.means[1] - 0.5 * classes.means[0]
    for radius in (2.5, 3.5):
        yield Ball(center, radius), Outside(center, radius)


def _kept(pair: tuple[Region, Region], part: Part, eps: float, norm: float) -> float:
    positive, negative = (region(part.X, eps, norm) for region in pair)
    return float(np.where(part.y == 1, positive, negative).mean())


def _networks(
    classes: GaussianClasses, train: Part, test: Part, rng: np.random.Generator
) -> list[Met]:
    """Return what attacks leave of a trained network in L2: no less than it keeps."""
    seed = int(rng.integers(2**31))
    fitted = MLPClassifier((8,), random_state=seed, learning_rate_init=0.02)
    for _ in range(20):  # fit would warn that it has not converged
        fitted.partial_fit(*train, classes=[-1, 1])
    net = network_from_estimator(fitted).net
    X, y = test.X[:_ATTACKED], test.y[:_ATTACKED]
    moves = network_attack_distances(net, X, y, box=None).distances
    clean = float((fitted.predict(test.X) == test.y).mean())
    return [
        Met(_ceiling_of(classes, clean, eps, norm=2), float((~(moves <= eps)).mean()), _ATTACKED)
        for eps in (0.3, 0.8)
    ]


def _tilted(classes: GaussianClasses, part: Part, eps: float) -> Met:
    """Return the ceiling of a line's accuracy, and what it keeps: in L2 the best of its accuracy.

    Its threshold is between that of the most accurate and that of the most robust line; where
    attacks reach beyond half the distance of the classes, the rarer label may as well be given up.
    """
    log_odds, gap = math.log(_PRIOR / (1 - _PRIOR)), 2 * _SEPARATION
    tilt = (log_odds / gap + log_odds / (gap - 2 * eps)) / 2 if gap > 2 * eps else 1.0
    right = [_NORMAL.cdf(_SEPARATION + way * tilt) for way in (-1, 1)]
    accuracy = (1 - _PRIOR) * right[0] + _PRIOR * right[1]
    w, b = classes.means[1:] / _SEPARATION, np.array([tilt])
    ceiling = CATALOGUE["limits.two-gaussians"].predict(classes, accuracy, eps, norm=2)
    return Met(
        ceiling, _kept((HalfSpaces(w, b), HalfSpaces(-w, -b)), part, eps, 2.0), _DRAWN_TO_REACH
    )
