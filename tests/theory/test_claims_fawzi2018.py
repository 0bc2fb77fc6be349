"""The mean distance bound of Fawzi, Fawzi, Frossard 2018, by search and on real data."""

from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer, load_digits
from sklearn.linear_model import LogisticRegression

from theory.claims.fawzi2018 import unsigned_distance_bound


def both_sides(w: Any, b: float, X: Any, y: Any, weights: Any = None) -> tuple[float, float]:
    """Return E|f|/‖w‖ and the bound on it, of points with these probabilities."""
    p = np.full(len(X), 1 / len(X)) if weights is None else weights
    scores = X @ w + b
    shares = np.array([p[y == k].sum() for k in (-1, 1)])
    sums = np.stack([p[y == k] @ X[y == k] for k in (-1, 1)])
    means = np.divide(sums, shares[:, None], out=np.zeros_like(sums), where=shares[:, None] > 0)
    bound = unsigned_distance_bound(
        shares,
        means,
        radius=np.linalg.norm(X, axis=1).max(),
        error_rate=min(1.0, p[y * scores <= 0].sum()),
    )
    return float(p @ np.abs(scores) / np.linalg.norm(w)), bound


def test_bound_holds_for_random_classifiers_and_laws() -> None:
    rng = np.random.default_rng(0)
    ratios = []
    for _ in range(3000):
        n, d = int(rng.integers(1, 8)), int(rng.integers(1, 4))
        X = rng.normal(size=(n, d)) + rng.normal(size=d) * rng.integers(0, 4)
        y = rng.choice([-1, 1], size=n)
        w = rng.normal(size=d)
        if rng.random() < 0.5:  # mostly right, where the bound is sharper
            y = np.where(X @ w > 0, 1, -1)
        edge = np.linalg.norm(X, axis=1).max() * np.linalg.norm(w)
        b = edge * (rng.choice([-1, 1]) if rng.random() < 0.3 else rng.uniform(-1, 1))
        mean, bound = both_sides(w, b, X, y, rng.dirichlet(np.ones(n)))
        ratios.append(mean / bound)
    assert max(ratios) <= 1 + 1e-12  # rounding of sums of a few terms
    assert max(ratios) > 0.9  # and the search comes close


@pytest.mark.parametrize("R", [0.0, 0.1, 0.25, 0.5])
@pytest.mark.parametrize("M", [0.5, 3.0])
def test_one_point_attains_the_bound_up_to_an_error_rate_of_one_half(R: float, M: float) -> None:
    X, y = np.full((2, 1), M), np.array([-1, 1])
    mean, bound = both_sides(np.array([1.0]), M, X, y, np.array([R, 1 - R]))
    assert mean == 2 * M
    assert bound == pytest.approx(mean, rel=1e-12)  # sums of three terms


@pytest.mark.parametrize("R", [0.6, 1.0])
def test_one_point_stays_below_the_bound_beyond_one_half(R: float) -> None:
    bound = unsigned_distance_bound([R, 1 - R], [[1.0], [1.0]], radius=1.0, error_rate=R)
    assert bound == pytest.approx(2 * (4 * R - 1))  # and the mean distance is 2


def test_bound_breaks_when_the_boundary_misses_the_ball() -> None:
    # one point: all of the mass at M = 1, on the right side of a boundary at -3
    mean, bound = both_sides(np.array([1.0]), 3.0, np.array([[1.0]]), np.array([1]))
    assert (mean, bound) == (4, 2)
    # equal priors, and labels that say nothing
    X, y = np.array([[1.0], [1.0], [-1.0], [-1.0]]), np.array([-1, 1, -1, 1])
    mean, bound = both_sides(np.array([1.0]), 5.0, X, y)
    assert (mean, bound) == (5, 2)


@pytest.mark.parametrize("load", [load_breast_cancer, load_digits])
def test_bound_holds_on_real_data(load: Any) -> None:
    X, y = load(return_X_y=True)
    if load is load_digits:
        pair = (y == 3) | (y == 8)
        X, y = X[pair], y[pair] == 8
    X = (X - X.mean(axis=0)) / np.maximum(X.std(axis=0), 1e-9)
    y = np.where(y > 0, 1, -1)
    for C in (1e-4, 1e-2, 1.0):
        fitted = LogisticRegression(C=C, solver="liblinear", random_state=0).fit(X[::2], y[::2])
        w, b = fitted.coef_[0], fitted.intercept_[0]
        assert abs(b) <= np.linalg.norm(X, axis=1).max() * np.linalg.norm(w)
        mean, bound = both_sides(w, b, X, y)
        assert 0 < mean <= bound


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"priors": [0.5, 0.6]}, ValueError, "priors must be two probabilities .* got .0.5, 0.6"),
        ({"priors": [-0.5, 1.5]}, ValueError, "got .-0.5, 1.5"),
        ({"priors": [1.0]}, ValueError, "got .1.0"),
        ({"priors": [np.nan, 1.0]}, ValueError, "priors must be finite; got nan"),
        ({"priors": "half"}, TypeError, "priors must be an array of numbers"),
        ({"class_means": [0.0, 1.0]}, ValueError, r"got shape \(2,\)"),
        ({"class_means": [[0.0]]}, ValueError, r"got shape \(1, 1\)"),
        ({"class_means": [[0.0], [np.inf]]}, ValueError, "class_means must be finite; got inf"),
        ({"radius": -1.0}, ValueError, "got -1.0 and 0.1"),
        ({"radius": np.nan}, ValueError, "got nan and 0.1"),
        ({"error_rate": 1.5}, ValueError, "got 1.0 and 1.5"),
        ({"error_rate": np.nan}, ValueError, "got 1.0 and nan"),
    ],
)
def test_bound_refuses_bad_input_by_value(change: Any, error: Any, message: str) -> None:
    arguments: dict[str, Any] = {
        "priors": [0.5, 0.5],
        "class_means": [[0.0], [0.5]],
        "radius": 1.0,
        "error_rate": 0.1,
        **change,
    }
    with pytest.raises(error, match=message):
        unsigned_distance_bound(**arguments)
