"""Local bounds around inputs: intervals of pre-activations and of gradients, stable units."""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from theory.lipschitz.bound import as_direction
from theory.lipschitz.verified import gamma
from theory.networks import ReluNetwork
from theory.networks.arrays import dense, is_sparse, rows_times, times_transposed
from theory.networks.network import as_network
from theory.validation import (
    FloatArray,
    UnsupportedSettingError,
    as_box,
    as_budget,
    as_finite,
    as_inputs,
    refuse_nonfinite,
    refuse_outside,
)

DUALS = {1.0: math.inf, 2.0: 2.0, math.inf: 1.0}


class Interval(NamedTuple):
    """What lies between lo and hi, entry by entry."""

    lo: FloatArray
    hi: FloatArray


def preactivation_bounds(
    net: ReluNetwork,
    X: ArrayLike,
    eps: float,
    *,
    norm: float = 2,
    box: tuple[ArrayLike, ArrayLike] | None = None,
) -> list[Interval]:
    """Return an interval for each hidden pre-activation over the ball of each input.

    Kind: proven to hold what the network computes in exact arithmetic; rounding is allowed for.
    Exact in the first layer (L2 within a box: only the better of ball and box), interval
    arithmetic after it.

    Parameters
    ----------
    net : ReluNetwork
    X : array, shape (n, d)
    eps : float, nonnegative
        Radius of the balls.
    norm : 1, 2 or inf
    box : pair (lo, hi), optional
        The balls are cut off at it; every input lies in it.

    Returns
    -------
    list of L-1 intervals of arrays, shapes (n, n_j)

    Raises
    ------
    TypeError, ValueError
        If an argument is malformed, not finite, or outside the box.
    UnsupportedSettingError
        If the norm is another one.

    Examples
    --------
    >>> net = ReluNetwork(weights=[[[3.0, 4.0]], [[1.0]]])
    >>> lo, hi = preactivation_bounds(net, [[1.0, 1.0]], 0.2)[0]
    >>> lo.round(6).tolist(), hi.round(6).tolist()
    ([[6.0]], [[8.0]])
    """
    dual = _dual(norm)
    inputs = as_inputs(X, as_network(net).dimension)
    refuse_nonfinite(inputs)
    radius = float(as_budget(eps))
    if net.depth == 1:
        return []
    found = [_first_layer(net, inputs, (radius, dual), box)]
    for j in range(1, net.depth - 1):
        mask, (lo, hi) = net.relu[j - 1], found[-1]
        passed = Interval(
            np.where(mask, np.maximum(lo, 0), lo), np.where(mask, np.maximum(hi, 0), hi)
        )
        found.append(_affine(net.weights[j], net.biases[j], passed))
    return found


def gradient_norm_bound(
    net: ReluNetwork,
    X: ArrayLike,
    eps: float,
    *,
    directions: ArrayLike | None = None,
    norm: float = 2,
    box: tuple[ArrayLike, ArrayLike] | None = None,
    bounds: Sequence[tuple[ArrayLike, ArrayLike]] | None = None,
) -> FloatArray:
    """Return how fast each direction of the outputs can change within the ball of each input.

    Kind: upper, proven, rounding included: |c·f(x) - c·f(x')| <= value · |x - x'| for any two
    points of the ball (and box), in the norm given.

    Parameters
    ----------
    net, X, eps, norm, box
        As in `preactivation_bounds`.
    directions : array, shape (out,) or (m, out), optional
        Each row its own direction c. None: each output.
    bounds : sequence of L-1 pairs (lo, hi) of arrays, shapes (n, n_j), optional
        Proven bounds of the pre-activations, used instead of `preactivation_bounds`; not checked.

    Returns
    -------
    array, shape (n, m)

    Raises
    ------
    TypeError, ValueError, UnsupportedSettingError
        As `preactivation_bounds`; if directions or bounds do not fit the network.

    Notes
    -----
    Weng et al. 2018 (arXiv 1804.09699), Fast-Lip: an interval for each entry of the gradient, and
    the dual norm of the largest absolute values. Proof: proofs/lipschitz.md, section 8.

    Examples
    --------
    >>> net = ReluNetwork(weights=[[[3.0, 4.0], [1.0, 0.0]], [[1.0, -1.0]]])
    >>> gradient_norm_bound(net, [[1.0, 0.0]], 0.5).round(6).tolist()
    [[4.472136]]
    """
    dual = _dual(norm)
    if bounds is None:
        bounds = preactivation_bounds(net, X, eps, norm=norm, box=box)
    lo, hi = jacobian_bounds(net, bounds, directions, n=np.shape(X)[0])
    largest = np.maximum(np.abs(lo), np.abs(hi))
    size = np.linalg.norm(largest, ord=dual, axis=2)
    return np.asarray(size * (1 + gamma(net.dimension + 4)))


