"""Bounds on the expected local Lipschitz constants of randomly pruned networks."""

import math
from typing import Any

import numpy as np

from theory.networks import ReluNetwork
from theory.networks.arrays import rows_times
from theory.networks.network import as_network
from theory.random_masks.conditioned import conditioned_bound
from theory.random_masks.gram import gram_slope, path_gram
from theory.random_masks.masks import Masks, as_layer_masks, as_single_masks, densities
from theory.validation import FloatArray, UnsupportedSettingError


def path_constants(net: ReluNetwork, *, norm: float = 2) -> FloatArray:
    """Return c_q: for each output, the Lq norm of |w_k| |W_{L-1}| ... |W_1|, nothing pruned.

    Kind: exact, up to rounding; upper for the Lq norm of every gradient of the output.

    Parameters
    ----------
    net : ReluNetwork
    norm : 1 or 2
        q, the dual of the attack's norm: 1 for Linf attacks, 2 for L2.

    Returns
    -------
    array, shape (out,)

    Raises
    ------
    TypeError
        If net is no ReluNetwork.
    UnsupportedSettingError
        If the norm is another one.

    Examples
    --------
    >>> net = ReluNetwork(weights=[[[3.0, 4.0]], [[-1.0]]])
    >>> path_constants(net, norm=1).tolist(), path_constants(net).tolist()
    ([7.0], [5.0])
    """
    as_network(net)
    if as_q(norm) == 1:
        return path_sums(net)[-1]
    paths: Any = np.eye(net.outputs)
    for W in reversed(net.weights):
        paths = rows_times(paths, abs(W))
    return np.asarray(np.linalg.norm(paths, axis=1))


def expected_path_norm(net: ReluNetwork, masks: Masks) -> FloatArray:
    """Return the mean over masks of each output's path norm for q = 1: c_1 times all densities.

    Kind: exact, up to rounding, of the path norm; upper, of the expected largest L1 norm of a
    gradient anywhere. The same for all laws with independent layers.

    Parameters
    ----------
    net, masks
        As in `path_gram`.

    Returns
    -------
    array, shape (out,)

    Raises
    ------
    TypeError, ValueError
        As `path_gram`.

    Notes
    -----
    Guo et al. 2018 (arXiv 1810.09619), Theorem 3.2, restated: proofs/random_masks.md, 2.

    Examples
    --------
    >>> net = ReluNetwork(weights=[[[3.0, 4.0]], [[-1.0]]])
    >>> expected_path_norm(net, [0.5, 0.5]).tolist()
    [1.75]
    """
    laws = as_layer_masks(net, masks)
    return np.asarray(path_constants(net, norm=1) * densities(laws).prod())


def rms_path_norm(net: ReluNetwork, masks: Masks) -> FloatArray:
    """Return the root of the mean square over masks of each output's path norm for q = 2.

    Kind: exact, up to rounding; upper, of the mean path norm and of the expected largest L2 norm
    of a gradient anywhere. At least c_2 times all densities, at most c_2 times their root. It is
    above the mean by Jensen's gap, the root of 1 + Var / mean² of the path norm, which no bound
    that is told the second moment alone can close: 1.07 for 784-300-100-10 with normal weights at
    density .1, more below. `expected_norm_bound` is told more.

    Parameters
    ----------
    net, masks
        As in `path_gram`.

    Returns
    -------
    array, shape (out,)

    Raises
    ------
    TypeError, ValueError
        As `path_gram`.

    Notes
    -----
    Guo et al. 2018 (arXiv 1810.09619), Theorem 3.2, restated: proofs/random_masks.md, 3.

    Examples
    --------
    >>> net = ReluNetwork(weights=[[[3.0, 4.0]], [[-1.0]]])
    >>> (rms_path_norm(net, [0.5, 0.0]) ** 2).round(9).tolist()
    [12.5]
    """
    return np.sqrt(np.diag(path_gram(net, masks)))


def product_bound(net: ReluNetwork, masks: Masks) -> FloatArray:
    """Return c_2 times the root of all densities: what the depth alone says for q = 2.

    Kind: upper, of the mean path norm for q = 2; never below `rms_path_norm` but by rounding.
    Without the root it is no bound: that lies below the mean path norm.

    Parameters
    ----------
    net, masks
        As in `path_gram`.

    Returns
    -------
    array, shape (out,)

    Raises
    ------
    TypeError, ValueError
        As `path_gram`.

    Examples
    --------
    >>> net = ReluNetwork(weights=[[[3.0, 4.0]], [[-1.0]]])
    >>> product_bound(net, [0.75, 0.0]).tolist()
    [2.5]
    """
    laws = as_layer_masks(net, masks)
    return path_constants(net) * math.sqrt(densities(laws).prod())


