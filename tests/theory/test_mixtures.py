"""Gaussian classes: closed forms against samples and integrals; limits, symmetry, refusals."""

import math

import numpy as np
import pytest
import scipy.sparse as sp
from scipy.integrate import dblquad, quad
from scipy.stats import multivariate_normal, norm

from theory.linear import LinearClassifier
from theory.mixtures import (
    GaussianClasses,
    MarginLaw,
    accuracy_after_drop,
    clean_accuracy,
    margin_law,
    mean_positive_margin,
    r_2,
    r_inf,
    robust_accuracy,
)
from theory.validation import UnsupportedSettingError

SETTINGS = 60


def random_factor(rng, d, kind):
    """Return a square root of a covariance of the kind, and the covariance as one may give it."""
    if kind == "scalar":
        deviation = rng.uniform(0.3, 2.0)
        return deviation * np.eye(d), deviation**2
    if kind == "diagonal":
        deviations = rng.uniform(0.3, 2.0, size=d)
        return np.diag(deviations), deviations**2
    factor = rng.normal(size=(d, d)) / math.sqrt(d) + 0.3 * np.eye(d)
    return factor, factor @ factor.T


def random_setting(seed):
    """Return classes, a factor of their covariance, a model, an eps and a norm."""
    rng = np.random.default_rng(seed)
    d = int(rng.integers(1, 7))
    factor, covariance = random_factor(rng, d, ("scalar", "diagonal", "full")[seed % 3])
    means = rng.normal(size=(2, d)) + rng.normal(size=d) * np.array([[-1], [1]])
    classes = GaussianClasses(
        means=means, covariance=covariance, positive_prior=rng.uniform(0.05, 0.95)
    )
    w = (means[1] - means[0]) * rng.uniform(0, 2, size=d) + 0.3 * rng.normal(size=d)
    model = LinearClassifier(weights=w, bias=-w @ means.mean(axis=0) + 0.3 * rng.normal())
    return classes, factor, model, rng.uniform(0, 1), (1, 2, np.inf)[seed // 3 % 3]


def worst_direction(w, order):
    """Return v of norm 1 with the largest w·v."""
    if order == 1:
        return np.sign(w) * (np.arange(w.size) == np.argmax(np.abs(w)))
    return w / np.linalg.norm(w) if order == 2 else np.sign(w)


def check_against_samples(seed, n):
    """Compare each closed form with the mean over inputs x of what it is defined to be."""
    classes, factor, model, eps, order = random_setting(seed)
    rng = np.random.default_rng([seed, n])
    w, b = model.weights[0], model.bias[0]
    y = np.where(rng.random(n) < classes.positive_prior, 1, -1)
    x = classes.means[(y + 1) // 2] + rng.normal(size=(n, w.size)) @ factor.T
    foot = x - ((x @ w + b) / (w @ w))[:, None] * w  # the nearest point of the boundary

    def is_right(points):
        return y * (points @ w + b) > 0

    def attacked(norm_order):
        return x - eps * y[:, None] * worst_direction(w, norm_order)

    law = margin_law(classes, model)
    pairs = [
        (clean_accuracy(law), is_right(x)),
        (robust_accuracy(classes, model, eps, norm=order), is_right(attacked(order))),
        (r_inf(classes, model, eps), is_right(attacked(np.inf))),
        (r_2(classes, model), is_right(x) * np.linalg.norm(x - foot, axis=1)),
        (mean_positive_margin(law), np.maximum(y * (x @ w + b), 0)),
    ]
    # False alarm: 60 settings, 5 statistics, 4 standard errors: 300 * 6.3e-5 = 2 % for the normal
    # law, once, as the rng is fixed; 10/n covers events so rare that their count is not normal.
    for predicted, samples in pairs:
        margin = 4 * samples.std() / math.sqrt(n) + 10 / n
        assert predicted == pytest.approx(samples.mean(), abs=margin, rel=0)


@pytest.mark.parametrize("seed", range(SETTINGS))
def test_closed_forms_match_samples(seed):
    check_against_samples(seed, 20_000)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(SETTINGS))
def test_closed_forms_match_a_million_samples(seed):
    check_against_samples(seed, 1_000_000)


@pytest.mark.parametrize("order", [1, 2, np.inf])
def test_accuracies_match_integrals_over_the_plane(order):
    classes = GaussianClasses(
        means=[[-0.4, -0.9], [0.8, 0.5]], covariance=[[1.0, 0.4], [0.4, 0.7]], positive_prior=0.3
    )
    model, eps = LinearClassifier(weights=[-0.5, 1.2], bias=0.2), 0.35
    w, b = model.weights[0], model.bias[0]

    def integral(value, drop):
        """Return the integral of value(x) over the x of either label whose margin exceeds drop."""
        total = 0.0
        for y, prior in ((-1, 0.7), (1, 0.3)):
            pdf = multivariate_normal(classes.means[(y + 1) // 2], classes.covariance).pdf

            def weighed(v, u, y=y, pdf=pdf):
                return value(u, y * v) * pdf([u, y * v])

            def edge(u, y=y):  # v = y x_2 where the margin is drop
                return min((drop - y * (w[0] * u + b)) / w[1], 8)

            total += prior * dblquad(weighed, -7, 7, edge, 8, epsabs=1e-7)[0]
        return total

    robust = integral(lambda *x: 1.0, eps * worst_direction(w, order) @ w)
    distance = integral(lambda *x: abs(w @ x + b) / np.hypot(*w), 0.0)
    # 1e-6: the tolerance asked of the quadrature, and the tails beyond 7.
    assert robust_accuracy(classes, model, eps, norm=order) == pytest.approx(robust, abs=1e-6)
    assert r_2(classes, model) == pytest.approx(distance, abs=1e-6)


def test_law_functions_match_integrals_when_deviations_differ():
    law = MarginLaw(means=[-0.7, 1.3], deviations=[2.0, 0.4], priors=[0.6, 0.4])
    for drop in (0.0, 0.5, 3.0):
        tail = mean = 0.0
        for prior, m, s in zip(law.priors, law.means, law.deviations, strict=True):
            tail += prior * quad(norm(m, s).pdf, drop, m + 12 * s)[0] if drop < m + 12 * s else 0
            mean += prior * quad(lambda u, m=m, s=s: u * norm(m, s).pdf(u), 0, m + 12 * s)[0]
        # 1e-8: quad's own default error.
        assert accuracy_after_drop(law, drop) == pytest.approx(tail, abs=1e-8)
        assert mean_positive_margin(law) == pytest.approx(mean, abs=1e-8)


def test_point_masses_count_a_tie_as_an_error():
    law = MarginLaw(means=[1.0, -2.0], deviations=[0, 0], priors=[0.3, 0.7])
    assert accuracy_after_drop(law, [0.0, 0.5, 1.0, 2.0]).tolist() == [0.3, 0.3, 0.0, 0.0]
    assert mean_positive_margin(law) == 0.3
    assert clean_accuracy(MarginLaw(means=[0, 0], deviations=[0, 0], priors=[0.5, 0.5])) == 0.0


def test_point_mass_is_the_limit_of_small_deviations():
    for means in ([1.0, -2.0], [0.3, 0.0]):
        mass = MarginLaw(means=means, deviations=[0, 0], priors=[0.3, 0.7])
        near = MarginLaw(means=means, deviations=[1e-300, 1e-300], priors=[0.3, 0.7])
        assert mean_positive_margin(near) == mean_positive_margin(mass)
        assert accuracy_after_drop(near, 0.5) == accuracy_after_drop(mass, 0.5)


def test_singular_covariance_gives_point_masses_along_its_null_space():
    classes = GaussianClasses(means=[[-1, 0], [1, 0]], covariance=[[0.0, 0.0], [0.0, 4.0]])
    model = LinearClassifier(weights=[2.0, 0.0])
    assert margin_law(classes, model).deviations.tolist() == [0.0, 0.0]
    assert robust_accuracy(classes, model, [0.0, 0.99, 1.0], norm=2).tolist() == [1.0, 1.0, 0.0]


@pytest.mark.parametrize("seed", range(9))
def test_robust_accuracy_limits_in_eps(seed):
    classes, _, model, _, order = random_setting(seed)
    curve = robust_accuracy(classes, model, [0.0, 0.1, 0.5, 1.0, 1e9], norm=order)
    assert curve[0] == clean_accuracy(margin_law(classes, model))
    assert curve[-1] == 0.0
    assert (np.diff(curve) < 0).all()
    assert robust_accuracy(classes, model, np.zeros((2, 3)), norm=order).shape == (2, 3)
    if classes.dimension > 1:  # a larger ball holds a better attack
        l1, l2, linf = (robust_accuracy(classes, model, 0.5, norm=p) for p in (1, 2, np.inf))
        assert l1 > l2 > linf


@pytest.mark.parametrize(("bias", "kept"), [(-1.0, 0.7), (1.0, 0.3)])
def test_constant_classifier_keeps_the_prior_of_its_label(bias, kept):
    classes = GaussianClasses(means=[[-1, 0], [1, 0]], covariance=1.0, positive_prior=0.3)
    constant = LinearClassifier(weights=[0.0, 0.0], bias=bias)
    assert robust_accuracy(classes, constant, [0.0, 9.0], norm=2).tolist() == [kept, kept]


@pytest.mark.parametrize("seed", range(6))
def test_values_are_invariant_to_relabelling_moving_and_scaling(seed):
    classes, _, model, eps, order = random_setting(seed)
    w, b, means, prior = model.weights[0], model.bias[0], classes.means, classes.positive_prior
    same = {"covariance": classes.covariance}
    relabelled = GaussianClasses(means=means[::-1], positive_prior=1 - prior, **same)
    moved = GaussianClasses(means=means + 3.0, positive_prior=prior, **same)
    twins = [
        (relabelled, LinearClassifier(weights=-w, bias=-b)),
        (moved, LinearClassifier(weights=w, bias=b - 3.0 * w.sum())),
        (classes, LinearClassifier(weights=7.0 * w, bias=7.0 * b)),
        (classes, LinearClassifier(weights=sp.csr_array(w[None, :]), bias=b)),
    ]
    accuracy, distance = robust_accuracy(classes, model, eps, norm=order), r_2(classes, model)
    for twin_classes, twin_model in twins:
        # 1e-12: a few roundings of numbers of order one.
        twin = robust_accuracy(twin_classes, twin_model, eps, norm=order)
        assert twin == pytest.approx(accuracy, abs=1e-12)
        assert r_2(twin_classes, twin_model) == pytest.approx(distance, abs=1e-12)


def test_covariance_forms_agree():
    model = LinearClassifier(weights=[1.0, -2.0], bias=0.3)
    laws = [
        margin_law(GaussianClasses(means=[[0, 1], [1, 0]], covariance=form), model)
        for form in (2.5, [2.5, 2.5], [[2.5, 0.0], [0.0, 2.5]])
    ]
    for law in laws:
        # 1e-15: one rounding of the square root.
        assert law.deviations == pytest.approx(np.sqrt([12.5, 12.5]), rel=1e-15)


GOOD = {"means": [[-1.0, 0.0], [1.0, 0.0]], "covariance": 1.0}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"means": [1.0, 2.0]}, r"means must have shape \(2, d\).*got shape \(2,\)"),
        ({"means": [[1.0], [2.0], [3.0]]}, r"means .*got shape \(3, 1\)"),
        ({"means": [[], []]}, r"means .*got shape \(2, 0\)"),
        ({"means": [[0.0, math.nan], [1.0, 0.0]]}, r"means must be finite; got nan at .*\(0, 1\)"),
        ({"covariance": -1.0}, r"no negative variance; got -1\.0"),
        ({"covariance": [1.0, -2.0]}, r"no negative variance; got -2\.0"),
        ({"covariance": [1.0, 1.0, 1.0]}, r"covariance must have shape .*got shape \(3,\)"),
        ({"covariance": [[1.0, 0.5], [0.4, 1.0]]}, r"covariance must be symmetric; got .*0\.0999"),
        ({"covariance": [[1.0, 2.0], [2.0, 1.0]]}, r"positive semidefinite; got .*-(1\.0|0\.999)"),
        ({"covariance": math.inf}, r"covariance must be finite; got inf"),
        ({"positive_prior": 0.0}, r"positive_prior must be a number in \(0, 1\); got 0\.0"),
        ({"positive_prior": 1.0}, r"positive_prior .*got 1\.0"),
        ({"positive_prior": [0.5, 0.5]}, r"positive_prior .*got \[0\.5 0\.5\]"),
        ({"positive_prior": math.nan}, r"positive_prior must be finite; got nan"),
    ],
)
def test_gaussian_classes_refuse(change, message):
    with pytest.raises(ValueError, match=message):
        GaussianClasses(**(GOOD | change))


