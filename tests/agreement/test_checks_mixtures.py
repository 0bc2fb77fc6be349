"""The checks of Gaussian formulas must refuse wrong ones, and noise must pass none."""

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest
from scipy import stats

from empirical.linear_study import LinearCell
from empirical.verify import Verdict, mixtures, verdict_of
from tests.empirical.planted import part, planted
from theory.claims import CATALOGUE
from theory.linear import LinearClassifier

ACCURACY, R_2, CEILING = "mixtures.robust-accuracy", "mixtures.r2", "mixtures.robust-bayes"
accuracy, r_2, ceiling = (CATALOGUE[key].predict for key in (ACCURACY, R_2, CEILING))


def remembered(attack: Any) -> Any:
    """Return the attack, run once for each model, inputs and budgets."""
    found: dict[Any, Any] = {}

    def again(models: Any, X: Any, y: Any, *eps: Any, **settings: Any) -> Any:
        rows = tuple(np.append(model.weights, model.bias).tobytes() for model in models)
        key = (rows, id(X), repr(eps), repr(settings))
        if key not in found:
            found[key] = attack(models, X, y, *eps, **settings)
        return found[key]

    return again


@cache
def drawn(seed: int) -> Any:
    return mixtures._drawn(np.random.default_rng(seed))


ATTACKS = {
    name: remembered(getattr(mixtures, name)) for name in ("attack_accuracy", "attack_distances")
}


@pytest.fixture(params=[0, 1])
def seed(request: Any, monkeypatch: pytest.MonkeyPatch) -> int:
    """Draw and attack once, and fewer inputs than the checks do: that makes refuting harder."""
    monkeypatch.setattr(mixtures, "_ATTACKED", 30_000)
    once = drawn(request.param)
    monkeypatch.setattr(mixtures, "_drawn", lambda rng: once)
    for name, attack in ATTACKS.items():
        monkeypatch.setattr(mixtures, name, attack)
    return int(request.param)


@pytest.fixture
def judged(monkeypatch: pytest.MonkeyPatch) -> Callable[[str, Any], Verdict]:
    def of(key: str, predict: Any) -> Verdict:
        monkeypatch.setitem(CATALOGUE, key, replace(CATALOGUE[key], predict=predict))
        return verdict_of(key, [], seed=0)

    return of


WRONG: dict[str, tuple[str, Any]] = {
    "a smaller eps": (ACCURACY, lambda c, m, e, norm: accuracy(c, m, 0.97 * e, norm=norm)),
    "one point more": (ACCURACY, lambda c, m, e, norm: accuracy(c, m, e, norm=norm) + 0.01),
    "equal priors": (
        ACCURACY,
        lambda c, m, e, norm: accuracy(replace(c, positive_prior=0.5), m, e, norm=norm),
    ),
    "no bias": (
        ACCURACY,
        lambda c, m, e, norm: accuracy(c, LinearClassifier(weights=m.weights), e, norm=norm),
    ),
    "no covariance": (
        ACCURACY,
        lambda c, m, e, norm: accuracy(replace(c, covariance=1.0), m, e, norm=norm),
    ),
    "L2 for every norm": (ACCURACY, lambda c, m, e, norm: accuracy(c, m, e, norm=2)),
    "r_2 too large": (R_2, lambda c, m: r_2(c, m) * 1.02),
    "r_2 too small": (R_2, lambda c, m: r_2(c, m) / 1.02),
    "a low ceiling": (CEILING, lambda c, e, norm: ceiling(c, e, norm=norm) - 0.02),
    "a high ceiling": (CEILING, lambda c, e, norm: min(1.0, ceiling(c, e, norm=norm) + 0.02)),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_formulas_are_refuted(
    name: str, seed: int, judged: Callable[[str, Any], Verdict]
) -> None:
    assert judged(*WRONG[name]).status == "refuted"


def test_a_ceiling_that_trained_classifiers_pass_is_refuted(
    seed: int, judged: Callable[[str, Any], Verdict], monkeypatch: pytest.MonkeyPatch
) -> None:
    best = mixtures.robust_bayes_classifier

    def shifted(classes: Any, eps: float, *, norm: float) -> LinearClassifier:
        """Return a classifier that reaches what it predicts, which is not the most."""
        own = best(classes, eps, norm=norm)
        return LinearClassifier(
            weights=own.weights, bias=own.bias + 0.3 * np.linalg.norm(own.weights)
        )

    monkeypatch.setattr(mixtures, "robust_bayes_classifier", shifted)
    verdict = judged(
        CEILING, lambda c, e, norm: accuracy(c, shifted(c, e, norm=norm), e, norm=norm)
    )
    assert verdict.status == "refuted"
    assert verdict.evidence["ceiling's own, unequal"] == 0
    assert 0 < float(verdict.evidence["largest violation"]) < 0.1  # a small one suffices


@pytest.mark.parametrize("key", [ACCURACY, R_2, CEILING])
def test_noise_alone_makes_no_formula_hold(key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mixtures, "_ATTACKED", 500)  # four standard errors of up to .09
    assert verdict_of(key, [], seed=0).status == "inconclusive"


def plug_in(errors: Any, **named: Any) -> list[LinearCell]:
    """Return a cell a split whose attacked accuracy is the Gaussian formula's less an error.

    Margins 0 and 2: mean 1, deviation 1. A budget of .5 lowers them by .5 · (1 + 1) = 1, and the
    formula keeps 1/2 of a thousand.
    """
    line = part(0.0, 2.0)
    two = line._replace(X=np.hstack([line.X / 2, line.X / 2]))
    attacked = two._replace(X=5 * two.X)
    return [
        planted(
            attacked,
            validation=two,
            weights=[1.0, 1.0],
            eps=[0.5],
            survived=(np.arange(1000) + 0.5 < 1000 * (0.5 - error))[None],
            split=split,
            **named,
        )
        for split, error in enumerate(errors)
    ]


def judged_plug_in(cells: list[LinearCell]) -> Verdict:
    return verdict_of("mixtures.plug-in", cells, seed=0)


@pytest.mark.parametrize(
    ("error", "status"),
    [(0.02, "holds"), (-0.02, "holds"), (0.04, "refuted"), (-0.04, "refuted")],
)
def test_plug_in_allows_three_points(error: float, status: str) -> None:
    assert judged_plug_in(plug_in([error] * 4)).status == status


def test_plug_in_errors_of_two_families_do_not_cancel() -> None:
    cells = plug_in([0.1] * 4, family="one") + plug_in([-0.1] * 4, family="other")
    verdict = judged_plug_in(cells)
    assert verdict.status == "refuted"
    assert verdict.evidence["cases"] == 2


def test_plug_in_widens_for_splits_that_share_inputs_and_skips_gaussian_data() -> None:
    errors = np.array([0.01, 0.03, -0.02, 0.02])
    gaussian = plug_in([0.3] * 4, dataset="Gaussian classes")
    verdict = judged_plug_in(plug_in(errors) + gaussian)
    reach = stats.t.ppf(0.975, 3) * errors.std(ddof=1) * np.sqrt(1 / 4 + 1 / 2)
    assert verdict.measured == pytest.approx(0.01, rel=1e-9)  # differences of order .01
    assert verdict.interval == pytest.approx((0.01 - reach, 0.01 + reach), rel=1e-9)
    assert judged_plug_in(gaussian).status == "not covered"
