"""Theorem 3.1 of Guo et al. 2018 on samples of linear classifiers, in balls.

Formulas of moments on one side; means over the single inputs, and counts of those that survive, on
the other. Proofs: theory/proofs/guo2018.md.
"""

from typing import NamedTuple

import numpy as np
from flint import arb

from theory.claims import CATALOGUE
from theory.claims.guo2018 import clipping_counterexample
from theory.linear import LinearClassifier
from theory.linear.moments import correct_moments
from theory.rigorous.balls import Balls, column, matrix, precise, total
from theory.rigorous.case import Case
from theory.rigorous.region import Region, least_values
from theory.validation import FloatArray

_SAMPLES, _FEATURES, _INPUTS = 8, 6, 40
_SHARES = (0.3, 1.0, 2.5)  # of a typical distance: budgets


class Sample(NamedTuple):
    """A binary classifier, and inputs with labels -1 and +1."""

    model: LinearClassifier
    X: FloatArray
    y: FloatArray


class Side(NamedTuple):
    """The correct inputs of one label: their share of all, k f(m_k), and their margins."""

    share: arb
    mean: arb
    margins: Balls


def r_2_cases(key: str, rng: np.random.Generator) -> list[Case]:
    """Return means of distances, and what one of the claims about r_2 makes of moments.

    Parameters
    ----------
    key : {"guo2018.r2", "guo2018.r2-general", "guo2018.r2-unrestricted"}
        The first on inputs chosen to meet its assumptions.
    rng : numpy.random.Generator
    """
    with precise():
        return [_r_2_case(key, f"sample {k}", _drawn(rng)) for k in range(_SAMPLES)]


def r_inf_cases(key: str, rng: np.random.Generator) -> list[Case]:
    """Return shares that survive attacks, and what one of the claims about r_inf allows.

    Parameters
    ----------
    key : {"guo2018.rinf-markov", "guo2018.rinf-two-moments"}
    rng : numpy.random.Generator
    """
    found = []
    with precise():
        for k in range(_SAMPLES):
            sample = _drawn(rng)
            typical = float(total(side.mean for side in _sides(sample)) / 2 / _size(sample, 1))
            for eps in (share * typical for share in _SHARES):
                drop = arb(eps) * _size(sample, 1)
                kept = _kept([margin - drop for margin in _margins(sample)])
                found.append(_r_inf_case(key, f"sample {k}, ε = {eps:.3g}", (sample, eps), kept))
    return found


def clipped_cases(key: str, rng: np.random.Generator) -> list[Case]:
    """Return the counterexample of guo2018.rinf-clipped; nothing is drawn."""
    del rng
    model, X, y, eps = clipping_counterexample()
    sample, box = Sample(model, X, y), (np.zeros(model.dimension), np.ones(model.dimension))
    with precise():
        left = []
        for margin, x, label in zip(_margins(sample), X, y, strict=True):
            region = Region(x=x, eps=eps, norm=np.inf, box=box)
            left.append(margin + least_values(region, matrix(label * model.weights))[0])
        return [_r_inf_case(key, "the counterexample", (sample, eps), _kept(left))]


def _drawn(rng: np.random.Generator) -> Sample:
    """Return a classifier, and inputs around two means, of which it gets some wrong."""
    w = rng.normal(size=_FEATURES)
    y = np.repeat([-1.0, 1.0], [_INPUTS // 3, _INPUTS - _INPUTS // 3])
    X = rng.normal(size=(_INPUTS, _FEATURES)) + y[:, None] * w / np.linalg.norm(w)
    return Sample(LinearClassifier(weights=w, bias=rng.normal() / 2), X, y)


def _balanced(sample: Sample) -> Sample:
    """Return as many right, and as many wrong, of one label as of the other."""
    right = np.array([margin > 0 for margin in _margins(sample)])
    chosen = []
    for correct in (True, False):
        labels = [np.flatnonzero((right == correct) & (sample.y == k)) for k in (-1, 1)]
        size = min(part.size for part in labels)
        chosen += [part[:size] for part in labels]
    rows = np.concatenate(chosen)
    return Sample(sample.model, sample.X[rows], sample.y[rows])


def _margins(sample: Sample) -> Balls:
    """Return y f(x) of each input."""
    scores = (matrix(sample.X) * column(sample.model.weights[0])).entries()
    bias = arb(float(sample.model.bias[0]))
    return [arb(k) * (s + bias) for k, s in zip(sample.y.tolist(), scores, strict=True)]


def _sides(sample: Sample) -> list[Side]:
    """Return the correct inputs of the labels -1 and +1; both have some."""
    margins, found = _margins(sample), []
    w, b = column(sample.model.weights[0]), arb(float(sample.model.bias[0]))
    for k in (-1, 1):
        rows = [i for i, m in enumerate(margins) if sample.y[i] == k and m > 0]
        points = matrix(sample.X[rows]).transpose()
        centre = [total(feature) / len(rows) for feature in points.tolist()]
        mean = k * ((column(centre).transpose() * w)[0, 0] + b)
        found.append(Side(arb(len(rows)) / len(margins), mean, [margins[i] for i in rows]))
    return found


def _size(sample: Sample, order: int) -> arb:
    """Return ‖w‖₁ or ‖w‖₂."""
    w = [arb(v) for v in sample.model.weights[0].tolist()]
    return total(abs(v) for v in w) if order == 1 else total(v * v for v in w).sqrt()


def _r_2_case(key: str, name: str, sample: Sample) -> Case:
    if key == "guo2018.r2":
        sample = _balanced(sample)
    low, high = _sides(sample)
    measured = (total(low.margins) + total(high.margins)) / len(sample.y) / _size(sample, 2)
    # w·(m₊ - m₋) is the sum of both k f(m_k): the bias cancels.
    form = (low.share + high.share) * (low.mean + high.mean) / 2
    if key == "guo2018.r2-general":
        form = low.share * low.mean + high.share * high.mean
    return Case(
        name=name,
        predicted=form / _size(sample, 2),
        measured=measured,
        float64=float(CATALOGUE[key].predict(sample.model, correct_moments(*sample))),
    )


def _r_inf_case(key: str, name: str, attacked: tuple[Sample, float], kept: arb) -> Case:
    sample, eps = attacked
    drop = arb(eps) * _size(sample, 1)
    sides = _sides(sample)
    if key == "guo2018.rinf-two-moments":
        bound = total(side.share * _tail(side, drop) for side in sides)
    else:
        bound = total(side.share * side.mean for side in sides) / drop
    moments = correct_moments(*sample)
    return Case(
        name=name,
        predicted=bound,
        measured=kept,
        float64=float(CATALOGUE[key].predict(sample.model, moments, eps)),
    )


def _tail(side: Side, a: arb) -> arb:
    """Return B(a; mean, variance); all of its cases that balls cannot rule out."""
    mu = side.mean
    variance = total((m - mu) * (m - mu) for m in side.margins) / len(side.margins)
    if a <= mu:
        return arb(1)
    markov, cantelli = mu / a, variance / (variance + (a - mu) * (a - mu))
    second = mu * mu + variance
    beyond = markov if a * mu <= second else cantelli if a * mu > second else markov.union(cantelli)
    return beyond if a > mu else beyond.union(arb(1))


def _kept(margins: Balls) -> arb:
    """Return the share of margins above zero; those that balls cannot tell may be either."""
    surely = sum(1 for m in margins if m > 0)
    perhaps = sum(1 for m in margins if not m <= 0)
    return (arb(surely) / len(margins)).union(arb(perhaps) / len(margins))
