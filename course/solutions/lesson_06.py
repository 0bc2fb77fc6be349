"""Solutions of lesson 6, for teachers, and mistakes with a word of the hint that each gets."""

ANSWERS = {
    # 1 + 8 + 28.
    "6a": 37,
    # 3 (0 + 1)/(3 + 1).
    "6b": 0.75,
    # f(.5) = 1.5 with slope -1. But f(1) = 1, and from there the slope is -3: f = 0 at 4/3.
    "6c": [1.5, 4 / 3 - 0.5],
    # The problem with .55 cannot hold a flip nearer than .5.
    "6d": [0.3, 0.5, 1],
}

MISTAKES = {
    "6a": [
        (256, "patterns"),
        (9, "one input"),
        (36, "i = 0"),
        (28, "last term"),
        (8, "line"),
        (100, "(6.3)"),
    ],
    "6b": [(0, "itself"), (3, "top"), (1.5, "l = −1"), (1, "height"), (2, "Put")],
    "6c": [([0.5, 5 / 6], "estimate"), ([1.5, 4 / 3], "from x"), ([1.5, 1.5], "slope is −3")],
    "6d": [
        ([0.3, 0.55, 1], "flip at .5"),
        ([0.55, 0.5, 1], "any open"),
        ([0.4, 0.5, 1], "smallest"),
        ([0.3, 0.5, 2], "done"),
    ],
}
