"""Noise of Student's t, of fewer and fewer degrees of freedom: what Gaussian margins make of it."""

import math
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np

from empirical.attacks import attack_accuracy
from empirical.data import Part
from empirical.intervals import resampled_interval
from empirical.plug_in_study.predictors import (
    PREDICTORS,
    Folds,
    cross_fitted,
    middle_strength,
    signed_distances,
    sparse_classifier,
)
from theory.mixtures import MarginLaw, accuracy_after_drop, student_gap
from theory.validation import FloatArray

FREEDOMS = (math.inf, 10.0, 5.0, 4.0, 3.0, 2.5, 2.2)
Noise = Literal["common scale", "independent features"]
NOISES: tuple[Noise, ...] = ("common scale", "independent features")
_DIMENSION, _NONZEROS, _SIGNAL = 50, 5, 1.5  # signal: ‖mu‖, in deviations of the noise
_TRAINED_ON, _ATTACKED, _BUDGETS = 400, 4000, 21
_MOMENTS = "true moments, Gaussian"


def student_part(
    n: int, mu: FloatArray, freedom: float, *, noise: Noise = NOISES[0], rng: np.random.Generator
) -> Part:
    """Return n inputs y mu + noise with y = ±1 equally likely; every feature has variance 1.

    Parameters
    ----------
    n : int
    mu : array, shape (d,)
    freedom : float, above 2
        Degrees of freedom of each feature's noise; inf is Gaussian.
    noise : {"common scale", "independent features"}, optional
        Whether one chi-square scales all features of an input, so that every classifier's margin is
        Student's t too, or each has its own, so that margins of many features are near Gaussian.
    rng : Generator

    Examples
    --------
    >>> part = student_part(6, np.ones(2), 3.0, rng=np.random.default_rng(0))
    >>> part.X.shape, sorted(set(part.y.tolist()))
    ((6, 2), [-1, 1])
    """
    y = np.where(rng.random(n) < 0.5, 1, -1)
    z = rng.standard_normal((n, mu.size))
    if freedom < math.inf:
        columns = 1 if noise == "common scale" else mu.size
        z *= np.sqrt((freedom - 2) / rng.chisquare(freedom, (n, columns)))
    return Part(y[:, None] * mu + z, y)


def student_table(
    repeats: int, *, seed: int, freedoms: Sequence[float] = FREEDOMS
) -> list[dict[str, Any]]:
    """Return the largest error over budgets of each predictor, a row a law and a predictor.

    L2, no box. "largest" with its 95 % interval over independent repeats: estimates, which the
    sampling of the attacked inputs keeps from 0. "known" is the exact largest error that the
    Gaussian formula makes with the true moments, where the margins are Student's t; else NaN.

    Parameters
    ----------
    repeats : int
        Of drawing, training and attacking; at least 2.
    seed : int
    freedoms : sequence of float, above 2
    """
    rows = []
    for noise in NOISES:
        for freedom in freedoms:
            found = [
                _repeat(freedom, noise, np.random.default_rng([seed, index]))
                for index in range(repeats)
            ]
            known = _known(freedom) if noise == NOISES[0] else math.nan
            for name in (_MOMENTS, *PREDICTORS):
                errors = [np.abs(curves[name] - curves["measured"]).max() for curves in found]
                largest, low, high = resampled_interval(errors, test_to_train=0.0)
                rows.append(
                    {
                        "noise": noise,
                        "freedom": freedom,
                        "predictor": name,
                        "largest": largest,
                        "low": low,
                        "high": high,
                        "known": known,
                    }
                )
    return rows


def _repeat(freedom: float, noise: Noise, rng: np.random.Generator) -> Mapping[str, FloatArray]:
    """Return the curves of one classifier: measured, and predicted in each way."""
    mu = _signal()
    train, other = (
        student_part(n, mu, freedom, noise=noise, rng=rng) for n in (_TRAINED_ON, _ATTACKED)
    )
    C = middle_strength(*train)
    model = sparse_classifier(*train, C)
    unseen = cross_fitted(*train, C, rng=rng)[2.0]
    half = Folds(signed_distances(model, *train, norm=2.0), unseen, train.y)
    w = model.weights[0] / np.linalg.norm(model.weights[0])
    centre = float(w @ mu)
    eps = np.linspace(0, centre + 3, _BUDGETS)
    moments = MarginLaw(means=[centre, centre], deviations=[1, 1], priors=[0.5, 0.5])
    survived = attack_accuracy([model], *other, eps, attack="l2_fgm", box=None)[0]
    return {
        "measured": survived.mean(axis=1),
        _MOMENTS: accuracy_after_drop(moments, eps),
        **{name: predict(half, eps) for name, predict in PREDICTORS.items()},
    }


def _known(freedom: float) -> float:
    return 0.0 if freedom == math.inf else abs(student_gap(freedom).gap)


def _signal() -> FloatArray:
    mu = np.zeros(_DIMENSION)
    mu[:_NONZEROS] = _SIGNAL / math.sqrt(_NONZEROS)
    return mu
