"""`sparsebound train`, `prune` and `attack`: the steps of a cell, with files between."""

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from empirical.experiments import file_hash, load_network, run_cell
from empirical.pruning import compression_of
from tests.empirical.small_cells import SMALL, small
from tests.sparsebound.sweeps import check_refused, run

TRAINED = {key: SMALL[key] for key in SMALL if not key.startswith("attack")}
SETS = [part for key, value in TRAINED.items() for part in ("--set", f"{key}={value}")]
PRUNED = {"pruning.method": "iterative", "pruning.compression": 4}


def told(*arguments: Any) -> dict[str, Any]:
    result = run(*arguments, "--json")
    assert result.exit_code == 0, result.output
    summary: dict[str, Any] = json.loads(result.stdout)
    return summary


@pytest.fixture
def net(tmp_path: Path) -> Path:
    told("train", *SETS, "--out", tmp_path / "net.safetensors")
    return tmp_path / "net.safetensors"


@pytest.fixture
def pruned(net: Path) -> Path:
    options = ("--method", "iterative", "--compression", "4")
    told("prune", net, *options, "--out", net.with_name("pruned.safetensors"))
    return net.with_name("pruned.safetensors")


def test_steps_lead_to_what_a_cell_gives(pruned: Path) -> None:
    out = pruned.with_name("table.csv")
    options = ("--attacks", "l2_deepfool", "--inputs", "6", "--eps", "0.1", "--eps", "0.2")
    summary = told("attack", pruned, *options, "--out", out)
    cell = run_cell(small({**PRUNED, "measure.budgets.l2": [0.1, 0.2]}))
    with out.open(newline="", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    assert [float(row["distance"]) for row in rows] == cell.row["l2_distances"].tolist()
    assert [int(row["input"]) for row in rows] == cell.row["inputs"].tolist()
    assert {(row["kind"], row["norm"], row["box"]) for row in rows} == {("upper", "2", "none")}
    assert summary["l2 mean"] == cell.row["l2_mean"]
    assert summary["l2 robust accuracy at 0.2"] == cell.row["l2_robust_accuracy"][1]
    assert summary["compression"] == 4
    assert "upper" in summary["kind"]


def test_train_says_and_keeps_what_it_did(tmp_path: Path) -> None:
    out = tmp_path / "new" / "net.safetensors"
    summary = told("train", *SETS, "--seed", "3", "--out", out)
    cell = run_cell(small(seed=3))
    for name in ("train_accuracy", "validation_accuracy", "test_accuracy", "weights"):
        assert summary[name] == cell.row[name]
    assert summary["epochs"] == [2]
    network = load_network(out)
    assert network.settings["seed"] == 3
    assert network.settings["model.widths"] == [64, 6, 10]
    assert [path.name for path in out.parent.iterdir()] == ["net.safetensors"]


def test_train_takes_presets_and_overrides_them(tmp_path: Path) -> None:
    out = tmp_path / "net.safetensors"
    told("train", *SETS, "--preset", "lenet-300-100", "--out", out)
    settings = load_network(out).settings
    assert (settings["training.smoothing"], settings["training.epochs"]) == (0.1, 2)


@pytest.mark.parametrize("setting", ["data.path={}", "data={{path='{}'}}"])
def test_train_reads_files_of_data(tmp_path: Path, setting: str) -> None:
    y = np.arange(40) % 3
    np.savez(tmp_path / "g.npz", X=np.eye(3)[y] + 0.1, y=y, levels=["a", "b", "c"])
    own = ("--data", "gene-expression", "--set", setting.format(tmp_path / "g.npz"))
    out = tmp_path / "net.safetensors"
    told("train", *own, "--set", "model.widths=[3, 3]", "--set", "training.epochs=1", "--out", out)
    assert load_network(out).settings["data.sha256"] == file_hash(tmp_path / "g.npz")


def test_prune_reaches_the_compression(net: Path, pruned: Path) -> None:
    assert compression_of(load_network(net).model) == 1
    assert compression_of(load_network(pruned).model) == 4
    assert load_network(pruned).settings["pruning.method"] == "iterative"


def test_prune_takes_schemes_and_settings(net: Path) -> None:
    out = net.with_name("random.safetensors")
    options = ("--scheme", "weight random layer", "--compression", "2")
    summary = told("prune", net, *options, "--set", "pruning.epochs=1", "--out", out)
    assert (summary["weights_kept"], summary["epochs"]) == (222, [2, 1])
    settings = load_network(out).settings
    assert (settings["pruning.criterion"], settings["pruning.scope"]) == ("random", "layer")


def test_attack_takes_inputs_of_a_file(net: Path, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    np.savez(tmp_path / "x.npz", X=rng.random((7, 8, 8)), y=np.arange(7))
    summary = told("attack", net, "--data", tmp_path / "x.npz", "--norm", "inf", "--norm", "2")
    assert (summary["l2 inputs"], summary["linf inputs"]) == (7, 7)
    few = told("attack", net, "--data", tmp_path / "x.npz", "--inputs", "3")
    assert few["l2 inputs"] == 3
    result = run("attack", net, "--data", tmp_path / "x.npz", "--inputs", "8")
    check_refused(result, "attack.inputs must be at most 7")
    np.savez(tmp_path / "bad.npz", X=rng.random((7, 9)), y=np.arange(7))
    check_refused(run("attack", net, "--data", tmp_path / "bad.npz"), "must take rows")
    np.savez(tmp_path / "short.npz", X=rng.random((7, 64)), y=np.arange(6))
    check_refused(run("attack", net, "--data", tmp_path / "short.npz"), "must fit")
    np.savez(tmp_path / "none.npz", X=np.empty((0, 64)), y=np.empty(0, dtype=int))
    check_refused(run("attack", net, "--data", tmp_path / "none.npz"), "none.npz must have a row")
    np.savez(tmp_path / "truth.npz", X=rng.random((7, 64)), y=np.arange(7) % 2 == 0)
    check_refused(run("attack", net, "--data", tmp_path / "truth.npz"), "as numbers; got bool")


def test_attack_takes_as_many_of_a_file_as_settings_say(net: Path, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    # More than the test part of the network's own data has, and than the default of 100.
    np.savez(tmp_path / "x.npz", X=rng.random((460, 64)), y=np.arange(460) % 10)
    options = ("--data", tmp_path / "x.npz", "--attacks", "l2_deepfool")
    assert told("attack", net, *options)["l2 inputs"] == 460
    assert told("attack", net, *options, "--set", "attack.inputs=3")["l2 inputs"] == 3
    assert told("attack", net, *options, "--set", "attack.inputs=455")["l2 inputs"] == 455
    result = run("attack", net, *options, "--inputs", "3", "--set", "attack.inputs=4")
    check_refused(result, "attack.inputs must be given once")
    check_refused(run("attack", net, *options, "--set", "attack.inputs=0"), "attack.inputs must be")


@pytest.mark.parametrize(
    "options",
    [
        ("--set", 'attack.norms=["linf"]', "--set", 'attack.names=["linf_pgd"]'),
        ("--set", 'attack={norms=["linf"], names=["linf_pgd"]}'),
        ("--norm", "inf", "--attacks", "linf_pgd"),
    ],
)
def test_attack_reports_budgets_of_the_norms_that_are_set(
    net: Path, options: tuple[str, ...]
) -> None:
    summary = told("attack", net, *options, "--inputs", "5", "--eps", "0.1")
    assert "linf robust accuracy at 0.1" in summary
    assert not [key for key in summary if key.startswith("l2")]


def test_attack_reports_budgets_of_the_norms_of_the_network(tmp_path: Path) -> None:
    out = tmp_path / "net.safetensors"
    told("train", *SETS, "--set", 'attack.norms=["linf"]', "--out", out)
    summary = told("attack", out, "--inputs", "5", "--eps", "0.1")
    assert "linf robust accuracy at 0.1" in summary
    assert "l2 robust accuracy at 0.1" not in summary


def test_attack_without_norms_still_reports_budgets(net: Path, tmp_path: Path) -> None:
    own = ("--set", "attack.norms=none", "--inputs", "5")
    summary = told("attack", net, *own, "--set", "measure.budgets={l2=[0.1]}")
    assert 0 <= summary["l2 robust accuracy at 0.1"] <= 1
    assert "l2 mean" not in summary
    out = tmp_path / "x.csv"
    budgets = ("--set", "measure.budgets.l2=[0.1]", "--out", out)
    check_refused(run("attack", net, *own, *budgets), "--out is for distances")
    assert not out.exists()
    check_refused(run("attack", net, "--set", "attack.norms=none"), "both are none")


def test_attack_takes_names_with_spaces_between(net: Path) -> None:
    summary = told("attack", net, "--attacks", "ddn, l2_deepfool ", "--inputs", "3")
    assert summary["l2 attacks"] == "ddn, l2_deepfool"


def test_tables_of_settings_are_the_settings_in_them(net: Path) -> None:
    out = net.with_name("few.safetensors")
    table = "pruning={compression=3, epochs=0}"
    told("prune", net, "--set", table, "--out", out)
    assert compression_of(load_network(out).model) == 3
    assert told("attack", net, "--set", "attack={inputs=3}")["l2 inputs"] == 3
    result = run("prune", net, "--compression", "2", "--set", table, "--out", out)
    check_refused(result, "pruning.compression must be given once")
    result = run("attack", net, "--eps", "0.1", "--set", "measure={budgets={l2=[0.2]}}")
    check_refused(result, "measure.budgets.l2 must be given once")


def test_certify_reads_what_train_and_prune_wrote(pruned: Path, tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    np.savez(tmp_path / "x.npz", X=rng.random((5, 64)), y=rng.integers(10, size=5))
    found = told("attack", pruned, "--data", tmp_path / "x.npz", "--out", tmp_path / "upper.csv")
    proven = told("certify", pruned, tmp_path / "x.npz", "--out", tmp_path / "lower.csv")
    assert proven["network"] == "64-6-10"
    with (tmp_path / "upper.csv").open() as uppers, (tmp_path / "lower.csv").open() as lowers:
        pairs = zip(csv.DictReader(uppers), csv.DictReader(lowers), strict=True)
        assert all(float(low["radius"]) <= float(up["distance"]) + 1e-9 for up, low in pairs)
    assert found["l2 inputs"] == proven["inputs"] == 5
    result = run("certify", pruned, tmp_path / "x.npz", "--architecture", "64-6-10")
    check_refused(result, "--architecture is for .pt and .npz")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--set", "training.epochs"], "--set must be KEY=VALUE"),
        (["--set", "seed=1"], "seed is no setting"),
        (["--set", "grid=1"], "grid is no setting"),
        (["--set", "training.rte=1"], "training.rte is no setting; known: training.optimizer"),
        (["--set", "training.rate=fast"], "training.rate must be a number; got 'fast'"),
        (["--set", "training.rate=1", "--set", "training.rate=2"], "each key once"),
        (["--data", "digits", "--set", "data.name=digits"], "data.name must be given once"),
        (["--data", "mnist"], "must have 784 inputs"),
        (["--data", "libsvm"], "data.path must name the file"),
        (["--data", "libsvm", "--set", "data.path=absent"], "absent"),
        (["--set", "pruning.method=one-shot"], "pruning.method is for `sparsebound prune`"),
        (["--set", "pruning={method='surgery'}"], "pruning.method is for `sparsebound prune`"),
        (["--data", "digits", "--set", "data={name='digits'}"], "data.name must be given once"),
        (["--data", "libsvm", "--set", "data={path='absent'}"], "absent"),
        (["--set", "training.epochs=2", "--set", "training={epochs=3}"], "each key once"),
        (["--set", "training={adversary={eps=1}, 'adversary.eps'=2}"], "each key once"),
        (["--set", "training={}"], "got the empty table"),
        (["--set", "training={rte=1}"], "training.rte is no setting; known: training.optimizer"),
        (["--set", "model.widths={first=64}"], "model.widths.first is no setting"),
        (["--set", "grid={training.epochs=[1, 2]}"], "grid is no setting"),
        (["--model", "nope"], "'nope'"),
        (["--seed", "-1"], "-1"),
    ],
)
def test_train_refuses(tmp_path: Path, arguments: list[str], said: str) -> None:
    check_refused(run("train", *arguments, "--out", tmp_path / "net.safetensors"), said)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--compression", "0.5"], "pruning.compression must be at least 1; got 0.5"),
        (["--method", "tickets", "--compression", "2"], "no effect with pruning.method tickets"),
        (["--method", "surgery"], 'training.keep must be "last"'),
        (["--scheme", "filter magnitude layer"], "which has no convolution"),
        (["--scheme", "weight"], "'weight'"),
        (["--set", "training.epochs=3"], "--set must be of pruning here, as NET has the rest"),
        (["--set", "pruning.method=none"], "pruning.method must be given once"),
        ([], "--compression C must be given for --method one-shot"),
        (["--method", "gradual"], "--compression C must be given for --method gradual"),
        (["--method", "tickets"], "--set pruning.rounds=N must be given for --method tickets"),
    ],
)
def test_prune_refuses(net: Path, arguments: list[str], said: str) -> None:
    before = sorted(net.parent.iterdir())
    check_refused(run("prune", net, *arguments, "--out", net.with_name("p.safetensors")), said)
    assert sorted(net.parent.iterdir()) == before


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--attacks", ""], "--attacks must be names with commas between; got ''"),
        (["--attacks", "ddn,"], "--attacks must be names with commas between; got 'ddn,'"),
        (["--attacks", "pgd"], "attack.names must be one of ensemble, quick"),
        (["--attacks", "linf_pgd"], "attack.names must have one of norm l2"),
        (["--attacks", "carlini_wagner"], "attack.box must be given for carlini_wagner"),
        (["--norm", "3"], "'3'"),
        (["--inputs", "451"], "attack.inputs must be at most 450"),
        (["--eps", "0.2", "--eps", "0.1"], "measure.budgets.l2 must rise"),
        (["--norm", "1", "--eps", "0.2"], "--eps is for norms 2 and inf"),
        (["--set", "pruning.compression=3"], "must be of attack or measure here"),
    ],
)
def test_attack_refuses(net: Path, arguments: list[str], said: str) -> None:
    check_refused(run("attack", net, *arguments), said)


def test_prune_and_attack_need_their_file(net: Path, pruned: Path, tmp_path: Path) -> None:
    check_refused(run("prune", pruned, "--compression", "8"), "it was pruned before, by iterative")
    check_refused(run("prune", net, "--compression", "8", "--out", net), "another file")
    (tmp_path / "x.safetensors").write_bytes(b"x" * 99)
    for command in ("prune", "attack"):
        check_refused(run(command, tmp_path / "x.safetensors"), "it is damaged")
        check_refused(run(command, tmp_path / "absent.safetensors"), "absent")
