"""Solutions of lesson 8, for teachers, and mistakes with a word of the hint that each gets."""

import numpy as np
from scipy.stats import norm as normal


def averaging_accuracy(s, delta):
    """Return (8.4)."""
    return normal.cdf(s**2 / np.sqrt(s**2 + 1 / delta))


_T = normal.ppf(0.95)

ANSWERS = {
    "8a": averaging_accuracy,
    # 16/(4 + 1/δ) = 1.645²: 1/δ = 5.913 - 4.
    "8b": 1 / (16 / _T**2 - 4),
    # Φ(4/√5 - 1).
    "8c": normal.cdf(4 / np.sqrt(5) - 1),
    # 1/(.1 · 20).
    "8d": 0.5,
}

MISTAKES = {
    "8a": [
        (lambda s, delta: normal.cdf(s), "(3.3)"),
        (lambda s, delta: normal.cdf(s**2 / (s**2 + 1 / delta)), "length"),
        (lambda s, delta: normal.cdf(s**2 / np.sqrt(s**2 + delta)), "more inputs"),
        (lambda s, delta: normal.cdf(s**2), "must be"),
    ],
    "8b": [
        (16 / _T**2 - 4, "Upside down"),
        (1 / (16 / 0.95**2 - 4), "inverse"),
        (1 / (16 / _T - 4), "Square"),
        (2.0, "Solve"),
    ],
    "8c": [
        (normal.cdf(3 / np.sqrt(5)), "multiplied"),
        (normal.cdf(4 / np.sqrt(5)), "without"),
        (normal.cdf(1), "not s"),
        (4 / np.sqrt(5) - 1, "take Φ"),
        (0.5, "M = 4"),
    ],
    "8d": [
        (10, "√d before"),
        (0.025, "not d"),
        (2, "Upside down"),
        (0.1, "divide (8.5)"),
        (3, "Divide (8.5)"),
    ],
}
