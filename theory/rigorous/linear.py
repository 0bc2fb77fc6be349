"""Distances of linear classifiers in balls: the lead over the dual norm, without a box."""

import math
from typing import NamedTuple

import numpy as np
from flint import arb, arb_mat
from numpy.typing import ArrayLike

from theory.linear import LinearClassifier
from theory.networks.arrays import dense
from theory.rigorous.balls import Balls, above, below, column, matrix, precise, total
from theory.validation import FloatArray, as_inputs, as_labels, as_norm, refuse_nonfinite


class Enclosure(NamedTuple):
    """Two float64 numbers an input, between which the true distance surely is; shapes (n,)."""

    lower: FloatArray
    upper: FloatArray


class _Rivals(NamedTuple):
    """What a label's leads over its rivals are made of: rows, biases and dual norms."""

    rows: arb_mat
    biases: arb_mat
    sizes: Balls


def proven_distances(
    model: LinearClassifier, X: ArrayLike, y: ArrayLike, *, norm: float = 2
) -> Enclosure:
    """Return float64 numbers between which each input's distance to the nearest flip is.

    Kind: lower and upper, proven by ball arithmetic, rounding included, without a box: of
    `theory.linear.flip_distance`, ties counting as flips.

    Parameters
    ----------
    model : LinearClassifier
        Its float64 numbers are taken for the reals that they are.
    X : array, shape (n, d)
    y : array, shape (n,)
        Labels of the model.
    norm : 0, 1, 2 or inf

    Returns
    -------
    Enclosure
        Both 0 where the label is surely wrong or tied; both inf where nothing flips. Where balls
        cannot tell whether the label is right, the lower end is 0.

    Raises
    ------
    TypeError, ValueError
        If an argument is malformed or not finite.

    Examples
    --------
    >>> found = proven_distances(LinearClassifier(weights=[1.0, 1.0]), [[1.0, 0.0]], [1])
    >>> found.lower[0] <= 0.5**0.5 <= found.upper[0], found.upper[0] - found.lower[0] < 1e-15
    (np.True_, np.True_)
    """
    norm, inputs = as_norm(norm), as_inputs(X, model.dimension)
    refuse_nonfinite(inputs)
    labels = as_labels(y, model.classes, len(inputs))
    with precise():
        rivals = {k: _rivals(model, k, norm) for k in sorted(set(labels.tolist()))}
        found = [_nearest(x, rivals[k], norm) for x, k in zip(inputs, labels.tolist(), strict=True)]
    lower, upper = np.array(found).T
    return Enclosure(lower, upper)


def _rivals(model: LinearClassifier, own: int, norm: float) -> _Rivals:
    sign = float(model.classes[own])
    every = np.eye(model.classes.size)
    forms = matrix([[sign]] if model.is_binary else every[own] - np.delete(every, own, axis=0))
    rows = forms * matrix(dense(model.weights))
    sizes = [_dual_norm(row, norm) for row in rows.tolist()]
    return _Rivals(rows, forms * column(model.bias), sizes)


def _dual_norm(row: Balls, norm: float) -> arb:
    """Return how much a move of norm 1 can change a form; for norm 0, whether one can: 1 or 0."""
    if norm == 2:
        return total(w * w for w in row).sqrt()
    if norm == 0:
        return arb(int(any(not w.is_zero() for w in row)))
    if norm == 1:
        return _largest(row)
    return total(abs(w) for w in row)


def _largest(row: Balls) -> arb:
    most = arb(0)
    for w in row:
        most = most.max(abs(w))
    return most


def _nearest(x: FloatArray, rivals: _Rivals, norm: float) -> tuple[float, float]:
    """Return the ends of the least distance to a tie with a rival."""
    leads = (rivals.rows * column(x) + rivals.biases).entries()
    ends = [_ends(*pair, norm) for pair in zip(leads, rivals.sizes, strict=True)]
    return min(low for low, _ in ends), min(high for _, high in ends)


def _ends(lead: arb, size: arb, norm: float) -> tuple[float, float]:
    """Return the ends of the distance to a tie with one rival."""
    if lead <= 0:
        return 0.0, 0.0
    right = lead > 0
    if size.is_zero():  # no move changes the lead
        return (math.inf if right else 0.0), math.inf
    if norm == 0:
        return float(right), 1.0
    distance = lead / size
    return (below(distance) if right else 0.0), above(distance)
