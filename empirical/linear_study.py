"""The linear study: train families over sparsities, predict from one part, attack another.

A cell is one trained classifier of one split of one data set. Its predictions come from moments of
the validation part; its measurements from attacks on the test part, which know no formula.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from empirical.attacks import attack_accuracy, attack_distances
from empirical.data import (
    Dataset,
    Part,
    breast_cancer,
    digits,
    sample_classes,
    sparse_mean_classes,
    split,
)
from empirical.linear import FAMILIES, TrainedLinear, train_path
from theory.validation import FloatArray


@dataclass(frozen=True, kw_only=True, eq=False)
class LinearCell:
    """One trained classifier, what it was shown, and what attacks did to it.

    Parameters
    ----------
    dataset : str
    split : int
    trained : TrainedLinear
    validation, test : Part
        What predictions are computed from, and what was attacked.
    distances : array, shape (n,)
        L2, without a box, by DeepFool; 0 where wrong, NaN where unknown. Kind: upper.
    eps : array, shape (k,)
        Linf budgets.
    survived : array of bool, shape (k, n)
        Under FGSM at each budget, without a box.
    """

    dataset: str
    split: int
    trained: TrainedLinear
    validation: Part
    test: Part
    distances: FloatArray
    eps: FloatArray
    survived: NDArray[np.bool_]

    @property
    def accuracy(self) -> float:
        """The fraction of the test part classified correctly."""
        return float((self.distances != 0).mean())


@dataclass(frozen=True, kw_only=True)
class Plan:
    """How much of the study is done.

    Parameters
    ----------
    splits : int
        Random splits a data set, at least 2 for an interval over them.
    strengths : int
        Classifiers a family.

    Raises
    ------
    ValueError
        If there are too few of either.
    """

    splits: int
    strengths: int

    def __post_init__(self) -> None:
        if self.splits < 2 or self.strengths < 1:
            raise ValueError(
                "splits must be at least 2 and strengths at least 1; got"
                f" {self.splits} and {self.strengths}."
            )


QUICK, DEFAULT, FULL = (
    Plan(splits=4, strengths=6),
    Plan(splits=8, strengths=8),
    Plan(splits=30, strengths=12),
)
TEST_TO_TRAIN = 0.5  # a quarter of the inputs is attacked, half is trained on


def study_datasets(seed: int) -> list[Dataset]:
    """Return the three binary data sets of the study; the seed draws the synthetic one."""
    rng = np.random.default_rng([seed, 0])
    return [digits(3, 8), breast_cancer(), sample_classes(sparse_mean_classes(), 800, rng=rng)]


def linear_parts(
    plan: Plan, *, seed: int, datasets: Sequence[Dataset] | None = None
) -> list[Callable[[], list[LinearCell]]]:
    """Return the parts of the study: calls that may be made in any order, and in any process.

    Each gives the cells of one split of one data set, from a random generator of its own.

    Parameters
    ----------
    plan : Plan
    seed : int
    datasets : sequence of Dataset, optional
        By default those of `study_datasets`.

    Examples
    --------
    >>> len(linear_parts(Plan(splits=4, strengths=1), seed=0))
    12
    """
    return [
        partial(_split_cells, dataset, index, plan, (seed, 1, number, index))
        for number, dataset in enumerate(study_datasets(seed) if datasets is None else datasets)
        for index in range(plan.splits)
    ]


def linear_study(
    plan: Plan, *, seed: int, datasets: Sequence[Dataset] | None = None
) -> Iterator[list[LinearCell]]:
    """Yield the cells of each of the `linear_parts`: deterministic given the seed.

    Parameters
    ----------
    plan : Plan
    seed : int
    datasets : sequence of Dataset, optional
        By default those of `study_datasets`.
    """
    return (part() for part in linear_parts(plan, seed=seed, datasets=datasets))


def _split_cells(
    dataset: Dataset, index: int, plan: Plan, seed: tuple[int, ...]
) -> list[LinearCell]:
    rng = np.random.default_rng(seed)
    train, validation, test = split(dataset, rng=rng)
    path = [
        trained
        for family in FAMILIES
        for trained in train_path(family, *train, count=plan.strengths)
    ]
    models = [trained.model for trained in path]
    eps = np.array(dataset.budgets)
    distances = attack_distances(models, *test, attack="l2_deepfool", box=None).distances
    survived = attack_accuracy(models, *test, eps, attack="fgsm", box=None)
    return [
        LinearCell(
            dataset=dataset.name,
            split=index,
            trained=trained,
            validation=validation,
            test=test,
            distances=distances[i],
            eps=eps,
            survived=survived[i],
        )
        for i, trained in enumerate(path)
    ]