def test_gaussian_classes_refuse_what_is_not_numbers():
    with pytest.raises(TypeError, match="means must be an array of numbers; got 'two'"):
        GaussianClasses(means="two", covariance=1.0)


def test_gaussian_classes_take_covariances_that_rounding_made_indefinite():
    row = np.array([[0.1, 0.7, 0.3]])
    classes = GaussianClasses(means=np.zeros((2, 3)), covariance=row.T @ row - 1e-17 * np.eye(3))
    law = margin_law(classes, LinearClassifier(weights=[7.0, -1.0, 0.0]))
    # 1e-7: the square root of rounding.
    assert law.deviations == pytest.approx([0.0, 0.0], abs=1e-7)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"means": [1.0]}, r"means must have shape \(2,\); got shape \(1,\)"),
        ({"deviations": [1.0, -0.5]}, r"deviations must be at least 0; got -0\.5"),
        ({"priors": [1.5, -0.5]}, r"priors must be at least 0; got -0\.5"),
        ({"priors": [0.5, 0.6]}, r"priors must sum to 1; got \[0\.5, 0\.6\]"),
        ({"means": [0.0, math.inf]}, r"means must be finite; got inf at index 1"),
    ],
)
def test_margin_law_refuses(change, message):
    good = {"means": [1.0, 1.0], "deviations": [1.0, 1.0], "priors": [0.5, 0.5]}
    with pytest.raises(ValueError, match=message):
        MarginLaw(**(good | change))


