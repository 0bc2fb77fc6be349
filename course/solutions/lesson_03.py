"""Solutions of lesson 3, for teachers, and mistakes with a word of the hint that each gets."""

import numpy as np
from scipy.stats import norm as normal


def linf_accuracy(mu, w, eps, sigma):
    """Return (3.2) for L∞."""
    return normal.cdf((w @ mu - eps * np.abs(w).sum()) / (sigma * np.linalg.norm(w)))


ANSWERS = {
    "3a": linf_accuracy,
    # w·μ = |μ|₂² = 1 + 100 · .01 = 2 and |μ|₁ = 11.
    "3b": 2 / 11,
    # Only the strong feature is left: Φ(√2) - Φ(1).
    "3c": normal.cdf(np.sqrt(2)) - normal.cdf(1),
    # Nearly equal means: shrinking all by ½ hardly turns μ. The attack costs Φ(1.75) - Φ(.88).
    "3d": [1.0, 1.01, 1.02],
}

MISTAKES = {
    "3a": [
        (lambda mu, w, eps, sigma: linf_accuracy(mu, w, 0, sigma), "where is ε"),
        (lambda mu, w, eps, sigma: linf_accuracy(mu, w, eps, 1), "depend on σ"),
        (
            lambda mu, w, eps, sigma: normal.cdf(
                (w @ mu - eps * np.linalg.norm(w)) / (sigma * np.linalg.norm(w))
            ),
            "dual of L∞",
        ),
        (
            lambda mu, w, eps, sigma: normal.cdf((w @ mu - eps * np.abs(w).sum()) / sigma),
            "deviation",
        ),
    ],
    "3b": [
        (np.sqrt(2) / 11, "square"),
        (np.sqrt(2), "L2"),
        (0.1, "drops"),
        (0.5, "solve"),
    ],
    "3c": [
        (normal.cdf(np.sqrt(2)) - normal.cdf(0.7), "without one"),
        (normal.cdf(1), "difference"),
        (8.0, "percent"),
        (0.5, "strong feature"),
    ],
    "3d": [
        ([1.0, 0.1, 0.2], "price"),
        ([5.0, 5.01, 5.02], "too far apart"),
        ([1.0, 1.0, 1.0], "different"),
        ([0.1, 0.2, 0.3], "nothing"),
    ],
}
