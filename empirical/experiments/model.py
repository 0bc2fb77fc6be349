"""The stage "model": a network with the initial weights of its seed."""

import inspect
import json
import math
from collections.abc import Mapping
from functools import lru_cache
from itertools import pairwise
from typing import Any, NamedTuple

from torch import nn

from empirical.experiments.streams import drawn_seed, seed_of
from empirical.models import MODELS, build_model
from empirical.sweeps import Settings, section

_MOST = 10**9  # weights: 4 GB


class ModelFacts(NamedTuple):
    """What other settings must fit.

    Attributes
    ----------
    inputs, outputs : int
    has_filters : bool
        Whether a layer is a convolution.
    parameters : int
        Weights and biases.
    """

    inputs: int
    outputs: int
    has_filters: bool
    parameters: int


def taken_settings(name: str) -> tuple[str, ...]:
    """Return the settings that a model takes.

    Examples
    --------
    >>> taken_settings("mlp"), taken_settings("lenet5")
    (('widths', 'bias'), ('bias',))
    """
    return tuple(key for key in inspect.signature(MODELS[name]).parameters if key != "seed")


def new_model(settings: Settings) -> nn.Sequential:
    """Return a cell's network before any training.

    Raises
    ------
    ValueError
        If the model has no such sizes.
    """
    name, taken = str(settings["model.name"]), _taken(settings)
    _refuse_large(taken)
    return build_model(name, taken, seed=drawn_seed(seed_of(settings), "model"))


def model_facts(settings: Settings) -> ModelFacts:
    """Return what other settings must fit.

    Raises
    ------
    ValueError
        As `new_model`.
    """
    return _facts(str(settings["model.name"]), json.dumps(_taken(settings)))


def _taken(settings: Settings) -> dict[str, Any]:
    given = section(settings, "model")
    return {key: given[key] for key in taken_settings(str(given["name"]))}


@lru_cache(maxsize=64)
def _facts(name: str, taken: str) -> ModelFacts:
    _refuse_large(json.loads(taken))
    model = build_model(name, json.loads(taken), seed=0)
    first, last = model[0], model[-1]
    inputs = first.in_features if isinstance(first, nn.Linear) else _unfolded(first)
    return ModelFacts(
        inputs=int(inputs),
        outputs=int(last.out_features) if isinstance(last, nn.Linear) else 0,
        has_filters=any(isinstance(layer, nn.Conv2d) for layer in model),
        parameters=sum(parameter.numel() for parameter in model.parameters()),
    )


def _refuse_large(taken: Mapping[str, Any]) -> None:
    """Raise ValueError if weights are so many that the machine, not the user, would be told."""
    widths, image = list(taken.get("widths", [])), list(taken.get("image", []))
    channels, kernel = [*image[:1], *taken.get("channels", [])], taken.get("kernel", 1)
    if image:
        widths.insert(0, channels[-1] * math.prod(image[1:]) >> 2 * (len(channels) - 1))
    weights = sum(a * b for a, b in pairwise(widths))
    weights += kernel**2 * sum(a * b for a, b in pairwise(channels))
    if weights > _MOST:
        raise ValueError(f"a model must have at most {_MOST:,} weights; this has {weights:,}.")


def _unfolded(layer: nn.Module) -> int:
    """Return how many numbers an Unflatten layer folds."""
    sizes: Any = layer.unflattened_size
    return math.prod(sizes)
