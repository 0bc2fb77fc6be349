"""What only a real process shows: signals, closed pipes, encodings, two runs at once."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests import ctrl_c

PROGRAM = [sys.executable, "-c", "from sparsebound.main import main; main()"]


def start(*arguments: str, **settings: Any) -> subprocess.Popen[str]:
    environment = {**os.environ, "OMP_NUM_THREADS": "1", **settings.pop("env", {})}
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.Popen(
        [*PROGRAM, *arguments],
        text=True,
        env=environment,
        preexec_fn=ctrl_c.heed,  # noqa: PLW1509  # no other thread runs here
        **{**streams, **settings},
    )


def interrupt_when(process: subprocess.Popen[str], ready: Callable[[], bool]) -> tuple[int, str]:
    deadline = time.monotonic() + 60
    while not ready() and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    return process.returncode, said


def check_interrupted(outcome: tuple[int, str], out: Path) -> None:
    assert outcome == (130, "Interrupted.\n")
    assert [path.name for path in out.glob(".*")] == []  # parts have hidden names


def test_ctrl_c_while_training_leaves_nothing(tmp_path: Path) -> None:
    process = start("reproduce", "--full", "--out", str(tmp_path))
    outcome = interrupt_when(process, lambda: any(tmp_path.iterdir()))
    check_interrupted(outcome, tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="needs Linux's /proc")
def test_ctrl_c_while_libraries_load_is_silent(tmp_path: Path) -> None:
    process = start("reproduce", "--out", str(tmp_path / "out"))
    loaded = Path(f"/proc/{process.pid}/maps")
    outcome = interrupt_when(process, lambda: "numpy" in loaded.read_text(encoding="utf-8"))
    assert outcome in {(-signal.SIGINT, ""), (130, "Interrupted.\n")}  # loading, or just after
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
@pytest.mark.parametrize("last", ["verdicts.json", "sparsity-breast-cancer.csv"])
def test_ctrl_c_while_drawing_leaves_whole_files(tmp_path: Path, last: str) -> None:
    process = start("reproduce", "--quick", "--out", str(tmp_path))
    check_interrupted(interrupt_when(process, (tmp_path / last).exists), tmp_path)
    for path in tmp_path.iterdir():
        assert path.stat().st_size > 0
    for path in tmp_path.glob("*.svg"):
        assert path.read_text(encoding="utf-8").rstrip().endswith("</svg>")


@pytest.mark.slow
def test_two_runs_into_one_folder_are_as_one(tmp_path: Path) -> None:
    runs = [start("reproduce", "--quick", "--out", str(tmp_path / "both")) for _ in range(2)]
    runs.append(start("reproduce", "--quick", "--out", str(tmp_path / "one")))
    for process in runs:
        _, said = process.communicate(timeout=300)
        assert (process.returncode, said) == (0, "")
    names = sorted(path.name for path in (tmp_path / "one").iterdir())
    assert sorted(path.name for path in (tmp_path / "both").iterdir()) == names
    for name in names:
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "both" / name).read_bytes()


def test_a_reader_that_leaves_is_no_error() -> None:
    read, write = os.pipe()
    os.close(read)
    process = start("claims", stdout=write)
    os.close(write)
    _, said = process.communicate(timeout=60)
    assert (process.returncode, said) == (141, "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs Linux's full device")
def test_a_full_disk_is_told() -> None:
    with Path("/dev/full").open("w", encoding="utf-8") as full:
        process = start("claims", stdout=full)
        _, said = process.communicate(timeout=60)
    assert process.returncode != 0
    assert "No space left on device" in said
    assert "Traceback" not in said


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_a_poor_terminal_is_no_error(encoding: str) -> None:
    poor = {"PYTHONIOENCODING": encoding, "LC_ALL": "C", "PYTHONUTF8": "0"}
    process = start("claims", env=poor, encoding="latin-1")
    told, said = process.communicate(timeout=60)
    assert (process.returncode, said) == (0, "")
    assert "guo2018.r2" in told


def test_any_folder_will_do(tmp_path: Path) -> None:
    process = start("claims", "guo2018.r2", cwd=tmp_path)
    told, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    assert told.startswith("guo2018.r2 ")
    assert list(tmp_path.iterdir()) == []


def test_progress_is_shown_even_in_a_log() -> None:
    process = start("check", "classics.svm", env={"TQDM_DISABLE": ""})
    said, progress = process.communicate(timeout=60)
    assert process.returncode == 0
    assert "classics.svm" in said
    assert "measure" in progress
    assert "1/1" in progress
