"""Solutions of lesson 1, for teachers, and mistakes with a word of the hint that each gets."""

import numpy as np


def distance(w, b, x, y):
    """Return (1.3), and 0 where the margin is not positive."""
    return max(y * (w @ x + b), 0.0) / np.linalg.norm(w)


ANSWERS = {
    "1a": distance,
    # f(x) = 6 + 24 - 10 = 20 and |w|² = 25: the move is -20/25 (3, 4) = (-2.4, -3.2).
    "1b": [-0.4, 2.8],
    # f = 3. All of x_2 gains 4 · .25 = 1; the other 2 take 2/3 of x_1.
    "1c": np.hypot(0.25, 2 / 3),
    # All right, n - 1 of them at the margin p and one at q >> p: r_2 = ((n - 1) p + q)/n, (1.6) is
    # (p + q)/2: n/2 times as much as p goes to 0. More than twice takes n = 5.
    "1d": (0.0, [0.01, 0.01, 0.01, 0.01, -1.0], [1, 1, 1, 1, -1]),
}

MISTAKES = {
    "1a": [
        (lambda w, b, x, y: abs(w @ x + b) / np.linalg.norm(w), "wrong already"),
        (lambda w, b, x, y: max(y * (w @ x + b), 0.0), "margin"),
        (lambda w, b, x, y: max(y * (w @ x + b), 0.0) / (w @ w), "square"),
        (lambda w, b, x, y: max(y * (w @ x), 0.0) / np.linalg.norm(w), ""),
        (lambda w, b: 0.0, "fails"),
        (4.0, "function"),
    ],
    "1b": [
        ([4.4, 9.2], "away"),
        ([-10.0, -10.0], "too long"),
        ([0.0, 2.5], "not the nearest"),
        ([1.0, 1.0], "not on the boundary"),
        (3.0, "2 numbers"),
    ],
    "1c": [
        (0.6, "without a box"),
        (np.hypot(0.36, 0.25), "no flip"),
        (1.0, "x₁ has to do the rest"),
        ("far", "numbers"),
    ],
    "1d": [
        ((0.5, [1, 2, -1], [1, 1, -1]), "(1.7)"),
        ((0.0, [0.01, 0.01, 0.01, -1], [1, 1, 1, -1]), "(1.7)"),
        ((0.0, [1, 2, 3], [1, 1, -1]), "right"),
        ((0.0, [1, 2, 3], [1, 1, 1]), "both"),
        (3.0, "Give"),
    ],
}
