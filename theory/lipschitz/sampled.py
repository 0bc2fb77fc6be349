"""Lower bounds of Lipschitz constants: gradients at points, and ascent between regions."""

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from theory.lipschitz.bound import LipschitzBound, as_direction
from theory.lipschitz.verified import UNIT, gamma
from theory.networks import ReluNetwork, jacobian
from theory.networks.arrays import rectified, rows_times, times_transposed
from theory.validation import FloatArray, UnsupportedSettingError, as_inputs, refuse_nonfinite

# Steps of the ascent, as shares of the spread of the starting points, tried from far to near.
STEPS = (10.0, 3.0, 1.0, 0.3, 0.1)


def gradient_norm(
    net: ReluNetwork, X: ArrayLike, direction: ArrayLike | None = None, *, norm: float = 2
) -> FloatArray:
    """Return the norm of the Jacobian of C f at each input; zero where it is in doubt.

    Kind: lower, of the Lipschitz constant of C f on any region that has the input inside, proven
    but for underflow: the norm's rounding is taken off, and an input at which a pre-activation
    that moves is zero within rounding counts as zero, since its one-sided derivatives may belong
    to no region.

    Parameters
    ----------
    net : ReluNetwork
    X : array, shape (n, d)
    direction : array, shape (out,) or (k, out), optional
        C. None: all outputs.
    norm : 2 or inf
        Of the input's move and of the outputs'.

    Returns
    -------
    array, shape (n,)

    Raises
    ------
    TypeError, ValueError
        If X or the direction does not fit the network.
    UnsupportedSettingError
        If the norm is another one.

    Examples
    --------
    >>> net = ReluNetwork(weights=[[[3.0, 4.0]], [[1.0]]])
    >>> gradient_norm(net, [[1.0, 1.0], [-1.0, 0.0], [0.0, 0.0]]).round(9).tolist()
    [5.0, 0.0, 0.0]
    """
    if norm not in {2, math.inf}:
        raise UnsupportedSettingError(f"norm must be 2 or inf; got {norm}.")
    C = as_direction(net, direction)
    inputs = as_inputs(X, net.dimension)
    refuse_nonfinite(inputs)
    slopes = jacobian(net, inputs)
    slopes = slopes if C is None else C @ slopes
    if norm == 2:
        sizes = np.linalg.norm(slopes, ord=2, axis=(1, 2))
    else:
        sizes = np.abs(slopes).sum(axis=2).max(axis=1)
    sizes = np.maximum(sizes - _rounding(net, C), 0.0)
    return np.asarray(np.where(_is_inside(net, inputs), sizes, 0.0))


def sampled_bound(
    net: ReluNetwork,
    X: ArrayLike,
    rng: np.random.Generator,
    direction: ArrayLike | None = None,
    *,
    norm: float = 2,
    rounds: int = 20,
) -> LipschitzBound:
    """Return the largest gradient norm found from some points, and by moving on from the best.

    Kind: lower, of the global constant, as `gradient_norm`. Each round moves every point along
    the direction that it stretches most, backwards, and at random, over several lengths, and keeps
    what is steeper.

    Parameters
    ----------
    net : ReluNetwork
    X : array, shape (n, d)
        Where to start; their spread sets the length of the steps.
    rng : numpy.random.Generator
    direction : array, shape (out,) or (k, out), optional
        C. None: all outputs.
    norm : 2 or inf
    rounds : int, nonnegative
        0: only the points given.

    Returns
    -------
    LipschitzBound
        With the witness.

    Raises
    ------
    TypeError, ValueError, UnsupportedSettingError
        As `gradient_norm`; and if rounds is negative.

    Examples
    --------
    >>> net = ReluNetwork(weights=[[[3.0, 4.0], [0.0, 1.0]], [[1.0, 1.0]]])
    >>> bound = sampled_bound(net, [[-1.0, 1.0]], np.random.default_rng(0))
    >>> round(bound.value, 6), bound.kind
    (5.830952, 'lower')
    """
    if rounds < 0:
        raise ValueError(f"rounds must be at least 0; got {rounds}.")
    C = as_direction(net, direction)
    points = as_inputs(X, net.dimension).copy()
    best = gradient_norm(net, points, direction, norm=norm)
    spread = float(np.linalg.norm(points - points.mean(axis=0), axis=1).max(initial=0.0))
    spread = spread or float(np.linalg.norm(points, axis=1).max()) or 1.0
    for _ in range(rounds):
        ways = np.stack([_steepest(net, points, C), _random_ways(points, rng)])
        for length in STEPS:
            for way in (ways[0], -ways[0], ways[1]):
                moved = points + length * spread * way
                sizes = gradient_norm(net, moved, direction, norm=norm)
                better = sizes > best
                points[better], best[better] = moved[better], sizes[better]
    top = int(best.argmax())
    return LipschitzBound(
        value=float(best[top]), kind="lower", method="sampled", norm=norm, witness=points[top]
    )


def _steepest(net: ReluNetwork, X: FloatArray, C: FloatArray | None) -> FloatArray:
    """Return the unit move that changes C f most, to first order, at each input."""
    slopes = jacobian(net, X)
    slopes = slopes if C is None else C @ slopes
    return np.asarray(np.linalg.svd(slopes, full_matrices=False)[2][:, 0, :])


def _random_ways(X: FloatArray, rng: np.random.Generator) -> FloatArray:
    ways = rng.normal(size=X.shape)
    return np.asarray(ways / np.linalg.norm(ways, axis=1, keepdims=True))


def _is_inside(net: ReluNetwork, X: FloatArray) -> NDArray[np.bool_]:
    """Return whether each input is surely inside one linear region.

    It is if each rectified pre-activation that could move with the input, weights and the units
    passed before allowing, is further from zero than rounding can explain.
    """
    inside = np.ones(X.shape[0], dtype=bool)
    values, error, moves = X, np.zeros_like(X), np.ones_like(X)
    for W, b, mask in zip(net.weights, net.biases, net.relu, strict=False):
        terms = times_transposed(np.abs(values), abs(W)) + np.abs(b)
        error = times_transposed(error, abs(W)) + gamma(W.shape[1] + 3) * terms
        values = times_transposed(values, W) + b
        live = times_transposed(moves, abs(W)) > 0
        doubtful = mask & live & (np.abs(values) <= error * (1 + gamma(W.shape[1] + 3)))
        inside &= ~doubtful.any(axis=1)
        moves = (live & ((values > 0) | ~mask)).astype(np.float64)
        values = rectified(mask, values)
    return inside


def _rounding(net: ReluNetwork, C: FloatArray | None) -> float:
    """Return what rounding may have added to the norm of a Jacobian.

    Each entry is a sum over paths: it is off by at most γ times the sum of their absolute values.
    """
    paths = np.eye(net.outputs) if C is None else np.abs(C)
    for W in reversed(net.weights):
        paths = rows_times(paths, abs(W))
    roundings = net.outputs + net.dimension + sum(net.widths)
    # The norm itself, of singular values or of row sums, is off by some roundings more.
    return float(np.abs(paths).sum()) * (2 * gamma(roundings) + 16 * UNIT)
