"""Semidefinite Lipschitz bounds: LipSDP-Neuron and LipSDP-Layer, whole, split, and for all pairs.

The coupled variant ("LipSDP-Network") is not valid and not here: proofs/lipschitz.md, section 5.
"""

import math

import numpy as np
from numpy.typing import ArrayLike

from theory.lipschitz.bound import LipschitzBound, as_direction
from theory.lipschitz.certificate import as_bound, even_multipliers, prove
from theory.lipschitz.interior_point import best_multipliers
from theory.lipschitz.relation import Relation, relate
from theory.lipschitz.verified import UNIT, gamma
from theory.networks import ReluNetwork
from theory.networks.network import as_network
from theory.validation import FloatArray

# Share of the way from a neighbour's best multipliers to even ones: a start well inside.
INWARDS = 0.5


def lipsdp_neuron(
    net: ReluNetwork, direction: ArrayLike | None = None, *, gap: float = 1e-8
) -> LipschitzBound:
    """Return the least constant that one multiplier a rectified unit can prove.

    Kind: upper, L2 to L2; proven from the multipliers, rounding included, whatever the optimiser
    did. Least within about gap / 2, relatively. Linear units cost nothing: without rectified ones
    this is the spectral norm of the product.

    Parameters
    ----------
    net : ReluNetwork
    direction : array, shape (out,) or (k, out), optional
        C: the bound is of C f. None: of f.
    gap : float
        Relative duality gap, of the squared constant, at which the optimiser stops.

    Returns
    -------
    LipschitzBound
        With multipliers.

    Raises
    ------
    TypeError, ValueError
        If the direction does not fit the outputs; if the gap is negative or not finite.
    UnsupportedSettingError
        If there are more than 6000 inputs (or first units), rectified units and outputs together.

    Notes
    -----
    Fazlyab et al. 2019 (arXiv 1906.04893), Theorem 2 with diagonal T, LipSDP-Neuron. Cost: about
    15 iterations, each cubic in the units, whatever the inputs. Proof: proofs/lipschitz.md.

    Examples
    --------
    >>> net = ReluNetwork(weights=[[[1.0], [-1.0]], [[1.0, 1.0]]])
    >>> round(lipsdp_neuron(net).value, 6)
    1.0
    """
    relation = relate(net, direction)
    proven = prove(relation, best_multipliers(relation, gap=gap))
    return as_bound(net, relation, proven, "LipSDP-Neuron")


def lipsdp_layer(
    net: ReluNetwork, direction: ArrayLike | None = None, *, gap: float = 1e-8
) -> LipschitzBound:
    """Return the least constant that one multiplier a hidden layer can prove.

    Kind: upper, L2 to L2; proven as `lipsdp_neuron`, which it is never below but by the gap.

    Parameters
    ----------
    net, direction, gap
        As in `lipsdp_neuron`.

    Returns
    -------
    LipschitzBound
        With multipliers, equal within a layer but for units that cannot move or do not count.

    Notes
    -----
    Fazlyab et al. 2019 (arXiv 1906.04893), LipSDP-Layer.

    Examples
    --------
    >>> net = ReluNetwork(weights=[[[1.0], [-1.0]], [[1.0, 1.0]]])
    >>> round(lipsdp_layer(net).value, 6)
    1.0
    """
    relation = relate(net, direction)
    multipliers = best_multipliers(relation, _layer_groups(relation), gap=gap)
    return as_bound(net, relation, prove(relation, multipliers), "LipSDP-Layer")


