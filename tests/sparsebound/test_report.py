"""`sparsebound report` writes a whole page of a run or a ledger, or one line of what is wrong."""

import sqlite3
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from empirical.ledger import open_ledger
from sparsebound import report as command
from tests.figures.reports import HOSTILE, reproduced
from tests.sparsebound.report_ledgers import large_ledger, small_ledger
from tests.sparsebound.sweeps import check_refused, run

LIMIT = 6_000_000  # bytes of a page
SECONDS = 20.0  # of a core; about nine are needed


@pytest.fixture
def ledger(tmp_path: Path) -> Path:
    return small_ledger(tmp_path / "results.sqlite")


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()} if folder.exists() else set()


def test_report_writes_the_page_of_a_run(tmp_path: Path) -> None:
    before = names(reproduced(tmp_path))
    result = run("report", "--out", tmp_path)
    assert (result.exit_code, result.stderr) == (0, "")
    assert names(tmp_path) - before == {"report.html", "verdicts.tex"}
    assert f"{tmp_path / 'report.html'} (" in result.stdout
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "guo2018.rinf-markov" in page
    assert "vegaEmbed" in page


def test_report_gives_the_same_page_again(tmp_path: Path, ledger: Path) -> None:
    folder = reproduced(tmp_path / "run")
    pages = []
    for _ in range(2):
        assert run("report", "--out", folder, "--ledger", ledger).exit_code == 0
        pages.append((folder / "report.html").read_bytes())
    assert pages[0] == pages[1]


def test_report_writes_the_page_of_a_ledger_alone(tmp_path: Path, ledger: Path) -> None:
    out = tmp_path / "new" / "folder"
    assert run("report", "--ledger", ledger, "--out", out).exit_code == 0
    assert names(out) == {"report.html"}
    page = (out / "report.html").read_text(encoding="utf-8")
    assert "5 cells, of which 1 failed" in page
    assert HOSTILE not in page


def test_report_writes_figures_as_pdf(tmp_path: Path) -> None:
    reproduced(tmp_path)
    assert run("report", "--out", tmp_path, "--pdf").exit_code == 0
    found = {path.name: path.read_bytes() for path in tmp_path.glob("*.pdf")}
    assert set(found) == {"random-pruning.pdf", "robust-accuracy.pdf", "tickets.pdf"}
    assert all(content.startswith(b"%PDF") for content in found.values())


def test_report_refuses_what_is_no_run(tmp_path: Path, ledger: Path) -> None:
    out = tmp_path / "out"
    check_refused(run("report", "--out", out), str(out), "must hold a finished run")
    check_refused(run("report", "--out", out, "--ledger", ledger, "--pdf"), "--pdf needs figures")
    out.mkdir()
    check_refused(run("report", "--out", out), "must hold a finished run")
    (out / "verdicts.json").write_text("[]", encoding="utf-8")  # of a run that was stopped
    check_refused(run("report", "--out", out, "--ledger", ledger), "must hold a finished run")
    (out / "run.json").write_text('{"version": 0}', encoding="utf-8")
    check_refused(run("report", "--out", out), "must be of version 1; it has 0")
    assert names(out) == {"verdicts.json", "run.json"}


def test_report_refuses_what_is_no_ledger(tmp_path: Path, ledger: Path) -> None:
    folder = reproduced(tmp_path / "run")
    before = names(folder)
    empty, corrupt, older, bare = (tmp_path / name for name in ("empty", "corrupt", "old", "bare"))
    empty.touch()
    content = bytearray(ledger.read_bytes())
    content[100:] = b"x" * (len(content) - 100)
    corrupt.write_bytes(content)
    older.write_bytes(ledger.read_bytes())
    with closing(sqlite3.connect(older)) as connection:
        connection.execute("PRAGMA user_version = 0")
    open_ledger(bare).close()
    for path, said in (
        (tmp_path / "none", "does not exist"),
        (empty, "must have cells that were run"),
        (bare, "must have cells that were run"),
        (corrupt, str(corrupt)),
        (older, "must be a ledger of version 1; it has 0"),
        (folder / "tickets.csv", "must be a ledger"),
    ):
        check_refused(run("report", "--out", folder, "--ledger", path), said)
    assert names(folder) == before


def test_report_stopped_leaves_what_was_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (reproduced(tmp_path) / "report.html").write_text("old", encoding="utf-8")
    before = names(tmp_path)

    def full(*_: Any, **__: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_text", full)
    check_refused(run("report", "--out", tmp_path), "No space left on device")
    assert names(tmp_path) == before
    assert (tmp_path / "report.html").read_bytes() == b"old"


@pytest.mark.slow
@pytest.mark.parametrize("seeds", [1, 10])
def test_report_of_ten_thousand_cells_is_small(tmp_path: Path, seeds: int) -> None:
    path = large_ledger(tmp_path / "large.sqlite", 10_000, seeds=seeds)
    folder = reproduced(tmp_path / "run")
    begun = time.process_time()
    assert run("report", "--ledger", path, "--out", folder).exit_code == 0
    assert time.process_time() - begun < SECONDS
    page = folder / "report.html"
    assert "10000 cells" in page.read_text(encoding="utf-8")
    assert page.stat().st_size <= LIMIT


def test_tables_are_those_of_the_charts() -> None:
    assert command.TABLES == ["budgets", "random-pruning", "before-training"]
