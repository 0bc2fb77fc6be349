"""How the exercises of lesson 8 are judged."""

import math
from typing import Any

import numpy as np
from scipy.stats import norm as normal

from exercises.judging import called, judge_number, number, require
from theory.asymptotics import (
    Limit,
    Objective,
    limit_accuracy,
    limit_robust_accuracy,
    predict,
    spiked_law,
)


def _averaging(s: float, delta: float) -> Limit:
    """Return the limit of a penalty so strong that training averages."""
    return predict(Objective(loss="logistic", l2=1e5), spiked_law(s), ratio=delta)


def exercise_8a(answer: Any) -> None:
    """Judge a function that returns the accuracy of averaging."""
    for s, delta in ((2.0, 0.5), (1.0, 3.0), (0.5, 1.5)):
        value = number(called(answer, s, delta))
        require(
            not np.isclose(value, normal.cdf(s), atol=1e-4),
            "That is (3.3), for a known μ: learning from few inputs costs accuracy.",
        )
        require(
            not np.isclose(value, normal.cdf(s**2 / (s**2 + 1 / delta)), atol=1e-4),
            "Divide by the length of w, the root of s² + 1/δ.",
        )
        require(
            not np.isclose(value, normal.cdf(s**2 / math.sqrt(s**2 + delta)), atol=1e-4),
            "The noise is d/n = 1/δ: more inputs, less noise.",
        )
        truth = limit_accuracy(_averaging(s, delta))
        require(
            np.isclose(value, truth, atol=1e-4),
            f"At s = {s}, δ = {delta} it must be {truth:.4f}; yours is {value:.4f}.",
        )


def exercise_8b(answer: Any) -> None:
    """Judge how many inputs averaging needs."""
    z = float(normal.ppf(0.95))
    truth = 1 / (16 / z**2 - 4)
    judge_number(
        answer,
        truth,
        {
            1 / truth: "Upside down: 1/δ is the noise, δ = n/d is asked for.",
            1 / (16 / 0.95**2 - 4): "First the inverse of Φ: at which t is Φ(t) = .95?",
            1 / (16 / z - 4): "Square both sides: 16/(4 + 1/δ) = t².",
        },
        otherwise="Solve 4/√(4 + 1/δ) = t for δ, with Φ(t) = .95.",
        tolerance=0.01,
    )


def exercise_8c(answer: Any) -> None:
    """Judge the robust accuracy of averaging."""
    length = math.sqrt(5)
    judge_number(
        answer,
        float(limit_robust_accuracy(_averaging(2.0, 1.0), eps=1.0)),
        {
            float(normal.cdf(3 / length)): "In (8.2) ε is multiplied by the length of w, √5.",
            float(normal.cdf(4 / length)): "That is without an attack.",
            float(normal.cdf(1.0)): "The length of w is √(s² + 1/δ), not s.",
            4 / length - 1: "That is how many deviations the margin is above ε: take Φ of it.",
        },
        otherwise="M = 4 and the length of w is √5: put them into (8.2) with ε = 1.",
    )


def exercise_8d(answer: Any) -> None:
    """Judge scikit-learn's C."""
    judge_number(
        answer,
        1 / (0.1 * math.sqrt(400)),
        {
            10.0: "(8.5) has a factor √d before the norm.",
            1 / 40: "It is √d that stands before the norm in (8.5), not d.",
            2.0: "Upside down: C multiplies the loss, λ√d the norm.",
            0.1: "C multiplies the loss instead of the norm: divide (8.5) by λ√d.",
        },
        otherwise="Divide (8.5) by λ√d: what then stands before the loss is C.",
    )
