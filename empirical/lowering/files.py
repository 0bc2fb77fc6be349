"""Files of networks as theory records. Nothing in a file is executed unless it is trusted."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from empirical.lowering.affine import MAX_ENTRIES
from empirical.lowering.chain import compact
from empirical.lowering.estimators import network_from_estimator
from empirical.lowering.linear import unpickled
from empirical.lowering.named import NamedNetwork, named_network
from empirical.lowering.networks import network_from_onnx
from empirical.lowering.npz_files import load_arrays
from theory.networks import ReluNetwork

_PICKLES = {".joblib", ".pkl", ".pickle"}
_SUFFIXES = {".npz", ".onnx", ".pt", ".pth", *_PICKLES}


def network_from_file(
    path: Path,
    *,
    trust_pickle: bool = False,
    architecture: str | None = None,
    max_entries: int = MAX_ENTRIES,
) -> NamedNetwork:
    """Return the ReLU network of a file.

    Parameters
    ----------
    path : Path
        npz: arrays W1 (n_1, d), W2 (n_2, n_1), ..., each with its b1 (n_1,), ... or without (zero),
        a ReLU between layers, and optionally classes, the names of the labels in the order of the
        outputs. onnx: as in `network_from_onnx`. joblib, pkl: as in `network_from_estimator`. pt,
        pth: the state dict of fully connected layers in order, a ReLU between them (which a state
        dict does not say); masks of torch.nn.utils.prune are applied.
    trust_pickle : bool
        Reading joblib runs code that the file may hold; it is refused unless you trust it.
    architecture : str, optional
        The widths that a pt or npz file must have, such as "784-300-100-10".
    max_entries : int
        How many numbers the file may hold, and nonzero entries all weights together may have.

    Returns
    -------
    NamedNetwork

    Raises
    ------
    TypeError, ValueError
        If the file is damaged, too large or of another kind, holds objects, or lacks an array, or
        its arrays do not fit.
    ImportError
        If it is ONNX and onnx is not installed.
    OSError
        If it cannot be read.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "absolute_value.npz"
    >>> np.savez(path, W1=[[1.0], [-1.0]], W2=[[1.0, 1.0]])
    >>> network_from_file(path).net.widths
    (2,)
    """
    path = Path(path)
    if path.suffix not in _SUFFIXES:
        raise ValueError(f"{path} must end in one of {', '.join(sorted(_SUFFIXES))}.")
    named = _named(path, trust_pickle, max_entries)
    widths = (named.net.dimension, *named.net.widths, named.net.outputs)
    if architecture is not None and architecture != "-".join(map(str, widths)):
        raise ValueError(
            f"{path} must hold a network of widths {architecture}; it holds one of"
            f" {'-'.join(map(str, widths))}."
        )
    return named


def _named(path: Path, trust_pickle: bool, max_entries: int) -> NamedNetwork:
    if path.suffix in _PICKLES:
        if not trust_pickle:
            raise ValueError(f"{path} is a pickle, which can run code: --trust-pickle to read it.")
        return network_from_estimator(unpickled(path), max_entries=max_entries)
    if path.suffix == ".onnx":
        return named_network(network_from_onnx(path, max_entries=max_entries), None)
    read = _npz_arrays if path.suffix == ".npz" else _state_arrays
    arrays = read(path, max_entries)
    depth = sum(name.startswith("W") for name in arrays)
    weights = [arrays[f"W{j}"] for j in range(1, depth + 1)]
    biases = [arrays.get(f"b{j}", np.zeros(len(W))) for j, W in enumerate(weights, start=1)]
    try:
        net = ReluNetwork(weights=[compact(W) for W in weights], biases=biases)
        return named_network(net, arrays.get("classes"))
    except (ValueError, TypeError) as error:
        raise ValueError(f"{path} (W1 is weights[0]) cannot be lowered: {error}") from error


def _npz_arrays(path: Path, max_entries: int) -> Mapping[str, NDArray[Any]]:
    arrays = load_arrays(path, required=("W1",), max_entries=max_entries)
    numbers = sorted(int(name[1:]) for name in arrays if re.fullmatch(r"W[1-9]\d*", name))
    if numbers != list(range(1, len(numbers) + 1)):
        raise ValueError(f"{path} must hold W1, W2, ... without a gap; got {sorted(arrays)}.")
    known = {f"{letter}{j}" for letter in "Wb" for j in numbers} | {"classes"}
    unknown = sorted(set(arrays) - known)
    if unknown:
        raise ValueError(f"{path} must hold W1, b1, W2, ... and classes; it also has {unknown}.")
    flat = [f"{name} {arrays[name].shape}" for name in arrays if _misshapen(name, arrays[name])]
    if flat:
        raise ValueError(f"W1, W2, ... in {path} must have two axes, biases one; got {flat}.")
    return arrays


def _misshapen(name: str, array: NDArray[Any]) -> bool:
    return name != "classes" and array.ndim != (2 if name[0] == "W" else 1)


def _state_arrays(path: Path, max_entries: int) -> Mapping[str, NDArray[Any]]:
    from empirical.lowering.torch_files import state_arrays  # noqa: PLC0415  # takes a second

    return state_arrays(path, max_entries)
