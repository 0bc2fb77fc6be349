"""Theorem 3.1 of Guo et al. 2018 on trained classifiers, against distances and attacks."""

from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer, load_digits
from sklearn.linear_model import LogisticRegression

from theory.claims import guo2018
from theory.linear import LinearClassifier, flip_distance, r_2, r_inf, robust_accuracy
from theory.linear.moments import correct_moments
from theory.validation import UnsupportedSettingError

# Moments and distances sum the same n terms in another order, n and d below a thousand.
ROUNDING = 1e-10


def load(name: str) -> tuple[Any, Any]:
    """Return inputs and labels -1, +1 of a pair of digits or of the standardised tumours."""
    if name == "tumours":
        X, y = load_breast_cancer(return_X_y=True)
        return (X - X.mean(axis=0)) / X.std(axis=0), 2 * y - 1
    low, high = (int(digit) for digit in name)
    X, digits = load_digits(return_X_y=True)
    pair = (digits == low) | (digits == high)
    return X[pair] / 16, np.where(digits[pair] == high, 1, -1)


def train(X: Any, y: Any, kind: str) -> LinearClassifier:
    sparse = kind == "l1"
    fitted = LogisticRegression(
        solver="liblinear", l1_ratio=int(sparse), C=0.05, random_state=0, max_iter=2000
    ).fit(X, y)
    return LinearClassifier(weights=fitted.coef_, bias=fitted.intercept_[0])


MODELS: list[tuple[str, str]] = [
    (name, kind) for name in ("38", "49", "17", "tumours") for kind in ("l1", "l2")
]


@pytest.fixture(scope="module", params=MODELS, ids="-".join)
def trained(request: Any) -> tuple[LinearClassifier, Any, Any]:
    """Return a classifier trained on every other input, so that it errs, and all inputs."""
    X, y = load(request.param[0])
    model = train(X[::2], y[::2], request.param[1])
    return LinearClassifier(weights=model.weights, bias=model.bias + 0.15), X, y


def balanced(model: LinearClassifier, X: Any, y: Any) -> tuple[Any, Any]:
    """Return a subsample with as many inputs, and as many errors, of each class."""
    correct = y * (X @ model.weights[0] + model.bias[0]) > 0
    picked = []
    for hit in (True, False):
        groups = [np.flatnonzero((correct == hit) & (y == k)) for k in (-1, 1)]
        size = min(map(len, groups))
        picked += [group[:size] for group in groups]
    rows = np.concatenate(picked)
    return X[rows], y[rows]


def test_r_2_as_written_holds_where_its_assumptions_do(trained: Any) -> None:
    model, X, y = trained
    X, y = balanced(model, X, y)
    moments = correct_moments(model, X, y)
    assert moments.accuracies[0] == moments.accuracies[1]
    assert guo2018.r_2_as_written(model, moments) == pytest.approx(r_2(model, X, y), rel=ROUNDING)


def test_r_2_general_holds_and_the_hidden_term_is_the_rest(trained: Any) -> None:
    model, X, y = trained
    kept = (y == -1) | (np.arange(y.size) % 3 > 0)  # a third of +1 gone: unequal shares
    X, y = X[kept], y[kept]
    moments, exact = correct_moments(model, X, y), r_2(model, X, y)
    assert guo2018.r_2_general(model, moments) == pytest.approx(exact, rel=ROUNDING)
    written, hidden = (
        function(model, moments) for function in (guo2018.r_2_unrestricted, guo2018.r_2_hidden_term)
    )
    assert written - hidden == pytest.approx(exact, rel=ROUNDING)
    assert abs(hidden) > 1e-6 * exact  # far above rounding: without assumptions it is false


def test_r_2_as_written_refuses_unequal_priors_and_accuracies_by_name() -> None:
    model = LinearClassifier(weights=[2.0], bias=0.5)
    with pytest.raises(UnsupportedSettingError, match=r"equal priors; got 0.333333 and 0.666667"):
        guo2018.r_2_as_written(model, correct_moments(model, [[-1], [1], [2]], [-1, 1, 1]))
    with pytest.raises(UnsupportedSettingError, match=r"equal accuracies; got 0.5 and 1"):
        guo2018.r_2_as_written(model, correct_moments(model, [[-1], [1], [2], [1]], [-1, 1, 1, -1]))


