"""The Bayes classifiers of two Gaussian classes: optimality by conditions, solvers and rivals."""

import math

import cvxpy as cp
import numpy as np
import pytest
import scipy.sparse as sp
from scipy.optimize import linprog, minimize
from scipy.stats import multivariate_normal, norm

from theory.linear import LinearClassifier, class_scores
from theory.mixtures import (
    GaussianClasses,
    bayes_classifier,
    robust_accuracy,
    robust_bayes_accuracy,
    robust_bayes_classifier,
)
from theory.validation import UnsupportedSettingError

DUAL = {2: 2, np.inf: 1}


def random_setting(seed, d=None):
    """Return classes, half the difference of their means, Sigma as a matrix, an eps and a norm."""
    rng = np.random.default_rng([7, seed])
    d = d or int(rng.integers(1, 9))
    order = (2, np.inf)[seed // 3 % 2]
    root = rng.normal(size=(d, d))
    covariance = (
        rng.uniform(0.1, 4.0),
        rng.uniform(0.1, 4.0, size=d),
        root @ root.T / d + 0.1 * np.eye(d),
    )[seed % 3]
    Sigma = covariance if np.ndim(covariance) == 2 else covariance * np.eye(d)
    classes = GaussianClasses(
        means=rng.normal(size=(2, d)), covariance=covariance, positive_prior=rng.uniform(0.1, 0.9)
    )
    mu = (classes.means[1] - classes.means[0]) / 2
    return classes, mu, Sigma, rng.uniform(0.05, 0.95) * np.linalg.norm(mu, ord=order), order


def formula(a, positive_prior):
    """Return the accuracy that part 5 of the proof gives for half the distance a of the classes."""
    l = math.log(positive_prior / (1 - positive_prior))
    return positive_prior * norm.cdf(a + l / (2 * a)) + (1 - positive_prior) * norm.cdf(
        a - l / (2 * a)
    )


@pytest.mark.parametrize("seed", range(6))
def test_bayes_score_is_the_log_odds(seed):
    classes, _, Sigma, _, _ = random_setting(seed)
    x = np.random.default_rng(1).normal(size=(20, classes.dimension))
    odds = math.log(classes.positive_prior / (1 - classes.positive_prior))
    for sign, mean in ((1, classes.means[1]), (-1, classes.means[0])):
        odds = odds + sign * multivariate_normal(mean, Sigma).logpdf(x)
    score = class_scores(bayes_classifier(classes), x)[:, 1]
    # 1e-8: rounding times the condition number of these covariances.
    assert score == pytest.approx(odds, rel=1e-8, abs=1e-8)


@pytest.mark.parametrize("order", [2, np.inf])
@pytest.mark.parametrize("seed", range(3))
def test_robust_bayes_without_attack_is_linear_discriminant_analysis(seed, order):
    classes, mu, Sigma, _, _ = random_setting(seed)
    best = robust_bayes_classifier(classes, 0.0, norm=order)
    # 1e-8: rounding times the condition number of these covariances.
    assert best.weights[0] == pytest.approx(np.linalg.solve(Sigma, 2 * mu), rel=1e-8)
    assert robust_bayes_accuracy(classes, 0.0, norm=order) == pytest.approx(
        formula(math.sqrt(mu @ np.linalg.solve(Sigma, mu)), classes.positive_prior), abs=1e-12
    )


@pytest.mark.parametrize("seed", range(24))
def test_robust_bayes_meets_the_optimality_condition(seed):
    classes, mu, Sigma, eps, order = random_setting(seed)
    v = robust_bayes_classifier(classes, eps, norm=order).weights[0] / 2
    z = mu - Sigma @ v
    # 1e-9: rounding times the condition number of these covariances.
    assert np.linalg.norm(z, ord=order) <= eps * (1 + 1e-9)
    assert v @ z == pytest.approx(eps * np.linalg.norm(v, ord=DUAL[order]), rel=1e-9)


@pytest.mark.parametrize("seed", range(24))
def test_robust_bayes_accuracy_matches_a_convex_solver(seed):
    classes, mu, Sigma, eps, order = random_setting(seed)
    factor = np.linalg.cholesky(Sigma)
    z = cp.Variable(mu.size)
    whitened = np.linalg.solve(factor, np.eye(mu.size))
    problem = cp.Problem(
        cp.Minimize(cp.norm(whitened @ (mu - z))), [cp.norm(z, "inf" if order > 2 else 2) <= eps]
    )
    a = problem.solve(solver=cp.CLARABEL)
    # 1e-6: the solver's tolerance of 1e-8, with room for scaling.
    assert robust_bayes_accuracy(classes, eps, norm=order) == pytest.approx(
        formula(a, classes.positive_prior), abs=1e-6
    )


@pytest.mark.parametrize("seed", range(12))
def test_robust_bayes_is_not_beaten_by_linear_classifiers(seed):
    classes, mu, _, eps, order = random_setting(seed)
    best = robust_bayes_classifier(classes, eps, norm=order)
    bound = robust_bayes_accuracy(classes, eps, norm=order)
    rng = np.random.default_rng(seed)
    parameters = np.append(best.weights[0], best.bias[0])

    def accuracy(p):
        model = LinearClassifier(weights=p[:-1], bias=p[-1])
        return float(robust_accuracy(classes, model, eps, norm=order))

    for spread in (1e-3, 0.1, 1.0, 10.0):
        near = rng.normal(size=(200, parameters.size)) * spread + parameters
        # 1e-13: rounding of two accuracies.
        assert max(map(accuracy, near)) <= bound + 1e-13
    start = np.append(mu, -mu @ classes.means.mean(axis=0))
    found = minimize(lambda p: -accuracy(p), start, method="Nelder-Mead", options={"maxiter": 600})
    assert -found.fun <= bound + 1e-13
    if mu.size <= 2:  # where so plain a search gets there
        assert -found.fun == pytest.approx(bound, abs=1e-4)


@pytest.mark.parametrize(("positive_prior", "eps"), [(0.5, 0.4), (0.3, 0.6), (0.85, 0.2)])
def test_robust_bayes_bounds_every_classifier_on_the_line(positive_prior, eps):
    """On a grid the best of all classifiers is a linear program: an independent set of points.

    Two cells of opposite labels can both be robustly right only if they lie more than 2 eps apart.
    """
    width, radius = 0.05, round(eps / 0.05)
    edges = np.arange(-120, 121) * width
    mass = [
        weight * np.diff(norm(mean, 1.0).cdf(edges))
        for weight, mean in ((1 - positive_prior, -0.8), (positive_prior, 0.8))
    ]
    n = edges.size - 1
    rival, own = np.nonzero(np.abs(np.arange(n)[:, None] - np.arange(n)) <= 2 * radius)
    conflict = np.arange(own.size)
    pairs = sp.csr_array((np.ones(2 * own.size), (np.tile(conflict, 2), np.append(rival, own + n))))
    best = linprog(-np.concatenate(mass), A_ub=pairs, b_ub=np.ones(own.size), bounds=(0, 1))
    classes = GaussianClasses(means=[[-0.8], [0.8]], covariance=1.0, positive_prior=positive_prior)
    # The bipartite program is integral, so -best.fun is one classifier's; a cell's width, where the
    # density is at most 0.4, parts the grid from the line.
    bound = robust_bayes_accuracy(classes, eps, norm=2)
    assert -best.fun == pytest.approx(bound, abs=0.4 * width)


@pytest.mark.parametrize("order", [2, np.inf])
@pytest.mark.parametrize("positive_prior", [0.2, 0.5, 0.9])
@pytest.mark.parametrize("covariance", [1.0, [[1.0, 0.3], [0.3, 2.0]]])
def test_robust_bayes_is_constant_once_the_ball_holds_the_means(order, positive_prior, covariance):
    classes = GaussianClasses(
        means=[[-0.25, 0.5], [0.25, -0.5]], covariance=covariance, positive_prior=positive_prior
    )
    size = np.linalg.norm([0.25, 0.5], ord=order)
    for eps in (size, 3.0, 1e6):
        best = robust_bayes_classifier(classes, eps, norm=order)
        assert not best.weights.any()
        assert (best.bias[0] > 0) == (positive_prior >= 0.5)
        assert robust_bayes_accuracy(classes, eps, norm=order) == max(
            positive_prior, 1 - positive_prior
        )
    # 1e-6: the accuracy is continuous, with slope at most 1 here.
    near = robust_bayes_accuracy(classes, np.nextafter(size, 0), norm=order)
    assert near == pytest.approx(max(positive_prior, 1 - positive_prior), abs=1e-6)


@pytest.mark.parametrize("order", [2, np.inf])
def test_robust_bayes_accuracy_falls_with_eps(order):
    classes, mu, _, _, _ = random_setting(2, d=5)
    grid = np.linspace(0, np.linalg.norm(mu, ord=order), 12)
    curve = [robust_bayes_accuracy(classes, eps, norm=order) for eps in grid]
    # 1e-12: rounding, where a rare label makes the curve flat.
    assert (np.diff(curve) <= 1e-12).all()
    assert curve[0] > curve[-1]


def test_linf_weights_are_soft_thresholded_means_over_variances():
    mu, variances = np.array([3.0, -1.0, 0.2, -0.5]), np.array([1.0, 4.0, 2.0, 0.5])
    for covariance in (variances, np.diag(variances)):
        classes = GaussianClasses(means=[-mu, mu], covariance=covariance)
        w = robust_bayes_classifier(classes, 0.5, norm=np.inf).weights[0]
        assert w == pytest.approx([2 * 2.5, -2 * 0.5 / 4, 0, 0], rel=1e-14)
        assert np.flatnonzero(w).tolist() == [0, 1]


@pytest.mark.parametrize("seed", range(10))
def test_linf_weights_are_exactly_zero_where_the_shift_is_not_held(seed):
    rng = np.random.default_rng([11, seed])
    d = 30
    Sigma = np.cov(rng.normal(size=(3 * d, d)) @ rng.normal(size=(d, d)), rowvar=False)
    classes = GaussianClasses(means=rng.normal(size=(2, d)), covariance=Sigma)
    mu = (classes.means[1] - classes.means[0]) / 2
    eps = 0.5 * np.abs(mu).max()
    w = robust_bayes_classifier(classes, eps, norm=np.inf).weights[0]
    z = mu - Sigma @ w / 2
    # 1e-9: rounding times the condition number, which squares that of a random matrix.
    held = np.abs(z) >= eps * (1 - 1e-9)
    assert 0 < np.count_nonzero(w) < d
    assert (held == (w != 0)).all()
    assert (np.sign(w[held]) == np.sign(z[held])).all()


@pytest.mark.parametrize("order", [2, np.inf])
@pytest.mark.parametrize("condition", [1e4, 1e8, 1e12])
def test_robust_bayes_stands_ill_conditioned_covariances_of_any_scale(order, condition):
    rng = np.random.default_rng(3)
    d, scale = 12, 1e-9
    basis = np.linalg.qr(rng.normal(size=(d, d)))[0]
    Sigma = scale * (basis * np.geomspace(1, 1 / condition, d)) @ basis.T
    Sigma = (Sigma + Sigma.T) / 2
    classes = GaussianClasses(means=1e3 * rng.normal(size=(2, d)), covariance=Sigma)
    mu = (classes.means[1] - classes.means[0]) / 2
    eps = 0.4 * np.linalg.norm(mu, ord=order)
    v = robust_bayes_classifier(classes, eps, norm=order).weights[0] / 2
    z = mu - Sigma @ v
    slack = 1e-14 * condition  # rounding times the condition number, with room for d
    assert np.linalg.norm(z, ord=order) <= eps * (1 + slack)
    assert v @ z == pytest.approx(eps * np.linalg.norm(v, ord=DUAL[order]), rel=slack)


def test_linf_weights_need_not_grow_sparser_with_eps():
    mu = np.array([-3.0, -2.0, 3.0])
    Sigma = [[6.0, -1.0, -2.0], [-1.0, 2.0, -2.0], [-2.0, -2.0, 10.0]]
    classes = GaussianClasses(means=[-mu, mu], covariance=Sigma)
    counts = [
        np.count_nonzero(robust_bayes_classifier(classes, eps, norm=np.inf).weights)
        for eps in (0.0, 1.0, 1.75, 2.5)
    ]
    assert counts == [3, 2, 3, 2]


@pytest.mark.parametrize("covariance", [[1.0, 0.0], 0.0, [[1.0, 1.0], [1.0, 1.0]]])
@pytest.mark.parametrize("order", [2, np.inf])
def test_robust_bayes_refuses_singular_covariances(covariance, order):
    classes = GaussianClasses(means=[[-1, 0], [1, 0]], covariance=covariance)
    with pytest.raises(UnsupportedSettingError, match=r"covariance must be nonsingular .*got "):
        robust_bayes_classifier(classes, 0.1, norm=order)


def test_robust_bayes_refuses_what_it_does_not_cover():
    classes = GaussianClasses(means=[[-1, 0], [1, 0]], covariance=1.0)
    with pytest.raises(UnsupportedSettingError, match="norm must be 2 or inf; got 1"):
        robust_bayes_classifier(classes, 0.1, norm=1)
    with pytest.raises(ValueError, match=r"eps must be at least 0; got -0\.1"):
        robust_bayes_classifier(classes, -0.1, norm=2)
    with pytest.raises(ValueError, match=r"eps must be one number; got shape \(2,\)"):
        robust_bayes_classifier(classes, [0.1, 0.2], norm=2)
