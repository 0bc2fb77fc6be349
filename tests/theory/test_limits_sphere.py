"""Ceilings on spheres: caps have them, other errors stay below, and the order is 1/√d."""

import math

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.spatial import cKDTree
from scipy.special import gammaln
from scipy.stats import norm

from theory.limits import (
    cap_angle,
    cap_measure,
    chord,
    sphere_arc_ceiling,
    sphere_arc_rate,
    sphere_distance_ceiling,
    sphere_robust_ceiling,
)
from theory.validation import UnsupportedSettingError

DIMENSIONS = (2, 3, 4, 9, 60, 1000)


def density(d):
    constant = math.exp(gammaln(d / 2) - gammaln((d - 1) / 2)) / math.sqrt(math.pi)
    return lambda angle: constant * math.sin(angle) ** (d - 2)


def share(d, lo, hi):
    return quad(density(d), lo, hi, epsabs=1e-13, epsrel=1e-11, limit=500)[0] if lo < hi else 0.0


@pytest.mark.parametrize("d", DIMENSIONS)
def test_cap_measure_is_the_integral_of_its_density(d):
    width = 4 / math.sqrt(d)
    for angle in np.linspace(max(0.05, math.pi / 2 - width), min(3.1, math.pi / 2 + width), 12):
        # quad's tolerance, and its digits of gammaln
        assert cap_measure(angle, d) == pytest.approx(share(d, 0, angle), rel=1e-9)
    assert cap_measure([-2.0, 0.0, math.pi / 2, math.pi, 7.0], d) == pytest.approx(
        [0, 0, 0.5, 1, 1],
        abs=1e-14,  # some roundings
    )


def test_caps_by_hand():
    angle = np.linspace(0, math.pi, 30)
    assert cap_measure(angle, 2) == pytest.approx(angle / math.pi, abs=1e-15)
    assert cap_measure(angle, 3) == pytest.approx((1 - np.cos(angle)) / 2, abs=1e-15)  # Archimedes


@pytest.mark.parametrize("d", [*DIMENSIONS, 10**6])
def test_cap_angle_is_the_inverse(d):
    shares = np.concatenate([np.logspace(-200, -1, 40), [0.3, 0.5 - 1e-12, 0.5, 0.7, 1 - 1e-12]])
    # 1e-9: some d/2 roundings of the logarithm of a tiny share
    assert cap_measure(cap_angle(shares, d), d) == pytest.approx(shares, rel=1e-9)
    assert cap_angle([0.0, 0.5, 1.0], d) == pytest.approx([0, math.pi / 2, math.pi], rel=1e-15)
    near = math.pi / 2 + np.array([-1e-9, 1e-9]) / math.sqrt(d)
    assert cap_angle(cap_measure(near, d), d) - math.pi / 2 == pytest.approx(
        near - math.pi / 2, rel=1e-3, abs=1e-15
    )


@pytest.mark.parametrize("d", DIMENSIONS)
def test_errors_that_are_a_cap_have_the_ceilings(d):
    # Errors within an angle of a pole; R = 1.5.
    angle, R = math.pi / 2 - 1.2 / math.sqrt(d), 1.5
    accuracy = share(d, angle, math.pi)
    for eps in np.array([0.0, 0.3, 1.1]) / math.sqrt(d):
        turn = 2 * math.asin(eps / (2 * R))
        got = sphere_robust_ceiling(accuracy, eps, dimension=d, radius=R)
        assert got == pytest.approx(share(d, angle + turn, math.pi), abs=1e-9)
        along = sphere_robust_ceiling(accuracy, chord(R * turn, radius=R), dimension=d, radius=R)
        assert along == pytest.approx(got, abs=1e-12)

    def mean(length):
        total, p = 0.0, density(d)
        for lo, hi in ((angle, math.pi / 2), (math.pi / 2, math.pi)):
            total += quad(lambda s: p(s) * length(s - angle), lo, hi, epsabs=1e-13, limit=500)[0]
        return R * total

    straight = sphere_distance_ceiling(accuracy, dimension=d, radius=R)
    assert straight == pytest.approx(mean(lambda way: 2 * math.sin(way / 2)), rel=1e-8)
    assert sphere_arc_ceiling(accuracy, dimension=d, radius=R) == pytest.approx(
        mean(lambda way: way), rel=1e-8
    )


