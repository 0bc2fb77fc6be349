"""The engine: every cell once, whatever fails, is killed or is interrupted."""

import os
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from empirical.engine import Tally, run_sweep
from empirical.ledger import LedgerError, Result, load_weights, results, weights_path
from empirical.sweeps import Settings
from empirical.workers import SchedulerError
from tests import ctrl_c
from tests.empirical.sweeping import (
    run,
    run_but_killed_always,
    run_but_killed_once,
    run_but_third,
    small_sweep,
    table,
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "rows.sqlite"


def never(settings: Settings) -> Result:
    raise AssertionError("no cell should be run")


def check_whole(path: Path, undisturbed: Path, count: int) -> None:
    """Check that a ledger has every row once, with its weights, as if nothing had happened."""
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert connection.execute("SELECT count(*) FROM cells").fetchone() == (count,)
    assert table(path) == table(undisturbed)
    for key in results(path)["key"]:
        assert load_weights(path, key)["w"].shape == (50,)


def test_run_sweep_runs_what_is_not_done(path: Path) -> None:
    assert run_sweep(small_sweep(3), run, ledger=path) == Tally(done=3, failed=0, skipped=0)
    assert run_sweep(small_sweep(5), run, ledger=path) == Tally(done=2, failed=0, skipped=3)
    assert run_sweep(small_sweep(5), never, ledger=path) == Tally(done=0, failed=0, skipped=5)
    assert results(path)["seed²"].tolist() == [i**2 for i in results(path)["seed"]]
    key = small_sweep(1).cells[0].key
    assert load_weights(path, key)["w"].shape == (50,)


def test_run_sweep_shares_rows_between_sweeps(path: Path) -> None:
    run_sweep(small_sweep(3, "one"), run, ledger=path)
    tally = run_sweep(small_sweep(2, "two"), never, ledger=path)
    assert tally.skipped == 2
    assert results(path)["sweeps"].value_counts().to_dict() == {"one,two": 2, "one": 1}


def test_run_sweep_records_what_fails_and_goes_on(path: Path) -> None:
    tally = run_sweep(small_sweep(4), run_but_third, ledger=path)
    assert tally == Tally(done=3, failed=1, skipped=0)
    failed = results(path).query("status == 'failed'")
    assert failed["seed"].tolist() == [2]
    (trace,) = failed["traceback"]
    assert "run_but_third" in trace
    assert trace.endswith("RuntimeError: the third cell is broken\n")


def test_run_sweep_tries_failed_cells_again_unless_told(path: Path) -> None:
    run_sweep(small_sweep(4), run_but_third, ledger=path)
    tally = run_sweep(small_sweep(4), never, ledger=path, skip=("done", "failed"))
    assert tally == Tally(done=0, failed=0, skipped=4)
    assert run_sweep(small_sweep(4), run, ledger=path) == Tally(done=1, failed=0, skipped=3)
    assert set(results(path)["status"]) == {"done"}


@pytest.mark.parametrize(
    "result",
    [Result(row={"x": object()}), Result(row={}, weights={"w": np.array(["x"])}), None],
)
def test_run_sweep_records_results_that_cannot_be_kept(path: Path, result: Any) -> None:
    assert run_sweep(small_sweep(1), lambda settings: result, ledger=path).failed == 1
    assert not weights_path(path, small_sweep(1).cells[0].key).exists()


def test_run_sweep_gives_each_cell_its_own_settings(path: Path) -> None:
    def spoil(settings: Any) -> Result:
        settings.clear()
        return Result(row={})

    run_sweep(small_sweep(2), spoil, ledger=path)
    assert results(path)["seed"].tolist() == [0, 1]


def test_run_sweep_interrupted_keeps_what_is_done(path: Path) -> None:
    def interrupt(settings: Settings) -> Result:
        if settings["seed"] == 2:
            raise KeyboardInterrupt
        return run(settings)

    with pytest.raises(KeyboardInterrupt):
        run_sweep(small_sweep(4), interrupt, ledger=path)
    assert sorted(results(path)["seed"]) == [0, 1]


def test_run_sweep_says_when_weights_cannot_be_kept(path: Path) -> None:
    def replace_folder(settings: Settings) -> Result:
        folder = weights_path(path, "x").parent
        folder.rmdir()
        folder.touch()
        return run(settings)

    with pytest.raises(LedgerError, match="weights beside"):
        run_sweep(small_sweep(1), replace_folder, ledger=path)
    assert len(results(path)) == 0


def test_run_sweep_keeps_the_weights_of_the_first_run(path: Path) -> None:
    def run_as_another_does(settings: Settings) -> Result:
        run_sweep(small_sweep(1), run, ledger=path)  # another process was faster
        return Result(row={"accuracy": -1.0}, weights={"w": np.zeros(50)})

    run_sweep(small_sweep(1), run_as_another_does, ledger=path)
    (cell,) = small_sweep(1).cells
    first = run(cell.settings)
    assert results(path)["accuracy"].tolist() == [first.row["accuracy"]]
    assert np.array_equal(load_weights(path, cell.key)["w"], np.asarray(first.weights["w"]))


@pytest.mark.parametrize("settings", [{"workers": -1}, {"workers": 1, "scheduler": "tcp://x:1"}])
def test_run_sweep_refuses_workers(path: Path, settings: Any) -> None:
    with pytest.raises(ValueError, match="workers must be"):
        run_sweep(small_sweep(1), run, ledger=path, **settings)
    assert not path.exists()


def start(path: Path, workers: int, name: str = "small") -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        [sys.executable, "-m", "tests.empirical.sweeping", str(path), str(workers), name],
        cwd=Path(__file__).parents[2],
        stderr=subprocess.PIPE,
        start_new_session=True,
        preexec_fn=ctrl_c.heed,  # noqa: PLW1509  # no other thread runs here
    )


