"""Predictions from a sample of margins: by definition, in the limit, with their error."""

import math

import numpy as np
import pytest
from scipy import stats
from scipy.integrate import quad

from theory.mixtures import (
    accuracy_after_drop,
    distribution_bandwidth,
    label_bandwidths,
    sample_law,
    smoothed_accuracy,
    smoothed_error,
)

DROPS = np.linspace(0, 4, 17)


def sample(n, seed=0, label_gap=0.0):
    rng = np.random.default_rng([9, seed])
    y = rng.choice([-1, 1], size=n, p=[0.3, 0.7])
    return 1 + label_gap * y + rng.normal(size=n), y


def test_sample_law_has_the_moments_of_each_label():
    margins, y = sample(50, label_gap=0.5)
    law = sample_law(margins, y)
    for place, label in enumerate((-1, 1)):
        own = margins[y == label]
        assert law.means[place] == pytest.approx(own.mean(), abs=1e-14)
        assert law.deviations[place] == pytest.approx(own.std(ddof=1), abs=1e-14)
        assert law.priors[place] == pytest.approx(own.size / 50, abs=1e-14)


def test_sample_law_finds_the_law_that_was_drawn():
    margins, y = sample(200_000, label_gap=0.5)
    law = sample_law(margins, y)
    # Five standard errors of a mean of 60,000 draws.
    assert law.means == pytest.approx([0.5, 1.5], abs=0.021)
    assert law.deviations == pytest.approx([1, 1], abs=0.015)


def test_smoothed_accuracy_without_a_bandwidth_is_the_share_above():
    margins = np.array([-1.0, 0.5, 0.5, 2.0])
    assert smoothed_accuracy(margins, [0.0, 0.5, 1.0, 2.0]).tolist() == [0.75, 0.25, 0.25, 0.0]


def test_smoothed_accuracy_is_the_tail_of_the_kernels():
    margins, _ = sample(7)
    for drop in (0.0, 1.3):

        def density(u):
            return float(stats.norm.pdf(u, margins, 0.3).mean())

        tail = quad(density, drop, 10, points=np.sort(margins[margins > drop]))[0]
        # 1e-8: quad's own default error.
        assert smoothed_accuracy(margins, drop, bandwidth=0.3) == pytest.approx(tail, abs=1e-8)


def test_smoothed_accuracy_takes_a_bandwidth_for_each_margin():
    margins, widths = np.array([0.0, 1.0, 2.0]), np.array([0.5, 0.0, 2.0])
    each = [
        float(smoothed_accuracy([m], 0.5, bandwidth=h))
        for m, h in zip(margins, widths, strict=True)
    ]
    assert smoothed_accuracy(margins, 0.5, bandwidth=widths) == pytest.approx(
        np.mean(each), abs=1e-15
    )


def test_smoothed_accuracy_falls_and_keeps_the_shape_of_drops(monkeypatch):
    margins, _ = sample(30)
    whole = smoothed_accuracy(margins, DROPS, bandwidth=0.4)
    assert (np.diff(whole) < 0).all()
    monkeypatch.setattr("theory.mixtures.plug_in._BLOCK", 64)  # two drops at a time
    np.testing.assert_array_equal(smoothed_accuracy(margins, DROPS, bandwidth=0.4), whole)
    assert smoothed_accuracy(margins, np.zeros((2, 3)), bandwidth=0.4).shape == (2, 3)
    assert smoothed_accuracy(margins, np.zeros((0,))).shape == (0,)


def test_smoothed_accuracy_of_a_wide_kernel_is_half():
    assert smoothed_accuracy([1.0, -1.0], 0.0, bandwidth=1e9) == pytest.approx(0.5, abs=1e-8)


def test_smoothing_never_errs_by_more_than_the_sample_and_the_kernel():
    """[P6]: the sup distance of smoothed sample and smoothed law is at most that of the two."""
    fine = np.linspace(-6, 8, 2801)
    for seed in range(5):
        margins, _ = sample(40, seed)
        h = 0.5
        smoothed = stats.norm.cdf((margins[:, None] - fine) / h).mean(axis=0)
        law = stats.norm.sf(fine, 1, math.hypot(1, h))
        raw = stats.kstest(margins, "norm", args=(1, 1)).statistic
        assert np.abs(smoothed - law).max() <= raw


def test_smoothed_error_holds_as_often_as_it_says_even_for_cauchy_tails():
    n, h, level, missed = 50, 0.5, 0.2, 0
    bound = smoothed_error(n, bandwidth=h, density=1 / math.pi, level=level)
    truth = stats.cauchy.sf(DROPS, 1)
    rng = np.random.default_rng(3)
    for _ in range(400):
        margins = 1 + rng.standard_cauchy(n)
        missed += np.abs(smoothed_accuracy(margins, DROPS, bandwidth=h) - truth).max() > bound
    # At most 20 % of 400 may miss; three standard errors of that are 24.
    assert missed <= 80 + 24


