"""The record of a linear classifier, and its scores."""

from dataclasses import dataclass, field
from typing import Any, cast

import numpy as np
import scipy.sparse as sp
from numpy.typing import ArrayLike

from theory.validation import (
    FloatArray,
    IntArray,
    UnsupportedSettingError,
    as_finite,
    as_inputs,
    as_norm,
    refuse_nonfinite,
)


@dataclass(frozen=True, kw_only=True, eq=False)
class LinearClassifier:
    """A linear classifier: the label with the highest score.

    Parameters
    ----------
    weights : array or scipy.sparse, shape (d,), (1, d) or (c, d)
        One row: a binary classifier with labels -1 and +1 whose score is that of +1 (that of -1
        is zero). c >= 2 rows: labels 0..c-1. Kept as a float64 array or CSR of two dimensions.
    bias : float or array, shape () or (c,)
        Kept as a float64 array with one entry a row of weights.

    Raises
    ------
    TypeError, ValueError
        If weights or bias are not numbers, not finite, empty, or do not fit one another.

    Examples
    --------
    >>> LinearClassifier(weights=[3.0, 4.0], bias=-1.0).classes.tolist()
    [-1, 1]
    """

    weights: Any
    bias: Any = field(default=0.0)

    def __post_init__(self) -> None:
        weights = _as_weights(self.weights)
        rows = weights.shape[0]
        bias = as_finite("bias", self.bias)
        if bias.shape not in {(), (rows,)}:
            raise ValueError(
                f"bias must be a number or have shape ({rows},), one entry a row of weights;"
                f" got shape {bias.shape}."
            )
        object.__setattr__(self, "weights", weights)
        object.__setattr__(self, "bias", np.broadcast_to(bias, (rows,)).copy())

    @property
    def is_binary(self) -> bool:
        """Whether the labels are -1 and +1 and the weights one row."""
        return bool(self.weights.shape[0] == 1)

    @property
    def dimension(self) -> int:
        """The number of features d."""
        return int(self.weights.shape[1])

    @property
    def classes(self) -> IntArray:
        """The labels, in increasing order."""
        if self.is_binary:
            return np.array([-1, 1], dtype=np.intp)
        return np.arange(self.weights.shape[0], dtype=np.intp)


def class_scores(model: LinearClassifier, X: ArrayLike) -> FloatArray:
    """Return the score of each input for each label, in the order of model.classes.

    Kind: exact, up to float64 rounding. A binary model scores -1 with zero.

    Parameters
    ----------
    model : LinearClassifier
    X : array, shape (n, d)

    Returns
    -------
    array, shape (n, c)

    Raises
    ------
    TypeError, ValueError
        If X is not a dense array of finite numbers of shape (n, d) with n >= 1.

    Examples
    --------
    >>> class_scores(LinearClassifier(weights=[3.0, 4.0], bias=-1.0), [[1.0, 1.0]]).tolist()
    [[0.0, 6.0]]
    """
    inputs = as_inputs(X, model.dimension)
    scores = _products(model, inputs)
    scores += model.bias
    if model.is_binary:
        return np.hstack([np.zeros_like(scores), scores])
    return scores


def live_rows(model: LinearClassifier) -> tuple[FloatArray, IntArray]:
    """Return a dense row of weights for each label over the features that any label uses.

    Returns
    -------
    rows : array, shape (c, s)
        The row of -1 in a binary model is zero.
    features : array, shape (s,)
        The features used, in increasing order.
    """
    weights: Any = model.weights
    is_sparse = sp.issparse(weights)
    if is_sparse:
        features = np.unique(weights.tocoo().coords[1]).astype(np.intp)
        rows = weights[:, features].toarray()
    else:
        features = np.flatnonzero(weights.any(axis=0))
        rows = weights[:, features]
    if model.is_binary:
        rows = np.vstack([np.zeros_like(rows), rows])
    return np.asarray(rows, dtype=np.float64), features


def dual_norm(model: LinearClassifier, norm: float) -> float:
    """Return how much a move of norm 1 can change the score of a binary classifier.

    Kind: exact: the dual norm of w.

    Parameters
    ----------
    model : LinearClassifier, binary
    norm : 1, 2 or inf
        Of the move.

    Raises
    ------
    UnsupportedSettingError
        For norm 0, which has no dual, and for more than two labels.
    ValueError
        If the dual norm overflows float64.

    Examples
    --------
    >>> dual_norm(LinearClassifier(weights=[3.0, 4.0]), 2)
    5.0
    """
    refuse_many_classes(model)
    order = {1.0: np.inf, 2.0: 2.0, np.inf: 1.0}.get(as_norm(norm))
    if order is None:
        raise UnsupportedSettingError(f"norm must be 1, 2 or inf; got {norm}, which has no dual.")
    w = live_rows(model)[0][1]
    scale = np.abs(w).max(initial=0.0) or 1.0  # lest the squares of tiny weights underflow
    with np.errstate(over="ignore"):
        size = float(scale * np.linalg.norm(w / scale, ord=order)) if w.size else 0.0
    if size == np.inf:
        raise ValueError(f"weights must have a finite dual norm; the largest weight is {scale:g}.")
    return size


def refuse_many_classes(model: LinearClassifier) -> None:
    """Raise UnsupportedSettingError unless the labels are -1 and +1."""
    if not model.is_binary:
        raise UnsupportedSettingError(
            f"the model must be binary; got a model with {model.classes.size} labels."
        )


def _as_weights(weights: Any) -> Any:
    matrix: Any
    if sp.issparse(weights):
        matrix = sp.coo_array(cast("Any", weights))
        matrix = matrix.reshape((-1, matrix.shape[-1])).astype(np.float64).tocsr()
        matrix.sum_duplicates()
        as_finite("weights", matrix.data)
    else:
        matrix = np.atleast_2d(as_finite("weights", weights).copy())
    if matrix.ndim != 2 or 0 in matrix.shape:
        raise ValueError(
            f"weights must have shape (d,), (1, d) or (c, d), none zero; got shape {matrix.shape}."
        )
    return matrix


def _products(model: LinearClassifier, X: FloatArray) -> FloatArray:
    """Return X times each row of weights, checking X on the way.

    A further column multiplies X by ones, so that no NaN or inf hides behind a zero weight: one
    pass over X both scores and checks it.
    """
    weights: Any = model.weights
    ones = np.ones(X.shape[1])
    is_sparse = sp.issparse(weights)
    # Dense rows, fewer than inputs, cost less than the pass over X that both products need.
    if is_sparse and weights.shape[0] <= X.shape[0]:
        weights, is_sparse = weights.toarray(), False
    with np.errstate(invalid="ignore", over="ignore"):
        if is_sparse:
            table = np.column_stack([(weights @ X.T).T, X @ ones])
        else:
            table = X @ np.vstack([weights, ones]).T
    if not np.isfinite(table).all():
        refuse_nonfinite(X)
        raise ValueError("X must have finite sums and scores; theirs overflow float64.")
    return np.asarray(table[:, :-1])
