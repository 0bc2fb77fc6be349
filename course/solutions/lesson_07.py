"""Solutions of lesson 7, for teachers, and mistakes with a word of the hint that each gets."""

import numpy as np
from scipy import stats


def adversarial_hinge(w, b, X, y, eps):
    """Return (7.2) for the hinge and L∞."""
    margins = y * (X @ w + b) - eps * np.abs(w).sum()
    return np.maximum(0, 1 - margins).sum()


_FIRST, _ANEW = [0.60, 0.58, 0.63, 0.61, 0.59], [0.55, 0.57, 0.56, 0.58, 0.54]

ANSWERS = {
    "7a": adversarial_hinge,
    # .8⁷ = .2097, .8⁸ = .168.
    "7b": 8,
    # Margins from 1.5 to 2.5: (1 - 2.5)² = 2.25.
    "7c": 2.25,
    # Differences .05, .01, .07, .03, .05: mean .042, deviation .0228.
    "7d": stats.ttest_rel(_FIRST, _ANEW).statistic,
}

MISTAKES = {
    "7a": [
        (lambda w, b, X, y, eps: adversarial_hinge(w, b, X, y, 0), "where is ε"),
        (
            lambda w, b, X, y, eps: np.maximum(
                0, 1 - y * (X @ w + b) + eps * np.linalg.norm(w)
            ).sum(),
            "dual of L∞",
        ),
        (
            lambda w, b, X, y, eps: (
                adversarial_hinge(w, b, X, y, 0) + len(y) * eps * np.abs(w).sum()
            ),
            "pulled",
        ),
        (lambda w, b, X, y, eps: adversarial_hinge(w, b, X, y, eps) / len(y), "mean"),
        (lambda w, b, X, y, eps: adversarial_hinge(w, b, X, y, -eps), "Lower each"),
    ],
    "7b": [(4, "left"), (7, "seven"), (np.log(0.2) / np.log(0.8), "round up"), (20, "smallest")],
    "7c": [(0.25, "assumption"), (1, "without"), (2.5, "squared"), (3, "Where")],
    "7d": [
        (stats.ttest_ind(_FIRST, _ANEW).statistic, "together"),
        (4.605, "ddof"),
        (1.842, "√5"),
        (0.042, "mean gain"),
        (-4.119, "minus"),
        (1.0, "Differences"),
    ],
}
