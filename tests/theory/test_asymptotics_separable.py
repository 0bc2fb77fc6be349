"""The separability threshold: Cover, other forms of the same theorem, linear programs, refusals."""

import math

import mpmath
import numpy as np
import pytest
from scipy.integrate import quad
from scipy.optimize import linprog, minimize_scalar
from scipy.stats import norm

from theory.asymptotics import (
    CoordinateLaw,
    NotConvergedError,
    Objective,
    limit_accuracy,
    predict,
    separability_ratio,
    spiked_law,
)
from theory.validation import UnsupportedSettingError


def two_variable_form(signal):
    """Return the threshold in the form of Candes and Sur, and of Deng, Kammoun, Thrampoulidis.

    n / d = 1 / min over t of E[max(Z - t S, 0)^2], S the margin along mu (N(signal, 1)) and Z
    independent of it.
    """

    def shortfall(t):
        def inner(s):
            c = -t * s
            return ((c * c + 1) * norm.cdf(c) + c * norm.pdf(c)) * norm.pdf(s - signal)

        return quad(inner, signal - 9, signal + 9, epsabs=1e-13)[0]

    found = minimize_scalar(shortfall, bounds=(0, 10), method="bounded", options={"xatol": 1e-9})
    return 1 / found.fun


def test_without_a_signal_it_is_covers():
    assert separability_ratio(0.0) == pytest.approx(2, rel=1e-12)


@pytest.mark.parametrize("signal", [0.3, 1.0, 2.0, 3.0])
def test_it_is_the_two_variable_form(signal):
    assert separability_ratio(signal) == pytest.approx(two_variable_form(signal), rel=1e-8)


@pytest.mark.parametrize("margin", [0.2, 1.0, 3.0])
def test_a_margin_without_a_signal_is_gardners(margin):
    # Gardner 1988: 1 / E[max(margin + Z, 0)^2].
    shortfall = quad(lambda z: (margin + z) ** 2 * norm.pdf(z), -margin, 12, epsabs=1e-13)[0]
    assert separability_ratio(0.0, margin) == pytest.approx(1 / shortfall, rel=1e-9)


@pytest.mark.parametrize(("signal", "margin"), [(6.0, 0.0), (12.0, 1.0), (25.0, 0.0)])
def test_strong_signals_do_not_cancel(signal, margin):
    with mpmath.workdps(60):

        def ratio(angle):
            c = margin - mpmath.cos(angle) * signal
            short = (c * c + 1) * mpmath.ncdf(c) + c * mpmath.npdf(c)
            return mpmath.sin(angle) ** 2 / short

        grid = [mpmath.mpf(k) / 4000 for k in range(1, 2000)]
        best = max(grid, key=ratio)
        low, high = best - mpmath.mpf(1) / 4000, best + mpmath.mpf(1) / 4000
        for _ in range(60):  # a ternary search between neighbours
            a, b = low + (high - low) / 3, high - (high - low) / 3
            low, high = (a, high) if ratio(a) < ratio(b) else (low, b)
        assert separability_ratio(signal, margin) == pytest.approx(float(ratio(low)), rel=1e-9)


def test_beyond_floats_it_is_infinite():
    assert separability_ratio(50.0) == math.inf
    with pytest.raises(UnsupportedSettingError, match="ratio must be above inf"):
        predict(Objective(loss="logistic"), spiked_law(50.0), ratio=1e6)
    assert 0 <= separability_ratio(0.0, 1e200) < 1e-300


def test_it_rises_with_the_signal_and_falls_with_the_margin():
    assert (np.diff([separability_ratio(s) for s in np.linspace(0, 5, 21)]) > 0).all()
    assert (np.diff([separability_ratio(1.0, m) for m in np.linspace(0, 5, 21)]) < 0).all()


@pytest.mark.parametrize("bad", [(-1.0, 0.0), (1.0, -0.1), (np.nan, 0.0), ([1.0, 2.0], 0.0)])
def test_bad_numbers_are_refused(bad):
    with pytest.raises(ValueError, match="must be"):
        separability_ratio(*bad)


