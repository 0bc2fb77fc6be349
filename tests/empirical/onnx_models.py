"""Models of ONNX that tests lower."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from empirical.lowering import network_from_onnx
from theory.networks import ReluNetwork

IMAGE = (2, 6, 6)
RNG = np.random.default_rng(0)


def weights(*shape: int) -> Any:
    return RNG.normal(size=shape)


def node(operator: str, inputs: Sequence[str], output: str = "y", **settings: Any) -> Any:
    return helper.make_node(operator, inputs, [output], **settings)


def model_of(
    nodes: list[Any],
    constants: dict[str, Any] | None = None,
    *,
    shape: Sequence[int | str | None] = ("batch", *IMAGE),
    output: str = "y",
    kind: int = TensorProto.DOUBLE,
    opset: int = 17,
) -> Any:
    """Return a model with the input x."""
    held = [numpy_helper.from_array(np.asarray(c), n) for n, c in (constants or {}).items()]
    graph = helper.make_graph(
        nodes,
        "test",
        [helper.make_tensor_value_info("x", kind, shape)],
        [helper.make_tensor_value_info(output, kind, ["n", "outputs"])],
        held,
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)])


def lowered(model: Any, tmp_path: Path, **limits: Any) -> ReluNetwork:
    onnx.save(model, tmp_path / "net.onnx")
    return network_from_onnx(tmp_path / "net.onnx", **limits)


def classifier(kind: int = TensorProto.FLOAT, batch: int | str = "n", opset: int = 17) -> Any:
    """Return normalised inputs, a convolution, a shortcut, pooling and two layers."""
    dtype = helper.tensor_dtype_to_np_dtype(kind)
    rng = np.random.default_rng(5)
    constants = {
        "mean": rng.normal(size=(1, 2, 1, 1)),
        "std": rng.uniform(1, 2, size=(1, 2, 1, 1)),
        "w1": rng.normal(size=(2, 2, 3, 3)),
        "w2": rng.normal(size=(18, 5)),
        "w3": rng.normal(size=(3, 5)),
        "b3": rng.normal(size=3),
    }
    value = numpy_helper.from_array(rng.normal(size=5).astype(dtype))
    nodes = [
        node("Sub", ["x", "mean"], "centred"),
        node("Div", ["centred", "std"], "normal"),
        node("Conv", ["normal", "w1"], "conv", pads=[1, 1, 1, 1]),
        node("Relu", ["conv"], "cut"),
        node("Add", ["cut", "normal"], "sum"),
        node("MaxPool", ["sum"], "pooled", kernel_shape=[2, 2], strides=[2, 2]),
        node("Constant", [], "shape", value_ints=[-1 if batch != 1 else 1, 18]),
        node("Reshape", ["pooled", "shape"], "flat"),
        node("Identity", ["w2"], "w2 again"),
        node("MatMul", ["flat", "w2 again"], "product"),
        helper.make_node("Constant", [], ["b2"], value=value),
        node("Add", ["b2", "product"], "hidden"),
        node("Relu", ["hidden"], "hidden cut"),
        node("Transpose", ["w3"], "w3 turned"),
        node("Gemm", ["hidden cut", "w3 turned", "b3"], "y"),
    ]
    held = {name: array.astype(dtype) for name, array in constants.items()}
    return model_of(nodes, held, shape=(batch, *IMAGE), kind=kind, opset=opset)
