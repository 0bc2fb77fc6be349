"""Networks of scikit-learn and of files, held against those of the tools that made them."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pytest
import scipy.sparse as sp
import torch
from sklearn.datasets import load_iris, make_multilabel_classification
from sklearn.linear_model import LogisticRegression, Perceptron, RidgeClassifier
from sklearn.neural_network import MLPClassifier, MLPRegressor
from torch import nn
from torch.nn.utils import prune

from empirical.lowering import (
    NamedNetwork,
    network_from_estimator,
    network_from_file,
    network_from_module,
    own_labels,
)
from theory.networks import ReluNetwork, class_scores, forward


def iris(labels: int) -> tuple[Any, Any]:
    X, y = load_iris(return_X_y=True)
    kept = y >= 3 - labels
    return X[kept] - X.mean(axis=0), np.array(["setosa", "versicolor", "virginica"])[y[kept]]


@pytest.mark.filterwarnings("ignore:Stochastic Optimizer")  # a few steps suffice here
@pytest.mark.parametrize("activation", ["relu", "identity"])
@pytest.mark.parametrize("labels", [2, 3])
@pytest.mark.parametrize("hidden", [(6,), (5, 4)])
def test_network_from_estimator_predicts_as_the_estimator(
    activation: str, labels: int, hidden: tuple[int, ...]
) -> None:
    X, y = iris(labels)
    fitted = MLPClassifier(hidden, activation=activation, max_iter=40, random_state=0).fit(X, y)
    net, names = named = network_from_estimator(fitted)
    assert net.outputs == (1 if labels == 2 else 3)
    assert net.widths == (hidden if activation == "relu" else ())
    predicted = names[class_scores(net, X).argmax(axis=1)]
    assert (predicted == fitted.predict(X)).all()
    assert set(own_labels(named, y).tolist()) == set(net.classes.tolist())


@pytest.mark.filterwarnings("ignore:Stochastic Optimizer")
@pytest.mark.parametrize("outputs", [1, 2])
def test_network_from_estimator_gives_the_predictions_of_regressors(outputs: int) -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(40, 3))
    y = X[:, 0] if outputs == 1 else X[:, :2]
    fitted = MLPRegressor(hidden_layer_sizes=(5,), max_iter=20, random_state=0).fit(X, y)
    net, names = network_from_estimator(fitted)
    # the same sums in another order
    np.testing.assert_allclose(forward(net, X), fitted.predict(X).reshape(40, -1), rtol=1e-10)
    assert names.tolist() == ([-1, 1] if outputs == 1 else [0, 1])


@pytest.mark.parametrize("labels", [2, 3])
@pytest.mark.parametrize("kind", [LogisticRegression, Perceptron, RidgeClassifier])
def test_network_from_estimator_takes_linear_classifiers(kind: Any, labels: int) -> None:
    X, y = iris(labels)
    fitted = kind().fit(X, y)
    net, names = network_from_estimator(fitted)
    assert net.depth == 1
    assert (names[class_scores(net, X).argmax(axis=1)] == fitted.predict(X)).all()


@pytest.mark.filterwarnings("ignore:Stochastic Optimizer")
def test_network_from_estimator_refuses_by_name() -> None:
    X, y = iris(3)
    several = make_multilabel_classification(n_classes=3, random_state=0)
    settings: dict[str, Any] = {"max_iter": 3, "random_state": 0}
    with pytest.raises(ValueError, match="of MLPClassifier must be relu or identity; got 'tanh'"):
        network_from_estimator(MLPClassifier((4,), activation="tanh", **settings).fit(X, y))
    with pytest.raises(ValueError, match="must give each input one label"):
        network_from_estimator(MLPClassifier((4,), **settings).fit(*several))
    with pytest.raises(ValueError, match=r"max_entries=30 .*need at least 35"):
        network_from_estimator(MLPClassifier((5,), **settings).fit(X, y), max_entries=30)
    with pytest.raises(ValueError, match=r"max_entries=3 .*need at least 12"):
        network_from_estimator(RidgeClassifier().fit(X, y), max_entries=3)
    for unfit in (MLPClassifier(), {}):
        with pytest.raises(TypeError, match="has no coef_"):
            network_from_estimator(unfit)


def chain(depth: int = 3) -> dict[str, Any]:
    rng = np.random.default_rng(0)
    widths = [4, 6, 5, 3][: depth + 1]
    layers = zip(widths[1:], widths[:-1], strict=True)
    return {f"W{j}": rng.normal(size=shape) for j, shape in enumerate(layers, start=1)}


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_network_from_file_reads_back_npz(save: Any, tmp_path: Path) -> None:
    arrays = chain() | {"b2": np.arange(5.0), "classes": ["a", "b", "c"]}
    save(tmp_path / "net.npz", **arrays)
    net, names = network_from_file(tmp_path / "net.npz", architecture="4-6-5-3")
    assert all((net.weights[j] == arrays[f"W{j + 1}"]).all() for j in range(3))
    assert [b.tolist() for b in net.biases] == [[0.0] * 6, [0.0, 1.0, 2.0, 3.0, 4.0], [0.0] * 3]
    assert names.tolist() == ["a", "b", "c"]
    assert all(mask.all() for mask in net.relu)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"W1": None}, r"must hold W1; it holds \['W2', 'W3'\]"),
        ({"W2": None}, "W1, W2, ... without a gap; got"),
        ({"b4": np.ones(3)}, r"also has \['b4'\]"),
        ({"bias": np.ones(3)}, r"also has \['bias'\]"),
        ({"W01": np.ones((2, 2))}, r"also has \['W01'\]"),
        ({"b1": np.ones(5)}, r"biases\[0\] must have shape \(6,\)"),
        ({"b1": 0.5}, r"biases one; got \['b1 \(\)'\]"),
        ({"W1": np.ones(4)}, r"two axes, biases one; got \['W1 \(4,\)'\]"),
        ({"W2": np.ones((5, 4))}, "weights must chain"),
        ({"W2": np.full((5, 6), np.nan)}, r"weights\[1\] must be finite"),
        ({"W2": np.full((5, 6), "x")}, r"must be an array of numbers"),
        ({"W2": np.full((5, 6), None)}, "plain arrays"),
        ({"classes": ["a", "b"]}, "must be 3 different labels"),
        ({"classes": ["a", "b", "a"]}, "must be 3 different labels"),
        (
            {"W2": np.ones((200, 6))},
            "=1,000 entries in all; up to W2.npy they have 1,224",
        ),
        ({"classes": ["a" * 10**6]}, "up to classes.npy they have 70, of 4,000,552 bytes"),
    ],
)
def test_network_from_file_refuses_arrays_that_do_not_fit(
    changed: dict[str, Any], message: str, tmp_path: Path
) -> None:
    arrays = {name: array for name, array in (chain() | changed).items() if array is not None}
    np.savez_compressed(tmp_path / "net.npz", **arrays)
    with pytest.raises(ValueError, match=message):
        network_from_file(tmp_path / "net.npz", max_entries=1000)


def test_network_from_file_counts_the_entries_of_all_arrays(tmp_path: Path) -> None:
    np.savez(tmp_path / "net.npz", **chain())  # 24, 30 and 15
    network_from_file(tmp_path / "net.npz", max_entries=69)
    with pytest.raises(ValueError, match=r"max_entries=68 .* up to W3\.npy they have 69,"):
        network_from_file(tmp_path / "net.npz", max_entries=68)


def damaged_versions(whole: bytes, seed: int) -> list[bytes]:
    rng = np.random.default_rng(seed)
    versions = [whole[:size] for size in range(0, len(whole), max(len(whole) // 25, 1))]
    for _ in range(60):
        changed = bytearray(whole)
        changed[rng.integers(len(whole))] ^= int(rng.integers(1, 256))
        versions.append(bytes(changed))
    return versions


@pytest.mark.parametrize("suffix", [".npz", ".pt"])
def test_network_from_file_reads_or_refuses_every_damaged_file(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"net{suffix}"
    if suffix == ".npz":
        np.savez_compressed(path, **chain())
    else:
        torch.save(nn.Sequential(nn.Linear(4, 3), nn.ReLU(), nn.Linear(3, 2)).state_dict(), path)
    refused = []
    for version in damaged_versions(path.read_bytes(), 0):
        path.write_bytes(version)
        try:
            network_from_file(path)
        except ValueError as error:
            refused.append(str(error))
        except OSError:  # an offset before the file's beginning
            refused.append(f"{path} cannot be read")
    assert all(str(path) in message for message in refused)
    assert len(refused) >= 25  # all that are cut short


class Trap:
    """Creates a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return Path.touch, (self.path,)


