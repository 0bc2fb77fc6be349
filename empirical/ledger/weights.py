"""Weights beside the ledger: one safetensors file a cell, whole or not there."""

import os
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from safetensors.numpy import load_file, save

_PART = ".part"
_ABANDONED = 3600.0  # seconds: a write takes far less


def weights_folder(ledger: Path) -> Path:
    """Return the folder of a ledger's weights."""
    return ledger.with_name(f"{ledger.name}.weights")


def weights_path(ledger: Path, key: str) -> Path:
    """Return where the weights of a cell are, if it has any."""
    return weights_folder(ledger) / f"{key}.safetensors"


def packed_weights(weights: Mapping[str, ArrayLike]) -> bytes:
    """Return what a file of these weights contains.

    Raises
    ------
    TypeError, ValueError
        If they are no arrays of numbers.
    """
    arrays = {name: np.ascontiguousarray(array) for name, array in weights.items()}
    for name, array in arrays.items():
        if array.dtype.kind not in "biuf":
            raise TypeError(f"weights must be arrays of numbers; {name} has type {array.dtype}.")
    return save(arrays)


def save_weights(ledger: Path, key: str, packed: bytes) -> Path:
    """Return the file that now has the packed weights: all of them, or what it had before.

    Raises
    ------
    OSError
        If it cannot be written.
    """
    path = weights_path(ledger, key)
    _replace(path, packed)
    return path


def load_weights(ledger: Path, key: str) -> dict[str, NDArray[Any]]:
    """Return the weights of a cell.

    Raises
    ------
    OSError
        If it has none.
    """
    return load_file(weights_path(ledger, key))


def prepare(ledger: Path) -> None:
    """Make the folder of weights, show that it can be written, and clear what a kill left.

    Raises
    ------
    OSError
        If it cannot be written.
    """
    folder = weights_folder(ledger)
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=folder, suffix=_PART) as probe:
        probe.write(bytes(65536))
        probe.flush()
        os.fsync(probe.fileno())
    for part in folder.glob(f"*{_PART}"):
        _clear(part)


def _clear(part: Path) -> None:
    try:
        if time.time() - part.stat().st_mtime > _ABANDONED:
            part.unlink()
    except FileNotFoundError:  # another process was faster
        return


def _replace(path: Path, data: bytes) -> None:
    with tempfile.NamedTemporaryFile(dir=path.parent, suffix=_PART, delete=False) as stream:
        part = Path(stream.name)
        try:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
            part.replace(path)
        except BaseException:
            part.unlink(missing_ok=True)
            raise
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    """Make the new name last; where a system has no such thing, it does it by itself."""
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
