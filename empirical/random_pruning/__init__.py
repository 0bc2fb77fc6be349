"""Networks of digits pruned at random: what is predicted of gradients and margins, and measured.

Predictions come from theory; what is measured, from networks that are drawn, trained, pruned, run
and differentiated here, without it.
"""

from empirical.random_pruning.norms import ALPHAS, NORM_BOUNDS, norm_table
from empirical.random_pruning.ratios import DENSITIES, STAGES, Effort, ratio_table
from empirical.random_pruning.trained import TrainedDigits, trained_digits, trained_on

__all__ = [
    "ALPHAS",
    "DENSITIES",
    "NORM_BOUNDS",
    "STAGES",
    "Effort",
    "TrainedDigits",
    "norm_table",
    "ratio_table",
    "trained_digits",
    "trained_on",
]
