"""Files that are there whole or not at all, whatever ends the process that writes them."""

import csv
import os
import tempfile
import time
import uuid
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TextIO

_PART = ".part"
_ABANDONED = 3600.0  # seconds: a write takes far less


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Yield a name to write to that becomes `path` only once everything is written.

    Raises
    ------
    OSError
        If the folder cannot be written to, or `path` is a folder or a device.
    """
    if path.exists() and not path.is_file():
        raise FileExistsError(f"{path} must be a file; it is a folder or a device.")
    path = path.resolve()  # what a link points to is replaced, not the link
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{uuid.uuid4().hex}{_PART}")
    try:
        yield part
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


@contextmanager
def folder_aside(folder: Path) -> Iterator[Path]:
    """Yield a folder in a folder, whose files are to be moved up when they are whole.

    What still lies in it goes when the block ends.

    Raises
    ------
    OSError
        If the folder cannot be made or written to.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder, prefix=".", suffix=_PART) as aside:
        yield Path(aside)


def write_whole(path: Path, content: bytes) -> None:
    """Write a file that is all of the content, or what it was before, even if the power fails.

    Raises
    ------
    OSError
        As `whole_file`, or if the disk is full.
    """
    with whole_file(path) as part, part.open("xb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())
    _sync_folder(path.parent)


def write_table(rows: Iterable[Mapping[str, Any]], stream: TextIO) -> None:
    """Write rows that share their keys as CSV."""
    listed = list(rows)
    writer = csv.DictWriter(stream, fieldnames=list(listed[0]) if listed else [])
    writer.writeheader()
    writer.writerows(listed)


def prepare_folder(folder: Path) -> None:
    """Make a folder, show that it can be written, and clear what a kill left unfinished in it.

    Raises
    ------
    OSError
        If it cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=folder, suffix=_PART) as probe:
        probe.write(bytes(65536))
        probe.flush()
        os.fsync(probe.fileno())
    for part in folder.glob(f"*{_PART}"):
        with suppress(FileNotFoundError):  # another process was faster
            if time.time() - part.stat().st_mtime > _ABANDONED:
                part.unlink()


def _sync_folder(folder: Path) -> None:
    """Make a new name last; where a system has no such thing, it does it by itself."""
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
