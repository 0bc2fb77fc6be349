"""`sparsebound reproduce` writes whole files, the same each time, and nothing when stopped."""

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result

from empirical import before_training_study
from empirical.compression_study import Plan as CompressionPlan
from empirical.linear_study import Plan
from figures import robust_accuracy
from sparsebound import study
from sparsebound.main import main
from theory.claims import CATALOGUE

FIGURES = [
    "adversarial-share",
    "before-training",
    "cells",
    "certified-accuracy",
    "compression-64-20-10",
    "digit-flips",
    "lipschitz-sparsity",
    "network-sandwich",
    "phase-diagram",
    "pruning-ratio",
    "r2-sparsity",
    "random-pruning",
    "real-data",
    "robust-accuracy",
    "sparsity-breast-cancer",
    "sparsity-digits-3-or-8",
    "sparsity-gaussian-classes",
    "tickets",
    "transfer",
    "verdicts",
]
# Checks that attack thousands of inputs, a second or more each, and have tests of their own.
LONG = ("asymptotics.", "limits.", "mixtures.", "networks.", "smoothing.", "classics.norm-outside")
MOST = {key: claim for key, claim in CATALOGUE.items() if not key.startswith(LONG)}
SOME = ("guo2018.r2", "guo2018.rinf-clipped", "classics.svm", "merkle2021.magnitude")
FEW = {key: CATALOGUE[key] for key in SOME}


def reproduce(out: Path, *options: str) -> Result:
    """Run in this process, where what a test puts in the place of something else is met."""
    return CliRunner().invoke(main, ["reproduce", "--workers", "0", "--out", str(out), *options])


@pytest.fixture
def tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    plans = dict.fromkeys(study.PLANS, Plan(splits=2, strengths=2))
    monkeypatch.setattr(study, "PLANS", plans)
    networks = CompressionPlan(seeds=2, inputs=8, searched=1, epochs=1)
    monkeypatch.setattr(study, "COMPRESSION_PLANS", dict.fromkeys(study.PLANS, networks))
    monkeypatch.setattr("sparsebound.drawings._INPUTS", 6)
    simulated = dict.fromkeys(study.PLANS, before_training_study.Plan(dimension=96, draws=2))
    monkeypatch.setattr("sparsebound.drawings._SIMULATED", simulated)


