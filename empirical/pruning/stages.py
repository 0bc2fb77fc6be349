"""What a schedule of pruning hands out after each of its stages."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn

from empirical.pruning.masks import compression_of, empty_layers, masks_of

Train = Callable[[nn.Module], Any]


@dataclass(frozen=True, kw_only=True, eq=False)
class Stage:
    """A network pruned to a level and trained there; the network itself is left with its caller.

    Parameters
    ----------
    number : int
        Of stages before it.
    asked : float
        The compression asked for, of the groups that the scheme counts; for lottery tickets, where
        none is asked for, that of all weights.
    compression : float
        All weights over weights kept, as counted; inf if none is kept.
    masks : dict of str to bool tensor
    empty : tuple of str
        Layers that keep no weight: the network says the same of every input.
    trained : any
        What train returned.
    """

    number: int
    asked: float
    compression: float
    masks: Mapping[str, Tensor]
    empty: tuple[str, ...]
    trained: Any


def trained_stage(
    model: nn.Module, train: Train, *, number: int, asked: float | None = None
) -> Stage:
    """Train a network as it is pruned, and return what has come of it."""
    trained = train(model)
    compression = compression_of(model)
    return Stage(
        number=number,
        asked=compression if asked is None else asked,
        compression=compression,
        masks=masks_of(model),
        empty=empty_layers(model),
        trained=trained,
    )


def refuse_done(done: int, stages: int) -> None:
    """Refuse a number of stages done that is none of those of a schedule."""
    if not 0 <= done <= stages:
        raise ValueError(f"done must be in [0, {stages}]; got {done}.")
