"""Arrays of npz files. Nothing in a file is ever executed, and nothing too large is read."""

import math
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from empirical.lowering.affine import MAX_ENTRIES, most_bytes


def load_arrays(
    path: Path, *, required: tuple[str, ...], max_entries: int = MAX_ENTRIES
) -> Mapping[str, NDArray[Any]]:
    """Return the arrays of an npz file; nothing in it is ever executed.

    Raises
    ------
    ValueError
        If the file is no npz, is damaged, holds Python objects, lacks a required array, or its
        arrays have more than max_entries entries in all: found out before any is read.
    OSError
        If it cannot be read.
    """
    if path.exists() and not zipfile.is_zipfile(path):
        raise ValueError(f"{path} must be a whole npz file; it is damaged or something else.")
    _refuse_large(path, max_entries)
    try:
        with path.open("rb") as stream, np.load(stream, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
    except OSError:
        raise
    except MemoryError as error:
        raise ValueError(f"arrays in {path} must fit in memory: {error!s:.200}") from error
    except Exception as error:  # a damaged archive can raise anything
        raise ValueError(
            f"{path} must be a whole npz file of plain arrays, without Python objects"
            " (text: .astype(str))."
        ) from error
    missing = [name for name in required if name not in arrays]
    if missing:
        raise ValueError(f"{path} must hold {', '.join(missing)}; it holds {sorted(arrays)}.")
    return arrays


def _refuse_large(path: Path, max_entries: int) -> None:
    """Raise ValueError if the headers promise more than may be allocated."""
    entries, total = 0, 0
    for name, shape, size in _headers(path):
        entries, total = entries + math.prod(shape), total + size
        if entries > max_entries or total > most_bytes(max_entries):
            raise ValueError(
                f"arrays in {path} must have at most max_entries={max_entries:,} entries in all;"
                f" up to {name} they have {entries:,}, of {total:,} bytes."
            )


def _headers(path: Path) -> Iterator[tuple[str, tuple[int, ...], int]]:
    """Yield name, shape and bytes of each array of an npz, none of which is read."""
    read = "it"
    try:
        with zipfile.ZipFile(path) as archive:
            for member in archive.infolist():
                read = member.filename
                with archive.open(member) as stream:
                    version = npy.read_magic(stream)
                    header = npy.read_array_header_1_0
                    if version != (1, 0):
                        header = npy.read_array_header_2_0
                    shape, _, kind = header(stream)
                yield read, shape, math.prod(shape) * kind.itemsize
    except OSError:
        raise
    except Exception as error:  # a damaged archive can raise anything
        raise ValueError(
            f"{path} must be a whole npz file of plain arrays; {read} is not: {error!r:.120}"
        ) from error
