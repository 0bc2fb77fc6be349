"""Theorem 3.2 of Guo et al. 2018, restated, on small networks under all their masks, in balls.

The bounds by their recursions on one side; on the other the mean over every mask, weighted by its
probability, of the largest gradient norm. Proofs: theory/proofs/random_masks.md.
"""

from collections.abc import Iterator
from itertools import pairwise, product
from typing import Any

import numpy as np
from flint import arb, arb_mat

from theory.claims import CATALOGUE
from theory.claims.guo2018_masks import (
    Counterexample,
    cancelling_counterexample,
    product_counterexample,
)
from theory.networks import ReluNetwork
from theory.rigorous.balls import Balls, column, matrix, precise, total
from theory.rigorous.case import Case

_WIDTHS = ((2, 3, 1), (3, 2, 2), (2, 2, 2, 1))  # at most 1024 masks and 16 patterns
_ALL = "all patterns of units"

Layers = list[arb_mat]


def bound_cases(key: str, rng: np.random.Generator) -> list[Case]:
    """Return for each output E max ‖gradient‖ over all patterns of units, and a claim's bound.

    The largest over all patterns is at least that over any ball K, so E L(K) is no larger: where
    the bound holds here, it holds for the network and every K.

    Parameters
    ----------
    key : {"guo2018.lipschitz-l1", "guo2018.lipschitz-l2"}
    rng : numpy.random.Generator
    """
    q = 1 if key == "guo2018.lipschitz-l1" else 2
    found = []
    with precise():
        for widths in _WIDTHS:
            net = _drawn(widths, rng)
            alphas = tuple(rng.uniform(0.1, 0.7, net.depth).tolist())
            bounds = _mean_path_norms(net, alphas) if q == 1 else _rms_path_norms(net, alphas)
            means = _expected(net, alphas, _every_pattern(net), q)
            floats = CATALOGUE[key].predict(net, alphas)
            name = f"{'-'.join(map(str, widths))}, {_ALL}"
            found += [
                Case(f"{name}, output {k}", bounds[k], means[k], float(floats[k]))
                for k in range(net.outputs)
            ]
    return found


def product_cases(key: str, rng: np.random.Generator) -> list[Case]:
    """Return the counterexample of guo2018.lipschitz-product: E L_2, and c_2 Π ρ_j."""
    del rng
    net, alphas, _, _ = product_counterexample()
    with precise():
        mean = _expected(net, alphas, [[]], 2)[0]  # one layer: one gradient
        paths = _rms_path_norms(net, (0.0,) * net.depth)[0]
        bound = paths * _product(1 - arb(alpha) for alpha in alphas)
        return [
            Case("the counterexample", bound, mean, float(CATALOGUE[key].predict(net, alphas)[0]))
        ]


def falls_cases(key: str, rng: np.random.Generator) -> list[Case]:
    """Return the counterexample of guo2018.lipschitz-falls: E L_2 and L_2 of the dense network."""
    del rng
    example = cancelling_counterexample()
    with precise():
        steady = [_steady_pattern(example)]
        mean = _expected(example.net, example.alphas, steady, 2)[0]
        dense_norm = _expected(example.net, (0.0,) * example.net.depth, steady, 2)[0]
        net, _, center, radius = example
        known = CATALOGUE[key].predict(net, center[None], radius)
        return [Case("the counterexample", dense_norm, mean, float(known[0, 0]))]


def _drawn(widths: tuple[int, ...], rng: np.random.Generator) -> ReluNetwork:
    pairs = pairwise(widths)
    return ReluNetwork(weights=[rng.normal(size=(o, i)) for i, o in pairs])


def _mean_path_norms(net: ReluNetwork, alphas: tuple[float, ...]) -> Balls:
    """Return c_1 times all densities for each output."""
    sums = arb_mat([[1]] * net.dimension)
    for W, alpha in zip(net.weights, alphas, strict=True):
        sums = matrix(abs(W)) * sums * (1 - arb(alpha))
    return sums.entries()


