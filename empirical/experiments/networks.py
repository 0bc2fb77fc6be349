"""Files of trained networks that say by which settings: safetensors, with the settings as JSON."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn

from empirical.experiments.model import new_model
from empirical.experiments.training import Step
from empirical.pruning import restore, state_of
from empirical.sweeps import Settings
from empirical.sweeps.known import KNOWN
from empirical.whole_files import write_whole

_NAME, _VERSION = "sparsebound", 1


@dataclass(frozen=True, kw_only=True, eq=False)
class Network:
    """A network, and how it came about.

    Parameters
    ----------
    model : torch module
        Trained, pruned or not.
    settings : mapping
        All that led to it, by dotted key.
    steps : tuple of mapping
        What each training on the way did, the dense one first.
    """

    model: nn.Sequential
    settings: Settings
    steps: tuple[Step, ...]


def save_network(path: Path, network: Network) -> None:
    """Write a network's file: all of it or, on an error, nothing.

    Tensors are those of its state dict: of a pruned layer weight_orig, which is what was trained
    below the mask, and weight_mask.

    Raises
    ------
    OSError
        If it cannot be written.
    """
    about = {
        "version": _VERSION,
        "settings": dict(network.settings),
        "steps": list(network.steps),
    }
    state = {name: value.contiguous() for name, value in state_of(network.model).items()}
    packed = save(state, metadata={"format": "pt", _NAME: json.dumps(about)})
    write_whole(path, packed)


def load_network(path: Path) -> Network:
    """Return the network of a file.

    Raises
    ------
    ValueError
        If the file is damaged, was not written by `save_network`, or its tensors do not fit its
        settings.
    OSError
        If it cannot be read.
    """
    about, state = _read(path)
    try:
        settings = _settings(about["settings"])
        model = new_model(settings)
        restore(model, state)
        return Network(model=model, settings=settings, steps=tuple(about["steps"]))
    except (KeyError, RuntimeError, TypeError, ValueError) as error:
        raise ValueError(f"{path} must hold the network of its settings: {error}") from error


def _read(path: Path) -> tuple[Mapping[str, Any], dict[str, Tensor]]:
    path.open("rb").close()  # what cannot be read is told by its name
    try:
        with safe_open(path, framework="pt") as opened:
            told = (opened.metadata() or {}).get(_NAME)
            state = {name: opened.get_tensor(name) for name in opened.keys()}  # noqa: SIM118
    except SafetensorError as error:
        raise ValueError(f"{path} must be a safetensors file; it is damaged: {error}.") from error
    try:
        about = json.loads(told or "null")
    except json.JSONDecodeError as error:
        raise ValueError(f"{path} must hold the network of its settings: {error}.") from error
    if not isinstance(about, dict) or about.get("version") != _VERSION:
        raise ValueError(
            f"{path} must be a network as `sparsebound train` writes it; it says nothing of its"
            " settings."
        )
    return about, state


def _settings(given: Mapping[str, Any]) -> Settings:
    """Return settings of a file, each read anew."""
    seed = given["seed"]
    if type(seed) is not int:
        raise TypeError(f"seed must be an integer; got {seed!r}.")
    for key in given.keys() ^ {*KNOWN, "seed"}:
        raise ValueError(f"settings must be those of this version; {key} is not in both.")
    read = {key: option.read(given[key]) for key, option in KNOWN.items()}
    return {**read, "seed": seed}
