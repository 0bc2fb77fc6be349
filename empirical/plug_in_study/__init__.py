"""How well moments of one half of real data predict robust accuracy on the other half."""

from empirical.plug_in_study.before import (
    BEFORE,
    coordinate_law,
    curves_before_training,
    limit_before_training,
)
from empirical.plug_in_study.datasets import embedded_datasets, file_datasets, wine
from empirical.plug_in_study.predictors import (
    PREDICTORS,
    Folds,
    cross_fitted,
    middle_strength,
    signed_distances,
    sparse_classifier,
)
from empirical.plug_in_study.study import (
    TEST_TO_TRAIN,
    PlugInCell,
    curve_table,
    error_table,
    plug_in_cells,
    signed_errors,
    tail_table,
)
from empirical.plug_in_study.tails import FREEDOMS, NOISES, student_part, student_table

__all__ = [
    "BEFORE",
    "FREEDOMS",
    "NOISES",
    "PREDICTORS",
    "TEST_TO_TRAIN",
    "Folds",
    "PlugInCell",
    "coordinate_law",
    "cross_fitted",
    "curve_table",
    "curves_before_training",
    "embedded_datasets",
    "error_table",
    "file_datasets",
    "limit_before_training",
    "middle_strength",
    "plug_in_cells",
    "signed_distances",
    "signed_errors",
    "sparse_classifier",
    "student_part",
    "student_table",
    "tail_table",
    "wine",
]