def test_hidden_term_vanishes_where_the_boundary_halves_the_segment() -> None:
    model = LinearClassifier(weights=[3.0], bias=0.0)
    X, y = [[-1.0], [0.5], [1.0], [1.0]], [-1, -1, 1, 1]  # shares 1/4 and 1/2, means -1 and 1
    moments = correct_moments(model, X, y)
    assert guo2018.r_2_hidden_term(model, moments) == 0
    assert guo2018.r_2_unrestricted(model, moments) == pytest.approx(r_2(model, X, y), rel=ROUNDING)


def test_a_class_without_correct_inputs_counts_for_nothing() -> None:
    model = LinearClassifier(weights=[2.0], bias=1.0)
    X, y = [[1.0], [2.0], [3.0]], [1, 1, -1]
    moments = correct_moments(model, X, y)
    assert guo2018.r_2_general(model, moments) == pytest.approx(r_2(model, X, y), rel=ROUNDING)
    for eps in (0.5, 1.0, 2.0):
        bound = guo2018.two_moment_bound(model, moments, eps)
        assert r_inf(model, X, y, eps) <= bound <= guo2018.markov_bound(model, moments, eps)


def test_ties_count_as_errors_in_the_moments() -> None:
    model = LinearClassifier(weights=[1.0])
    X, y = [[-1.0], [0.0], [1.0], [0.0]], [-1, -1, 1, 1]
    moments = correct_moments(model, X, y)
    assert moments.accuracies.tolist() == [0.5, 0.5]
    assert guo2018.r_2_as_written(model, moments) == r_2(model, X, y) == 0.5


def budgets(model: LinearClassifier, X: Any) -> Any:
    """Return 60 budgets, from none to beyond the last margin, most where margins are."""
    margins = np.abs(X @ model.weights[0] + model.bias[0]) / np.abs(model.weights).sum()
    return np.concatenate([np.quantile(margins, np.linspace(0, 1, 59)), [1.5 * margins.max()]])


def test_bounds_hold_at_every_budget_and_two_moments_never_lose(trained: Any) -> None:
    model, X, y = trained
    moments = correct_moments(model, X, y)
    sizes = budgets(model, X)
    attacked = np.array([r_inf(model, X, y, eps) for eps in sizes])
    markov = guo2018.markov_bound(model, moments, sizes)
    sharper = guo2018.two_moment_bound(model, moments, sizes)
    slack = 1e-12  # one rounding of a share of n
    assert (attacked <= sharper + slack).all()
    assert (sharper <= markov * (1 + slack)).all()
    assert (sharper <= moments.shares.sum() + slack).all()
    assert (sharper < 0.9 * markov).any()
    assert sharper.shape == markov.shape == sizes.shape


@pytest.mark.parametrize("norm", [1, 2])
def test_bounds_hold_for_attacks_in_other_norms(trained: Any, norm: float) -> None:
    model, X, y = trained
    moments = correct_moments(model, X, y)
    sizes = np.quantile(flip_distance(model, X, norm=norm), np.linspace(0.01, 1, 60))
    attacked = robust_accuracy(model, X, y, sizes, norm=norm)
    markov = guo2018.markov_bound(model, moments, sizes, norm=norm)
    sharper = guo2018.two_moment_bound(model, moments, sizes, norm=norm)
    slack = 1e-12  # one rounding of a share of n
    assert (attacked <= sharper + slack).all()
    assert (sharper <= markov * (1 + slack)).all()
    assert (sharper < 0.9 * markov).any()


