"""Inputs with labels, and how they are split."""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import train_test_split

from theory.validation import FloatArray, IntArray, as_finite


@dataclass(frozen=True, kw_only=True, eq=False)
class Dataset:
    """Inputs with labels, and how a model sees them.

    Parameters
    ----------
    name : str
    X : array, shape (n, d)
    y : array, shape (n,)
        -1 and +1, or 0..c-1 with c >= 3; every label occurs.
    box : pair of float, optional
        The range of every feature, where the data have one by nature (pixels).
    scaling : str
        In words: what one unit of X is.
    standardized : bool
        Whether a split rescales features to mean 0 and deviation 1 over its training part.
    budgets : tuple of float
        L∞ budgets that cost a typical linear classifier from little to most of its accuracy.
    classes : tuple of str
        What the labels are called outside, in their order; empty if nothing else.

    Raises
    ------
    TypeError, ValueError
        If X is not finite, or y or classes do not fit.
    """

    name: str
    X: FloatArray
    y: IntArray
    box: tuple[float, float] | None = None
    scaling: str
    standardized: bool = False
    budgets: tuple[float, ...] = (0.02, 0.05, 0.1, 0.15, 0.2, 0.3)
    classes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        X = as_finite("X", self.X)
        y = np.asarray(self.y)
        if X.ndim != 2 or y.shape != X.shape[:1]:
            raise ValueError(f"X and y must fit: (n, d) and (n,); got {X.shape} and {y.shape}.")
        labels = np.unique(y).tolist()
        if labels != [-1, 1] and labels != list(range(max(3, len(labels)))):
            raise ValueError(f"y must hold -1 and +1, or 0..c-1, c >= 3; got {labels!s:.80}.")
        if self.classes and len(self.classes) != len(labels):
            raise ValueError(
                f"classes must be {len(labels)} names, one a label; got {self.classes!s:.80}."
            )
        object.__setattr__(self, "X", X)
        object.__setattr__(self, "y", y.astype(np.intp))


class Part(NamedTuple):
    """Inputs and labels of one part of a split.

    Attributes
    ----------
    X : array, shape (n, d)
        In float64, or float32 where there are many (images).
    y : array, shape (n,)
    """

    X: NDArray[Any]
    y: IntArray


class Split(NamedTuple):
    """Inputs to train on, to predict from or choose by, and to attack."""

    train: Part
    validation: Part
    test: Part


def split(dataset: Dataset, *, rng: np.random.Generator) -> Split:
    """Return a random split, stratified by label: half, a quarter, a quarter.

    Raises
    ------
    ValueError
        If a label is too rare to be in every part.
    """
    seed = int(rng.integers(2**31))
    train, rest = train_test_split(
        np.arange(dataset.y.size), test_size=0.5, stratify=dataset.y, random_state=seed
    )
    validation, test = train_test_split(
        rest, test_size=0.5, stratify=dataset.y[rest], random_state=seed
    )
    X = dataset.X
    if dataset.standardized:
        deviation = X[train].std(axis=0)
        X = (X - X[train].mean(axis=0)) / np.where(deviation > 0, deviation, 1.0)
    return Split(*(Part(X[rows], dataset.y[rows]) for rows in (train, validation, test)))