def expected_norm_bound(net: ReluNetwork, masks: Masks, *, norm: float = 2) -> FloatArray:
    """Return a bound on the expected local Lipschitz constant of each output, anywhere.

    Kind: upper, up to rounding, of the mean over masks of the largest Lq norm of a gradient over
    any region, whatever the biases. For q = 1 `expected_path_norm`; for q = 2 below that and below
    `rms_path_norm`: their least is taken for each number of weights kept in the output's row, and
    counts only where the output may be connected to an input. (If weights of the output layer are
    not pruned one by one: the least of both.)

    Parameters
    ----------
    net, masks
        As in `path_gram`.
    norm : 1 or 2
        As in `path_constants`.

    Returns
    -------
    array, shape (out,)

    Raises
    ------
    TypeError, ValueError, UnsupportedSettingError
        As `path_gram` and `path_constants`.

    Notes
    -----
    Proof: proofs/random_masks.md, sections 1 to 4.

    Examples
    --------
    >>> net = ReluNetwork(weights=[[[3.0, 4.0]], [[-1.0]]])
    >>> expected_norm_bound(net, [0.5, 0.0]).round(6).tolist()  # the mean is 3
    [3.061862]
    """
    laws = as_layer_masks(net, masks)
    if as_q(norm) == 1:
        return expected_path_norm(net, laws)
    if laws[-1].independent:
        sums = path_sums(net)[-2] if net.depth > 1 else np.ones(net.dimension)
        return conditioned_bound(net, laws, sums)
    return np.minimum(expected_path_norm(net, laws), rms_path_norm(net, laws))


def shrinkage(net: ReluNetwork, masks: Masks, *, norm: float = 2) -> FloatArray:
    """Return η: the expected local Lipschitz constant is at most c_q (1 - η) for each output.

    Kind: lower, up to rounding, of the relative fall of the expected path norm; for q = 1 exact.
    It rises in the alpha of each layer. 1 for an output whose paths are all zero.

    Parameters
    ----------
    net, masks, norm
        As in `expected_norm_bound`.

    Returns
    -------
    array, shape (out,)
        1 - rho_1 ... rho_L for q = 1; 1 - `rms_path_norm` / c_2 for q = 2.

    Raises
    ------
    TypeError, ValueError, UnsupportedSettingError
        As `expected_norm_bound`.

    Notes
    -----
    Guo et al. 2018 (arXiv 1810.09619), Theorem 3.2, restated: proofs/random_masks.md, 5.

    Examples
    --------
    >>> net = ReluNetwork(weights=[[[3.0, 4.0]], [[-1.0]]])
    >>> shrinkage(net, [0.5, 0.5], norm=1).tolist(), shrinkage(net, [0.0, 0.36]).round(9).tolist()
    ([0.75], [0.2])
    """
    laws = as_layer_masks(net, masks)
    dense_norms = path_constants(net, norm=norm)
    pruned = rms_path_norm(net, laws) if as_q(norm) == 2 else expected_path_norm(net, laws)
    live = dense_norms > 0
    return np.where(live, 1.0 - pruned / np.where(live, dense_norms, 1.0), 1.0)


def shrinkage_slopes(net: ReluNetwork, masks: Masks, *, norm: float = 2) -> FloatArray:
    """Return the derivative of η by the alpha of each layer.

    Kind: exact, up to rounding; never negative.

    Parameters
    ----------
    net, masks, norm
        As in `shrinkage`; each weight is pruned by itself, with probability below one.

    Returns
    -------
    array, shape (L, out)
        0 for an output whose paths are all zero.

    Raises
    ------
    TypeError, ValueError
        As `shrinkage`.
    UnsupportedSettingError
        As `shrinkage`; if a layer is pruned another way, or wholly.

    Notes
    -----
    The mean square is a ρ + b ρ² in each density: proofs/random_masks.md, 5.

    Examples
    --------
    >>> net = ReluNetwork(weights=[[[3.0, 4.0]], [[-1.0]]])
    >>> shrinkage_slopes(net, [0.0, 0.75]).round(9).tolist()  # of 1 - sqrt(ρ₁ ρ₂)
    [[0.25], [1.0]]
    """
    laws = as_single_masks(net, masks)
    rho = densities(laws)
    if (rho == 0).any():
        raise UnsupportedSettingError("alpha must be below 1 in each layer for a slope; got 1.")
    dense_norms = path_constants(net, norm=norm)
    live = dense_norms > 0
    if as_q(norm) == 1:
        return np.where(live, (rho.prod() / rho)[:, None], 0.0)
    unit = np.where(live, rms_path_norm(net, laws) * dense_norms, 1.0)
    slopes = np.zeros((net.depth, net.outputs))
    for j in range(net.depth):
        slopes[j] = np.diag(gram_slope(net, rho, j)) / (2 * unit)
    return np.where(live, slopes, 0.0)


def as_q(norm: float) -> int:
    """Return q, the norm of gradients: 1 or 2."""
    if norm not in {1, 2}:
        raise UnsupportedSettingError(f"norm must be 1 or 2, of the gradient; got {norm}.")
    return int(norm)


def path_sums(net: ReluNetwork) -> list[FloatArray]:
    """Return |W_j| ... |W_1| 1 for each layer, shapes (n_j,)."""
    sums = [np.ones(net.dimension)]
    for W in net.weights:
        sums.append(np.asarray(abs(W) @ sums[-1]))
    return sums[1:]
