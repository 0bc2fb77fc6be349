"""How wrong Gaussian margins can be: limits met by laws, Student's tails by quadrature."""

import math

import numpy as np
import pytest
from scipy import stats
from scipy.integrate import quad
from scipy.optimize import linprog, minimize_scalar

from theory.mixtures import (
    MarginLaw,
    accuracy_after_drop,
    accuracy_limits,
    gaussian_error,
    student_accuracy,
    student_gap,
)


def one_label(mean, deviation=1.0):
    return MarginLaw(means=[mean, mean], deviations=[deviation, deviation], priors=[0.5, 0.5])


def random_law(seed):
    rng = np.random.default_rng([5, seed])
    prior = rng.uniform(0.1, 0.9)
    return MarginLaw(
        means=rng.normal(1.0, 1.0, 2),
        deviations=rng.uniform(0.2, 2.0, 2),
        priors=[prior, 1 - prior],
    )


@pytest.mark.parametrize("mean", [-2.0, -0.4, 0.05, 0.213, 1.0, 3.0])
def test_accuracy_limits_match_the_best_law_on_a_grid(mean):
    """On a grid the least and largest probability of given moments are linear programs."""
    grid = np.linspace(-12, 12, 2401)
    kept = (grid > 1e-9).astype(float)
    moments = {"A_eq": [np.ones_like(grid), grid, grid**2], "b_eq": [1, mean, mean**2 + 1]}
    least, most = (s * linprog(s * kept, bounds=(0, 1), **moments).fun for s in (1, -1))
    lower, upper = accuracy_limits(one_label(mean), 0.0)
    # Laws on the grid are laws: they keep within the limits, up to the solver's 1e-7.
    assert lower - 1e-6 <= least
    assert most <= upper + 1e-6
    # .01, the cell's width, moves the standing by as much; g has a slope below 1.
    assert least == pytest.approx(lower, abs=0.01)
    assert most == pytest.approx(upper, abs=0.01)


@pytest.mark.parametrize("seed", range(8))
def test_accuracy_limits_hold_for_laws_of_both_labels(seed):
    law, rng = random_law(seed), np.random.default_rng(seed)
    drops = np.linspace(0, 3, 7)
    lower, upper = accuracy_limits(law, drops)
    assert (lower <= upper).all()
    for _ in range(20):
        kept = np.zeros_like(drops)
        for mean, deviation, prior in zip(law.means, law.deviations, law.priors, strict=True):
            masses, values = rng.dirichlet([0.3] * 4), rng.normal(size=4)
            values -= masses @ values
            values *= deviation / np.sqrt(masses @ values**2)
            kept += prior * (masses @ (mean + values[:, None] > drops))
        # 1e-9: rounding of the moments.
        assert (lower - 1e-9 <= kept).all()
        assert (kept <= upper + 1e-9).all()


def test_accuracy_limits_of_point_masses_are_exact():
    law = MarginLaw(means=[1.0, -2.0], deviations=[0, 0], priors=[0.3, 0.7])
    limits = accuracy_limits(law, [0.0, 0.5, 1.0, 2.0])
    assert limits.lower.tolist() == limits.upper.tolist() == [0.3, 0.3, 0.0, 0.0]


@pytest.mark.parametrize("seed", range(8))
def test_gaussian_error_is_the_larger_distance_to_the_limits(seed):
    law, drops = random_law(seed), np.linspace(0, 3, 13)
    limits, gaussian = accuracy_limits(law, drops), accuracy_after_drop(law, drops)
    error = gaussian_error(law, drops)
    np.testing.assert_array_equal(
        error, np.maximum(gaussian - limits.lower, limits.upper - gaussian)
    )
    assert (error <= 0.5410).all()


def test_gaussian_error_for_one_label_is_g():
    for standing in (-3.0, -0.213, 0.1, 1.0, 2.5):
        size = abs(standing)
        g = stats.norm.cdf(size) - size**2 / (1 + size**2)
        # 1e-12: a few roundings.
        assert gaussian_error(one_label(3 + standing), 3.0) == pytest.approx(g, abs=1e-12)


def test_gaussian_error_has_its_stated_maximum():
    worst = minimize_scalar(
        lambda a: -float(gaussian_error(one_label(a), 0.0)), bounds=(0.01, 2), method="bounded"
    )
    assert worst.x == pytest.approx(0.2131, abs=1e-3)
    assert -worst.fun == pytest.approx(0.54094, abs=1e-5)


