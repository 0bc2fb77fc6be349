"""Robust accuracy, r_2 and r_inf of linear classifiers, held against their definitions."""

import itertools
from typing import Any

import numpy as np
import pytest

from theory.linear import LinearClassifier, class_scores, flip_distance, r_2, r_inf, robust_accuracy

BOXES: list[Any] = [None, (0.0, 1.0)]


def draw_binary(rng: np.random.Generator, d: int = 4) -> tuple[Any, Any, Any]:
    weights = rng.normal(size=d) * (rng.random(d) < 0.8)
    model = LinearClassifier(weights=weights, bias=rng.normal() * 0.3)
    X = np.where(rng.random((25, d)) < 0.3, rng.integers(0, 2, (25, d)), rng.random((25, d)))
    y = np.where(rng.random(25) < 0.8, model.classes[class_scores(model, X).argmax(axis=1)], 1)
    return model, X, y


def draw_multiclass(rng: np.random.Generator, c: int = 4, d: int = 4) -> tuple[Any, Any, Any]:
    model = LinearClassifier(weights=rng.normal(size=(c, d)), bias=rng.normal(size=c) * 0.1)
    X = rng.random((40, d))
    return model, X, class_scores(model, X).argmax(axis=1)


def corners(x: Any, eps: float, box: Any) -> Any:
    """Return the corners of the Linf ball of size eps around x, within the box."""
    lo, hi = (x - eps, x + eps) if box is None else np.clip([x - eps, x + eps], *box)
    return np.array(list(itertools.product(*zip(lo, hi, strict=True))))


def keeps_label(model: Any, points: Any, label: int) -> Any:
    """Return where the label scores above every other, from the weights alone."""
    if model.is_binary:
        return label * (points @ model.weights[0] + model.bias[0]) > 0
    scores = points @ model.weights.T + model.bias
    return scores[:, label] > np.delete(scores, label, axis=1).max(axis=1)


# A linear score is least at a corner, and the lead over some rival is lost at one if at all.
@pytest.mark.parametrize("box", BOXES)
@pytest.mark.parametrize("draw", [draw_binary, draw_multiclass])
def test_robust_accuracy_linf_agrees_with_all_corners(draw: Any, box: Any) -> None:
    rng = np.random.default_rng(0)
    for eps in (0.0, 0.03, 0.1, 0.3, 0.8):
        model, X, y = draw(rng)
        kept = [
            keeps_label(model, corners(x, eps, box), label).all()
            for x, label in zip(X, y, strict=True)
        ]
        # a count over n, summed in another order: one rounding
        assert robust_accuracy(model, X, y, eps, norm=np.inf, box=box) == pytest.approx(
            np.mean(kept), abs=1e-12
        )


