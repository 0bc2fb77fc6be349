"""How the exercises of lesson 2 are judged."""

from typing import Any

import numpy as np

from exercises.judging import called, judge_number, number, require, vector
from theory.claims.guo2018 import clipping_counterexample
from theory.linear import LinearClassifier, flip_distance
from theory.linear.classifier import dual_norm


def exercise_2a(answer: Any) -> None:
    """Judge a function that returns the dual norm."""
    rng = np.random.default_rng(2)
    for norm in (2, np.inf, 1):
        w = rng.normal(size=4)
        truth = dual_norm(LinearClassifier(weights=w), norm)
        value = number(called(answer, w, norm))
        require(
            norm == 2 or not np.isclose(value, np.linalg.norm(w, ord=norm)),
            f"For norm={norm} you return that norm of w itself. The attack has it; which norm is"
            " its dual?",
        )
        require(
            np.isclose(value, truth),
            f"For w={w.round(2)} and norm={norm} it must be {truth:.4f}; yours is {value:.4f}.",
        )


def exercise_2b(answer: Any) -> None:
    """Judge an Linf distance."""
    model, x = LinearClassifier(weights=[3.0, -4.0, 0.0], bias=1.0), [[2.0, -1.0, 5.0]]
    one, two, linf = (float(flip_distance(model, x, [1], norm=n)[0]) for n in (1, 2, np.inf))
    judge_number(
        answer,
        linf,
        {
            two: "That is the L2 distance. Which norm of w is dual to L∞?",
            one: "That is the L1 distance: you divided by the largest weight, the dual of L1.",
            10 / 7: "The score has the bias in it: f(x) = 6 + 4 + 1.",
            11.0: "That is the margin; divide by the dual norm of w, as (2.4) says.",
        },
        otherwise="Compute f(x) = w·x + b, then divide by the sum of absolute weights (2.4).",
    )


def exercise_2c(answer: Any) -> None:
    """Judge a hundred weights of which none is zero, and whose L1 norm is at most twice the L2."""
    w = vector(answer, 100)
    require((w != 0).all(), "None of the weights may be zero.")
    ratio = np.abs(w).sum() / np.linalg.norm(w)
    require(
        ratio <= 2,
        f"d₂/d∞ = |w|₁/|w|₂ must be at most 2; yours is {ratio:.2f}. What if one weight is far"
        " larger than all others together?",
    )


def exercise_2d(answer: Any) -> None:
    """Judge the smallest step with a background that can move both ways."""
    model, X, y, _ = clipping_counterexample()
    X[:, 1:] = 0.5
    step = float(flip_distance(model, X, y, norm=np.inf, box=(0, 1)).min())
    judge_number(
        answer,
        step,
        {
            1 / 3: "That is with the background at 0. At ½ each pixel can move up and down.",
            0.5: "The background moves too: its hundred pixels help the attack.",
        },
        otherwise="All pixels can now move the harmful way by ε ≤ ½: the margin falls at the rate"
        " |w|₁ = 2.",
    )


def exercise_2e(answer: Any) -> None:
    """Judge the limit of the bound as the background's weights grow."""
    weight = 1e9
    # The signal and half of the background: .5 = ε (1 + B/2); the bound there is .5 / (ε (1 + B)).
    limit = (1 + weight / 2) / (1 + weight)
    judge_number(
        answer,
        limit,
        {
            0.75: "That is for B = 1. Write ε and the bound for any B, then let B grow.",
            0.0: "The bound is .5/(ε(1 + B)), but ε falls too: ε(1 + B/2) = .5.",
            1.0: "Without a box it would be 1. Clipped, the attack has half of the background.",
        },
        otherwise="Clipped, the answer flips at ε(1 + B/2) = .5. Put that ε into (2.8).",
    )
