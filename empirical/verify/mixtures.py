"""The formulas for Gaussian classes, met by attacks on drawn and on real data."""

from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from empirical.attacks import attack_accuracy, attack_distances
from empirical.data import Part, sample_classes, sparse_mean_classes
from empirical.experiments import TEST_TO_TRAIN, Cell
from empirical.linear import train_path
from empirical.summary import plug_in_law
from empirical.verify.verdict import Verdict, judge_bound, judge_equivalence, judge_identity
from theory.claims import CATALOGUE
from theory.linear import LinearClassifier
from theory.mixtures import (
    GaussianClasses,
    accuracy_after_drop,
    r_2,
    robust_accuracy,
    robust_bayes_accuracy,
)
from theory.validation import FloatArray

_TRAINED_ON, _ATTACKED = 400, 2000
_FAMILIES = ("L1 logistic", "L2 logistic, cut and refitted")
_BUDGETS = {2.0: np.array([0.5, 1.0, 2.0]), np.inf: np.array([0.1, 0.2, 0.4])}
_ATTACKS = {2.0: "l2_pgd", np.inf: "fgsm"}


class _Drawn(NamedTuple):
    classes: GaussianClasses
    models: list[LinearClassifier]
    test: Part


def _drawn(rng: np.random.Generator) -> _Drawn:
    """Return classifiers trained on a draw, and a fresh draw to attack."""
    classes = sparse_mean_classes()
    train = sample_classes(classes, _TRAINED_ON, rng=rng)
    test = sample_classes(classes, _ATTACKED, rng=rng)
    paths = (train_path(family, train.X, train.y, count=4) for family in _FAMILIES)
    models = [trained.model for path in paths for trained in path]
    return _Drawn(classes, models, Part(test.X, test.y))


def _attacked(drawn: _Drawn, norm: float) -> FloatArray:
    """Return the accuracy (models, budgets) that attacks leave."""
    survived = attack_accuracy(
        drawn.models, *drawn.test, _BUDGETS[norm], attack=_ATTACKS[norm], box=None
    )
    return np.asarray(survived.mean(axis=2))


def _binomial_error(accuracy: FloatArray) -> FloatArray:
    # One in n more keeps the error of an accuracy of 0 or 1 above zero.
    return np.sqrt(accuracy * (1 - accuracy) / _ATTACKED) + 1 / _ATTACKED


def check_robust_accuracy(rng: np.random.Generator) -> Verdict:
    """Return the verdict on the closed form of robust accuracy, L2 and Linf."""
    drawn = _drawn(rng)
    predicted = np.concatenate(
        [
            robust_accuracy(drawn.classes, model, eps, norm=norm)
            for norm, eps in _BUDGETS.items()
            for model in drawn.models
        ]
    )
    measured = np.concatenate([_attacked(drawn, norm).ravel() for norm in _BUDGETS])
    return judge_identity(
        CATALOGUE["mixtures.robust-accuracy"],
        predicted,
        measured,
        tolerance=0.0,
        reason="sampling alone",
        errors=_binomial_error(predicted),
    )


def check_r2(rng: np.random.Generator) -> Verdict:
    """Return the verdict on the closed form of r_2."""
    drawn = _drawn(rng)
    found = attack_distances(drawn.models, *drawn.test, attack="l2_deepfool", box=None).distances
    return judge_identity(
        CATALOGUE["mixtures.r2"],
        [r_2(drawn.classes, model) for model in drawn.models],
        found.mean(axis=1),
        tolerance=1e-3,
        reason="DeepFool ends up to 1e-4 beyond the boundary",
        errors=found.std(axis=1) / np.sqrt(_ATTACKED),
    )


def check_robust_bayes(rng: np.random.Generator) -> Verdict:
    """Return the verdict on the ceiling that no classifier passes."""
    drawn = _drawn(rng)
    bounds, measured = [], []
    for norm, eps in _BUDGETS.items():
        ceiling = [robust_bayes_accuracy(drawn.classes, e, norm=norm) for e in eps]
        bounds.append(np.tile(ceiling, len(drawn.models)))
        measured.append(_attacked(drawn, norm).ravel())
    bound = np.concatenate(bounds)
    return judge_bound(
        CATALOGUE["mixtures.robust-bayes"],
        bound,
        np.concatenate(measured),
        allowance=4 * _binomial_error(bound),
        reason="four standard errors of the attacked sample",
    )


def check_plug_in(cells: Sequence[Cell]) -> Verdict:
    """Return the verdict on Gaussian margins as a prediction for real data."""
    errors: dict[tuple[str, float, int], list[float]] = defaultdict(list)
    for cell in cells:
        if cell.dataset.startswith("Gaussian"):
            continue
        drop = cell.eps * np.abs(cell.trained.model.weights).sum()
        predicted = accuracy_after_drop(plug_in_law(cell), drop)
        for eps, error in zip(cell.eps, predicted - cell.survived.mean(axis=1), strict=True):
            errors[cell.dataset, float(eps), cell.split].append(float(error))
    effects: dict[str, list[float]] = defaultdict(list)
    for (dataset, eps, _), values in errors.items():
        effects[f"{dataset}, ε = {eps:g}"].append(float(np.mean(values)))
    return judge_equivalence(
        CATALOGUE["mixtures.plug-in"],
        {case: np.array(values) for case, values in effects.items()},
        margin=0.03,
        test_to_train=TEST_TO_TRAIN,
        unit="of accuracy",
    )
