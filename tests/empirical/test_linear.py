"""Families of linear classifiers: optimality conditions, and scikit-learn's own decisions."""

from typing import Any

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression, RidgeClassifier
from sklearn.svm import LinearSVC

from empirical.data import digits
from empirical.linear import FAMILIES, train_path
from theory.linear import class_scores

PAIR = digits(3, 8)
CUT = [family for family in FAMILIES if "cut" in family]
PENALIZED = [family for family in FAMILIES if "cut" not in family]
LIBLINEAR: dict[str, Any] = {"intercept_scaling": 100, "max_iter": 10_000, "random_state": 0}
# What each cut family cuts, written anew.
DENSE = {
    "L2 logistic, cut": LogisticRegression(max_iter=1000),
    "L2 logistic, cut and refitted": LogisticRegression(max_iter=1000),
    "L2 SVC, cut": LinearSVC(dual=False, **LIBLINEAR),
    "ridge, cut": RidgeClassifier(),
}


def dense_weights(family: str, X: Any, y: Any) -> tuple[Any, Any]:
    fitted = DENSE[family].fit(X, y)
    return np.ravel(fitted.coef_), np.ravel(fitted.intercept_)


@pytest.mark.parametrize("family", FAMILIES)
def test_train_path_goes_from_sparse_to_dense(family: str) -> None:
    path = train_path(family, PAIR.X, PAIR.y, count=5)
    assert len(path) == 5
    assert {trained.family for trained in path} == {family}
    counts = [trained.nonzeros for trained in path]
    assert counts == [np.count_nonzero(trained.model.weights) for trained in path]
    # No theorem says that an L1 path never drops a weight; on these digits it does not.
    assert counts == sorted(counts)
    assert 1 <= counts[0] < counts[-1] / 2
    strengths = [trained.strength for trained in path]
    assert strengths == sorted(set(strengths))


@pytest.mark.parametrize("family", CUT)
def test_train_path_of_a_cut_keeps_exactly_its_number_of_the_largest(family: str) -> None:
    weights, bias = dense_weights(family, PAIR.X, PAIR.y)
    size = np.abs(weights)
    usable = np.count_nonzero(weights)  # some pixels are always 0
    for trained in train_path(family, PAIR.X, PAIR.y, count=6):
        kept = trained.model.weights[0] != 0
        assert kept.sum() == trained.nonzeros == min(trained.strength, usable)
        assert size[kept].min() >= size[~kept].max()
        if "refitted" not in family:
            assert (trained.model.weights[0][kept] == weights[kept]).all()
            assert (trained.model.bias == bias).all()


def test_train_path_refits_the_kept_weights_to_their_own_optimum() -> None:
    for trained in train_path("L2 logistic, cut and refitted", PAIR.X, PAIR.y, count=4)[:-1]:
        w, b = trained.model.weights[0], trained.model.bias[0]
        slopes = -PAIR.y / (1 + np.exp(PAIR.y * (PAIR.X @ w + b)))
        kept = w != 0
        # lbfgs stops at a gradient of 1e-4 of the mean loss
        assert np.abs(PAIR.X.T[kept] @ slopes + w[kept]).max() <= 2e-4 * PAIR.y.size
        assert abs(slopes.sum()) <= 2e-4 * PAIR.y.size
        # and the dropped would move, were they free: zero is imposed, not optimal
        assert np.abs(PAIR.X.T[~kept] @ slopes).max() > 0.1


def violations(family: str, w: Any, b: float, C: float) -> float:
    """Return by how much 0 misses the subdifferential of C · loss + penalty, summed over weights.

    The penalty is r ‖w‖₁ + (1 - r) ‖w‖₂² / 2, on centred inputs. liblinear's weight of their
    intercept is a hundredth of it, of a feature of 100, and is penalised as the others; saga's
    intercept is free.
    """
    r = 0.5 if family == "elastic net" else 1.0
    margins = PAIR.y * (PAIR.X @ w + b)
    slopes = -1 / (1 + np.exp(margins)) if "SVC" not in family else -2 * np.maximum(0, 1 - margins)
    features, weights = PAIR.X, w
    if family != "elastic net":
        centre = PAIR.X.mean(axis=0)
        features = np.column_stack([PAIR.X - centre, np.full(len(PAIR.X), 100.0)])
        weights = np.append(w, b + w @ centre)
    gradient = C * features.T @ (PAIR.y * slopes) + (1 - r) * weights
    at_zero = np.maximum(np.abs(gradient) - r, 0)
    off = float(np.where(weights != 0, np.abs(gradient + r * np.sign(weights)), at_zero).sum())
    return off + (abs(C * float(PAIR.y @ slopes)) if family == "elastic net" else 0.0)