def lipsdp_split(
    net: ReluNetwork, direction: ArrayLike | None = None, *, depth: int = 2
) -> LipschitzBound:
    """Return the product of the LipSDP-Neuron constants of pieces of some layers each.

    Kind: upper, L2 to L2; never below `lipsdp_neuron` of the whole but by rounding, and cheaper.

    Parameters
    ----------
    net, direction
        As in `lipsdp_neuron`.
    depth : int, at least 1
        Layers of weights a piece; the last piece may have fewer. 1 gives `spectral_product`.

    Returns
    -------
    LipschitzBound

    Raises
    ------
    TypeError, ValueError, UnsupportedSettingError
        As `lipsdp_neuron`; and if the depth is not at least 1.

    Notes
    -----
    Fazlyab et al. 2019 (arXiv 1906.04893), section 3; the activations between pieces move no more
    than their inputs do.

    Examples
    --------
    >>> net = ReluNetwork(weights=[[[1.0], [-1.0]], [[1.0, 1.0]], [[2.0]]])
    >>> round(lipsdp_split(net).value, 6)
    2.0
    """
    if depth < 1:
        raise ValueError(f"depth must be at least 1; got {depth}.")
    as_direction(net, direction)  # refused before the first piece, not at the last
    value = 1.0
    for start in range(0, net.depth, depth):
        stop = min(start + depth, net.depth)
        piece = ReluNetwork(weights=net.weights[start:stop], relu=net.relu[start : stop - 1])
        value *= lipsdp_neuron(piece, direction if stop == net.depth else None).value
    value *= 1 + gamma(math.ceil(net.depth / depth))
    return LipschitzBound(value=value, kind="upper", method=f"LipSDP-Neuron split in {depth}")


def lipsdp_pairs(net: ReluNetwork, y: int | None = None, *, gap: float = 1e-5) -> FloatArray:
    """Return LipSDP-Neuron constants of the differences of outputs.

    Kind: upper, L2; each proven as in `lipsdp_neuron`, least within about gap / 2.

    Parameters
    ----------
    net : ReluNetwork, of at least 2 outputs
    y : int, optional
        Only the differences with that output. None: all.
    gap : float
        As in `lipsdp_neuron`.

    Returns
    -------
    array, shape (c, c)
        Entry i, j is of f_i - f_j: symmetric, zero on the diagonal. With y: shape (c,).

    Raises
    ------
    ValueError
        If the network has one output, y is none of them, or the gap is negative or not finite.
    UnsupportedSettingError
        As `lipsdp_neuron`.

    Notes
    -----
    Whether multipliers are feasible does not depend on the direction. So each pair starts from
    those of the last one, moved inwards.

    Examples
    --------
    >>> net = ReluNetwork(weights=[[[1.0], [-1.0]], [[1.0, 0.0], [0.0, 1.0]]])
    >>> lipsdp_pairs(net).round(4).tolist()
    [[0.0, 2.0], [2.0, 0.0]]
    """
    c = as_network(net).outputs
    if c < 2:
        raise ValueError(f"the network must have at least 2 outputs; got {c}.")
    if y is not None and not 0 <= y < c:
        raise ValueError(f"y must be an output, 0..{c - 1}; got {y}.")
    constants = np.zeros((c, c))
    last: FloatArray | None = None
    for i in range(c):
        for j in range(i):
            if y is None or y in {i, j}:
                constants[i, j], last = _pair(net, i, j, (gap, last))
    constants += constants.T
    return constants if y is None else constants[y]


def _pair(
    net: ReluNetwork, i: int, j: int, warm: tuple[float, FloatArray | None]
) -> tuple[float, FloatArray | None]:
    """Return the constant of f_i - f_j, and the multipliers to start the next pair from."""
    gap, last = warm
    direction = np.zeros(net.outputs)
    direction[i], direction[j] = 1.0, -1.0
    relation = relate(net, direction)
    start = None
    if last is not None and last.size == relation.layer.size:
        start = (1 - INWARDS) * last + INWARDS * even_multipliers(relation)
    proven = prove(relation, best_multipliers(relation, start=start, gap=gap))
    return float(np.sqrt(proven.square)) * (1 + 4 * UNIT), proven.multipliers


def _layer_groups(relation: Relation) -> FloatArray:
    """Return the columns λ = groups θ of equal multipliers in each layer, in the units given."""
    layers = np.unique(relation.layer)
    member = relation.layer[:, None] == layers
    weight = np.where(member, relation.scale[:, None] ** 2, 0.0)
    return np.asarray(weight / weight.max(axis=0, initial=0.0) if layers.size else weight)