def test_mean_arcs_by_hand():
    # d = 2: the mean of the part of a quarter circle to either end; d = 3: (θ - sin θ) / 2.
    assert sphere_arc_ceiling(0.5, dimension=2) == pytest.approx(math.pi / 8, rel=1e-13)
    theta = math.acos(0.4)
    assert sphere_arc_ceiling(0.3, dimension=3) == pytest.approx(
        (theta - math.sin(theta)) / 2, rel=1e-13
    )


@pytest.mark.parametrize("d", [2, 3, 6, 40])
def test_mean_distance_is_the_integral_of_the_ceiling(d):
    for accuracy in (0.05, 0.5, 0.99):
        found = quad(
            lambda e, a=accuracy: float(sphere_robust_ceiling(a, e, dimension=d)), 0, 2, limit=200
        )[0]
        assert sphere_distance_ceiling(accuracy, dimension=d) == pytest.approx(found, rel=1e-6)


def test_no_belts_pass_the_ceilings():
    # What is right lies between angles to a pole: unions of two belts, added up on a grid.
    rng = np.random.default_rng(0)
    steps = np.linspace(0, math.pi, 4001)
    middles = (steps[1:] + steps[:-1]) / 2
    for _ in range(200):
        d = int(rng.integers(2, 30))
        weights = np.sin(middles) ** (d - 2)
        weights /= weights.sum()
        cuts = np.sort(math.pi / 2 + rng.normal(size=4) * 1.5 / math.sqrt(d))
        away = np.minimum(np.where(cuts[0] < 0, np.inf, middles - cuts[0]), cuts[1] - middles).clip(
            min=0
        )
        away = np.maximum(away, np.minimum(middles - cuts[2], cuts[3] - middles).clip(min=0))
        if not np.isfinite(away).all():
            continue
        clean = weights @ (away > 0)
        if not 1e-3 < clean < 1 - 1e-3:
            continue
        straight = 2 * np.sin(away / 2)
        grid = 4 * weights.max()  # the mass of the cells that four cuts go through
        for eps in np.array([0.2, 1.0]) / math.sqrt(d):
            ceiling = sphere_robust_ceiling(clean, eps, dimension=d)
            assert weights @ (straight > eps) <= ceiling + 2 * grid
        assert weights @ straight <= sphere_distance_ceiling(clean, dimension=d) + 2 * grid
        assert weights @ away <= sphere_arc_rate(clean, dimension=d) + 2 * grid


@pytest.mark.parametrize("count", [5, pytest.param(300, marks=pytest.mark.slow)])
def test_no_network_passes_the_ceilings(count):
    # Errors of random ReLU networks on 20,000 points of a sphere in space; each point has another
    # within .07, so that an error's nearest point is at most so much farther than the error.
    rng = np.random.default_rng(1)
    X = rng.normal(size=(20_000, 3))
    X /= np.linalg.norm(X, axis=1, keepdims=True)
    for _ in range(count):
        hidden = np.maximum(X @ rng.normal(size=(3, 10)) + 0.5 * rng.normal(size=10), 0)
        wrong = hidden @ rng.normal(size=10) + 0.5 * rng.normal() > 0
        clean = 1 - wrong.mean()
        if not 0.05 < clean < 0.99:
            continue
        away = cKDTree(X[wrong]).query(X)[0]
        sampling = 4 * math.sqrt(0.25 / len(X))
        for eps in (0.2, 0.5):
            most = sphere_robust_ceiling(min(1, clean + sampling), eps - 0.07, dimension=3)
            assert (away > eps).mean() <= most + sampling
        most = sphere_distance_ceiling(min(1, clean + sampling), dimension=3)
        assert away.mean() <= most + 0.07 + 2 * sampling


