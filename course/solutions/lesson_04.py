"""Solutions of lesson 4, for teachers, and mistakes with a word of the hint that each gets."""

import numpy as np
from scipy.special import betainc


def accuracy_between(lower, upper, eps):
    """Return (4.5)."""
    return np.mean(lower > eps), np.mean(upper > eps)


_KINDS = {1: "exact", 2: "upper", 3: "lower", 4: "lower", 5: "estimate"}
_PART = betainc(101 / 2, 1 / 2, 3 / 4) / 2

ANSWERS = {
    "4a": _KINDS,
    "4b": accuracy_between,
    # (i) 2 (1 - 2r) = 1. (ii) f = 2 x₁ - 1 as long as x₁ > |x₂|, which r < ½ ensures.
    "4c": [0.25, 0.5],
    # (1 - p)ⁿ = ½, with p = 6.4e-9 some 1.1e8 points.
    "4d": np.log(0.5) / np.log1p(-_PART),
}

MISTAKES = {
    "4a": [
        (_KINDS | {1: "upper"}, "both"),
        (_KINDS | {2: "lower"}, "witness"),
        (_KINDS | {3: "exact"}, "without a proof"),
        (_KINDS | {4: "upper"}, "at least that"),
        (_KINDS | {5: "exact"}, "sample"),
        (_KINDS | {5: "?"}, "must be"),
        (["exact"], "dictionary"),
    ],
    "4b": [
        (lambda lower, upper, eps: (np.mean(upper > eps), np.mean(lower > eps)), "order"),
        (lambda lower, upper, eps: (np.mean(lower >= eps), np.mean(upper >= eps)), "succeeds"),
        (lambda lower, upper, eps: (np.mean(lower < eps), np.mean(upper < eps)), "Count"),
        (lambda lower, upper, eps: np.mean(lower > eps), "2 numbers"),
    ],
    "4c": [([0.5, 0.5], "(i)"), ([0.25, 0.25], "forgets"), (0.25, "2 numbers")],
    "4d": [
        (1 / _PART, "on average"),
        (0.5 / _PART, "multiply"),
        (_PART, "how often"),
        (100, "miss"),
    ],
}
