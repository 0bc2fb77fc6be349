"""The hard-margin SVM's smallest distance, against libsvm and a quadratic programme."""

from typing import Any

import cvxpy as cp
import numpy as np
import pytest
from sklearn.datasets import load_digits, load_iris
from sklearn.svm import SVC

from theory.claims.classics import largest_smallest_distance
from theory.linear import LinearClassifier, flip_distance
from theory.validation import UnsupportedSettingError


def separable(name: str) -> tuple[Any, Any]:
    if name == "iris":
        X, y = load_iris(return_X_y=True)
        return X[y < 2], np.where(y[y < 2] == 1, 1, -1)
    if name == "digits":
        X, y = load_digits(return_X_y=True)
        pair = (y == 3) | (y == 8)
        return X[pair] / 16, np.where(y[pair] == 8, 1, -1)
    rng = np.random.default_rng(int(name))
    d = int(rng.integers(1, 9))
    X, y = rng.normal(size=(40, d)), np.repeat([-1, 1], 20)
    way = rng.normal(size=d)
    X[y == 1] += 7 * way / np.linalg.norm(way)
    return X, y


SETS = ("iris", "digits", "0", "1", "2", "3", "4", "5")


@pytest.mark.parametrize("name", SETS)
def test_svm_is_as_far_as_the_hulls_allow(name: str) -> None:
    X, y = separable(name)
    fitted = SVC(kernel="linear", C=1e10, tol=1e-8).fit(X, y)
    model = LinearClassifier(weights=fitted.coef_, bias=fitted.intercept_[0])
    # libsvm meets the KKT conditions to 1e-8, its margins 1 to some 1e-6
    assert largest_smallest_distance(X, y) == pytest.approx(
        flip_distance(model, X, y, norm=2).min(), rel=1e-5
    )


@pytest.mark.parametrize("name", SETS)
def test_half_the_distance_of_the_hulls_by_a_quadratic_programme(name: str) -> None:
    X, y = separable(name)
    groups = [X[y == k] for k in (-1, 1)]
    shares = [cp.Variable(len(group), nonneg=True) for group in groups]
    ends = [share @ group for share, group in zip(shares, groups, strict=True)]
    problem = cp.Problem(
        cp.Minimize(cp.norm(ends[1] - ends[0], 2)), [cp.sum(share) == 1 for share in shares]
    )
    problem.solve(solver=cp.CLARABEL)
    # Clarabel's relative gap is 1e-8, SLSQP's some 1e-7
    assert largest_smallest_distance(X, y) == pytest.approx(problem.value / 2, rel=1e-6)


def test_no_random_classifier_is_farther_than_the_bound() -> None:
    rng = np.random.default_rng(5)
    for name in ("iris", "0", "1", "2"):
        X, y = separable(name)
        bound = largest_smallest_distance(X, y)
        best = SVC(kernel="linear", C=1e10).fit(X, y)
        w, b = best.coef_[0], best.intercept_[0]
        for spread in np.geomspace(1e-4, 10, 400):
            model = LinearClassifier(
                weights=w + spread * np.linalg.norm(w) * rng.normal(size=w.size),
                bias=b + spread * rng.normal(),
            )
            # errors count as 0; the bound itself is good to 1e-6
            assert flip_distance(model, X, y, norm=2).min() <= bound * (1 + 1e-6)


def test_bound_counts_errors_as_zero() -> None:
    # a boundary far away has a far nearest correct point, and errs on the other class
    X, y = np.array([[0.0], [3.0]]), np.array([-1, 1])
    far = LinearClassifier(weights=[1.0], bias=100.0)
    assert largest_smallest_distance(X, y) == pytest.approx(1.5, rel=1e-6)
    distances = flip_distance(far, X, y)
    assert distances.tolist() == [0, 103]
    assert np.abs(X[:, 0] + 100).min() > 1.5


def test_without_an_intercept_the_bound_is_out_of_reach() -> None:
    X, y = np.array([[1.0], [3.0]]), np.array([-1, 1])
    assert largest_smallest_distance(X, y) == pytest.approx(1.0, rel=1e-6)
    for w in (-2.0, -1e-3, 0.0, 1e-3, 2.0):
        model = LinearClassifier(weights=[w])
        assert flip_distance(model, X, y).min() == 0


def test_largest_smallest_distance_moves_and_scales_with_the_points() -> None:
    X, y = separable("1")
    base = largest_smallest_distance(X, y)
    # SLSQP's error of some 1e-7, on both sides
    assert largest_smallest_distance(X + 5, y) == pytest.approx(base, rel=1e-6)
    assert largest_smallest_distance(X / 10, y) == pytest.approx(base / 10, rel=1e-6)
    assert largest_smallest_distance(X, -y) == pytest.approx(base, rel=1e-6)


@pytest.mark.parametrize("name", ["0", "1", "2", "3", "4", "5"])
def test_largest_smallest_distance_does_not_depend_on_units(name: str) -> None:
    X, y = separable(name)
    base = largest_smallest_distance(X, y)
    for unit in (1e3, 1e6):
        assert largest_smallest_distance(unit * X, y) == pytest.approx(unit * base, rel=1e-6)


def test_largest_smallest_distance_refuses_one_class() -> None:
    with pytest.raises(ValueError, match="both"):
        largest_smallest_distance([[0.0, 1.0], [1.0, 2.0]], [1, 1])


def test_largest_smallest_distance_refuses_inseparable_classes() -> None:
    with pytest.raises(UnsupportedSettingError, match="separable"):
        largest_smallest_distance([[0.0], [1.0], [2.0]], [1, -1, 1])
    with pytest.raises(ValueError, match="X must be finite; got nan"):
        largest_smallest_distance([[np.nan], [1.0]], [1, -1])
