"""The linear study in tables: what is predicted beside what was attacked, over splits."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from empirical.intervals import resampled_interval
from empirical.linear import FAMILIES
from empirical.linear_study import TEST_TO_TRAIN, LinearCell
from theory.claims.guo2018 import r_2_general
from theory.linear import class_scores
from theory.linear.moments import correct_moments, two_moment_bound
from theory.mixtures import MarginLaw, accuracy_after_drop


def middle_budget(cell: LinearCell) -> float:
    """Return the budget at which r_inf is compared, the middle one of the cell."""
    return float(cell.eps[cell.eps.size // 2])


def attacked_r_2(cell: LinearCell) -> float:
    """Return the mean distance that DeepFool found on the test part. Kind: upper."""
    return float(cell.distances.mean())


def attacked_r_inf(cell: LinearCell) -> float:
    """Return the accuracy that FGSM left at the middle budget. Kind: upper (exact for binary)."""
    return float(cell.survived[cell.eps.size // 2].mean())


def predicted_r_2(cell: LinearCell) -> float:
    """Return r_2 from moments of the validation part. Kind: estimate."""
    model = cell.trained.model
    return r_2_general(model, correct_moments(model, *cell.validation))


def plug_in_law(cell: LinearCell) -> MarginLaw:
    """Return Gaussian margins with the moments of the validation part. Kind: estimate."""
    X, y = cell.validation
    margins = y * class_scores(cell.trained.model, X)[:, 1]
    parts = [margins[y == label] for label in (-1, 1)]
    return MarginLaw(
        means=np.array([part.mean() for part in parts]),
        deviations=np.array([part.std() for part in parts]),
        priors=np.array([part.size / margins.size for part in parts]),
    )


def predicted_r_inf(cell: LinearCell) -> float:
    """Return r_inf at the middle budget for Gaussian margins. Kind: estimate."""
    drop = middle_budget(cell) * np.abs(cell.trained.model.weights).sum()
    return float(accuracy_after_drop(plug_in_law(cell), drop))


def bounded_r_inf(cell: LinearCell) -> float:
    """Return the two-moment bound at the middle budget, moments from the validation part.

    Kind: estimate of an upper bound: proven for the validation part itself.
    """
    model = cell.trained.model
    moments = correct_moments(model, *cell.validation)
    return float(two_moment_bound(model, moments, middle_budget(cell)))


_QUANTITIES: Mapping[str, Callable[[LinearCell], float]] = {
    "r_2 predicted": predicted_r_2,
    "r_2 attacked": attacked_r_2,
    "r_inf predicted": predicted_r_inf,
    "r_inf attacked": attacked_r_inf,
}


def sparsity_table(cells: Sequence[LinearCell]) -> list[dict[str, Any]]:
    """Return predictions and measurements of one data set, a row a classifier of a family.

    Kind: estimates over splits, with their corrected 95 % intervals ("... low", "... high").
    """
    rows = []
    for family in FAMILIES:
        path = [cell for cell in cells if cell.trained.family == family]
        steps = len(path) // len({cell.split for cell in path})
        rows += [_row(family, path[step::steps]) for step in range(steps)]
    return rows


def _row(family: str, splits: Sequence[LinearCell]) -> dict[str, Any]:
    row: dict[str, Any] = {
        "dataset": splits[0].dataset,
        "family": family,
        "nonzero weights": float(np.median([cell.trained.nonzeros for cell in splits])),
        "accuracy": float(np.mean([cell.accuracy for cell in splits])),
        "eps": middle_budget(splits[0]),
        "r_inf bound": float(np.mean([bounded_r_inf(cell) for cell in splits])),
    }
    for name, quantity in _QUANTITIES.items():
        values = [quantity(cell) for cell in splits]
        value, low, high = resampled_interval(values, test_to_train=TEST_TO_TRAIN)
        row |= {name: value, f"{name} low": low, f"{name} high": high}
    return row
