"""Exact distances where a search could go astray: dead units, ties, corners, nothing to find."""

import numpy as np
import pytest

from tests.theory.random_networks import draw_boxed, draw_degenerate, predicted
from tests.theory.test_branch_and_bound import AGREE, draw
from theory.certify.branch_and_bound import exact_distance
from theory.networks import ReluNetwork


def test_wrong_and_tied_inputs_are_at_distance_zero() -> None:
    net = ReluNetwork(weights=[np.eye(2), np.eye(2)])
    found = exact_distance(net, [[0.5, 0.5], [0.2, 0.7], [-1.0, -1.0]], [0, 0, 1])
    assert found.upper.tolist() == found.lower.tolist() == [0.0, 0.0, 0.0]
    assert found.witness is not None
    assert found.witness.tolist() == [[0.5, 0.5], [0.2, 0.7], [-1.0, -1.0]]
    assert set(found.status) == {"exact"}


@pytest.mark.parametrize("norm", [2, np.inf])
def test_constant_networks_never_flip(norm: float) -> None:
    dead = ReluNetwork(
        weights=[[[1.0, 0.0], [0.0, 0.0]], np.zeros((3, 2)), np.ones((2, 3))],
        biases=[[0.0, -1.0], [-1.0, -1.0, 2.0], [0.5, 0.0]],
    )
    tent = ReluNetwork(  # 1 + |x| > 0
        weights=[[[1.0, 0.0], [-1.0, 0.0]], [[1.0, 1.0]]], biases=[[0.0, 0.0], [1.0]]
    )
    for net, label in ((dead, 0), (tent, 1)):
        found = exact_distance(net, [[0.3, 0.4]], [label], norm=norm)
        assert found.lower.tolist() == found.upper.tolist() == [np.inf]
        assert found.status.tolist() == ["exact"]
        assert np.isnan(found.witness).all()


@pytest.mark.parametrize("norm", [2, np.inf])
def test_zero_and_duplicate_rows_and_dead_units_change_nothing(norm: float) -> None:
    rng = np.random.default_rng(4)
    net = draw(rng, 3, (5, 4), 3)
    W, V, U = net.weights
    padded = ReluNetwork(
        weights=[
            np.vstack([W, W[:1], np.zeros((2, 3))]),
            np.hstack([V, np.zeros((4, 1)), rng.normal(size=(4, 2))]),
            U,
        ],
        biases=[np.append(net.biases[0], [net.biases[0][0], -1.0, 0.0]), *net.biases[1:]],
        relu=[np.append(net.relu[0], [True, True, True]), net.relu[1]],
    )
    X = rng.random((3, 3))
    y = predicted(net, X)
    for box in (None, (0.0, 1.0)):
        one, other = (exact_distance(n, X, y, norm=norm, box=box) for n in (net, padded))
        assert one.upper == pytest.approx(other.upper, rel=2e-6)  # rtol of both


def test_box_corners_and_what_no_move_in_the_box_reaches() -> None:
    net = ReluNetwork(weights=[np.eye(2), [[1.0, 1.0]]], biases=[[0.0, 0.0], [-1.5]])
    inside = exact_distance(net, [[0.0, 0.0], [1.0, 1.0], [1.0, 0.0]], [-1, 1, -1], box=(0, 1))
    # From the corners to x + y = 1.5, within 1e-6 as rtol says.
    expected = [1.5 / np.sqrt(2), 0.5 / np.sqrt(2), 0.5]
    assert inside.upper == pytest.approx(expected, rel=1e-6)
    for norm in (2, np.inf):
        for box, reached in (((0.0, 0.7), False), ((0.0, 0.76), True), ((0.5, 0.5), False)):
            found = exact_distance(net, [[0.5, 0.5]], [-1], norm=norm, box=box)
            assert np.isfinite(found.upper[0]) == reached
            assert np.isfinite(found.lower[0]) == reached
            assert found.status[0] == "exact"


def test_ties_reached_in_one_point_alone_count() -> None:
    net = ReluNetwork(weights=[[[1.0], [-1.0]], [[1.0, 1.0]]])  # |x|
    found = exact_distance(net, [[3.0], [-2.0]], [1, 1])
    assert found.upper == pytest.approx([3.0, 2.0], rel=1e-6)  # rtol
    assert (found.lower <= [3.0, 2.0]).all()


def test_units_at_zero_at_the_input_are_closed_on_both_sides() -> None:
    # Three kinks meet at the input; the flips are on either side of them.
    net = ReluNetwork(
        weights=[[[1.0, 0.0], [-1.0, 0.0], [0.0, 1.0]], [[-1.0, -2.0, -4.0]]],
        biases=[[0.0, 0.0, 0.0], [1.0]],
    )
    found = exact_distance(net, [[0.0, 0.0]], [1], rtol=1e-9)
    # 1 - |x| - ... falls fastest upwards: min of 1/4 and combinations: 1 / sqrt(2² + 4²).
    assert found.upper == pytest.approx([1 / np.sqrt(20)], rel=AGREE)


def test_cells_are_searched_from_the_first_layer_on_once_lines_say_little() -> None:
    # Two inputs and 20 units: a few hundred cells, each of which has to be ruled out.
    rng = np.random.default_rng([50, 5])
    net = draw_degenerate(rng, "plain")
    X, y, _ = draw_boxed(rng, net, 2)
    found = exact_distance(net, X, y)
    assert found.status.tolist() == ["exact", "exact"]
    assert found.lower.tolist() == [np.inf, np.inf]
    assert (found.nodes < 4_000).all()
