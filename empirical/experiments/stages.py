"""Networks that cells share: each is trained once, if its file is kept for the next cell.

A file is named by the hash of all settings that lead to its network, so that any worker that
writes it writes the same; it is whole or not there; and without it the network is trained again.
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from empirical.data import Split
from empirical.experiments.model import new_model
from empirical.experiments.networks import (
    Network,
    leading_protocols,
    load_network,
    save_network,
)
from empirical.experiments.pruning import PlannedStage, Progress, planned_stages
from empirical.sweeps import Settings, cell_key
from empirical.sweeps.known import KNOWN

# What a network does not depend on: later stages, and a name for what other settings say.
_LATER = ("attack.", "measure.", "training.preset")


def built_network(
    settings: Settings,
    data: Split,
    *,
    kept: Path | None = None,
    begun: Network | None = None,
    progress: Progress = None,
) -> Network:
    """Return a cell's network, trained and pruned.

    Parameters
    ----------
    settings : mapping
        All of a cell.
    data : Split
        Of those settings.
    kept : Path, optional
        Folder where networks are found and kept, that of every step by its own settings. If there
        is no such folder, all steps are done and none is kept.
    begun : Network, optional
        The dense network of those settings, if it is trained already; changed.
    progress : function of int, optional
        Called with the number of epochs done after each, of each training anew.
    """
    folder = kept if kept is not None and kept.is_dir() else None
    dense, *pruning = planned_stages(settings)
    if begun is None:
        return _after([dense, *pruning], _Start(settings, data, folder, progress, None))
    return _after(pruning, _Start(settings, data, folder, progress, begun))


def most_epochs(settings: Settings, *, is_begun: bool = False) -> int:
    """Return how many epochs a cell's trainings take at most, without the dense one if begun."""
    return sum(stage.epochs for stage in planned_stages(settings)[int(is_begun) :])


def stage_key(settings: Settings) -> str:
    """Return the hash of the settings that a network depends on.

    Examples
    --------
    >>> stage_key({"seed": 0, "attack.inputs": 10}) == stage_key({"seed": 0, "attack.inputs": 20})
    True
    >>> stage_key({"seed": 0}) == stage_key({"seed": 1})
    False
    """
    leading = {key: value for key, value in settings.items() if not key.startswith(_LATER)}
    return cell_key(leading, leading_protocols())


class _Start(NamedTuple):
    settings: Settings
    data: Split
    folder: Path | None
    progress: Progress
    network: Network | None


def _after(stages: Sequence[PlannedStage], start: _Start) -> Network:
    """Return the network after some stages: as it is kept, else from the stage before."""
    settings = start.settings
    if not stages:
        return start.network or Network(model=new_model(settings), settings=settings, steps=())
    *before, last = stages
    name = f"{stage_key(last.settings)}.safetensors"
    path = None if start.folder is None else start.folder / name
    found = None if path is None else _found(path, _leading(last.settings))
    if found is None:
        earlier = _after(before, start)
        steps = (*earlier.steps, *last.work(earlier.model, start.data, start.progress))
        found = Network(model=earlier.model, settings=_leading(last.settings), steps=steps)
        if path is not None:
            with suppress(OSError):  # a disk that is full costs time here, not the cell
                save_network(path, found)
    return replace(found, settings=settings)


def _leading(settings: Settings) -> Settings:
    """Return settings with those of later stages at their defaults."""
    return {
        key: KNOWN[key].resolved if key.startswith(_LATER) else value
        for key, value in settings.items()
    }


def _found(path: Path, wanted: Settings) -> Network | None:
    """Return the network of a file; None if there is none of these settings that can be read."""
    try:
        found = load_network(path)
    except (OSError, ValueError):
        return None
    return found if found.settings == wanted else None  # a name is no proof of what is inside
