"""Instances in npz files, which hold all that a claim's two sides are computed from."""

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from empirical.falsify.search import Instance, Search
from empirical.lowering.npz_files import load_arrays
from empirical.whole_files import write_whole

_FORMAT = "sparsebound falsify 1"
_ENTRIES = 1_000_000  # that an instance may have: far more than any has


def save_instance(path: Path, key: str, instance: Instance) -> None:
    """Write an instance of the claim of this key.

    Raises
    ------
    OSError
        If the file cannot be written.
    """
    content = io.BytesIO()
    arrays: dict[str, Any] = {"format": _FORMAT, "claim": key, **instance}
    np.savez(content, **arrays)
    write_whole(path, content.getvalue())


def load_instance(path: Path, searches: Mapping[str, Search]) -> tuple[Search, Instance]:
    """Return the search of a file's claim, and its instance; nothing in the file is executed.

    Raises
    ------
    ValueError
        If `save_instance` did not write the file, or not all of it is there; if its claim is none
        of the searches; if an array is missing, is no number, or does not fit the others.
    OSError
        If it cannot be read.
    """
    arrays = dict(load_arrays(path, required=("format", "claim"), max_entries=_ENTRIES))
    form, key = str(arrays.pop("format")), str(arrays.pop("claim"))
    if form != _FORMAT:
        raise ValueError(f"{path} must be of format {_FORMAT!r}; got {form!r:.80}.")
    if key not in searches:
        raise ValueError(f"{path} must be of a claim that can be searched; got {key!r:.80}.")
    search = searches[key]
    if set(arrays) != set(search.axes):
        raise ValueError(f"{path} must hold {sorted(search.axes)}; got {sorted(arrays)}.")
    lengths: dict[str, int] = {}
    for name, axes in search.axes.items():
        array = arrays[name]
        if array.dtype != np.float64 or array.ndim != len(axes) or 0 in array.shape:
            raise ValueError(
                f"{name} in {path} must be float64 with {len(axes)} axes, none empty; got"
                f" {array.dtype} of shape {array.shape}."
            )
        if np.isnan(array).any() or (np.isinf(array).any() and name not in search.fixed):
            raise ValueError(f"{name} in {path} must be finite; it is not.")
        for axis, size in zip(axes, array.shape, strict=True):
            if axis and lengths.setdefault(axis, size) != size:
                raise ValueError(
                    f"{name} in {path} must have {lengths[axis]} of axis {axis!r}; got {size}."
                )
    return search, arrays
