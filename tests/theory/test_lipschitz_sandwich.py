"""Every Lipschitz bound against the others: no upper one below a witnessed gradient."""

import math
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp

from theory.lipschitz import (
    eclipse,
    eclipse_fast,
    exact_constant,
    frobenius_product,
    lipsdp_layer,
    lipsdp_neuron,
    lipsdp_split,
    path_norm,
    sampled_bound,
    spectral_product,
)
from theory.networks import ReluNetwork

# The gap of 1e-8 of the square, and the margin that makes a bound safe from rounding.
GAP = 1e-6
UPPER = (
    spectral_product,
    frobenius_product,
    lipsdp_neuron,
    lipsdp_layer,
    lipsdp_split,
    eclipse,
    eclipse_fast,
)


def draw_net(rng: np.random.Generator) -> ReluNetwork:
    """Return a small network, often with a degenerate part."""
    widths = [int(w) for w in rng.integers(1, 6, int(rng.integers(2, 5)))]
    pairs = pairwise(widths)
    weights: list[Any] = [rng.normal(size=(o, i)) * 10 ** rng.uniform(-3, 3) for i, o in pairs]
    biases = [rng.normal(size=W.shape[0]) * rng.choice([0.0, 1.0]) for W in weights]
    relu = [np.ones(w, dtype=bool) for w in widths[1:-1]]
    kind = rng.choice(["plain", "dead", "zero row", "twins", "linear", "mixed", "sparse"])
    j = int(rng.integers(len(weights)))
    if kind == "dead":
        weights[j] = np.zeros_like(weights[j])
    elif kind == "zero row":
        weights[j][0] = 0.0
    elif kind == "twins":
        weights[j][-1] = weights[j][0]
    elif kind == "linear":
        relu = [np.zeros_like(mask) for mask in relu]
    elif kind in {"mixed", "sparse"}:
        relu = [rng.random(mask.size) < 0.6 for mask in relu]
    if kind == "sparse":
        weights = [sp.csr_array(W * (rng.random(W.shape) < 0.5)) for W in weights]
    return ReluNetwork(weights=weights, biases=biases, relu=relu)


# 104 networks, most of them degenerate.
@pytest.mark.parametrize("seed", range(4))
def test_no_upper_bound_is_below_a_lower_one(seed: int) -> None:
    rng = np.random.default_rng(seed)
    for _ in range(26):
        net = draw_net(rng)
        C = rng.normal(size=(1, net.outputs)) if rng.random() < 0.5 else None
        X = rng.normal(size=(20, net.dimension)) * 3
        sampled = sampled_bound(net, X, rng, C, rounds=3).value
        upper = [bound(net, C).value for bound in UPPER]
        assert sampled <= min(upper)  # both sides allow for their own rounding: no tolerance
        assert sampled <= path_norm(net, C, norm=2).value
        in_sup = sampled_bound(net, X, rng, C, norm=math.inf, rounds=3).value
        assert in_sup <= path_norm(net, C).value


@pytest.mark.parametrize("seed", range(3))
def test_bounds_are_in_their_proven_order(seed: int) -> None:
    rng = np.random.default_rng([7, seed])
    for _ in range(2):
        widths = (3, 5, 4, 2)
        weights = [rng.normal(size=(o, i)) for i, o in pairwise(widths)]
        net = ReluNetwork(weights=weights, biases=[rng.normal(size=w) for w in widths[1:]])
        exact = exact_constant(net)
        sampled = sampled_bound(net, rng.normal(size=(50, 3)) * 3, rng)
        values = [
            sampled.value,
            exact.value,
            lipsdp_neuron(net).value,
            lipsdp_layer(net).value,
            eclipse_fast(net).value,
            spectral_product(net).value,
            frobenius_product(net).value,
        ]
        for small, large in pairwise(values):
            assert small <= large * (1 + GAP)
        assert lipsdp_neuron(net).value <= eclipse(net).value * (1 + GAP)
        assert lipsdp_neuron(net).value <= lipsdp_split(net).value * (1 + GAP)
        # The ascent from 50 points finds the steepest of a hundred regions, or nearly.
        assert sampled.value >= 0.8 * exact.value


@pytest.mark.parametrize("bound", [*UPPER, path_norm])
def test_constant_networks_have_constant_zero(bound: Any) -> None:
    net = ReluNetwork(weights=[np.ones((3, 2)), np.zeros((4, 3)), np.ones((2, 4))])
    assert bound(net).value == 0.0
    assert bound(net, [1.0, -1.0]).value == 0.0
    twins = ReluNetwork(weights=[np.ones((3, 2)), np.ones((2, 3))])
    assert bound(twins, [1.0, -1.0]).value == 0.0


def test_cancelling_outputs_are_bounded_by_their_rounding() -> None:
    rng = np.random.default_rng(0)
    row = rng.normal(size=(1, 5))
    net = ReluNetwork(weights=[rng.normal(size=(5, 4)), np.vstack([row, row])])
    for bound in UPPER:
        assert bound(net, [[0.1, -0.1]]).value < 1e-4  # true: 0; rounding 1e-16, times 1e9 to prove


def test_path_norm_is_the_sum_over_paths() -> None:
    net = ReluNetwork(weights=[[[1.0, -2.0], [0.5, 0.0]], [[1.0, -4.0], [0.0, 1.0]]])
    assert path_norm(net).value == pytest.approx(1 + 2 + 2, rel=1e-12)  # a few roundings
    assert path_norm(net, [0.0, 1.0]).value == pytest.approx(0.5, rel=1e-12)
    two = np.linalg.norm(np.array([[3.0, 2.0], [0.5, 0.0]]), 2)
    assert path_norm(net, norm=2).value == pytest.approx(two, rel=1e-12)
    with pytest.raises(ValueError, match="norm must be 2 or inf"):
        path_norm(net, norm=1)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(10))
def test_no_upper_bound_is_below_the_exact_constant(seed: int) -> None:
    rng = np.random.default_rng([11, seed])
    for _ in range(20):
        net = draw_net(rng)
        C = rng.normal(size=(1, net.outputs)) if rng.random() < 0.5 else None
        exact = exact_constant(net, C).value
        # The exact value is rounded to nearest; the bounds are safe only from their own rounding.
        for bound in UPPER:
            assert exact <= bound(net, C).value * (1 + 1e-12)
        X = rng.normal(size=(30, net.dimension))
        assert sampled_bound(net, X, rng, C, rounds=3).value <= exact * (1 + 1e-12)


@pytest.mark.slow
def test_eclipse_of_a_deep_network_is_between_neuron_and_spectral_product() -> None:
    rng = np.random.default_rng(0)
    for mixed in (False, True):
        weights = [rng.normal(size=(20, 20)) / 5 for _ in range(8)]
        relu = [(rng.random(20) < 0.7) | (not mixed) for _ in range(7)]
        net = ReluNetwork(weights=weights, relu=relu)
        neuron, fast = lipsdp_neuron(net).value, eclipse_fast(net).value
        assert neuron <= eclipse(net).value * (1 + GAP)
        assert neuron <= lipsdp_layer(net).value * (1 + GAP)
        assert lipsdp_layer(net).value <= fast * (1 + GAP)
        if not mixed:
            assert fast <= spectral_product(net).value * (1 + GAP)
