"""What an ONNX file must be to become a ReLU network."""

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from empirical.lowering import network_from_onnx

onnx = pytest.importorskip("onnx")

from onnx import TensorProto, helper  # noqa: E402  # after the skip

from tests.empirical.onnx_models import classifier, lowered, model_of, node, weights  # noqa: E402


def external() -> Any:
    model = model_of([node("MatMul", ["x", "w"])], {"w": weights(6, 3)})
    tensor = model.graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="/etc/passwd")
    return model


def short() -> Any:
    model = model_of([node("MatMul", ["x", "w"])], {"w": weights(6, 3)})
    model.graph.initializer[0].raw_data = b"1234"
    return model


def two_opsets() -> Any:
    model = model_of([node("Relu", ["x"])])
    model.opset_import.add(domain="", version=12)
    return model


def two_inputs() -> Any:
    model = model_of([node("Add", ["x", "z"])])
    model.graph.input.append(helper.make_tensor_value_info("z", TensorProto.DOUBLE, [1]))
    return model


POOL: dict[str, Any] = {"kernel_shape": [4, 4], "strides": [3, 3]}


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (
            model_of([node("Sigmoid", ["x"], name="last")]),
            r"node 'last' \(Sigmoid\) is not covered",
        ),
        (model_of([node("Softmax", ["x"])]), r"node 0 \(Softmax\) is not covered; known"),
        (model_of([node("Shape", ["x"])]), r"node 0 \(Shape\)"),
        (model_of([node("Relu", ["x"], domain="com.me")]), r"node 0 \(com\.me\.Relu\)"),
        (
            model_of([helper.make_node("MaxPool", ["x"], ["y", "i"], kernel_shape=[2, 2])]),
            r"\(MaxPool\) must have one output; got \['y', 'i'\]",
        ),
        (model_of([node("Mul", ["x", "x"])]), r"node 0 \(Mul\): two values .* got mul"),
        (model_of([node("Div", ["c", "x"])], {"c": np.ones(1)}), r"\(Div\): .* divisor must not"),
        (model_of([node("Div", ["x", "c"])], {"c": np.zeros(1)}), "must not be zero"),
        (model_of([node("Add", ["x", "c"])], {"c": np.ones((5, 1, 1, 1))}), "must broadcast to"),
        (model_of([node("MatMul", ["c", "x"])], {"c": np.ones((6, 6))}), "it is constant"),
        (model_of([node("MatMul", ["x", "c"])], {"c": np.ones(6)}), "two axes"),
        (model_of([node("MatMul", ["x", "c"])], {"c": np.ones((5, 3))}), "must have 5 entries"),
        (model_of([node("Gemm", ["x", "c"])], {"c": np.ones((6, 3))}), r"A must have shape \(n, k"),
        (model_of([node("Conv", ["x", "x"])]), r"\(Conv\): W must be constant"),
        (model_of([node("Conv", ["x", "c"])], {"c": np.ones((1, 2, 3))}), "four axes"),
        (model_of([node("Conv", ["x", "c"])], {"c": np.ones((1, 2, 7, 7))}), "must fit into"),
        (model_of([node("MaxPool", ["x"], ceil_mode=1, **POOL)]), "ceil_mode must be 0"),
        (model_of([node("AveragePool", ["x"], kernel_shape=[2])]), "must be two sides"),
        (model_of([node("Flatten", ["x"], axis=2)]), "axis must be 1, .* got 2"),
        (model_of([node("Reshape", ["x", "c"])], {"c": np.array([2, -1])}), "must keep the batch"),
        (model_of([node("Reshape", ["x", "c"])], {"c": np.array([0, 7])}), "cannot take the shape"),
        (model_of([node("Transpose", ["x"], perm=[0, 2, 1, 3])]), "may only move axes of length 1"),
        (model_of([node("Relu", ["z"])]), r"cannot be lowered: .*z"),
        (model_of([node("Identity", ["c"])], {"c": np.ones(3)}), "output must depend on its input"),
        (model_of([node("Relu", ["x"])], opset=6), r"one opset in 7\.\..*; got \[6\]"),
        (model_of([node("Relu", ["x"])], opset=99), r"one opset in 7\.\..*; got \[99\]"),
        (two_opsets(), r"one opset in 7\.\..*; got \[17, 12\]"),
        (two_inputs(), r"one input and one output; got \['x', 'z'\] and \['y'\]"),
        (
            model_of([node("Relu", ["x"])], shape=("n", "channels", 6)),
            r"known length; got \[None, N",
        ),
        (model_of([node("Relu", ["x"])], shape=(2, 6)), r"known length; got \[2, 6\]"),
        (model_of([node("Relu", ["x"])], shape=(6,)), r"known length; got \[6\]"),
        (model_of([node("Relu", ["x"])], kind=TensorProto.INT32), "of a floating type"),
        (external(), "all weights must be in the file; 'w' is in another"),
        (short(), "net.onnx cannot be lowered"),
    ],
)
def test_network_from_onnx_refuses_by_name(model: Any, message: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=message):
        lowered(model, tmp_path)


