"""The ledger: rows neither lost nor doubled nor overwritten, and what cannot be a ledger."""

import os
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from empirical.ledger import (
    Ledger,
    LedgerError,
    Record,
    load_weights,
    open_ledger,
    packed_weights,
    results,
    row_text,
    save_weights,
    weights_path,
)
from tests.empirical.ledgers import a_record


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "rows.sqlite"


@pytest.fixture
def ledger(path: Path) -> Iterator[Ledger]:
    with open_ledger(path) as opened:
        yield opened


def a_failure(key: str, why: str) -> Record:
    return replace(a_record(key), status="failed", row=None, traceback=why)


def count(path: Path) -> int:
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        found: int = connection.execute("SELECT count(*) FROM cells").fetchone()[0]
        return found


def test_record_is_read_back(ledger: Ledger) -> None:
    measured = {"accuracy": np.float64(0.1) + 0.2, "n": np.int64(3), "unknown": float("nan")}
    ledger.set_members("small", ["a", "b"])
    ledger.record([a_record("a", curve=np.array([1.0, 0.5]), **measured), a_record("other")])
    table = results(ledger.path)
    assert table["key"].tolist() == ["a"]  # b was not run, other is in no sweep
    row = table.iloc[0]
    assert (row["accuracy"], row["n"], row["curve"]) == (0.1 + 0.2, 3, [1.0, 0.5])
    assert np.isnan(row["unknown"])
    assert (row["pruning.compression"], row["model.widths"], row["seed"]) == (2.0, [4, 2], 0)
    assert (row["sweeps"], row["status"], row["seconds"]) == ("small", "done", 0.5)
    assert row["code"].startswith("0.") or row["code"].startswith("not installed")


def test_record_again_doubles_nothing(ledger: Ledger) -> None:
    for _ in range(3):
        ledger.record([a_record("a", x=1), a_record("b", x=2), a_record("a", x=3)])
    assert count(ledger.path) == 2
    ledger.set_members("s", ["a"])
    assert results(ledger.path)["x"].tolist() == [1]


def test_record_replaces_failures_alone(ledger: Ledger) -> None:
    ledger.set_members("s", ["a"])
    ledger.record([a_failure("a", "first")])
    ledger.record([a_failure("a", "second")])
    assert results(ledger.path)["traceback"].tolist() == ["second"]
    ledger.record([a_record("a", x=1)])
    ledger.record([a_failure("a", "third")])
    assert ledger.statuses() == {"a": "done"}
    assert results(ledger.path)["traceback"].tolist() == [None]


def test_set_members_replaces_those_of_its_sweep_alone(ledger: Ledger) -> None:
    ledger.record([a_record(key, x=1) for key in "abc"])
    ledger.set_members("one", ["a", "b"])
    ledger.set_members("two", ["b", "c"])
    ledger.set_members("one", ["b"])
    table = results(ledger.path).set_index("key")
    assert table["sweeps"].to_dict() == {"b": "one,two", "c": "two"}
    assert count(ledger.path) == 3


def test_record_keeps_the_weights_of_the_row_that_it_keeps(ledger: Ledger) -> None:
    weights = [packed_weights({"w": np.array([float(i)])}) for i in range(3)]
    ledger.record([a_failure("a", "no")])
    ledger.record([a_record("a", x=0)], weights={"a": weights[0]})
    ledger.record([a_record("a", x=1), a_record("b", x=1)], weights={"a": weights[1]})
    ledger.record([a_failure("a", "no")], weights={"a": weights[2]})
    ledger.set_members("s", ["a"])
    assert results(ledger.path)["x"].tolist() == [0]
    assert load_weights(ledger.path, "a")["w"].tolist() == [0.0]


def test_results_of_nothing_is_a_table(ledger: Ledger) -> None:
    assert len(results(ledger.path)) == 0
    assert len(results(ledger.path, "SELECT key FROM results")) == 0


def test_results_of_an_empty_file_is_a_table(path: Path) -> None:
    path.touch()
    assert len(results(path)) == 0
    with closing(sqlite3.connect(path)) as connection:  # as by a process killed in its first step
        connection.execute("PRAGMA journal_mode = WAL")
    assert len(results(path)) == 0
    open_ledger(path).close()
    assert count(path) == 0


def test_results_makes_no_file(path: Path) -> None:
    with pytest.raises(LedgerError, match="must be a file"):
        results(path)
    assert not path.exists()


