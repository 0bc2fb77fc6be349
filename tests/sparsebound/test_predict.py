"""`sparsebound predict`: what it prints, writes and refuses."""

import csv
import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from sparsebound.main import main
from theory.asymptotics import (
    Objective,
    gaussian_law,
    limit_accuracy,
    limit_robust_accuracy,
    predict,
    spiked_law,
)

_SPARSE = ["--signal-density", "0.1", "--lam", "0.5"]


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["predict", *arguments])


def told(*arguments: str) -> dict[str, float]:
    result = run(*arguments, "--json")
    assert result.exit_code == 0, result.output
    found: dict[str, float] = json.loads(result.stdout)
    return found


def test_predict_json_is_the_limit() -> None:
    found = told(*_SPARSE, "--eps", "1", "--eps-inf", "0.5")
    limit = predict(Objective(loss="logistic", l1=0.5), spiked_law(2, density=0.1), ratio=2)
    assert found["accuracy"] == limit_accuracy(limit)
    assert found["robust_accuracy"] == limit_robust_accuracy(limit, eps=1, eps_inf=0.5)
    assert found["nonzero_fraction"] == limit.nonzero_fraction
    assert (found["overlap"], found["norm"]) == (limit.overlap, limit.norm)
    assert found["residual"] < 1e-8
    assert found["iterations"] >= 1


def test_predict_mixes_penalties_and_trains_against_attacks() -> None:
    found = told(
        "--signal-law", "gaussian", "--loss", "squared", "--delta", "3", "--lam", "0.4",
        "--elastic", "0.25", "--train-eps", "0.2", "--train-eps-inf", "0.1",
    )  # fmt: skip
    objective = Objective(loss="squared", l1=0.1, l2=0.3, eps=0.2, eps_inf=0.1)
    limit = predict(objective, gaussian_law(2.0), ratio=3)
    assert found["penalty"] == "elastic 0.25"
    assert found["accuracy"] == pytest.approx(limit_accuracy(limit), rel=1e-9)


def test_predict_tunes_the_strength_that_fixed_ones_do_not_beat() -> None:
    best = told("--signal-density", "0.1", "--tune", "robust-linf", "--eps-inf", "1")
    assert best["penalty"] == "l1"  # a sparse signal: the better of the two, not asked for
    fixed = [
        told("--signal-density", "0.1", "--lam", lam, "--penalty", penalty, "--eps-inf", "1")
        for lam, penalty in (("0.3", "l1"), ("1", "l1"), ("100", "l2"))
    ]
    assert all(best["robust_accuracy"] > each["robust_accuracy"] for each in fixed)


def test_predict_tunes_to_l2_where_the_signal_is_dense() -> None:
    assert told("--tune", "clean")["penalty"] == "l2"


def test_predict_writes_a_figure_with_what_it_draws(tmp_path: Path) -> None:
    result = run(*_SPARSE, "--eps", "1", "--out", str(tmp_path))
    assert result.exit_code == 0, result.output
    assert "0.811599" in result.output
    assert {path.name for path in tmp_path.iterdir()} == {
        f"prediction.{ending}" for ending in ("png", "svg", "csv")
    }
    rows = list(csv.DictReader((tmp_path / "prediction.csv").read_text().splitlines()))
    by_budget = [
        float(row["y"])
        for row in rows
        if row["panel"] == "budget" and row["series"] == "accuracy under attack"
    ]
    assert by_budget == sorted(by_budget, reverse=True)
    assert by_budget[0] == pytest.approx(0.9702, abs=1e-4)


def test_predict_verify_trains_and_agrees(tmp_path: Path) -> None:
    result = run(
        *_SPARSE, "--eps", "1", "--verify", "--d", "200", "--runs", "8", "--json",
        "--out", str(tmp_path),
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    simulated = json.loads(result.stdout)["simulated"]
    for name in ("accuracy", "robust_accuracy", "nonzero_fraction"):
        each = simulated[name]
        # .02: some 1/d of bias at d = 200, beside four standard errors.
        off = abs(each["predicted"] - each["mean"])
        assert off < 0.02 + 4 * each["standard_error"], name
    text = (tmp_path / "prediction.csv").read_text()
    assert "estimate\n" not in text.splitlines()[0]
    assert any(row["error"] for row in csv.DictReader(text.splitlines()))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], ["one of --lam and --tune", "neither"]),
        (["--lam", "1", "--tune", "clean"], ["--lam 1 and --tune clean"]),
        (["--lam", "-1"], ["--lam", "-1"]),
        (["--lam", "1", "--eps", "-0.5"], ["--eps", "-0.5"]),
        (["--lam", "1", "--signal-density", "0"], ["--signal-density", "0"]),
        (["--lam", "1", "--signal-density", "1.5"], ["1.5"]),
        (["--lam", "1", "--delta", "0"], ["--delta"]),
        (["--lam", "0"], ["ratio must be above 20.7", "got 2", "penalty"]),
        (["--lam", "0", "--loss", "squared", "--delta", "0.5"], ["above 1", "0.5"]),
        (["--lam", "100"], ["w = 0", "100", "lower l1"]),
        (["--lam", "1", "--penalty", "l1", "--elastic", "0.5"], ["exclude each other"]),
        (["--tune", "robust-l2"], ["--eps"]),
        (["--tune", "robust-linf", "--eps", "1"], ["--eps-inf"]),
        (["--lam", "nan"], ["finite", "nan"]),
        (["--lam", "1", "--signal", "inf"], ["signal", "inf"]),
    ],
)
def test_predict_refuses(arguments: list[str], words: list[str], tmp_path: Path) -> None:
    result = run(*arguments, "--out", str(tmp_path / "new"))
    assert result.exit_code == 2
    for word in words:
        assert word in result.output, result.output
    assert not (tmp_path / "new").exists()
