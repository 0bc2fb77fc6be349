"""What the training half says of the robust accuracy of the classifier it trains."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np
from sklearn.model_selection import StratifiedKFold

from empirical.linear import FAMILIES
from theory.linear import LinearClassifier, class_scores
from theory.linear.classifier import dual_norm
from theory.mixtures import accuracy_after_drop, label_bandwidths, sample_law, smoothed_accuracy
from theory.validation import FloatArray, IntArray

NORMS = (2.0, np.inf)
FOLDS = 10
_STRENGTHS, _L1 = FAMILIES["L1 logistic"]


class Folds(NamedTuple):
    """Signed distances of the training half: what predictions are made from.

    Positive where right, in the units of X, so that those of different classifiers compare.

    Attributes
    ----------
    own : array, shape (n,)
        By the classifier trained on all of the half: it has seen each input.
    unseen : array, shape (n,)
        By classifiers trained on the other folds: none has seen the input.
    y : array, shape (n,)
    """

    own: FloatArray
    unseen: FloatArray
    y: IntArray


def middle_strength(X: FloatArray, y: IntArray) -> float:
    """Return C of scikit-learn, 35 times the one that leaves every weight zero."""
    return float(_STRENGTHS(X, y, 3)[1])


def sparse_classifier(X: FloatArray, y: IntArray, C: float) -> LinearClassifier:
    """Return scikit-learn's logistic regression with an L1 penalty.

    Parameters
    ----------
    X : array, shape (n, d)
    y : array, shape (n,)
        -1 and +1.
    C : float
        One over the strength of the penalty, in the loss summed over inputs.
    """
    ((weights, bias),) = _L1(X, y, np.array([C]))
    return LinearClassifier(weights=weights, bias=bias)


def signed_distances(
    model: LinearClassifier, X: FloatArray, y: IntArray, *, norm: float
) -> FloatArray:
    """Return the distance of each input to the boundary, negative where wrong. No box.

    Kind: exact for these inputs.

    Raises
    ------
    ValueError
        If the weights are all zero: there is no boundary.
    """
    size = dual_norm(model, norm)
    if size == 0:
        raise ValueError("the penalty must leave a weight; got w=0: there is no boundary.")
    return np.asarray(y * class_scores(model, X)[:, 1] / size)


def own_units(X: FloatArray) -> FloatArray:
    """Return 1 for each feature: inputs are taken as they are."""
    return np.ones(X.shape[1])


def deviation_units(X: FloatArray) -> FloatArray:
    """Return the deviation of each feature, 1 for those that do not vary."""
    deviation = X.std(axis=0)
    return np.asarray(np.where(deviation > 0, deviation, 1.0))


def cross_fitted(
    X: FloatArray,
    y: IntArray,
    C: float,
    *,
    rng: np.random.Generator,
    units: Callable[[FloatArray], FloatArray] = own_units,
    folds: int = FOLDS,
) -> Mapping[float, FloatArray]:
    """Return by norm the signed distance of each input by a classifier that has not seen it.

    Parameters
    ----------
    X : array, shape (n, d)
    y : array, shape (n,)
    C : float
        Of the whole; a fold's is larger by n over its number of inputs, so that the penalty weighs
        as much against the mean loss.
    rng : Generator
        Shares out the inputs, each label evenly.
    units : callable
        From the inputs that a fold trains on, the unit of each feature. Where the half has been
        divided by its own deviations, `deviation_units`: an input that had a part in choosing its
        units is not like one that had none.
    folds : int
        At most as many as the rarer label has inputs.

    Returns
    -------
    mapping of norm to array, shape (n,)
    """
    rarer = int(min((y == label).sum() for label in (-1, 1)))
    shares = StratifiedKFold(min(folds, rarer), shuffle=True, random_state=int(rng.integers(2**31)))
    found = {norm: np.empty(y.size) for norm in NORMS}
    for seen, unseen in shares.split(X, y):
        Z = X / units(X[seen])
        model = sparse_classifier(Z[seen], y[seen], C * y.size / seen.size)
        for norm, distances in found.items():
            distances[unseen] = signed_distances(model, Z[unseen], y[unseen], norm=norm)
    return found


def _gaussian(distances: FloatArray, y: IntArray, eps: FloatArray) -> FloatArray:
    return accuracy_after_drop(sample_law(distances, y), eps)


def _smoothed(distances: FloatArray, y: IntArray, eps: FloatArray) -> FloatArray:
    return smoothed_accuracy(distances, eps, bandwidth=label_bandwidths(distances, y))


Predictor = Callable[[Folds, FloatArray], FloatArray]
# Robust accuracy at each budget from the training half alone. Kind: estimate.
PREDICTORS: Mapping[str, Predictor] = {
    "seen, Gaussian": lambda half, eps: _gaussian(half.own, half.y, eps),
    "seen, smoothed": lambda half, eps: _smoothed(half.own, half.y, eps),
    "unseen, Gaussian": lambda half, eps: _gaussian(half.unseen, half.y, eps),
    "unseen, smoothed": lambda half, eps: _smoothed(half.unseen, half.y, eps),
}
