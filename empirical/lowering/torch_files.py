"""State dicts of torch as arrays. Imports torch, which takes a second."""

import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from empirical.lowering.affine import most_bytes
from empirical.lowering.torch_layers import as_array
from theory.validation import FloatArray


def state_arrays(path: Path, max_entries: int) -> dict[str, FloatArray]:
    """Return the weights W1, W2, ... and biases b1, ... of the state of fully connected layers.

    Raises
    ------
    ValueError
        If the file is damaged, too large, or holds more than that.
    OSError
        If it cannot be read.
    """
    state = _state(path, max_entries)
    entries = 0
    for name, tensor in state.items():
        _refuse_other_tensors(path, name, tensor)
        entries += tensor.numel()
        if entries > max_entries:
            raise ValueError(
                f"tensors in {path} must have at most max_entries={max_entries:,} entries in all;"
                f" up to {name!r} they have {entries:,}."
            )
    arrays: dict[str, FloatArray] = {}
    layers = list(dict.fromkeys(name.rpartition(".")[0] for name in state))
    for j, layer in enumerate(layers, start=1):
        parts = {n.rpartition(".")[2]: t for n, t in state.items() if n.rpartition(".")[0] == layer}
        for letter, kind, axes in (("W", "weight", 2), ("b", "bias", 1)):
            tensor = _unmasked(parts, kind)
            if tensor is None and kind == "bias":
                continue
            if tensor is None or tensor.ndim != axes:
                shape = None if tensor is None else tuple(tensor.shape)
                raise ValueError(
                    f"{kind} of {layer!r} in {path} must have {axes} axes, as a fully connected"
                    f" layer's has; got {'none' if shape is None else shape}."
                )
            arrays[f"{letter}{j}"] = as_array(tensor)
        if parts:
            raise ValueError(
                f"{layer!r} in {path} must have a weight and a bias; it also has {sorted(parts)}."
            )
    return arrays


def _state(path: Path, max_entries: int) -> Mapping[str, Any]:
    problem = f"{path} must be a state dict as torch.save(module.state_dict(), path) writes it"
    if path.exists() and not zipfile.is_zipfile(path):
        raise ValueError(f"{problem}; it is damaged or something else.")
    try:
        with zipfile.ZipFile(path) as archive:
            size = sum(member.file_size for member in archive.infolist())
        if size <= most_bytes(max_entries):
            state = torch.load(path, map_location="cpu", weights_only=True)
    except OSError:
        raise
    except Exception as error:  # a damaged file can raise anything
        raise ValueError(f"{problem}: {error!r:.200}") from error
    if size > most_bytes(max_entries):
        raise ValueError(
            f"{path} must hold at most max_entries={max_entries:,} numbers; it has {size:,} bytes."
        )
    if not isinstance(state, Mapping) or not state:
        raise ValueError(f"{problem}; it holds {type(state).__name__}, empty or no dict.")
    return state


def _refuse_other_tensors(path: Path, name: Any, tensor: Any) -> None:
    if not isinstance(name, str) or not isinstance(tensor, torch.Tensor):
        raise ValueError(
            f"{path} must hold tensors by name; {name!r} is of type {type(tensor).__name__}."
        )
    if tensor.layout != torch.strided or not tensor.is_floating_point():
        raise ValueError(
            f"{name!r} in {path} must be dense and real; it is {tensor.layout}, {tensor.dtype}."
        )


def _unmasked(parts: dict[str, torch.Tensor], kind: str) -> torch.Tensor | None:
    """Take out a parameter, times its mask where torch.nn.utils.prune has put one."""
    original, mask = parts.get(f"{kind}_orig"), parts.get(f"{kind}_mask")
    if original is not None and mask is not None and original.shape == mask.shape:
        return parts.pop(f"{kind}_orig").double() * parts.pop(f"{kind}_mask").double()
    return parts.pop(kind, None)
