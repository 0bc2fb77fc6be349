"""ONNX files as ReLU networks, held against onnx's own evaluator."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from empirical.lowering import network_from_file
from theory.networks import ReluNetwork, forward

onnx = pytest.importorskip("onnx")

from onnx import TensorProto, helper  # noqa: E402  # after the skip
from onnx.reference import ReferenceEvaluator  # noqa: E402

from tests.empirical.onnx_models import IMAGE, classifier, lowered, model_of, node, weights  # noqa: E402


def assert_same_outputs(model: Any, tmp_path: Path) -> ReluNetwork:
    net = lowered(model, tmp_path)
    sides = [side.dim_value for side in model.graph.input[0].type.tensor_type.shape.dim]
    X = np.random.default_rng(3).normal(size=(4, *sides[1:]))
    expected = [ReferenceEvaluator(model).run(None, {"x": x[None]})[0].ravel() for x in X]
    # the same sums in another order, in float64
    np.testing.assert_allclose(forward(net, X.reshape(4, -1)), expected, rtol=1e-10, atol=1e-10)
    return net


SHAPE = np.array([0, -1])
OPERATORS: dict[str, tuple[Any, dict[str, Any]]] = {
    "relu": (node("Relu", ["x"]), {}),
    "identity": (node("Identity", ["x"]), {}),
    "flatten": (node("Flatten", ["x"]), {}),
    "flatten from the end": (node("Flatten", ["x"], axis=-3), {}),
    "reshape": (node("Reshape", ["x", "s"]), {"s": SHAPE}),
    "reshape of batches": (node("Reshape", ["x", "s"]), {"s": np.array([-1, 12, 6])}),
    "reshape of one": (node("Reshape", ["x", "s"]), {"s": np.array([1, 0, 36])}),
    "matmul": (node("MatMul", ["x", "w"]), {"w": weights(6, 3)}),
    "add": (node("Add", ["x", "c"]), {"c": weights(6, 1)}),
    "add itself": (node("Add", ["x", "x"]), {}),
    "subtract": (node("Sub", ["x", "c"]), {"c": weights(1, 2, 1, 1)}),
    "subtract from": (node("Sub", ["c", "x"]), {"c": weights(2, 6, 6)}),
    "subtract itself": (node("Sub", ["x", "x"]), {}),
    "multiply": (node("Mul", ["c", "x"]), {"c": np.array(2.5)}),
    "divide": (node("Div", ["x", "c"]), {"c": np.array([[[2.0]], [[-3.0]]])}),
    "transpose": (node("Transpose", ["x"], perm=[0, 1, 2, 3]), {}),
    "conv": (node("Conv", ["x", "w", "b"]), {"w": weights(3, 2, 3, 3), "b": weights(3)}),
    "conv padded": (
        node("Conv", ["x", "w"], pads=[1, 0, 2, 1], strides=[2, 1], dilations=[2, 1]),
        {"w": weights(3, 2, 3, 2)},
    ),
    "conv of groups": (node("Conv", ["x", "w"], group=2), {"w": weights(4, 1, 3, 3)}),
    "conv same upper": (
        node("Conv", ["x", "w"], auto_pad="SAME_UPPER", strides=[2, 1]),
        {"w": weights(1, 2, 3, 2)},
    ),
    "conv same lower": (
        node("Conv", ["x", "w"], auto_pad="SAME_LOWER", strides=[2, 1]),
        {"w": weights(1, 2, 3, 2)},
    ),
    "conv valid": (node("Conv", ["x", "w"], auto_pad="VALID"), {"w": weights(1, 2, 3, 2)}),
    "max": (node("MaxPool", ["x"], kernel_shape=[3, 2], strides=[2, 2], pads=[1, 0, 0, 0]), {}),
    "average": (node("AveragePool", ["x"], kernel_shape=[2, 3], pads=[1, 1, 1, 1]), {}),
    "average with padding": (
        node("AveragePool", ["x"], kernel_shape=[2, 2], pads=[1, 1, 0, 0], count_include_pad=1),
        {},
    ),
    "global average": (node("GlobalAveragePool", ["x"]), {}),
    "batch norm": (
        node("BatchNormalization", ["x", "g", "b", "m", "v"], epsilon=0.1),
        {"g": weights(2), "b": weights(2), "m": weights(2), "v": weights(2) ** 2},
    ),
}


@pytest.mark.parametrize("kind", OPERATORS)
def test_network_from_onnx_computes_each_operator(kind: str, tmp_path: Path) -> None:
    assert_same_outputs(model_of([OPERATORS[kind][0]], OPERATORS[kind][1]), tmp_path)


@pytest.mark.parametrize("settings", [{}, {"alpha": 0.5, "beta": -2.0}, {"transB": 1}])
@pytest.mark.parametrize("bias", [None, (), (3,), (1, 3), (1, 1)])
def test_network_from_onnx_computes_gemm(settings: Any, bias: Any, tmp_path: Path) -> None:
    constants = {"w": weights(*((3, 4) if "transB" in settings else (4, 3)))}
    if bias is not None:
        constants["c"] = weights(*bias)
    model = model_of([node("Gemm", ["x", *constants], **settings)], constants, shape=(None, 4))
    assert_same_outputs(model, tmp_path)


@pytest.mark.parametrize("batch", [1, "n"])
@pytest.mark.parametrize("opset", [13, 17, onnx.defs.onnx_opset_version()])
def test_network_from_onnx_computes_a_classifier(batch: Any, opset: int, tmp_path: Path) -> None:
    net = assert_same_outputs(classifier(TensorProto.DOUBLE, batch, opset), tmp_path)
    assert net.outputs == 3
    assert not net.relu[0].all()  # the shortcut


@pytest.mark.parametrize("kind", [TensorProto.FLOAT, TensorProto.FLOAT16])
def test_network_from_onnx_reads_lower_precisions_exactly(kind: int, tmp_path: Path) -> None:
    net = lowered(classifier(kind), tmp_path)
    twin = network_from_file(tmp_path / "net.onnx")
    assert twin.names.tolist() == [0, 1, 2]
    X = np.random.default_rng(0).normal(size=(3, 72)).astype(np.float32)
    given = ReferenceEvaluator(classifier()).run(None, {"x": X.reshape(3, *IMAGE)})[0]
    tolerance = {TensorProto.FLOAT: 1e-5, TensorProto.FLOAT16: 1e-2}[kind]  # roundings of each
    np.testing.assert_allclose(forward(net, X), given, rtol=tolerance, atol=10 * tolerance)


def test_network_from_onnx_reads_weights_that_are_listed_as_inputs(tmp_path: Path) -> None:
    model = model_of([node("MatMul", ["x", "w"])], {"w": weights(6, 3)})
    extra = helper.make_tensor_value_info("w", TensorProto.DOUBLE, [6, 3])
    model.graph.input.insert(0, extra)
    assert lowered(model, tmp_path).outputs == 2 * 6 * 3