def jacobian_bounds(
    net: ReluNetwork,
    bounds: Sequence[tuple[ArrayLike, ArrayLike]],
    directions: ArrayLike | None = None,
    *,
    n: int,
) -> Interval:
    """Return an interval for each entry of the Jacobian of C f, given those of pre-activations.

    Kind: proven: it holds the Jacobian wherever there is one and pre-activations are in bounds.

    Parameters
    ----------
    net, bounds, directions
        As in `gradient_norm_bound`.
    n : int
        The number of inputs.

    Returns
    -------
    Interval of arrays, shape (n, m, d)
    """
    checked = _as_bounds(net, bounds, n)
    C = as_direction(net, directions)
    last = np.asarray(dense(net.weights[-1]))
    rows = last if C is None else C @ last
    slack = np.zeros_like(rows) if C is None else gamma(net.outputs) * (np.abs(C) @ np.abs(last))
    shape = (n, *rows.shape)
    slopes = Interval(np.broadcast_to(rows - slack, shape), np.broadcast_to(rows + slack, shape))
    for W, mask, (lo, hi) in zip(
        reversed(net.weights[:-1]), reversed(net.relu), reversed(checked), strict=True
    ):
        on, off = ((lo >= 0) | ~mask)[:, None, :], ((hi <= 0) & mask)[:, None, :]
        least = np.where(on, slopes.lo, np.where(off, 0.0, np.minimum(slopes.lo, 0.0)))
        most = np.where(on, slopes.hi, np.where(off, 0.0, np.maximum(slopes.hi, 0.0)))
        slopes = _interval_times(Interval(least, most), W)
    return slopes


def local_network(net: ReluNetwork, bounds: Sequence[tuple[ArrayLike, ArrayLike]]) -> ReluNetwork:
    """Return the network with units that never change side made linear, or zero.

    It computes the same wherever the pre-activations are in bounds: there, any bound of the new
    network's Lipschitz constant is one of the old's.

    Parameters
    ----------
    net : ReluNetwork
    bounds : sequence of L-1 pairs (lo, hi) of arrays, shapes (n_j,) or (1, n_j)
        Proven, of one convex region of inputs; not checked.

    Returns
    -------
    ReluNetwork
        Of the same shapes.

    Raises
    ------
    TypeError, ValueError
        If the bounds do not fit the network.

    Examples
    --------
    >>> net = ReluNetwork(weights=[[[3.0, 4.0], [-1.0, 0.0]], [[1.0, 1.0]]])
    >>> around = local_network(net, preactivation_bounds(net, [[1.0, 0.0]], 0.5))
    >>> around.relu[0].tolist(), (around.weights[0] + 0.0).tolist()
    ([False, True], [[3.0, 4.0], [0.0, 0.0]])
    """
    checked = _as_bounds(net, bounds, 1)
    weights, biases, masks = list(net.weights), list(net.biases), []
    for j, (mask, (lo, hi)) in enumerate(zip(net.relu, checked, strict=True)):
        kept = ~(mask & (hi[0] <= 0))
        masks.append(mask & ~((lo[0] >= 0) & kept))
        weights[j] = _rows_kept(weights[j], kept)
        biases[j] = np.where(kept, biases[j], 0.0)
    return ReluNetwork(weights=weights, biases=biases, relu=masks)


