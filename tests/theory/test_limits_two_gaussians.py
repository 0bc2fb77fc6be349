"""The ceiling of two Gaussian classes at a given accuracy: lines that have it, rivals below it."""

import math

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.ndimage import distance_transform_edt
from scipy.spatial import cKDTree
from scipy.stats import multivariate_normal, ncx2, norm

from theory.limits import two_gaussians_distance_ceiling, two_gaussians_robust_ceiling
from theory.linear import LinearClassifier
from theory.mixtures import (
    GaussianClasses,
    bayes_classifier,
    clean_accuracy,
    margin_law,
    r_2,
    robust_accuracy,
    robust_bayes_accuracy,
)
from theory.validation import UnsupportedSettingError

# Near the highest accuracy a threshold moves by the root of a rounding of the accuracy.
ROOT_OF_ROUNDING = 1e-6


def even(separation=1.5, prior=0.7, d=2):
    means = np.zeros((2, d))
    means[:, 0] = -separation, separation
    return GaussianClasses(means=means, covariance=1.0, positive_prior=prior)


def random_setting(rng, d):
    root = rng.normal(size=(d, d))
    Sigma = (
        rng.uniform(0.1, 4),
        rng.uniform(0.1, 4, d),
        root @ root.T / d + 0.1 * np.eye(d),
    )[rng.integers(3)]
    classes = GaussianClasses(
        means=rng.normal(size=(2, d)), covariance=Sigma, positive_prior=rng.uniform(0.05, 0.95)
    )
    return classes, rng.uniform(0.01, 1.5), (2, math.inf)[rng.integers(2)]


def accuracy_of(classes, model):
    return clean_accuracy(margin_law(classes, model))


@pytest.mark.parametrize("count", [250, pytest.param(5000, marks=pytest.mark.slow)])
def test_no_line_passes_the_ceiling(count):
    rng = np.random.default_rng(0)
    for _ in range(count):
        classes, eps, order = random_setting(rng, int(rng.integers(1, 5)))
        w = bayes_classifier(classes).weights[0] + rng.normal(size=classes.dimension)
        model = LinearClassifier(weights=w, bias=rng.normal() - w @ classes.means.mean(axis=0))
        ceiling = two_gaussians_robust_ceiling(
            classes, accuracy_of(classes, model), eps, norm=order
        )
        kept = robust_accuracy(classes, model, eps, norm=order)
        assert kept <= ceiling + ROOT_OF_ROUNDING
        assert ceiling <= robust_bayes_accuracy(classes, eps, norm=order) + 1e-12
        # Of an accuracy near that of a constant rounding leaves no threshold.
        constant = max(classes.positive_prior, 1 - classes.positive_prior)
        if order == 2 and abs(accuracy_of(classes, model) - constant) > 1e-6:
            most = two_gaussians_distance_ceiling(classes, accuracy_of(classes, model))
            assert r_2(classes, model) <= most * (1 + ROOT_OF_ROUNDING)


@pytest.mark.parametrize("prior", [0.5, 0.7, 0.1])
@pytest.mark.parametrize("eps", [0.0, 0.4, 1.2, 1.5, 2.0])
def test_best_of_all_half_spaces_has_the_ceiling_where_variances_are_equal(prior, eps):
    # Half-spaces at every angle to the means, and with every threshold.
    classes, priors = even(prior=prior), np.array([1 - prior, prior])
    cosine, tilt = np.linspace(0, 1, 41)[:, None], np.linspace(-6, 6, 6001)
    ends = np.stack([1.5 * cosine - tilt, 1.5 * cosine + tilt], axis=-1)
    clean, kept = norm.cdf(ends) @ priors, norm.cdf(ends - eps) @ priors
    for wanted in (0.3, 0.6, 0.75, 0.92):
        got = two_gaussians_robust_ceiling(classes, wanted, eps, norm=2)
        best = kept[clean >= wanted].max()
        assert best <= got + 1e-9  # thresholds of the grid are among all
        assert got <= best + 1e-3  # the grid's steps of .002


