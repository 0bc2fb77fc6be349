"""Ceilings of one Gaussian class and of generators: what reaches them, and what does not pass."""

import math

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.ndimage import distance_transform_edt
from scipy.spatial import cKDTree
from scipy.stats import ncx2, norm

from theory.limits import (
    gaussian_distance_ceiling,
    gaussian_robust_ceiling,
    generator_distance_ceiling,
    generator_robust_ceiling,
    largest_deviation,
)
from theory.validation import UnsupportedSettingError

ROUNDING = 1e-12  # a handful of roundings of numbers of order one
DUAL = {2: 2, math.inf: 1}


def covariance(rng, d):
    root = rng.normal(size=(d, d))
    return root @ root.T / d + 0.05 * np.eye(d)


@pytest.mark.parametrize("order", [2, math.inf])
def test_largest_deviation_is_that_of_the_widest_direction(order):
    rng = np.random.default_rng(0)
    for d in (1, 2, 5):
        Sigma = covariance(rng, d)
        w = rng.normal(size=(20_000, d))
        w = np.vstack([w, np.linalg.eigh(Sigma)[1].T, np.eye(d)])
        w /= np.linalg.norm(w, ord=DUAL[order], axis=1, keepdims=True)
        spread = np.sqrt(np.einsum("ij,jk,ik->i", w, Sigma, w))
        assert largest_deviation(Sigma, norm=order) == pytest.approx(spread.max(), rel=1e-10)
    assert largest_deviation(4.0, norm=order) == largest_deviation([1.0, 4.0], norm=order) == 2.0


@pytest.mark.parametrize("order", [2, math.inf])
def test_the_widest_half_space_has_the_ceiling(order):
    rng = np.random.default_rng(1)
    for d in (1, 3, 6):
        Sigma = covariance(rng, d)
        axes = np.linalg.eigh(Sigma)[1].T if order == 2 else np.eye(d)
        w = max(axes, key=lambda axis: axis @ Sigma @ axis)
        deviation, eps, cut = math.sqrt(w @ Sigma @ w), rng.uniform(0.1, 2), rng.uniform(-1, 2)

        def density(s, deviation=deviation):
            return math.exp(-((s / deviation) ** 2) / 2) / deviation / math.sqrt(2 * math.pi)

        # An attack lowers w·x by eps times w's dual norm, which is 1.
        clean, left = (quad(density, e - cut, 40 * deviation, points=[0])[0] for e in (0.0, eps))
        s = largest_deviation(Sigma, norm=order)
        assert gaussian_robust_ceiling(clean, eps, deviation=s) == pytest.approx(left, abs=1e-7)


def test_narrowest_deviation_gives_a_bound_that_is_false():
    # Errors beyond two deviations of the wider of two features.
    Sigma, eps, left = np.diag([1.0, 4.0]), 1.0, norm.cdf(0.5)
    wide = gaussian_robust_ceiling(norm.cdf(1.0), eps, deviation=largest_deviation(Sigma))
    assert wide == pytest.approx(left, rel=ROUNDING)
    assert gaussian_robust_ceiling(norm.cdf(1.0), eps, deviation=1.0) < left - 0.19


def test_no_ball_nor_the_rest_of_one_passes_the_ceiling():
    # Exact: the squared distance from a center has a noncentral chi-square law.
    rng = np.random.default_rng(2)
    n = 5000
    d, away, eps = rng.integers(1, 60, n), rng.uniform(0, 6, n), rng.uniform(0, 3, n)
    radius = np.sqrt(d) + rng.uniform(-2, 5, n)
    radius = radius.clip(min=0.1)
    law = ncx2(d, away**2)
    inside, outside = law.cdf(radius**2), law.sf(radius**2)
    kept_inside = law.cdf((radius - eps).clip(min=0) ** 2)
    kept_outside = law.sf((radius + eps) ** 2)
    for clean, kept in ((inside, kept_inside), (outside, kept_outside)):
        told = (clean < 1 - 1e-9) & (clean > 1e-9)  # of the rest rounding leaves no score
        assert told.sum() > 2000
        assert (kept <= gaussian_robust_ceiling(clean, eps) + 1e-7)[told].all()
    # A ball far away and large is a half-space: the ceiling is approached.
    huge = ncx2(2, 1e4**2)
    clean, kept = huge.cdf((1e4 + 1) ** 2), huge.cdf((1e4 + 0.5) ** 2)
    assert kept == pytest.approx(gaussian_robust_ceiling(clean, 0.5), abs=1e-3)


def intervals(rng, n):
    """Return n unions of one to four intervals, their ends sorted (n, 8)."""
    ends = np.sort(rng.normal(size=(n, 8)) * rng.uniform(0.3, 3, (n, 1)), axis=1)
    ends[rng.random(n) < 0.5, 0] = -np.inf
    ends[rng.random(n) < 0.5, -1] = np.inf
    drop = 2 * rng.integers(1, 4, n)
    for row, k in enumerate(drop):  # some are one or two intervals only
        ends[row, 1 : 1 + k] = ends[row, 1]
    return ends.reshape(n, 4, 2)