@pytest.mark.parametrize("loss", ["logistic", "hinge"])
@pytest.mark.parametrize(("signal", "eps"), [(0.0, 0.0), (1.0, 0.0), (1.5, 0.4)])
def test_training_is_refused_below_and_solved_above(loss, signal, eps):
    objective = Objective(loss=loss, eps=eps)
    threshold = separability_ratio(signal, eps)
    with pytest.raises(UnsupportedSettingError, match="add a penalty, l1 or l2"):
        predict(objective, spiked_law(signal), ratio=0.999 * threshold)
    above = predict(objective, spiked_law(signal), ratio=1.01 * threshold)
    far = predict(objective, spiked_law(signal), ratio=2 * threshold)
    assert above.norm > 3 * far.norm  # weights diverge at the threshold
    assert above.residual < 1e-8


def test_at_the_threshold_the_direction_is_the_one_that_separates():
    # The maximising cosine rho is mu·w / (signal ||w||) of the diverging weights.
    signal = 1.0
    threshold = separability_ratio(signal)
    rho = minimize_scalar(
        lambda r: (
            (((r * signal) ** 2 + 1) * norm.cdf(-r * signal) - r * signal * norm.pdf(r * signal))
            / (1 - r * r)
        ),
        bounds=(0, 0.999),
        method="bounded",
    ).x
    limit = predict(Objective(loss="logistic"), spiked_law(signal), ratio=1.001 * threshold)
    assert limit.cosine == pytest.approx(rho, abs=0.01)  # to first order in the distance, .001
    assert limit_accuracy(limit) == pytest.approx(norm.cdf(rho * signal), abs=0.005)


def test_unequal_noise_is_whitened():
    law = CoordinateLaw(weights=[0.5, 0.5], means=[1.0, 1.0], deviations=0, scales=[1.0, 0.5])
    threshold = separability_ratio(math.sqrt(0.5 * 1 + 0.5 * 4))
    with pytest.raises(UnsupportedSettingError):
        predict(Objective(loss="logistic"), law, ratio=0.99 * threshold)
    assert predict(Objective(loss="logistic"), law, ratio=1.05 * threshold).residual < 1e-8


def test_the_attack_is_measured_in_units_of_the_noise():
    law = CoordinateLaw(weights=[1.0], means=[3.0], deviations=0, scales=[2.0])
    threshold = separability_ratio(1.5, 0.2)
    with pytest.raises(UnsupportedSettingError, match=f"ratio must be above {threshold:.6g}"):
        predict(Objective(loss="hinge", eps=0.4), law, ratio=0.99 * threshold)


@pytest.mark.parametrize("attack", [{"eps_inf": 0.3}, {"eps": 0.3, "eps_inf": 0.1}])
def test_attacks_without_a_known_threshold_end_without_an_answer(attack):
    # Separable by more than the attack takes: no minimiser, and no wrong number either.
    with pytest.raises(NotConvergedError, match="there may be no minimiser"):
        predict(Objective(loss="hinge", **attack), spiked_law(3.0), ratio=0.5)


def share_separable(signal, ratio, margin, *, d, runs, seed):
    """Return how often a linear program finds w with y w·x >= margin ||w||, for margin 0."""
    rng = np.random.default_rng(seed)
    found = 0
    for _ in range(runs):
        Z = rng.normal(size=(int(ratio * d), d)) + signal / math.sqrt(d)
        solved = linprog(
            np.zeros(d), A_ub=-Z, b_ub=-np.ones(len(Z)), bounds=(None, None), method="highs"
        )
        found += solved.status == 0
    return found / runs


@pytest.mark.slow
@pytest.mark.parametrize("signal", [0.0, 1.0])
def test_linear_programs_cross_at_the_threshold(signal):
    threshold = separability_ratio(signal)
    # At d = 80 the change takes about 1 / sqrt(d): 25 % away it is over, but for 1 in 1,000.
    assert share_separable(signal, 0.75 * threshold, 0.0, d=80, runs=20, seed=1) >= 0.9
    assert share_separable(signal, 1.25 * threshold, 0.0, d=80, runs=20, seed=2) <= 0.1
