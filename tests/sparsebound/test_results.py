"""`sparsebound results`: a table to read, SQL that only reads, CSV of all."""

import csv
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from empirical.ledger import open_ledger, results
from tests.sparsebound.small_rows import cell_record
from tests.sparsebound.sweeps import check_refused, run


@pytest.fixture
def ledger(tmp_path: Path) -> Path:
    """Return a ledger of two sweeps: six cells, of which one failed."""
    path = tmp_path / "results.sqlite"
    records = [
        cell_record(seed=seed, compression=c, accuracy=0.9 - 0.01 * c - 0.1 * seed)
        for seed in (1, 0)
        for c in (10.0, 2.0)
    ]
    records.append(cell_record(seed=0, compression=4.0, accuracy=None))
    with open_ledger(path) as opened:
        opened.record(records)
        opened.set_members("one", [record.key for record in records])
        opened.set_members("two", [records[0].key])
    return path


def shown(*arguments: Any) -> list[list[str]]:
    result = run("results", *arguments)
    assert result.exit_code == 0, result.output
    return [line.split() for line in result.stdout.splitlines()]


def test_results_shows_what_varies_in_order(ledger: Path) -> None:
    head, *rows = shown(ledger, "--sweep", "one")
    assert head == ["sweeps", "pruning.compression", "seed", "test_accuracy", "l2_mean", "status"]
    assert [row[1:4] for row in rows[:5]] == [
        ["2", "0", "0.88"],
        ["2", "1", "0.78"],
        ["4", "0", "-"],
        ["10", "0", "0.8"],
        ["10", "1", "0.7"],
    ]
    assert rows[2][-1] == "failed"
    assert " ".join(rows[-1]).startswith("Distances and accuracies under attack are upper bounds")


def test_results_of_one_sweep_are_its_own(ledger: Path) -> None:
    _, *rows = shown(ledger, "--sweep", "two")
    assert len(rows) == 3  # its cell, nothing, the note
    check_refused(
        run("results", ledger, "--sweep", "three"), "must be one of one, two; got 'three'"
    )


def test_results_shows_columns_asked_for(ledger: Path) -> None:
    table = shown(ledger, "--columns", "seed, l2_distances")
    assert table[0] == ["seed", "l2_distances"]
    assert table[1] == ["0", "[0,", "0.25]"]
    check_refused(run("results", ledger, "--columns", "sed"), "must be among", "got 'sed'")


def test_results_answers_sql(ledger: Path) -> None:
    query = 'SELECT "pruning.compression" AS c, avg(test_accuracy) AS a FROM results GROUP BY 1'
    assert shown(ledger, "--query", query) == [
        *(["c", "a"], ["2", "0.83"], ["4", "-"], ["10", "0.75"])
    ]
    told = json.loads(run("results", ledger, "--query", query, "--json").stdout)
    assert [row["c"] for row in told] == [2, 4, 10]
    assert told[0]["a"] == pytest.approx(0.83)


@pytest.mark.parametrize(
    "query", ["DELETE FROM results", "ATTACH 'x.sqlite' AS x", "SELECT 1; SELECT 2", "nothing"]
)
def test_results_refuses_sql_that_is_no_question(ledger: Path, query: str) -> None:
    before = ledger.read_bytes()
    check_refused(run("results", ledger, "--query", query), "query must be one SELECT")
    assert ledger.read_bytes() == before
    assert not list(Path().glob("x.sqlite*"))