def mass(ends, lost):
    lo, hi = ends[..., 0] + lost, ends[..., 1] - lost
    return np.where(lo < hi, norm.cdf(hi) - norm.cdf(lo), 0.0).sum(axis=-1)


def test_no_union_of_slabs_passes_the_ceiling():
    rng = np.random.default_rng(3)
    ends, eps = intervals(rng, 4000), rng.uniform(0, 2, 4000)
    clean, kept = mass(ends, np.zeros((4000, 1))), mass(ends, eps[:, None])
    told = (clean < 1 - 1e-9) & (clean > 1e-9)
    assert (kept <= gaussian_robust_ceiling(clean, eps) + 1e-7)[told].all()


def relu_rule(rng, points):
    hidden = np.maximum(points @ rng.normal(size=(2, 12)) + rng.normal(size=12), 0)
    return hidden @ rng.normal(size=12) + rng.normal() > 0


def neighbour_rule(rng, points):
    k = int(rng.choice([1, 3]))
    seen = 2 * rng.normal(size=(40, 2))
    labels = rng.random(40) < 1 / (1 + np.exp(-2 * seen[:, 0]))
    found = cKDTree(seen).query(points, k=[*range(1, k + 1)])[1]
    return labels[found].mean(axis=1) > 0.5


@pytest.mark.parametrize("rule", [relu_rule, neighbour_rule])
@pytest.mark.parametrize("count", [12, pytest.param(600, marks=pytest.mark.slow)])
def test_no_network_nor_neighbours_pass_the_ceiling(rule, count):
    # A plane of pixels: a pixel is robust if no error's pixel is within eps; the errors of a pixel
    # may begin half a diagonal before its middle, and so may the input.
    rng = np.random.default_rng(4)
    side = np.linspace(-5, 5, 251)
    step = side[1] - side[0]
    points = np.stack(np.meshgrid(side, side, indexing="ij"), axis=-1).reshape(-1, 2)
    for _ in range(count):
        Sigma = covariance(rng, 2)
        Sigma /= largest_deviation(Sigma) ** 2
        density = np.exp(-np.einsum("ij,jk,ik->i", points, np.linalg.inv(Sigma), points) / 2)
        density /= density.sum()
        right = rule(rng, points)
        clean = density @ right
        if not 0.01 < clean < 0.999:
            continue
        away = distance_transform_edt(right.reshape(251, 251)).ravel() * step
        for eps in (0.2, 0.6, 1.2):
            kept = density @ (away > eps)
            # .01: the mass of pixels that a boundary cuts
            assert kept <= gaussian_robust_ceiling(clean, eps - 1.5 * step) + 0.01


def test_two_budgets_add_in_their_deviations():
    # The half-space across a feature, Sigma = I: an L2 move of .3 and a Linf move of .4 after it.
    shift = 0.3 / largest_deviation(1.0) + 0.4 / largest_deviation(1.0, norm=math.inf)
    assert gaussian_robust_ceiling(norm.cdf(1.5), shift) == pytest.approx(norm.cdf(0.8), rel=1e-12)


def test_ceiling_at_its_ends():
    assert gaussian_robust_ceiling([0.0, 1.0], 3.0).tolist() == [0.0, 1.0]
    share = np.linspace(0.01, 0.99, 50)
    # rounding of Φ and back
    assert gaussian_robust_ceiling(share, 0.0) == pytest.approx(share, rel=1e-12)
    assert gaussian_robust_ceiling(0.9, 50.0) < 1e-100
    falling = gaussian_robust_ceiling(0.9, np.linspace(0, 5, 50), deviation=2.0)
    assert (np.diff(falling) < 0).all()


@pytest.mark.parametrize("share", [1e-6, 0.3, 0.5, 0.9, 1 - 1e-9])
def test_mean_distance_is_the_integral_of_the_ceiling(share):
    # quad's own 1e-8
    found = quad(lambda e: float(gaussian_robust_ceiling(share, e, deviation=1.7)), 0, 30)[0]
    got = gaussian_distance_ceiling(share, deviation=1.7)
    assert got == pytest.approx(found, rel=1e-6, abs=1e-12)
    shares = np.array([share, 1 - share])
    found = quad(lambda e: float(generator_robust_ceiling(shares, e, lipschitz=1.7)), 0, 30)[0]
    assert generator_distance_ceiling(shares, lipschitz=1.7) == pytest.approx(found, rel=1e-6)


