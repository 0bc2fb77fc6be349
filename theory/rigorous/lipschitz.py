"""Lipschitz constants of leads from scaled norms of the layers, proven in balls.

The weights d of certify.md, section 4, are chosen by float64, as are LipSDP's multipliers; what
they do is proven anew. Proof: theory/proofs/rigorous.md, section 4.
"""

from typing import NamedTuple

import numpy as np
from flint import arb, arb_mat

from theory.certify.coupling import ball_weights
from theory.lipschitz import lipsdp_neuron
from theory.networks import ReluNetwork
from theory.networks.arrays import dense
from theory.rigorous.balls import Balls, column, total
from theory.rigorous.definite import is_positive_definite, largest_eigenvalue
from theory.rigorous.exact import Exact
from theory.rigorous.inequality import neuron_inequality
from theory.rigorous.region import Region
from theory.validation import FloatArray

_MOST_UNKNOWNS = 400  # of a matrix inequality: elimination then takes a second or two
_HAIRS = (1e-12, 1e-9, 1e-6, 1e-3)  # by which a constant of float64 may have to grow
_GAP = 1e-3  # of LipSDP's search, as theory.certify has it


class Coupled(NamedTuple):
    """Weights d > 0 of a layer's units with Σ d_i δz_i² <= square ‖δx‖² for all pairs of inputs."""

    weights: FloatArray
    square: arb


def coupled_layer(net: ReluNetwork, exact: Exact) -> Coupled | None:
    """Return weights of the last hidden layer, and what is proven of them; None without one."""
    proven: Coupled | None = None
    for j, d in enumerate(ball_weights(net)):
        W = _scaled(exact.weights[j], d, None if proven is None else proven.weights)
        square = largest_eigenvalue(W * W.transpose())
        if proven is not None:
            square *= proven.square
            square = square.min(_raised(net, exact, j, d))
        proven = Coupled(d, square.upper())
    return proven


def lipschitz_leads(exact: Exact, region: Region, forms: arb_mat, coupled: Coupled | None) -> Balls:
    """Return lower bounds of forms (m, out) of the outputs over the region, an L2 ball."""
    rows = (forms * exact.weights[-1]).tolist()
    root, weights = arb(1), [arb(1)] * len(rows[0])
    if coupled is not None:
        root, weights = coupled.square.sqrt(), [arb(v) for v in coupled.weights.tolist()]
    constants = [
        root * total(h * h / d for h, d in zip(row, weights, strict=True)).sqrt() for row in rows
    ]
    leads = (forms * outputs_at(exact, region.x)).entries()
    eps = arb(region.eps)
    return [lead - eps * constant for lead, constant in zip(leads, constants, strict=True)]


def outputs_at(exact: Exact, x: FloatArray) -> arb_mat:
    """Return the outputs at an input, (out, 1)."""
    values = exact.weights[0] * column(x) + exact.biases[0]
    for W, b, rectified in zip(exact.weights[1:], exact.biases[1:], exact.relu, strict=True):
        units = zip(values.entries(), rectified.tolist(), strict=True)
        values = W * column([v.max(0) if bends else v for v, bends in units]) + b
    return values


def _scaled(W: arb_mat, d: FloatArray, before: FloatArray | None) -> arb_mat:
    """Return D^½ W B^-½, d and before on the diagonals of D and B."""
    left = [arb(v).sqrt() for v in d.tolist()]
    right = [arb(1)] * W.ncols() if before is None else [arb(v).rsqrt() for v in before.tolist()]
    return arb_mat(
        [
            [s * w * t for w, t in zip(row, right, strict=True)]
            for s, row in zip(left, W.tolist(), strict=True)
        ]
    )


def _raised(net: ReluNetwork, exact: Exact, layer: int, d: FloatArray) -> arb:
    """Return a square for a later layer that LipSDP's multipliers prove; inf if they do not."""
    if net.dimension + sum(net.widths[:layer]) > _MOST_UNKNOWNS:
        return arb("inf")
    scaled = ReluNetwork(
        weights=[*net.weights[:layer], np.sqrt(d)[:, None] * dense(net.weights[layer])],
        relu=net.relu[:layer],
    )
    found = lipsdp_neuron(scaled, gap=_GAP)
    last = _scaled(exact.weights[layer], d, None)
    for hair in _HAIRS:
        level = arb(found.value * (1 + hair)) ** 2
        matrix = neuron_inequality(exact, last, found.multipliers, level)
        if is_positive_definite(matrix):
            return level
    return arb("inf")
