"""Files come whole or not at all, and what kills leave behind is cleared."""

import os
import time
from pathlib import Path

import pytest

from empirical.whole_files import prepare_folder, whole_file, write_whole


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
        with whole_file(path) as second:
            second.write_text("second", encoding="utf-8")
        assert path.read_text(encoding="utf-8") == "second"
    assert path.read_text(encoding="utf-8") == "first"
    assert list(tmp_path.iterdir()) == [path]


def test_prepare_folder_clears_what_a_kill_left_long_ago(tmp_path: Path) -> None:
    old, new, kept = (tmp_path / name for name in ("a.part", "b.part", "c.safetensors"))
    for path in (old, new, kept):
        path.touch()
    long_ago = time.time() - 7200
    os.utime(old, (long_ago, long_ago))
    os.utime(kept, (long_ago, long_ago))
    prepare_folder(tmp_path)
    assert sorted(tmp_path.iterdir()) == [new, kept]


def test_write_whole_replaces_and_leaves_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "file.bin"
    for content in (b"old", b"new and longer"):
        write_whole(path, content)
        assert path.read_bytes() == content
    assert list(tmp_path.iterdir()) == [path]


def test_write_whole_on_a_full_disk_keeps_what_was_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    path = tmp_path / "file.bin"
    path.write_bytes(b"old")
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        write_whole(path, b"new")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]