def test_mean_distance_at_its_ends():
    assert gaussian_distance_ceiling([0.0, 1.0]).tolist() == [0.0, math.inf]
    assert generator_distance_ceiling([0.0, 1.0]) == math.inf
    # r_2 of a half-space, by hand: E max(z, 0)
    assert gaussian_distance_ceiling(0.5) == pytest.approx(1 / math.sqrt(2 * math.pi), rel=1e-15)


def test_two_halves_of_a_linear_generator_have_the_ceiling():
    # P(|z| > eps / L)
    eps = np.array([0.0, 0.3, 1.0, 4.0])
    got = generator_robust_ceiling([0.5, 0.5], eps, lipschitz=2.0)
    assert got == pytest.approx(2 * norm.sf(eps / 2), rel=ROUNDING)


def test_no_labels_of_a_bent_line_pass_the_ceiling():
    # x = g(z) on a line, g rising with slopes of at most L; labels change where z passes a cut.
    rng = np.random.default_rng(5)
    z = np.linspace(-8, 8, 4001)
    weights = norm.pdf(z) / norm.pdf(z).sum()
    for _ in range(150):
        lipschitz = rng.uniform(0.5, 2)
        slopes = lipschitz * rng.random(40).clip(0.1, 1)
        x = np.interp(z, np.linspace(-8, 8, 41), np.concatenate([[0], np.cumsum(slopes * 0.4)]))
        cuts = np.sort(2 * rng.normal(size=4))
        labels = rng.integers(0, 3, 5)[np.searchsorted(cuts, z)]
        changes = np.flatnonzero(np.diff(labels))
        if changes.size == 0:
            continue
        ends = (x[changes] + x[changes + 1]) / 2
        away = np.abs(x[:, None] - ends).min(axis=1)
        shares = [weights[labels == k].sum() for k in range(3)]
        for eps in (0.1, 0.5, 1.5):
            # .005: half the mass of a node at each of six ends
            assert weights @ (away > eps) <= 0.005 + generator_robust_ceiling(
                shares, eps, lipschitz=lipschitz
            )


def test_shares_of_at_most_half_are_below_two_tails_and_those_below_the_paper():
    rng = np.random.default_rng(6)
    moved = np.linspace(0, 6, 40)
    two, published = 2 * norm.sf(moved), np.sqrt(np.pi / 2) * np.exp(-(moved**2) / 2)
    for k in (2, 3, 5, 20):
        for _ in range(50):
            shares = rng.dirichlet(np.full(k, 0.5))
            if shares.max() <= 0.5:
                assert (generator_robust_ceiling(shares, moved) <= two + ROUNDING).all()
    assert (published >= math.sqrt(math.pi / 2) * two - ROUNDING).all()
    assert published[moved < 0.67].min() > 1  # and says nothing there
    assert published[20] / two[20] > 5  # at 3.08
    # With one label of more than half it may be above: the condition is needed.
    assert generator_robust_ceiling([0.99, 0.01], 1.0) > 2 * norm.sf(1.0)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: gaussian_robust_ceiling(1.1, 0.0), r"accuracy must be in \[0, 1\]; got 1.1"),
        (lambda: gaussian_robust_ceiling(0.9, -1.0), "eps must be at least 0; got -1"),
        (lambda: gaussian_robust_ceiling(0.9, math.nan), "eps must be finite; got nan"),
        (lambda: gaussian_robust_ceiling(0.9, 1.0, deviation=0.0), "deviation must be a number ab"),
        (lambda: gaussian_distance_ceiling(-0.1), r"accuracy must be in \[0, 1\]; got -0.1"),
        (lambda: generator_robust_ceiling([0.5, 0.4], 1.0), r"sum to 1; got \[0.5, 0.4\]"),
        (lambda: generator_robust_ceiling(1.0, 1.0), r"shape \(k,\) and sum to 1; got 1.0"),
        (lambda: generator_distance_ceiling([1.0], lipschitz=-2), "lipschitz must be a number abo"),
        (lambda: largest_deviation(-1.0), "no negative variance; got -1"),
        (lambda: largest_deviation([[1.0, 0.5], [0.4, 1.0]]), "must be symmetric"),
        (lambda: largest_deviation([[1.0, 2.0], [2.0, 1.0]]), "positive semidefinite; got -1"),
        (lambda: largest_deviation(np.ones((2, 3))), r"shape \(\), \(d,\) or \(d, d\); got"),
        (lambda: largest_deviation(1.0, norm=3), "norm must be 0, 1, 2 or inf; got 3"),
    ],
)
def test_refusals_say_what_must_hold(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_norms_without_a_theorem_are_refused():
    with pytest.raises(UnsupportedSettingError, match="norm must be 2 or inf; got 1"):
        largest_deviation(1.0, norm=1)
    with pytest.raises(TypeError, match="accuracy must be an array of numbers"):
        gaussian_robust_ceiling("high", 1.0)
