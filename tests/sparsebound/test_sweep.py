"""`sparsebound sweep`: every cell once, what failed is told, and nothing is begun in vain."""

import json
import os
import tomllib
from collections import namedtuple
from pathlib import Path
from typing import Any

import pytest

from empirical.experiments import run_cell
from empirical.ledger import load_weights, results
from empirical.sweeps import Settings, read_sweep
from empirical.sweeps.known import KNOWN
from sparsebound import sweep as command
from tests.sparsebound.sweeps import check_refused, run, tiny


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tiny(tmp_path / "tiny.toml")


def told(*arguments: Any, code: int = 0) -> dict[str, Any]:
    result = run("sweep", *arguments, "--json")
    assert result.exit_code == code, result.output
    summary: dict[str, Any] = json.loads(result.stdout)
    return summary


def test_sweep_keeps_a_row_for_each_cell_beside_the_file(file: Path) -> None:
    summary = told(file)
    assert (summary["cells"], summary["done"], summary["failed"]) == (4, 4, 0)
    ledger = file.with_name("results.sqlite")
    table = results(ledger)
    assert sorted(zip(table["seed"], table["pruning.compression"], strict=True)) == [
        *((0, 1), (0, 4), (1, 1), (1, 4))
    ]
    assert set(table["sweeps"]) == {"tiny"}
    pruned = table[table["pruning.compression"] == 4]
    assert pruned["weights_kept"].tolist() == [111, 111]
    for key in pruned["key"]:
        weights = load_weights(ledger, key)
        assert sum(weights[f"{layer}.weight_mask"].sum() for layer in ("0", "2")) == 111


def test_sweep_rows_are_those_of_their_settings(file: Path) -> None:
    told(file, "--ledger", file.with_name("other.sqlite"))
    table = results(file.with_name("other.sqlite")).to_dict("records")
    assert len(table) == 4
    for row in table:
        own = {key: _plain(row[key]) for key in row if "." in key and not key.startswith("row.")}
        alone = run_cell({**own, "seed": row["seed"]})
        assert alone.row["test_accuracy"] == row["test_accuracy"]
        assert alone.row["l2_distances"].tolist() == row["l2_distances"]


def _plain(value: Any) -> Any:
    return None if isinstance(value, float) and value != value else value  # noqa: PLR0124  # nan


def test_sweep_goes_on_where_it_was(file: Path) -> None:
    assert told(file)["run now"] == 4
    assert told(file)["run now"] == 0
    grown = tiny(file, seeds=[0, 1, 2])
    assert told(grown, "--dry-run")["to run"] == 2
    assert told(grown)["run now"] == 2


def test_sweep_shares_networks_unless_told(file: Path, tmp_path: Path) -> None:
    told(file)
    kept = list((tmp_path / "results.sqlite.networks").iterdir())
    assert len(kept) == 2 * 3  # dense, 2 and 4
    told(file, "--no-share", "--ledger", tmp_path / "alone.sqlite")
    assert not (tmp_path / "alone.sqlite.networks").exists()
    one, other = (results(tmp_path / f"{name}.sqlite") for name in ("results", "alone"))
    columns = ["key", "test_accuracy", "l2_distances", "weights_kept"]
    assert one.sort_values("key")[columns].to_dict("list") == other.sort_values("key")[
        columns
    ].to_dict("list")


def broken(settings: Settings, **_: Any) -> Any:
    if settings["pruning.compression"] == 4:
        raise RuntimeError("the cell is\nbroken")
    return run_cell(settings)


def test_sweep_says_what_failed_and_exits_with_four(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command, "run_cell", broken)
    summary = told(file, code=command.FAILED)
    assert (summary["done"], summary["failed"], summary["run now"]) == (2, 2, 4)
    assert summary["first failure"] == "broken"
    assert "pruning.compression = 4" in summary["of the cell"]
    assert told(file, "--keep-failed", code=4)["run now"] == 0
    assert told(file, code=4)["run now"] == 2
    monkeypatch.undo()
    mended = told(file)
    assert (mended["done"], mended["failed"], mended["run now"]) == (4, 0, 2)
    assert "first failure" not in mended


