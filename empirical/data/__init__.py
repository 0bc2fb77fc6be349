"""Data sets: embedded, fetched once, or from a file that the user gives; and how they are split."""

from empirical.data.embedded import (
    DRAWN_CLASSES,
    breast_cancer,
    digits,
    sample_classes,
    sparse_mean_classes,
)
from empirical.data.files import gene_expression, libsvm
from empirical.data.images import fashion_mnist, mnist
from empirical.data.record import Dataset, Part, Split, split

__all__ = [
    "DRAWN_CLASSES",
    "Dataset",
    "Part",
    "Split",
    "breast_cancer",
    "digits",
    "fashion_mnist",
    "gene_expression",
    "libsvm",
    "mnist",
    "sample_classes",
    "sparse_mean_classes",
    "split",
]