def test_open_ledger_goes_on_with_what_is_there(path: Path) -> None:
    for key in "ab":
        with open_ledger(path) as opened:
            opened.record([a_record(key)])
    assert count(path) == 2


@pytest.mark.parametrize("content", [b"key,accuracy\n" * 99, b"SQLite format 3\0" + bytes(9999)])
def test_open_ledger_leaves_other_files_alone(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    for use in (open_ledger, results):
        with pytest.raises(LedgerError, match=r"rows\.sqlite"):
            use(path)
    assert path.read_bytes() == content
    assert list(path.parent.iterdir()) == [path]


def test_open_ledger_leaves_other_databases_alone(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE cells (x)")
    with pytest.raises(LedgerError, match="it is another file"):
        open_ledger(path)


def test_open_ledger_refuses_other_versions(path: Path) -> None:
    open_ledger(path).close()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 7")
    with pytest.raises(LedgerError, match="version 1; it has 7"):
        open_ledger(path)


def test_open_ledger_refuses_folders_and_files_in_the_way(tmp_path: Path) -> None:
    with pytest.raises(LedgerError):
        open_ledger(tmp_path)
    (tmp_path / "file").touch()
    with pytest.raises(LedgerError, match="cannot be written"):
        open_ledger(tmp_path / "file" / "rows.sqlite")


LIMITED = """
import resource, signal, sys
from pathlib import Path
from empirical.ledger import LedgerError, open_ledger
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
try:
    open_ledger(Path(sys.argv[1]))
except LedgerError as error:
    print(error)
"""


@pytest.mark.skipif(os.name != "posix", reason="needs limits of POSIX")
def test_open_ledger_shows_that_nothing_can_be_written(path: Path) -> None:
    command = [sys.executable, "-c", LIMITED, str(path)]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert "rows.sqlite cannot be written" in said
    assert not path.exists()


def test_record_on_a_full_disk_keeps_what_was_there(ledger: Ledger) -> None:
    ledger.record([a_record("a")])
    pages = ledger._connection.execute("PRAGMA page_count").fetchone()[0]
    ledger._connection.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(LedgerError, match="full"):
        ledger.record([a_record(f"{i}", text="x" * 9999) for i in range(9)])
    assert ledger.statuses() == {"a": "done"}
    assert count(ledger.path) == 1


def test_two_connections_write_at_once(path: Path) -> None:
    def write(start: int) -> None:
        with open_ledger(path) as opened:
            for i in range(start, start + 40):
                opened.record([a_record(f"{i}"), a_record("shared", by=start)])

    threads = [threading.Thread(target=write, args=(100 * i,)) for i in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert count(path) == 3 * 40 + 1


def test_record_waits_for_another_writer(ledger: Ledger) -> None:
    other = sqlite3.connect(ledger.path, isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    timer = threading.Timer(0.3, lambda: other.execute("COMMIT"))
    timer.start()
    ledger.record([a_record("a")])
    timer.join()
    other.close()
    assert ledger.statuses() == {"a": "done"}


def test_row_text_refuses_what_is_no_row() -> None:
    with pytest.raises(TypeError, match="names of a row"):
        row_text({1: 2})  # type: ignore[dict-item]
    with pytest.raises(TypeError, match="must be numbers"):
        row_text({"x": Path()})


def test_save_weights_is_read_back_and_leaves_no_part(ledger: Ledger) -> None:
    weights = {"0.weight": np.arange(6, dtype=np.float32).reshape(2, 3).T, "n": np.array(3)}
    for _ in range(2):
        save_weights(ledger.path, "a", packed_weights(weights))
    loaded = load_weights(ledger.path, "a")
    assert loaded.keys() == weights.keys()
    for name, array in weights.items():
        assert_array_equal(loaded[name], array)
        assert loaded[name].dtype == array.dtype
    folder = weights_path(ledger.path, "a").parent
    assert [path.name for path in folder.iterdir()] == ["a.safetensors"]


def test_packed_weights_refuses_what_is_no_number() -> None:
    with pytest.raises(TypeError, match="arrays of numbers; w has type"):
        packed_weights({"w": np.array(["x"])})


def test_load_weights_needs_the_file(ledger: Ledger) -> None:
    with pytest.raises(FileNotFoundError):
        load_weights(ledger.path, "a")
