"""What to remove: single weights, kernels or filters; the smallest or any; over all layers or each.

Kernels and filters are those of Conv2d layers. Linear layers have none: schemes that remove them
leave Linear layers dense and count them not, so compression is then that of the kernels or
filters alone (`compression_of` is that of all weights).
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal, NamedTuple, cast, get_args

import numpy as np
import torch
from torch import Tensor, nn

from empirical.pruning.masks import Layer, masks_of, prunable, trained_weight
from empirical.pruning.selection import BoolArray, as_compression, rounded, survivors
from theory.validation import FloatArray

Granularity = Literal["weight", "kernel", "filter"]
Criterion = Literal["magnitude", "random"]
Scope = Literal["global", "layer"]


@dataclass(frozen=True, kw_only=True)
class Scheme:
    """A choice of what to remove.

    Parameters
    ----------
    granularity : "weight", "kernel" or "filter"
        The group that is removed as one: a single weight; a kernel, the two-dimensional slice of
        a Conv2d layer's weights between one input and one output channel; a filter, all weights
        of an output channel.
    criterion : "magnitude" or "random"
        The groups of least magnitude, the mean absolute value of a group's weights (its L1 norm
        over its size, so that groups of different layers compare); or any, uniformly.
    scope : "global" or "layer"
        Whether groups of all layers are counted and ranked as one, or those of each layer.

    Raises
    ------
    ValueError
        If a value is none of these.

    Examples
    --------
    >>> Scheme(granularity="filter", criterion="random", scope="layer") in SCHEMES.values()
    True
    """

    granularity: Granularity
    criterion: Criterion
    scope: Scope

    def __post_init__(self) -> None:
        for name, known in _CHOICES.items():
            if getattr(self, name) not in known:
                raise ValueError(
                    f"{name} must be one of {', '.join(known)}; got {getattr(self, name)!r}."
                )


_CHOICES: Mapping[str, tuple[str, ...]] = {
    "granularity": get_args(Granularity),
    "criterion": get_args(Criterion),
    "scope": get_args(Scope),
}
# The nine of Merkle et al. 2021: each granularity with the smallest of all layers, the smallest of
# each layer, and any of each layer. Any of all layers is none of theirs, but can be asked for.
SCHEMES: Mapping[str, Scheme] = {
    f"{granularity} {criterion} {scope}": Scheme(
        granularity=granularity, criterion=criterion, scope=scope
    )
    for granularity in get_args(Granularity)
    for criterion, scope in cast(
        "tuple[tuple[Criterion, Scope], ...]",
        (("magnitude", "global"), ("magnitude", "layer"), ("random", "layer")),
    )
}


class _Groups(NamedTuple):
    """The groups of a layer, in order of their first weights."""

    name: str
    shape: tuple[int, ...]
    alive: BoolArray
    scores: FloatArray  # those of least score go first
    protected: BoolArray  # those that stay whatever is asked


def masks_for(
    model: nn.Module,
    scheme: Scheme,
    *,
    compression: float | Fraction,
    rng: np.random.Generator,
    at_least: int = 0,
) -> dict[str, Tensor]:
    """Return the masks that prune a network to a compression, of the layers that a scheme prunes.

    Of N groups, (1 - 1/compression) N are removed, halves rounded to even: of all layers together,
    or of each, as the scheme says. A group pruned already is one of them, so masks are nested: what
    is pruned stays pruned. Of groups that are equal the first goes first, in order of layers and
    within a layer of memory.

    A layer may so lose all its weights (`empty_layers`), as in the paper, unless at_least says
    otherwise: then others are removed instead if the scope is global, else fewer.

    Parameters
    ----------
    model : torch module
        Not changed.
    scheme : Scheme
        One of SCHEMES, or another.
    compression : float or Fraction, at least 1
        All groups over groups kept. A float stands for the decimal that it is written as.
    rng : Generator
        Drawn from by the random criterion alone.
    at_least : int, nonnegative
        How many groups each layer keeps of those it has, if that many are left.

    Returns
    -------
    dict of str to bool tensor

    Raises
    ------
    TypeError, ValueError
        If compression is not a finite number of at least 1; the network has no Conv2d layer but
        kernels or filters are asked for; more is pruned already than compression asks for; or
        weights are not finite.

    Notes
    -----
    Merkle, Samsinger, Schöttle 2021 (arXiv 2108.08560), and the authors' code.

    Examples
    --------
    >>> model = nn.Sequential(nn.Linear(4, 1))
    >>> model[0].weight.data = torch.tensor([[1.0, -3.0, 2.0, 0.0]])
    >>> rng = np.random.default_rng(0)
    >>> masks_for(model, SCHEMES["weight magnitude global"], compression=2, rng=rng)
    {'0': tensor([[False,  True,  True, False]])}
    """
    density = 1 / as_compression(compression)
    if at_least < 0:
        raise ValueError(f"at_least must not be negative; got {at_least}.")
    old = masks_of(model)
    groups = [
        _groups(name, layer, old[name], scheme=scheme, rng=rng, at_least=at_least)
        for name, layer in pruned_layers(model, scheme).items()
    ]
    pools = [groups] if scheme.scope == "global" else [[group] for group in groups]
    kept = [mask for pool in pools for mask in _kept(pool, density)]
    named = zip((group.name for group in groups), kept, strict=True)
    return {name: _as_mask(keep, old[name]) for name, keep in named}


def masks_above(model: nn.Module, threshold: float) -> dict[str, Tensor]:
    """Return the masks that keep weights of absolute value above a threshold; for L1 training.

    Descent on an L1 penalty leaves weights small that should be zero; no count is asked for.

    Parameters
    ----------
    model : torch module
        Not changed. What is pruned stays pruned.
    threshold : float, nonnegative

    Raises
    ------
    ValueError
        If the threshold is negative or not finite.

    Examples
    --------
    >>> model = nn.Sequential(nn.Linear(3, 1))
    >>> model[0].weight.data = torch.tensor([[0.01, -0.2, -1e-4]])
    >>> masks_above(model, 1e-3)
    {'0': tensor([[ True,  True, False]])}
    """
    if not (math.isfinite(threshold) and threshold >= 0):
        raise ValueError(f"threshold must be finite and not negative; got {threshold}.")
    old = masks_of(model)
    return {
        name: old[name] & (trained_weight(layer).abs() > threshold)
        for name, layer in prunable(model).items()
    }


def pruned_layers(model: nn.Module, scheme: Scheme) -> dict[str, Layer]:
    """Return the layers that a scheme prunes, by name; ValueError if the model has none."""
    layers = prunable(model)
    if scheme.granularity == "weight":
        return layers
    found: dict[str, Layer] = {
        name: layer for name, layer in layers.items() if isinstance(layer, nn.Conv2d)
    }
    if not found:
        raise ValueError(f"{scheme.granularity} pruning needs a Conv2d layer; the model has none.")
    return found


def _groups(
    name: str,
    layer: Layer,
    mask: Tensor,
    *,
    scheme: Scheme,
    rng: np.random.Generator,
    at_least: int,
) -> _Groups:
    weights = trained_weight(layer).cpu().numpy().astype(np.float64)
    axes = {"weight": weights.ndim, "kernel": 2, "filter": 1}[scheme.granularity]
    count = math.prod(weights.shape[:axes])
    alive: BoolArray = np.any(mask.cpu().numpy().reshape(count, -1), axis=1)
    if scheme.criterion == "random":
        scores = rng.random(count)
    elif np.isfinite(weights).all():
        scores = np.abs(weights * mask.cpu().numpy()).reshape(count, -1).mean(axis=1)
    else:
        raise ValueError(f"weights must be finite; those of layer {name!r} are not.")
    return _Groups(name, weights.shape[:axes], alive, scores, _protected(scores, alive, at_least))


def _protected(scores: FloatArray, alive: BoolArray, at_least: int) -> BoolArray:
    """Return which groups a layer keeps whatever is asked: those that would go last."""
    removed = max(0, alive.size - at_least)
    return alive & survivors(scores, alive, np.zeros_like(alive), removed=removed)


def _kept(pool: Sequence[_Groups], density: Fraction) -> list[BoolArray]:
    """Return which groups of each layer stay."""
    alive = np.concatenate([groups.alive for groups in pool])
    scores = np.concatenate([groups.scores for groups in pool])
    protected = np.concatenate([groups.protected for groups in pool])
    count = rounded((1 - density) * alive.size)
    gone = int(np.sum(~alive))
    if gone > count:
        raise ValueError(
            f"compression must be at least what the model has already; got {float(1 / density):g},"
            f" which removes {count} of {alive.size} groups of"
            f" {', '.join(groups.name for groups in pool)}, where {gone} are gone."
        )
    count = min(count, int(np.sum(~protected)))
    kept = survivors(scores, alive, protected, removed=count)
    ends = np.cumsum([groups.alive.size for groups in pool])
    parts = np.split(kept, ends[:-1])
    return [part.reshape(groups.shape) for part, groups in zip(parts, pool, strict=True)]


def _as_mask(kept: BoolArray, old: Tensor) -> Tensor:
    """Return a mask of weights from one of groups; what was pruned of a group stays so."""
    groups = torch.from_numpy(kept).to(old.device)
    return old & groups.reshape(*groups.shape, *[1] * (old.ndim - groups.ndim))
