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
from empirical.experiments.training import STEP_NAMES, Step
from empirical.pruning import restore, state_of
from empirical.sweeps import PROTOCOLS, Settings
from empirical.sweeps.known import KNOWN
from empirical.whole_files import write_whole

_NAME, _VERSION = "sparsebound", 1
_STAGES = ("data", "model", "training", "pruning")
_UNTOLD = dict.fromkeys(_STAGES, 1)  # files without protocols are older than any second one


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


def leading_protocols() -> dict[str, int]:
    """Return the version of each stage that leads to a network."""
    return {stage: PROTOCOLS[stage] for stage in _STAGES}


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
        "protocols": leading_protocols(),
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
        If the file is damaged, was not written by `save_network`, is of another version or of
        other protocols, or its tensors are not finite or do not fit its settings.
    OSError
        If it cannot be read.
    """
    about, state = _read(path)
    try:
        _refuse_protocols(about.get("protocols", _UNTOLD))
        settings = _settings(about["settings"])
        model = new_model(settings)
        restore(model, state)
        _refuse_not_finite(state)
        return Network(model=model, settings=settings, steps=_steps(about["steps"]))
    except (AttributeError, KeyError, RuntimeError, TypeError, ValueError) as error:
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
    if not isinstance(about, dict) or "version" not in about:
        raise ValueError(
            f"{path} must be a network as `sparsebound train` writes it; it says nothing of its"
            " settings."
        )
    if about["version"] != _VERSION:
        raise ValueError(
            f"{path} must be a network's file of version {_VERSION}; it has {about['version']!r},"
            " which is unknown."
        )
    return about, state


def _refuse_protocols(given: Mapping[str, Any]) -> None:
    """Refuse what an older stage made: by today's it would be another network."""
    for stage, version in leading_protocols().items():
        if given.get(stage) != version:
            raise ValueError(
                f"{stage} must be of protocol {version}; it has {given.get(stage)!r}, so train it"
                " again."
            )


def _refuse_not_finite(state: Mapping[str, Tensor]) -> None:
    for name, value in state.items():
        if not value.isfinite().all():
            raise ValueError(f"{name} must be finite; it is not.")


def _steps(given: Any) -> tuple[Step, ...]:
    """Return what each training did, the dense one first."""
    if not isinstance(given, list) or not given:
        raise TypeError(f"steps must be a list of one training or more; got {given!r:.80}.")
    for step in given:
        if not isinstance(step, dict) or step.keys() != STEP_NAMES:
            raise TypeError(
                f"each of steps must have {', '.join(sorted(STEP_NAMES))}; got {step!r:.80}."
            )
        for name, value in step.items():
            if not isinstance(value, (int, float)):
                raise TypeError(f"{name} of steps must be a number; got {value!r:.80}.")
    return tuple(given)


def _settings(given: Mapping[str, Any]) -> Settings:
    """Return settings of a file, each read anew."""
    seed = given["seed"]
    if type(seed) is not int:
        raise TypeError(f"seed must be an integer; got {seed!r}.")
    for key in given.keys() ^ {*KNOWN, "seed"}:
        raise ValueError(f"settings must be those of this version; {key} is not in both.")
    read = {key: option.read(given[key]) for key, option in KNOWN.items()}
    return {**read, "seed": seed}
