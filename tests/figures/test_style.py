"""Files come whole or not at all, and are the same each time."""

import csv
import os
from pathlib import Path

import matplotlib as mpl
import pytest
from matplotlib.figure import Figure

from figures.style import house_style, save, whole_file, write_table

ROWS = [{"x": 0.1, "name": "a, b"}, {"x": 1e-300, "name": "ε"}]


def drawing() -> Figure:
    with house_style():
        figure = Figure()
        figure.subplots().plot([row["x"] for row in ROWS])
        return figure


def test_whole_file_appears_only_when_written(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "file.txt"
    with whole_file(path) as part:
        part.write_text("all", encoding="utf-8")
        assert not path.exists()
        assert part.parent == path.parent  # a rename is atomic only within a file system
    assert path.read_text(encoding="utf-8") == "all"
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt, SystemExit])
def test_whole_file_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, error: type[BaseException]
) -> None:
    path = tmp_path / "file.txt"
    path.write_text("old", encoding="utf-8")

    def write_half() -> None:
        with whole_file(path) as part:
            part.write_text("ne", encoding="utf-8")
            raise error

    with pytest.raises(error):
        write_half()
    assert path.read_text(encoding="utf-8") == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_whole_file_refuses_a_folder_and_a_pipe(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"  # stands for a device, which root could lose for good
    os.mkfifo(pipe)
    for path in (tmp_path, pipe):
        with pytest.raises(FileExistsError, match=f"{path} must be a file"), whole_file(path):
            pytest.fail("a name was given")
    assert pipe.is_fifo()


def test_whole_file_refuses_a_folder_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "taken").touch()
    with pytest.raises(OSError, match="taken"), whole_file(tmp_path / "taken" / "file.txt"):
        pytest.fail("a name was given")


def test_whole_file_replaces_what_a_link_points_to(tmp_path: Path) -> None:
    target, link = tmp_path / "target.txt", tmp_path / "link.txt"
    target.write_text("old", encoding="utf-8")
    link.symlink_to(target)
    with whole_file(link) as part:
        part.write_text("new", encoding="utf-8")
    assert link.is_symlink()
    assert target.read_text(encoding="utf-8") == "new"


def test_whole_file_of_two_writers_is_that_of_one(tmp_path: Path) -> None:
    path = tmp_path / "file.txt"
    with whole_file(path) as first:
        first.write_text("first", encoding="utf-8")
        with whole_file(tmp_path / "other.txt") as second:
            second.write_text("second", encoding="utf-8")
    assert path.read_text(encoding="utf-8") == "first"
    assert (tmp_path / "other.txt").read_text(encoding="utf-8") == "second"


def test_write_table_is_read_back(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    with path.open("w", encoding="utf-8", newline="") as stream:
        write_table(ROWS, stream)
    with path.open(encoding="utf-8", newline="") as stream:
        read = [{"x": float(row["x"]), "name": row["name"]} for row in csv.DictReader(stream)]
    assert read == ROWS  # Python's floats are written so that they are read back exactly


def test_save_writes_three_files_the_same_each_time(tmp_path: Path) -> None:
    with house_style():
        first = save(drawing(), ROWS, tmp_path / "1", "name")
        second = save(drawing(), ROWS, tmp_path / "2", "name")
    assert [path.name for path in first] == ["name.png", "name.svg", "name.csv"]
    assert sorted(first) == sorted((tmp_path / "1").iterdir())
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in second]
    assert first[0].read_bytes().startswith(b"\x89PNG")
    assert b"</svg>" in first[1].read_bytes()


def test_save_keeps_all_old_files_when_one_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = save(drawing(), ROWS, tmp_path, "name")
    old = [path.read_bytes() for path in files]

    def full(rows: object, stream: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("figures.style.write_table", full)
    with pytest.raises(OSError, match="No space left"):
        save(drawing(), ROWS[:1], tmp_path, "name")
    assert [path.read_bytes() for path in files] == old
    assert sorted(tmp_path.iterdir()) == sorted(files)


def test_house_style_ends_with_its_block() -> None:
    before = dict(mpl.rcParams)
    with house_style():
        assert mpl.rcParams["svg.hashsalt"] == "sparsebound"
    assert dict(mpl.rcParams) == before
