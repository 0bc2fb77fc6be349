"""What rounding may have added to the bounds of a search, and how it is taken off again.

Every number there is a sum of products of weights, biases and the input or its move; it is off by
no more than a few roundings of what these products come to, all counted positive: its terms.
Terms stand in two columns: a sum's are at most terms @ (1, ‖δ‖) after a move δ.
Proof: theory/proofs/branch_and_bound.md, section 6.
"""

import math
from collections.abc import Iterable
from typing import Any

import numpy as np

from theory.certify.halfspaces import Ground, shortest_moves
from theory.networks.arrays import dense, is_sparse
from theory.networks.network import ReluNetwork
from theory.networks.reduce import Reduction
from theory.validation import FloatArray

_EPS = float(np.finfo(np.float64).eps)
# Roundings of a layer's sum beside one for each of its terms; and what directions found to span the
# rows of a matrix may be off by, twice the tolerance of theory.networks.rows.
_MORE_ROUNDINGS, _SPANNED = 16, 2e-13


def relative_rounding(net: ReluNetwork, reduced: Reduction) -> float:
    """Return what any sum of a network and its reduction may be off by, in units of its terms."""
    most = max(net.dimension, *(b.size for b in net.biases))
    rounding = _EPS * net.depth * (most + _MORE_ROUNDINGS)
    if is_turned(reduced):  # each coordinate is a sum over all features, a value one of coordinates
        rounding += _EPS * net.dimension * math.sqrt(reduced.network.dimension) + _SPANNED
    return float(rounding)


def is_turned(reduced: Reduction) -> bool:
    """Return whether inputs are mapped to other coordinates, not to some of their own."""
    return reduced.input_map is not None and not is_sparse(reduced.input_map)


def terms_of(
    layers: Iterable[tuple[Any, FloatArray]], x: FloatArray, *, norm: float, turned: bool = False
) -> list[FloatArray]:
    """Return the terms of the values of each layer, arrays (n_j, 2).

    Parameters
    ----------
    layers : pairs (W, b)
    x : array, shape (d,)
    norm : 2 or inf
        Of moves.
    turned : bool
        Whether the sums are the same in any coordinates.
    """
    found: list[FloatArray] = []
    for W, b in layers:
        size = abs(W)
        if not found:
            rising = np.linalg.norm(dense(size), ord=2 if norm == 2 else 1, axis=1)
            fixed = rising * np.linalg.norm(x) if turned else size @ np.abs(x)
            terms = np.stack([fixed, rising], axis=1)
        else:
            terms = size @ found[-1]
        terms[:, 0] += np.abs(b)
        found.append(terms)
    return found


def assured(
    ground: Ground, slope: FloatArray, offset: FloatArray, doubt: FloatArray, radius: float
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return offsets, lengths, moves of halfspaces slope · δ + offset <= 0 of which part is doubt.

    Kind: lower: flips within the radius that obey slope · δ + offset <= doubt @ (1, ‖δ‖) are at
    least as long. In all of space a slope of exactly zero is taken for one.

    Parameters
    ----------
    ground : Ground
    slope, offset, doubt : arrays, shapes (k, d), (k,), (k, 2)
    radius : float
        May be inf.
    """
    offset = offset - doubt[:, 0]
    far = np.full(offset.shape, radius)
    if np.isinf(radius):  # flips are as long as this, or obey the halfspace with doubt up to there
        length, _ = shortest_moves(ground, slope, offset)
        with np.errstate(divide="ignore", invalid="ignore"):
            half = np.where(doubt[:, 1] > 0, offset / (2 * doubt[:, 1]), np.inf)
        far = np.where(np.isinf(length), np.inf, np.fmin(length, half))
    offset = offset - doubt[:, 1] * np.where(np.isinf(far), 0.0, far)
    length, move = shortest_moves(ground, slope, offset)
    return offset, np.minimum(length, far) if np.isinf(radius) else length, move
