"""Reduced networks flip as far away as the networks they stand for: all cells of both, compared."""

from typing import Any

import numpy as np
import pytest

from tests.theory.test_branch_and_bound import enumerated
from tests.theory.test_networks_reduce import planted
from theory.networks import ReluNetwork, class_scores, reduce, reduced_inputs

# Both distances come from solvers that are precise to 1e-10.
AGREE = 1e-9


def drawn(seed: int, d: int, units: int) -> ReluNetwork:
    rng = np.random.default_rng(seed)
    return ReluNetwork(
        weights=[rng.normal(size=(units, d)), rng.normal(size=(3, units))],
        biases=[rng.normal(size=units), rng.normal(size=3)],
    )


def check_distances(net: ReluNetwork, X: Any, norm: float, box: Any) -> tuple[str, ...]:
    found = reduce(net, norm=norm, box=box)
    labels = class_scores(net, X).argmax(axis=1)
    for x, z, label in zip(X, reduced_inputs(found, X), labels, strict=True):
        given = enumerated(net, x, label, norm, box)
        assert enumerated(found.network, z, label, norm, box) == pytest.approx(given, rel=AGREE)
    return found.steps


@pytest.mark.parametrize(
    ("norm", "box"), [(2, None), (np.inf, None), (2, (-1, 1)), (np.inf, (0, 1))]
)
def test_reduce_keeps_distances_when_units_go(norm: float, box: Any) -> None:
    net = planted(np.random.default_rng(0), drawn(1, 3, 2), 0)
    X = np.random.default_rng(2).uniform(0, 1, size=(1, 3))
    steps = " ".join(check_distances(net, X, norm, box))
    assert all(word in steps for word in ("constant", "unused", "a multiple of another"))


@pytest.mark.parametrize("norm", [2, np.inf])
def test_reduce_keeps_distances_when_the_box_decides(norm: float) -> None:
    net = drawn(3, 3, 4)
    biases = [net.biases[0] + [9.0, -9.0, 0.0, 0.0], net.biases[1]]
    net = ReluNetwork(weights=net.weights, biases=biases)
    X = np.random.default_rng(4).uniform(0, 1, size=(2, 3))
    steps = " ".join(check_distances(net, X, norm, (0, 1)))
    assert "always on" in steps
    assert "always off" in steps


def test_reduce_keeps_distances_when_inputs_are_mapped() -> None:
    X = np.random.default_rng(5).normal(size=(3, 40))
    (step,) = check_distances(drawn(6, 40, 4), X, 2, None)
    assert step == "inputs mapped isometrically from 40 to 4 dimensions"


@pytest.mark.parametrize("norm", [2, np.inf])
def test_reduce_keeps_units_that_only_the_flip_needs(norm: float) -> None:
    # 10 relu(x - .9) + .1 relu(x + 2) + relu(x - 2) - 1 on [0, 1]: off, always on, always off;
    # above .9 it is 10.1 x - 9.8.
    net = ReluNetwork(
        weights=[[[1.0], [1.0], [1.0]], [[10.0, 0.1, 1.0]]], biases=[[-0.9, 2.0, -2.0], [-1.0]]
    )
    found = reduce(net, norm=norm, box=(0, 1))
    assert found.network.widths == (2,)
    for one in (net, found.network):
        distance = enumerated(one, np.array([0.2]), -1, norm, (0, 1))
        assert distance == pytest.approx(9.8 / 10.1 - 0.2, rel=AGREE)
