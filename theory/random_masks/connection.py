"""Whether pruning at random leaves a path from the inputs to an output."""

from typing import Any

import numpy as np
from scipy.stats import binom

from theory.networks import ReluNetwork
from theory.networks.arrays import is_sparse
from theory.random_masks.gram import gram_step
from theory.random_masks.masks import (
    LayerMask,
    Masks,
    as_layer_masks,
    as_single_masks,
    population,
)
from theory.validation import FloatArray, IntArray, UnsupportedSettingError

# Hidden layers of at most this many units are followed unit by unit: 2^10 sets of them.
MOST_UNITS = 10
# The logarithm of a probability that is zero: of those in float64 none is below -746.
NEVER = -1e4


def layer_cut_probability(net: ReluNetwork, masks: Masks) -> FloatArray:
    """Return the probability that all weights of a layer are pruned, for each layer.

    Kind: exact, up to rounding.

    Parameters
    ----------
    net, masks
        As in `path_gram`.

    Returns
    -------
    array, shape (L,)
        1 for a layer without weights.

    Raises
    ------
    TypeError, ValueError
        As `as_layer_masks`.

    Examples
    --------
    >>> net = ReluNetwork(weights=[[[3.0, 0.0], [1.0, 2.0]], [[-1.0, 1.0]]])
    >>> layer_cut_probability(net, 0.5).tolist()
    [0.125, 0.25]
    """
    laws = as_layer_masks(net, masks)
    return np.array([_cut(W, law) for W, law in zip(net.weights, laws, strict=True)])


def disconnection_probability(net: ReluNetwork, masks: Masks) -> FloatArray:
    """Return the probability that no path of weights is left from any input to each output.

    Kind: exact, up to rounding; lower, of the probability that the output is constant, equal to
    it for networks without biases whose weights after the first layer are nonnegative, or, for
    almost all weights, with one hidden layer.

    Parameters
    ----------
    net : ReluNetwork
        Without zero weights, of any size; or with at most 10 units in each hidden layer.
    masks : float, or sequence of L floats
        Each weight is pruned by itself.

    Returns
    -------
    array, shape (out,)

    Raises
    ------
    TypeError, ValueError
        As `as_layer_masks`.
    UnsupportedSettingError
        If weights are not pruned one by one; for larger networks with zeros, of which
        `disconnection_bounds` knows.

    Notes
    -----
    Without zeros the number of connected units of each layer is a Markov chain; else the set of
    them is: proofs/random_masks.md, section 9.

    Examples
    --------
    >>> net = ReluNetwork(weights=[[[3.0], [4.0]], [[-1.0, 1.0]]])
    >>> disconnection_probability(net, 0.5).round(9).tolist()  # each of two paths is cut with 3/4
    [0.5625]
    """
    laws = as_single_masks(net, masks)
    if all((_filled(W) == W.shape[1]).all() for W in net.weights):
        return _by_counts(net, laws)
    if max(net.widths, default=0) <= MOST_UNITS:
        return _by_sets(net, laws)
    raise UnsupportedSettingError(
        f"the network must have no zero weights, or at most {MOST_UNITS} units in each hidden"
        f" layer; got widths {net.widths}: use disconnection_bounds."
    )


def disconnection_bounds(net: ReluNetwork, masks: Masks) -> tuple[FloatArray, FloatArray]:
    """Return a lower and an upper bound on `disconnection_probability`, for any network.

    Kind: lower and upper, up to rounding. Lower: units taken for independent, exact with one
    hidden layer. Upper: each row taken to lack as many weights as the emptiest of its layer; or
    the second moment of the number of paths.

    Parameters
    ----------
    net : ReluNetwork
    masks : float, or sequence of L floats
        Each weight is pruned by itself.

    Returns
    -------
    lower, upper : array, shape (out,)

    Raises
    ------
    TypeError, ValueError, UnsupportedSettingError
        As `disconnection_probability`.

    Notes
    -----
    Harris 1960; Paley and Zygmund 1932. Proof: proofs/random_masks.md, section 9.

    Examples
    --------
    >>> net = ReluNetwork(weights=[[[3.0], [4.0]], [[-1.0, 1.0]]])
    >>> [bound.round(9).tolist() for bound in disconnection_bounds(net, 0.5)]
    [[0.5625], [0.5625]]
    """
    laws = as_single_masks(net, masks)
    upper = np.minimum(_by_counts(net, laws), _by_moments(net, laws))
    lower = np.exp(log_unreached(net, laws)[-1])
    return lower, np.maximum(lower, upper)