def test_results_writes_all_as_csv(ledger: Path, tmp_path: Path) -> None:
    out = tmp_path / "all.csv"
    assert run("results", ledger, "--csv", out).exit_code == 0
    with out.open(newline="", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    table = results(ledger)
    assert set(rows[0]) == set(table.columns)
    assert [row["pruning.compression"] for row in rows] == ["2.0", "2.0", "4.0", "10.0", "10.0"]
    assert json.loads(rows[0]["l2_distances"]) == [0.0, 0.25]
    assert rows[2]["test_accuracy"] == ""
    assert rows[2]["traceback"] == "Traceback:\nValueError: no"
    assert sorted(path.name for path in tmp_path.iterdir() if path.suffix == ".part") == []


def test_results_csv_of_a_query_has_its_columns(ledger: Path, tmp_path: Path) -> None:
    run("results", ledger, "--query", "SELECT seed, key FROM results", "--csv", tmp_path / "k.csv")
    assert (tmp_path / "k.csv").read_text(encoding="utf-8").startswith("seed,key\n")


def test_results_csv_of_no_rows_has_its_columns(ledger: Path, tmp_path: Path) -> None:
    out = tmp_path / "k.csv"
    run("results", ledger, "--query", "SELECT seed, key FROM results WHERE seed > 9", "--csv", out)
    assert out.read_text(encoding="utf-8") == "seed,key\n"


def test_results_csv_keeps_integers_and_unknowns(tmp_path: Path) -> None:
    path, out = tmp_path / "mixed.sqlite", tmp_path / "all.csv"
    records = [
        cell_record(seed=0, compression=2.0, accuracy=0.5, train=100),
        cell_record(seed=1, compression=2.0, accuracy=0.5),
    ]
    told = json.loads(str(records[0].row)) | {"l2_distances": [0.5, float("nan")]}
    with open_ledger(path) as opened:
        opened.record([replace(records[0], row=json.dumps(told)), records[1]])
        opened.set_members("one", [record.key for record in records])
    assert run("results", path, "--csv", out).exit_code == 0
    with out.open(newline="", encoding="utf-8") as stream:
        rows = {row["seed"]: row for row in csv.DictReader(stream)}
    assert (rows["0"]["data.train"], rows["1"]["data.train"]) == ("100", "")
    assert rows["0"]["l2_distances"] == "[0.5, null]"


def test_results_csv_goes_with_json(ledger: Path, tmp_path: Path) -> None:
    query = ("--query", "SELECT seed FROM results WHERE seed = 1 LIMIT 1")
    result = run("results", ledger, *query, "--csv", tmp_path / "k.csv", "--json")
    assert json.loads(result.stdout) == [{"seed": 1}]
    assert (tmp_path / "k.csv").read_text(encoding="utf-8") == "seed\n1\n"


@pytest.mark.parametrize("end", ["", "-wal", "-shm", "-journal"])
def test_results_does_not_write_over_the_ledger(ledger: Path, end: str) -> None:
    before = ledger.read_bytes()
    out = ledger.with_name(f"{ledger.name}{end}")
    check_refused(run("results", ledger, "--csv", out), "--csv must be another file than LEDGER")
    assert ledger.read_bytes() == before


def test_results_refuses_places_that_cannot_be_written(ledger: Path, tmp_path: Path) -> None:
    check_refused(run("results", ledger, "--csv", tmp_path), str(tmp_path))
    check_refused(run("results", ledger, "--csv", ledger / "all.csv"), str(ledger))


def test_results_tells_how_many_rows_a_mean_is_of(ledger: Path) -> None:
    query = "SELECT count(*) AS a, count(l2_mean) AS k, avg(l2_mean) AS m FROM results"
    assert shown(ledger, "--query", query)[1] == ["5", "4", "0.125"]  # one failed
    said = run("results", "--help").stdout
    assert "count(*), count(l2_mean), avg(l2_mean)" in said
    assert "SQL's avg leaves such cells out" in " ".join(said.split())


def test_results_refuses_misspelt_columns(ledger: Path) -> None:
    query = 'SELECT avg("l2_maen") FROM results'
    check_refused(run("results", ledger, "--query", query), "no such column", "nearest: l2_mean")
    check_refused(run("results", ledger, "--query", ""), "query must be one SELECT")


def test_results_of_nothing(tmp_path: Path) -> None:
    open_ledger(tmp_path / "empty.sqlite").close()
    assert run("results", tmp_path / "empty.sqlite").stdout == "No rows.\n"
    assert shown(tmp_path / "empty.sqlite", "--columns", "data.train") == [["No", "rows."]]
    query = 'SELECT "pruning.compression" FROM results'
    assert shown(tmp_path / "empty.sqlite", "--query", query) == [["No", "rows."]]
    check_refused(run("results", tmp_path / "absent.sqlite"), "absent.sqlite")
    (tmp_path / "text.sqlite").write_text("a" * 200, encoding="utf-8")
    check_refused(run("results", tmp_path / "text.sqlite"), "must be a ledger")


@pytest.mark.parametrize("option", [("--sweep", "one"), ("--columns", "seed")])
def test_results_query_stands_alone(ledger: Path, option: tuple[str, str]) -> None:
    check_refused(run("results", ledger, "--query", "SELECT 1", *option), "--query excludes")


def test_results_of_different_settings_are_in_order(tmp_path: Path) -> None:
    path = tmp_path / "mixed.sqlite"
    records = [
        cell_record(seed=seed, compression=2.0, accuracy=0.5, train=train)
        for seed, train in ((0, 100), (0, None), (1, 20))
    ]
    with open_ledger(path) as opened:
        opened.record(records)
        opened.set_members("one", [record.key for record in records])
    table = shown(path)
    assert [row[:2] for row in table[:4]] == [
        *(["data.train", "seed"], ["-", "0"], ["20", "1"], ["100", "0"])
    ]
