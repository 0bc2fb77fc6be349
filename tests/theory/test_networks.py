"""The record of a ReLU network and what it computes, by hand and by finite differences."""

from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp

from theory.networks import (
    ReluNetwork,
    activation_pattern,
    class_scores,
    forward,
    jacobian,
    preactivations,
)

# x -> (|x0 - x1|, x0 + 1): two rectified units, and a linear one that carries x0.
BY_HAND = {
    "weights": [[[1.0, -1.0], [-1.0, 1.0], [1.0, 0.0]], [[1.0, 1.0, 0.0], [0.0, 0.0, 1.0]]],
    "biases": [[0.0, 0.0, 0.0], [0.0, 1.0]],
    "relu": [[True, True, False]],
}


def draw(seed: int, widths: tuple[int, ...] = (6, 7, 5, 3), density: float = 1.0) -> ReluNetwork:
    rng = np.random.default_rng(seed)
    shapes = list(zip(widths[1:], widths[:-1], strict=True))
    return ReluNetwork(
        weights=[rng.normal(size=s) * (rng.random(s) < density) for s in shapes],
        biases=[rng.normal(size=n) for n in widths[1:]],
        relu=[rng.random(n) < 0.7 for n in widths[1:-1]],
    )


def as_csr(net: ReluNetwork) -> ReluNetwork:
    weights = [sp.csr_array(W) for W in net.weights]
    return ReluNetwork(weights=weights, biases=net.biases, relu=net.relu)


def test_forward_by_hand() -> None:
    net = ReluNetwork(**BY_HAND)
    X = [[2.0, 5.0], [-4.0, -6.0]]
    assert forward(net, X).tolist() == [[3.0, 3.0], [2.0, -3.0]]
    assert preactivations(net, X)[0].tolist() == [[-3.0, 3.0, 2.0], [2.0, -2.0, -4.0]]


def test_record_views() -> None:
    net = ReluNetwork(**BY_HAND)
    assert (net.depth, net.dimension, net.widths, net.outputs) == (2, 2, (3,), 2)
    assert net.classes.tolist() == [0, 1]
    assert net.densities == (5 / 6, 3 / 6)
    assert as_csr(net).densities == net.densities
    assert ReluNetwork(weights=[[[1.0, 0.0]]]).classes.tolist() == [-1, 1]


def test_biases_are_zero_and_hidden_units_rectified_by_default() -> None:
    net = ReluNetwork(weights=BY_HAND["weights"])
    assert [b.tolist() for b in net.biases] == [[0.0] * 3, [0.0] * 2]
    assert forward(net, [[-4.0, -6.0]]).tolist() == [[2.0, 0.0]]  # x0 now cut off at zero


def test_one_layer_is_linear() -> None:
    net = ReluNetwork(weights=[[[1.0, 2.0]]], biases=[[3.0]])
    assert forward(net, [[1.0, -10.0]]).tolist() == [[-16.0]]
    assert jacobian(net, [[1.0, -10.0]]).tolist() == [[[1.0, 2.0]]]
    assert activation_pattern(net, [[1.0, -10.0]]) == []


def test_class_scores_of_one_output_are_zero_and_it() -> None:
    net = ReluNetwork(weights=[[[1.0, 2.0]]])
    assert class_scores(net, [[1.0, 1.0]]).tolist() == [[0.0, 3.0]]
    many = ReluNetwork(**BY_HAND)
    assert class_scores(many, [[2.0, 5.0]]).tolist() == [[3.0, 3.0]]


def test_pattern_passes_what_is_above_zero_and_all_linear_units() -> None:
    net = ReluNetwork(**BY_HAND)
    (passed,) = activation_pattern(net, [[2.0, 5.0], [-4.0, -4.0]])
    assert passed.tolist() == [[False, True, True], [False, False, True]]


@pytest.mark.parametrize("sparse", [False, True])
@pytest.mark.parametrize("seed", range(5))
def test_jacobian_is_the_slope_between_kinks(seed: int, sparse: bool) -> None:
    net = as_csr(draw(seed)) if sparse else draw(seed)
    X = np.random.default_rng(100 + seed).normal(size=(20, 6))
    step = 1e-5
    slopes = jacobian(net, X)
    away = np.ones(len(X), dtype=bool)
    found = np.empty_like(slopes)
    for i in range(6):
        move = step * np.eye(6)[i]
        for passed, moved in zip(
            activation_pattern(net, X - move), activation_pattern(net, X + move), strict=True
        ):
            away &= (passed == moved).all(axis=1)
        found[..., i] = (forward(net, X + move) - forward(net, X - move)) / (2 * step)
    assert away.sum() >= 15
    # linear between kinks: rounding of outputs of order 1e2, over the step
    assert slopes[away] == pytest.approx(found[away], abs=1e-8)


@pytest.mark.parametrize("density", [1.0, 0.3])
def test_csr_computes_what_dense_does(density: float) -> None:
    net = draw(0, density=density)
    X = np.random.default_rng(1).normal(size=(9, 6))
    # 1e-12: two orders of summation of a few terms of order ten
    assert forward(as_csr(net), X) == pytest.approx(forward(net, X), rel=1e-12, abs=1e-12)
    assert jacobian(as_csr(net), X) == pytest.approx(jacobian(net, X), rel=1e-12, abs=1e-12)


