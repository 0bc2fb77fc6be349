"""`sparsebound certify` gives distances that a pencil gives, and refuses what it cannot read."""

import csv
import json
import math
import os
import pickle
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pytest
from click.testing import CliRunner, Result
from sklearn.linear_model import LogisticRegression
from sklearn.tree import DecisionTreeClassifier

from sparsebound.main import main

# Scores and norms of a handful of float64 terms.
ROUNDING = 1e-12
# A witness goes 1e-6 of the distance beyond the boundary.
OVERSHOOT = 1e-5
W, B = np.array([3.0, 4.0]), -1.0
X = np.array([[1.0, 1.0], [-1.0, 0.5], [0.2, 0.3]])  # scores 6, -2, 0.8


def certify(*arguments: Any) -> Result:
    return CliRunner().invoke(main, ["certify", *map(str, arguments), "--linear"])


def numbers(*arguments: Any) -> dict[str, Any]:
    result = certify(*arguments, "--json")
    assert result.exit_code == 0, result.stderr
    summary: dict[str, Any] = json.loads(result.stdout, parse_constant=pytest.fail)
    return summary


def npz(path: Path, **arrays: Any) -> Path:
    np.savez(path, **arrays)
    return path


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return npz(tmp_path / "model.npz", W=W, b=B)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return npz(tmp_path / "data.npz", X=X, y=np.array([1, -1, 1]))


# |w·x + b| over ‖w‖₂ = 5, ‖w‖₁ = 7, ‖w‖_∞ = 4; of one feature, any move is enough: 1.
@pytest.mark.parametrize(
    ("norm", "distances"),
    [
        ("2", [1.2, 0.4, 0.16]),
        ("inf", [6 / 7, 2 / 7, 0.8 / 7]),
        ("1", [1.5, 0.5, 0.2]),
        ("0", [1, 1, 1]),
    ],
)
def test_certify_gives_the_distance_by_hand(
    model: Path, data: Path, tmp_path: Path, norm: str, distances: list[float]
) -> None:
    out = tmp_path / "new" / "rows.csv"
    summary = numbers(model, data, "--norm", norm, "--out", out, "--eps", 0.3, "--eps", 1.3)
    with out.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [float(row["distance"]) for row in rows] == pytest.approx(distances, rel=ROUNDING)
    witnessed = [float(row["witnessed flip"]) for row in rows]
    assert witnessed == pytest.approx(distances, rel=OVERSHOOT)
    assert {(row["kind"], row["norm"], row["box"]) for row in rows} == {("exact", norm, "none")}
    assert [row["label"] for row in rows] == [row["predicted"] for row in rows] == ["1", "-1", "1"]
    assert summary["distance, median"] == pytest.approx(sorted(distances)[1], rel=ROUNDING)
    assert summary["robust accuracy at 0.3"] == np.mean([d > 0.3 for d in distances])
    assert summary["robust accuracy at 1.3"] == np.mean([d > 1.3 for d in distances])


def test_certify_summary_is_complete(model: Path, data: Path) -> None:
    expected = {
        "inputs": 3,
        "norm": 2,
        "share wrong or tied": 0.0,
        "share that never flips": 0.0,
        "distance, 5 %": 0.16 + 0.1 * 0.24,  # a tenth of the way from the first to the second
        "distance, median": 0.4,
        "distance, 95 %": 0.4 + 0.9 * 0.8,
        "robust accuracy at 0.4": 1 / 3,  # the input at 0.4 exactly has a tie there
    }
    summary = numbers(model, data, "--eps", 0.4)
    words = {name: summary.pop(name) for name in ("box", "kind", "distance from")}
    assert words == {"box": None, "kind": "exact", "distance from": "label given"}
    assert list(summary) == list(expected)
    assert summary == pytest.approx(expected, rel=ROUNDING)


def test_certify_table_says_what_json_says(model: Path, data: Path) -> None:
    result = certify(model, data, "--norm", "inf", "--eps", 0.1, "--eps", 0.100000001)
    table = dict(line.split("  ", 1) for line in result.stdout.splitlines())
    shown = {name: value.strip() for name, value in table.items()}
    summary = numbers(model, data, "--norm", "inf", "--eps", 0.1, "--eps", 0.100000001)
    assert list(shown) == list(summary)
    for name, value in summary.items():
        assert shown[name] == (f"{value:.6g}" if isinstance(value, float) else str(value))


def test_certify_counts_the_wrong_as_zero(model: Path, tmp_path: Path) -> None:
    data = npz(tmp_path / "wrong.npz", X=X, y=np.array([1, 1, 1]))
    summary = numbers(model, data, "--eps", 0)
    assert summary["share wrong or tied"] == 1 / 3
    assert summary["robust accuracy at 0.0"] == 2 / 3
    told = numbers(model, npz(tmp_path / "unlabelled.npz", X=X), "--eps", 0)
    assert (told["share wrong or tied"], told["unchanged at 0.0"]) == (0, 1)
    assert told["distance from"] == "label predicted"