def test_ceiling_binds_only_beyond_the_most_robust_classifiers_accuracy():
    classes = even(prior=0.8)
    robust = robust_bayes_accuracy(classes, 1.0, norm=2)
    wanted = np.linspace(0, accuracy_of(classes, bayes_classifier(classes)), 60)
    got = [two_gaussians_robust_ceiling(classes, a, 1.0, norm=2) for a in wanted]
    assert got[0] == pytest.approx(robust, rel=1e-12)
    assert (np.diff(got) <= 1e-12).all()
    # The most accurate one's threshold costs robust accuracy: the price of the last digits.
    own = robust_accuracy(classes, bayes_classifier(classes), 1.0, norm=2)
    assert got[-1] == pytest.approx(float(own), abs=ROOT_OF_ROUNDING)
    assert robust - got[-1] > 0.01


def test_equal_priors_and_variances_have_no_price():
    classes = even(prior=0.5)
    best = accuracy_of(classes, bayes_classifier(classes))
    got = two_gaussians_robust_ceiling(classes, best, 0.8, norm=2)
    assert got == pytest.approx(norm.cdf(0.7), rel=1e-12)
    assert two_gaussians_robust_ceiling(classes, best, 0.0, norm=2) == pytest.approx(best)


def test_a_line_is_as_robust_as_any_with_the_same_two_accuracies():
    # u and v as in the proof: a half-space at an angle with the cosine (u + v) / D has them.
    rng = np.random.default_rng(1)
    classes = even()
    for _ in range(50):
        u = rng.uniform(-2, 2, 2)
        if abs(u.sum()) > 3:
            continue
        cosine = u.sum() / 3
        model = LinearClassifier(weights=[cosine, math.sqrt(1 - cosine**2)], bias=(u[1] - u[0]) / 2)
        for eps in (0.0, 0.7):
            kept = robust_accuracy(classes, model, eps, norm=2)
            ceiling = np.array([0.3, 0.7]) @ norm.cdf(u - eps)
            assert kept == pytest.approx(ceiling, rel=1e-12)  # rounding


def test_no_ball_passes_the_ceiling():
    # +1 inside a ball on the axis of the means, Sigma = I: exact by noncentral chi-square laws.
    rng = np.random.default_rng(2)
    for _ in range(150):
        d, separation = int(rng.integers(1, 20)), rng.uniform(0.2, 2.5)
        classes = even(separation, rng.uniform(0.1, 0.9), d)
        center, eps = rng.uniform(0, 8), rng.uniform(0, 1.5)
        radius = math.sqrt(d) + center - rng.uniform(0, 2)
        if radius <= 0.05:
            continue
        inside, beyond = (ncx2(d, (center - m) ** 2) for m in (separation, -separation))
        prior = classes.positive_prior
        clean, kept = (
            prior * inside.cdf(max(radius - e, 0) ** 2) + (1 - prior) * beyond.sf((radius + e) ** 2)
            for e in (0.0, eps)
        )
        ceiling = two_gaussians_robust_ceiling(classes, clean, eps, norm=2)
        assert kept <= ceiling + ROOT_OF_ROUNDING


@pytest.mark.parametrize("count", [10, pytest.param(300, marks=pytest.mark.slow)])
def test_no_bent_rule_passes_the_ceiling_of_correlated_classes(count):
    # A plane of pixels, as in test_limits: the label of the nearest of some labelled points.
    rng = np.random.default_rng(3)
    side = np.linspace(-6, 6, 241)
    step = side[1] - side[0]
    points = np.stack(np.meshgrid(side, side, indexing="ij"), axis=-1).reshape(-1, 2)
    for _ in range(count):
        Sigma = np.array([[1.0, 0.6], [0.6, rng.uniform(0.5, 1.5)]])
        classes = GaussianClasses(
            means=rng.normal(size=(2, 2)), covariance=Sigma, positive_prior=rng.uniform(0.2, 0.8)
        )
        density = np.stack([multivariate_normal(m, Sigma).pdf(points) for m in classes.means])
        weights = density * step**2 * [[1 - classes.positive_prior], [classes.positive_prior]]
        seen = 2 * rng.normal(size=(60, 2))
        odds = bayes_classifier(classes).weights[0] @ (seen - classes.means.mean(axis=0)).T
        positive = (odds + rng.normal(size=60) > 0)[cKDTree(seen).query(points)[1]]
        away = [
            distance_transform_edt(right.reshape(241, 241)).ravel() * step
            for right in (~positive, positive)
        ]
        clean = sum(w @ (a > 0) for w, a in zip(weights, away, strict=True))
        for eps in (0.3, 0.8):
            kept = sum(w @ (a > eps) for w, a in zip(weights, away, strict=True))
            # .01: the mass of pixels that a boundary cuts
            ceiling = two_gaussians_robust_ceiling(
                classes, max(0, clean - 0.01), eps - 1.5 * step, norm=2
            )
            assert kept <= ceiling + 0.01


