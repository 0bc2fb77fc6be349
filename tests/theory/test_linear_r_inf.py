"""r_inf for many labels: one sign step, along the gradient that definitions give."""

from typing import Any

import numpy as np
import pytest
from scipy.special import log_softmax

from theory.linear import LinearClassifier, class_scores, r_inf, robust_accuracy

BOXES: list[Any] = [None, (0.0, 1.0)]


def draw_multiclass(rng: np.random.Generator, c: int = 4, d: int = 4) -> tuple[Any, Any, Any]:
    model = LinearClassifier(weights=rng.normal(size=(c, d)), bias=rng.normal(size=c) * 0.1)
    X = rng.random((40, d))
    return model, X, class_scores(model, X).argmax(axis=1)


@pytest.mark.parametrize("box", BOXES)
@pytest.mark.parametrize("loss", ["cross-entropy", "margin"])
def test_multiclass_r_inf_is_never_below_robust_accuracy(loss: Any, box: Any) -> None:
    rng = np.random.default_rng(6)
    gaps = []
    for _ in range(20):
        model, X, y = draw_multiclass(rng, c=5)
        for eps in (0.0, 0.05, 0.1, 0.2):
            attacked = r_inf(model, X, y, eps, loss=loss, box=box)
            exact = robust_accuracy(model, X, y, eps, norm=np.inf, box=box)
            gaps.append(attacked - exact)
    assert min(gaps) >= -1e-12  # one rounding of a mean
    assert max(gaps) > 0  # and one step is not always the best attack


def numerical_step(model: Any, X: Any, y: Any, loss: str) -> Any:
    """Return the sign of the central difference of the loss at each feature."""

    def value(points: Any) -> Any:
        scores = points @ model.weights.T + model.bias
        every = np.arange(len(points))
        if loss == "cross-entropy":
            return -log_softmax(scores, axis=1)[every, y]
        kept = scores[every, y].copy()
        scores[every, y] = -np.inf
        return scores.max(axis=1) - kept

    h = 1e-5  # central differences are good to 1e-10 of third derivatives of order one
    slopes = [(value(X + h * e) - value(X - h * e)) / (2 * h) for e in np.eye(X.shape[1])]
    slopes = np.array(slopes).T
    assert (np.abs(slopes) > 1e-6).all()  # far above the differences' error, so signs are right
    return np.sign(slopes)


def expected_r_inf(model: Any, X: Any, y: Any, eps: float, step: Any) -> float:
    scores = (X + eps * step) @ model.weights.T + model.bias
    is_own = np.arange(model.classes.size) == y[:, None]
    rivals = np.where(is_own, -np.inf, scores).max(axis=1)
    return float((scores[is_own] > rivals).mean())


@pytest.mark.parametrize("loss", ["cross-entropy", "margin"])
def test_r_inf_steps_along_the_numerical_gradient(loss: Any) -> None:
    rng = np.random.default_rng(7)
    seen = set()
    for _ in range(30):
        model, X, y = draw_multiclass(rng, c=4, d=6)
        step = numerical_step(model, X, y, loss)
        for eps in (0.02, 0.1, 0.25):
            value = r_inf(model, X, y, eps, loss=loss)
            seen.add(value)
            # both count the same survivors over n
            assert value == pytest.approx(expected_r_inf(model, X, y, eps, step), abs=1e-12)
    assert len(seen) > 20  # the budgets bite


def saturated_step(model: Any, X: Any, y: Any) -> Any:
    """Return the sign of the cross-entropy's gradient where scores are thousands apart.

    Each term of sum_k p_k (w_k - w_y) then outweighs all less likely ones: the sign at a feature
    is that of the likeliest rival whose weight differs from the label's there.
    """
    scores = X @ model.weights.T + model.bias
    step = np.zeros_like(X)
    for n, i in np.ndindex(*X.shape):
        gains = model.weights[:, i] - model.weights[y[n], i]
        rivals = [k for k in np.flatnonzero(gains) if k != y[n]]
        if rivals:
            step[n, i] = np.sign(gains[max(rivals, key=lambda k: scores[n, k])])
    return step


def draw_saturated(rng: np.random.Generator, zeros: float) -> tuple[Any, Any, Any]:
    weights = rng.normal(size=(4, 6)) * (rng.random((4, 6)) >= zeros) * 1e4
    model = LinearClassifier(weights=weights, bias=rng.normal(size=4) * 1e3)
    X = rng.random((40, 6))
    return model, X, class_scores(model, X).argmax(axis=1)


def test_r_inf_keeps_the_sign_of_saturated_scores() -> None:
    rng = np.random.default_rng(8)
    for _ in range(20):
        model, X, y = draw_saturated(rng, 0.0)
        scores = np.sort(X @ model.weights.T, axis=1)
        assert np.median(scores[:, -1] - scores[:, -2]) > 800  # exp underflows beyond 745
        step = saturated_step(model, X, y)
        for eps in (0.05, 0.2):
            # both count the same survivors over n
            assert r_inf(model, X, y, eps, loss="cross-entropy") == pytest.approx(
                expected_r_inf(model, X, y, eps, step), abs=1e-12
            )


def test_r_inf_keeps_the_sign_where_the_likeliest_rival_has_none() -> None:
    # Feature 0 does not tell label 1 from label 0; its gradient is that of label 2, whose
    # probability relative to label 1 is exp(-999): tiny, and its sign all that counts.
    model = LinearClassifier(weights=[[0.0], [0.0], [1e4]], bias=[1000.0, 999.0, 0.0])
    # score 2 becomes 2000 > 1000
    assert r_inf(model, [[0.0]], [0], 0.2, loss="cross-entropy") == 0.0
    rng = np.random.default_rng(9)
    for _ in range(20):
        model, X, y = draw_saturated(rng, 0.6)
        step = saturated_step(model, X, y)
        assert r_inf(model, X, y, 0.2, loss="cross-entropy") == pytest.approx(
            expected_r_inf(model, X, y, 0.2, step), abs=1e-12
        )


def test_r_inf_needs_a_named_loss_for_more_than_two_labels() -> None:
    model = LinearClassifier(weights=np.eye(3))
    for loss in (None, "hinge"):
        with pytest.raises(ValueError, match=f"for 3 labels; got {loss!r}"):
            r_inf(model, [[1.0, 0.0, 0.0]], [0], 0.1, loss=loss)  # type: ignore[arg-type]
    assert r_inf(LinearClassifier(weights=[1.0]), [[1.0]], [1], 0.1) == 1
    assert r_inf(LinearClassifier(weights=[[0.0], [1.0]]), [[1.0]], [1], 0.1) == 1
