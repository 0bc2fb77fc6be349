"""Gradients of a randomly pruned network whose activation pattern is held fixed."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from theory.networks import ReluNetwork
from theory.networks.arrays import dense, is_sparse
from theory.random_masks.gram import gram_step, refuse_overflow, squares
from theory.random_masks.masks import LayerMask, Masks, as_layer_masks, as_single_masks
from theory.validation import FloatArray, UnsupportedSettingError, as_finite

# Fourth moments of a layer are a table of its width to the fourth: 40 MB at 48 units.
MOST_UNITS = 48
# The places of a fourth moment where two, or three, of its four indices are one unit.
TWO = ("uuvw", "uvuw", "uvwu", "vuuw", "vuwu", "vwuu")
TWO_TWO = ("uuvv", "uvuv", "uvvu")
THREE = ("uuuv", "uuvu", "uvuu", "vuuu")


def gradient_gram(net: ReluNetwork, masks: Masks, pattern: Sequence[ArrayLike]) -> FloatArray:
    """Return E J Jᵀ, J the Jacobian with the units of the pattern passed, whatever the masks.

    Kind: exact, up to rounding: c·E J Jᵀ c is the mean squared L2 norm of the gradient of c·f.
    That masks change which units are on is not in it.

    Parameters
    ----------
    net : ReluNetwork
    masks : float, or sequence of L floats or LayerMask
    pattern : sequence of L-1 boolean arrays, shapes (n_j,)
        Which hidden units pass their input on, as of one row of `activation_pattern`.

    Returns
    -------
    array, shape (out, out)

    Raises
    ------
    TypeError, ValueError
        As `as_layer_masks`; if the pattern does not fit the hidden layers.
    UnsupportedSettingError
        If moments overflow.

    Notes
    -----
    Proof: proofs/random_masks.md, section 7.

    Examples
    --------
    >>> net = ReluNetwork(weights=[[[1.0], [1.0]], [[1.0, -1.0]]])
    >>> gradient_gram(net, 0.0, [[True, True]]).item()  # the two paths cancel
    0.0
    >>> gradient_gram(net, [0.0, 0.5], [[True, True]]).item()
    0.5
    """
    laws = as_layer_masks(net, masks)
    units = _as_pattern(net, pattern)
    with np.errstate(over="ignore", invalid="ignore"):
        G = gram_step(net.weights[0], None, laws[0])
        for W, law, on in zip(net.weights[1:], laws[1:], units, strict=True):
            # The weights stay as they are: a fixed share is one of all of them.
            G = gram_step(W, np.where(on[:, None] & on, G, 0.0), law)
    refuse_overflow(G)
    return G


def squared_gradient_variance(
    net: ReluNetwork, masks: Masks, pattern: Sequence[ArrayLike], direction: ArrayLike
) -> float:
    """Return the variance over masks of the squared L2 norm of a gradient, its pattern fixed.

    Kind: exact, up to rounding relative to the mean fourth power.

    Parameters
    ----------
    net : ReluNetwork
        With at most 48 units in each hidden layer.
    masks : float, or sequence of L floats
        Each weight is pruned by itself.
    pattern : sequence of L-1 boolean arrays, shapes (n_j,)
    direction : array, shape (out,)
        c: of the gradient of c·f, with at most 48 entries not zero.

    Returns
    -------
    float, nonnegative

    Raises
    ------
    TypeError, ValueError
        As `gradient_gram`; if the direction does not fit.
    UnsupportedSettingError
        If weights are not pruned one by one, or moments overflow; if a layer is wider: use
        `sampled_gradient_norms`.

    Notes
    -----
    All fourth moments of each layer, by the cumulants of a mask: proofs/random_masks.md, 8.

    Examples
    --------
    >>> net = ReluNetwork(weights=[[[2.0]]])
    >>> squared_gradient_variance(net, 0.5, [], [1.0])  # 4 or 0
    4.0
    """
    laws = as_single_masks(net, masks)
    weights = _passed(net, pattern)
    c = as_finite("direction", direction)
    if c.shape != (net.outputs,):
        raise ValueError(f"direction must have shape ({net.outputs},); got shape {c.shape}.")
    used = np.flatnonzero(c)
    if max(used.size, *net.widths, 0) > MOST_UNITS:
        raise UnsupportedSettingError(
            f"hidden layers must have at most {MOST_UNITS} units, and the direction entries;"
            f" got {net.widths} and {used.size}: use sampled_gradient_norms."
        )
    c, weights[-1] = c[used], weights[-1][used]
    mean = float(c @ gradient_gram(net, laws, pattern)[np.ix_(used, used)] @ c)
    with np.errstate(over="ignore", invalid="ignore"):
        K = np.einsum("i,j,k,l->ijkl", c, c, c, c)
        for W, law in zip(reversed(weights[1:]), reversed(laws[1:]), strict=True):
            K = _fourth_moments(K, np.asarray(dense(W)), law)
        fourth = _mean_fourth_power(K, np.asarray(dense(weights[0])), laws[0])
    refuse_overflow(fourth)
    return max(fourth - mean**2, 0.0)


def _passed(net: ReluNetwork, pattern: Sequence[ArrayLike]) -> list[Any]:
    """Return the weights without the columns of units that the pattern leaves out."""
    checked = _as_pattern(net, pattern)
    weights: list[Any] = [net.weights[0]]
    for W, on in zip(net.weights[1:], checked, strict=True):
        weights.append(W.multiply(on[None, :]).tocsr() if is_sparse(W) else W * on)
    return weights


def _as_pattern(net: ReluNetwork, pattern: Sequence[ArrayLike]) -> list[NDArray[np.bool_]]:
    if len(pattern) != net.depth - 1:
        raise ValueError(
            f"pattern must be one a hidden layer, {net.depth - 1}; got {len(pattern)}."
        )
    units = [np.asarray(on) for on in pattern]
    for j, (on, width) in enumerate(zip(units, net.widths, strict=True)):
        if on.dtype != np.bool_ or on.shape != (width,):
            raise ValueError(
                f"pattern[{j}] must be {width} booleans; got {on.dtype} of shape {on.shape}."
            )
    return units


def _cumulants(law: LayerMask) -> tuple[float, float, float, float]:
    """Return the first four cumulants of whether a weight is kept."""
    rho, v = law.density, law.density * law.alpha
    return rho, v, v * (1 - 2 * rho), v * (1 - 6 * v)


def _fourth_moments(K: FloatArray, W: FloatArray, law: LayerMask) -> FloatArray:
    """Return E r_u r_v r_w r_x of r = q (W∘M) from those, K, of the row q.

    One term for each way to say which of the four weights are the same one.
    """
    k1, k2, k3, k4 = _cumulants(law)
    out = k1**4 * _along(K, W, W, W, W)
    pairs = k2 * k1**2 * _along(np.einsum("iijk->ijk", K), W**2, W, W)
    for place in TWO:
        np.einsum(f"{place}->uvw", out)[...] += pairs
    two_two = k2**2 * _along(np.einsum("iijj->ij", K), W**2, W**2)
    for place in TWO_TWO:
        np.einsum(f"{place}->uv", out)[...] += two_two
    three = k3 * k1 * _along(np.einsum("iiij->ij", K), W**3, W)
    for place in THREE:
        np.einsum(f"{place}->uv", out)[...] += three
    np.einsum("uuuu->u", out)[...] += k4 * _along(np.einsum("iiii->i", K), W**4)
    return out


def _along(K: FloatArray, *factors: FloatArray) -> FloatArray:
    """Return K with each axis in turn multiplied by a matrix (axis, new axis)."""
    for W in factors:
        K = np.tensordot(K, W, axes=(0, 0))  # the new axis comes last: after all, in order
    return K


def _mean_fourth_power(K: FloatArray, W: FloatArray, law: LayerMask) -> float:
    """Return E |r|⁴ of r = q (W∘M) from the fourth moments K of q; the entries of r never pair.

    Given q the entries of r are independent: E |r|⁴ is the mean of (E |r|²)² plus, entry by entry,
    the variance k4 + 4 k3 k1 + 2 k2² + 4 k2 k1² of its square.
    """
    k1, k2, k3, k4 = _cumulants(law)
    n = W.shape[0]
    own = squares(W)
    B = k1**2 * (W @ W.T) + k2 * np.diag(own.sum(axis=1))
    total = float(B.ravel() @ K.reshape(n * n, n * n) @ B.ravel())
    total += k4 * float(np.einsum("iiii->i", K) @ (own**2).sum(axis=1))
    total += 4 * k3 * k1 * float((np.einsum("iiij->ij", K) * ((W * own) @ W.T)).sum())
    total += 2 * k2**2 * float((np.einsum("iijj->ij", K) * (own @ own.T)).sum())
    for i, slices in enumerate(np.einsum("iijk->ijk", K)):
        total += 4 * k2 * k1**2 * float((slices * ((W * own[i]) @ W.T)).sum())
    return total