# liblinear stops at 1e-4 of the violation at zero, its SVC by a sum taken along the way; saga
# where no weight changes by more than 1e-3 of the largest.
@pytest.mark.parametrize(
    ("family", "share"), [("L1 logistic", 1e-4), ("L1 SVC", 1e-3), ("elastic net", 5e-3)]
)
def test_train_path_meets_the_subgradient_conditions_of_its_penalty(
    family: str, share: float
) -> None:
    for trained in train_path(family, PAIR.X, PAIR.y, count=5):
        w, b, C = trained.model.weights[0], float(trained.model.bias[0]), trained.strength
        start = violations(family, 0 * w, 0.0, C)
        assert violations(family, w, b, C) <= share * start
        # of another strength's problem this is no solution
        assert violations(family, w, b, 2 * C) > 3 * violations(family, w, b, C)


def ten_digits() -> tuple[Any, Any]:
    data = digits()
    return data.X[:300], data.y[:300]


def fitted_alone(family: str, X: Any, y: Any, C: float) -> tuple[Any, Any]:
    """Return the weights and bias of one binary problem, by scikit-learn."""
    if "cut" in family:
        w, b = dense_weights(family, X, y)
        cut = np.sort(np.abs(w))[::-1][int(C) - 1]
        return np.where(np.abs(w) >= cut, w, 0.0), b
    centre = X.mean(axis=0)
    if family == "L1 logistic":
        model = LogisticRegression(l1_ratio=1, solver="liblinear", C=C, **LIBLINEAR)
    else:
        model = LinearSVC(penalty="l1", dual=False, C=C, **LIBLINEAR)
    model.fit(X - centre, y)
    return model.coef_[0], model.intercept_ - model.coef_[0] @ centre


@pytest.mark.parametrize("family", ["L1 logistic", "L1 SVC", "ridge, cut", "L2 logistic, cut"])
def test_train_path_of_ten_labels_fits_each_against_the_rest(family: str) -> None:
    X, y = ten_digits()
    for trained in train_path(family, X, y, count=4)[1:]:
        assert trained.model.weights.shape == (10, 64)
        assert trained.model.classes.tolist() == list(range(10))
        for label in range(10):
            against = np.where(y == label, 1, -1)
            w, b = fitted_alone(family, X, against, trained.strength)
            # the same deterministic solver on the same numbers
            np.testing.assert_allclose(trained.model.weights[label], w, rtol=1e-9, atol=1e-12)
            np.testing.assert_allclose(trained.model.bias[label], b, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("family", [family for family in CUT if "refitted" not in family])
def test_train_path_uncut_decides_as_scikit_learn(family: str) -> None:
    (*_, trained) = train_path(family, PAIR.X, PAIR.y, count=2)
    fitted = DENSE[family].fit(PAIR.X, PAIR.y)
    scores = class_scores(trained.model, PAIR.X)
    # the same products summed in another order
    np.testing.assert_allclose(scores[:, 1], fitted.decision_function(PAIR.X), rtol=0, atol=1e-10)
    assert (trained.model.classes[scores.argmax(axis=1)] == fitted.predict(PAIR.X)).all()


def test_train_path_uncut_decides_among_ten_labels_as_scikit_learn() -> None:
    X, y = ten_digits()
    (*_, trained) = train_path("ridge, cut", X, y, count=2)
    predicted = RidgeClassifier().fit(X, y).predict(X)  # ridge is one against the rest by itself
    assert (class_scores(trained.model, X).argmax(axis=1) == predicted).all()


@pytest.mark.parametrize("family", PENALIZED)
def test_train_path_learns(family: str) -> None:
    (*_, trained) = train_path(family, PAIR.X[::2], PAIR.y[::2], count=3)
    scores = class_scores(trained.model, PAIR.X[1::2])[:, 1]
    assert (np.sign(scores) == PAIR.y[1::2]).mean() > 0.9  # 0.5 by chance


@pytest.mark.parametrize("family", FAMILIES)
def test_train_path_covers_one_feature_and_one_strength(family: str) -> None:
    X = np.concatenate([np.linspace(-2, 0.5, 20), np.linspace(-0.5, 2, 20)])[:, None]
    (trained,) = train_path(family, X, np.repeat([-1, 1], 20), count=1)
    assert trained.model.weights.shape == (1, 1)
    assert trained.model.weights[0, 0] > 0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"family": "L0"}, r"family must be one of \['L1 SVC', .*; got 'L0'"),
        ({"count": 0}, "count must be at least 1; got 0"),
        ({"y": np.ones(4)}, r"at least two labels; got \[1.0\]"),
        ({"X": np.full((4, 2), np.nan)}, "NaN"),
        ({"y": [-1, 1, 1]}, "inconsistent numbers of samples"),
    ],
)
def test_train_path_refuses_by_value(change: dict[str, Any], message: str) -> None:
    X = np.array([[0.0, 1.0], [1.0, 0.0], [2.0, 1.0], [0.0, 3.0]])
    given = {"family": "L1 logistic", "X": X, "y": np.array([-1, 1, 1, -1])} | change
    with pytest.raises(ValueError, match=message):
        train_path(given.pop("family"), given.pop("X"), given.pop("y"), **given)
