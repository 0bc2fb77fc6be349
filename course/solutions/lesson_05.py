"""Solutions of lesson 5, for teachers, and mistakes with a word of the hint that each gets."""

import numpy as np

ANSWERS = {
    # |W₂||W₁| = 2 (1, 2) + 1 (3, 0) = (5, 4): c₁ = 9, times ½ · ⅘.
    "5a": 3.6,
    # R = 3/(1 + R): R² + R = 3.
    "5b": (np.sqrt(13) - 1) / 2,
    # Both: ρ², norm √2; exactly one: 2ρ(1 - ρ), norm 1. The gap to √2 ρ, (2 - √2) ρ (1 - ρ), is
    # largest at ½.
    "5c": lambda rho: np.sqrt(2) * rho**2 + 2 * rho * (1 - rho),
    # A path survives with probability q = ρ², the two paths independently (they share no weight):
    # 2q(1 - q) is largest at q = ½.
    "5d": np.sqrt(0.5),
}

MISTAKES = {
    "5a": [
        (9, "nothing pruned"),
        (0.9, "1 − α"),
        (4.5, "second layer"),
        (7.2, "first layer"),
        (1.2, "cancels"),
        (5.0, "adds up"),
    ],
    "5b": [(3, "point"), (1.5, "minimum"), (1, "larger R"), (2, "equal")],
    "5c": [
        (lambda rho: np.sqrt(2) * rho, "too low"),
        (lambda rho: np.sqrt(2 * rho), "mean square"),
        (lambda rho: rho, "List the cases"),
    ],
    "5d": [(0.5, "ρ²"), (1, "cancel"), (0.25, "round"), (0.1, "survives")],
}
