"""Ceilings for inputs that a generator makes, met by linear classifiers of them."""

from typing import NamedTuple

import numpy as np
from scipy.special import ndtr, ndtri

from empirical.verify.regions import Met, at_most, judged
from empirical.verify.verdict import Verdict
from theory.claims import CATALOGUE
from theory.validation import FloatArray, IntArray

_DRAWN, _LATENT, _ATTACKED, _STEPS = 20_000, 6, 2000, 8
_DRAWN_TO_REACH = 100_000  # so many that four standard errors are below the margin


class _Scores(NamedTuple):
    """A linear classifier of k labels."""

    W: FloatArray
    b: FloatArray

    def leads(self, X: FloatArray) -> tuple[IntArray, FloatArray]:
        """Return each input's label, and by how much it leads each label; inf over itself."""
        scores = X @ self.W.T + self.b
        own = scores.argmax(axis=1)
        rows = np.arange(len(X))
        leads = scores[rows, own][:, None] - scores
        leads[rows, own] = np.inf
        return own, leads


def _shares(own: IntArray, labels: int) -> FloatArray:
    return np.bincount(own, minlength=labels) / own.size


def _doubt(shares: FloatArray, number: int, moved: float) -> float:
    """Return by how much a ceiling is too low if each counted share is, by four standard errors."""
    raised = np.array([at_most(share, number) for share in shares])
    return float((ndtr(ndtri(raised) - moved) - ndtr(ndtri(shares) - moved)).sum())


def _linear_distances(scores: _Scores, X: FloatArray) -> tuple[IntArray, FloatArray]:
    """Return each input's label and its exact L2 distance to another label."""
    own, leads = scores.leads(X)
    apart = np.linalg.norm(scores.W[own][:, None] - scores.W[None], axis=2)
    apart[np.arange(len(X)), own] = 1.0
    return own, (leads / apart).min(axis=1)


def _bent_distances(scores: _Scores, A: FloatArray, z: FloatArray) -> tuple[IntArray, FloatArray]:
    """Return labels of x = tanh(z A), and how far away Newton finds an x of another label.

    Kind: upper; each distance is that to an x that the generator makes.
    """
    x = np.tanh(z @ A)
    own, _ = scores.leads(x)
    found = np.full(len(z), np.inf)
    for rival in range(len(scores.b)):
        normal, offset = scores.W[own] - scores.W[rival], scores.b[own] - scores.b[rival]
        at = z.copy()
        for _ in range(_STEPS):
            made = np.tanh(at @ A)
            lead = (made * normal).sum(axis=1) + offset
            slope = (normal * (1 - made**2)) @ A.T
            square = (slope**2).sum(axis=1).clip(min=1e-9)
            # a little beyond the boundary, or the label would still be the old one
            at -= ((lead + 1e-6) / square)[:, None] * slope
            made = np.tanh(at @ A)
            moved = np.where(scores.leads(made)[0] != own, np.linalg.norm(made - x, axis=1), np.inf)
            found = np.minimum(found, moved)
    return own, found


def check_generator(rng: np.random.Generator) -> Verdict:
    """Return the verdict on generators: linear ones of many labels, one that bends, halves."""
    claim, met = CATALOGUE["limits.generator"], []
    for labels in (2, 4, 10):
        A = rng.normal(size=(_LATENT, _LATENT)) / 2
        z = rng.normal(size=(_DRAWN, _LATENT))
        scores = _Scores(rng.normal(size=(labels, _LATENT)), 0.5 * rng.normal(size=labels))
        lipschitz = float(np.linalg.norm(A, ord=2))
        bent = _bent_distances(scores, A, z[:_ATTACKED])
        for own, distances in (_linear_distances(scores, z @ A), bent):
            shares = _shares(own, labels)
            for eps in (0.1 * lipschitz, 0.5 * lipschitz):
                ceiling = float(claim.predict(shares, eps, lipschitz=lipschitz))
                ceiling += _doubt(shares, own.size, eps / lipschitz)
                met.append(Met(ceiling, float((distances > eps).mean()), own.size))
    halves = _Scores(np.array([np.zeros(_LATENT), np.eye(_LATENT)[0]]), np.zeros(2))
    _, distances = _linear_distances(halves, 2 * rng.normal(size=(_DRAWN_TO_REACH, _LATENT)))
    reached = [
        Met(
            float(claim.predict([0.5, 0.5], e, lipschitz=2.0)),
            float((distances > e).mean()),
            _DRAWN_TO_REACH,
        )
        for e in (0.5, 2.0)
    ]
    return judged(claim, met, reached)
