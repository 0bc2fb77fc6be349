"""`sparsebound certify` refuses in one line what it cannot do to a network."""

import os
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tests.empirical.npz_claims import claiming
from tests.sparsebound.certified import (
    X1,
    certify,
    check_refused,
    npz,
)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--method", "magic"), "'magic'"),
        (("--method", "sdp", "--norm", "inf"), "'sdp' is for norm 2"),
        (("--method", "lipschitz", "--norm", "inf"), "'lipschitz' is for norm 2"),
        (("--norm", "1"), "got 1"),
        (("--norm", "0", "--exact"), "got 0"),
        (("--exact", "--method", "crown"), "--method crown"),
        (("--exact", "--method", "best"), "--method best"),
        (("--time-limit", "5"), "--time-limit 5"),
        (("--exact", "--time-limit", "0"), "above 0; got 0.0"),
        (("--exact", "--time-limit", "-1"), "got -1.0"),
        (("--exact", "--time-limit", "nan"), "got nan"),
        (("--tol", "0"), "(0, 1); got 0.0"),
        (("--tol", "1"), "(0, 1); got 1.0"),
        (("--tol", "nan", "--exact"), "(0, 1); got nan"),
        (("--tol", "little"), "'little'"),
        (("--eps", "-1"), "got -1.0"),
        (("--eps", "nan"), "nan"),
        (("--box", "1", "0"), "lo=1.0, hi=0.0"),
        (("--box", "nan", "1"), "nan"),
        (("--box", "-1", "4"), "X[1, 0]=-2.0"),
        (("--architecture", "1-3-1"), "1-2-1"),
        (("--linear",), "must hold W, b"),
    ],
)
def test_refuses_wrong_options(
    model: Path, data: Path, tmp_path: Path, options: tuple[str, ...], said: str
) -> None:
    out = tmp_path / "rows.csv"
    check_refused(certify(model, data, *options, "--out", out), said)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data.npz", "model.npz"]


@pytest.mark.parametrize(
    ("arrays", "said"),
    [
        ({"X": [[np.nan]]}, "nan"),
        ({"X": [[np.inf]]}, "inf"),
        ({"X": np.ones((3, 5))}, "(3, 5)"),
        ({"X": np.ones((0, 1))}, "(0, 1)"),
        ({"X": np.ones(1)}, "(1,)"),
        ({"X": np.float64(1)}, "()"),
        ({"X": [["a"]]}, "numbers"),
        ({"X": [[1j]]}, "real"),
        ({"X": np.array([[None]])}, "objects.npz"),
        ({"Z": X1}, "must hold X"),
        ({"X": X1, "y": [1, -1]}, "(2,)"),
        ({"X": X1, "y": [[1], [1], [1], [1]]}, "(4, 1)"),
        ({"X": X1, "y": [1, 1, 1, 7]}, "7"),
        ({"X": X1, "y": ["a", "b", "a", "b"]}, "'a'"),
        ({"X": [[1.0], [1.5e308]]}, "X[1]"),
    ],
)
def test_refuses_wrong_data(tmp_path: Path, arrays: dict[str, Any], said: str) -> None:
    model = npz(tmp_path / "steep.npz", W1=[[9.0], [-9.0]], W2=[[1.0, 1.0]], b2=[-9.0])
    check_refused(certify(model, npz(tmp_path / "objects.npz", **arrays)), said)


@pytest.mark.parametrize(
    ("arrays", "said"),
    [
        ({"V": [[1.0]]}, "must hold W1, b1, W2, ... of a network or W and b"),
        ({"W": [1.0], "W1": [[1.0]], "b": 0}, "'W'"),
        ({"W1": [[np.nan]], "W2": [[1.0]]}, "nan"),
        ({"W1": [[1.0]], "W2": [[1.0, 2.0]]}, "(1, 2)"),
        ({"W1": [[1.0]], "W3": [[1.0]]}, "without a gap"),
        ({"W1": [[1.0]], "W2": [[1.0]], "classes": ["a", "a"]}, "'a'"),
        ({"W1": np.array([[None]])}, "model.npz"),
    ],
)
def test_refuses_a_wrong_model(
    data: Path, tmp_path: Path, arrays: dict[str, Any], said: str
) -> None:
    check_refused(certify(npz(tmp_path / "model.npz", **arrays), data), said)


def test_refuses_what_is_no_whole_file(model: Path, data: Path, tmp_path: Path) -> None:
    whole = model.read_bytes()
    flipped = whole[:60] + bytes(255 - byte for byte in whole[60:90]) + whole[90:]
    contents = [b"", whole[: len(whole) // 2], flipped, np.random.default_rng(0).bytes(500)]
    for suffix in (".npz", ".pt", ".pth", ".onnx", ".joblib", ".pkl", ".txt", ""):
        if suffix == ".onnx":
            pytest.importorskip("onnx")
        for number, content in enumerate(contents):
            path = tmp_path / f"broken{number}{suffix}"
            path.write_bytes(content)
            check_refused(certify(path, data, "--trust-pickle"), path.name)
            check_refused(certify(model, path), path.name)
    check_refused(certify(model, tmp_path / "missing.npz"), "missing.npz")


@pytest.mark.parametrize("name", ["W", "W1"])
def test_refuses_what_claims_to_be_huge_before_it_is_read(
    model: Path, data: Path, tmp_path: Path, name: str
) -> None:
    size = "they have 9,000,000,000,000"
    check_refused(certify(claiming(tmp_path / "huge.npz", name), data), f"{name}.npy {size}")
    check_refused(certify(model, claiming(tmp_path / "huge.npz", "X")), f"X.npy {size}")


def test_runs_no_pickle_unasked(tmp_path: Path, data: Path) -> None:
    class Bomb:
        def __reduce__(self) -> Any:
            return (Path.touch, (tmp_path / "exploded",))

    (tmp_path / "bomb.pkl").write_bytes(pickle.dumps(Bomb()))
    (tmp_path / "disguised.npz").write_bytes(pickle.dumps(Bomb()))
    (tmp_path / "disguised.pt").write_bytes(pickle.dumps(Bomb()))
    np.savez(tmp_path / "bomb.npz", W1=np.array([[Bomb()]], dtype=object))
    torch.save({"weight": Bomb()}, tmp_path / "bomb.pt")
    for name in ("bomb.pkl", "disguised.npz", "disguised.pt", "bomb.npz", "bomb.pt"):
        check_refused(certify(tmp_path / name, data), name)
    assert not (tmp_path / "exploded").exists()


def test_refuses_outputs_before_any_work(
    model: Path, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sparsebound.certify.network_from_file", pytest.fail)
    before = model.read_bytes(), data.read_bytes()
    link, pipe = tmp_path / "link.csv", tmp_path / "pipe"
    link.symlink_to(data)
    os.mkfifo(pipe)
    for out in (model, data, link, tmp_path, pipe, model / "rows.csv", model / "a" / "rows.csv"):
        check_refused(certify(model, data, "--out", out), str(out))
    monkeypatch.setattr(
        "os.access", lambda path, mode: mode & os.W_OK == 0
    )  # root may write anywhere
    check_refused(certify(model, data, "--out", tmp_path / "rows.csv"), str(tmp_path), "write")
    assert (model.read_bytes(), data.read_bytes()) == before
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == ["data.npz", "link.csv", "model.npz", "pipe"]
