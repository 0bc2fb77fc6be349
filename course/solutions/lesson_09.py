"""Solutions of lesson 9, for teachers, and mistakes with a word of the hint that each gets."""

_FORMS = {1: "bound", 2: "equivalence", 3: "trend", 4: "identity"}

ANSWERS = {
    "9a": _FORMS,
    # 7.85 · 9/4 = 17.7. The t test itself wants 20.
    "9b": 18,
    "9c": 1 - 0.95**20,
    # Adjusted: .004 · 4 = .016, .015 · 3 = .045, .03 · 2 = .06, .2.
    "9d": [2, 0],
    # L2: 1.7/√2 = 1.20 and 1; L∞: 1.7/2 = .85 and 1.
    "9e": ([1.0, 1.0], [1.0, 0.0], [1.0, 0.7]),
}

MISTAKES = {
    "9a": [
        (_FORMS | {1: "trend"}, "never"),
        (_FORMS | {2: "identity"}, "margin"),
        (_FORMS | {3: "bound"}, "average"),
        (_FORMS | {4: "equivalence"}, "equal"),
        ("bound", "dictionary"),
    ],
    "9b": [
        (17, "Round up"),
        (9, "half"),
        (4, "Upside down"),
        (12, "squared"),
        (14, "two-sided"),
        (100, "whole number"),
    ],
    "9c": [(1.0, "on average"), (0.05, "single"), (0.95**20, "no mark"), (0.5, "opposite")],
    "9d": [([0, 1, 2], "without a correction"), ([2], "Bonferroni"), ([3], "Sort")],
    "9e": [
        (([1, 1], [1, 0], [1, 1]), "no refutation yet"),
        (([1, 1], [1, 0], [-1, 0]), "right at x"),
        (([0, 0], [1, 0], [1, 1]), "zero"),
        ([1, 2], "Give"),
    ],
}