@pytest.mark.parametrize("d", [2, 3, 5, 20, 300])
def test_closed_form_is_above_the_caps_and_near_them(d):
    accuracy = np.array([1e-4, 0.1, 0.5, 0.9, 0.999])
    rate = sphere_arc_rate(accuracy, dimension=d)
    arcs = np.array([sphere_arc_ceiling(a, dimension=d) for a in accuracy])
    assert (arcs <= rate).all()
    if d == 300:  # 1 % at d = 100 is a third of it here
        assert rate[1:4] == pytest.approx(arcs[1:4], rel=0.005)
    # [L12]: the same of every budget
    kappa = math.sqrt(2) * math.exp(gammaln(d / 2) - gammaln((d - 1) / 2))
    assert math.sqrt(d - 2) < kappa < math.sqrt(d - 1)
    turn = np.linspace(0, 3, 50) / math.sqrt(d)
    for a in accuracy:
        caps = sphere_robust_ceiling(a, chord(turn), dimension=d)
        assert (caps <= norm.cdf(norm.ppf(a) - kappa * turn) + 1e-12).all()


def test_closed_form_is_within_a_percent_at_a_hundred_dimensions():
    for a in (0.1, 0.5, 0.9, 0.99):
        arc = sphere_arc_ceiling(a, dimension=100)
        assert arc < sphere_arc_rate(a, dimension=100) < 1.01 * arc


def test_no_constant_makes_the_order_of_the_score_right_for_every_share():
    # O(Φ⁻¹(1 - μ)/√d) is 0 at μ = 1/2, where a half sphere of errors is .399/√d away on average.
    d = 10_000
    assert sphere_distance_ceiling(0.5, dimension=d) * math.sqrt(d) == pytest.approx(
        1 / math.sqrt(2 * math.pi), rel=1e-3
    )
    for errors, excess in ((0.1, 0.0372), (0.01, 0.0017)):
        order = norm.isf(errors) / math.sqrt(d)
        # the limit's excess, which d = 10,000 is 1e-3 from
        assert sphere_distance_ceiling(1 - errors, dimension=d) / order - 1 == pytest.approx(
            excess, abs=1.5e-3
        )


def test_ceilings_at_their_ends():
    assert sphere_robust_ceiling([0.0, 1.0], 5.0, dimension=4).tolist() == [0.0, 1.0]
    assert sphere_robust_ceiling(0.999, 2.0, dimension=4) == 0.0  # the whole diameter
    assert sphere_distance_ceiling(1.0, dimension=4) == math.inf
    assert sphere_arc_ceiling(0.0, dimension=4) == 0.0
    assert sphere_arc_rate([0.0, 1.0], dimension=4).tolist() == [0.0, math.inf]
    one = sphere_robust_ceiling(0.9, [0.1, 0.2], dimension=50, radius=1.0)
    two = sphere_robust_ceiling(0.9, [0.2, 0.4], dimension=50, radius=2.0)
    assert one == pytest.approx(two, rel=1e-12)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: sphere_robust_ceiling(0.9, 0.1, dimension=1), "dimension must be at least 2; g"),
        (lambda: sphere_robust_ceiling(0.9, -0.1, dimension=3), "eps must be at least 0; got -0.1"),
        (lambda: sphere_robust_ceiling(1.2, 0.1, dimension=3), r"accuracy must be in \[0, 1\]"),
        (lambda: sphere_robust_ceiling(0.9, 0.1, dimension=3, radius=0), "radius must be a number"),
        (lambda: sphere_distance_ceiling([0.5, 0.6], dimension=3), "accuracy must be one number"),
        (lambda: cap_angle(-0.5, 3), r"measure must be in \[0, 1\]; got -0.5"),
        (lambda: cap_measure(math.inf, 3), "angle must be finite; got inf"),
        (lambda: chord(-1.0), "arc must be at least 0; got -1"),
    ],
)
def test_refusals_say_what_must_hold(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_dimensions_that_are_none_are_refused():
    with pytest.raises(TypeError, match=r"dimension must be an integer; got 2\.5"):
        cap_measure(1.0, 2.5)
    with pytest.raises(UnsupportedSettingError, match="dimension must be at least 2; got 1"):
        sphere_arc_rate(0.5, dimension=1)
