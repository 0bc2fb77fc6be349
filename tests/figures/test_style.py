"""Files come whole or not at all, and are the same each time."""

import csv
from pathlib import Path

import matplotlib as mpl
import pytest
from matplotlib.figure import Figure

from empirical.whole_files import write_table
from figures.style import house_style, save

ROWS = [{"x": 0.1, "name": "a, b"}, {"x": 1e-300, "name": "ε"}]


def drawing() -> Figure:
    with house_style():
        figure = Figure()
        figure.subplots().plot([row["x"] for row in ROWS])
        return figure


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
