"""Exact second moments of products of randomly pruned matrices."""

from typing import Any

import numpy as np

from theory.networks import ReluNetwork
from theory.networks.arrays import dense, is_sparse
from theory.random_masks.masks import LayerMask, Masks, as_layer_masks, labels, pair_probability
from theory.validation import FloatArray, UnsupportedSettingError


def path_gram(net: ReluNetwork, masks: Masks) -> FloatArray:
    """Return E P Pᵀ, where P = |W_L| ... |W_1| with pruned W sums the paths input by input.

    Kind: exact, up to rounding. Biases and activations do not enter.

    Parameters
    ----------
    net : ReluNetwork
    masks : float, or sequence of L floats or LayerMask
        A number is the probability that a weight is pruned, each by itself.

    Returns
    -------
    array, shape (out, out)
        On the diagonal the mean squared L2 norm of each output's paths.

    Raises
    ------
    TypeError, ValueError
        As `as_layer_masks`.
    UnsupportedSettingError
        If squares of paths overflow.

    Notes
    -----
    Layer by layer, G <- ρ² |W| G |W|ᵀ + ρ(1-ρ) diag((W∘W) diag G): proofs/random_masks.md, 3. No
    matrix is larger than the weights or than the square of a width.

    Examples
    --------
    >>> net = ReluNetwork(weights=[[[3.0, 4.0]], [[-1.0]]])
    >>> path_gram(net, [0.5, 0.0]).tolist()  # (0 + 9 + 16 + 25) / 4
    [[12.5]]
    """
    return grams(net, as_layer_masks(net, masks))[-1]


def grams(net: ReluNetwork, laws: tuple[LayerMask, ...]) -> list[FloatArray]:
    """Return E P_j P_jᵀ for the paths P_j from the inputs to each layer, shapes (n_j, n_j)."""
    with np.errstate(over="ignore", invalid="ignore"):
        found = [gram_step(abs(net.weights[0]), None, laws[0])]
        for W, law in zip(net.weights[1:], laws[1:], strict=True):
            found.append(gram_step(abs(W), found[-1], law))
    refuse_overflow(*found)
    return found


def gram_step(W: Any, G: FloatArray | None, mask: LayerMask) -> FloatArray:
    """Return E (W∘M) G (W∘M)ᵀ for a random mask M; G = None is the identity."""
    pair, extra = pair_probability(W, mask), mask.density - pair_probability(W, mask)
    if mask.unit == "column":
        if G is None:  # a column only meets itself
            return mask.density * sandwich(W, None)
        return sandwich(W, pair * G + extra * _same(W, G, mask))
    full = sandwich(W, G)
    if mask.unit == "row":
        return np.asarray(pair * full + extra * _same(W, full, mask))
    return _with_own(pair * full, extra, W, G)


def gram_slope(net: ReluNetwork, rho: FloatArray, j: int) -> FloatArray:
    """Return the derivative of `path_gram` by the density of layer j, weights pruned singly."""

    def step(i: int, G: FloatArray | None) -> FloatArray:
        # Two weights are kept with probability ρ², one with ρ: 2 ρ and 1 are their derivatives.
        pair, one = (2 * rho[i], 1.0) if i == j else (rho[i] ** 2, rho[i])
        W = abs(net.weights[i])
        return _with_own(pair * sandwich(W, G), one - pair, W, G)

    G = step(0, None)
    for i in range(1, net.depth):
        G = step(i, G)
    return G


def _with_own(full: FloatArray, extra: float, W: Any, G: FloatArray | None) -> FloatArray:
    """Return full with what single weights add on the diagonal."""
    own = np.ones(W.shape[1]) if G is None else np.diag(G)
    full[np.diag_indices_from(full)] += extra * (squares(W) @ own)
    return full


def refuse_overflow(*moments: FloatArray | float) -> None:
    """Raise UnsupportedSettingError if a moment is not finite."""
    if not all(np.isfinite(values).all() for values in moments):
        raise UnsupportedSettingError("weights must be such that moments of paths do not overflow.")


def squares(W: Any) -> Any:
    """Return the squared entries of a matrix, dense or sparse."""
    return W.power(2) if is_sparse(W) else W * W


def sandwich(W: Any, G: FloatArray | None) -> FloatArray:
    """Return W G Wᵀ for a symmetric G, dense."""
    return np.asarray(dense(W @ W.T)) if G is None else np.asarray(W @ (W @ G).T)


def _same(W: Any, G: FloatArray, mask: LayerMask) -> FloatArray:
    """Return G with zeros where row and column of it are not of one group."""
    if mask.groups is None:
        return np.diag(np.diag(G))
    group = labels(W, mask)
    return np.where(group[:, None] == group, G, 0.0)
