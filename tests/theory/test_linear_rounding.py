"""Flips, bounds and norms where float64 rounds: by exact arithmetic and by powers of two."""

from fractions import Fraction

import numpy as np
import pytest

from theory.claims.guo2018 import r_2_as_written
from theory.linear import LinearClassifier, nearest_flip
from theory.linear.classifier import dual_norm
from theory.linear.moments import CorrectMoments, markov_bound, two_moment_bound
from theory.validation import UnsupportedSettingError

ROUNDING = 1e-12  # sums and quotients of a few numbers of order one


def exact_score(model: LinearClassifier, x: np.ndarray) -> Fraction:
    terms = zip(model.weights[0].tolist(), x.tolist(), strict=True)
    return sum((Fraction(w) * Fraction(v) for w, v in terms), Fraction(model.bias[0].item()))


@pytest.mark.parametrize("overshoot", [1e-12, 1e-6])
@pytest.mark.parametrize("norm", [1, 2, np.inf])
def test_nearest_flip_flips_in_exact_arithmetic(norm: float, overshoot: float) -> None:
    rng, moved = np.random.default_rng(0), 0
    for offset in (1e3, 1e6, 1e9, 1e12):  # scores are sums of offsets, leads their rounding
        w, X = rng.normal(size=30), rng.normal(size=(40, 30)) + offset
        b = -float(w @ X[0])
        X -= np.outer((X @ w + b) / (w @ w), w)
        model, y = LinearClassifier(weights=w, bias=b), np.where(rng.random(40) < 0.5, 1, -1)
        flips = nearest_flip(model, X, y, norm=norm, overshoot=overshoot)
        assert np.isfinite(flips.norms).all()
        for point, label in zip(flips.points[flips.norms > 0], y[flips.norms > 0], strict=True):
            assert int(label) * exact_score(model, point) < 0
            moved += 1
    assert moved > 80  # the others are wrong as they are


@pytest.mark.parametrize("norm", [1, 2, np.inf])
@pytest.mark.parametrize("power", [-200, -30, 30, 200])
def test_nearest_flip_of_a_tie_scales_with_the_inputs(norm: float, power: int) -> None:
    def flip(unit: float) -> float:
        model = LinearClassifier(weights=[3.0, -1.0], bias=-2 * unit)
        return float(nearest_flip(model, [[unit, unit]], [1], norm=norm).norms[0])

    assert 0 < flip(1.0) < 1e-13  # 1e-6 of 1e-10, doubled until rounding cannot undo it
    assert flip(2.0**power) == flip(1.0) * 2.0**power  # products with powers of two are exact


def test_bounds_weigh_margins_by_the_share_that_is_correct() -> None:
    moments = CorrectMoments(
        priors=np.array([0.25, 0.75]),
        accuracies=np.array([0.5, 0.8]),
        means=np.array([[-1.0], [2.0]]),
        margin_variances=np.array([1.0, 4.0]),
    )
    model = LinearClassifier(weights=[2.0])
    # Shares 1/8 and 3/5, mean margins 2 and 4, a drop of 5 · 2: Markov and twice Cantelli.
    markov, cantelli = (2 / 8 + 4 * 3 / 5) / 10, 1 / (1 + 64) / 8 + 4 / (4 + 36) * 3 / 5
    assert markov_bound(model, moments, 5.0) == pytest.approx(markov, rel=ROUNDING)
    assert two_moment_bound(model, moments, 5.0) == pytest.approx(cantelli, rel=ROUNDING)


def test_r_2_as_written_refuses_accuracies_that_are_nearly_equal() -> None:
    moments = CorrectMoments(
        priors=np.array([0.5, 0.5]),
        accuracies=np.array([0.9, 0.95]),
        means=np.array([[-1.0], [1.0]]),
        margin_variances=np.zeros(2),
    )
    with pytest.raises(UnsupportedSettingError, match=r"equal accuracies; got 0\.9 and 0\.95"):
        r_2_as_written(LinearClassifier(weights=[1.0]), moments)


def test_dual_norm_refuses_to_overflow() -> None:
    model = LinearClassifier(weights=[1e308, 1e308])
    with pytest.raises(ValueError, match=r"largest weight is 1e\+308"):
        dual_norm(model, np.inf)
    # scaled by the largest: one square root of two and one product
    assert dual_norm(model, 2) == pytest.approx(np.sqrt(2) * 1e308, rel=ROUNDING)
    assert dual_norm(model, 1) == 1e308
