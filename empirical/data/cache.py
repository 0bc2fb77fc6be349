"""Files found in a cache folder or fetched into it; none is used before it is verified."""

import gzip
import io
import os
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import IO

import numpy as np
import pooch
from numpy.typing import NDArray
from tqdm import tqdm

from empirical.data.idx import IdxFile, verified_array
from empirical.whole_files import write_whole

_GZIP = b"\x1f\x8b"


def data_folder(name: str) -> Path:
    """Return the folder of a data set: in SPARSEBOUND_DATA if that is set, else the user's cache.

    Examples
    --------
    >>> data_folder("mnist").name
    'mnist'
    """
    chosen = os.environ.get("SPARSEBOUND_DATA")
    return Path(chosen or pooch.os_cache("sparsebound")).expanduser() / name


def cached_array(folder: Path, file: IdxFile, mirrors: Sequence[str]) -> NDArray[np.uint8]:
    """Return the array of a file, raw or gzip, in a folder; if it is not there, fetch it first.

    Parameters
    ----------
    folder : Path
    file : IdxFile
    mirrors : sequence of str
        Addresses that the file's name, with ".gz", is put after; the first that has it is used.

    Raises
    ------
    ValueError
        If the file in the folder is not as published; it is left as it is.
    ConnectionError
        If the file is absent and no mirror gave it.
    OSError
        If it cannot be read, or the folder not written to.
    """
    for path in (folder / file.name, folder / f"{file.name}.gz"):
        if path.exists():
            with path.open("rb") as stream:
                return _verified(stream, file, str(path))[1]
    return _fetched(folder, file, mirrors)


def _fetched(folder: Path, file: IdxFile, mirrors: Sequence[str]) -> NDArray[np.uint8]:
    _make_writable(folder)
    problems = []
    for mirror in mirrors:
        url = f"{mirror}{file.name}.gz"
        try:
            content, values = _verified(_downloaded(url, file.size), file, url)
        except (OSError, ValueError) as error:
            problems.append(f"\n  {url}: {error!s:.300}")
            continue
        write_whole(folder / file.name, content)
        return values
    raise ConnectionError(
        f"{file.name} must come from one of its mirrors, or be put into {folder} as it is or with"
        f" .gz; none gave it:{''.join(problems)}"
    )


def _make_writable(folder: Path) -> None:
    """Make a folder, before any work is done for what it will hold."""
    folder.mkdir(parents=True, exist_ok=True)
    if not os.access(folder, os.W_OK | os.X_OK):
        raise PermissionError(f"{folder} must be a folder that you may write to.")


def _downloaded(url: str, size: int) -> IO[bytes]:
    """Return what an address gives, kept in memory: only what is verified goes to the disk."""
    content = io.BytesIO()
    name = url.rpartition("/")[2]
    # on a terminal only; its total is corrected to the bytes that are sent
    with tqdm(desc=name, total=size, unit="B", unit_scale=True, disable=None) as bar:
        pooch.HTTPDownloader(progressbar=bar, chunk_size=1 << 16)(url, content, None)
    content.seek(0)
    return content


def _verified(stream: IO[bytes], file: IdxFile, origin: str) -> tuple[bytes, NDArray[np.uint8]]:
    """Return the content of a stream, decompressed if it is gzip, and its array."""
    is_gzip = stream.read(2) == _GZIP
    stream.seek(0)
    try:
        # not more than shows that it is too long, whatever it would decompress to
        content = (gzip.GzipFile(fileobj=stream) if is_gzip else stream).read(file.size + 1)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise ValueError(f"{origin} must be a whole gzip file: {error}.") from error
    return content, verified_array(content, file, origin)
