"""`sparsebound certify` gives radii of networks that a pencil gives, and exact distances."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.sparsebound.certified import (
    ABSOLUTE,
    CLOSED,
    DISTANCES,
    HEADER,
    TOL,
    X1,
    Y1,
    certify,
    column,
    network,
    npz,
    numbers,
    random_layers,
    table,
)
from theory.certify import METHODS, certified_radius
from theory.certify.branch_and_bound import exact_distance
from theory.networks import ReluNetwork, class_scores


# Linear relaxations are exact as long as one of the two units is on in all of the ball, or both
# are bounded by their own lines at the flip: of a single input, all four of these.
@pytest.mark.parametrize("norm", ["2", "inf"])
def test_radii_are_those_by_hand(model: Path, data: Path, tmp_path: Path, norm: str) -> None:
    out = tmp_path / "rows.csv"
    summary = numbers(model, data, "--norm", norm, "--method", "crown", "--out", out, "--eps", 0.7)
    assert list(table(out)[0]) == [*HEADER]
    assert column(out, "radius")[:2] == pytest.approx(DISTANCES[:2], rel=TOL)
    assert all(r <= d for r, d in zip(column(out, "radius"), DISTANCES, strict=True))
    assert [row["label"] for row in table(out)] == ["1", "1", "-1", "1"]
    assert {row["kind"] for row in table(out)} == {"lower"}
    assert {row["status"] for row in table(out)} == {"bounded"}
    assert {row["method"] for row in table(out)} == {"crown"}
    assert {(row["norm"], row["box"]) for row in table(out)} == {(norm, "none")}
    assert [row["input"] for row in table(out)] == ["0", "1", "2", "3"]
    assert summary["certified accuracy at 0.7"] == 0.5
    assert summary["kind"] == "proven lower bound"


@pytest.mark.parametrize("method", METHODS)
def test_every_method_is_a_lower_bound(
    model: Path, data: Path, tmp_path: Path, method: str
) -> None:
    out = tmp_path / "rows.csv"
    summary = numbers(model, data, "--method", method, "--out", out)
    radii = column(out, "radius")
    assert all(0 < r <= d for r, d in zip(radii, DISTANCES, strict=True))
    assert summary["method"] == method
    assert sum(summary["radii by method"].values()) == 4
    assert summary["evaluations"] > 0
    if method != "best":
        assert summary["radii by method"] == {method: 4}


def test_summary_is_complete(model: Path, tmp_path: Path) -> None:
    data = npz(tmp_path / "data.npz", X=[[3.0], [-2.0], [5.0], [1.0]], y=[1, 1, -1, -1])
    summary = numbers(model, data, "--method", "crown", "--box", -9, 9, "--eps", 0, "--eps", 1.5)
    assert summary.pop("evaluations") > 0
    radii = {f"radius, {name}": summary.pop(f"radius, {name}") for name in ("5 %", "95 %")}
    assert radii == pytest.approx({"radius, 5 %": 0.0, "radius, 95 %": 1.85}, rel=TOL)
    assert summary.pop("radius, median") == pytest.approx(0.5, rel=TOL)  # of 0, 0, 1, 2
    assert summary == {
        "inputs": 4,
        "norm": 2,
        "box": [-9.0, 9.0],
        "method": "crown",
        "kind": "proven lower bound",
        "network": "1-2-1",
        "reduced to": "1-2-1",
        "reduced by": [],
        "distance from": "label given",
        "accuracy": 0.75,  # a tie is predicted as the first label, -1
        "share wrong or tied": 0.5,
        "share that never flips": 0.0,
        "certified accuracy at 0.0": 0.5,
        "certified accuracy at 1.5": 0.25,
        "radii by method": {"crown": 2},
    }


def test_summary_as_text_says_the_same(model: Path, data: Path) -> None:
    text = certify(model, data, "--eps", 0.1).stdout
    shown = {line.split("  ")[0]: line.split("  ")[-1].strip() for line in text.splitlines()}
    summary = numbers(model, data, "--eps", 0.1)
    assert list(shown) == list(summary)
    assert shown["radius, median"] == f"{summary['radius, median']:.6g}"
    assert shown["reduced by"] == "None"
    won = ", ".join(f"{name} {count}" for name, count in summary["radii by method"].items())
    assert shown["radii by method"] == won


def test_wrong_inputs_have_radius_zero(model: Path, tmp_path: Path) -> None:
    data, out = npz(tmp_path / "data.npz", X=X1, y=-Y1), tmp_path / "rows.csv"
    assert numbers(model, data, "--out", out)["share wrong or tied"] == 1
    assert [(r["radius"], r["kind"], r["status"]) for r in table(out)] == [
        ("0.0",) + ("exact",) * 2
    ] * 4
    assert numbers(model, npz(tmp_path / "x.npz", X=X1))["distance from"] == "label predicted"
    assert numbers(model, npz(tmp_path / "x.npz", X=X1))["accuracy"] is None


def test_what_never_flips_has_no_radius(tmp_path: Path) -> None:
    model = npz(tmp_path / "model.npz", W1=[[0.0], [0.0]], W2=[[1.0, 1.0]], b2=[1.0])
    data, out = npz(tmp_path / "data.npz", X=X1), tmp_path / "rows.csv"
    for exact in ([], ["--exact"]):
        summary = numbers(model, data, "--out", out, "--eps", 100, *exact)
        assert summary["share that never flips"] == summary["certified unchanged at 100.0"] == 1
        assert summary["radius, median"] is None
        assert summary["reduced by"] == ["2 units of layer 1 constant"]
        assert column(out, "radius") == [np.inf] * 4


def test_shares_without_labels_are_of_what_cannot_change(model: Path, tmp_path: Path) -> None:
    data = npz(tmp_path / "data.npz", X=X1)  # distances 2, 1, .5, .5
    told = numbers(model, data, "--exact", "--eps", 0.7)
    assert told["certified unchanged at 0.7"] == told["unchanged at most, at 0.7"] == 0.5
    assert not any("accuracy at" in name for name in told)


def test_reduction_leaves_radii_as_they_are(tmp_path: Path) -> None:
    arrays = random_layers(6, 3, 3)
    padded = {**arrays, "W1": np.vstack([arrays["W1"], 2 * arrays["W1"][:1], np.zeros((1, 6))])}
    padded["b1"] = np.append(arrays["b1"], [2 * arrays["b1"][0], -1.0])
    padded["W2"] = np.hstack([arrays["W2"], np.zeros((3, 1)), np.ones((3, 1))])
    X = np.random.default_rng(1).normal(size=(30, 6))
    data, out = npz(tmp_path / "data.npz", X=X), tmp_path / "rows.csv"
    summary = numbers(
        npz(tmp_path / "model.npz", **padded), data, "--out", out, "--method", "crown"
    )
    assert summary["network"] == "6-5-3"
    assert summary["reduced to"] == "6-3-3"
    assert len(summary["reduced by"]) == 2
    net = network(arrays)
    y = class_scores(net, X).argmax(axis=1)
    alone = certified_radius(net, X, y, method="crown").lower
    assert column(out, "radius") == pytest.approx(alone, rel=2 * TOL)  # each to within TOL


@pytest.mark.parametrize("options", [[], ["--exact"]])
def test_no_digits_of_large_inputs_are_lost_unsaid(tmp_path: Path, options: list[str]) -> None:
    model = npz(tmp_path / "model.npz", W1=[[1.0, -1.0]], W2=[[-1.0]], b1=[0.0], b2=[1.0])
    X = [[size + 0.25, size] for size in 2.0 ** np.arange(20, 46, 5)]
    data, out = npz(tmp_path / "data.npz", X=X), tmp_path / "rows.csv"
    assert certify(model, data, "--out", out, *options).exit_code == 0
    assert (column(out, "radius") <= 0.75 / np.sqrt(2)).all()


@pytest.mark.parametrize("n", [1, 16, 17, 50])
def test_chunks_are_as_one(tmp_path: Path, n: int) -> None:
    arrays, out = random_layers(3, 5, 4), tmp_path / "rows.csv"
    rng = np.random.default_rng(2)
    X, y = rng.normal(size=(n, 3)), rng.integers(0, 4, size=n)
    model = npz(tmp_path / "model.npz", **arrays)
    data = npz(tmp_path / "data.npz", X=X, y=y)
    options = ("--norm", "inf", "--box", -5, 5, "--out", out, "--tol", 0.01)
    summary = numbers(model, data, *options, "--method", "crown")
    found = certified_radius(
        network(arrays), X, y, norm=np.inf, box=(-5, 5), tol=0.01, method="crown"
    )
    assert column(out, "radius") == pytest.approx(found.lower, rel=0.02)  # each to within tol
    assert summary["inputs"] == len(table(out)) == n


@pytest.mark.parametrize("norm", ["2", "inf"])
def test_exact_distances_are_those_by_hand(
    model: Path, data: Path, tmp_path: Path, norm: str
) -> None:
    out = tmp_path / "rows.csv"
    summary = numbers(model, data, "--exact", "--norm", norm, "--out", out, "--eps", 0.7)
    assert list(table(out)[0])[-2:] == ["upper", "nodes"]
    for name in ("radius", "upper"):
        assert column(out, name) == pytest.approx(DISTANCES, rel=CLOSED)
    assert {row["kind"] for row in table(out)} == {"exact"}
    assert summary["kind"] == "exact"
    assert summary["method"] == "branch and bound"
    assert summary["searches"] == {"exact": 4}
    assert summary["largest relative gap"] <= CLOSED
    assert summary["certified accuracy at 0.7"] == 0.5
    assert summary["robust accuracy at most, at 0.7"] == 0.5
    boxed = numbers(model, data, "--exact", "--norm", norm, "--box", -2, 3, "--out", out)
    assert boxed["box"] == [-2, 3]
    assert {(row["norm"], row["box"]) for row in table(out)} == {(norm, "-2.0 3.0")}
    assert column(out, "radius") == pytest.approx(DISTANCES, rel=CLOSED)


def test_exact_is_above_certified(tmp_path: Path) -> None:
    model = npz(tmp_path / "model.npz", **random_layers(3, 6, 5, 3))
    data = npz(tmp_path / "data.npz", X=np.random.default_rng(5).normal(size=(6, 3)))
    out = tmp_path / "rows.csv"
    numbers(model, data, "--out", out)
    proven = column(out, "radius")
    numbers(model, data, "--exact", "--out", out)
    assert all(p <= u for p, u in zip(proven, column(out, "upper"), strict=True))


def test_searches_that_run_out_of_time_are_told(
    model: Path, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: dict[str, Any] = {}
    found = exact_distance(network(ABSOLUTE), X1, Y1)

    def stopped(net: ReluNetwork, X: Any, y: Any, **setting: Any) -> Any:
        given.update(setting)
        for i in range(4):
            one = slice(i, i + 1)
            late = i > 1
            yield type(found)(
                lower=found.lower[one] * (0.4 if late else 1),
                upper=np.array([np.inf]) if i == 3 else found.upper[one],
                witness=None,
                method=found.method[one],
                status=np.array(["time limit" if late else "exact"]),
                nodes=np.array([10]),
                norm=2,
                box=None,
            )

    monkeypatch.setattr("theory.certify.branch_and_bound.exact_distances", stopped)
    out = tmp_path / "rows.csv"
    summary = numbers(
        model, data, "--exact", "--time-limit", 7, "--out", out, "--eps", 0.3, "--eps", 0.9
    )
    assert given == {"norm": 2, "box": None, "rtol": 1e-6, "time_limit": 7}
    assert summary["kind"] == "exact for 2 of 4 inputs, else proven lower bound"
    assert summary["searches"] == {"exact": 2, "time limit": 2}
    assert summary["largest relative gap"] == 1
    assert summary["certified accuracy at 0.3"] == 0.5
    assert summary["robust accuracy at most, at 0.9"] == 0.75
    assert summary["nodes"] == 40
    assert [row["kind"] for row in table(out)] == ["exact", "exact", "lower", "lower"]
    assert [row["status"] for row in table(out)][2:] == ["time limit"] * 2
    assert column(out, "radius")[2:] == pytest.approx([0.2, 0.2], rel=CLOSED)
    numbers(model, data, "--exact", "--tol", 0.01)
    assert given["rtol"] == 0.01
    assert given["time_limit"] == 60
