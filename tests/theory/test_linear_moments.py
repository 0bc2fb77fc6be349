"""Moments of what is classified correctly, and the largest tails that moments allow."""

from typing import Any

import numpy as np
import pytest
from scipy.optimize import linprog

from theory.linear import LinearClassifier, r_inf
from theory.linear.moments import (
    CorrectMoments,
    correct_moments,
    markov_bound,
    tail_bound,
    two_moment_bound,
)
from theory.validation import UnsupportedSettingError


def best_tail(mean: float, variance: float, threshold: float) -> float:
    """Return the largest Pr(Z >= threshold) of a law on a grid, by linear programming.

    The grid reaches 1e4 times the mean, where the rare values sit that the supremum needs, and
    holds the two points of Cantelli's law.
    """
    grid = [np.linspace(0, 6 * mean, 301), mean * np.geomspace(6, 1e4, 120)]
    gap = threshold - mean
    special = [threshold, mean, mean - variance / gap if gap else mean]
    points = np.unique(np.concatenate([*grid, [z for z in special if z >= 0]]))
    # rows in units of the mean, so that the second moment does not drown the others
    rows = np.vstack([np.ones_like(points), points / mean, (points / mean) ** 2])
    law = linprog(
        -(points >= threshold).astype(float),
        A_eq=rows,
        b_eq=[1.0, 1.0, 1.0 + variance / mean**2],
        bounds=(0, None),
    )
    assert law.status == 0
    return float(-law.fun)


@pytest.mark.parametrize("spread", [0.2, 0.7, 1.5])
@pytest.mark.parametrize("ratio", [0.3, 0.9, 1.0, 1.02, 1.3, 1.9, 2.5, 4.0])
def test_tail_bound_is_the_largest_tail_of_all_laws(ratio: float, spread: float) -> None:
    mean, threshold = 2.0, 2.0 * ratio
    variance = (spread * mean) ** 2
    bound, found = (
        float(tail_bound(mean, variance, threshold)),
        best_tail(mean, variance, threshold),
    )
    assert found <= bound + 1e-6  # the programme meets its equations to 1e-7
    assert found == pytest.approx(bound, abs=5e-4)  # a far point at 1e4 means costs about 1e-4


def law_of(points: Any, weights: Any) -> tuple[float, float]:
    mean = np.dot(points, weights)
    return mean, np.dot(np.square(points - mean), weights)


def test_tail_bound_is_attained_by_laws_of_two_points() -> None:
    rng = np.random.default_rng(0)
    for _ in range(200):
        low, high, share = rng.random() * 2, 2 + rng.random() * 3, rng.random()
        mean, variance = law_of(np.array([low, high]), np.array([1 - share, share]))
        # two roundings of quotients of order one; Pr(Z >= high) is the share exactly
        assert tail_bound(mean, variance, high) == pytest.approx(share, rel=1e-9)
        assert tail_bound(mean, variance, low) == 1
        zero = law_of(np.array([0.0, high]), np.array([1 - share, share]))
        assert tail_bound(*zero, high) == pytest.approx(share, rel=1e-9)  # where regimes meet


def test_tail_bound_is_approached_by_laws_of_three_points() -> None:
    mean, variance, threshold = 1.0, 1.0, 1.5  # Markov's regime: below 2
    gaps = []
    for far in (1e2, 1e4, 1e6):
        high = (2 - threshold) / (far * (far - threshold))
        near = (far - 2) / (threshold * (far - threshold))
        law = law_of(np.array([0, threshold, far]), np.array([1 - near - high, near, high]))
        assert law == pytest.approx((mean, variance), rel=1e-6)  # 1e12 · 1e-12 in float64
        gaps.append(float(tail_bound(mean, variance, threshold)) - near - high)
    assert gaps[0] > gaps[1] > gaps[2] > 0
    assert gaps[2] < 1e-6


def test_tail_bound_of_degenerate_laws() -> None:
    assert tail_bound(0.0, 0.0, [0.0, 1e-9]).tolist() == [1, 0]
    assert tail_bound(2.0, 0.0, [1.0, 2.0, 2.1]).tolist() == [1, 1, 0]
    assert tail_bound([1.0, 2.0], [[1.0], [4.0]], 3.0).shape == (2, 2)


def test_two_moments_are_attained_by_a_classifier() -> None:
    # margins 1 and 4 in each class, shares such that a drop of 4 - 1e-9 leaves those of 4
    model = LinearClassifier(weights=[1.0])
    X = np.array([1.0, 1.0, 1.0, 4.0])
    X, y = np.append(X, -X)[:, None], np.repeat([1, -1], 4)
    bound = two_moment_bound(model, correct_moments(model, X, y), 4 - 1e-9)
    assert r_inf(model, X, y, 4 - 1e-9) == 0.25
    assert bound == pytest.approx(0.25, abs=1e-8)  # the bound's slope is below 1


def test_moments_refuse_one_class_and_many_labels() -> None:
    model = LinearClassifier(weights=[1.0])
    with pytest.raises(ValueError, match=r"y must hold both labels, -1 and \+1; got 0 and 2"):
        correct_moments(model, [[1.0], [2.0]], [1, 1])
    many = LinearClassifier(weights=np.eye(3))
    with pytest.raises(UnsupportedSettingError, match="3 labels"):
        correct_moments(many, np.eye(3), [0, 1, 2])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"priors": [0.5, 0.6]}, "priors must sum to 1; got 1.1"),
        ({"priors": [-0.5, 1.5]}, "priors must be at least 0; got -0.5"),
        ({"accuracies": [0.5, 1.5]}, "accuracies must be at most 1; got 1.5"),
        ({"margin_variances": [-1.0, 0.0]}, "margin_variances must be at least 0; got -1.0"),
        ({"means": [0.0, 1.0]}, r"means must have a row for -1 and \+1; got shape \(2,\)"),
        ({"means": [[np.nan], [1.0]]}, "means must be finite; got nan"),
    ],
)
def test_moments_refuse_what_no_law_has(change: dict[str, Any], message: str) -> None:
    arguments: dict[str, Any] = {
        "priors": [0.5, 0.5],
        "accuracies": [1.0, 1.0],
        "means": [[-1.0], [1.0]],
        "margin_variances": [0.0, 0.0],
    }
    with pytest.raises(ValueError, match=message):
        CorrectMoments(**{**arguments, **change})


@pytest.mark.parametrize("function", [markov_bound, two_moment_bound])
def test_bounds_refuse_negative_budgets(function: Any) -> None:
    model = LinearClassifier(weights=[1.0])
    moments = correct_moments(model, [[-1.0], [1.0]], [-1, 1])
    with pytest.raises(ValueError, match=r"eps must be at least 0; got -0\.5"):
        function(model, moments, [-0.5, 0.0])
