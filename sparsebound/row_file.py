"""A table that is written as its rows are done, so that hours of work outlive an interruption."""

import csv
import io
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from io import FileIO
from pathlib import Path
from typing import Any


class RowFile:
    """Rows that are done, in a CSV if there is a stream: whole lines, whatever happens.

    Attributes
    ----------
    count : int
        How many rows are done.
    """

    def __init__(self, stream: FileIO | None) -> None:
        self._stream = stream
        self._done = (0, 0)  # rows and bytes: changed together, lest an interruption comes between

    @property
    def count(self) -> int:
        """How many rows are done."""
        return self._done[0]

    def append(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Write rows that share their keys with all others.

        Raises
        ------
        OSError
            If they cannot be written; then none of them is.
        """
        count, size = self._done
        data = _lines(rows, header=not count) if self._stream is not None else b""
        try:
            rest = data
            while rest and self._stream is not None:
                rest = rest[self._stream.write(rest) or 0 :]
            self._done = (count + len(rows), size + len(data))
        except BaseException:
            if self._stream is not None:
                self._stream.truncate(self._stream.seek(size))
            raise


@contextmanager
def kept_rows(path: Path | None) -> Iterator[RowFile]:
    """Yield where rows go; what is done when the block ends, in whatever way, becomes `path`.

    Until then it is in `path` with the number of the process and ".part" added to its name, and
    stays there if the process is killed. If no row is done, `path` is left as it was.

    Raises
    ------
    OSError
        If the folder cannot be written to.
    """
    if path is None:
        yield RowFile(None)
        return
    path = path.resolve()  # what a link points to is replaced, not the link
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    with FileIO(part, "w") as stream:
        rows = RowFile(stream)
        try:
            yield rows
        finally:
            stream.close()
            if rows.count:
                part.replace(path)
            part.unlink(missing_ok=True)


def refuse_unwritable(path: Path, inputs: Sequence[Path]) -> None:
    """Raise OSError or ValueError if a table cannot be written there, before any work is done."""
    if path.resolve() in {given.resolve() for given in inputs}:
        raise ValueError(f"--out must be another file than MODEL and DATA; got {path}.")
    if path.exists() and not path.is_file():
        raise FileExistsError(f"--out must be a file; {path} is a folder or a device.")
    folder = path.resolve().parent
    while not folder.exists():  # whole_file and kept_rows make the rest
        folder = folder.parent
    if not folder.is_dir():
        raise NotADirectoryError(f"--out {path} must be in a folder; {folder} is a file.")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise PermissionError(f"--out {path} must be in a folder that you may write to: {folder}.")


def _lines(rows: Sequence[Mapping[str, Any]], *, header: bool) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, fieldnames=list(rows[0]))
    if header:
        writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()
