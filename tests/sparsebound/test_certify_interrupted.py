"""What `sparsebound certify` has done outlives what ends it."""

import signal
import subprocess
from collections.abc import Iterator
from io import FileIO
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import sparsebound.network_radii
from sparsebound.row_file import RowFile, kept_rows
from tests.sparsebound.certified import (
    certify,
    network,
    npz,
    random_layers,
    table,
)
from tests.sparsebound.test_processes import interrupt_when, start
from theory.certify import DistanceBounds, certified_radii
from theory.networks import class_scores


def fail_after(count: int, error: BaseException, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let certificates end with an error after so many pieces."""

    def failing(*arguments: Any, **setting: Any) -> Iterator[DistanceBounds]:
        yield from islice(certified_radii(*arguments, **setting), count)
        raise error

    monkeypatch.setattr(sparsebound.network_radii, "certified_radii", failing)


@pytest.fixture
def many(tmp_path: Path) -> Path:
    return npz(tmp_path / "many.npz", X=np.linspace(1.5, 9, 40)[:, None])


def test_ctrl_c_keeps_the_rows_that_are_done(
    model: Path, many: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "rows.csv"
    fail_after(1, KeyboardInterrupt(), monkeypatch)
    result = certify(model, many, "--out", out, "--method", "crown")
    assert (result.exit_code, result.stdout) == (130, "")
    assert result.stderr == f"Interrupted: 16 of 40 inputs are done, in {out}.\n"
    assert [row["input"] for row in table(out)] == [str(i) for i in range(16)]
    assert list(tmp_path.glob("*.part")) == []
    fail_after(0, KeyboardInterrupt(), monkeypatch)
    before = out.read_bytes()
    result = certify(model, many, "--out", out)
    assert (result.exit_code, result.stderr) == (130, "Interrupted: 0 of 40 inputs are done.\n")
    assert out.read_bytes() == before
    assert list(tmp_path.glob("*.part")) == []
    fail_after(1, KeyboardInterrupt(), monkeypatch)
    result = certify(model, many, "--method", "crown")
    assert result.exit_code == 130
    assert "16 of 40 inputs are done; --out" in result.stderr


def test_an_error_keeps_the_rows_that_are_done(
    model: Path, many: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "rows.csv"
    fail_after(1, RuntimeError("a defect"), monkeypatch)
    result = certify(model, many, "--out", out, "--method", "crown")
    assert result.exit_code == 3
    assert result.stderr.startswith(f"16 of 40 inputs are done, in {out}.\nError: RuntimeError")
    assert len(table(out)) == 16


def test_a_link_stays_one(model: Path, data: Path, tmp_path: Path) -> None:
    (tmp_path / "link.csv").symlink_to(tmp_path / "new" / "rows.csv")
    assert certify(model, data, "--out", tmp_path / "link.csv").exit_code == 0
    assert (tmp_path / "link.csv").is_symlink()
    assert len(table(tmp_path / "new" / "rows.csv")) == 4


def searching(folder: Path, out: Path) -> subprocess.Popen[str]:
    """Start a search that is done with three inputs at once and with the fourth in ages."""
    arrays = random_layers(40, 80, 80, 5)
    X = np.random.default_rng(6).normal(size=(200, 40))
    scores = np.sort(class_scores(network(arrays), X), axis=1)
    X = X[np.argsort(scores[:, -2] - scores[:, -1])[:6]]  # the farthest take the longest
    y = class_scores(network(arrays), X).argmax(axis=1)
    y[:3] = (y[:3] + 1) % 5  # wrong: their distance is 0
    model, data = npz(folder / "hard.npz", **arrays), npz(folder / "hard_data.npz", X=X, y=y)
    options = ("--exact", "--time-limit", "inf", "--out", str(out))
    return start("certify", str(model), str(data), *options)


def written(folder: Path) -> bool:
    parts = folder.glob("rows.csv.*.part")
    return any(path.read_bytes().count(b"\n") > 3 for path in parts)


def test_ctrl_c_of_a_process_keeps_the_rows_that_are_done(tmp_path: Path) -> None:
    out = tmp_path / "rows.csv"
    process = searching(tmp_path, out)
    code, said = interrupt_when(process, lambda: written(tmp_path))
    assert (code, said) == (130, f"Interrupted: 3 of 6 inputs are done, in {out}.\n")
    assert [row["radius"] for row in table(out)] == ["0.0"] * 3
    assert list(tmp_path.glob("*.part")) == []


def test_a_killed_process_leaves_the_rows_that_are_done(tmp_path: Path) -> None:
    process = searching(tmp_path, tmp_path / "rows.csv")

    def killed_when_written() -> bool:
        if written(tmp_path):
            process.kill()
        return False

    code, said = interrupt_when(process, killed_when_written)
    assert (code, said) == (-signal.SIGKILL, "")
    assert not (tmp_path / "rows.csv").exists()
    (part,) = tmp_path.glob("rows.csv.*.part")
    assert part.name == f"rows.csv.{process.pid}.part"
    assert len(table(part)) == 3


class FailingFile(FileIO):
    """A file that takes ten bytes at a time, and nothing beyond a size."""

    room = 25
    error: BaseException = OSError(28, "No space left on device")

    def write(self, data: Any, /) -> int:
        if self.tell() + 10 > self.room:
            raise self.error
        return super().write(data[:10])


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_a_line_is_whole_or_not_there(tmp_path: Path, error: BaseException) -> None:
    path = tmp_path / "rows.csv"
    with FailingFile(path, "w") as stream:
        stream.error = error
        rows = RowFile(stream)
        rows.append([{"a": 1, "b": 2}])  # two lines of 5 bytes
        with pytest.raises(type(error)):
            rows.append([{"a": 10**8, "b": 10**9}])
        assert rows.count == 1
        stream.room = 100
        rows.append([{"a": 3, "b": "x,y"}])
    assert path.read_bytes() == b'a,b\r\n1,2\r\n3,"x,y"\r\n'
    assert rows.count == 2


def test_two_at_once_do_not_mix(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "rows.csv"
    with kept_rows(path) as first:
        first.append([{"a": 1}])
        monkeypatch.setattr("os.getpid", lambda: -1)
        with kept_rows(path) as second:
            second.append([{"a": 2}])
            first.append([{"a": 3}])
        assert path.read_bytes() == b"a\r\n2\r\n"
    assert path.read_bytes() == b"a\r\n1\r\n3\r\n"
    assert [path.name for path in tmp_path.iterdir()] == ["rows.csv"]