def _dual(norm: float) -> float:
    if norm not in DUALS:
        raise UnsupportedSettingError(f"norm must be 1, 2 or inf; got {norm}.")
    return DUALS[float(norm)]


def _first_layer(
    net: ReluNetwork,
    X: FloatArray,
    ball: tuple[float, float],
    box: tuple[ArrayLike, ArrayLike] | None,
) -> Interval:
    (radius, dual), W, b = ball, net.weights[0], net.biases[0]
    centre = times_transposed(X, W) + b
    sizes = np.linalg.norm(np.asarray(dense(W)), ord=dual, axis=1)
    terms = times_transposed(np.abs(X), abs(W)) + np.abs(b) + radius * sizes
    reach = radius * sizes + gamma(net.dimension + 6) * terms
    within = Interval(centre - reach, centre + reach)
    if box is None:
        return within
    sides = as_box(box, net.dimension)
    refuse_outside(X, sides)
    corners = Interval(np.maximum(X - radius, sides[0]), np.minimum(X + radius, sides[1]))
    boxed = _affine(W, b, corners)
    return Interval(np.maximum(within.lo, boxed.lo), np.minimum(within.hi, boxed.hi))


def _affine(W: Any, b: FloatArray, values: Interval) -> Interval:
    """Return the interval of W a + b, widened by what rounding may have cost."""
    up, down = _parts(W)
    lo = times_transposed(values.lo, up) + times_transposed(values.hi, down) + b
    hi = times_transposed(values.hi, up) + times_transposed(values.lo, down) + b
    largest = np.maximum(np.abs(values.lo), np.abs(values.hi))
    slack = gamma(2 * W.shape[1] + 6) * (times_transposed(largest, abs(W)) + np.abs(b))
    return Interval(lo - slack, hi + slack)


def _interval_times(slopes: Interval, W: Any) -> Interval:
    up, down = _parts(W)
    lo = rows_times(slopes.lo, up) + rows_times(slopes.hi, down)
    hi = rows_times(slopes.hi, up) + rows_times(slopes.lo, down)
    largest = np.maximum(np.abs(slopes.lo), np.abs(slopes.hi))
    slack = gamma(2 * W.shape[0] + 6) * rows_times(largest, abs(W))
    return Interval(lo - slack, hi + slack)


def _parts(W: Any) -> tuple[Any, Any]:
    """Return the positive and the negative entries of a matrix, zero elsewhere."""
    if is_sparse(W):
        return W.maximum(0.0), W.minimum(0.0)
    return np.maximum(W, 0.0), np.minimum(W, 0.0)


def _rows_kept(W: Any, kept: Any) -> Any:
    return W.multiply(kept[:, None]).tocsr() if is_sparse(W) else W * kept[:, None]


def _as_bounds(
    net: ReluNetwork, bounds: Sequence[tuple[ArrayLike, ArrayLike]], n: int
) -> list[Interval]:
    if len(bounds) != len(as_network(net).widths):
        raise ValueError(
            f"bounds must be one pair a hidden layer, {len(net.widths)}; got {len(bounds)}."
        )
    checked = []
    for j, (pair, width) in enumerate(zip(bounds, net.widths, strict=True)):
        lo, hi = (np.atleast_2d(as_finite(f"bounds[{j}]", side)) for side in pair)
        if lo.shape != (n, width) or hi.shape != (n, width):
            raise ValueError(
                f"bounds[{j}] must be two arrays of shape ({n}, {width});"
                f" got shapes {lo.shape} and {hi.shape}."
            )
        if (lo > hi).any():
            raise ValueError(f"bounds[{j}] must have lo <= hi; an entry has not.")
        checked.append(Interval(lo, hi))
    return checked
