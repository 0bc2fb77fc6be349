"""Margins that are not Gaussian, or known by a sample only: formulas met by attacks."""

import math

import numpy as np
from scipy import stats

from empirical.attacks import attack_accuracy
from empirical.data import Part, sample_classes, sparse_mean_classes
from empirical.plug_in_study import (
    TEST_TO_TRAIN,
    embedded_datasets,
    middle_strength,
    plug_in_cells,
    signed_distances,
    signed_errors,
    sparse_classifier,
    student_part,
)
from empirical.verify.verdict import (
    Verdict,
    judge_bound,
    judge_equivalence,
    judge_identity,
    judge_trend,
)
from theory.claims import CATALOGUE
from theory.linear import LinearClassifier
from theory.mixtures import MarginLaw, accuracy_after_drop, sample_law, smoothed_accuracy
from theory.validation import FloatArray

_ATTACKS = {2.0: "l2_fgm", np.inf: "fgsm"}
_DUALS = {2.0: 2, np.inf: 1}
_DIMENSION, _ATTACKED, _STUDENTS = 4, 20_000, 60_000
_FREEDOMS = (2.2, 3.0, 6.0)
# Budgets at which margins of mean 1 stand so many deviations above the drop.
_STANDINGS = (0.63, 0.213, -0.5)
# Shares of the lower of two values: the worst for a standing of .213 deviations, and others.
_SHARES = (0.956, 0.5, 0.1)
# Declared before any measurement: what counts as no error of an accuracy.
_STUDENT_MARGIN, _UNSEEN_MARGIN = 0.02, 0.05
_SPLITS, _REPEATS, _LEVEL = 4, 7, 1e-4
_FEATURES, _TRAINED_ON = (25, 200, 800), 50


def _binomial_error(accuracy: FloatArray, n: int = _ATTACKED) -> FloatArray:
    # One in n more keeps the error of an accuracy of 0 or 1 above zero.
    return np.sqrt(accuracy * (1 - accuracy) / n) + 1 / n


def _weights(rng: np.random.Generator) -> FloatArray:
    w = rng.normal(size=_DIMENSION)
    return np.asarray(w / np.linalg.norm(w))


def _left(w: FloatArray, part: Part, eps: FloatArray, norm: float) -> FloatArray:
    """Return the accuracy that the best attack leaves of a classifier without a bias."""
    models = [LinearClassifier(weights=w)]
    kept = attack_accuracy(models, *part, eps, attack=_ATTACKS[norm], box=None)
    return np.asarray(kept[0].mean(axis=1))


def _two_values(share: float, rng: np.random.Generator) -> FloatArray:
    """Return draws of mean 0 and variance 1 with two values, the lower of a given share."""
    odds = share / (1 - share)
    lower = rng.random(_ATTACKED) < share
    return np.where(lower, -math.sqrt(1 / odds), math.sqrt(odds))


def check_two_moments(rng: np.random.Generator) -> Verdict:
    """Return the verdict on the error that mean and variance allow, met by laws of many kinds."""
    w, claim, bounds, errors, noise = _weights(rng), CATALOGUE["mixtures.two-moments"], [], [], []
    drawn = [_two_values(share, rng) for share in _SHARES]
    drawn += [sign * (rng.exponential(size=_ATTACKED) - 1) for sign in (-1, 1)]
    drawn += [rng.standard_t(2.5, _ATTACKED) / math.sqrt(5)]
    law = MarginLaw(means=[1, 1], deviations=[1, 1], priors=[0.5, 0.5])
    # The lower value, or the drop, moved a little: a margin equal to the drop is lost to rounding.
    drops = 1 - np.array([*_STANDINGS, 1.0, -1.0]) + 1e-3
    drops = drops[drops >= 0]
    for margins in drawn:
        y = rng.choice([-1, 1], size=_ATTACKED)
        # What is orthogonal to w changes no margin, and keeps attacks from a trivial problem.
        aside = rng.normal(size=(_ATTACKED, _DIMENSION))
        X = (y * (1 + margins))[:, None] * w + aside - (aside @ w)[:, None] * w
        for norm, dual in _DUALS.items():
            left = _left(w, Part(X, y), drops / np.linalg.norm(w, ord=dual), norm)
            bounds.append(claim.predict(law, drops))
            errors.append(np.abs(left - accuracy_after_drop(law, drops)))
            noise.append(4 * _binomial_error(left))
    return judge_bound(
        claim,
        np.concatenate(bounds),
        np.concatenate(errors),
        allowance=np.concatenate(noise),
        reason="four standard errors of the attacked sample",
    )


