"""Real sweeps that are killed, interrupted or run twice at once end as if nothing had happened."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
from numpy.testing import assert_array_equal

from empirical.ledger import load_weights, results
from tests import ctrl_c
from tests.sparsebound import sweeps

pytestmark = [
    pytest.mark.slow,  # processes start, with workers, again and again
    pytest.mark.skipif(os.name != "posix", reason="needs POSIX's signals"),
]

PROGRAM = [sys.executable, "-c", "from sparsebound.main import main; main()"]
SEEDS, LEVELS = range(4), (1, 2, 4, 8, 16, 32)
CELLS = len(SEEDS) * len(LEVELS)
Process = subprocess.Popen[str]
tiny = partial(sweeps.tiny, seeds=SEEDS, attack="ddn")  # slow enough to be killed on the way


@contextmanager
def started(file: Path, ledger: Path, workers: int) -> Iterator[Process]:
    """Start the command; let nothing of it be left."""
    process = subprocess.Popen(
        [*PROGRAM, "sweep", file, "--ledger", ledger, "--workers", str(workers), "--json"],
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
        preexec_fn=ctrl_c.heed,  # noqa: PLW1509  # no other thread runs here
    )
    try:
        yield process
    finally:
        for child in workers_of(process):
            child.kill()
        process.kill()
        process.communicate(timeout=60)


def workers_of(process: Process) -> list[psutil.Process]:
    """Return the processes in which cells run."""
    try:
        children = psutil.Process(process.pid).children(recursive=True)
        return [child for child in children if "spawn_main" in " ".join(child.cmdline())]
    except psutil.Error:
        return []


def rows(ledger: Path) -> int:
    """Return how many cells are in a ledger now."""
    if not ledger.exists():
        return 0
    with closing(sqlite3.connect(f"{ledger.as_uri()}?mode=ro", uri=True)) as connection:
        try:
            return int(connection.execute("SELECT count(*) FROM cells").fetchone()[0])
        except sqlite3.OperationalError:  # its tables are not made yet
            return 0


def wait(process: Process, until: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 120
    while not until() and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.01)


def ended(process: Process) -> dict[str, Any]:
    """Return what a run says at its end."""
    out, said = process.communicate(timeout=300)
    assert process.returncode == 0, said
    summary: dict[str, Any] = json.loads(out)
    return summary


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the ledger of a run in one process, sharing no networks, that nothing disturbs."""
    folder = tmp_path_factory.mktemp("undisturbed")
    file, ledger = tiny(folder / "all.toml", levels=LEVELS), folder / "all.sqlite"
    command = [*PROGRAM, "sweep", file, "--ledger", ledger, "--no-share"]
    subprocess.run(command, check=True, capture_output=True, timeout=300)
    assert rows(ledger) == CELLS
    return ledger


def table(ledger: Path) -> dict[str, Any]:
    """Return what was measured of each cell, by key."""
    own = ("finished_at", "sweeps", "seconds", "code", "machine")
    found = results(ledger)
    columns = [name for name in found.columns if not name.startswith(own)]
    return {row["key"]: repr(row) for row in found[columns].to_dict("records")}  # nan is itself


def check_whole(ledger: Path, undisturbed: Path, count: int) -> None:
    """Check that each row is there once, with its weights, as if nothing had happened."""
    with closing(sqlite3.connect(ledger)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    assert rows(ledger) == count
    found, wanted = table(ledger), table(undisturbed)
    assert found == {key: wanted[key] for key in found}
    assert len(found) == count
    for key in found:
        weights = load_weights(ledger, key)
        for name, value in load_weights(undisturbed, key).items():
            assert_array_equal(weights[name], value)


def test_sweep_survives_kills_of_the_parent_and_of_workers(
    tmp_path: Path, undisturbed: Path
) -> None:
    file, ledger = tiny(tmp_path / "all.toml", levels=LEVELS), tmp_path / "x.sqlite"
    rng = np.random.default_rng(0)
    for least in (0, 1, 3, 6, 9):
        with started(file, ledger, 2) as process:
            if least:
                wait(process, lambda least=least: rows(ledger) >= least)
            time.sleep(rng.uniform(0, 3 if not least else 0.3))
            process.send_signal(signal.SIGKILL)
            process.wait(timeout=60)
            assert process.returncode == -signal.SIGKILL
    before = rows(ledger)
    assert 9 <= before < CELLS - 6
    with started(file, ledger, 2) as process:
        for more in (1, 2):
            wait(process, lambda more=more: rows(ledger) >= before + more)
            # Between a worker's death and the next one's birth there may be none for a moment.
            wait(process, lambda: workers_of(process))
            workers = workers_of(process)
            workers[rng.integers(len(workers))].kill()
            assert process.poll() is None
        summary = ended(process)
    assert (summary["done"], summary["failed"]) == (CELLS, 0)
    assert summary["run now"] == CELLS - before
    check_whole(ledger, undisturbed, CELLS)


def test_two_sweeps_at_once_share_a_ledger(tmp_path: Path, undisturbed: Path) -> None:
    ledger = tmp_path / "both.sqlite"
    one = tiny(tmp_path / "one.toml", name="one", levels=(1, 2, 4))
    two = tiny(tmp_path / "two.toml", name="two", levels=(2, 4, 8))
    with started(one, ledger, 2) as first, started(two, ledger, 0) as second:
        assert [ended(process)["done"] for process in (first, second)] == [12, 12]
    found = results(ledger).set_index("pruning.compression")["sweeps"]
    assert {level: set(found[level]) for level in (1, 2, 4, 8)} == {
        **{1: {"one"}, 2: {"one,two"}, 4: {"one,two"}, 8: {"two"}}
    }
    check_whole(ledger, undisturbed, 16)


@pytest.mark.parametrize("workers", [0, 2])
def test_ctrl_c_ends_a_sweep_in_one_line_and_keeps_what_is_done(
    tmp_path: Path, undisturbed: Path, workers: int
) -> None:
    file, ledger = tiny(tmp_path / "all.toml", levels=LEVELS), tmp_path / "x.sqlite"
    with started(file, ledger, workers) as process:
        wait(process, lambda: rows(ledger) >= 2)
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does
        out, said = process.communicate(timeout=60)
    assert (process.returncode, out, said) == (130, "", "Interrupted.\n")
    done = rows(ledger)
    assert 2 <= done < CELLS
    with started(file, ledger, 0) as process:
        assert ended(process)["run now"] == CELLS - done
    check_whole(ledger, undisturbed, CELLS)