@pytest.mark.parametrize("suffix", [".joblib", ".pkl", ".npz", ".pt", ".pth", ".onnx"])
def test_network_from_file_runs_nothing_without_trust(suffix: str, tmp_path: Path) -> None:
    path, sprung = tmp_path / f"net{suffix}", tmp_path / "sprung"
    if suffix == ".onnx":
        pytest.importorskip("onnx")
    if suffix in {".pt", ".pth"}:
        torch.save({"0.weight": Trap(sprung)}, path)
    else:
        joblib.dump(Trap(sprung), path)
    with pytest.raises(ValueError, match=str(path)):
        network_from_file(path)
    assert not sprung.exists()


@pytest.mark.filterwarnings("ignore:Stochastic Optimizer")
def test_network_from_file_reads_joblib_with_trust(tmp_path: Path) -> None:
    X, y = iris(3)
    fitted = MLPClassifier((5,), max_iter=20, random_state=0).fit(X, y)
    joblib.dump(fitted, tmp_path / "net.joblib")
    net, names = network_from_file(tmp_path / "net.joblib", trust_pickle=True)
    assert (names[class_scores(net, X).argmax(axis=1)] == fitted.predict(X)).all()


@pytest.mark.parametrize("suffix", [".pt", ".pth"])
@pytest.mark.parametrize("pruned", [False, True])
def test_network_from_file_reads_a_state_dict(suffix: str, pruned: bool, tmp_path: Path) -> None:
    module = nn.Sequential(
        nn.Linear(4, 6), nn.ReLU(), nn.Linear(6, 5, bias=False), nn.ReLU(), nn.Linear(5, 3)
    )
    if pruned:
        prune.random_unstructured(module[0], "weight", 0.9)
        prune.random_unstructured(module[4], "bias", 1)
    path = tmp_path / f"net{suffix}"
    torch.save(module.state_dict(), path)
    net = network_from_file(path, architecture="4-6-5-3").net
    X = np.random.default_rng(0).normal(size=(5, 4))
    expected = network_from_module(module, (4,))
    # the same numbers in another order
    np.testing.assert_allclose(forward(net, X), forward(expected, X), rtol=1e-12, atol=1e-12)
    assert sp.issparse(net.weights[0]) == pruned


