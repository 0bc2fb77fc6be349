"""Robust accuracy before anything is trained: from each feature's class means and deviation."""

import math
from collections.abc import Mapping

import numpy as np

from empirical.plug_in_study.predictors import NORMS
from theory.asymptotics import (
    CoordinateLaw,
    Limit,
    NotConvergedError,
    Objective,
    fresh_margins,
    predict,
)
from theory.mixtures import accuracy_after_drop
from theory.validation import FloatArray, IntArray, UnsupportedSettingError

BEFORE = "before training"


def coordinate_law(X: FloatArray, y: IntArray) -> CoordinateLaw:
    """Return the law that draws one of these features: its half mean difference and deviation.

    Kind: estimate. Correlations are left out. Means of n inputs are off by about a deviation
    over sqrt(n), which makes the signal of d features look larger by some d / n.

    Parameters
    ----------
    X : array, shape (n, d)
        Features that do not vary within a label are left out.
    y : array, shape (n,)
        Labels -1 and +1.

    Raises
    ------
    ValueError
        If no feature varies.
    """
    means = [X[y == label].mean(axis=0) for label in (-1, 1)]
    rest = X - np.stack(means)[(y + 1) // 2]
    scales = np.sqrt((rest**2).sum(axis=0) / (y.size - 2))
    kept = scales > 0
    d = int(kept.sum())
    if d == 0:
        raise ValueError("X must have a feature that varies within a label; got none.")
    half = (means[1] - means[0])[kept] / 2
    return CoordinateLaw(
        weights=np.full(d, 1 / d),
        means=math.sqrt(d) * half,
        deviations=np.zeros(d),
        scales=scales[kept],
    )


def limit_before_training(X: FloatArray, y: IntArray, C: float) -> Limit:
    """Return what the theory of large n and d says that an L1 logistic regression reaches.

    Kind: estimate (limit): independent Gaussian features, labels equally likely.

    Parameters
    ----------
    X, y
        As in `coordinate_law`.
    C : float
        Of scikit-learn.

    Raises
    ------
    ValueError, UnsupportedSettingError, NotConvergedError
        As `coordinate_law` and `theory.asymptotics.predict`.
    """
    law = coordinate_law(X, y)
    d = law.weights.size
    objective = Objective(loss="logistic", l1=1 / (C * math.sqrt(d)))
    return predict(objective, law, ratio=y.size / d)


def curves_before_training(
    X: FloatArray, y: IntArray, C: float, budgets: Mapping[float, FloatArray]
) -> Mapping[float, FloatArray]:
    """Return robust accuracy by norm, at each budget of it, in the units of X.

    Kind: estimate (limit); NaN where the theory has no answer: there is no limit, or its equations
    were not solved.

    Parameters
    ----------
    X, y, C
        As in `limit_before_training`.
    budgets : mapping of 2 or inf to array, shape (k,)

    Returns
    -------
    mapping of norm to array, shape (k,)
    """
    try:
        limit = limit_before_training(X, y, C)
    except (UnsupportedSettingError, NotConvergedError):
        return {norm: np.full_like(eps, np.nan) for norm, eps in budgets.items()}
    d, law = limit.law.weights.size, fresh_margins(limit)
    sizes = dict(zip(NORMS, (limit.norm, math.sqrt(d) * limit.l1_norm), strict=True))
    return {norm: accuracy_after_drop(law, eps * sizes[norm]) for norm, eps in budgets.items()}
