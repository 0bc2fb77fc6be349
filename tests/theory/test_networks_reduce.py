"""Reduced networks compute what the originals do, and lose what was planted in them."""

from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp

from theory.networks import ReluNetwork, forward
from theory.networks.reduce import Reduction, reduce, reduced_inputs

# What the issue asks of outputs; rounding of these sums is below 1e-12.
AGREE = 1e-10


def draw(
    rng: np.random.Generator, depth: int, *, density: float = 1.0, linear: float = 0.0, d: int = 5
) -> ReluNetwork:
    widths = [d, *rng.integers(6, 12, size=depth - 1), 3]
    shapes = list(zip(widths[1:], widths[:-1], strict=True))
    weights: list[Any] = [rng.normal(size=s) * (rng.random(s) < density) for s in shapes]
    if density < 1:
        weights = [sp.csr_array(W) for W in weights]
    return ReluNetwork(
        weights=weights,
        biases=[rng.normal(size=n) for n in widths[1:]],
        relu=[np.append(rng.random(n - 1) >= linear, True) for n in widths[1:-1]],
    )


def planted(rng: np.random.Generator, net: ReluNetwork, layer: int) -> ReluNetwork:
    """Return net with a constant, an unused, a double and a scaled unit more in a hidden layer.

    Outputs are as they were: outgoing weights of the twins are split, the constants taken back.
    """
    W, b = net.weights[layer], net.biases[layer]
    V, c = net.weights[layer + 1].copy(), net.biases[layer + 1]
    scale = rng.uniform(0.3, 3.0) * (1 if net.relu[layer][1] else -1)
    rows = np.vstack([W, np.zeros_like(W[:1]), rng.normal(size=W[:1].shape), W[:1], scale * W[1:2]])
    bias = np.concatenate([b, [0.5, rng.normal(), b[0], scale * b[1]]])
    out, one = rng.normal(size=len(V)), np.zeros(len(V))
    double, scaled = 0.3 * V[:, 0], 0.4 * V[:, 1] / scale
    V[:, 0] *= 0.7
    V[:, 1] *= 0.6
    weights, biases, relu = list(net.weights), list(net.biases), list(net.relu)
    weights[layer : layer + 2] = [rows, np.column_stack([V, out, one, double, scaled])]
    biases[layer : layer + 2] = [bias, c - 0.5 * out]
    relu[layer] = np.concatenate([net.relu[layer], [True, True], net.relu[layer][:2]])
    return ReluNetwork(weights=weights, biases=biases, relu=relu)


def as_csr(net: ReluNetwork) -> ReluNetwork:
    weights = [sp.csr_array(W) for W in net.weights]
    return ReluNetwork(weights=weights, biases=net.biases, relu=net.relu)


def entries(net: ReluNetwork) -> int:
    return sum(W.nnz if sp.issparse(W) else W.size for W in net.weights)


def check(net: ReluNetwork, found: Reduction, X: Any) -> None:
    got, wanted = forward(found.network, reduced_inputs(found, X)), forward(net, X)
    assert got == pytest.approx(wanted, rel=AGREE, abs=AGREE * np.abs(wanted).max())
    assert entries(found.network) <= entries(net)
    assert found.network.depth <= net.depth


def again(found: Reduction, norm: float, box: Any = None) -> None:
    twice = reduce(found.network, norm=norm, box=box)
    assert twice.steps == ()
    assert twice.input_map is None
    assert twice.network is found.network


@pytest.mark.parametrize("linear", [0.0, 0.5])
@pytest.mark.parametrize("norm", [0, 1, 2, np.inf])
@pytest.mark.parametrize("depth", [1, 2, 3, 4])
def test_reduce_keeps_outputs_and_is_idempotent(depth: int, norm: float, linear: float) -> None:
    rng = np.random.default_rng(depth)
    for density in (1.0, 0.3, 0.02):
        for _ in range(10):
            net = draw(rng, depth, density=density, linear=linear, d=rng.choice([2, 5, 20]))
            found = reduce(net, norm=norm)
            check(net, found, 3 * rng.normal(size=(30, net.dimension)))
            again(found, norm)


@pytest.mark.parametrize("sparse", [False, True])
@pytest.mark.parametrize("linear", [0.0, 0.5])
@pytest.mark.parametrize("depth", [2, 3, 4])
def test_planted_units_are_all_found(depth: int, linear: float, sparse: bool) -> None:
    rng = np.random.default_rng(10 + depth)
    for _ in range(20):
        clean = draw(rng, depth, linear=linear)
        net = clean
        for layer in range(depth - 1):
            net = planted(rng, net, layer)
        X = 3 * rng.normal(size=(30, 5))
        assert forward(net, X) == pytest.approx(forward(clean, X), rel=AGREE, abs=AGREE)
        found = reduce(as_csr(net) if sparse else net, norm=1)
        check(net, found, X)
        assert found.network.widths == clean.widths
        for layer in range(1, depth):
            for what in ("1 unit of layer {} constant", "1 unit of layer {} unused"):
                assert what.format(layer) in found.steps
            assert f"2 units of layer {layer} a multiple of another" in found.steps
        again(found, 1)


