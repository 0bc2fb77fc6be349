"""`sparsebound certify` reads every kind of model and of data, and says so."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier
from torch import nn

from sparsebound.certify import certify as command
from tests.sparsebound.certified import (
    ABSOLUTE,
    TOL,
    X1,
    Y1,
    certify,
    check_refused,
    column,
    npz,
    numbers,
    random_layers,
    table,
)


def check_same_as_npz(path: Path, arrays: dict[str, Any], folder: Path, *options: Any) -> None:
    X = np.random.default_rng(3).normal(size=(5, arrays["W1"].shape[1]))
    data, out = npz(folder / "data.npz", X=X), folder / "rows.csv"
    numbers(path, data, "--method", "crown", "--out", out, *options)
    first = column(out, "radius")
    numbers(npz(folder / "same.npz", **arrays), data, "--method", "crown", "--out", out)
    assert first == pytest.approx(column(out, "radius"), rel=2 * TOL)
    assert max(first) > 0


def test_takes_a_state_dict_and_its_architecture(tmp_path: Path) -> None:
    module = nn.Sequential(nn.Linear(4, 6), nn.ReLU(), nn.Linear(6, 3)).double()
    arrays = {
        f"{'W' if p.ndim == 2 else 'b'}{1 + j // 2}": p.detach().numpy()
        for j, p in enumerate(module.parameters())
    }
    for name in ("net.pt", "net.pth"):
        torch.save(module.state_dict(), tmp_path / name)
        check_same_as_npz(tmp_path / name, arrays, tmp_path, "--architecture", "4-6-3")
    wrong = certify(tmp_path / "net.pt", tmp_path / "data.npz", "--architecture", "4-7-3")
    check_refused(wrong, "4-7-3", "4-6-3", "net.pt")


def test_takes_onnx(tmp_path: Path) -> None:
    onnx = pytest.importorskip("onnx")
    helper, arrays = onnx.helper, random_layers(4, 6, 3)
    nodes = [
        helper.make_node("Gemm", ["x", "W1", "b1"], ["z"], transB=1),
        helper.make_node("Relu", ["z"], ["h"]),
        helper.make_node("Gemm", ["h", "W2", "b2"], ["out"], transB=1),
    ]
    double = onnx.TensorProto.DOUBLE
    graph = helper.make_graph(
        nodes,
        "net",
        [helper.make_tensor_value_info("x", double, ["n", 4])],
        [helper.make_tensor_value_info("out", double, ["n", 3])],
        [onnx.numpy_helper.from_array(value, name) for name, value in arrays.items()],
    )
    opset = [helper.make_opsetid("", 17)]
    onnx.save(helper.make_model(graph, opset_imports=opset, ir_version=9), tmp_path / "net.onnx")
    check_same_as_npz(tmp_path / "net.onnx", arrays, tmp_path)


def test_onnx_that_is_not_installed_is_no_defect(
    tmp_path: Path, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "onnx", None)
    monkeypatch.delitem(sys.modules, "empirical.lowering.onnx_files", raising=False)
    (tmp_path / "net.onnx").write_bytes(b"anything")
    check_refused(certify(tmp_path / "net.onnx", data), "sparsebound[onnx]")


def test_takes_a_trusted_perceptron(tmp_path: Path) -> None:
    rng = np.random.default_rng(4)
    X, y = rng.normal(size=(60, 3)), rng.choice(["ant", "bee", "cow"], size=60)
    fitted = MLPClassifier((5,), solver="lbfgs", max_iter=50, random_state=0)
    with pytest.warns(match="converge"):
        fitted.fit(X, y)
    joblib.dump(fitted, tmp_path / "mlp.joblib")
    data, out = npz(tmp_path / "data.npz", X=X, y=y), tmp_path / "rows.csv"
    check_refused(certify(tmp_path / "mlp.joblib", data), "--trust-pickle", "mlp.joblib")
    summary = numbers(tmp_path / "mlp.joblib", data, "--trust-pickle", "--out", out)
    assert [row["predicted"] for row in table(out)] == fitted.predict(X).tolist()
    assert [row["label"] for row in table(out)] == y.tolist()
    assert summary["accuracy"] == fitted.score(X, y)


def test_labels_go_by_their_names(tmp_path: Path, data: Path) -> None:
    model = npz(tmp_path / "named.npz", **ABSOLUTE, classes=["in", "out"])
    given = npz(tmp_path / "named_data.npz", X=X1, y=["out", "out", "in", "in"])
    out = tmp_path / "rows.csv"
    assert numbers(model, given, "--out", out)["share wrong or tied"] == 0.25
    assert [row["label"] for row in table(out)] == ["out", "out", "in", "in"]
    assert [row["predicted"] for row in table(out)] == ["out", "out", "in", "out"]
    check_refused(certify(model, data), "'in', 'out'", "-1")
    binary = npz(tmp_path / "zero_one.npz", X=X1, y=(Y1 + 1) // 2)
    unnamed = npz(tmp_path / "model.npz", **ABSOLUTE)
    assert numbers(unnamed, binary) == numbers(unnamed, data)


def test_images_are_flattened_as_the_lowering_does(tmp_path: Path) -> None:
    module = nn.Sequential(nn.Flatten(), nn.Linear(12, 5), nn.ReLU(), nn.Linear(5, 2))
    torch.manual_seed(0)
    torch.save(module.state_dict(), tmp_path / "net.pt")
    images = torch.randn(6, 3, 2, 2)
    out = tmp_path / "rows.csv"
    numbers(tmp_path / "net.pt", npz(tmp_path / "data.npz", X=images.numpy()), "--out", out)
    own = module(images).argmax(dim=1).tolist()
    assert [int(row["predicted"]) for row in table(out)] == own
    small = npz(tmp_path / "small.npz", X=np.ones((6, 1, 2, 2)))
    check_refused(certify(tmp_path / "net.pt", small), "12 numbers", "(6, 1, 2, 2)", "4 each")


def test_linear_models_are_found_out(tmp_path: Path) -> None:
    X, y = np.array([[1.0, 1.0], [-1.0, 0.5], [0.2, 0.3]]), np.array([1, -1, 1])
    data = npz(tmp_path / "data.npz", X=X.reshape(3, 1, 2), y=y)
    fitted = LogisticRegression().fit(X, y)
    joblib.dump(fitted, tmp_path / "fitted.joblib")
    models = [
        (npz(tmp_path / "linear.npz", W=[3.0, 4.0], b=-1.0), [3.0, 4.0], -1.0),
        (npz(tmp_path / "layer.npz", W1=[[3.0, 4.0]], b1=[-1.0]), [3.0, 4.0], -1.0),
        (tmp_path / "fitted.joblib", fitted.coef_[0], fitted.intercept_[0]),
    ]
    for path, w, b in models:
        expected = np.median(np.abs(X @ w + b)) / np.linalg.norm(w, 1)
        summary = numbers(path, data, "--norm", "inf", "--trust-pickle")
        assert summary["kind"] == "exact"
        assert summary["distance, median"] == pytest.approx(expected, rel=1e-12)
        for option in (("--exact",), ("--method", "crown"), ("--tol", 0.1)):
            check_refused(certify(path, data, "--trust-pickle", *option), option[0], path.name)
    widths = ("--architecture", "2-1")
    check_refused(certify(models[0][0], data, *widths), "--architecture", "linear.npz")
    assert certify(models[1][0], data, *widths).exit_code == 0


def test_help_shows_each_kind_of_model() -> None:
    text = certify("--help").stdout
    for name in ("net.onnx", "net.pt", "net.npz", "linear.npz", "mlp.joblib"):
        assert f"sparsebound certify {name} " in text
    assert all(len(line) <= 80 for line in text.splitlines())
    for parameter in command.params:
        assert parameter.opts[0] in text or parameter.param_type_name == "argument"


def test_help_loads_nothing_slow() -> None:
    check = (
        "import sys; import sparsebound.certify;"
        "print({'torch', 'onnx', 'matplotlib', 'sklearn', 'pandas'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"
