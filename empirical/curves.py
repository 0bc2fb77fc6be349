"""Robust accuracy against the size of the attack: exact, bounded and attacked, as one table."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from empirical.data import DRAWN_CLASSES, Part, digits, sparse_mean_classes, split
from empirical.intervals import proportion_interval
from empirical.linear import train_path
from empirical.linear_study import LinearCell
from empirical.measures import attack_curves
from theory.linear import LinearClassifier, flip_distance, robust_accuracy
from theory.linear.moments import correct_moments, markov_bound, two_moment_bound
from theory.mixtures import GaussianClasses, robust_bayes_accuracy
from theory.validation import FloatArray

NORMS = (2.0, np.inf)
_DRAWN, _ATTACKED = 61, 6  # budgets of a line, budgets attacked


@dataclass(frozen=True, kw_only=True, eq=False)
class Comparison:
    """Two classifiers of one data set, a dense and a sparse one, and inputs to attack.

    Parameters
    ----------
    dataset : str
    models : mapping of str to LinearClassifier
        By "dense" and "sparse".
    test : Part
    box : None or (lo, hi)
    classes : GaussianClasses, optional
        The law that the inputs are drawn from, where it is known.
    """

    dataset: str
    models: Mapping[str, LinearClassifier]
    test: Part
    box: tuple[float, float] | None
    classes: GaussianClasses | None = None


def study_comparison(cells: Sequence[LinearCell]) -> Comparison:
    """Return the densest L2 logistic and a sparse L1 logistic classifier of the first split."""
    first = [cell for cell in cells if cell.split == 0]
    dense = [cell for cell in first if cell.trained.family == "L2 logistic, cut"][-1]
    path = [cell for cell in first if cell.trained.family == "L1 logistic"]
    drawn = dense.dataset == DRAWN_CLASSES
    return Comparison(
        classes=sparse_mean_classes() if drawn else None,
        dataset=dense.dataset,
        models={"dense": dense.trained.model, "sparse": path[len(path) // 2].trained.model},
        test=dense.test,
        box=None,
    )


def digits_comparison(seed: int) -> Comparison:
    """Return a dense and a sparse classifier of all ten digits, attacked within the box."""
    data = digits()
    parts = split(data, rng=np.random.default_rng([seed, 3]))
    dense = train_path("L2 logistic, cut", *parts.train, count=2)[-1]
    sparse = train_path("L1 logistic", *parts.train, count=8)[4]
    models = {"dense": dense.model, "sparse": sparse.model}
    return Comparison(dataset="ten digits", models=models, test=parts.test, box=data.box)


def curve_table(comparison: Comparison, *, carlini_wagner: bool = False) -> list[dict[str, Any]]:
    """Return robust accuracy at many budgets: exact, its upper bounds, and what attacks leave.

    What attacks leave comes with its 95 % limits over inputs ("low", "high").

    Kind: exact for "exact", else upper: "ceiling" bounds what any classifier keeps on average over
    the law of the inputs; the bounds on robust accuracy from moments are those of
    the attacked inputs themselves, and only for two labels and no box, where they are proven.

    Parameters
    ----------
    comparison : Comparison
    carlini_wagner : bool
        As in `attack_curves`; only where there is a box.
    """
    carlini_wagner = carlini_wagner and comparison.box is not None
    return [row for norm in NORMS for row in _rows(comparison, norm, carlini_wagner)]


def _rows(comparison: Comparison, norm: float, carlini_wagner: bool) -> Iterator[dict[str, Any]]:
    X, y = comparison.test
    models, box = list(comparison.models.values()), comparison.box
    distances = np.concatenate([flip_distance(model, X, y, norm=norm) for model in models])
    reach = float(np.quantile(distances[np.isfinite(distances)], 0.97))
    eps, attacked = np.linspace(0, reach, _DRAWN), np.linspace(0, reach, _ATTACKED)
    curves = attack_curves(
        models, X, y, attacked, norm=norm, box=box, carlini_wagner=carlini_wagner
    )
    for i, (name, model) in enumerate(comparison.models.items()):
        same = {"dataset": comparison.dataset, "classifier": name, "norm": norm, "box": box}
        same |= {"weights": int(np.count_nonzero(model.weights))}
        for what, line in _lines(model, comparison, eps, norm).items():
            for e, a in zip(eps, line, strict=True):
                yield {**same, "what": what, "eps": float(e), **_row(float(a), None)}
        for what, curve in curves.items():
            for e, a in zip(attacked, curve[i], strict=True):
                yield {**same, "what": what, "eps": float(e), **_row(float(a), y.size)}
    if comparison.classes is not None:
        same = {"dataset": comparison.dataset, "classifier": "any", "norm": norm, "box": box}
        for e in eps:
            best = robust_bayes_accuracy(comparison.classes, float(e), norm=norm)
            yield {**same, "weights": None, "what": "ceiling", "eps": float(e), **_row(best, None)}


def _row(accuracy: float, n: int | None) -> dict[str, float]:
    """Return an accuracy with Wilson's 95 % limits if measured on n inputs, else with itself."""
    if n is None:
        return {"accuracy": accuracy, "low": accuracy, "high": accuracy}
    hits = np.arange(n) < round(accuracy * n)  # which inputs they are does not matter
    _, low, high = proportion_interval(hits)
    return {"accuracy": accuracy, "low": low, "high": high}


def _lines(
    model: LinearClassifier, comparison: Comparison, eps: FloatArray, norm: float
) -> dict[str, FloatArray]:
    X, y = comparison.test
    lines = {"exact": robust_accuracy(model, X, y, eps, norm=norm, box=comparison.box)}
    if model.is_binary and comparison.box is None:
        moments = correct_moments(model, X, y)
        lines["Markov bound"] = markov_bound(model, moments, eps, norm=norm)
        lines["two-moment bound"] = two_moment_bound(model, moments, eps, norm=norm)
    return lines
