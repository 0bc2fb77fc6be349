"""How the layers of a network can vary over a ball: weights that couple the units of a layer."""

from functools import partial
from typing import Any

import numpy as np
from scipy.linalg import eigh
from scipy.optimize import minimize

from theory.lipschitz import lipsdp_neuron
from theory.networks.arrays import dense
from theory.networks.network import ReluNetwork
from theory.validation import FloatArray

_WIDEST = 1000  # units of a layer for which eigenvalues are worth their time
_RANGE = 12.0  # of the logarithms of weights
_SEARCH_STEPS, _LIPSDP_GAP = 40, 1e-3


def ball_weights(net: ReluNetwork) -> list[FloatArray]:
    """Return for each hidden layer weights d > 0 with sum_i d_i (z_i(x) - z_i(x'))² <= ‖x - x'‖².

    Kind: proven for all x and x', up to rounding; L2, no box. Each layer's weights are chosen so
    that the next layer varies little.

    Notes
    -----
    The first layer's come from its Gram matrix; those of later ones from the weights before, and
    are then raised as far as LipSDP-Neuron (theory.lipschitz) proves that they may be. Proof:
    theory/proofs/certify.md.

    Examples
    --------
    >>> net = ReluNetwork(weights=[[[3.0, 0.0], [0.0, 0.5]], [[1.0, 1.0]]])
    >>> [d.round(3).tolist() for d in ball_weights(net)]
    [[0.111, 4.0]]
    """
    first, weights = dense(net.weights[0]), []
    gram = first @ first.T
    for j, W in enumerate(net.weights[1:]):
        following = dense(W)
        d = _balanced(gram, following)
        weights.append(d if j == 0 else _raised(net, j, d))
        # |relu(a) - relu(b)| <= |a - b|: a layer's outputs vary no more than its values.
        gram = (following / weights[-1]) @ following.T
    return weights


def _raised(net: ReluNetwork, layer: int, d: FloatArray) -> FloatArray:
    """Return the weights of a later layer, as much larger as LipSDP allows; they hold already."""
    if sum(net.widths[: layer + 1]) > _WIDEST:
        return d
    root = np.sqrt(d)
    scaled = ReluNetwork(
        weights=[*net.weights[:layer], root[:, None] * dense(net.weights[layer])],
        relu=net.relu[:layer],
    )
    constant = lipsdp_neuron(scaled, gap=_LIPSDP_GAP).value
    return np.asarray(d / min(1.0, constant) ** 2 if constant > 0 else d)


def _balanced(gram: FloatArray, following: FloatArray) -> FloatArray:
    """Return d with D^½ gram D^½ <= 1 and a small norm of following D^-½."""
    # Row sums bound the largest eigenvalue of D^½ gram D^½: the start, and enough for wide layers.
    sums = np.abs(gram).sum(axis=1)
    logs = -np.log(np.where(sums > 0, sums, sums.max() or 1.0))
    if len(gram) <= _WIDEST:
        centre = logs.mean()
        bounds = [(centre - _RANGE, centre + _RANGE)] * len(gram)
        start = np.clip(logs, centre - _RANGE, centre + _RANGE)
        square = following.T @ following
        found: Any = minimize(
            partial(_log_variation, gram=gram, square=square),
            start,
            method="L-BFGS-B",
            jac=True,
            bounds=bounds,
            options={"maxiter": _SEARCH_STEPS},
        )
        logs = found.x
    root = np.exp(logs / 2)
    scaled = root[:, None] * gram * root
    most = np.linalg.eigvalsh(scaled)[-1] if len(gram) <= _WIDEST else np.abs(scaled).sum(1).max()
    rounding = 1 + 4 * len(gram) * np.finfo(np.float64).eps
    return np.asarray(root * root / (most * rounding or 1.0))


def _log_variation(
    logs: FloatArray, gram: FloatArray, square: FloatArray
) -> tuple[float, FloatArray]:
    """Return the logarithm of ‖D^½ gram D^½‖ ‖D^-½ square D^-½‖, and its gradient in log d."""
    root = np.exp(logs / 2)
    (before, v), (after, u) = (
        _largest_eigenpair(part)
        for part in (root[:, None] * gram * root, square / root / root[:, None])
    )
    floor = np.finfo(np.float64).tiny
    return float(np.log(max(before, floor)) + np.log(max(after, floor))), v * v - u * u


def _largest_eigenpair(matrix: FloatArray) -> tuple[float, FloatArray]:
    n = len(matrix)
    values, vectors = eigh(matrix, subset_by_index=[n - 1, n - 1])
    return float(values[0]), vectors[:, 0]
