"""scikit-learn's linear classifiers over a path of sparsities.

Every family is a way to fit one binary problem at each of a list of strengths; more classes are
fitted one against the rest. L1 and elastic-net penalties are strengthened; classifiers with an L2
penalty are cut: only their largest weights are kept, and refitted or not.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.linear_model import LogisticRegression, RidgeClassifier
from sklearn.svm import LinearSVC, l1_min_c

from theory.linear import LinearClassifier
from theory.validation import FloatArray, IntArray

# liblinear penalises the intercept too, divided by this scale.
_LIBLINEAR: dict[str, Any] = {"intercept_scaling": 100, "max_iter": 10_000, "random_state": 0}
# From just above the strength that leaves every weight zero to a thousand times weaker.
_WEAKEST, _STRONGEST = 3.0, 0.1

Dense = Callable[[FloatArray, IntArray], Any]
Rows = list[tuple[FloatArray, float]]  # weights and bias of each strength
Path = Callable[[FloatArray, IntArray, FloatArray], Rows]


@dataclass(frozen=True, kw_only=True, eq=False)
class TrainedLinear:
    """A trained linear classifier, and where on its family's path it stands.

    Parameters
    ----------
    family : str
    strength : float
        C of scikit-learn, or for a cut family the number of weights kept a class.
    model : LinearClassifier
    nonzeros : int
        Number of nonzero weights, over all classes.
    """

    family: str
    strength: float
    model: LinearClassifier
    nonzeros: int


def _l1_logistic(X: FloatArray, y: IntArray, C: float) -> Any:
    return LogisticRegression(l1_ratio=1, solver="liblinear", C=C, **_LIBLINEAR).fit(X, y)


def _elastic_net(X: FloatArray, y: IntArray, C: float) -> Any:
    settings: dict[str, Any] = {"tol": 1e-3, "max_iter": 10_000, "random_state": 0}
    return LogisticRegression(l1_ratio=0.5, solver="saga", C=C, **settings).fit(X, y)


def _l1_svc(X: FloatArray, y: IntArray, C: float) -> Any:
    return LinearSVC(penalty="l1", dual=False, C=C, **_LIBLINEAR).fit(X, y)


def _l2_logistic(X: FloatArray, y: IntArray) -> Any:
    return LogisticRegression(max_iter=1000).fit(X, y)


def _l2_svc(X: FloatArray, y: IntArray) -> Any:
    return LinearSVC(dual=False, **_LIBLINEAR).fit(X, y)


def _ridge(X: FloatArray, y: IntArray) -> Any:
    return RidgeClassifier().fit(X, y)


def _row(fitted: Any) -> tuple[FloatArray, float]:
    return np.ravel(fitted.coef_).astype(np.float64), float(np.ravel(fitted.intercept_)[0])


def _penalized(fit: Callable[[FloatArray, IntArray, float], Any]) -> Path:
    def rows(X: FloatArray, y: IntArray, strengths: FloatArray) -> Rows:
        # Centred inputs leave the intercept little to do: coordinate descent ends much sooner.
        centre = X.mean(axis=0)
        fitted = (_row(fit(X - centre, y, float(C))) for C in strengths)
        return [(weights, bias - float(weights @ centre)) for weights, bias in fitted]

    return rows


def _largest(weights: FloatArray, sizes: FloatArray) -> Iterator[IntArray]:
    """Yield for each size the features with the largest weights; of equal ones the first."""
    order = np.argsort(-np.abs(weights), kind="stable")
    for size in sizes:
        yield order[: int(size)]


def _cut(dense: Dense) -> Path:
    def rows(X: FloatArray, y: IntArray, sizes: FloatArray) -> Rows:
        weights, bias = _row(dense(X, y))
        every = np.arange(weights.size)
        kept = _largest(weights, sizes)
        return [(np.where(np.isin(every, features), weights, 0.0), bias) for features in kept]

    return rows


def _refitted(dense: Dense) -> Path:
    def rows(X: FloatArray, y: IntArray, sizes: FloatArray) -> Rows:
        path = []
        for features in _largest(_row(dense(X, y))[0], sizes):
            weights = np.zeros(X.shape[1])
            weights[features], bias = _row(dense(X[:, features], y))
            path.append((weights, bias))
        return path

    return rows


def _penalties(loss: str, l1_ratio: float) -> Callable[[FloatArray, IntArray, int], FloatArray]:
    def strengths(X: FloatArray, y: IntArray, count: int) -> FloatArray:
        # The intercept is as good as free, which centring stands for.
        weakest = l1_min_c(X - X.mean(axis=0), y, loss=loss, fit_intercept=False) / l1_ratio
        return np.asarray(weakest * np.logspace(_STRONGEST, _WEAKEST, count))

    return strengths


def _sizes(X: FloatArray, y: IntArray, count: int) -> FloatArray:
    """Return numbers of weights from 2 to all, evenly spaced in logarithm."""
    del y
    return np.unique(np.geomspace(min(2, X.shape[1]), X.shape[1], count).round())


FAMILIES: Mapping[str, tuple[Callable[[FloatArray, IntArray, int], FloatArray], Path]] = {
    "L1 logistic": (_penalties("log", 1.0), _penalized(_l1_logistic)),
    "elastic net": (_penalties("log", 0.5), _penalized(_elastic_net)),
    "L1 SVC": (_penalties("squared_hinge", 1.0), _penalized(_l1_svc)),
    "L2 logistic, cut": (_sizes, _cut(_l2_logistic)),
    "L2 logistic, cut and refitted": (_sizes, _refitted(_l2_logistic)),
    "L2 SVC, cut": (_sizes, _cut(_l2_svc)),
    "ridge, cut": (_sizes, _cut(_ridge)),
}


def train_path(family: str, X: FloatArray, y: IntArray, *, count: int = 8) -> list[TrainedLinear]:
    """Return classifiers of one family from the sparsest to the densest.

    Parameters
    ----------
    family : str
        A key of FAMILIES.
    X : array, shape (n, d)
    y : array, shape (n,)
        -1 and +1: a binary model. 0..c-1 with c >= 3: one row a class, each against the rest.
    count : int
        Number of strengths, evenly spaced in logarithm.

    Raises
    ------
    ValueError
        If the family is unknown, count is below 1, or y holds a single label.

    Examples
    --------
    >>> from empirical.data import digits
    >>> data = digits(3, 8)
    >>> [trained.nonzeros for trained in train_path("ridge, cut", data.X, data.y, count=3)]
    [2, 11, 54]
    """
    if family not in FAMILIES:
        raise ValueError(f"family must be one of {sorted(FAMILIES)}; got {family!r}.")
    if count < 1:
        raise ValueError(f"count must be at least 1; got {count}.")
    labels = np.unique(y)
    if labels.size < 2:
        raise ValueError(f"y must hold at least two labels; got {labels.tolist()}.")
    problems = [y] if labels.size == 2 else [np.where(y == label, 1, -1) for label in labels]
    choose, path = FAMILIES[family]
    strengths = choose(X, y, count)
    paths = [path(X, problem, strengths) for problem in problems]
    return [
        _trained(family, float(strength), [rows[step] for rows in paths])
        for step, strength in enumerate(strengths)
    ]


def _trained(family: str, strength: float, rows: Rows) -> TrainedLinear:
    weights = np.stack([weights for weights, _ in rows])
    model = LinearClassifier(weights=weights, bias=np.array([bias for _, bias in rows]))
    nonzeros = int(np.count_nonzero(weights))
    return TrainedLinear(family=family, strength=strength, model=model, nonzeros=nonzeros)
