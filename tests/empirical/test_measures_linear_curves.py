"""Curves of attacked accuracy against clean accuracy and exact robust accuracy."""

from typing import Any

import numpy as np
import pytest

from empirical.measures import attack_curves
from theory.linear import LinearClassifier, robust_accuracy

NORMS = (2.0, np.inf)
EPS = np.array([0.0, 0.02, 0.05, 0.1, 0.2, 0.4])


def draw(labels: int) -> tuple[Any, Any, Any]:
    """Return three models, 60 inputs in [0, 1] and labels of which a model misses some."""
    rng = np.random.default_rng(labels)
    shape = (3, 1 if labels == 2 else labels, 6)
    weights = rng.normal(size=shape)
    bias = -weights.sum(axis=2) / 2
    models = [LinearClassifier(weights=w, bias=b) for w, b in zip(weights, bias, strict=True)]
    X = rng.random((60, 6))
    scores = X @ weights[0].T + bias[0] + 0.2 * rng.normal(size=(60, shape[1]))
    return models, X, np.where(scores[:, 0] > 0, 1, -1) if labels == 2 else scores.argmax(axis=1)


def clean_accuracy(model: Any, X: Any, y: Any) -> float:
    scores = X @ model.weights.T + model.bias
    hits = y * scores[:, 0] > 0 if model.is_binary else scores.argmax(axis=1) == y
    return float(hits.mean())


@pytest.mark.parametrize("box", [None, (0.0, 1.0)])
@pytest.mark.parametrize("labels", [2, 4])
@pytest.mark.parametrize("norm", NORMS)
def test_attack_curves_fall_from_clean_accuracy_and_never_below_the_exact(
    norm: float, labels: int, box: Any
) -> None:
    models, X, y = draw(labels)
    curves = attack_curves(models, X, y, EPS, norm=norm, box=box)
    clean = [clean_accuracy(model, X, y) for model in models]
    assert min(clean) < max(clean) < 1
    # Points may exceed their budget by 1e-9 of it and the rounding of X.
    exact = [robust_accuracy(m, X, y, EPS * (1 + 1e-8) + 1e-14, norm=norm, box=box) for m in models]
    for attack, curve in curves.items():
        assert curve.shape == (3, EPS.size), attack
        assert (np.diff(curve, axis=1) <= 1e-12).all(), attack  # a mean of 60 is rounded once
        assert curve[:, 0] == pytest.approx(clean, abs=1e-12), attack
        assert (curve >= np.array(exact) - 1e-12).all(), attack
        assert (curve[:, -1] < curve[:, 0] / 2).all(), attack  # the attacks do bite


@pytest.mark.parametrize("norm", NORMS)
def test_attack_curves_of_two_labels_without_box_meet_the_exact(norm: float) -> None:
    models, X, y = draw(2)
    for attack, curve in attack_curves(models, X, y, EPS, norm=norm, box=None).items():
        # DDN's last norm is within 1 % of the distance, DeepFool's within 2e-4
        exact = [robust_accuracy(model, X, y, EPS / 1.01, norm=norm) for model in models]
        assert (curve <= np.array(exact) + 1e-12).all(), attack  # a mean of 60 is rounded once


def test_attack_curves_are_named_after_the_attacks_of_their_norm() -> None:
    models, X, y = draw(2)
    two = attack_curves(models, X, y, EPS, norm=2, box=None)
    assert list(two) == ["l2_pgd", "ddn", "l2_deepfool"]
    inf = attack_curves(models, X, y, EPS, norm=np.inf, box=(0, 1), carlini_wagner=True)
    assert list(inf) == ["fgsm", "linf_pgd", "linf_deepfool"]
    few = attack_curves(models[:1], X[:5], y[:5], EPS, norm=2, box=(0, 1), carlini_wagner=True)
    assert list(few)[-1] == "carlini_wagner"
    assert (np.diff(few["carlini_wagner"], axis=1) <= 0).all()


def test_attack_curves_count_as_robust_what_no_attack_can_move() -> None:
    constant = LinearClassifier(weights=np.zeros(2), bias=1.0)
    X, y = np.full((4, 2), 0.5), [1, 1, 1, -1]
    for norm in NORMS:
        curves = attack_curves([constant], X, y, np.array([0.0, 9.0]), norm=norm, box=None)
        assert all(curve.tolist() == [[0.75, 0.75]] for curve in curves.values())


@pytest.mark.parametrize("norm", [0, 1, 3, "2"])
def test_attack_curves_refuse_other_norms(norm: Any) -> None:
    models, X, y = draw(2)
    with pytest.raises(ValueError, match=f"norm must be 2 or inf for attacks; got {norm!r}"):
        attack_curves(models, X, y, EPS, norm=norm, box=None)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"eps": np.array([-0.1])}, "eps must be at least 0; got -0.1"),
        ({"y": np.full(60, 2)}, r"\{-1, 1\}; got 2"),
        ({"box": (0.0, 0.5)}, "X must lie in the box"),
        ({"carlini_wagner": True}, "box must be a finite pair"),
        ({"models": []}, "at least one"),
    ],
)
def test_attack_curves_refuse_by_value(change: dict[str, Any], message: str) -> None:
    models, X, y = draw(2)
    given = {"models": models, "X": X, "y": y, "eps": EPS, "norm": 2, "box": None} | change
    with pytest.raises(ValueError, match=message):
        attack_curves(**given)