def test_ten_thousand_random_twins_are_found_and_nothing_else() -> None:
    rng = np.random.default_rng(20)
    rows, factor = rng.normal(size=(5000, 4)), rng.lognormal(sigma=5, size=5000)
    net = ReluNetwork(
        weights=[np.vstack([rows, factor[:, None] * rows]), rng.uniform(1, 2, size=(1, 10_000))],
        biases=[np.tile(rng.normal(size=5000), 2) * np.append(np.ones(5000), factor), [0.0]],
    )
    found = reduce(net, norm=np.inf)
    assert found.steps == ("5000 units of layer 1 a multiple of another",)
    check(net, found, rng.normal(size=(20, 4)))


def test_rectified_units_of_opposite_sign_are_no_multiples_but_linear_ones_are() -> None:
    weights = [[[1.0, 2.0], [-2.0, -4.0]], [[1.0, 1.0], [1.0, 3.0], [-1.0, 2.0], [1.0, 0.5]]]
    rectified = ReluNetwork(weights=weights)
    assert reduce(rectified, norm=1).steps == ()
    mixed = ReluNetwork(weights=weights, relu=[[True, False]])
    assert reduce(mixed, norm=1).steps == ()
    linear = ReluNetwork(weights=weights, relu=[[False, False]])
    assert "1 unit of layer 1 a multiple of another" in reduce(linear, norm=1).steps
    check(linear, reduce(linear, norm=1), np.random.default_rng(0).normal(size=(5, 2)))


def test_twins_that_cancel_exactly_vanish() -> None:
    net = ReluNetwork(weights=[[[1.0], [2.0], [3.0]], [[2.0, -1.0, 1.0]]])
    found = reduce(net, norm=1)
    assert found.network.weights[1].tolist() == [[3.0]]  # 2 - 2 + 3
    assert found.steps[0] == "2 units of layer 1 a multiple of another"
    gone = reduce(
        ReluNetwork(weights=[[[1.0], [2.0]], [[2.0, -1.0]]], biases=[[1, 2], [5]]), norm=1
    )
    assert forward(gone.network, [[3.0]]).tolist() == [[5.0]]
    assert gone.network.depth == 1


@pytest.mark.parametrize("sparse", [False, True])
def test_a_finite_difference_of_almost_equal_units_is_kept(sparse: bool) -> None:
    nearly = np.nextafter(1.0, 2.0)
    net = ReluNetwork(weights=[[[1.0], [1.0]], [[-1e16, 1e16]]], biases=[[1.0, nearly], [0.0]])
    net = as_csr(net) if sparse else net
    found = reduce(net, norm=1)
    assert forward(found.network, [[0.0]]).item() == forward(net, [[0.0]]).item() != 0.0
    apart = ReluNetwork(weights=[[[1.0], [1.0]], [[1.0, 1.0]]], biases=[[1.0, nearly], [0.0]])
    assert reduce(apart, norm=1).network.widths == (1,)  # where nothing cancels, they are one
    other = ReluNetwork(weights=[[[1.0], [1.0]], [[1.0, 1.0]]], biases=[[1.0, 1 + 1e-13], [0.0]])
    assert reduce(other, norm=1).steps == ()


@pytest.mark.parametrize("sparse", [False, True])
@pytest.mark.parametrize("depth", [1, 2, 3, 4])
def test_layers_of_zeros_leave_a_constant_network(depth: int, sparse: bool) -> None:
    rng = np.random.default_rng(30)
    X = rng.normal(size=(4, 5))
    for zero in range(depth):
        net = draw(rng, depth, linear=0.3)
        weights = [W * (j != zero) for j, W in enumerate(net.weights)]
        net = ReluNetwork(weights=weights, biases=net.biases, relu=net.relu)
        for norm, box in ((2, None), (1, (-3.0, 3.0))):
            found = reduce(as_csr(net) if sparse else net, norm=norm, box=box)
            assert found.network.depth == 1
            assert found.network.dimension == 5
            assert found.input_map is None
            assert forward(found.network, X) == pytest.approx(forward(net, X), rel=AGREE)
            again(found, norm, box)


def test_linear_layers_are_composed_where_that_saves_entries() -> None:
    rng = np.random.default_rng(40)
    masks = [np.zeros(4, dtype=bool), np.ones(6, dtype=bool)]
    weights = [rng.normal(size=s) for s in ((4, 3), (6, 4), (2, 6))]
    net = ReluNetwork(weights=weights, biases=[rng.normal(size=n) for n in (4, 6, 2)], relu=masks)
    found = reduce(net, norm=1)
    assert found.steps == ("layer 1, linear, composed into layer 2",)
    assert found.network.widths == (6,)
    check(net, found, rng.normal(size=(9, 3)))
    weights = [rng.normal(size=s) for s in ((2, 9), (8, 2), (2, 8))]  # 8 · 9 > 2 · (9 + 8)
    narrow = ReluNetwork(weights=weights, relu=[[False] * 2, [True] * 8])
    assert reduce(narrow, norm=1).steps == ()


