"""How the exercises of lesson 5 are judged."""

import math
from typing import Any

import numpy as np

from exercises.judging import called, judge_number, number, require
from theory.networks import ReluNetwork
from theory.random_masks import expected_path_norm


def exercise_5a(answer: Any) -> None:
    """Judge a mean path norm."""
    net = ReluNetwork(weights=[[[1, -2], [3, 0]], [[2, -1]]])
    judge_number(
        answer,
        float(expected_path_norm(net, [0.5, 0.2])[0]),
        {
            9.0: "That is c₁, with nothing pruned.",
            0.9: "Weights are kept with probability 1 − α: multiply by ½ and ⅘.",
            4.5: "The second layer is pruned as well: multiply by ⅘.",
            7.2: "The first layer is pruned as well: multiply by ½.",
            1.2: "Paths have absolute values: nothing cancels. Take |W₁| and |W₂| first.",
        },
        otherwise="c₁ adds up |W₂||W₁| over all inputs; each path is kept with probability ½ · ⅘.",
    )


def exercise_5b(answer: Any) -> None:
    """Judge the best radius that margin over slope certifies."""
    judge_number(
        answer,
        (math.sqrt(13) - 1) / 2,
        {
            3.0: "That is at R = 0, where the ball is a point: the minimum with R is 0.",
            1.5: "That is 3/(1 + R) at R = 1, but (5.2) is the minimum of R and that: 1.",
            1.0: "A larger R does better: at R = 1 the other term is still 1.5.",
        },
        otherwise="R rises and 3/(1 + R) falls: their minimum is largest where they are equal.",
    )


def exercise_5c(answer: Any) -> None:
    """Judge the mean L2 norm of what is left of (1, 1)."""
    for rho in (0.5, 0.25, 0.9):
        truth = math.sqrt(2) * rho**2 + 2 * rho * (1 - rho)
        value = number(called(answer, rho))
        require(
            not np.isclose(value, math.sqrt(2) * rho),
            "That is c₂ρ, which is too low: the norm of a mean, not the mean of a norm.",
        )
        require(
            not np.isclose(value, math.sqrt(2 * rho)),
            "That is the root of the mean square, (5.6): a bound above the mean.",
        )
        require(
            np.isclose(value, truth),
            f"At ρ = {rho} it must be {truth:.4f}; yours is {value:.4f}. List the cases: both kept,"
            " one of the two kept, none.",
        )


def exercise_5d(answer: Any) -> None:
    """Judge the density at which two layers pruned make the steepest network on average."""
    judge_number(
        answer,
        math.sqrt(0.5),
        {
            0.5: "With one layer it is ½. Now a path is kept with probability ρ².",
            1.0: "Dense, both paths cancel: the slope is 0.",
            0.25: "Turn it round: ρ² must be ½.",
        },
        otherwise="With q = ρ² the probability that a path survives, the mean slope is 2q(1 − q).",
    )
