"""Masks that keep a fixed number of all the weights of a network, drawn without replacement."""

import numpy as np

from theory.networks import ReluNetwork
from theory.networks.network import as_network
from theory.random_masks.expected import path_constants
from theory.random_masks.gram import path_gram, sandwich, squares
from theory.random_masks.masks import LayerMask, population
from theory.validation import FloatArray


def whole_expected_path_norm(net: ReluNetwork, kept: int) -> FloatArray:
    """Return the mean path norm for q = 1 when a fixed number of all weights are kept.

    Kind: exact, up to rounding, of the path norm; upper, of the expected largest L1 norm of a
    gradient anywhere. Never above `expected_path_norm` at the same density in each layer.

    Parameters
    ----------
    net : ReluNetwork
    kept : int in [0, N]
        Of the N weights that are not zero; all choices are equally likely.

    Returns
    -------
    array, shape (out,)

    Raises
    ------
    TypeError, ValueError
        If net is no ReluNetwork, or kept is no such number.

    Notes
    -----
    Factorial moments: proofs/random_masks.md, section 10.

    Examples
    --------
    >>> net = ReluNetwork(weights=[[[2.0]], [[3.0]]])
    >>> whole_expected_path_norm(net, 1).tolist(), whole_expected_path_norm(net, 2).tolist()
    ([0.0], [6.0])
    """
    n = _weights(net, kept)
    return path_constants(net, norm=1) * _all_kept(kept, n, net.depth)


def whole_rms_path_norm(net: ReluNetwork, kept: int) -> FloatArray:
    """Return the root mean square path norm for q = 2 when a fixed number of weights are kept.

    Kind: exact, up to rounding; upper, of the mean path norm and of the expected largest L2 norm
    of a gradient anywhere. Never above `rms_path_norm` at the same density in each layer.

    Parameters
    ----------
    net, kept
        As in `whole_expected_path_norm`.

    Returns
    -------
    array, shape (out,)

    Raises
    ------
    TypeError, ValueError
        As `whole_expected_path_norm`.
    UnsupportedSettingError
        If squares of paths overflow.

    Notes
    -----
    Pairs of paths by the number of weights that they share: proofs/random_masks.md, section 10.

    Examples
    --------
    >>> net = ReluNetwork(weights=[[[1.0], [1.0]], [[1.0, 1.0]]])
    >>> (whole_rms_path_norm(net, 2) ** 2).round(9).tolist()  # one of two paths, of 6 choices
    [0.333333333]
    """
    n = _weights(net, kept)
    total = np.zeros(net.outputs)
    for shared, G in enumerate(_shared_grams(net)):
        total += np.diag(G) * _all_kept(kept, n, 2 * net.depth - shared)
    return np.sqrt(total)


def _shared_grams(net: ReluNetwork) -> list[FloatArray]:
    """Return P Pᵀ split by the number of weights, 0..L, that two paths share."""
    path_gram(net, 0.0)  # refuses overflow
    parts: list[FloatArray | None] = [None]  # the inputs by themselves: the identity
    for W in (abs(W) for W in net.weights):
        found = [np.zeros((W.shape[0],) * 2) for _ in range(len(parts) + 1)]
        for shared, G in enumerate(parts):
            full = sandwich(W, G)
            same = squares(W) @ (np.ones(W.shape[1]) if G is None else np.diag(G))
            apart = np.maximum(np.diag(full) - same, 0.0)  # rounding must not make it negative
            np.fill_diagonal(full, apart)
            found[shared] += full
            found[shared + 1] += np.diag(same)
        parts = list(found)
    return [G for G in parts if G is not None]


def _all_kept(kept: int, n: int, size: int) -> float:
    """Return the probability that so many given weights are all kept."""
    steps = np.arange(size)
    if size > kept:
        return 0.0
    return float(np.prod((kept - steps) / (n - steps)))


def _weights(net: ReluNetwork, kept: int) -> int:
    n = sum(population(W, LayerMask(alpha=0.0)) for W in as_network(net).weights)
    if not isinstance(kept, (int, np.integer)) or isinstance(kept, bool):
        raise TypeError(f"kept must be an integer; got {kept!r}.")
    if not 0 <= kept <= n:
        raise ValueError(f"kept must be in [0, {n}], the weights that are not zero; got {kept}.")
    return n