def test_bounds_at_no_budget(trained: Any) -> None:
    model, X, y = trained
    moments = correct_moments(model, X, y)
    accuracy = np.mean(y * (X @ model.weights[0] + model.bias[0]) > 0)
    assert guo2018.markov_bound(model, moments, 0.0) == np.inf
    # shares sum to the accuracy but for one rounding
    assert guo2018.two_moment_bound(model, moments, 0.0) == pytest.approx(accuracy, abs=1e-12)
    assert r_inf(model, X, y, 0.0) == pytest.approx(accuracy, abs=1e-12)


def test_markov_is_inf_at_no_budget_when_nothing_is_correct() -> None:
    model = LinearClassifier(weights=[1.0])
    moments = correct_moments(model, [[-1.0], [1.0]], [1, -1])
    assert guo2018.markov_bound(model, moments, 0.0) == np.inf


def test_r_2_general_does_not_depend_on_the_scale_of_weights() -> None:
    model = LinearClassifier(weights=[3e-200, 4e-200])
    X, y = [[1.0, 0.0], [0.0, -1.0]], [1, -1]
    moments = correct_moments(model, X, y)
    assert guo2018.r_2_general(model, moments) == pytest.approx(0.7, rel=ROUNDING)


def test_the_written_bound_needs_equal_shares() -> None:
    # nine inputs of margin 10 in one class, one of margin 1/10 in the other
    model = LinearClassifier(weights=[1.0])
    X, y = np.append(np.full(9, 10.0), -0.1)[:, None], np.append(np.ones(9), -1).astype(int)
    moments = correct_moments(model, X, y)
    assert r_inf(model, X, y, 9.0) == pytest.approx(0.9)
    assert guo2018.r_2_unrestricted(model, moments) / 9 == pytest.approx(0.561, abs=5e-4)  # .56111
    assert guo2018.markov_bound(model, moments, 9.0) == pytest.approx(9.01 / 9)


def functions() -> list[Any]:
    return [
        guo2018.r_2_as_written,
        guo2018.r_2_unrestricted,
        guo2018.r_2_hidden_term,
        guo2018.r_2_general,
        lambda model, moments: guo2018.markov_bound(model, moments, 0.1),
        lambda model, moments: guo2018.two_moment_bound(model, moments, 0.1),
    ]


@pytest.mark.parametrize("function", functions())
def test_zero_weights_and_many_labels_are_refused_by_name(function: Any) -> None:
    X, y = [[-1.0, 0.0], [1.0, 0.0]], [-1, 1]
    moments = correct_moments(LinearClassifier(weights=[1.0, 0.0]), X, y)
    with pytest.raises(UnsupportedSettingError, match="w = 0"):
        function(LinearClassifier(weights=[0.0, 0.0], bias=1.0), moments)
    with pytest.raises(UnsupportedSettingError, match="3 labels"):
        function(LinearClassifier(weights=np.ones((3, 2))), moments)


def test_clipping_breaks_the_bound_as_the_note_says() -> None:
    weights = np.concatenate([[1.0], np.full(50, 0.01), np.full(50, -0.01)])
    model = LinearClassifier(weights=weights, bias=-0.5)
    X, y = np.zeros((2, 101)), [-1, 1]
    X[1, 0] = 1.0
    moments = correct_moments(model, X, y)
    assert guo2018.markov_bound(model, moments, 0.3) == pytest.approx(5 / 6, rel=ROUNDING)
    assert r_inf(model, X, y, 0.3, box=(0.0, 1.0)) == 1
    assert r_inf(model, X, y, 0.3) == 0  # without the box the bound holds
    claim = next(claim for claim in guo2018.CLAIMS if claim.key == "guo2018.rinf-clipped")
    assert claim.standing == "refuted"
    assert claim.predict(model, moments, 0.3) < 1
    for number in (".83", ".3", "r_inf = 1"):
        assert number in claim.note


def test_the_shipped_clipping_counterexample_is_one() -> None:
    model, X, y, eps = guo2018.clipping_counterexample()
    moments = correct_moments(model, X, y.astype(int))
    assert ((X >= 0) & (X <= 1)).all()
    assert guo2018.markov_bound(model, moments, eps) < 0.84
    assert r_inf(model, X, y.astype(int), eps, box=(0.0, 1.0)) == 1
