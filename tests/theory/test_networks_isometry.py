"""Networks on isometric inputs: where the inputs of a reduced network are, and distances there."""

from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp

from tests.theory.test_networks_reduce import AGREE, again, as_csr, check, draw
from theory.networks import ReluNetwork, forward
from theory.networks.reduce import reduce, reduced_inputs


@pytest.mark.parametrize("depth", [1, 2, 3])
def test_isometry_keeps_outputs_and_distances(depth: int) -> None:
    rng = np.random.default_rng(60 + depth)
    for _ in range(10):
        net = draw(rng, depth, d=40)
        found = reduce(net, norm=2)
        Q = found.input_map
        assert Q.shape == (40, found.network.dimension)
        assert Q.shape[1] == net.weights[0].shape[0] < 40
        gram = Q.T @ Q
        assert gram == pytest.approx(np.eye(Q.shape[1]), abs=1e-13)  # rounding
        X = rng.normal(size=(20, 40))
        check(net, found, X)
        # A move in the reduced space comes back as one of the same length with the same outputs,
        Z = reduced_inputs(found, X)
        moves = rng.normal(size=Z.shape)
        back = X + moves @ Q.T
        # rounding of sums of forty terms
        assert np.linalg.norm(back - X, axis=1) == pytest.approx(np.linalg.norm(moves, axis=1))
        moved = forward(found.network, Z + moves)
        assert forward(net, back) == pytest.approx(moved, rel=AGREE, abs=1e-9)
        # and no move gets longer on its way there.
        step = rng.normal(size=X.shape)
        assert (np.linalg.norm(step @ Q, axis=1) <= np.linalg.norm(step, axis=1)).all()
        again(found, 2)


@pytest.mark.parametrize("sparse", [False, True])
def test_rank_deficient_first_layers_are_found(sparse: bool) -> None:
    rng = np.random.default_rng(70)
    first = rng.normal(size=(30, 3)) @ rng.normal(size=(3, 20))
    first *= 10.0 ** rng.uniform(-9, 9, size=(30, 1))  # rows of all sizes: rank is not a size
    first = np.hstack([first, np.zeros((30, 5))])
    last = rng.normal(size=(2, 30)) / np.abs(first).max(axis=1)
    net = ReluNetwork(weights=[first, last], biases=[np.abs(first).max(axis=1), [0.0, 0.0]])
    found = reduce(as_csr(net) if sparse else net, norm=2)
    assert found.network.dimension == 3
    check(net, found, rng.normal(size=(20, 25)))


def test_nearly_rank_deficient_layers_keep_their_rank() -> None:
    rng = np.random.default_rng(71)
    first = rng.normal(size=(30, 3)) @ rng.normal(size=(3, 20))
    first += 1e-9 * rng.normal(size=first.shape)
    net = ReluNetwork(weights=[first, rng.normal(size=(2, 30))])
    assert reduce(net, norm=2).steps == ()


def test_features_that_no_unit_uses_go_with_the_isometry_alone() -> None:
    rng = np.random.default_rng(80)
    W = rng.normal(size=(20, 6))
    W[:, [1, 4]] = 0.0
    for weights in ([W, rng.normal(size=(2, 20))], [sp.csr_array(W), rng.normal(size=(2, 20))]):
        net = ReluNetwork(weights=weights, biases=[rng.normal(size=20), [0.0, 0.0]])
        found = reduce(net, norm=2)
        assert found.steps == ("inputs mapped isometrically from 6 to 4 dimensions",)
        assert found.input_map.toarray().tolist() == np.eye(6)[:, [0, 2, 3, 5]].tolist()
        assert sp.issparse(found.network.weights[0]) == sp.issparse(weights[0])
        check(net, found, rng.normal(size=(5, 6)))
        for norm, box in ((1, None), (np.inf, None), (0, None), (2, (-9.0, 9.0)), (1, (-9.0, 9.0))):
            same = reduce(net, norm=norm, box=box)
            assert same.input_map is None
            assert same.network.dimension == 6


def test_isometry_does_not_fill_a_sparse_layer() -> None:
    rng = np.random.default_rng(81)
    W = sp.csr_array(rng.normal(size=(30, 100)) * (rng.random((30, 100)) < 0.02))
    net = ReluNetwork(weights=[W, np.ones((2, 30))], biases=[rng.normal(size=30), [0.0, 0.0]])
    found = reduce(net, norm=2)
    assert sp.issparse(found.input_map)
    assert found.network.weights[0].nnz == W.nnz
    check(net, found, rng.normal(size=(5, 100)))


@pytest.mark.parametrize(("norm", "box"), [(0, None), (1, None), (np.inf, None), (2, (-9.0, 9.0))])
def test_isometry_is_for_l2_without_a_box(norm: float, box: Any) -> None:
    net = draw(np.random.default_rng(82), 2, d=40)
    found = reduce(net, norm=norm, box=box)
    assert found.input_map is None
    assert found.network.dimension == 40


def test_reduced_inputs_of_tensors_are_tensors() -> None:
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(83)
    X = rng.normal(size=(4, 40))
    for norm in (1, 2):
        found = reduce(draw(rng, 2, d=40), norm=norm)
        got = reduced_inputs(found, torch.as_tensor(X))
        # two libraries' orders of summation
        assert got.numpy() == pytest.approx(reduced_inputs(found, X), abs=1e-12)