def test_accuracies_refuse_what_they_do_not_cover():
    classes, model = GaussianClasses(**GOOD), LinearClassifier(weights=[1.0, 0.0])
    law = margin_law(classes, model)
    three = LinearClassifier(weights=np.eye(3, 2), bias=0.0)
    wide = LinearClassifier(weights=[1.0, 0.0, 0.0])
    with pytest.raises(ValueError, match=r"drop must be at least 0; got -0\.1"):
        accuracy_after_drop(law, [0.0, -0.1])
    with pytest.raises(ValueError, match="drop must be finite; got nan"):
        accuracy_after_drop(law, math.nan)
    with pytest.raises(ValueError, match=r"eps must be at least 0; got -1\.0"):
        robust_accuracy(classes, model, -1.0, norm=2)
    with pytest.raises(ValueError, match="norm must be 0, 1, 2 or inf; got 3"):
        robust_accuracy(classes, model, 1.0, norm=3)
    with pytest.raises(UnsupportedSettingError, match="norm must be 1, 2 or inf; got 0"):
        robust_accuracy(classes, model, 1.0, norm=0)
    with pytest.raises(UnsupportedSettingError, match="got a model with 3 labels"):
        margin_law(classes, three)
    with pytest.raises(ValueError, match=r"dimension d=2; got 3"):
        margin_law(classes, wide)
    with pytest.raises(UnsupportedSettingError, match="got w=0"):
        r_2(classes, LinearClassifier(weights=[0.0, 0.0], bias=1.0))
