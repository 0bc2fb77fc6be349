"""Layer-by-layer semidefinite bounds for deep networks: ECLipsE and ECLipsE-Fast."""

import numpy as np
from numpy.typing import ArrayLike

from theory.lipschitz.bound import LipschitzBound
from theory.lipschitz.certificate import Layer, as_bound, layers_of, prove, uniform_multipliers
from theory.lipschitz.interior_point import best_multipliers
from theory.lipschitz.relation import Relation, relate
from theory.networks import ReluNetwork
from theory.validation import FloatArray, as_budget


def eclipse_fast(net: ReluNetwork, direction: ArrayLike | None = None) -> LipschitzBound:
    """Return the constant proven by one multiplier a layer, in closed form from first to last.

    Kind: upper, L2 to L2; proven from the multipliers, rounding included. Never below
    `lipsdp_layer` and, where all hidden units are rectified, never above `spectral_product`, but
    by rounding.

    Parameters
    ----------
    net : ReluNetwork
    direction : array, shape (out,) or (k, out), optional
        C: the bound is of C f. None: of f.

    Returns
    -------
    LipschitzBound
        With multipliers.

    Raises
    ------
    TypeError, ValueError
        If the direction does not fit the outputs.
    UnsupportedSettingError
        If there are more than 6000 inputs (or first units), rectified units and outputs together.

    Notes
    -----
    Xu and Sivaranjani 2024 (arXiv 2404.04375), ECLipsE-Fast. Derived and extended to linear units
    in proofs/lipschitz.md, section 6.

    Examples
    --------
    >>> net = ReluNetwork(weights=[[[1.0], [-1.0]], [[1.0, 1.0]]])
    >>> round(eclipse_fast(net).value, 6)
    1.414214
    """
    relation = relate(net, direction)
    return as_bound(net, relation, prove(relation, uniform_multipliers(relation)), "ECLipsE-Fast")


def eclipse(
    net: ReluNetwork, direction: ArrayLike | None = None, *, gap: float = 1e-8
) -> LipschitzBound:
    """Return the constant proven by multipliers chosen layer by layer for the layer that follows.

    Kind: upper, L2 to L2; proven from the multipliers, rounding included. With one hidden layer it
    is `lipsdp_neuron`; with more never below it but by the gap, and cheaper: linear in the depth.

    Parameters
    ----------
    net, direction
        As in `eclipse_fast`.
    gap : float
        Relative duality gap of each layer's problem.

    Returns
    -------
    LipschitzBound
        With multipliers.

    Raises
    ------
    TypeError, ValueError, UnsupportedSettingError
        As `eclipse_fast`; and if the gap is negative or not finite.

    Notes
    -----
    Xu and Sivaranjani 2024 (arXiv 2404.04375), ECLipsE. Each layer's problem is LipSDP-Neuron of
    one hidden layer behind a whitened input.

    Examples
    --------
    >>> net = ReluNetwork(weights=[[[1.0], [-1.0]], [[1.0, 1.0]]])
    >>> round(eclipse(net).value, 6)
    1.0
    """
    as_budget(gap, "gap")
    relation = relate(net, direction)
    multipliers = np.zeros(relation.layer.size)
    for part in layers_of(relation, multipliers):
        multipliers[part.index] = _layer_multipliers(relation, part, gap)
    return as_bound(net, relation, prove(relation, multipliers), "ECLipsE")


def _layer_multipliers(relation: Relation, part: Layer, gap: float) -> FloatArray:
    """Return the multipliers that let the next layer move least, those before being set."""
    n, m = part.F.shape
    # Only what the rows see of the whitened input matters: no more directions than rows.
    seen = np.vstack([part.F, part.U[:, :m]])
    seen = np.asarray(np.linalg.qr(seen.T, mode="r")).T
    alone = relation._replace(
        rows=np.hstack([seen[:n], np.zeros((n, n))]),
        row_error=np.zeros((n, seen.shape[1] + n)),
        outputs=np.hstack([seen[n:], part.U[:, m:]]),
        inputs=seen.shape[1],
        layer=np.zeros(n, dtype=np.intp),
        scale=relation.scale[part.index],
    )
    return best_multipliers(alone, gap=gap)