def test_certify_stays_in_the_box(tmp_path: Path) -> None:
    model = npz(tmp_path / "model.npz", W=[1.0, 1.0], b=-0.3)
    data = npz(tmp_path / "data.npz", X=[[0.6, 0.1]])  # score 0.4, to be lost over two features
    free = numbers(model, data)["distance, median"]
    assert free == pytest.approx(0.4 / math.sqrt(2), rel=ROUNDING)
    boxed = numbers(model, data, "--box", 0, 1)  # the second feature can give 0.1 only
    assert boxed["distance, median"] == pytest.approx(math.hypot(0.3, 0.1), rel=ROUNDING)
    assert boxed["box"] == [0, 1]
    narrow = numbers(model, data, "--box", 0.1, 1)  # the second can give nothing
    assert narrow["distance, median"] == pytest.approx(0.4, rel=ROUNDING)


def test_certify_says_what_never_flips(tmp_path: Path) -> None:
    model = npz(tmp_path / "model.npz", W=[1.0, 1.0], b=1.0)
    data = npz(tmp_path / "data.npz", X=[[0.6, 0.1]])
    summary = numbers(model, data, "--box", 0, 1, "--eps", 5)
    assert summary["share that never flips"] == summary["unchanged at 5.0"] == 1
    assert summary["distance, median"] is None
    assert "None" in certify(model, data, "--box", 0, 1).stdout


def test_certify_takes_an_unbounded_box(model: Path, data: Path) -> None:
    summary = numbers(model, data, "--box", "-inf", "inf")
    assert summary["box"] == [None, None]  # JSON has no infinity
    assert summary["distance, median"] == numbers(model, data)["distance, median"]


def test_certify_takes_many_classes_and_their_names(tmp_path: Path) -> None:
    rows = [[1.0, 0.0], [0.0, 1.0], [-1.0, -1.0]]
    model = npz(tmp_path / "model.npz", W=rows, b=np.zeros(3), classes=["ant", "bee", "cow"])
    data = npz(tmp_path / "data.npz", X=[[2.0, 1.0]], y=["ant"])
    # Scores 2, 1, -3: the bee is 1 behind at slope √2, the cow 5 behind at √5.
    assert numbers(model, data)["distance, median"] == pytest.approx(1 / math.sqrt(2), rel=ROUNDING)
    out = tmp_path / "rows.csv"
    assert certify(model, data, "--out", out).exit_code == 0
    assert "ant,ant" in out.read_text(encoding="utf-8")


@pytest.mark.parametrize("write", [joblib.dump, lambda m, p: p.write_bytes(pickle.dumps(m))])
def test_certify_takes_a_trusted_estimator(tmp_path: Path, write: Any) -> None:
    fitted = LogisticRegression().fit(X, ["yes", "no", "yes"])
    path, data = tmp_path / "model.joblib", npz(tmp_path / "data.npz", X=X, y=["yes", "no", "yes"])
    write(fitted, path)
    refused = certify(path, data)
    assert refused.exit_code == 2
    assert "--trust-pickle" in refused.stderr
    w, b = fitted.coef_[0], fitted.intercept_[0]
    distances = sorted(abs(x @ w + b) / math.sqrt(w @ w) for x in X)
    summary = numbers(path, data, "--trust-pickle")
    assert summary["distance, median"] == pytest.approx(distances[1], rel=ROUNDING)


def test_certify_runs_no_pickle_unasked(tmp_path: Path, data: Path) -> None:
    class Bomb:
        def __reduce__(self) -> Any:
            return (Path.touch, (tmp_path / "exploded",))

    (tmp_path / "bomb.joblib").write_bytes(pickle.dumps(Bomb()))
    np.savez(tmp_path / "bomb.npz", W=np.array([Bomb()], dtype=object), b=0)
    (tmp_path / "disguised.npz").write_bytes(pickle.dumps(Bomb()))
    for name in ("bomb.joblib", "bomb.npz", "disguised.npz"):
        assert certify(tmp_path / name, data).exit_code == 2
    assert not (tmp_path / "exploded").exists()