@pytest.mark.parametrize("sparse", [False, True])
def test_torch_tensors_give_tensors_of_the_same_numbers(sparse: bool) -> None:
    torch = pytest.importorskip("torch")
    net = as_csr(draw(2)) if sparse else draw(2)
    X = np.random.default_rng(3).normal(size=(8, 6))
    tensor = torch.as_tensor(X)
    functions: list[Any] = [forward, class_scores, jacobian]
    for function in functions:
        got = function(net, tensor)
        assert isinstance(got, torch.Tensor)
        assert got.dtype == torch.float64
        # 1e-12: two libraries' orders of summation
        assert got.numpy() == pytest.approx(function(net, X), rel=1e-12, abs=1e-12)
    for got, wanted in zip(
        activation_pattern(net, tensor), activation_pattern(net, X), strict=True
    ):
        assert (got.numpy() == wanted).all()


def test_torch_keeps_its_precision_and_gradients() -> None:
    torch = pytest.importorskip("torch")
    net = draw(4)
    X = torch.randn(5, 6, generator=torch.Generator().manual_seed(0), dtype=torch.float32)
    assert forward(net, X).dtype == torch.float32
    X = X.double().requires_grad_()
    (gradient,) = torch.autograd.grad(forward(net, X)[:, 1].sum(), X)
    # 1e-12: autograd multiplies in the same order
    assert gradient.numpy() == pytest.approx(jacobian(net, X.detach())[:, 1].numpy(), abs=1e-12)


def test_linear_units_are_not_rectified() -> None:
    net = draw(5)
    linear = ReluNetwork(
        weights=net.weights, biases=net.biases, relu=[np.zeros_like(m) for m in net.relu]
    )
    X = np.random.default_rng(6).normal(size=(4, 6))
    product = net.weights[2] @ net.weights[1] @ net.weights[0]
    slopes = jacobian(linear, X)
    assert slopes == pytest.approx(np.broadcast_to(product, slopes.shape), rel=1e-12)  # rounding
    middle = (forward(linear, X[:1]) + forward(linear, X[1:2])) / 2
    # rounding of terms of order ten
    assert forward(linear, (X[:1] + X[1:2]) / 2) == pytest.approx(middle, abs=1e-12)


def test_record_does_not_share_the_caller_s_arrays() -> None:
    W, b, mask = np.eye(2), np.zeros(2), np.ones(2, dtype=bool)
    net = ReluNetwork(weights=[W, W], biases=[b, b], relu=[mask])
    W[0, 0], b[0], mask[0] = 7.0, 7.0, False
    assert forward(net, [[-1.0, 1.0]]).tolist() == [[0.0, 1.0]]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"weights": []}, "at least one"),
        ({"weights": np.eye(2)}, "sequence of arrays"),
        ({"weights": [np.eye(2), np.eye(3)]}, r"weights\[1\] must have 2 columns.*\(3, 3\)"),
        ({"weights": [[1.0, 2.0]]}, r"weights\[0\] must have shape \(out, in\).*\(2,\)"),
        ({"weights": [np.empty((0, 2))]}, "neither zero"),
        ({"weights": [[[np.nan]]]}, r"weights\[0\] must be finite; got nan"),
        ({"weights": [sp.csr_array([[np.inf]])]}, r"weights\[0\] must be finite; got inf"),
        ({"weights": [np.eye(2)], "biases": [[0.0]]}, r"biases\[0\] must have shape \(2,\)"),
        ({"weights": [np.eye(2)], "biases": []}, "one a layer, 1; got 0"),
        ({"weights": [np.eye(2)] * 2, "relu": []}, "one mask a hidden layer, 1; got 0"),
        ({"weights": [np.eye(2)] * 2, "relu": [[1, 0]]}, r"relu\[0\] must be 2 booleans; got int"),
        ({"weights": [np.eye(2)] * 2, "relu": [[True]]}, r"got bool of shape \(1,\)"),
    ],
)
def test_record_refuses_by_value(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises((TypeError, ValueError), match=message):
        ReluNetwork(**arguments)


@pytest.mark.parametrize("function", [forward, class_scores, activation_pattern, jacobian])
def test_functions_refuse_bad_inputs(function: Any) -> None:
    net = draw(7)
    with pytest.raises(ValueError, match=r"d=6; got shape \(1, 5\)"):
        function(net, np.zeros((1, 5)))
    with pytest.raises(ValueError, match="got nan at index"):
        function(net, np.full((1, 6), np.nan))
    with pytest.raises(TypeError, match="sparse"):
        function(net, sp.csr_array(np.zeros((1, 6))))


def test_functions_refuse_bad_tensors() -> None:
    torch = pytest.importorskip("torch")
    net = draw(8)
    with pytest.raises(ValueError, match=r"d=6; got shape \(1, 5\)"):
        forward(net, torch.zeros(1, 5))
    with pytest.raises(ValueError, match="finite"):
        forward(net, torch.full((1, 6), float("nan")))
    with pytest.raises(TypeError, match=r"floating type; got torch\.int64"):
        forward(net, torch.zeros(1, 6, dtype=torch.int64))


def test_relu_network_keeps_what_is_given_as_it_is() -> None:
    given = sp.csr_array(np.array([[1.0, 0.0], [2.0, 3.0]]))
    given.data[1] = 0.0  # an explicit zero, which the record drops from its own copy
    net = ReluNetwork(weights=[given])
    assert given.nnz == 3
    given.data[0] = 7.0
    assert net.weights[0].toarray().tolist() == [[1.0, 0.0], [0.0, 3.0]]