def test_smoothed_error_is_needed():
    """Without the term of the bandwidth the bound is false: a narrow law, a wide kernel."""
    margins = np.random.default_rng(0).uniform(0.9, 1.1, 100_000)
    error = np.abs(smoothed_accuracy(margins, [0.85], bandwidth=1.0) - 1.0)
    assert error > smoothed_error(100_000, bandwidth=0.0, density=5.0)
    assert error <= smoothed_error(100_000, bandwidth=1.0, density=5.0)


def test_distribution_bandwidth_is_near_the_best_for_gaussian_margins():
    """The mean integrated square error by its definition, over draws, at multiples of the rule."""
    n, grid = 100, np.linspace(-6, 6, 241)
    draws = np.random.default_rng(1).normal(size=(200, n))
    truth = stats.norm.cdf(grid)
    rule = float(np.mean([distribution_bandwidth(one) for one in draws]))
    assert rule == pytest.approx((4 / n) ** (1 / 3), rel=0.05)  # the scale, some 5 % low

    def error(h):
        return np.mean(
            [(stats.norm.cdf((grid - one[:, None]) / h).mean(axis=0) - truth) ** 2 for one in draws]
        )

    at = {multiple: error(multiple * rule) for multiple in (0.1, 0.5, 1.0, 2.0)}
    assert at[1.0] == min(at.values())
    assert at[1.0] < 0.95 * at[0.1]


def test_distribution_bandwidth_scales_and_heeds_no_outlier():
    margins, _ = sample(60)
    width = distribution_bandwidth(margins)
    assert distribution_bandwidth(3 * margins + 7) == pytest.approx(3 * width, rel=1e-12)
    wild = np.append(margins, 1e9)
    assert distribution_bandwidth(wild) < 1.1 * width
    assert distribution_bandwidth([2.0, 2.0, 2.0]) == 0.0
    # Half of the margins alike: quartiles say nothing, the deviation does.
    assert distribution_bandwidth([0.0] * 8 + [1.0]) > 0


def test_label_bandwidths_are_those_of_the_labels():
    margins, y = sample(40, label_gap=1.0)
    margins = np.where(y == 1, 5 * margins, margins)
    widths = label_bandwidths(margins, y)
    for label in (-1, 1):
        assert set(widths[y == label]) == {distribution_bandwidth(margins[y == label])}
    assert widths[y == 1][0] > 2 * widths[y == -1][0]


def test_smoothed_and_gaussian_agree_on_gaussian_margins():
    margins, y = sample(40_000, label_gap=0.5)
    smooth = smoothed_accuracy(margins, DROPS, bandwidth=label_bandwidths(margins, y))
    # Five standard errors of a share of 40,000, and h²/8 of the kernel, h = .06.
    assert smooth == pytest.approx(accuracy_after_drop(sample_law(margins, y), DROPS), abs=0.013)


def test_moments_fail_where_tails_are_heavy_and_the_sample_does_not():
    rng = np.random.default_rng(2)
    margins, y = 1 + rng.standard_cauchy(4000), rng.choice([-1, 1], size=4000)
    truth = stats.cauchy.sf(DROPS, 1)
    smooth = smoothed_accuracy(margins, DROPS, bandwidth=label_bandwidths(margins, y))
    gaussian = accuracy_after_drop(sample_law(margins, y), DROPS)
    assert np.abs(smooth - truth).max() < 0.04  # five standard errors of a share of 4000
    assert np.abs(gaussian - truth).max() > 0.2


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: sample_law([1.0, 2.0, 3.0], [1, 1, -1]), r"at least twice; got 1 and 2"),
        (lambda: sample_law([1.0, 2.0], [1, 0]), r"y must hold labels of the model, \{-1, 1\}"),
        (
            lambda: sample_law([1.0, math.nan], [1, -1]),
            "margins must be finite; got nan at index 1",
        ),
        (lambda: distribution_bandwidth([1.0]), r"n >= 2; got shape \(1,\)"),
        (lambda: smoothed_accuracy([], 0.0), r"n >= 1; got shape \(0,\)"),
        (lambda: smoothed_accuracy([1.0], -1.0), r"drop must be at least 0; got -1\.0"),
        (lambda: smoothed_accuracy([1.0], 0.0, bandwidth=-1.0), r"bandwidth must be at least 0"),
        (
            lambda: smoothed_accuracy([1.0], 0.0, bandwidth=[1.0, 2.0]),
            r"bandwidth must be a number or have shape \(1,\); got shape \(2,\)",
        ),
        (lambda: smoothed_error(0, bandwidth=0.0, density=1.0), "n must be at least 1; got 0"),
        (
            lambda: smoothed_error(9, bandwidth=-1, density=1.0),
            "bandwidth must be at least 0; got -1",
        ),
        (
            lambda: smoothed_error(9, bandwidth=0.0, density=1.0, level=1.0),
            r"level must be in \(0, 1\); got 1\.0",
        ),
    ],
)
def test_plug_in_refuses(call, message):
    with pytest.raises(ValueError, match=message):
        call()