def test_sweep_dry_run_writes_nothing(file: Path, tmp_path: Path) -> None:
    plan = told(file, "--dry-run")
    assert (plan["cells"], plan["to run"]) == (4, 4)
    assert plan["pruning.compression"] == ["1", "4"]
    assert plan["seed"] == ["0", "1"]
    assert list(tmp_path.iterdir()) == [file]
    told(file)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    assert told(file, "--dry-run")["to run"] == 0
    after = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*") if "-" not in path.name}
    assert after.items() <= before.items()


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ("[training.adversary]\neps = 0.2", "training.adversary.eps has no effect"),
        ("[measure]\nbudget.l2 = [1]", "measure.budget is no setting; known: measure.budgets.l2"),
        ("[data]\nname = 'mnist'", "model mlp must have 784 inputs"),
        ("[attack]\nbox = 1", "must be TOML"),
    ],
)
def test_sweep_refuses_settings_before_any_work(tmp_path: Path, more: str, said: str) -> None:
    file = tiny(tmp_path / "tiny.toml", more=more)
    check_refused(run("sweep", file), f"{file}: ", said)
    assert list(tmp_path.iterdir()) == [file]


def test_sweep_refuses_absent_data_before_any_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def absent(settings: Settings) -> None:
        raise ConnectionError("no mirror gave it")

    monkeypatch.setattr(command, "split_of", absent)
    file = tiny(tmp_path / "tiny.toml")
    check_refused(run("sweep", file), "no mirror gave it")
    assert list(tmp_path.iterdir()) == [file]


def test_sweep_refuses_a_disk_without_room(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = namedtuple("usage", "free")
    parameters = 64 * 6 + 6 + 6 * 10 + 10
    monkeypatch.setattr(command.shutil, "disk_usage", lambda _: usage(4 * 4 * parameters - 1))
    check_refused(run("sweep", file), "must have room", f"{16 * parameters:,} bytes")
    assert list(file.parent.iterdir()) == [file]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_sweep_refuses_a_folder_that_cannot_be_written(file: Path) -> None:
    file.parent.chmod(0o500)
    try:
        check_refused(run("sweep", file), "results.sqlite")
    finally:
        file.parent.chmod(0o700)


def test_sweep_refuses_other_files_as_ledger(file: Path, tmp_path: Path) -> None:
    (tmp_path / "table.csv").write_text("a,b\n" * 50, encoding="utf-8")
    check_refused(run("sweep", file, "--ledger", tmp_path / "table.csv"), "must be a ledger")
    check_refused(run("sweep", file, "--ledger", tmp_path), "is a directory")
    for more in ((), ("--dry-run",)):
        result = run("sweep", file, "--ledger", file / "x.sqlite", *more)
        check_refused(result, "x.sqlite must be in a folder", "tiny.toml is a file")
    assert sorted(tmp_path.iterdir()) == [tmp_path / "table.csv", file]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--workers", "1", "--scheduler", "tcp://x:1"], "exclude each other"),
        (["--workers", "-1"], "-1"),
        (["--nope"], "--nope"),
    ],
)
def test_sweep_refuses_arguments(file: Path, arguments: list[str], said: str) -> None:
    check_refused(run("sweep", file, *arguments), said)
    check_refused(run("sweep", file.with_name("absent.toml")), "absent.toml")


def test_sweep_text_and_json_say_the_same(file: Path) -> None:
    shown = run("sweep", file).stdout
    assert [line.split()[0] for line in shown.splitlines()][:4] == [
        *("sweep", "cells", "done", "failed")
    ]
    assert "done     4" in shown


def test_settings_are_a_file_of_the_defaults(tmp_path: Path) -> None:
    printed = run("sweep", "--settings")
    assert printed.exit_code == 0
    whole, bare = tmp_path / "whole.toml", tmp_path / "bare.toml"
    whole.write_text(printed.stdout, encoding="utf-8")
    bare.write_text('[sweep]\nname = "bare"\n', encoding="utf-8")
    assert set(KNOWN) == {
        f"{start}.{name}"
        for start, table in tomllib.loads(printed.stdout).items()
        if start != "sweep"
        for name in _flat(table)
    }
    cells = [read_sweep(path, known=KNOWN).cells for path in (whole, bare)]
    assert cells[0] == cells[1]


def _flat(table: dict[str, Any], before: str = "") -> list[str]:
    names = []
    for key, value in table.items():
        inner = isinstance(value, dict)
        names += _flat(value, f"{before}{key}.") if inner else [f"{before}{key}"]
    return names
