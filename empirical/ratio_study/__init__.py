"""Margin over local gradient, of random networks and of a trained one, pruned at random: measured.

Nothing of the theory of `theory.initialised` is used: networks are drawn, run and differentiated,
or, in `reduced`, what is needed of them is drawn from the same law.
"""

from empirical.ratio_study.batched import batched_squares
from empirical.ratio_study.drawn import (
    RandomWeights,
    drawn_flips,
    drawn_ratios,
    drawn_squares,
    normal_entries,
    sign_entries,
    skewed_entries,
)
from empirical.ratio_study.gaps import Gap, gap_between, gap_from
from empirical.ratio_study.given import (
    PrunedMargins,
    masked_margins,
    nearest_forms,
    ratios,
    trained_digits,
)
from empirical.ratio_study.reduced import reduced_ratios, reduced_squares

__all__ = [
    "Gap",
    "PrunedMargins",
    "RandomWeights",
    "batched_squares",
    "drawn_flips",
    "drawn_ratios",
    "drawn_squares",
    "gap_between",
    "gap_from",
    "masked_margins",
    "nearest_forms",
    "normal_entries",
    "ratios",
    "reduced_ratios",
    "reduced_squares",
    "sign_entries",
    "skewed_entries",
    "trained_digits",
]