@pytest.mark.parametrize(
    ("arrays", "said"),
    [
        ({"X": [[1, np.nan]]}, "nan"),
        ({"X": np.ones((3, 5))}, "(3, 5)"),
        ({"X": np.ones((0, 2))}, "(0, 2)"),
        ({"X": np.ones(2)}, "(2,)"),
        ({"X": [["a", "b"]]}, "numbers"),
        ({"X": np.array([[1, None]])}, "objects.npz"),
        ({"Z": X}, "X"),
        ({"X": X, "y": [1, -1]}, "(2,)"),
        ({"X": X, "y": [[1], [1], [-1]]}, "(3, 1)"),
        ({"X": X, "y": [1, -1, 7]}, "7"),
        ({"X": X, "y": [1, 0, -1]}, "-1"),
        ({"X": X, "y": [1, np.nan, 1]}, "nan"),
        ({"X": X, "y": ["a", "b", "a"]}, "'a'"),
        ({"X": [[1e308, 1e308]]}, "overflow"),
    ],
)
def test_certify_refuses_wrong_data(
    model: Path, tmp_path: Path, arrays: dict[str, Any], said: str
) -> None:
    check_refused(certify(model, npz(tmp_path / "objects.npz", **arrays)), said)


def check_refused(result: Result, said: str) -> None:
    assert result.exit_code == 2
    assert result.stdout == ""
    assert result.stderr.startswith("Error: ")
    assert result.stderr.count("\n") == 1
    assert said in result.stderr


@pytest.mark.parametrize(
    ("arrays", "said"),
    [
        ({"W": [np.nan, 1], "b": 0}, "nan"),
        ({"W": W}, "b"),
        ({"W": W, "b": np.ones(3)}, "(3,)"),
        ({"W": np.zeros((0, 2)), "b": 0}, "(0, 2)"),
        ({"W": np.zeros((2, 2, 2)), "b": 0}, "(2, 2, 2)"),
        ({"W": ["a", "b"], "b": 0}, "'a'"),
        ({"W": W, "b": 0, "classes": ["a", "a"]}, "'a'"),
        ({"W": W, "b": 0, "classes": ["a", "b", "c"]}, "'c'"),
    ],
)
def test_certify_refuses_a_wrong_model(
    data: Path, tmp_path: Path, arrays: dict[str, Any], said: str
) -> None:
    check_refused(certify(npz(tmp_path / "objects.npz", **arrays), data), said)


def test_certify_refuses_what_is_no_whole_file(model: Path, data: Path, tmp_path: Path) -> None:
    whole = data.read_bytes()
    contents = {
        "empty.npz": b"",
        "half.npz": whole[: len(whole) // 2],
        "flipped.npz": whole[:60] + bytes(255 - byte for byte in whole[60:90]) + whole[90:],
        "random.npz": np.random.default_rng(0).bytes(500),
        "text.csv": b"1,2\n3,4\n",
    }
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
        check_refused(certify(model, tmp_path / name), name)
        check_refused(certify(tmp_path / name, data), name)
    np.save(tmp_path / "array.npy", X)
    check_refused(certify(model, tmp_path / "array.npy"), "array.npy")
    check_refused(certify(model, tmp_path / "missing.npz"), "missing.npz")
    check_refused(certify(tmp_path, data), str(tmp_path))


@pytest.mark.parametrize("content", [b"", b"not a pickle", None, {"a": 1}])
def test_certify_refuses_what_is_no_estimator(tmp_path: Path, data: Path, content: Any) -> None:
    path = tmp_path / "model.joblib"
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        joblib.dump(content or DecisionTreeClassifier().fit(X, [0, 1, 0]), path)
    check_refused(certify(path, data, "--trust-pickle"), "must be a")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--eps", "-1"), "-1"),
        (("--eps", "nan"), "nan"),
        (("--eps", "inf"), "inf"),
        (("--eps", "much"), "'much'"),
        (("--box", "1", "0"), "lo=1.0, hi=0.0"),
        (("--box", "nan", "1"), "nan"),
        (("--box", "0", "1"), "X[1, 0]=-1.0"),
        (("--norm", "3"), "'3'"),
        (("--depth", "3"), "--depth"),
    ],
)
def test_certify_refuses_wrong_options(
    model: Path, data: Path, options: tuple[str, ...], said: str
) -> None:
    check_refused(certify(model, data, *options), said)


def test_certify_finds_out_the_kind_of_model(model: Path, data: Path) -> None:
    result = CliRunner().invoke(main, ["certify", str(model), str(data)])
    assert (result.exit_code, result.stdout) == (0, certify(model, data).stdout)


def test_certify_keeps_its_inputs_and_pipes(model: Path, data: Path, tmp_path: Path) -> None:
    before = model.read_bytes(), data.read_bytes()
    link, pipe = tmp_path / "link.csv", tmp_path / "pipe"  # a pipe stands for a device
    link.symlink_to(data)
    os.mkfifo(pipe)
    for out in (model, data, link, tmp_path, pipe):
        check_refused(certify(model, data, "--out", out), str(out))
    check_refused(certify(model, data, "--out", model / "rows.csv"), str(model))
    assert (model.read_bytes(), data.read_bytes()) == before
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == ["data.npz", "link.csv", "model.npz", "pipe"]
