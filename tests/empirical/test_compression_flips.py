"""Flips in L0 and L2 of the compression study: held against definitions and exact distances."""

from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from empirical.compression_study import BOX, CompressionCell
from empirical.compression_study.measuring import flipped_by_one, right, with_flips
from empirical.data import Part, Split, digits, split
from empirical.lowering import network_from_module
from empirical.models import cnn, mlp
from empirical.module_attacks import model_attack_distances
from empirical.training import Training, train
from tests.empirical.planted_networks import Curve, planted
from theory.certify.branch_and_bound import exact_distance
from theory.networks import ReluNetwork


@pytest.fixture(scope="module")
def cell() -> CompressionCell:
    """Return a cell to write into: only its seed is read."""
    return planted({("natural", "weight random layer"): Curve([0.9], [0.5])}, seeds=2)[0]


@pytest.fixture(scope="module")
def data() -> Split:
    return split(digits(), rng=np.random.default_rng(1))


@pytest.fixture(scope="module")
def networks(data: Split) -> list[nn.Module]:
    """Return a dense and a convolutional network, trained a little."""
    found = [mlp(64, 20, 10, seed=0), cnn((1, 8, 8), [4, 4], [10], seed=0)]
    for network in found:
        train(network, data, Training(rate=1e-2, batch=64, epochs=5, keep="last"), seed=0)
    return [*found]


def first(test: Part, count: int) -> Part:
    return Part(*(part[:count] for part in test))


@pytest.mark.parametrize(
    ("point", "flipped"),
    [
        ((0.5, 0.5), True),  # either at 0 leaves .5, less than .6
        ((0.9, 0.9), False),  # .9 is left
        ((0.7, 0.1), True),
        ((0.2, 0.1), True),  # already wrong
    ],
)
def test_flipped_by_one_is_known_of_a_sum(point: Any, flipped: bool) -> None:
    weights, biases = [np.array([[1.0, 1.0], [0.0, 0.0]])], [np.array([0.0, 0.6])]
    net = ReluNetwork(weights=weights, biases=biases)
    assert flipped_by_one(net, Part(np.array([point]), np.zeros(1, dtype=int))) == [flipped]


def test_flips_in_l0_are_one_where_one_pixel_flips(
    cell: CompressionCell, data: Split, networks: list[nn.Module]
) -> None:
    test = first(data.test, 60)
    for network in networks:
        net = network_from_module(network, (64,))
        flips = with_flips(cell, network, net, test).flips["L0"]
        wrong = ~right(net, *test)
        np.testing.assert_array_equal(flips == 0, wrong)
        np.testing.assert_array_equal(flips, flips.round())
        np.testing.assert_array_equal(flips == 1, one_by_one(network, test) & ~wrong)
        assert 0 < (flips == 1).sum() < (flips > 0).sum()


def one_by_one(network: nn.Module, test: Part) -> Any:
    """Return which inputs one pixel at a side of the box flips, by the network itself."""
    flipped = np.zeros(len(test.y), dtype=bool)
    for pixel in range(64):
        for side in BOX:
            X = test.X.copy()
            X[:, pixel] = side
            labels = network(torch.tensor(X, dtype=torch.float32)).argmax(dim=1)
            flipped |= labels.numpy() != test.y
    return flipped


def test_flips_in_l2_are_no_nearer_than_exact_distances(
    cell: CompressionCell, data: Split, networks: list[nn.Module]
) -> None:
    test, network = first(data.test, 12), networks[0]
    net = network_from_module(network, (64,))
    flips = with_flips(cell, network, net, test).flips["L2"]
    found = exact_distance(net, *test, norm=2, box=BOX)
    assert (found.lower <= flips * (1 + 1e-9)).all()  # a length is rounded
    # Nor much farther: a bound that is often too large says little.
    assert flips.sum() <= 1.2 * found.upper.sum()


def test_flips_of_features_bound_distances_where_slopes_are_zero(cell: CompressionCell) -> None:
    flat, last = nn.Linear(64, 1), nn.Linear(1, 2)
    with torch.no_grad():
        flat.weight.zero_()
        flat.weight[0, -2:] = 20.0
        flat.bias.fill_(-38.0)
        last.weight.copy_(torch.tensor([[0.0], [1.0]]))
        last.bias.copy_(torch.tensor([1.0, 0.0]))
    network = nn.Sequential(flat, nn.ReLU(), last)  # 1 against 0, but where two features are large
    test = Part(np.full((1, 64), 0.1), np.zeros(1, dtype=int))
    rng = np.random.default_rng(0)
    sloped = model_attack_distances(network, *test, norm=2, box=BOX, attacks=["ddn"], rng=rng)
    assert not sloped.distances[0] <= np.sqrt(2)  # farther, by noise instead of slopes, or none
    flips = with_flips(cell, network, network_from_module(network, (64,)), test).flips
    np.testing.assert_array_equal(flips["L0"], [2.0])
    nearest = (39 / 20 - 0.2) / np.sqrt(2)  # the score of 1 is reached where they sum to 39 / 20
    assert nearest <= flips["L2"][0] <= np.sqrt(2)


def test_flips_of_a_constant_network_are_unknown(cell: CompressionCell) -> None:
    network = nn.Linear(4, 3)
    with torch.no_grad():
        network.weight.zero_()
        network.bias.copy_(torch.tensor([1.0, 0.0, 0.0]))
    test = Part(np.full((3, 4), 0.5), np.arange(3))
    flips = with_flips(cell, network, network_from_module(network, (4,)), test).flips
    for found in flips.values():
        np.testing.assert_array_equal(found, [np.nan, 0.0, 0.0])