def test_mean_distance_is_that_of_the_line_moved_farthest():
    classes, wanted = even(prior=0.5), 0.9
    model = bayes_classifier(classes)
    biases = np.linspace(-12, 12, 2001)
    found = [
        float(r_2(classes, moved))
        for b in biases
        if accuracy_of(classes, moved := LinearClassifier(weights=model.weights, bias=b)) >= wanted
    ]
    got = two_gaussians_distance_ceiling(classes, wanted)
    assert max(found) <= got
    assert got == pytest.approx(max(found), abs=0.01)  # the grid's step of .012, over ‖w‖ = 3
    # Never below the integral of the ceilings of each budget, nor above by much here.
    whole = quad(lambda e: two_gaussians_robust_ceiling(classes, wanted, e, norm=2), 0, 12)[0]
    assert got <= whole + 1e-6


def test_a_constant_is_infinitely_far_from_its_boundary():
    assert two_gaussians_distance_ceiling(even(prior=0.7), 0.7) == math.inf
    assert two_gaussians_distance_ceiling(even(prior=0.7), 0.7001) < math.inf
    alike = GaussianClasses(means=[[1.0], [1.0]], covariance=1.0, positive_prior=0.3)
    assert two_gaussians_robust_ceiling(alike, 0.5, 1.0, norm=2) == 0.7
    assert two_gaussians_robust_ceiling(even(prior=0.7), 0.1, 9.0, norm=2) == 0.7


def test_other_covariances_shift_by_the_widest_direction():
    # The means differ along the narrow feature; an attack of 1 along the wide one is half of it.
    classes = GaussianClasses(means=[[-2, 0], [2, 0]], covariance=[1.0, 4.0], positive_prior=0.5)
    best = accuracy_of(classes, bayes_classifier(classes))
    got = two_gaussians_robust_ceiling(classes, best, 1.0, norm=2)
    assert got == pytest.approx(robust_bayes_accuracy(classes, 1.0, norm=2), abs=1e-9)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"accuracy": 0.99}, r"accuracy must be at most 0.94\d+, the highest there is; got 0.99"),
        ({"accuracy": -0.1}, r"accuracy must be in \[0, 1\]; got -0.1"),
        ({"accuracy": [0.5, 0.6]}, r"accuracy must be one number; got shape \(2,\)"),
        ({"eps": -1.0}, "eps must be at least 0; got -1"),
        ({"eps": [0.1, 0.2]}, r"eps must be one number; got shape \(2,\)"),
        ({"norm": 1}, "norm must be 2 or inf; got 1"),
    ],
)
def test_refusals_say_what_must_hold(changes, message):
    arguments = {"accuracy": 0.8, "eps": 0.5, "norm": 2} | changes
    with pytest.raises(ValueError, match=message):
        two_gaussians_robust_ceiling(even(), **arguments)


def test_singular_covariance_is_refused():
    classes = GaussianClasses(means=[[-1, 0], [1, 0]], covariance=[1.0, 0.0])
    with pytest.raises(UnsupportedSettingError, match="covariance must be nonsingular"):
        two_gaussians_robust_ceiling(classes, 0.5, 0.1, norm=2)
