"""How the exercises of lesson 4 are judged."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from scipy.special import betainc

from exercises.judging import called, judge_number, require, vector
from theory.certify import certified_radius
from theory.certify.branch_and_bound import exact_distance
from theory.networks import ReluNetwork

_KINDS = {
    1: ("exact", "Proven from below by Hölder, reached from above by a point: both."),
    2: ("upper", "The flip is a witness; another run might find a nearer one."),
    3: ("lower", "Each of these digits is proven; others may be robust without a proof."),
    4: (
        "lower",
        "Each gradient is there: the largest slope is at least that. On d it says nothing.",
    ),
    5: ("estimate", "Other digits may be nearer or farther: a sample's mean bounds nothing."),
}


def exercise_4a(answer: Any) -> None:
    """Judge the kinds of five numbers."""
    require(
        isinstance(answer, Mapping) and set(answer) == set(_KINDS),
        "Answer with a dictionary of the numbers 1 to 5.",
    )
    for which, (kind, why) in _KINDS.items():
        said = str(answer[which]).strip().lower()
        require(
            said in {"exact", "lower", "upper", "estimate"},
            f'Number {which} must be "exact", "lower", "upper" or "estimate"; got {said!r}.',
        )
        require(said == kind, f"Number {which} is not {said!r}. {why}")


def exercise_4b(answer: Any) -> None:
    """Judge a function that returns the sandwich of robust accuracy."""
    lower, upper = np.array([0.0, 0.5, 1.0, 2.0]), np.array([0.0, 1.0, 1.0, 3.0])
    for eps, low, high in ((0.7, 0.5, 0.75), (1.0, 0.25, 0.25), (0.0, 0.75, 0.75), (9.0, 0.0, 0.0)):
        value = vector(called(answer, lower, upper, eps), 2)
        require(
            not np.allclose(value, [high, low]) or low == high,
            "The pair must be in order: the lowest first. Which bound proves robustness?",
        )
        require(
            eps != 1.0 or not np.allclose(value, [0.5, 0.75]),
            "A flip at the distance ε itself succeeds: d > ε, not d ≥ ε.",
        )
        require(
            np.allclose(value, [low, high]),
            f"For lower={lower}, upper={upper}, ε={eps} it must be ({low}, {high}); yours is"
            f" {value}. Count with lower for one end, with upper for the other.",
        )


def exercise_4c(answer: Any) -> None:
    """Judge what interval arithmetic proves, and the truth, of a network."""
    net = ReluNetwork(weights=[[[1, -1], [1, 1]], [[1, 1]]], biases=[[0, 0], [-1]])
    setting: Any = {"X": [[1.0, 0.0]], "y": [1], "norm": np.inf}
    proven = certified_radius(net, method="interval", **setting).lower[0]
    true = exact_distance(net, **setting).upper[0]
    value = vector(answer, 2)
    require(
        np.isclose(value[0], proven, rtol=2e-3),
        "(i) At radius r both hidden units lie in 1 ± 2r, so f is proven to be at least"
        " 2 max(0, 1 − 2r) − 1.",
    )
    require(
        np.isclose(value[1], true, rtol=2e-3),
        "(ii) Where x₁ > |x₂| both units are on, and x₂ cancels: f = 2x₁ − 1. That is what interval"
        " arithmetic forgets.",
    )


def exercise_4d(answer: Any) -> None:
    """Judge how many points are needed to see a thin part of a ball."""
    share = float(betainc(101 / 2, 1 / 2, 3 / 4) / 2)
    judge_number(
        answer,
        math.log(0.5) / math.log1p(-share),
        {
            1 / share: "So many hit it once on average; to hit with probability ½ takes less.",
            0.5 / share: "Nearly: misses multiply. (1 − p) to the power of n must be ½.",
            share: "That is the part of the ball; how often must one draw?",
        },
        otherwise="With p the part of the ball: all n points miss with probability (1 − p)ⁿ = ½.",
        tolerance=0.02,
    )
