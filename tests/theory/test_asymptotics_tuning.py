"""Ceilings, best strengths, prices, inputs needed and phases of `theory.asymptotics`."""

import numpy as np
import pytest

from theory.asymptotics import (
    CoordinateLaw,
    Objective,
    best_strength,
    gaussian_law,
    limit_accuracy,
    limit_ceiling,
    limit_robust_accuracy,
    phase_diagram,
    predict,
    price_of_robustness,
    ratio_needed,
    spiked_law,
)
from theory.mixtures import GaussianClasses, robust_bayes_accuracy
from theory.validation import UnsupportedSettingError

SPARSE = spiked_law(2.0, density=0.1)
TWO_SCALES = CoordinateLaw(
    weights=[0.5, 0.3, 0.2], means=[0, 1, -3], deviations=[0, 0, 0], scales=[1, 0.5, 2]
)


def l1(strength: float) -> Objective:
    return Objective(loss="squared", l1=strength)


def l2(strength: float) -> Objective:
    return Objective(loss="squared", l2=strength)


def classes_of(law: CoordinateLaw, d: int) -> GaussianClasses:
    """Return classes of d features that have exactly the shares of a law of points."""
    counts = np.rint(law.weights * d).astype(int)
    assert counts.sum() == d
    mu = np.repeat(law.means, counts) / np.sqrt(d)
    variances = np.repeat(law.scales, counts) ** 2
    return GaussianClasses(means=np.stack([-mu, mu]), covariance=variances)


@pytest.mark.parametrize("law", [SPARSE, TWO_SCALES])
@pytest.mark.parametrize("size", [0.0, 0.3, 0.8, 1.9, 5.0])
def test_limit_ceiling_is_that_of_the_robust_bayes_classifier(
    law: CoordinateLaw, size: float
) -> None:
    d = 100
    classes = classes_of(law, d)
    in_l2 = robust_bayes_accuracy(classes, size, norm=2)
    in_linf = robust_bayes_accuracy(classes, size / np.sqrt(d), norm=np.inf)
    # Solvers of both stop within 1e-9 of their minimisers.
    assert limit_ceiling(law, eps=size) == pytest.approx(in_l2, abs=1e-7)
    assert limit_ceiling(law, eps_inf=size) == pytest.approx(in_linf, abs=1e-7)


def test_limit_ceiling_of_a_gaussian_signal_is_the_mean_over_its_draws() -> None:
    law, eps_inf = gaussian_law(1.5, 0.4), 0.7
    m = np.random.default_rng(0).normal(size=2_000_000) * law.deviations[1]
    left = 0.4 * np.mean(np.maximum(np.abs(m) - eps_inf, 0) ** 2)
    expected = limit_ceiling(spiked_law(float(np.sqrt(left))))
    # A mean of two million squares: to some 3e-3 of it, at four standard errors.
    assert limit_ceiling(law, eps_inf=eps_inf) == pytest.approx(expected, abs=2e-3)


def test_limit_ceiling_refuses_both_budgets_on_unequal_noise() -> None:
    with pytest.raises(UnsupportedSettingError, match=r"eps=1, eps_inf=0\.5"):
        limit_ceiling(TWO_SCALES, eps=1.0, eps_inf=0.5)
    with pytest.raises(ValueError, match=r"eps must be .*-1"):
        limit_ceiling(SPARSE, eps=-1.0)


@pytest.mark.parametrize("attack", [{}, {"eps": 1.0}, {"eps_inf": 1.0}])
def test_no_training_is_above_the_ceiling_nor_above_the_best(attack: dict[str, float]) -> None:
    for family in (l1, l2):
        best = best_strength(family, SPARSE, ratio=2.0, **attack)
        kept = float(limit_robust_accuracy(best, **attack))
        assert kept < limit_ceiling(SPARSE, **attack)
        for strength in np.geomspace(0.02, 4, 40):
            other = predict(family(float(strength)), SPARSE, ratio=2.0)
            # The grid is refined to a thousandth of a log: flat to 1e-6 at a maximum.
            assert float(limit_robust_accuracy(other, **attack)) <= kept + 1e-6


