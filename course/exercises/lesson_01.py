"""How the exercises of lesson 1 are judged."""

from typing import Any

import numpy as np

from exercises.judging import called, judge_number, number, require, vector
from theory.claims.guo2018 import r_2_unrestricted
from theory.linear import LinearClassifier, flip_distance, r_2
from theory.linear.moments import correct_moments


def exercise_1a(answer: Any) -> None:
    """Judge a function that returns the L2 flip distance."""
    rng = np.random.default_rng(1)
    for d in (2, 3, 5):
        w, b, x = rng.normal(size=d), float(rng.normal()), rng.normal(size=d)
        model = LinearClassifier(weights=w, bias=b)
        margin = float(w @ x + b)
        for y in (1, -1):
            truth = flip_distance(model, x[None], [y])[0]
            value = number(called(answer, w, b, x, y))
            if y * margin <= 0:
                require(value == 0, "An input that is wrong already has the distance 0.")
                continue
            require(value > 0, "A rightly classified input has a positive distance.")
            require(
                not np.isclose(value, truth / np.linalg.norm(w)),
                "Divide by the length of w, not by its square.",
            )
            require(
                not np.isclose(value, truth * np.linalg.norm(w)),
                "That is the margin. Multiplying w and b by 10 must not change a distance.",
            )
            require(
                np.isclose(value, truth),
                f"At w={w.round(2)}, b={b:.2f}, x={x.round(2)}, y={y} it must be {truth:.4f};"
                f" yours is {value:.4f}. See (1.3).",
            )


def exercise_1b(answer: Any) -> None:
    """Judge the point of the boundary nearest to (2, 6)."""
    w, b, x = np.array([3.0, 4.0]), -10.0, np.array([2.0, 6.0])
    point, score = vector(answer, 2), 20.0
    require(
        not np.allclose(point, x + score / 25 * w, atol=1e-3),
        "You went away from the boundary: f(x) is positive, so go against w.",
    )
    require(
        not np.allclose(point, x - score / 5 * w, atol=1e-3),
        "Your move is too long: (1.3) divides by the square of the length of w.",
    )
    require(
        abs(w @ point + b) < 1e-2, f"Your point is not on the boundary: f is {w @ point + b:.2f}."
    )
    require(
        np.allclose(point, x - score / 25 * w, atol=1e-3),
        "It is on the boundary but not the nearest: the way there must be along w.",
    )


def exercise_1c(answer: Any) -> None:
    """Judge a distance within the box."""
    model = LinearClassifier(weights=[3.0, 4.0], bias=-1.0)
    x, y = np.array([[1.0, 0.25]]), [1]
    free = flip_distance(model, x, y)[0]
    clipped = float(np.linalg.norm(np.clip([0.64, -0.23], 0, 1) - x))
    judge_number(
        answer,
        flip_distance(model, x, y, box=(0, 1))[0],
        {
            free: "That is the distance without a box; its flip has a feature below 0.",
            clipped: "Cutting off leaves a point of the box that is no flip: compute f there.",
        },
        otherwise="Take x₂ down to 0, as far as it goes; x₁ has to do the rest until f = 0.",
    )


def exercise_1d(answer: Any) -> None:
    """Judge a classifier and inputs for which the printed form is more than twice r_2."""
    require(
        isinstance(answer, tuple | list) and len(answer) == 3,
        "Give (b, inputs, labels), such as (0.5, [1, 2, -1], [1, 1, -1]).",
    )
    count = np.size(answer[1])
    b, X, y = number(answer[0]), vector(answer[1], count), vector(answer[2], count)
    require(set(y) == {-1.0, 1.0}, "Labels must be −1 and +1, and both must occur.")
    model = LinearClassifier(weights=[1.0], bias=b)
    moments = correct_moments(model, X[:, None], y)
    require(
        (moments.accuracies > 0).all(), "Each label needs an input that is right: y (x + b) > 0."
    )
    true, written = r_2(model, X[:, None], y), r_2_unrestricted(model, moments)
    require(
        written > 2 * true,
        f"(1.6) gives {written:.3f}, and r_2 is {true:.3f}. (1.7) says how to make the gap large:"
        " unequal shares, and the label with the small share far away from the boundary.",
    )