def finished(path: Path) -> int:
    return len(results(path)) if path.is_file() else 0


def kill_after(process: "subprocess.Popen[bytes]", path: Path, rows: int, sign: int) -> bytes:
    """Signal a process when the ledger has so many rows; return what it said."""
    deadline = time.monotonic() + 60
    while finished(path) < rows and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.005)
    time.sleep(float(np.random.default_rng(rows).uniform(0, 0.05)))
    if sign == signal.SIGINT:
        os.killpg(process.pid, sign)  # as a terminal does
    else:
        process.send_signal(sign)
    return process.communicate(timeout=60)[1]


@pytest.fixture
def undisturbed(tmp_path: Path) -> Path:
    path = tmp_path / "undisturbed.sqlite"
    run_sweep(small_sweep(24, pause=0.05), run, ledger=path)
    return path


@pytest.mark.slow  # six processes start
@pytest.mark.parametrize("workers", [0, 2])
def test_run_sweep_survives_kills_of_the_parent(
    path: Path, undisturbed: Path, workers: int
) -> None:
    for rows in (0, 2, 6, 11, 17):
        kill_after(start(path, workers), path, rows, signal.SIGKILL)
    assert finished(path) < 24
    process = start(path, workers)
    said = process.communicate(timeout=100)[1].decode()
    assert process.returncode == 0, said
    check_whole(path, undisturbed, 24)


@pytest.mark.slow  # a process with two workers starts
@pytest.mark.parametrize("workers", [0, 2])
def test_run_sweep_ends_on_ctrl_c(path: Path, workers: int) -> None:
    process = start(path, workers)
    said = kill_after(process, path, 3, signal.SIGINT).decode()
    assert process.returncode == -signal.SIGINT, said
    assert "KeyboardInterrupt" in said
    assert 3 <= finished(path) < 24


@pytest.mark.slow  # workers start, more or less
@pytest.mark.parametrize("seconds", [0.0, 0.3, 0.6])
def test_run_sweep_ends_on_ctrl_c_while_workers_start(path: Path, seconds: float) -> None:
    process = start(path, 2)
    deadline = time.monotonic() + 60
    while not path.exists() and time.monotonic() < deadline:  # workers start right after it is made
        time.sleep(0.005)
    time.sleep(0.1 + seconds)
    os.killpg(process.pid, signal.SIGINT)
    said = process.communicate(timeout=60)[1].decode()
    assert process.returncode == -signal.SIGINT, said
    assert said.count("Traceback") == 1  # the parent's


@pytest.mark.slow  # workers start
def test_run_sweep_retries_the_cell_of_a_killed_worker(path: Path, tmp_path: Path) -> None:
    sweep = small_sweep(6, marker=str(tmp_path / "killed"))
    tally = run_sweep(sweep, run_but_killed_once, ledger=path, workers=2)
    assert len(list(tmp_path.glob("killed*"))) == 2
    assert tally == Tally(done=6, failed=0, skipped=0)
    other = tmp_path / "undisturbed.sqlite"
    run_sweep(sweep, run, ledger=other)
    check_whole(path, other, 6)


@pytest.mark.slow  # workers start, and again
def test_run_sweep_gives_up_a_cell_that_kills_its_workers(path: Path) -> None:
    tally = run_sweep(small_sweep(6), run_but_killed_always, ledger=path, workers=2)
    failed = results(path).query("status == 'failed'")
    assert failed["traceback"].str.startswith("KilledWorker: ").all()
    assert 3 in failed["seed"].tolist()
    assert tally.failed == len(failed) < 3
    assert tally.done + tally.failed == 6


@pytest.mark.slow  # two processes with two workers each
def test_run_sweep_twice_at_once_on_one_ledger(path: Path, undisturbed: Path) -> None:
    processes = [start(path, workers, name) for workers, name in ((2, "one"), (0, "two"))]
    for process in processes:
        said = process.communicate(timeout=100)[1].decode()
        assert process.returncode == 0, said
    assert set(results(path)["sweeps"]) == {"one,two"}
    check_whole(path, undisturbed, 24)


@pytest.mark.slow  # a cluster starts
def test_run_sweep_runs_on_a_scheduler(path: Path, tmp_path: Path) -> None:
    from distributed import LocalCluster  # noqa: PLC0415

    with LocalCluster(n_workers=1, threads_per_worker=1, dashboard_address=None) as cluster:
        address = cluster.scheduler_address
        tally = run_sweep(small_sweep(4), run_but_third, ledger=path, scheduler=address)
    assert tally == Tally(done=3, failed=1, skipped=0)


@pytest.mark.slow  # waits for an answer
def test_run_sweep_needs_the_scheduler(path: Path) -> None:
    import dask  # noqa: PLC0415

    with (
        dask.config.set({"distributed.comm.timeouts.connect": "1s"}),
        pytest.raises(SchedulerError, match=r"scheduler tcp.* must be running"),
    ):
        run_sweep(small_sweep(1), run, ledger=path, scheduler="tcp://127.0.0.1:9")
