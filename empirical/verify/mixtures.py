"""The formulas for Gaussian classes, met by attacks on drawn and on real data."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from empirical.attacks import attack_accuracy, attack_distances
from empirical.data import Part, sample_classes, sparse_mean_classes
from empirical.linear import train_path
from empirical.linear_study import TEST_TO_TRAIN, LinearCell
from empirical.summary import plug_in_law
from empirical.verify.verdict import Verdict, judge_bound, judge_equivalence, judge_identity, worse
from theory.claims import CATALOGUE
from theory.linear import LinearClassifier
from theory.mixtures import GaussianClasses, accuracy_after_drop, robust_bayes_classifier
from theory.validation import FloatArray

_DIMENSION, _TRAINED_ON, _ATTACKED = 8, 200, 50_000
_ATTACKS = {2.0: "l2_fgm", np.inf: "fgsm"}
_BUDGETS = np.array([0.3, 0.6])  # of the norm of half the difference of the means
# Declared before any measurement: what counts as no error of an accuracy, and of r_2 relatively.
_ACCURACY_MARGIN, _R_2_MARGIN = 0.015, 0.02
_NOISE = "sampling alone"


class _Drawn(NamedTuple):
    """A law, a fresh draw of it to attack, and classifiers that have not seen that draw."""

    classes: GaussianClasses
    test: Part
    models: list[LinearClassifier]

    def budgets(self, norm: float) -> FloatArray:
        half = (self.classes.means[1] - self.classes.means[0]) / 2
        return np.asarray(_BUDGETS * np.linalg.norm(half, ord=norm))

    def attacked(self, models: list[LinearClassifier], eps: FloatArray, norm: float) -> FloatArray:
        """Return the accuracy (models, budgets) that attacks leave."""
        kept = attack_accuracy(models, *self.test, eps, attack=_ATTACKS[norm], box=None)
        return np.asarray(kept.mean(axis=2))


def _laws(rng: np.random.Generator) -> list[GaussianClasses]:
    """Return the study's law, small; one of unequal variances; one correlated.

    The last two with unequal priors and means off the origin: a formula that forgets any of it
    fails.
    """

    def means() -> FloatArray:
        return np.asarray(0.8 * rng.normal(size=(2, _DIMENSION)) + rng.normal(size=_DIMENSION))

    square = rng.normal(size=(_DIMENSION, 2 * _DIMENSION))
    correlated = square @ square.T / (2 * _DIMENSION)
    return [
        sparse_mean_classes(_DIMENSION, nonzeros=2, separation=1.5),
        GaussianClasses(
            means=means(), covariance=rng.uniform(0.3, 3.0, _DIMENSION), positive_prior=0.3
        ),
        GaussianClasses(means=means(), covariance=correlated, positive_prior=0.65),
    ]


def _drawn(rng: np.random.Generator) -> list[_Drawn]:
    drawn = []
    for classes in _laws(rng):
        train = sample_classes(classes, _TRAINED_ON, rng=rng)
        test = sample_classes(classes, _ATTACKED, rng=rng)
        path = train_path("L1 logistic", train.X, train.y, count=3)
        drawn.append(_Drawn(classes, Part(test.X, test.y), [one.model for one in path[1:]]))
    return drawn


def _binomial_error(accuracy: FloatArray) -> FloatArray:
    # One in n more keeps the error of an accuracy of 0 or 1 above zero.
    return np.sqrt(accuracy * (1 - accuracy) / _ATTACKED) + 1 / _ATTACKED


def check_robust_accuracy(rng: np.random.Generator) -> Verdict:
    """Return the verdict on the closed form of robust accuracy, L2 and Linf."""
    claim, predicted, measured = CATALOGUE["mixtures.robust-accuracy"], [], []
    for drawn in _drawn(rng):
        for norm in _ATTACKS:
            eps = drawn.budgets(norm)
            predicted += [claim.predict(drawn.classes, m, eps, norm=norm) for m in drawn.models]
            measured += [*drawn.attacked(drawn.models, eps, norm)]
    return judge_identity(
        claim,
        np.concatenate(predicted),
        np.concatenate(measured),
        tolerance=0.0,
        reason=_NOISE,
        errors=_binomial_error(np.concatenate(measured)),
        margin=_ACCURACY_MARGIN,
        scale=1.0,
    )


def check_r2(rng: np.random.Generator) -> Verdict:
    """Return the verdict on the closed form of r_2."""
    claim, predicted, measured, errors = CATALOGUE["mixtures.r2"], [], [], []
    for drawn in _drawn(rng):
        found = attack_distances(drawn.models, *drawn.test, attack="l2_deepfool", box=None)
        predicted += [claim.predict(drawn.classes, model) for model in drawn.models]
        measured += [*found.distances.mean(axis=1)]
        errors += [*found.distances.std(axis=1) / np.sqrt(_ATTACKED)]
    return judge_identity(
        claim,
        predicted,
        measured,
        tolerance=1e-3,
        reason="DeepFool ends up to 1e-4 beyond the boundary",
        errors=errors,
        margin=_R_2_MARGIN,
    )


def check_robust_bayes(rng: np.random.Generator) -> Verdict:
    """Return the verdict on the ceiling: nothing passes it, and its own classifier reaches it."""
    claim = CATALOGUE["mixtures.robust-bayes"]
    ceilings, trained, best = [], [], []
    for drawn in _drawn(rng):
        for norm in _ATTACKS:
            for eps in drawn.budgets(norm):
                own = robust_bayes_classifier(drawn.classes, float(eps), norm=norm)
                models = [own, *drawn.models]
                left = drawn.attacked(models, np.array([eps]), norm)[:, 0]
                ceilings.append(claim.predict(drawn.classes, float(eps), norm=norm))
                best.append(left[0])
                trained.append(left[1:].max())
    bound = np.array(ceilings)
    passed = judge_bound(
        claim,
        bound,
        trained,
        allowance=4 * _binomial_error(np.array(trained)),
        reason="four standard errors of the attacked sample",
    )
    reached = judge_identity(
        claim,
        bound,
        best,
        tolerance=0.0,
        reason=_NOISE,
        errors=_binomial_error(np.array(best)),
        margin=_ACCURACY_MARGIN,
        scale=1.0,
    )
    return replace(
        passed,
        status=worse(passed.status, reached.status),
        summary=f"trained classifiers: {passed.summary}; the ceiling's own: {reached.summary}",
        evidence={
            **passed.evidence,
            **{f"ceiling's own, {name}": value for name, value in reached.evidence.items()},
        },
    )


def check_plug_in(cells: Sequence[LinearCell]) -> Verdict:
    """Return the verdict on Gaussian margins as a prediction for real data.

    Each data set, family and budget is a case: errors of opposite signs must not cancel.
    """
    errors: dict[tuple[str, str, float], dict[int, list[float]]] = defaultdict(
        lambda: defaultdict(list)
    )
    for cell in cells:
        if cell.dataset.startswith("Gaussian"):
            continue
        drop = cell.eps * np.abs(cell.trained.model.weights).sum()
        wrong = accuracy_after_drop(plug_in_law(cell), drop) - cell.survived.mean(axis=1)
        for eps, error in zip(cell.eps, wrong, strict=True):
            errors[cell.dataset, cell.trained.family, float(eps)][cell.split].append(float(error))
    return judge_equivalence(
        CATALOGUE["mixtures.plug-in"],
        {
            f"{dataset}, {family}, ε = {eps:g}": np.array([np.mean(v) for v in splits.values()])
            for (dataset, family, eps), splits in errors.items()
        },
        margin=0.03,
        test_to_train=TEST_TO_TRAIN,
        unit="of accuracy",
    )