def check_student(rng: np.random.Generator) -> Verdict:
    """Return the verdict on robust accuracy under noise of Student's t."""
    claim, predicted, measured = CATALOGUE["mixtures.student"], [], []
    mu = np.asarray(1.2 * _weights(rng))
    for freedom in _FREEDOMS:
        train = student_part(200, mu, freedom, rng=rng)
        w = sparse_classifier(*train, middle_strength(*train)).weights[0]
        part = student_part(_STUDENTS, mu, freedom, rng=rng)
        law = MarginLaw(
            means=[w @ mu, w @ mu], deviations=[np.linalg.norm(w)] * 2, priors=[0.5, 0.5]
        )
        drops = np.array([0.0, 0.5, 1.0]) * max(float(w @ mu), 0.0)
        for norm, dual in _DUALS.items():
            predicted.append(claim.predict(law, drops, freedom=freedom))
            measured.append(_left(w, part, drops / np.linalg.norm(w, ord=dual), norm))
    found = np.concatenate(measured)
    return judge_identity(
        claim,
        np.concatenate(predicted),
        found,
        tolerance=0.0,
        reason="sampling alone",
        errors=_binomial_error(found, _STUDENTS),
        margin=_STUDENT_MARGIN,
        scale=1.0,
    )


def check_smoothed(rng: np.random.Generator) -> Verdict:
    """Return the verdict on the error of a smoothed sample, down to tails without a mean.

    The kernel is what suits a Gaussian; the largest density is Student's at its centre.
    """
    claim, bounds, errors, noise = CATALOGUE["mixtures.smoothed"], [], [], []
    w, n, drops = _weights(rng), 200, np.linspace(0, 4, 9)
    bandwidth = (4 / n) ** (1 / 3)
    for freedom in (1.0, 2.1, 5.0, 1e6):
        y = rng.choice([-1, 1], size=_ATTACKED)
        margins = 1 + rng.standard_t(freedom, size=_ATTACKED)
        left = _left(w, Part((y * margins)[:, None] * w, y), drops, 2.0)
        for _ in range(_REPEATS):
            sample = 1 + rng.standard_t(freedom, size=n)
            error = np.abs(smoothed_accuracy(sample, drops, bandwidth=bandwidth) - left)
            density = float(stats.t.pdf(0, freedom))
            bounds.append(claim.predict(n, bandwidth=bandwidth, density=density, level=_LEVEL))
            errors.append(error.max())
            noise.append(4 * _binomial_error(left)[error.argmax()])
    return judge_bound(
        claim,
        bounds,
        errors,
        allowance=noise,
        reason="four standard errors of the attacked sample; each bound fails once in 10,000",
    )


def check_unseen_margins(rng: np.random.Generator) -> Verdict:
    """Return the verdict on cross-fitted moments as a prediction for real data."""
    seed, effects = int(rng.integers(2**31)), {}
    for dataset in embedded_datasets():
        cells = plug_in_cells(dataset, _SPLITS, seed=seed, budgets=9)
        for norm, called in ((2.0, "L2"), (np.inf, "L∞")):
            own = [cell for cell in cells if cell.norm == norm]
            effects[f"{dataset.name}, {called}"] = signed_errors(own, "unseen, Gaussian")
    return judge_equivalence(
        CATALOGUE["mixtures.unseen-margins"],
        effects,
        margin=_UNSEEN_MARGIN,
        test_to_train=TEST_TO_TRAIN,
        unit="of accuracy, mean over budgets",
    )


def check_seen_margins(rng: np.random.Generator) -> Verdict:
    """Return the verdict on moments of the training inputs: a case a number of features."""
    return judge_trend(
        CATALOGUE["mixtures.seen-margins"],
        {
            f"{d / _TRAINED_ON:g} features an input": np.array(
                [_optimism(d, rng) for _ in range(_REPEATS)]
            )
            for d in _FEATURES
        },
        test_to_train=0.0,  # every repeat draws anew
        unit="of accuracy, mean over budgets",
    )


def _optimism(d: int, rng: np.random.Generator) -> float:
    """Return by how much seen inputs predict more robust accuracy than attacks leave of others."""
    classes = sparse_mean_classes(d)
    train, other = (sample_classes(classes, n, rng=rng) for n in (_TRAINED_ON, 500))
    model = sparse_classifier(train.X, train.y, middle_strength(train.X, train.y))
    distances = signed_distances(model, train.X, train.y, norm=2.0)
    eps = np.linspace(0, 4, 9)
    kept = attack_accuracy([model], other.X, other.y, eps, attack="l2_fgm", box=None)
    predicted = accuracy_after_drop(sample_law(distances, train.y), eps)
    return float((predicted - kept[0].mean(axis=1)).mean())
