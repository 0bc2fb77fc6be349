"""How the exercises of lesson 7 are judged."""

import math
from typing import Any

import numpy as np
from scipy import stats

from exercises.judging import called, judge_number, number, require
from theory.claims.classics import adversarial_loss
from theory.linear import LinearClassifier


def exercise_7a(answer: Any) -> None:
    """Judge a function that returns the adversarial hinge loss for Linf."""
    rng = np.random.default_rng(7)
    for eps in (0.3, 0.1, 0.5):
        w, b, X = rng.normal(size=3), float(rng.normal()), rng.normal(size=(12, 3))
        y = np.where(rng.random(12) < 0.5, 1.0, -1.0)
        model = LinearClassifier(weights=w, bias=b)
        value = number(called(answer, w, b, X, y, eps))
        wrong = {
            "That is without an attack: where is ε?": adversarial_loss(
                model, X, y, 0.0, loss="hinge"
            ),
            "That is for L2. The dual of L∞ is L1.": adversarial_loss(
                model, X, y, eps, norm=2, loss="hinge"
            ),
            "You pulled the norm out of the loss, (7.3): who has room to spare does not feel it.": (
                adversarial_loss(model, X, y, 0.0, loss="hinge") + 12 * eps * np.abs(w).sum()
            ),
        }
        for hint, mistake in wrong.items():
            require(not np.isclose(value, mistake), hint)
        truth = adversarial_loss(model, X, y, eps, norm=np.inf, loss="hinge")
        require(
            not np.isclose(value, truth / 12), "The sum over inputs is asked for, not the mean."
        )
        require(
            np.isclose(value, truth),
            f"At ε = {eps} it must be {truth:.4f}; yours is {value:.4f}. Lower each margin by"
            " ε|w|₁, then take the hinge, then the sum.",
        )


def exercise_7b(answer: Any) -> None:
    """Judge a number of rounds."""
    judge_number(
        answer,
        math.ceil(math.log(0.2) / math.log(0.8)),
        {
            4: "20 % of the weights *left* go, not of all weights: (7.4).",
            7: "After seven rounds .8⁷ = .21 is left: a little too much.",
            math.log(0.2) / math.log(0.8): "A whole number of rounds, please: round up.",
        },
        otherwise="The smallest r with .8 to the power r at most .2, by (7.4).",
    )


def exercise_7c(answer: Any) -> None:
    """Judge the largest squared loss near a margin."""
    judge_number(
        answer,
        max((1 - m) ** 2 for m in (1.5, 2.5)),
        {
            0.25: "That is (7.2), whose assumption fails: the squared loss rises beyond m = 1.",
            1.0: "That is the loss without an attack.",
            2.5: "That is the margin the attack makes; the loss is its distance to 1, squared.",
        },
        otherwise="The attack reaches every margin from 1.5 to 2.5. Where is (1 − m)² largest?",
    )


def exercise_7d(answer: Any) -> None:
    """Judge Student's statistic of paired differences."""
    first = np.array([0.60, 0.58, 0.63, 0.61, 0.59])
    anew = np.array([0.55, 0.57, 0.56, 0.58, 0.54])
    gain = first - anew
    judge_number(
        answer,
        float(stats.ttest_rel(first, anew).statistic),
        {
            float(stats.ttest_ind(first, anew).statistic): "That forgets which seeds belong"
            " together: take differences first.",
            float(gain.mean() / (gain.std() / np.sqrt(5))): "n − 1 in the standard deviation:"
            " ddof=1 in NumPy.",
            float(gain.mean() / gain.std(ddof=1)): "Divide the deviation by √5 for the error of"
            " the mean.",
            float(gain.mean()): "That is the mean gain; divide it by its standard error.",
            -float(stats.ttest_rel(first, anew).statistic): "The gain of the first weights: first"
            " minus anew.",
        },
        otherwise="Differences seed by seed; their mean; their standard deviation over √5.",
        tolerance=0.01,
    )