@pytest.fixture
def few(tiny: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sparsebound.main_job.CATALOGUE", FEW)


@pytest.mark.slow
def test_reproduce_writes_every_figure_and_verdict(
    tiny: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sparsebound.main_job.CATALOGUE", MOST)
    out = tmp_path / "new" / "out"
    result = reproduce(out)
    assert result.exit_code == 0
    assert result.stderr == ""
    expected = [f"{name}.{ending}" for name in FIGURES for ending in ("csv", "png", "svg")]
    others = ["budgets.csv", "report.html", "run.json", "verdicts.json", "verdicts.tex"]
    assert sorted(p.name for p in out.iterdir()) == sorted([*expected, *others])
    verdicts = json.loads(
        (out / "verdicts.json").read_text(encoding="utf-8"), parse_constant=pytest.fail
    )
    assert [verdict["claim"] for verdict in verdicts] == list(MOST)
    check_text(result.stdout, verdicts, out)
    check_table(out / "verdicts.csv", verdicts)


def check_text(text: str, verdicts: list[dict[str, Any]], out: Path) -> None:
    for verdict in verdicts:
        assert f"attacks say: {verdict['verdict']}\n    {verdict['what decides']}" in text
    said = f"{len(FIGURES)} figures (PNG, SVG, CSV), verdicts.json and report.html in {out}"
    assert said in text
    assert "CONTRADICTS" not in text


def check_table(path: Path, verdicts: list[dict[str, Any]]) -> None:
    with path.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    for row, verdict in zip(rows, verdicts, strict=True):
        for name in row:
            if isinstance(verdict[name], str):
                assert row[name] == verdict[name]
            elif verdict[name] is None:
                assert not np.isfinite(float(row[name]))
            else:
                assert float(row[name]) == verdict[name]


@pytest.mark.slow
def test_reproduce_gives_the_same_files_again(few: None, tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    told = [reproduce(out, "--json", "--seed", "3").stdout for out in (first, second)]
    assert told[0] == told[1]
    assert json.loads(told[0]) == json.loads((first / "verdicts.json").read_text(encoding="utf-8"))
    for path in first.iterdir():
        assert path.read_bytes() == (second / path.name).read_bytes(), path.name


@pytest.mark.slow
def test_reproduce_gives_the_same_files_whoever_helps(tmp_path: Path) -> None:
    alone, helped = tmp_path / "alone", tmp_path / "helped"
    told = [
        reproduce(alone, "--json", "--quick").stdout,
        reproduce(helped, "--json", "--quick", "--workers", "2").stdout,
    ]
    assert told[0] == told[1]
    assert [p.name for p in alone.iterdir() if p.name[0] == "."] == []
    for path in alone.iterdir():
        assert path.read_bytes() == (helped / path.name).read_bytes(), path.name


@pytest.mark.slow
@pytest.mark.parametrize(
    ("where", "error"),
    [
        ("study.linear_parts", KeyboardInterrupt()),
        ("study.compression_parts", OSError(28, "No space left on device")),
        ("study.verdict_of", KeyboardInterrupt()),
        ("verdict_text", OSError(28, "No space left on device")),
    ],
)
def test_reproduce_stopped_before_drawing_leaves_nothing(
    few: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str, error: BaseException
) -> None:
    def stop(*_: Any, **__: Any) -> Any:
        raise error

    name = (
        "sparsebound.main_job.verdict_json" if where == "verdict_text" else f"sparsebound.{where}"
    )
    monkeypatch.setattr(name, stop)
    result = reproduce(tmp_path)
    assert result.exit_code == (2 if isinstance(error, OSError) else 130)
    assert result.stderr.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_reproduce_stopped_while_drawing_leaves_whole_files(
    few: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "robust-accuracy.png").write_bytes(b"old")

    def half(figure: Any, stream: Path, **_: Any) -> None:
        Path(stream).write_bytes(b"half")
        raise KeyboardInterrupt

    monkeypatch.setattr(robust_accuracy.Figure, "savefig", half)
    result = reproduce(tmp_path)
    assert (result.exit_code, result.stderr) == (130, "Interrupted.\n")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["robust-accuracy.png", "verdicts.json"]
    assert (tmp_path / "robust-accuracy.png").read_bytes() == b"old"


def test_reproduce_refuses_a_wrong_folder_before_the_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sparsebound.study.linear_parts", pytest.fail)
    (tmp_path / "file").touch()
    (tmp_path / "taken" / "verdicts.json").mkdir(parents=True)

    def locked(*_: Any, **__: Any) -> None:
        raise PermissionError(13, "Permission denied", str(tmp_path))

    for out in (tmp_path / "file", tmp_path / "file" / "below", tmp_path / "taken"):
        result = reproduce(out)
        assert (result.exit_code, result.stderr.count("\n")) == (2, 1)
        assert str(tmp_path) in result.stderr
    monkeypatch.setattr("tempfile.mkdtemp", locked)
    result = reproduce(tmp_path)
    assert result.exit_code == 2
    assert result.stderr == f"Error: [Errno 13] Permission denied: '{tmp_path}'\n"


@pytest.mark.slow
def test_reproduce_quick_contradicts_nothing_whatever_the_seed(tmp_path: Path) -> None:
    for seed in ("1", "2"):
        result = reproduce(tmp_path, "--quick", "--seed", seed)
        assert result.exit_code == 0
        verdicts = json.loads((tmp_path / "verdicts.json").read_text(encoding="utf-8"))
        assert [verdict["claim"] for verdict in verdicts] == list(CATALOGUE)
        check_text(result.stdout, verdicts, tmp_path)
