"""Random networks and inputs for the tests of certificates: plain, pruned and degenerate ones."""

from itertools import pairwise
from typing import Any

import numpy as np
import scipy.sparse as sp

from theory.networks import ReluNetwork, class_scores

ALIVE = ("plain", "layer off", "zero row", "twins", "ties", "linear", "mixed", "scaled")
KINDS = (*ALIVE, "dead layer")


def draw(rng: np.random.Generator, widths: Any, density: float = 1.0) -> ReluNetwork:
    """Return a network of which a fifth of all units are linear, sparse below density one."""
    weights: list[Any] = [
        rng.normal(size=(o, i)) * (rng.random((o, i)) < density) for i, o in pairwise(widths)
    ]
    if density < 1:
        weights = [sp.csr_array(W) for W in weights]
    return ReluNetwork(
        weights=weights,
        biases=[rng.normal(size=w) / 2 for w in widths[1:]],
        relu=[rng.random(w) < 0.8 for w in widths[1:-1]],
    )


def predicted(net: ReluNetwork, X: Any) -> Any:
    """Return the labels (n,) that the network gives inputs (n, d)."""
    return net.classes[class_scores(net, X).argmax(axis=1)]


def labelled(rng: np.random.Generator, net: ReluNetwork, n: int) -> tuple[Any, Any]:
    """Return inputs, some features of which are -1 or 1, and the labels that they get."""
    X = rng.normal(size=(n, net.dimension)).clip(-1, 1)
    return X, predicted(net, X)


def draw_degenerate(rng: np.random.Generator, kind: str) -> ReluNetwork:
    """Return a network of depth 1 to 4, dense to 98 % pruned, degenerate as the kind says."""
    depth = int(rng.integers(1, 5))
    widths = [int(rng.integers(1, 7)), *rng.integers(1, 13, depth - 1), int(rng.integers(1, 5))]
    density = rng.choice([1.0, 1.0, 0.6, 0.6, 0.4, 0.2, 0.02])
    weights: list[Any] = [
        rng.normal(size=(o, i)) * (rng.random((o, i)) < density) for i, o in pairwise(widths)
    ]
    biases = [rng.normal(size=w) * rng.choice([0.0, 0.3, 1.0]) for w in widths[1:]]
    relu = [np.ones(w, dtype=bool) for w in widths[1:-1]]
    j = int(rng.integers(depth))
    if kind == "layer off":  # at most inputs, until they have moved far
        biases[j] = biases[j] - 2.0
    elif kind == "zero row":
        weights[j][0] = 0.0
    elif kind == "twins":
        weights[j][-1], biases[j][-1] = weights[j][0], biases[j][0]
    elif kind == "ties":
        biases = [np.zeros_like(b) for b in biases]
        weights = [np.round(2 * W) / 2 for W in weights]
    elif kind == "linear":
        relu = [np.zeros_like(mask) for mask in relu]
    elif kind == "mixed":
        relu = [rng.random(mask.size) < 0.5 for mask in relu]
    elif kind == "scaled":
        weights[j] = weights[j] * 10.0 ** rng.uniform(-4, 4)
    elif kind == "dead layer":  # nothing can flip
        weights[j] = np.zeros_like(weights[j])
    if rng.random() < 0.4:
        weights = [sp.csr_array(W) for W in weights]
    return ReluNetwork(weights=weights, biases=biases, relu=relu)


def draw_boxed(rng: np.random.Generator, net: ReluNetwork, n: int) -> tuple[Any, Any, Any]:
    """Return inputs, mostly right labels, and a box whose sides some of the inputs lie on."""
    X = rng.normal(size=(n, net.dimension)) * rng.choice([0.3, 1.0, 3.0])
    lo, hi = rng.uniform(-3, -0.2, net.dimension), rng.uniform(0.2, 3, net.dimension)
    hi[0] = np.inf if rng.random() < 0.3 else hi[0]
    X = np.clip(X, lo, hi)
    y = np.where(rng.random(n) < 0.9, predicted(net, X), rng.choice(net.classes, n))
    return X, y, (lo, hi)
