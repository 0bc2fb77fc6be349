"""What theory says of training before it is done, beside what training then does.

Predictions are limits by `theory.asymptotics`; measurements are scikit-learn's logistic regression
on simulated classes: they share the settings, and nothing that computes.
"""

from empirical.before_training_study.curves import EPS, EPS_INF, MEASURES, STRENGTH, curve_table
from empirical.before_training_study.phases import BUDGETS, DENSITIES, phase_table
from empirical.before_training_study.setting import (
    DEFAULT,
    DENSITY,
    FAMILIES,
    FULL,
    QUICK,
    RATIO,
    SIGNAL,
    Plan,
)

__all__ = [
    "BUDGETS",
    "DEFAULT",
    "DENSITIES",
    "DENSITY",
    "EPS",
    "EPS_INF",
    "FAMILIES",
    "FULL",
    "MEASURES",
    "QUICK",
    "RATIO",
    "SIGNAL",
    "STRENGTH",
    "Plan",
    "curve_table",
    "phase_table",
]
