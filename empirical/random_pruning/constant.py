"""How often random pruning makes an output constant, or leaves no path to it: as rows."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from empirical.intervals import Interval, proportion_interval
from theory.initialised import RandomNetwork, dead_probability
from theory.networks import ReluNetwork
from theory.random_masks import constant_probability_bounds, disconnection_probability
from theory.validation import FloatArray

Stack = list[FloatArray]  # weights (networks, n_j, n_{j-1}) of each layer
_OUTPUT = 0  # of ten: that of the digit 0
_MASKS, _SIGNIFICANCE = 150, 0.05  # of the upper bound by masks
# By how much, of its size, rounding may make an output vary: far more than it does.
_ROUNDING = 1e-9


def constant_rows(
    net: ReluNetwork,
    density: float,
    stacks: Mapping[str, Stack],
    X: FloatArray,
    *,
    rng: np.random.Generator,
) -> list[dict[str, Any]]:
    """Return the probability that one output is constant under masks, bounded and measured.

    Kind: each row says it. "no path" is exact, a lower bound on constant; "bound" is upper: of
    networks drawn the least probability that it is zero at an input, of the trained network, with
    95 % confidence, by masks. Measured: estimates, the share of networks in which no path is left,
    and in which the output is the same at all inputs: at least that of constant ones.

    Parameters
    ----------
    net : ReluNetwork
        Without biases and without zero weights.
    density : float
    stacks : mapping of str to list of L arrays
        By stage, weights (networks, n_j, n_{j-1}) pruned with this density.
    X : array, shape (n, d)
    rng : numpy.random.Generator
    """
    cut = float(disconnection_probability(net, 1 - density)[_OUTPUT])
    above = {
        "drawn": _dead(net, density, X),
        "trained": float(
            constant_probability_bounds(
                net, 1 - density, X, count=_MASKS, level=_SIGNIFICANCE, rng=rng
            )[1][_OUTPUT]
        ),
    }
    rows = []
    for stage, weights in stacks.items():
        found = {
            "no path, predicted": ("exact", Interval(cut, cut, cut)),
            "no path, measured": ("estimate", proportion_interval(no_path(weights))),
            "constant, measured": ("estimate", proportion_interval(same(weights, X))),
        }
        if stage in above:
            found["constant, bound"] = ("upper", Interval(*[above[stage]] * 3))
        rows += [
            {"stage": stage, "measure": "constant", "density": density, "what": what, "kind": kind}
            | interval._asdict()
            for what, (kind, interval) in found.items()
        ]
    return rows


def no_path(weights: Sequence[FloatArray]) -> NDArray[np.bool_]:
    """Return for each network whether no path of weights leads from an input to its output."""
    reached = np.ones((*weights[0].shape[::2], 1))
    for W in weights:
        reached = ((W != 0).astype(np.float64) @ reached > 0).astype(np.float64)
    return np.asarray(reached[:, _OUTPUT, 0] == 0)


def same(weights: Sequence[FloatArray], X: FloatArray) -> NDArray[np.bool_]:
    """Return for each network whether its output is the same at all inputs, up to rounding."""
    values = np.broadcast_to(X, (len(weights[0]), *X.shape))
    for j, W in enumerate(weights):
        values = (np.maximum(values, 0) if j else values) @ W.transpose(0, 2, 1)
    seen = values[:, :, _OUTPUT]
    return np.asarray(np.ptp(seen, axis=1) <= _ROUNDING * np.abs(seen).max(axis=1))


def _dead(net: ReluNetwork, density: float, X: FloatArray) -> float:
    """Return the least probability over inputs that an output of a network drawn is zero there."""
    law = RandomNetwork(widths=(net.dimension, *net.widths), densities=density)
    return min(dead_probability(law, x) for x in X)