@pytest.mark.parametrize("box", BOXES)
def test_r_inf_with_two_labels_agrees_with_all_corners(box: Any) -> None:
    rng = np.random.default_rng(1)
    for eps in (0.0, 0.03, 0.1, 0.3, 0.8):
        model, X, y = draw_binary(rng)
        kept = [
            keeps_label(model, corners(x, eps, box), label).all()
            for x, label in zip(X, y, strict=True)
        ]
        # a count over n, summed in another order: one rounding
        assert r_inf(model, X, y, eps, box=box) == pytest.approx(np.mean(kept), abs=1e-12)
        rows = np.vstack([np.zeros_like(model.weights), model.weights])
        two = LinearClassifier(weights=rows, bias=[0.0, model.bias[0]])
        for loss in (None, "cross-entropy", "margin"):
            same = r_inf(two, X, (y + 1) // 2, eps, loss=loss, box=box)
            assert same == pytest.approx(np.mean(kept), abs=1e-12)


@pytest.mark.parametrize("box", BOXES)
@pytest.mark.parametrize("norm", [1, 2, np.inf])
@pytest.mark.parametrize("draw", [draw_binary, draw_multiclass])
def test_random_search_never_beats_robust_accuracy(draw: Any, norm: float, box: Any) -> None:
    rng = np.random.default_rng(2)
    model, X, y = draw(rng, d=5)
    for eps in (0.05, 0.2, 0.6):
        kept = np.ones(len(X), dtype=bool)
        for _ in range(300):
            moves = rng.normal(size=X.shape)
            if norm == np.inf:
                moves = np.sign(moves)
            elif norm == 1:  # sparse directions reach far in L1
                moves *= moves == np.abs(moves).max(axis=1, keepdims=True)
            size = np.linalg.norm(moves, ord=norm, axis=1, keepdims=True)
            points = X + eps * np.divide(moves, size, out=np.zeros_like(moves), where=size > 0)
            points = points if box is None else np.clip(points, *box)
            kept &= [
                keeps_label(model, point[None], label)[0]
                for point, label in zip(points, y, strict=True)
            ]
        # random attacks only ever leave more standing; the slack is one rounding of a mean
        assert robust_accuracy(model, X, y, eps, norm=norm, box=box) <= kept.mean() + 1e-12


@pytest.mark.parametrize("norm", [0, 1, 2, np.inf])
def test_robust_accuracy_falls_from_the_accuracy_to_nothing(norm: float) -> None:
    model, X, y = draw_binary(np.random.default_rng(3))
    accuracy = np.mean(y * (X @ model.weights[0] + model.bias[0]) > 0)
    budgets = np.array([[0.0, 0.2, 0.4], [0.6, 2.0, 1e6]])
    curve = robust_accuracy(model, X, y, budgets, norm=norm)
    assert curve.shape == (2, 3)
    assert curve[0, 0] == pytest.approx(accuracy, abs=1e-12)  # one rounding of a mean
    assert (np.diff(curve.ravel()) <= 0).all()
    assert curve[1, 2] == 0
    for eps, value in zip(budgets.ravel(), curve.ravel(), strict=True):
        single = robust_accuracy(model, X, y, eps, norm=norm)
        assert single.shape == ()
        assert single == value


def test_ties_count_as_errors_at_every_budget() -> None:
    model = LinearClassifier(weights=[1.0, -1.0])
    X, y = [[0.5, 0.5], [1.0, 0.0], [0.0, 1.0]], [1, 1, -1]
    # distances 0, 1/2 and 1/2 in Linf, all exact in binary
    assert robust_accuracy(model, X, y, [0.0, 0.25, 0.5], norm=np.inf) == pytest.approx(
        [2 / 3, 2 / 3, 0.0]
    )
    assert [r_inf(model, X, y, eps) for eps in (0.0, 0.25, 0.5)] == pytest.approx([2 / 3, 2 / 3, 0])
    assert r_inf(model, X[:1], [-1], 0.0) == 0
    tied = LinearClassifier(weights=np.ones((3, 2)))
    assert robust_accuracy(tied, X, [0, 1, 2], 0.0, norm=2) == 0
    assert r_inf(tied, X, [0, 1, 2], 0.0, loss="margin") == 0


def test_what_cannot_flip_stays_robust() -> None:
    constant = LinearClassifier(weights=[0.0, 0.0], bias=1.0)
    X, y = np.zeros((4, 2)), [1, 1, 1, -1]
    assert robust_accuracy(constant, X, y, 1e9, norm=2) == 0.75
    assert r_inf(constant, X, y, 1e9) == 0.75
    assert r_2(constant, X, y) == np.inf
    assert r_2(constant, X, [-1] * 4) == 0


def test_r_2_is_the_area_under_robust_accuracy() -> None:
    rng = np.random.default_rng(4)
    for draw, box in itertools.product((draw_binary, draw_multiclass), BOXES):
        model, X, y = draw(rng)
        if np.isinf(flip_distance(model, X, y, box=box)).any():
            continue
        # E[distance] is the integral of Pr(distance > eps): a midpoint rule on 40000 cells, whose
        # error is at most half a cell for a falling curve
        width = 40.0 / 40000
        curve = robust_accuracy(model, X, y, (np.arange(40000) + 0.5) * width, norm=2, box=box)
        assert curve[-1] == 0
        assert r_2(model, X, y, box=box) == pytest.approx(curve.sum() * width, abs=width / 2)


def test_r_2_is_the_mean_signed_distance_of_the_correct() -> None:
    model, X, y = draw_binary(np.random.default_rng(5))
    w, b = model.weights[0], model.bias[0]
    feet = X - np.outer((X @ w + b) / (w @ w), w)  # the orthogonal projections on {f = 0}
    correct = y * (X @ w + b) > 0
    # two roundings of the same quotient
    assert r_2(model, X, y) == pytest.approx(
        (correct * np.linalg.norm(X - feet, axis=1)).mean(), rel=1e-12
    )


# x = (1/2, 1) must give up both features: 1/2 in the first is not quite enough.
@pytest.mark.parametrize(
    ("norm", "tiny"),
    [
        *itertools.product((1, 2, np.inf), (1e-9, 1e-12, 1e-17)),
        (1, 1e-170),
        (2, 1e-170),
        (np.inf, 1e-170),
    ],
)
def test_boxed_distance_is_never_below_the_free_one_for_tiny_weights(
    norm: float, tiny: float
) -> None:
    model = LinearClassifier(weights=[1.0, tiny])
    free = flip_distance(model, [[0.5, 1.0]], norm=norm)
    boxed = flip_distance(model, [[0.5, 1.0]], norm=norm, box=(0, 1))
    assert boxed >= free * (1 - 1e-12)  # roundings of the same quotient


MODEL = LinearClassifier(weights=np.eye(3))


REFUSALS: list[tuple[dict[str, Any], type[Exception], str]] = [
    ({"eps": -0.1}, ValueError, "eps must be at least 0; got -0.1"),
    ({"eps": np.nan}, ValueError, "eps must be finite; got nan"),
    ({"eps": np.inf}, ValueError, "eps must be finite; got inf"),
    ({"eps": "big"}, TypeError, "eps must be an array of numbers; got 'big'"),
    ({"X": [1.0, 2.0, 3.0]}, ValueError, r"got shape \(3,\)"),
    ({"X": [[1.0, np.nan, 0.0]]}, ValueError, r"got nan at index \(0, 1\)"),
    ({"y": [3]}, ValueError, r"\{0, 1, 2\}; got 3"),
    ({"y": [0, 1]}, ValueError, r"n=1; got shape \(2,\)"),
    ({"box": (0, 0.5)}, ValueError, r"got X\[0, 0\]=1.0 outside \[0.0, 0.5\]"),
    ({"box": (1, 0)}, ValueError, "got lo=1.0, hi=0.0 at feature 0"),
]


@pytest.mark.parametrize(("change", "error", "message"), REFUSALS)
@pytest.mark.parametrize("function", [robust_accuracy, r_inf])
def test_refusals_name_the_value(function: Any, change: Any, error: Any, message: str) -> None:
    arguments = {"X": [[1.0, 0.5, 0.0]], "y": [0], "eps": 0.1, **change}
    further = {"norm": 2} if function is robust_accuracy else {"loss": "margin"}
    with pytest.raises(error, match=message):
        function(MODEL, **arguments, **further)


@pytest.mark.parametrize(("change", "error", "message"), REFUSALS[4:])
def test_r_2_refuses_bad_input_by_value(change: Any, error: Any, message: str) -> None:
    with pytest.raises(error, match=message):
        r_2(MODEL, **{"X": [[1.0, 0.5, 0.0]], "y": [0], **change})


def test_robust_accuracy_refuses_an_unknown_norm() -> None:
    with pytest.raises(ValueError, match="got 3"):
        robust_accuracy(MODEL, [[1.0, 0.0, 0.0]], [0], 0.1, norm=3)