def test_sparse_linear_layers_are_composed_only_if_they_stay_sparse() -> None:
    identity, cycle = sp.eye_array(50, format="csr"), sp.csr_array(np.roll(np.eye(50), 1, axis=0))
    mask = [np.zeros(50, dtype=bool), np.ones(50, dtype=bool)]
    last = sp.csr_array(np.random.default_rng(0).normal(size=(50, 50)))
    net = ReluNetwork(weights=[identity, cycle, last], relu=mask)
    found = reduce(net, norm=1)
    assert [W.nnz for W in found.network.weights] == [50, 2500]
    star = sp.csr_array(np.ones((50, 1)))
    weights = [sp.csr_array(np.ones((1, 50))), star, last]  # an outer product fills
    biases = [[0.0], np.arange(50.0), np.zeros(50)]
    assert (
        reduce(ReluNetwork(weights=weights, biases=biases, relu=[[False], mask[1]]), norm=1).steps
        == ()
    )


@pytest.mark.parametrize("norm", [1, 2, np.inf])
@pytest.mark.parametrize("depth", [2, 3, 4])
def test_units_that_the_box_decides(depth: int, norm: float) -> None:
    rng = np.random.default_rng(50 + depth)
    decided = 0
    for density in (1.0, 0.4, 0.02):
        for _ in range(15):
            net = draw(rng, depth, density=density, linear=0.2)
            box = (rng.uniform(-0.2, 0, size=5), 0.3)
            found = reduce(net, norm=norm, box=box)
            assert found.input_map is None
            check(net, found, rng.uniform(*box, size=(50, 5)))
            again(found, norm, box)
            decided += any("always" in step for step in found.steps)
    assert decided > 15


def test_box_makes_units_linear_or_removes_them_by_hand() -> None:
    net = ReluNetwork(
        weights=[[[1.0], [-1.0], [1.0]], [[1.0, 1.0, 2.0]]], biases=[[0.0, 0.0, -0.5], [0.0]]
    )
    found = reduce(net, norm=2, box=(0.0, 1.0))
    assert found.steps == (
        "1 unit of layer 1 always on: now linear",
        "1 unit of layer 1 always off",
    )
    assert [mask.tolist() for mask in found.network.relu] == [[False, True]]
    outside = forward(found.network, [[-1.0]]) - forward(net, [[-1.0]])
    assert outside.tolist() == [[-2.0]]  # nothing is claimed outside the box
    whole = reduce(net, norm=2, box=(0.75, 1.0))  # all three decided: one linear layer
    assert whole.network.depth == 1
    assert forward(whole.network, [[0.8]]) == pytest.approx(1.4, rel=1e-15)  # rounding


def test_infinite_boxes_decide_nothing() -> None:
    net = ReluNetwork(weights=[[[1.0, 0.0], [0.0, 1.0]], [[1.0, 1.0]]], biases=[[5.0, 5.0], [0.0]])
    assert reduce(net, norm=2, box=(-np.inf, np.inf)).steps == ()
    assert reduce(net, norm=2, box=([0.0, -np.inf], 1.0)).steps == ()
    assert reduce(net, norm=2, box=(0.0, 1.0)).network.depth == 1


def test_nothing_to_reduce_gives_the_network_itself() -> None:
    net = draw(np.random.default_rng(84), 3, d=4)
    found = reduce(net, norm=1)
    assert found.network is net
    assert found.steps == ()


def test_reduce_refuses_by_value() -> None:
    net = draw(np.random.default_rng(85), 2)
    with pytest.raises(ValueError, match="norm must be 0, 1, 2 or inf; got 3"):
        reduce(net, norm=3)
    with pytest.raises(ValueError, match=r"lo <= hi; got lo=1\.0, hi=0\.0"):
        reduce(net, norm=2, box=(1.0, 0.0))
    with pytest.raises(ValueError, match=r"d=5; got shape \(1, 4\)"):
        reduced_inputs(reduce(net, norm=1), np.zeros((1, 4)))


def test_layers_are_numbered_as_in_the_original() -> None:
    weights = [np.eye(2), [[1.0, 2.0], [2.0, 4.0]], np.ones((1, 2))]
    net = ReluNetwork(weights=weights, relu=[[False] * 2, [True] * 2])
    assert reduce(net, norm=1).steps == (
        "1 unit of layer 2 a multiple of another",
        "layer 1, linear, composed into layer 2",
    )
