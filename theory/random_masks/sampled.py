"""What random pruning does to a network, by drawing masks."""

import numpy as np
from numpy.typing import ArrayLike

from theory.lipschitz.verified import gamma
from theory.networks import ReluNetwork, forward, jacobian
from theory.networks.arrays import rows_times, times_transposed
from theory.random_masks.connection import disconnection_bounds
from theory.random_masks.expected import as_q
from theory.random_masks.masks import Masks, as_layer_masks, drawn_weights, masked_network
from theory.smoothing import clopper_pearson_lower
from theory.validation import FloatArray, as_inputs, refuse_nonfinite


def sampled_path_norms(
    net: ReluNetwork, masks: Masks, *, count: int, rng: np.random.Generator, norm: float = 2
) -> FloatArray:
    """Return the path norms of each output for some masks drawn.

    Kind: exact for each mask, up to rounding; their mean is an estimate of the mean path norm.

    Parameters
    ----------
    net, masks
        As in `path_gram`.
    count : int, at least 1
        Of masks.
    rng : numpy.random.Generator
    norm : 1 or 2
        As in `path_constants`.

    Returns
    -------
    array, shape (count, out)

    Raises
    ------
    TypeError, ValueError, UnsupportedSettingError
        As `path_gram` and `path_constants`; if the count is below 1.

    Examples
    --------
    >>> net = ReluNetwork(weights=[[[3.0, 4.0]]])
    >>> drawn = sampled_path_norms(net, 0.5, count=99, rng=np.random.default_rng(0), norm=1)
    >>> sorted(set(drawn.ravel().tolist()))
    [0.0, 3.0, 4.0, 7.0]
    """
    laws, order = as_layer_masks(net, masks), as_q(norm)
    _refuse_uncountable(count)
    norms = np.empty((count, net.outputs))
    for i in range(count):
        paths = np.eye(net.outputs)
        for W, law in zip(reversed(net.weights), reversed(laws), strict=True):
            paths = rows_times(paths, abs(drawn_weights(W, law, rng)))
        norms[i] = np.linalg.norm(paths, ord=order, axis=1)
    return norms


def sampled_gradient_norms(
    net: ReluNetwork,
    masks: Masks,
    X: ArrayLike,
    *,
    count: int,
    rng: np.random.Generator,
    norm: float = 2,
) -> FloatArray:
    """Return the norms of the gradients of each output at inputs for some masks drawn.

    Kind: exact for each mask, up to rounding: each pruned network has its own activation pattern.
    Lower for its local Lipschitz constant; means are estimates.

    Parameters
    ----------
    net, masks, count, rng, norm
        As in `sampled_path_norms`.
    X : array, shape (n, d)

    Returns
    -------
    array, shape (count, n, out)

    Raises
    ------
    TypeError, ValueError, UnsupportedSettingError
        As `sampled_path_norms`; if X is not of that shape, or not finite.

    Examples
    --------
    >>> net = ReluNetwork(weights=[[[3.0, 4.0]], [[1.0]]])
    >>> drawn = sampled_gradient_norms(net, [0.0, 0.5], [[1.0, 1.0]], count=9,
    ...     rng=np.random.default_rng(0))
    >>> sorted(set(drawn.ravel().tolist()))
    [0.0, 5.0]
    """
    order = as_q(norm)
    _refuse_uncountable(count)
    slopes = (jacobian(masked_network(net, masks, rng), X) for _ in range(count))
    return np.stack([np.linalg.norm(J, ord=order, axis=2) for J in slopes])


def constant_probability_bounds(
    net: ReluNetwork,
    masks: Masks,
    X: ArrayLike,
    *,
    count: int,
    level: float,
    rng: np.random.Generator,
) -> tuple[FloatArray, FloatArray]:
    """Return bounds on the probability that pruning makes an output constant, for each output.

    Kind: lower is proven, that no path is left; upper holds with probability 1 - level for each
    output by itself: from the share of masks drawn under which two of the inputs differ.

    Parameters
    ----------
    net : ReluNetwork
    masks : float, or sequence of L floats
        Each weight is pruned by itself.
    X : array, shape (n, d), n >= 2
        Where outputs are compared: the more they vary, the better the upper bound.
    count : int, at least 1
        Of masks.
    level : float in (0, 1)
    rng : numpy.random.Generator

    Returns
    -------
    lower, upper : array, shape (out,)

    Raises
    ------
    TypeError, ValueError, UnsupportedSettingError
        As `disconnection_bounds` and `sampled_gradient_norms`; if X has one row, or the level lies
        outside (0, 1).

    Notes
    -----
    Proof: proofs/random_masks.md, section 9.

    Examples
    --------
    >>> net = ReluNetwork(weights=[[[3.0]], [[1.0]]])
    >>> lower, upper = constant_probability_bounds(net, [0.5, 0.0], [[0.0], [1.0]], count=1000,
    ...     level=1e-6, rng=np.random.default_rng(0))
    >>> lower.round(9).item(), bool(0.5 < upper.item() < 0.6)
    (0.5, True)
    """
    inputs = as_inputs(X, net.dimension)
    refuse_nonfinite(inputs)
    if inputs.shape[0] < 2:
        raise ValueError(f"X must hold at least 2 inputs to compare; got {inputs.shape[0]}.")
    _refuse_uncountable(count)
    lower = disconnection_bounds(net, masks)[0]
    slack = _rounding(net, inputs)
    varied = np.zeros(net.outputs)
    for _ in range(count):
        outputs = forward(masked_network(net, masks, rng), inputs)
        varied += np.ptp(outputs, axis=0) > slack
    upper = 1.0 - clopper_pearson_lower(varied, count, level=level)
    return lower, np.maximum(lower, upper)


def _rounding(net: ReluNetwork, X: FloatArray) -> FloatArray:
    """Return by how much rounding may make two outputs of any pruned network differ."""
    size = np.abs(X)
    for W, b in zip(net.weights, net.biases, strict=True):
        size = times_transposed(size, abs(W)) + np.abs(b)
    return np.asarray(4 * gamma(sum(net.widths) + net.dimension + 2 * net.depth) * size.max(axis=0))


def _refuse_uncountable(count: int) -> None:
    if not isinstance(count, (int, np.integer)) or isinstance(count, bool) or count < 1:
        raise ValueError(f"count must be an integer of at least 1; got {count!r}.")
