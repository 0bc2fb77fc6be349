"""Whether pruning leaves a path, and an output that varies: against all masks, and draws."""

import numpy as np
import pytest
import scipy.sparse as sp

from tests.theory.test_random_masks import FAR, ROUNDING, draw
from tests.theory.test_random_masks_enumeration import EXACT, LAWS, every_masked, paths
from tests.theory.test_random_masks_enumeration import draw as enumerated
from theory.lipschitz import exact_constant
from theory.networks import ReluNetwork
from theory.random_masks import (
    constant_probability_bounds,
    disconnection_bounds,
    disconnection_probability,
    layer_cut_probability,
    sampled_path_norms,
)


@pytest.mark.parametrize("seed", range(10))
def test_disconnection_probability_counts_masks_without_paths(seed: int) -> None:
    rng = np.random.default_rng(seed)
    widths = [(2, 2, 2, 2), (3, 2, 1, 2), (2, 3, 2), (1, 2, 2, 1), (4, 2)][seed % 5]
    net = enumerated(seed, widths)
    if seed >= 5:  # with zeros
        net = ReluNetwork(weights=[W * (rng.random(W.shape) < 0.7) for W in net.weights])
    laws = rng.choice([0.0, 0.2, 0.5, 0.9, 1.0], net.depth, p=[0.1, 0.3, 0.3, 0.2, 0.1])
    exact = np.zeros(net.outputs)
    for chance, weights in every_masked(net, laws):
        exact += chance * (paths(weights).sum(axis=1) == 0)
    assert disconnection_probability(net, laws) == pytest.approx(exact, rel=EXACT, abs=EXACT)
    sparse = ReluNetwork(weights=[sp.csr_array(W) for W in net.weights])
    for same in (net, sparse):
        lower, upper = disconnection_bounds(same, laws)
        assert (lower <= exact + EXACT).all()
        assert (exact <= upper + EXACT).all()
        if net.depth <= 2:
            assert lower == pytest.approx(exact, rel=EXACT, abs=EXACT)


def test_disconnection_by_numbers_and_by_sets_agree() -> None:
    full = ReluNetwork(weights=[np.ones(shape) for shape in ((5, 6), (7, 5), (3, 7))])
    # an input without weights makes no difference, but a network with zeros
    wide = ReluNetwork(weights=[np.pad(full.weights[0], ((0, 0), (0, 1))), *full.weights[1:]])
    for alpha in (0.3, 0.7, 0.95):
        numbers, sets = (disconnection_probability(net, alpha) for net in (full, wide))
        assert numbers == pytest.approx(sets, rel=1e-10)  # some 10^4 roundings


def test_layer_cut_probability_counts_masks_without_weights() -> None:
    net = enumerated(6)
    for laws in LAWS:
        cut = np.zeros(3)
        for chance, weights in every_masked(net, laws):
            cut += chance * np.array([not W.any() for W in weights])
        assert layer_cut_probability(net, laws) == pytest.approx(cut, rel=EXACT, abs=EXACT)


@pytest.mark.parametrize("case", ["nonnegative", "one hidden layer"])
def test_outputs_are_constant_exactly_without_a_path(case: str) -> None:
    net = enumerated(7, (2, 2, 1, 1) if case == "nonnegative" else (2, 2, 1))
    keep = np.abs if case == "nonnegative" else np.asarray
    weights = [net.weights[0], *(keep(W) for W in net.weights[1:])]
    net = ReluNetwork(weights=weights)  # without biases
    constant = 0.0
    for chance, masked in every_masked(net, [0.4] * net.depth):
        constant += chance * (exact_constant(ReluNetwork(weights=masked)).value < 1e-12)
    assert disconnection_probability(net, 0.4) == pytest.approx([constant], rel=EXACT)


def test_a_path_does_not_make_an_output_vary() -> None:
    net = ReluNetwork(weights=[[[1.0]], [[-1.0]], [[1.0]]])
    assert exact_constant(net).value == 0
    assert disconnection_probability(net, 0.0) == 0


@pytest.mark.parametrize("seed", range(5))
def test_disconnection_bounds_of_pruned_networks_hold_draws(seed: int) -> None:
    rng = np.random.default_rng(seed)
    net = draw(rng, (12, 15, 14, 2), float(rng.choice([0.97, 0.5, 0.2])))
    for alpha in (0.5, 0.8, 0.95):
        cut = sampled_path_norms(net, alpha, count=400, rng=rng) == 0
        lower, upper = disconnection_bounds(net, alpha)
        error = FAR * np.sqrt(upper * (1 - lower) / 400) + ROUNDING
        assert (lower <= upper).all()
        assert (lower - error <= cut.mean(axis=0)).all()
        assert (cut.mean(axis=0) <= upper + error).all()


def test_disconnection_probability_of_a_large_network() -> None:
    rng = np.random.default_rng(6)
    net = ReluNetwork(weights=[rng.normal(size=s) for s in ((60, 80), (40, 60), (3, 40))])
    for alpha in (0.9, 0.97, 0.99):
        cut = sampled_path_norms(net, alpha, count=1000, rng=rng) == 0
        exact = disconnection_probability(net, alpha)
        assert exact == pytest.approx(exact[0], rel=ROUNDING)  # of all outputs
        assert abs(cut[:, 0].mean() - exact[0]) <= FAR * np.sqrt(exact[0] * (1 - exact[0]) / 1000)
        lower, upper = disconnection_bounds(net, alpha)
        assert (lower <= exact * (1 + 1e-10)).all()
        assert upper == pytest.approx(exact, rel=1e-10)  # no zeros: the upper bound is exact


def test_constant_probability_bounds_hold_the_exact_one() -> None:
    net = draw(np.random.default_rng(7), (2, 2, 1, 1))
    alphas, X = [0.3, 0.2, 0.1], np.random.default_rng(8).normal(size=(200, 2)) * 3
    exact = sum(
        chance * (exact_constant(ReluNetwork(weights=weights, biases=net.biases)).value < 1e-12)
        for chance, weights in every_masked(net, alphas)
    )
    lower, upper = constant_probability_bounds(
        net, alphas, X, count=2000, level=1e-6, rng=np.random.default_rng(9)
    )
    assert lower[0] <= exact <= upper[0] <= exact + 0.1  # inputs reach most regions
    cut = layer_cut_probability(net, alphas)
    assert 1 - np.prod(1 - cut) <= lower[0]
