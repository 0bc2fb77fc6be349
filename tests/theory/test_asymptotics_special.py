"""The limit of training where other mathematics says what it is."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import norm

from tests.theory.fitted_margins import by_definition
from theory.asymptotics import (
    CoordinateLaw,
    Objective,
    gaussian_law,
    limit_accuracy,
    limit_r_2,
    limit_robust_accuracy,
    predict,
    spiked_law,
)

LOSSES = ("logistic", "squared", "hinge")
UNEQUAL = CoordinateLaw(
    weights=[0.5, 0.3, 0.2], means=[0.0, 1.5, 2.0], deviations=[0.3, 0.0, 0.5], scales=[1, 0.5, 2]
)


def ridge_by_random_matrices(s, ratio, lam):
    """Return mu·w and ||w||^2 of w = (Z'Z / d + lam)^-1 Z'1 / d with rows mu + noise.

    m1 and m2 are the limits of tr Q / d and tr Q^2 / d, Q the resolvent of the noise's Gram matrix:
    m1 is the positive root of m1 (lam + ratio / (1 + m1)) = 1 (Marchenko and Pastur). mu'Q mu ->
    s^2 m1, b'Qb -> 1 - lam m1 for b = G'1 / d, mu'Qb -> 0; squares of Q are slopes in lam.
    """
    half = (lam + ratio - 1) / 2  # lam m1^2 + 2 half m1 - 1 = 0, in the form that does not cancel
    m1 = 1 / (half + np.sqrt(half * half + lam))
    m2 = m1**2 / (1 - ratio * m1**2 / (1 + m1) ** 2)
    c = ratio - 1 + lam * m1
    left_over = 1 / (1 + c * s * s * m1)  # 1 - mu·w
    return 1 - left_over, left_over**2 * (m1 - lam * m2 + c * c * s * s * m2)


@pytest.mark.parametrize("ratio", [0.3, 1.0, 2.0, 7.0])
@pytest.mark.parametrize("lam", [1e-3, 0.1, 1.0, 30.0])
@pytest.mark.parametrize("law", [spiked_law(0.5), gaussian_law(2.0, 0.1), spiked_law(8.0, 0.05)])
def test_ridge_is_the_random_matrix_formula(ratio, lam, law):
    limit = predict(Objective(loss="squared", l2=lam), law, ratio=ratio)
    overlap, norm_square = ridge_by_random_matrices(law.signal, ratio, lam)
    # 1e-8: what a limit is certified to.
    assert limit.overlap == pytest.approx(overlap, rel=1e-8)
    assert limit.norm**2 == pytest.approx(norm_square, rel=1e-8)
    assert limit.spread == pytest.approx(limit.norm, rel=1e-12)  # noise 1
    accuracy = norm.cdf(overlap / np.sqrt(norm_square))
    assert limit_accuracy(limit) == pytest.approx(accuracy, abs=1e-8)


@pytest.mark.parametrize("ratio", [1.05, 1.5, 4.0])
def test_least_squares_is_the_random_matrix_formula(ratio):
    limit = predict(Objective(loss="squared"), spiked_law(1.2, 0.3), ratio=ratio)
    overlap, norm_square = ridge_by_random_matrices(1.2, ratio, 0.0)
    assert limit.overlap == pytest.approx(overlap, rel=1e-7)  # nearly singular at 1.05
    assert limit.norm**2 == pytest.approx(norm_square, rel=1e-7)


def test_ridge_formula_is_what_finite_matrices_do():
    # The reference itself: d = 400, mean of 20 draws; 0.02 is four standard errors.
    rng = np.random.default_rng(3)
    d, ratio, lam, s = 400, 1.5, 0.4, 1.3
    mu = np.full(d, s / np.sqrt(d))
    found = []
    for _ in range(20):
        Z = mu + rng.normal(size=(int(ratio * d), d))
        w = np.linalg.solve(Z.T @ Z / d + lam * np.eye(d), Z.sum(axis=0) / d)
        found.append((w @ mu, w @ w))
    expected = ridge_by_random_matrices(s, ratio, lam)
    assert np.mean(found, axis=0) == pytest.approx(expected, rel=0.02)


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("eps", [0.0, 0.5])
def test_a_strong_ridge_averages(loss, eps):
    s, ratio = 1.2, 1.7
    limit = predict(Objective(loss=loss, l2=1e8, eps=eps), gaussian_law(s, 0.3), ratio=ratio)
    average = s * s * ratio / np.sqrt(ratio**2 * s * s + ratio)
    # 1e-6: the next order in 1 / l2.
    assert limit.overlap / limit.spread == pytest.approx(average, rel=1e-6)


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("penalty", [{}, {"l1": 0.3}, {"l2": 0.5}])
def test_many_inputs_make_bayes(loss, penalty):
    s = 1.1
    limit = predict(Objective(loss=loss, **penalty), spiked_law(s, 0.4), ratio=1e8)
    assert limit_accuracy(limit) == pytest.approx(norm.cdf(s), abs=1e-6)  # off by 1 / ratio
    assert limit.cosine == pytest.approx(1, abs=1e-6)


def test_many_inputs_make_bayes_of_unequal_noise():
    limit = predict(Objective(loss="logistic"), UNEQUAL, ratio=1e8)
    whitened = UNEQUAL.weights @ ((UNEQUAL.means**2 + UNEQUAL.deviations**2) / UNEQUAL.scales**2)
    assert limit_accuracy(limit) == pytest.approx(norm.cdf(np.sqrt(whitened)), abs=1e-6)


@pytest.mark.parametrize("loss", LOSSES)
def test_no_signal_is_chance(loss):
    limit = predict(Objective(loss=loss, l1=0.1, l2=0.1), spiked_law(0.0), ratio=2)
    assert limit.overlap == 0
    assert limit_accuracy(limit) == 0.5
    assert limit.cosine == 0


@pytest.mark.parametrize("loss", LOSSES)
def test_a_signal_on_all_features_alike_is_a_dense_one_for_l2(loss):
    # Without a threshold the weights are linear in the field: only E m^2 matters.
    objective = Objective(loss=loss, l2=0.3, eps=0.4)
    limits = [
        predict(objective, law, ratio=1.5)
        for law in (spiked_law(1.3), spiked_law(1.3, 0.05), gaussian_law(1.3))
    ]
    for other in limits[1:]:
        assert other.overlap == pytest.approx(limits[0].overlap, rel=1e-9)
        assert other.norm == pytest.approx(limits[0].norm, rel=1e-9)


@pytest.mark.parametrize("loss", LOSSES)
def test_units_of_the_inputs_do_not_matter(loss):
    c = 3.7
    scaled = replace(
        UNEQUAL,
        means=c * UNEQUAL.means,
        deviations=c * UNEQUAL.deviations,
        scales=c * UNEQUAL.scales,
    )
    limits = [
        predict(
            Objective(loss=loss, l1=0.2 * k, l2=0.1 * k * k, eps=0.3 * k, eps_inf=0.2 * k),
            law,
            ratio=2.5,
        )
        for k, law in ((1.0, UNEQUAL), (c, scaled))
    ]
    for name, power in (("overlap", 0), ("spread", 0), ("norm", -1), ("l1_norm", -1)):
        values = [getattr(limit, name) for limit in limits]
        assert values[1] == pytest.approx(values[0] * c**power, rel=1e-9)
    robust = [
        limit_robust_accuracy(x, eps=k, eps_inf=k) for x, k in zip(limits, (1, c), strict=True)
    ]
    assert robust[1] == pytest.approx(robust[0], abs=1e-9)
    assert limit_r_2(limits[1]) == pytest.approx(c * limit_r_2(limits[0]), rel=1e-9)


@pytest.mark.parametrize("loss", LOSSES)
def test_whitening_changes_nothing_without_penalty_or_attack(loss):
    # Features in units of their noise: the same margins can be had, so the same are.
    white = CoordinateLaw(
        weights=UNEQUAL.weights,
        means=UNEQUAL.means / UNEQUAL.scales,
        deviations=UNEQUAL.deviations / UNEQUAL.scales,
    )
    limits = [predict(Objective(loss=loss), law, ratio=30.0) for law in (UNEQUAL, white)]
    for name in ("overlap", "spread", "training_loss"):
        assert getattr(limits[0], name) == pytest.approx(getattr(limits[1], name), rel=1e-9)


def test_components_that_are_equal_are_one():
    split = CoordinateLaw(weights=[0.3, 0.2, 0.5], means=[1, 1, 0], deviations=[0, 0, 0.2])
    whole = CoordinateLaw(weights=[0.5, 0.5], means=[1, 0], deviations=[0, 0.2])
    objective = Objective(loss="squared", l1=0.2, eps_inf=0.1)
    limits = [predict(objective, law, ratio=1.5) for law in (split, whole)]
    assert limits[0].overlap == pytest.approx(limits[1].overlap, rel=1e-10)


@pytest.mark.parametrize("eps", [0.2, 0.8])
def test_attacked_hinge_is_a_ridge_that_knows_its_own_strength(eps):
    # max(0, 1 + s - m) = (1 + s) max(0, 1 - m / (1 + s)): with s held, v = w / (1 + s) solves a
    # plain problem whose ridge is (1 + s)(l2 + ratio · price · eps / ||w||).
    law, ratio, l2 = gaussian_law(1.5, 0.2), 2.0, 0.1
    attacked = predict(Objective(loss="hinge", l2=l2, eps=eps), law, ratio=ratio)
    s = eps * attacked.norm
    price = by_definition("hinge", attacked.overlap, attacked.spread, attacked.susceptibility, s)[0]
    ridge = (1 + s) * (l2 + ratio * price * eps / attacked.norm)
    plain = predict(Objective(loss="hinge", l2=ridge), law, ratio=ratio)
    for name in ("overlap", "spread", "norm", "l1_norm", "training_loss"):
        assert (1 + s) * getattr(plain, name) == pytest.approx(getattr(attacked, name), rel=1e-8)


@pytest.mark.parametrize("loss", LOSSES)
def test_a_linf_attack_is_a_threshold_that_knows_its_own_strength(loss):
    # The same with l1 for the hinge loss; for every loss, a rising attack thins the weights.
    law, ratio = spiked_law(1.5, 0.2), 2.0
    shares = [
        predict(Objective(loss=loss, l2=0.1, eps_inf=e), law, ratio=ratio).nonzero_fraction
        for e in (0.0, 0.1, 0.4, 0.7)
    ]
    assert shares[0] == pytest.approx(1)
    assert (np.diff(shares) < 0).all()


def test_attacked_hinge_with_a_linf_budget_is_a_lasso():
    law, ratio, e = spiked_law(1.5, 0.2), 2.0, 0.3
    attacked = predict(Objective(loss="hinge", l2=0.1, eps_inf=e), law, ratio=ratio)
    s = e * attacked.l1_norm
    price = by_definition("hinge", attacked.overlap, attacked.spread, attacked.susceptibility, s)[0]
    plain = predict(
        Objective(loss="hinge", l2=0.1 * (1 + s), l1=ratio * price * e), law, ratio=ratio
    )
    for name in ("overlap", "spread", "norm", "l1_norm", "training_loss"):
        assert (1 + s) * getattr(plain, name) == pytest.approx(getattr(attacked, name), rel=1e-8)


@pytest.mark.parametrize("ratio", [0.4, 1.0, 3.0])
def test_attacked_least_squares_exists_at_any_ratio(ratio):
    # The attack is a penalty of its own: the refusal of ratio <= 1 is for the plain loss only.
    limit = predict(Objective(loss="squared", eps=0.5), spiked_law(1.0), ratio=ratio)
    assert 0 < limit.norm < 2  # at norm 1 / eps the attack alone costs as much as w = 0


@pytest.mark.parametrize("loss", LOSSES)
def test_unpenalised_attacked_training_shrinks(loss):
    law = spiked_law(1.0)
    norms = [predict(Objective(loss=loss, eps=e), law, ratio=6.0).norm for e in (0.0, 0.3, 0.6)]
    assert norms[0] > norms[1] > norms[2]


def test_robust_accuracy_is_the_share_of_larger_margins():
    limit = predict(Objective(loss="squared", l1=0.3), UNEQUAL, ratio=1.5)
    margins = limit.overlap + limit.spread * np.random.default_rng(2).normal(size=400_000)
    for eps, eps_inf in ((0.0, 0.0), (0.4, 0.0), (0.0, 0.5), (0.3, 0.2)):
        share = (margins > eps * limit.norm + eps_inf * limit.l1_norm).mean()
        # 0.004: five standard errors of 400,000 draws.
        found = limit_robust_accuracy(limit, eps=eps, eps_inf=eps_inf)
        assert found == pytest.approx(share, abs=0.004)
    assert limit_r_2(limit) == pytest.approx(np.maximum(margins, 0).mean() / limit.norm, rel=0.01)


def objective_value(limit):
    chosen = limit.objective
    return (
        limit.ratio * limit.training_loss
        + chosen.l1 * limit.l1_norm
        + chosen.l2 * limit.norm**2 / 2
    )


@pytest.mark.parametrize("loss", LOSSES)
def test_the_least_objective_changes_by_the_norms(loss):
    # The envelope theorem: its slope in l1 is ||w||_1 / sqrt(d), in l2 it is ||w||^2 / 2. Neither
    # follows from one equation alone: it holds at a stationary point only.
    law, ratio, step = UNEQUAL, 1.6, 1e-4
    base = Objective(loss=loss, l1=0.3, l2=0.2, eps=0.4, eps_inf=0.2)
    at = predict(base, law, ratio=ratio)
    for name, claimed in (("l1", at.l1_norm), ("l2", at.norm**2 / 2)):
        ends = [
            objective_value(
                predict(replace(base, **{name: getattr(base, name) + h}), law, ratio=ratio)
            )
            for h in (-step, step)
        ]
        # 1e-6: a central difference of step 1e-4, and limits good to 1e-10.
        assert (ends[1] - ends[0]) / (2 * step) == pytest.approx(claimed, abs=1e-6)


@pytest.mark.parametrize("loss", LOSSES)
def test_the_least_objective_changes_by_the_price_of_the_attack(loss):
    law, ratio, step = UNEQUAL, 1.6, 1e-4
    base = Objective(loss=loss, l1=0.3, l2=0.2, eps=0.4, eps_inf=0.2)
    at = predict(base, law, ratio=ratio)
    drop = base.eps * at.norm + base.eps_inf * at.l1_norm
    around = [
        by_definition(loss, at.overlap, at.spread, at.susceptibility, drop + h)[-1]
        for h in (-step, step)
    ]
    price = (around[1] - around[0]) / (2 * step)
    for name, size in (("eps", at.norm), ("eps_inf", at.l1_norm)):
        ends = [
            objective_value(
                predict(replace(base, **{name: getattr(base, name) + h}), law, ratio=ratio)
            )
            for h in (-step, step)
        ]
        # 1e-5: two central differences.
        assert (ends[1] - ends[0]) / (2 * step) == pytest.approx(ratio * price * size, abs=1e-5)


@pytest.mark.parametrize("loss", LOSSES)
def test_training_is_no_worse_than_no_weights(loss):
    at_zero = {"logistic": np.log(2), "squared": 0.5, "hinge": 1.0}[loss]
    for l1, l2, eps in ((0.01, 0, 0), (0.5, 0.5, 0.3), (0, 10.0, 0.5)):
        limit = predict(Objective(loss=loss, l1=l1, l2=l2, eps=eps), UNEQUAL, ratio=1.0)
        assert objective_value(limit) < at_zero * limit.ratio
