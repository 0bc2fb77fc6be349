"""Bounds for margins, the differences of two outputs, of randomly pruned networks."""

import numpy as np

from theory.networks import ReluNetwork
from theory.networks.arrays import dense
from theory.networks.network import as_network
from theory.random_masks.expected import as_q, path_sums
from theory.random_masks.gram import grams
from theory.random_masks.masks import LayerMask, Masks, as_layer_masks, densities
from theory.validation import FloatArray, UnsupportedSettingError


def margin_norm_bound(net: ReluNetwork, masks: Masks, label: int, *, norm: float = 2) -> FloatArray:
    """Return a bound on the expected local Lipschitz constant of g_label - g_k for each k.

    Kind: upper, up to rounding, of the mean over masks of the largest Lq norm of a gradient of
    the margin over any region. The path norm with the output row |w_label| + |w_k|, for every law
    of masks; it falls as alpha rises, but is no smaller for w_label = w_k.

    Parameters
    ----------
    net : ReluNetwork
        With at least 2 outputs.
    masks : float, or sequence of L floats or LayerMask
    label : int in [0, out)
    norm : 1 or 2
        q, the dual of the attack's norm.

    Returns
    -------
    array, shape (out,)
        0 for k = label.

    Raises
    ------
    TypeError, ValueError
        As `as_layer_masks`; if the label is no output of the network.
    UnsupportedSettingError
        If the norm is another one.

    Notes
    -----
    Proof: proofs/random_masks.md, section 6. See also `difference_norm_bound`.

    Examples
    --------
    >>> net = ReluNetwork(weights=[[[1.0]], [[2.0], [2.0]]])
    >>> margin_norm_bound(net, [0.0, 0.5], 0, norm=1).tolist()
    [0.0, 2.0]
    """
    laws = as_layer_masks(net, masks)
    y = _as_output(net, label)
    if as_q(norm) == 1:
        sums = path_sums(net)[-1]
        bound = (sums[y] + sums) * densities(laws).prod()
    else:
        G = grams(net, laws)[-1]
        bound = np.sqrt(G[y, y] + np.diag(G) + 2 * G[y])
    return np.where(np.arange(net.outputs) == y, 0.0, bound)


def difference_norm_bound(
    net: ReluNetwork, masks: Masks, label: int, *, norm: float = 2
) -> FloatArray:
    """Return a sharper bound than `margin_norm_bound`, from the law of the masked difference.

    Kind: upper, up to rounding, as there. It has the output row |w_label∘m - w_k∘m'| instead: with
    the output layer not pruned that is |w_label - w_k|. It need not fall as alpha rises: where
    w_label = w_k it is zero at alpha = 0 of the output layer alone.

    Parameters
    ----------
    net, masks, label, norm
        As in `margin_norm_bound`; each weight of the output layer is pruned by itself.

    Returns
    -------
    array, shape (out,)
        0 for k = label.

    Raises
    ------
    TypeError, ValueError, UnsupportedSettingError
        As `margin_norm_bound`; if the output layer is pruned another way.

    Notes
    -----
    Proof: proofs/random_masks.md, section 6.

    Examples
    --------
    >>> net = ReluNetwork(weights=[[[1.0]], [[2.0], [2.0]]])
    >>> [difference_norm_bound(net, [0.0, a], 0, norm=1)[1].item() for a in (0.0, 0.5, 1.0)]
    [0.0, 1.0, 0.0]
    """
    laws = as_layer_masks(net, masks)
    y = _as_output(net, label)
    if not laws[-1].independent:
        raise UnsupportedSettingError(
            "every weight of the output layer must be pruned by itself; got unit"
            f" {laws[-1].unit!r}, fixed={laws[-1].fixed}: use margin_norm_bound."
        )
    mean, second = _row_moments(np.asarray(dense(net.weights[-1])), y, laws[-1])
    if as_q(norm) == 1:
        sums = path_sums(net)[-2] if net.depth > 1 else np.ones(net.dimension)
        bound = mean @ sums * densities(laws[:-1]).prod()
    elif net.depth == 1:
        bound = np.sqrt(second.sum(axis=1))
    else:
        G = grams(net, laws)[-2]
        bound = np.sqrt(((mean @ G) * mean).sum(axis=1) + (second - mean**2) @ np.diag(G))
    return np.where(np.arange(net.outputs) == y, 0.0, bound)


def _row_moments(W: FloatArray, y: int, mask: LayerMask) -> tuple[FloatArray, FloatArray]:
    """Return the first two moments of |w_y m - w_k m'|, entry by entry, for each row w_k."""
    both, one = mask.density**2, mask.density * mask.alpha
    mean = both * np.abs(W[y] - W) + one * (np.abs(W[y]) + np.abs(W))
    return mean, both * (W[y] - W) ** 2 + one * (W[y] ** 2 + W**2)


def _as_output(net: ReluNetwork, label: int) -> int:
    as_network(net)
    if not isinstance(label, (int, np.integer)) or isinstance(label, bool):
        raise TypeError(f"label must be an integer; got {label!r}.")
    if not 0 <= label < net.outputs or net.outputs < 2:
        raise ValueError(
            f"label must be one of at least 2 outputs, of {net.outputs} here; got {label}."
        )
    return int(label)
