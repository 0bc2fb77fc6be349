"""How the exercises of lesson 6 are judged."""

import math
from typing import Any

import numpy as np

from exercises.judging import judge_number, require, vector
from theory.certify.branch_and_bound import exact_distance
from theory.networks import ReluNetwork


def exercise_6a(answer: Any) -> None:
    """Judge the largest number of regions of eight units in the plane."""
    most = sum(math.comb(8, i) for i in range(3))
    judge_number(
        answer,
        most,
        {
            2**8: "So many patterns there are, but eight lines do not reach all of them.",
            9: "That is for one input, d = 1.",
            most - 1: "The sum (6.3) starts at i = 0.",
            math.comb(8, 2): "That is the last term of (6.3) only.",
            8: "Each unit makes a line; how many pieces do eight lines make?",
        },
        otherwise="(6.3) with n = 8 and d = 2: 1 + 8 + (8 choose 2).",
    )


def exercise_6b(answer: Any) -> None:
    """Judge the upper side of a triangle."""
    judge_number(
        answer,
        3 * (0 + 1) / (3 + 1),
        {
            0.0: "That is the unit itself. The relaxation allows more.",
            3.0: "That is its top, at z = u. The upper side is a line from (l, 0) to (u, u).",
            1.5: "The line starts at z = l = −1, not at −3.",
            1.0: "You have the height of z = l; the line from (−1, 0) to (3, 3) has the slope ¾.",
        },
        otherwise="Put l = −1, u = 3 and z = 0 into the right side of (6.4).",
    )


def exercise_6c(answer: Any) -> None:
    """Judge an estimate from one gradient and the exact distance."""
    net = ReluNetwork(weights=[[[1.0], [1.0]], [[-1.0, -2.0]]], biases=[[0.0, -1.0], [2.0]])
    exact = exact_distance(net, [[0.5]], [1]).upper[0]
    value = vector(answer, 2)
    require(
        np.isclose(value[0], 1.5, rtol=2e-3),
        "The estimate is f over the absolute slope at x = .5, where only the first unit is on.",
    )
    require(
        not np.isclose(value[1], 4 / 3, rtol=2e-3),
        "That is the point where f is 0; the distance is from x = .5.",
    )
    require(
        np.isclose(value[1], exact, rtol=2e-3),
        "From x = 1 on the slope is −3. Where is f = 0, and how far is that from .5?",
    )


def exercise_6d(answer: Any) -> None:
    """Judge what a search knows."""
    low, high, done = vector(answer, 3)
    require(
        np.isclose(high, 0.5), "A flip at .5 is known: the distance is at most that, whatever else."
    )
    require(
        not np.isclose(low, 0.55),
        "A nearer flip may be in any open problem: take the smallest lower bound.",
    )
    require(np.isclose(low, 0.3), "The lower end is the smallest of the open lower bounds (6.5).")
    require(done == 1, "A problem is done if its lower bound is not below the best flip, .5.")