def _cut(W: Any, law: LayerMask) -> float:
    n = population(W, law)
    if law.fixed:
        return float(round(law.alpha * n) == n)
    return float(law.alpha**n)


def _by_counts(net: ReluNetwork, laws: tuple[LayerMask, ...]) -> FloatArray:
    """Return the probability if each row lacks as many weights as the emptiest; exact if none."""
    counts, chances = np.array([net.dimension]), np.ones(1)
    for W, law in zip(net.weights[:-1], laws, strict=False):
        missing = W.shape[1] - int(_filled(W).min())
        reached = 1.0 - law.alpha ** np.maximum(counts - missing, 0)
        counts_after = np.arange(W.shape[0] + 1)
        chances = chances @ binom.pmf(counts_after, W.shape[0], reached[:, None])
        counts = counts_after
    missing_last = net.weights[-1].shape[1] - _filled(net.weights[-1])
    left = np.maximum(counts - missing_last[:, None], 0)
    return np.asarray(np.minimum(laws[-1].alpha ** left @ chances, 1.0))


def _by_sets(net: ReluNetwork, laws: tuple[LayerMask, ...]) -> FloatArray:
    """Return the exact probability from the law of the set of connected units."""
    members, chances = np.ones((1, net.dimension)), np.ones(1)
    for W, law in zip(net.weights[:-1], laws, strict=False):
        lost = law.alpha ** (members @ _support(W).T)
        following = np.ones((members.shape[0], 1))
        for i in range(W.shape[0]):  # the set's number has bit i for unit i
            cut = lost[:, i : i + 1]
            following = np.hstack([following * cut, following * (1 - cut)])
        chances = chances @ following
        members = (np.arange(2 ** W.shape[0])[:, None] >> np.arange(W.shape[0]) & 1).astype(float)
    last = laws[-1].alpha ** (members @ _support(net.weights[-1]).T)
    return np.asarray(np.minimum(chances @ last, 1.0))


def _by_moments(net: ReluNetwork, laws: tuple[LayerMask, ...]) -> FloatArray:
    """Return 1 - (E N)² / E N² for the number N of paths to each output, 1 where there is none."""
    # All inputs count as one: a first unit has as many paths as it keeps weights.
    filled = _filled(net.weights[0]).astype(np.float64)
    mean = laws[0].density * filled
    second = np.outer(mean, mean) + np.diag(mean * laws[0].alpha)
    for W, law in zip(net.weights[1:], laws[1:], strict=True):
        support = _support(W)
        mean, second = law.density * (support @ mean), gram_step(support, second, law)
    size = np.diag(second)
    return np.where(size > 0, (size - mean**2) / np.where(size > 0, size, 1.0), 1.0)


def log_unreached(net: ReluNetwork, laws: tuple[LayerMask, ...]) -> list[FloatArray]:
    """Return lower bounds on the logarithms of the probabilities that no input reaches a unit.

    Kind: lower, up to rounding; every weight is pruned by itself. One array a layer, (n_j,).
    """
    reached, found = np.ones(net.dimension), []
    for W, law in zip(net.weights, laws, strict=True):
        lost = law.density * reached
        logs = np.where(lost < 1, np.log1p(-np.where(lost < 1, lost, 0.0)), NEVER)
        found.append(np.asarray(_support(W) @ logs))
        reached = -np.expm1(found[-1])
    return found


def _support(W: Any) -> Any:
    """Return ones where weights are not zero; sparse if they are."""
    return abs(W).sign() if is_sparse(W) else (W != 0).astype(np.float64)


def _filled(W: Any) -> IntArray:
    """Return how many weights of each row are not zero."""
    return np.asarray(np.diff(W.indptr) if is_sparse(W) else np.count_nonzero(W, axis=1))
