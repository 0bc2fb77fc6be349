"""A given network under masks drawn, such as one trained on digits: its margins and gradients."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from sklearn.neural_network import MLPClassifier

from empirical.data import digits
from empirical.lowering import network_from_estimator
from empirical.ratio_study.masks import kept
from theory.networks import ReluNetwork
from theory.networks.arrays import dense
from theory.validation import FloatArray, IntArray

_EPOCHS, _TRAINED_ON = 12, 1200


class PrunedMargins(NamedTuple):
    """Margins of a network under masks drawn, one row a mask and one column an input.

    Attributes
    ----------
    margins : array, shape (masks, n)
        Of the form of outputs of each input.
    slopes : array, shape (masks, n)
        The L2 norms of their gradients there: exact for each mask, up to rounding.
    """

    margins: FloatArray
    slopes: FloatArray


def masked_margins(
    net: ReluNetwork,
    X: FloatArray,
    forms: FloatArray,
    *,
    densities: Sequence[float],
    count: int,
    rng: np.random.Generator,
) -> PrunedMargins:
    """Return margins and gradients of one network under masks drawn; weights and biases stay.

    Kind: exact for each mask, up to rounding; each has its own units on.

    Parameters
    ----------
    net : ReluNetwork
    X : array, shape (n, d)
    forms : array, shape (n, out)
        Of outputs: which margin is meant, for each input.
    densities : sequence of L floats
        The probability that a weight of each layer is kept, to 1/65536.
    count : int
        Of masks.
    rng : numpy.random.Generator

    Examples
    --------
    >>> net = ReluNetwork(weights=[[[3.0, 4.0]], [[1.0]]])
    >>> found = masked_margins(net, np.ones((1, 2)), np.ones((1, 1)), densities=[1, 1], count=1,
    ...     rng=np.random.default_rng(0))
    >>> found.margins.item(), found.slopes.item()
    (7.0, 5.0)
    """
    full = [np.asarray(dense(W)) for W in net.weights]
    margins, slopes = np.empty((2, count, X.shape[0]))
    for i in range(count):
        weights = [
            W * kept(rng, W.size, density).reshape(W.shape)
            for W, density in zip(full, densities, strict=True)
        ]
        values, on = X, []
        for W, b, relu in zip(weights[:-1], net.biases, net.relu, strict=False):
            z = values @ W.T + b
            on.append((z > 0) | ~relu)
            values = z * on[-1]
        rows = forms @ weights[-1]
        margins[i] = (values * rows).sum(axis=1) + forms @ net.biases[-1]
        for W, passed in zip(reversed(weights[:-1]), reversed(on), strict=True):
            rows = (rows * passed) @ W
        slopes[i] = np.linalg.norm(rows, axis=1)
    return PrunedMargins(margins, slopes)


def ratios(found: PrunedMargins) -> FloatArray:
    """Return margin by slope, mask by mask; 0 where both are zero, inf where only the slope is."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.nan_to_num(found.margins / found.slopes, nan=0.0, posinf=np.inf, neginf=-np.inf)


def trained_digits(
    rng: np.random.Generator, count: int, *, hidden: tuple[int, ...] = (40, 40)
) -> tuple[ReluNetwork, FloatArray, IntArray]:
    """Return a network trained on ten digits, and so many inputs it has not seen, with labels."""
    data = digits()
    order = rng.permutation(data.y.size)
    held, seen = order[:count], order[count:][:_TRAINED_ON]
    fitted: Any = MLPClassifier(
        hidden, batch_size=50, learning_rate_init=0.01, random_state=int(rng.integers(2**31))
    )
    for _ in range(_EPOCHS):  # fit would warn that it has not converged
        fitted.partial_fit(data.X[seen], data.y[seen], classes=np.unique(data.y))
    return network_from_estimator(fitted).net, data.X[held], data.y[held]


def nearest_forms(net: ReluNetwork, X: FloatArray, y: IntArray) -> FloatArray:
    """Return for each input the form whose value is g_y - g_k, k the best of the other labels."""
    values = X
    for j, (W, b) in enumerate(zip(net.weights, net.biases, strict=True)):
        values = (np.maximum(values, 0) if j else values) @ np.asarray(dense(W)).T + b
    forms, at = np.zeros_like(values), np.arange(y.size)
    values[at, y] = -np.inf
    forms[at, y], forms[at, values.argmax(axis=1)] = 1.0, -1.0
    return forms
