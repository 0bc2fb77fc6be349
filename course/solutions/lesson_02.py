"""Solutions of lesson 2, for teachers, and mistakes with a word of the hint that each gets."""

import numpy as np


def gain(w, norm):
    """Return the dual norm (2.2)."""
    return np.linalg.norm(w, ord={1: np.inf, 2: 2, np.inf: 1}[norm])


ANSWERS = {
    "2a": gain,
    # f(x) = 6 + 4 + 0 + 1 = 11, and |w|₁ = 7.
    "2b": 11 / 7,
    # |w|₁/|w|₂ is near 1 + 99 · .001.
    "2c": [1.0] + [0.001] * 99,
    # .5 = ε |w|₁ = 2ε. The bound is 1 there and falls below 1 beyond, where all inputs are flipped:
    # it is violated nowhere, as every pixel can move both ways by ε up to ½.
    "2d": 0.25,
    # ε = .5/(1 + B/2), so the bound is (1 + B/2)/(1 + B): .75 at B = 1, and ½ in the limit.
    "2e": 0.5,
}

MISTAKES = {
    "2a": [
        (lambda w, norm: np.linalg.norm(w, ord=norm), "norm of w itself"),
        (lambda w, norm: np.linalg.norm(w), "norm=inf"),
        (lambda w, norm: np.sum(w), "norm=2"),
        (lambda w: 1.0, "fails"),
    ],
    "2b": [(2.2, "L2"), (2.75, "L1"), (10 / 7, "bias"), (11, "margin"), (-11.0, "absolute")],
    "2c": [
        ([1.0] * 100, "10.00"),
        ([1.0] + [0.0] * 99, "None"),
        ([1.0] + [0.1] * 99, "larger"),
        ([1.0], "100 numbers"),
    ],
    "2d": [(1 / 3, "background at 0"), (0.5, "help the attack"), (1.0, "rate")],
    "2e": [(0.75, "B = 1"), (0, "falls too"), (1, "half"), (0.3, "Put that")],
}
