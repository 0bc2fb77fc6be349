"""`sparsebound certify` names what is wrong inside a network's file, of whatever kind."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pytest
import torch
from sklearn.neural_network import MLPClassifier
from torch import nn

from tests.sparsebound.certified import certify, check_refused, npz, numbers, random_layers, table


def unlike(name: str, change: Callable[[Any], None]) -> dict[str, Any]:
    """Return layers of widths 4-6-3, one array changed in place."""
    arrays = random_layers(4, 6, 3)
    change(arrays[name])
    return arrays


def spoil(array: Any) -> None:
    array.flat[-1] = np.nan


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return npz(tmp_path / "data.npz", X=np.ones((3, 4)))


def save_onnx(path: Path, arrays: dict[str, Any], *, operator: str = "Relu") -> None:
    onnx = pytest.importorskip("onnx")
    helper, double = onnx.helper, onnx.TensorProto.DOUBLE
    nodes = [
        helper.make_node("Gemm", ["x", "W1", "b1"], ["z"], name="first", transB=1),
        helper.make_node(operator, ["z"], ["h"], name="middle"),
        helper.make_node("Gemm", ["h", "W2", "b2"], ["out"], name="last", transB=1),
    ]
    ends = [
        helper.make_tensor_value_info(name, double, ["n", width])
        for name, width in (("x", 4), ("out", 3))
    ]
    held = [onnx.numpy_helper.from_array(value, name) for name, value in arrays.items()]
    graph = helper.make_graph(nodes, "net", ends[:1], ends[1:], held)
    opset = [helper.make_opsetid("", 17)]
    onnx.save(helper.make_model(graph, opset_imports=opset, ir_version=9), path)


@pytest.mark.parametrize(
    ("arrays", "operator", "said"),
    [
        (random_layers(4, 6, 3), "Sigmoid", "node 'middle' (Sigmoid) is not covered"),
        (random_layers(4, 6, 3) | {"W2": np.ones((3, 7))}, "Relu", "'last' (Gemm)"),
        (unlike("W2", spoil), "Relu", "weights[1] must be finite; got nan at index (2, 5)"),
        (unlike("b1", spoil), "Relu", "biases[0] must be finite; got nan at index 5"),
    ],
)
def test_certify_refuses_onnx_by_node_and_value(
    tmp_path: Path, data: Path, arrays: dict[str, Any], operator: str, said: str
) -> None:
    save_onnx(tmp_path / "net.onnx", arrays, operator=operator)
    check_refused(certify(tmp_path / "net.onnx", data), "net.onnx cannot be lowered", said)


def test_certify_refuses_onnx_whose_weights_are_elsewhere(tmp_path: Path, data: Path) -> None:
    onnx = pytest.importorskip("onnx")
    save_onnx(tmp_path / "whole.onnx", random_layers(4, 6, 3))
    onnx.save(
        onnx.load(tmp_path / "whole.onnx"),
        tmp_path / "net.onnx",
        save_as_external_data=True,
        size_threshold=0,
        location="weights.bin",
    )
    check_refused(certify(tmp_path / "net.onnx", data), "net.onnx", "'W1' is in another")


@pytest.mark.parametrize(
    ("module", "said"),
    [
        (nn.Sequential(nn.Linear(4, 6), nn.ReLU(), nn.Linear(5, 3)), "got shape (3, 5)"),
        (nn.Sequential(nn.Conv2d(1, 2, 2), nn.Linear(4, 6)), "(2, 1, 2, 2)"),
        (nn.Sequential(nn.BatchNorm1d(4), nn.Linear(4, 6)), "'0.num_batches_tracked'"),
        (nn.Sequential(nn.Linear(3, 6), nn.ReLU(), nn.Linear(6, 3)), "3 numbers each"),
    ],
)
def test_certify_refuses_state_dicts_by_layer_and_shape(
    tmp_path: Path, data: Path, module: nn.Module, said: str
) -> None:
    torch.save(module.state_dict(), tmp_path / "net.pt")
    check_refused(certify(tmp_path / "net.pt", data), said)


def test_certify_refuses_state_dicts_that_hold_no_number(tmp_path: Path, data: Path) -> None:
    state = nn.Sequential(nn.Linear(4, 6), nn.ReLU(), nn.Linear(6, 3)).state_dict()
    state["2.weight"][1, 2] = float("inf")
    torch.save(state, tmp_path / "net.pt")
    check_refused(certify(tmp_path / "net.pt", data), "net.pt", "got inf at index (1, 2)")


@pytest.mark.filterwarnings("ignore:Stochastic Optimizer")  # one step suffices here
@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"activation": "tanh"}, "must be relu or identity; got 'tanh'"),
        ({"coefs_": [np.ones((4, 5)), np.ones((6, 3))]}, "must have 6 entries; got shape (5,)"),
        ({"coefs_": [np.full((4, 5), np.nan), np.ones((5, 3))]}, "must be finite; got nan"),
    ],
)
def test_certify_refuses_perceptrons_by_value(
    tmp_path: Path, data: Path, changes: dict[str, Any], said: str
) -> None:
    X, y = np.random.default_rng(0).normal(size=(30, 4)), np.arange(30) % 3
    fitted = MLPClassifier((5,), max_iter=1, random_state=0).fit(X, y)
    for name, value in changes.items():
        setattr(fitted, name, value)
    joblib.dump(fitted, tmp_path / "mlp.joblib")
    check_refused(certify(tmp_path / "mlp.joblib", data, "--trust-pickle"), said)


def test_certify_gives_the_bounds_it_has_when_time_is_over(tmp_path: Path) -> None:
    model = npz(tmp_path / "net.npz", **random_layers(8, 20, 20, 3))
    X, out = 2 * np.random.default_rng(6).normal(size=(2, 8)), tmp_path / "rows.csv"
    data = npz(tmp_path / "data.npz", X=X)
    options = ("--exact", "--time-limit", "1e-9", "--norm", "inf", "--out", out)
    summary = numbers(model, data, *options)
    late = [row for row in table(out) if row["status"] == "time limit"]
    assert summary["searches"]["time limit"] == len(late) > 0
    assert all(0 < float(row["radius"]) < float(row["upper"]) < np.inf for row in late)
    assert {row["kind"] for row in late} == {"lower"}
    assert summary["kind"].endswith("else proven lower bound")
    assert 0 < summary["largest relative gap"] < 1
