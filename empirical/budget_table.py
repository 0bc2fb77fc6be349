"""r_inf against sparsity at every budget of the linear study: predicted, bounded and attacked."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from empirical.intervals import resampled_interval
from empirical.linear_study import TEST_TO_TRAIN, LinearCell
from empirical.summary import plug_in_law
from theory.linear.moments import correct_moments, two_moment_bound
from theory.mixtures import accuracy_after_drop
from theory.validation import FloatArray


def budget_table(cells: Sequence[LinearCell]) -> list[dict[str, Any]]:
    """Return a row a data set, family, sparsity and budget.

    "r_inf predicted" is of Gaussian margins with the moments of the validation part, "r_inf
    attacked" what FGSM left of the test part. Kind: estimates over splits, with their corrected
    95 % intervals ("... low", "... high"). "r_inf bound", from two moments of the validation part,
    is an estimate of an upper bound.

    Parameters
    ----------
    cells : sequence of LinearCell
        Of one data set or several, in the study's order.
    """
    groups: dict[tuple[str, str, int], list[LinearCell]] = {}
    steps: dict[tuple[str, str, int], int] = {}
    for cell in cells:
        path = (cell.dataset, cell.trained.family, cell.split)
        step = steps[path] = steps.get(path, -1) + 1  # along the family's path, dense or sparse
        groups.setdefault((*path[:2], step), []).append(cell)
    return [row for splits in groups.values() for row in _rows(splits)]


def _rows(splits: Sequence[LinearCell]) -> Iterator[dict[str, Any]]:
    predicted, bound, attacked = (
        np.array([quantity(cell) for cell in splits]) for quantity in (_predicted, _bound, _left)
    )
    about = {
        "dataset": splits[0].dataset,
        "family": splits[0].trained.family,
        "nonzero weights": float(np.median([cell.trained.nonzeros for cell in splits])),
    }
    for k, eps in enumerate(splits[0].eps):
        yield {
            **about,
            "eps": float(eps),
            **_named("r_inf predicted", predicted[:, k]),
            **_named("r_inf attacked", attacked[:, k]),
            "r_inf bound": float(bound[:, k].mean()),
        }


def _named(name: str, values: FloatArray) -> dict[str, float]:
    value, low, high = resampled_interval(values, test_to_train=TEST_TO_TRAIN)
    return {name: value, f"{name} low": low, f"{name} high": high}


def _predicted(cell: LinearCell) -> FloatArray:
    drops = cell.eps * np.abs(cell.trained.model.weights).sum()
    return np.asarray(accuracy_after_drop(plug_in_law(cell), drops))


def _bound(cell: LinearCell) -> FloatArray:
    moments = correct_moments(cell.trained.model, *cell.validation)
    return np.asarray(two_moment_bound(cell.trained.model, moments, cell.eps))


def _left(cell: LinearCell) -> FloatArray:
    return np.asarray(cell.survived.mean(axis=1))