def test_gaussian_error_of_two_labels_can_be_below_the_mean_of_theirs():
    """One label stands above the drop, one below: their errors are worst in opposite directions."""
    law = MarginLaw(means=[1, 3], deviations=[1, 1], priors=[0.5, 0.5])
    each = [float(gaussian_error(one_label(mean), 2.0)) for mean in law.means]
    assert float(gaussian_error(law, 2.0)) < np.mean(each) - 0.05


@pytest.mark.parametrize("freedom", [2.05, 2.5, 4.0, 30.0])
def test_student_accuracy_is_a_mixture_of_gaussians(freedom):
    """Student's t is Gaussian of a random scale: quadrature over the chi-square says the same."""
    law = MarginLaw(means=[0.7, -0.2], deviations=[1.3, 0.5], priors=[0.4, 0.6])
    for drop in (0.0, 0.4, 2.0):

        def given(c, drop=drop):
            spread = law.deviations * math.sqrt((freedom - 2) / c)
            kept = stats.norm.sf((drop - law.means) / spread)
            return float(law.priors @ kept) * stats.chi2.pdf(c, freedom)

        total = quad(given, 0, 3)[0] + quad(given, 3, np.inf)[0]
        # 1e-7: quad's own error at the cusp at 0.
        assert student_accuracy(law, drop, freedom=freedom) == pytest.approx(total, abs=1e-7)


def test_student_accuracy_tends_to_the_gaussian():
    law, drops = random_law(1), np.linspace(0, 2, 5)
    gaussian = accuracy_after_drop(law, drops)
    np.testing.assert_array_equal(student_accuracy(law, drops, freedom=math.inf), gaussian)
    # The gap is about .14 / freedom.
    near = student_accuracy(law, drops, freedom=1e5)
    assert near == pytest.approx(gaussian, abs=2e-6)


def test_student_accuracy_of_point_masses_counts_a_tie_as_an_error():
    law = MarginLaw(means=[1.0, -2.0], deviations=[0, 0], priors=[0.3, 0.7])
    assert student_accuracy(law, [0.0, 0.5, 1.0], freedom=3.0).tolist() == [0.3, 0.3, 0.0]


@pytest.mark.parametrize("freedom", [2.01, 2.2, 3.0, 5.0, 30.0, 300.0])
def test_student_gap_is_the_largest_on_a_grid(freedom):
    where, gap = student_gap(freedom)
    standings = np.linspace(0, 8, 40_001)
    law = one_label(8.0)
    gaps = student_accuracy(law, 8 - standings, freedom=freedom) - accuracy_after_drop(
        law, 8 - standings
    )
    # 1e-7: the square of the grid's step, times a curvature below 1.
    assert np.abs(gaps).max() == pytest.approx(abs(gap), abs=1e-7)
    assert standings[np.abs(gaps).argmax()] == pytest.approx(where, abs=2e-3)
    assert gaps.min() < 0 < gaps.max()  # too little at middling budgets, too much far out


def test_student_gap_falls_with_freedom_from_a_half():
    gaps = [student_gap(freedom).gap for freedom in (2 + 1e-7, 2.1, 3.0, 6.0, 50.0)]
    assert (np.diff(gaps) < 0).all()
    assert 0.495 < gaps[0] < 0.5
    assert all(
        student_gap(freedom).gap <= float(gaussian_error(one_label(student_gap(freedom)[0]), 0.0))
        for freedom in (2.1, 3.0, 6.0)
    )


@pytest.mark.parametrize("freedom", [2.0, 1.0, -1.0, math.nan])
def test_student_refuses_freedoms_without_a_variance(freedom):
    with pytest.raises(ValueError, match="freedom must be"):
        student_accuracy(one_label(1.0), 0.0, freedom=freedom)
    with pytest.raises(ValueError, match="freedom must be"):
        student_gap(freedom)


def test_tails_refuse():
    with pytest.raises(ValueError, match=r"drop must be at least 0; got -1\.0"):
        accuracy_limits(one_label(1.0), -1.0)
    with pytest.raises(ValueError, match="freedom must be finite for a gap; got inf"):
        student_gap(math.inf)