def test_network_from_onnx_says_that_a_file_is_empty(tmp_path: Path) -> None:
    (tmp_path / "net.onnx").touch()
    with pytest.raises(ValueError, match=r"net\.onnx is empty; it must be a whole ONNX file"):
        network_from_onnx(tmp_path / "net.onnx")


@pytest.mark.parametrize(
    ("nodes", "message"),
    [
        ([node("MatMul", ["x", "w"], "z"), node("MatMul", ["z", "w"])], "must be finite; got"),
        (
            [node("MatMul", ["x", "w"], "z"), node("Relu", ["z"], "a"), node("MatMul", ["a", "w"])],
            "outputs must not overflow",
        ),
        ([node("BatchNormalization", ["x", "c", "c", "c", "small"])], "must be finite; got"),
    ],
)
def test_network_from_onnx_refuses_what_overflows_and_warns_of_nothing(
    nodes: list[Any], message: str, tmp_path: Path
) -> None:
    held = {"w": np.full((6, 6), 1e200), "c": np.full(2, 1e200), "small": np.full(2, -1e-5)}
    with pytest.raises(ValueError, match=rf"net\.onnx cannot be lowered: .*{message}"):
        lowered(model_of(nodes, held), tmp_path)


def test_network_from_onnx_refuses_what_is_too_large(tmp_path: Path) -> None:
    model = model_of([node("MatMul", ["x", "w"], name="wide")], {"w": np.ones((6, 5))})
    with pytest.raises(ValueError, match=r"node 'wide' \(MatMul\): max_entries=359 .* least 360"):
        lowered(model, tmp_path, max_entries=359)
    lowered(model, tmp_path, max_entries=360)
    with pytest.raises(
        ValueError, match=r"max_entries=20 entries in all; up to 'w', of shape \[6, 5\], .* 30\."
    ):
        lowered(model, tmp_path, max_entries=20)
    model.graph.initializer[0].dims[0] = 10**12  # refused before it is allocated
    with pytest.raises(ValueError, match=r"max_entries=50,000,000 entries in all; up to 'w'"):
        lowered(model, tmp_path)
    model.graph.initializer[0].dims[0] = -6
    with pytest.raises(ValueError, match=r"'w' must have sides of at least 0; got \[-6, 5\]"):
        lowered(model, tmp_path)
    big = model_of([node("MatMul", ["x", "w"])], {"w": np.ones((6, 30_000))})
    with pytest.raises(ValueError, match="at most max_entries=1,000 numbers; it has 1,44"):
        lowered(big, tmp_path, max_entries=1000)


def test_network_from_onnx_counts_the_entries_of_all_tensors(tmp_path: Path) -> None:
    value = onnx.numpy_helper.from_array(np.ones(5))
    nodes = [
        node("MatMul", ["x", "w"], "z"),
        helper.make_node("Constant", [], ["c"], value=value),
        node("Add", ["z", "c"]),
    ]
    model = model_of(nodes, {"w": weights(6, 5), "unused": np.ones(400)})  # 30, 400 and 5
    lowered(model, tmp_path, max_entries=435)
    with pytest.raises(ValueError, match=r"max_entries=434 .* up to 'c', of shape \[5\], .* 435\."):
        lowered(model, tmp_path, max_entries=434)


def test_network_from_onnx_reads_or_refuses_every_damaged_file(tmp_path: Path) -> None:
    path = tmp_path / "net.onnx"
    onnx.save(classifier(), path)
    whole = path.read_bytes()
    rng = np.random.default_rng(0)
    versions = [whole[:size] for size in range(0, len(whole), len(whole) // 40)]
    for _ in range(60):
        changed = bytearray(whole)
        changed[rng.integers(len(whole))] ^= int(rng.integers(1, 256))
        versions.append(bytes(changed))
    refused = []
    for version in [*versions, b"text", rng.bytes(500)]:
        path.write_bytes(version)
        try:
            network_from_onnx(path)
        except ValueError as error:
            refused.append(str(error))
    assert all(str(path) in message for message in refused)
    assert len(refused) >= 40  # all that are cut short


def test_network_from_onnx_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(sys.modules, "empirical.lowering.onnx_files", raising=False)
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(ImportError, match=r"pip install 'sparsebound\[onnx\]'"):
        network_from_onnx(tmp_path / "net.onnx")
