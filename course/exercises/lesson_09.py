"""How the exercises of lesson 9 are judged."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from scipy.stats import norm as normal

from empirical.intervals import holm
from exercises.judging import judge_number, require, vector
from theory.linear import LinearClassifier, flip_distance

_FORMS = {
    1: ("bound", "It says that one number is never above another."),
    2: ("equivalence", "It declares a margin within which an effect lies."),
    3: ("trend", "It says that an effect is positive on average, without saying how large."),
    4: ("identity", "It says that two numbers are equal in every case."),
}


def exercise_9a(answer: Any) -> None:
    """Judge the forms of four claims."""
    require(
        isinstance(answer, Mapping) and set(answer) == set(_FORMS),
        "Answer with a dictionary of the numbers 1 to 4.",
    )
    for which, (form, why) in _FORMS.items():
        said = str(answer[which]).strip().lower()
        require(said == form, f"Claim {which} is not of the form {said!r}. {why}")


def exercise_9b(answer: Any) -> None:
    """Judge a number of runs."""
    square = (3 / 2) ** 2
    runs = math.ceil((normal.ppf(0.975) + normal.ppf(0.8)) ** 2 * square)
    judge_number(
        answer,
        runs,
        {
            runs - 1: "Round up: with fewer runs the power is below 80 %.",
            math.ceil(normal.ppf(0.975) ** 2 * square): "Without z_.8 the power is only a half.",
            math.ceil(7.85 / square): "Upside down: it is s²/Δ², the noise over the effect.",
            math.ceil(7.85 * 1.5): "s/Δ has to be squared.",
            math.ceil(
                (normal.ppf(0.95) + normal.ppf(0.8)) ** 2 * square
            ): "The test is two-sided: z_.975, not z_.95.",
        },
        otherwise="7.85 s²/Δ² with s = 3 and Δ = 2, rounded up to a whole number.",
    )


def exercise_9c(answer: Any) -> None:
    """Judge the probability of a false mark."""
    judge_number(
        answer,
        1 - 0.95**20,
        {
            1.0: "20 · .05 is how many false marks there are on average, not a probability.",
            0.05: "That is for a single test.",
            0.95**20: "That is the probability of no mark at all.",
            64.2: "As a number between 0 and 1, please, not in percent.",
        },
        otherwise="No mark: .95 twenty times. At least one is the opposite, (9.4).",
    )


def exercise_9d(answer: Any) -> None:
    """Judge which claims stand after Holm's correction."""
    p_values = np.array([0.015, 0.03, 0.004, 0.2])
    standing = set(np.flatnonzero(holm(p_values) < 0.05).tolist())
    chosen = set(vector(answer, np.size(answer)).tolist())
    require(
        chosen != set(np.flatnonzero(p_values < 0.05).tolist()),
        "That is without a correction: four tests have four chances.",
    )
    require(
        chosen != set(np.flatnonzero(4 * p_values < 0.05).tolist()),
        "That is Bonferroni's, which multiplies all by 4. Holm multiplies the second by 3.",
    )
    require(
        chosen == standing,
        "Sort: .004, .015, .03, .2. Multiply by 4, 3, 2, 1. Which stay below .05 (and none before"
        " them is above)? Give the numbers that they have in the list, from 0.",
    )


def exercise_9e(answer: Any) -> None:
    """Judge two classifiers whose L2 and Linf distances are in opposite order."""
    require(
        isinstance(answer, tuple | list) and len(answer) == 3,
        "Give two lists of weights and an input, (w, v, x).",
    )
    w, v, x = (vector(part, 2) for part in answer)
    models = [LinearClassifier(weights=weights) for weights in (w, v)]
    require(w.any() and v.any(), "Weights must not all be zero.")
    require(min(w @ x, v @ x) > 0, "Both must be right at x: a positive score.")
    two, linf = (
        [float(flip_distance(model, x[None], [1], norm=norm)[0]) for model in models]
        for norm in (2, np.inf)
    )
    require(
        (two[0] - two[1]) * (linf[0] - linf[1]) < -1e-9,
        f"L2 distances {two[0]:.3f} and {two[1]:.3f}, L∞ {linf[0]:.3f} and {linf[1]:.3f}: no"
        " refutation yet. Try two equal weights against a single one (lesson 2).",
    )