def _rms_path_norms(net: ReluNetwork, alphas: tuple[float, ...]) -> Balls:
    """Return √(G_L)_kk for each output, G by the claim's recursion."""
    d = net.dimension
    G = arb_mat(d, d, [int(i == j) for i in range(d) for j in range(d)])
    for weights, alpha in zip(net.weights, alphas, strict=True):
        W, rho = matrix(abs(weights)), 1 - arb(alpha)
        own = column([G[i, i] for i in range(G.nrows())])
        alone = (_squares(W) * own * (rho * (1 - rho))).entries()
        G = W * G * W.transpose() * (rho * rho)
        for i, extra in enumerate(alone):
            G[i, i] += extra
    return [G[i, i].sqrt() for i in range(G.nrows())]


def _squares(W: arb_mat) -> arb_mat:
    return arb_mat([[w * w for w in row] for row in W.tolist()])


def _expected(
    net: ReluNetwork, alphas: tuple[float, ...], patterns: list[list[Any]], q: int
) -> Balls:
    """Return for each output the mean over masks of its largest gradient norm over patterns."""
    mean = [arb(0)] * net.outputs
    for chance, layers in _masked(net, alphas):
        norms = [arb(0)] * net.outputs
        for pattern in patterns:
            rows = _gradient(layers, pattern).tolist()
            norms = [most.max(_norm(row, q)) for most, row in zip(norms, rows, strict=True)]
        mean = [so_far + chance * norm for so_far, norm in zip(mean, norms, strict=True)]
    return mean


def _masked(net: ReluNetwork, alphas: tuple[float, ...]) -> Iterator[tuple[arb, Layers]]:
    """Yield every mask's probability and the layers under it; weights never pruned stay."""
    choices = []
    for weights, alpha in zip(net.weights, alphas, strict=True):
        free = 0 < alpha < 1
        choices += [(0, 1) if free and w != 0 else (1,) for w in np.ravel(weights)]
    for bits in product(*choices):
        yield _chance_and_layers(net, alphas, choices, bits)


def _chance_and_layers(
    net: ReluNetwork, alphas: tuple[float, ...], choices: list[Any], bits: tuple[int, ...]
) -> tuple[arb, Layers]:
    chance, layers, start = arb(1), [], 0
    for weights, alpha in zip(net.weights, alphas, strict=True):
        kept = np.array(bits[start : start + weights.size])
        drawn = np.array([len(choice) == 2 for choice in choices[start : start + weights.size]])
        chance *= (1 - arb(alpha)) ** int(kept[drawn].sum())
        chance *= arb(alpha) ** int((1 - kept[drawn]).sum())
        layers.append(matrix(weights * kept.reshape(weights.shape)))
        start += weights.size
    return chance, layers


def _every_pattern(net: ReluNetwork) -> list[list[Any]]:
    """Return every way in which hidden units can be on (1) or off (0), possible or not."""
    parts = [[*product((0, 1), repeat=width)] for width in net.widths]
    return [list(pattern) for pattern in product(*parts)]


def _steady_pattern(example: Counterexample) -> list[Any]:
    """Return which units are on in all of the ball; the first layer's, none of it pruned."""
    W, b = matrix(example.net.weights[0]), column(example.net.biases[0])
    values = (W * column(example.center) + b).entries()
    reach = [arb(example.radius) * _norm(row, 2) for row in W.tolist()]
    signs = [(v > r, v < -r) for v, r in zip(values, reach, strict=True)]
    if example.net.depth != 2 or example.alphas[0] != 0 or not all(map(any, signs)):
        raise ValueError("units must keep their sides in the ball, under every mask.")
    return [[int(on) for on, _ in signs]]


def _gradient(layers: Layers, pattern: list[Any]) -> arb_mat:
    """Return the derivative of the outputs where those units are on, (out, d)."""
    slopes = layers[-1]
    for W, passed in zip(layers[-2::-1], reversed(pattern), strict=True):
        rows = [[g * on for g, on in zip(row, passed, strict=True)] for row in slopes.tolist()]
        slopes = arb_mat(rows) * W
    return slopes


def _norm(row: Balls, q: int) -> arb:
    return total(abs(g) for g in row) if q == 1 else total(g * g for g in row).sqrt()


def _product(factors: Iterator[arb]) -> arb:
    result = arb(1)
    for factor in factors:
        result *= factor
    return result
