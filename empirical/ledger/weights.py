"""Weights beside the ledger: one safetensors file a cell, whole or not there."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from safetensors.numpy import load_file, save

from empirical.whole_files import write_whole


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
    write_whole(path, packed)
    return path


def load_weights(ledger: Path, key: str) -> dict[str, NDArray[Any]]:
    """Return the weights of a cell.

    Raises
    ------
    OSError
        If it has none.
    """
    return load_file(weights_path(ledger, key))