@pytest.mark.parametrize(
    ("held", "message"),
    [
        (nn.Sequential(nn.Conv2d(1, 2, 3)).state_dict(), "weight of '0' .* must have 2 axes"),
        (
            nn.Sequential(nn.BatchNorm1d(3)).state_dict(),
            r"'0\.num_batches_tracked' .* dense and real",
        ),
        (nn.LayerNorm(3).state_dict(), "weight of '' .* must have 2 axes"),
        ({"0.bias": torch.zeros(3)}, "weight of '0' .* got none"),
        ({"0.weight": torch.zeros(3, 2), "0.scale": torch.ones(3)}, r"also has \['scale'\]"),
        ({"0.weight": torch.zeros(3, 2), "0.bias": torch.ones(2)}, "biases.0. must have shape"),
        (
            {"0.weight_orig": torch.zeros(9, 1), "0.weight_mask": torch.ones(1, 9)},
            "weight of '0' .* got none",
        ),
        ({"state_dict": {"0.weight": torch.zeros(3, 2)}}, "'state_dict' is of type dict"),
        ({"0.weight": torch.zeros(3, 2), "1.weight": torch.zeros(4, 2)}, "weights must chain"),
        ({"0.weight": torch.zeros(1, 1).expand(10**6, 10**6)}, "they have 1,000,000,000,000"),
        (
            {"0.weight": torch.zeros(300, 200), "1.weight": torch.zeros(200, 300)},
            "=100,000 entries in all; up to '1.weight' they have 120,000",
        ),
        ({"0.weight": torch.zeros(3, 2, dtype=torch.complex64)}, "dense and real; it is"),
        ({}, "must be a state dict"),
        (torch.zeros(3), "must be a state dict"),
        (nn.Linear(3, 2), r"must be a state dict as torch.save\(module.state_dict\(\), path\)"),
        ({"0.weight": torch.zeros(2000, 2000)}, "at most max_entries=100,000 numbers; it has 16,"),
    ],
)
def test_network_from_file_refuses_other_states(held: Any, message: str, tmp_path: Path) -> None:
    torch.save(held, tmp_path / "net.pt")
    with pytest.raises(ValueError, match=message):
        network_from_file(tmp_path / "net.pt", max_entries=100_000)


def test_network_from_file_refuses_other_kinds_and_widths(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"net\.h5 must end in one of \.joblib, \.npz, \.onnx"):
        network_from_file(tmp_path / "net.h5")
    for suffix in (".npz", ".pt", ".onnx", ".joblib"):
        with pytest.raises(OSError, match=rf"absent\{suffix}"):
            network_from_file(tmp_path / f"absent{suffix}", trust_pickle=True)
    np.savez(tmp_path / "net.npz", **chain())
    with pytest.raises(ValueError, match="of widths 4-3; it holds one of 4-6-5-3"):
        network_from_file(tmp_path / "net.npz", architecture="4-3")


def test_named_networks_have_a_model_as_linear_ones_do() -> None:
    net = ReluNetwork(weights=[np.eye(3)])
    assert NamedNetwork(net, np.array(["a", "b", "c"])).model is net


def test_lowering_of_linear_models_does_not_load_torch() -> None:
    code = "import empirical.lowering, sys; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
