"""Halves of real data: one trains and predicts, the other is attacked, and then the reverse."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from scipy import stats

from empirical.attacks import attack_accuracy
from empirical.data import Dataset, Part, split
from empirical.intervals import Interval, resampled_interval
from empirical.plug_in_study.before import BEFORE, curves_before_training
from empirical.plug_in_study.predictors import (
    NORMS,
    PREDICTORS,
    Folds,
    cross_fitted,
    deviation_units,
    middle_strength,
    own_units,
    signed_distances,
    sparse_classifier,
)
from theory.validation import FloatArray

TEST_TO_TRAIN = 1.0  # half of the inputs is attacked, half is trained on
# Of the distances that the first half to train predicts: where curves end.
_REACH = 0.95
_ATTACKS = {2.0: "l2_fgm", np.inf: "fgsm"}  # for two labels and no box the best that there is
# The mean largest gap between a sample's distribution function and the truth, times √n [P9].
_KOLMOGOROV = float(np.sqrt(np.pi / 2) * np.log(2))


@dataclass(frozen=True, kw_only=True, eq=False)
class PlugInCell:
    """Curves of one split of one data set in one norm.

    Parameters
    ----------
    dataset : str
    split, half : int
        Which random split, and which of its halves trained.
    norm : float
        2 or inf.
    trained_on, attacked, features, nonzeros : int
        Inputs of the two halves, features, and those that the classifier uses.
    eps : array, shape (k,)
        The same for all splits.
    predicted : mapping of str to array, shape (k,)
        Robust accuracy by each predictor. Kind: estimate, from the training half alone; NaN where
        a predictor has no answer.
    measured : array, shape (k,)
        What the best attack leaves of the other half. Kind: exact for its inputs, no box.
    skewness, excess : array, shape (2,)
        Third and fourth standardised moments of the margins of the other half, less a Gaussian's
        0 and 3, of labels -1 and +1.
    """

    dataset: str
    split: int
    half: int
    norm: float
    trained_on: int
    attacked: int
    features: int
    nonzeros: int
    eps: FloatArray
    predicted: Mapping[str, FloatArray]
    measured: FloatArray
    skewness: FloatArray
    excess: FloatArray


class _Grid(NamedTuple):
    """How many budgets, and those of each norm, which the first half to train sets for all."""

    size: int
    known: dict[float, FloatArray]

    def budgets(self, halves: Mapping[float, Folds]) -> Mapping[float, FloatArray]:
        for norm, half in halves.items():
            reach = float(np.quantile(half.unseen, _REACH))
            self.known.setdefault(norm, np.linspace(0, reach, self.size))
        return self.known


def plug_in_cells(
    dataset: Dataset, splits: int, *, seed: int, budgets: int = 21
) -> list[PlugInCell]:
    """Return the curves of random halves of a data set, in L2 and Linf.

    Parameters
    ----------
    dataset : Dataset
        Of two labels.
    splits : int
        At least 2, for intervals.
    seed : int
    budgets : int
        Of a curve, from 0 to what few inputs of the first half to train would stand.

    Raises
    ------
    ValueError
        If there are too few splits, or more labels.

    Examples
    --------
    >>> from empirical.data import digits
    >>> cells = plug_in_cells(digits(3, 8), 2, seed=0)
    >>> [(cell.split, cell.half, cell.norm, cell.trained_on) for cell in cells[:4]]
    [(0, 0, 2.0, 178), (0, 0, inf, 178), (0, 1, 2.0, 179), (0, 1, inf, 179)]
    """
    if splits < 2 or np.unique(dataset.y).size > 2:
        raise ValueError(
            "splits must be at least 2 and labels two; got"
            f" {splits} splits and labels {np.unique(dataset.y).tolist()!s:.80}."
        )
    cells, grid = [], _Grid(budgets, {})
    for index in range(splits):
        rng = np.random.default_rng([seed, index])
        halves = _halves(dataset, rng)
        for half, (train, other) in enumerate((halves, halves[::-1])):
            found = _half_cells(dataset, train, other, rng, grid)
            cells += [PlugInCell(split=index, half=half, **cell) for cell in found]
    return cells


def _halves(dataset: Dataset, rng: np.random.Generator) -> tuple[Part, Part]:
    parts = split(dataset, rng=rng)
    X, y = (np.concatenate(both) for both in zip(*parts[1:], strict=True))
    return Part(parts.train.X.astype(np.float64), parts.train.y), Part(X.astype(np.float64), y)


def _half_cells(
    dataset: Dataset,
    train: Part,
    other: Part,
    rng: np.random.Generator,
    grid: _Grid,
) -> Iterator[dict[str, Any]]:
    """Yield the fields of a cell a norm."""
    units = deviation_units if dataset.standardized else own_units
    X, Z, y = train.X / units(train.X), other.X / units(train.X), train.y
    C = middle_strength(X, y)
    model, unseen = sparse_classifier(X, y, C), cross_fitted(X, y, C, rng=rng, units=units)
    margins = other.y * (Z @ model.weights[0] + model.bias[0])
    labelled = [margins[other.y == label] for label in (-1, 1)]
    halves = {
        norm: Folds(signed_distances(model, X, y, norm=norm), unseen[norm], y) for norm in NORMS
    }
    budgets = grid.budgets(halves)
    before = curves_before_training(X, y, C, budgets)
    for norm, half in halves.items():
        eps = budgets[norm]
        survived = attack_accuracy([model], Z, other.y, eps, attack=_ATTACKS[norm], box=None)
        yield {
            "dataset": dataset.name,
            "norm": norm,
            "trained_on": y.size,
            "attacked": other.y.size,
            "features": X.shape[1],
            "nonzeros": int(np.count_nonzero(model.weights)),
            "eps": eps,
            "predicted": {
                **{name: predict(half, eps) for name, predict in PREDICTORS.items()},
                BEFORE: before[norm],
            },
            "measured": survived[0].mean(axis=1),
            "skewness": np.array([stats.skew(part) for part in labelled]),
            "excess": np.array([stats.kurtosis(part) for part in labelled]),
        }


def _over_splits(cells: Sequence[PlugInCell], values: Sequence[Any]) -> FloatArray:
    """Return a row a split: the mean over which of its halves trained.

    What one half has more of the other has less of, so that much of the noise of a difference
    between halves cancels.
    """
    found = np.asarray(values, dtype=np.float64)
    splits = np.array([cell.split for cell in cells])
    return np.stack([found[splits == index].mean(axis=0) for index in np.unique(splits)])


def _interval(cells: Sequence[PlugInCell], values: Sequence[Any]) -> Interval:
    return resampled_interval(_over_splits(cells, values), test_to_train=TEST_TO_TRAIN)


def signed_errors(cells: Sequence[PlugInCell], predictor: str) -> FloatArray:
    """Return what is predicted less what is measured, a mean over budgets, a number a split.

    Kind: estimate of what the predictor errs by on average.
    """
    gaps = [(cell.predicted[predictor] - cell.measured).mean() for cell in cells]
    return _over_splits(cells, gaps)


def curve_table(cells: Sequence[PlugInCell]) -> list[dict[str, Any]]:
    """Return predicted and measured curves of one data set, means over splits.

    Kind: estimates, with corrected 95 % intervals over splits ("low", "high").
    """
    rows = []
    for norm in NORMS:
        own = [cell for cell in cells if cell.norm == norm]
        curves = {
            "measured": [cell.measured for cell in own],
            **{name: [cell.predicted[name] for cell in own] for name in own[0].predicted},
        }
        for what, values in curves.items():
            for eps, column in zip(own[0].eps, _over_splits(own, values).T, strict=True):
                limits = resampled_interval(column, test_to_train=TEST_TO_TRAIN)
                rows.append(
                    {
                        "dataset": own[0].dataset,
                        "norm": norm,
                        "what": what,
                        "eps": float(eps),
                        "accuracy": limits.value,
                        "low": limits.low,
                        "high": limits.high,
                    }
                )
    return rows


def error_table(cells: Sequence[PlugInCell]) -> list[dict[str, Any]]:
    """Return how far each predictor is from what is measured, for one data set.

    "largest" and "mean" gap over the budgets of a split, and the mean signed gap ("bias": above
    zero where the prediction is too high), each a mean over splits with its 95 % interval. "floor"
    is the largest gap to expect between two samples of one law of these sizes: no prediction from
    the first sample alone can be held to less. Kind: estimates.
    """
    rows = []
    for norm in NORMS:
        own = [cell for cell in cells if cell.norm == norm]
        floor = _KOLMOGOROV * np.sqrt(1 / own[0].trained_on + 1 / own[0].attacked)
        for name in own[0].predicted:
            gaps = np.array([cell.predicted[name] - cell.measured for cell in own])
            row: dict[str, Any] = {"dataset": own[0].dataset, "norm": norm, "predictor": name}
            quantities = {
                "largest": np.abs(gaps).max(axis=1),
                "mean": np.abs(gaps).mean(axis=1),
                "bias": gaps.mean(axis=1),
            }
            for what, values in quantities.items():
                value, low, high = _interval(own, values)
                row |= {what: value, f"{what} low": low, f"{what} high": high}
            rows.append({**row, "floor": float(floor)})
    return rows


def tail_table(cells: Sequence[PlugInCell]) -> list[dict[str, Any]]:
    """Return what the margins of the attacked half are like, means over splits. Kind: estimates."""
    own = [cell for cell in cells if cell.norm == NORMS[0]]
    rows = []
    for place, label in enumerate((-1, 1)):
        row: dict[str, Any] = {
            "dataset": own[0].dataset,
            "label": label,
            "trained on": own[0].trained_on,
            "features": own[0].features,
            "nonzeros": float(np.median([cell.nonzeros for cell in own])),
        }
        for name in ("skewness", "excess"):
            values = [getattr(cell, name)[place] for cell in own]
            value, low, high = _interval(own, values)
            row |= {name: value, f"{name} low": low, f"{name} high": high}
        rows.append(row)
    return rows