def test_best_strength_is_refused_where_none_leaves_a_classifier() -> None:
    with pytest.raises(UnsupportedSettingError, match=r"from 1000 to 10000 at ratio 2"):
        best_strength(l1, SPARSE, ratio=2.0, strengths=(1e3, 1e4))


def test_price_is_what_the_two_trainings_differ_by() -> None:
    # Of unequal means L∞ budgets leave the large ones: another strength is best than without.
    law = CoordinateLaw(weights=[0.8, 0.2], means=[0.8, 4], deviations=[0, 0])
    found = price_of_robustness(l1, law, ratio=2.0, eps_inf=2.0)
    assert found.robust.objective.l1 > 1.2 * found.accurate.objective.l1
    assert found.price == pytest.approx(
        limit_accuracy(found.accurate) - limit_accuracy(found.robust)
    )
    assert found.price > 1e-3
    assert found.gain > 1e-3


@pytest.mark.parametrize("family", [l1, l2])
def test_ratio_needed_reaches_the_target_and_fewer_inputs_do_not(family: type) -> None:
    found = ratio_needed(family, SPARSE, target=0.75, eps=1.0)
    assert float(limit_robust_accuracy(found, eps=1.0)) == pytest.approx(0.75, abs=2e-4)
    fewer = best_strength(family, SPARSE, ratio=0.95 * found.ratio, eps=1.0)
    assert float(limit_robust_accuracy(fewer, eps=1.0)) < 0.75


def test_ratio_needed_of_averaging_has_a_closed_form() -> None:
    # The best L2 strength averages: accuracy Phi(s² δ / √(δ² s² + δ)), robust by less eps.
    s, eps, target = 2.0, 1.0, 0.75
    needed = (eps + 0.6744897501960817) ** 2 / (s**2 * (s**2 - (eps + 0.6744897501960817) ** 2))
    found = ratio_needed(l2, SPARSE, target=target, eps=eps)
    # The strongest penalty tried is a thousand times the ratio: within .1 % of endless.
    assert found.ratio == pytest.approx(needed, rel=5e-3)


@pytest.mark.parametrize(
    ("target", "words"),
    [(0.9, r"below 0\.841345.*got 0\.9"), (0.4, r"in \(0\.5, 1\); got 0\.4"), (1.0, "got 1")],
)
def test_ratio_needed_refuses(target: float, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        ratio_needed(l1, SPARSE, target=target, eps=1.0)


def test_phase_diagram_holds_the_best_of_both_paths() -> None:
    eps, eps_inf = np.array([0.0, 1.0, 0.0]), np.array([0.0, 0.0, 1.0])
    found = phase_diagram([0.1, 0.6], ratio=2.0, eps=eps, eps_inf=eps_inf, loss="squared")
    assert found.budgets.tolist() == [0.0, 1.0, 1.0]
    for row, density in enumerate((0.1, 0.6)):
        for column in range(3):
            attack = {"eps": float(eps[column]), "eps_inf": float(eps_inf[column])}
            for family, kept in ((l1, found.l1), (l2, found.l2)):
                best = best_strength(family, spiked_law(2.0, density), ratio=2.0, **attack)
                # A parabola through strengths a quarter of a decade apart, against a search.
                expected = float(limit_robust_accuracy(best, **attack))
                assert kept[row, column] == pytest.approx(expected, abs=5e-4)


def test_an_l2_attack_does_not_change_which_penalty_wins() -> None:
    found = phase_diagram([0.03, 0.1, 0.3, 1.0], ratio=2.0, eps=[0.0, 0.5, 1.0], loss="squared")
    lead = np.sign(found.l1 - found.l2)
    np.testing.assert_array_equal(lead, lead[:, :1] * np.ones((1, 3)))
    assert {-1.0, 1.0} <= set(lead[:, 0])
