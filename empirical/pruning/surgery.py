"""Dynamic network surgery: masks change while training goes on, and pruned weights can come back.

A training loop that calls the model itself, in `splicing(model)`, calls `surgery_step` after each
step of its optimiser:

    surgery = planned_surgery(model, c=1.0, stop=10_000)
    with splicing(model):
        for iteration, (X, y) in enumerate(batches):
            optimizer.zero_grad()
            loss(model(X), y).backward()
            optimizer.step()
            surgery_step(model, surgery, iteration=iteration, rng=rng)

What comes out is pruned by ordinary masks; some training with them fixed may follow.
"""

import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.utils import prune

from empirical.pruning.masks import (
    Layer,
    Masks,
    apply_masks,
    masks_of,
    prunable,
    refresh,
    set_masks,
    trained_weight,
)
from theory.validation import as_finite

# A weight is pruned below the first, and comes back from the second on, of a layer's threshold.
_MARGINS = (0.9, 1.1)


class Operation(NamedTuple):
    """How many weights a step pruned, and how many it brought back."""

    pruned: int
    spliced: int


@dataclass(frozen=True, kw_only=True, eq=False)
class Surgery:
    """When masks change, and between which thresholds they do not.

    Parameters
    ----------
    low, high : mapping of str to float
        By the layer's name: a weight is pruned if its absolute value is below `low`, kept or
        brought back if it is at least `high`, and left as it is between.
    gamma, power : float, nonnegative
        A layer's mask is made anew with probability (1 + gamma · iteration)^-power.
    stop : int
        From this iteration on masks stay.
    """

    low: Mapping[str, float]
    high: Mapping[str, float]
    gamma: float
    power: float
    stop: int

    def probability(self, iteration: int) -> float:
        """Return the probability that a layer's mask is made anew."""
        if iteration >= self.stop:
            return 0.0
        return float((1 + self.gamma * iteration) ** -self.power)


def planned_surgery(
    model: nn.Module,
    *,
    c: float | Mapping[str, float],
    stop: int,
    gamma: float = 1e-4,
    power: float = 1.0,
) -> Surgery:
    """Return a surgery whose thresholds are those of a trained network's weights.

    A layer's threshold is t = mean + c · standard deviation of the absolute values of its weights
    that are kept, 0 if that is negative; low and high are 0.9 t and 1.1 t. They stay what they are
    before surgery, as in the authors' code. A layer that keeps no weight gets none back.

    Parameters
    ----------
    model : torch module
        Not changed.
    c : float, or mapping of str to float
        For all layers, or by name for each: larger prunes more.
    stop : int, nonnegative
        From this iteration on masks stay; best some way before training ends.
    gamma, power : float, nonnegative

    Raises
    ------
    TypeError, ValueError
        If a setting is out of range, c is not of every layer, or weights are not finite.

    Notes
    -----
    Guo, Yao, Chen 2016 (arXiv 1608.04493), equation 3.

    Examples
    --------
    >>> model = nn.Sequential(nn.Linear(2, 1))
    >>> model[0].weight.data = torch.tensor([[1.0, -3.0]])
    >>> surgery = planned_surgery(model, c=1.0, stop=100)
    >>> round(surgery.low["0"], 2), round(surgery.high["0"], 2)
    (2.7, 3.3)
    """
    layers, masks = prunable(model), masks_of(model)
    factors = c if isinstance(c, Mapping) else dict.fromkeys(layers, c)
    if set(factors) != set(layers):
        raise ValueError(f"c must be of layers {', '.join(layers)}; got {', '.join(factors)}.")
    for name, value in {"gamma": gamma, "power": power, "stop": stop}.items():
        if as_finite(name, value) < 0:
            raise ValueError(f"{name} must not be negative; got {value}.")
    thresholds = {
        name: _threshold(name, layer, masks[name], float(as_finite("c", factors[name])))
        for name, layer in layers.items()
    }
    low, high = ({name: m * t for name, t in thresholds.items()} for m in _MARGINS)
    return Surgery(low=low, high=high, gamma=gamma, power=power, stop=stop)


def operated_masks(weights: Mapping[str, Tensor], masks: Masks, surgery: Surgery) -> Masks:
    """Return masks made anew from weights, as trained below the masks, by name.

    Examples
    --------
    >>> surgery = Surgery(low={"0": 1.0}, high={"0": 2.0}, gamma=0, power=1, stop=1)
    >>> weights, masks = torch.tensor([0.5, 1.5, 1.5, 2.0]), torch.tensor([1, 1, 0, 0]).bool()
    >>> operated_masks({"0": weights}, {"0": masks}, surgery)
    {'0': tensor([False,  True, False,  True])}
    """
    return {
        name: (masks[name] & (weight.abs() >= surgery.low[name]))
        | (weight.abs() >= surgery.high[name])
        for name, weight in weights.items()
    }


def surgery_step(
    model: nn.Module, surgery: Surgery, *, iteration: int, rng: np.random.Generator
) -> Operation:
    """Make masks anew in place, each layer's with the surgery's probability; return the changes.

    Parameters
    ----------
    model : torch module
        In `splicing`: else pruned weights are not trained, and none could come back.
    surgery : Surgery
    iteration : int
        From 0.
    rng : Generator
        One number is drawn a layer.

    Raises
    ------
    ValueError
        If the model is not in `splicing`.

    Examples
    --------
    >>> model = nn.Sequential(nn.Linear(2, 1))
    >>> model[0].weight.data = torch.tensor([[1.0, -3.0]])
    >>> surgery = planned_surgery(model, c=0.0, stop=100)
    >>> with splicing(model):
    ...     surgery_step(model, surgery, iteration=0, rng=np.random.default_rng(0))
    Operation(pruned=1, spliced=0)
    """
    layers = prunable(model)
    if not all(_is_spliced(layer) for layer in layers.values()):
        raise ValueError("the model must be in splicing(model), which trains pruned weights too.")
    drawn = rng.random(len(layers)) < surgery.probability(iteration)
    old = masks_of(model)
    weights = {
        name: trained_weight(layer)
        for (name, layer), is_drawn in zip(layers.items(), drawn, strict=True)
        if is_drawn
    }
    new = operated_masks(weights, old, surgery)
    set_masks(model, new)
    pruned = sum(int((old[name] & ~mask).sum()) for name, mask in new.items())
    return Operation(pruned, sum(int((mask & ~old[name]).sum()) for name, mask in new.items()))


@contextmanager
def splicing(model: nn.Module) -> Iterator[None]:
    """Within it, pruned weights are trained as if they were not, though networks do not use them.

    The gradient of a loss by a layer's masked weight is given to the weight below the mask, pruned
    or not; the product of torch.nn.utils.prune would give zero to pruned ones. Layers without a
    mask get one of ones. After it, masks are ordinary ones again.

    Parameters
    ----------
    model : torch module

    Notes
    -----
    Guo, Yao, Chen 2016 (arXiv 1608.04493), equation 2.

    Examples
    --------
    >>> model = nn.Sequential(nn.Linear(2, 1, bias=False))
    >>> apply_masks(model, {"0": torch.tensor([[True, False]])})
    >>> with splicing(model):
    ...     model(torch.ones(1, 2)).sum().backward()
    >>> model[0].weight_orig.grad
    tensor([[1., 1.]])
    """
    apply_masks(model, masks_of(model))
    try:
        _mask_by(model, _StraightThrough)
        yield
    finally:
        _mask_by(model, prune.CustomFromMask)


def straight_through(weight: Tensor, mask: Tensor) -> Tensor:
    """Return weight · mask, whose gradient by the weight is that of the weight itself.

    Exact for finite weights: w + (0 - w) is 0 and w + (w - w) is w in floating point.

    Parameters
    ----------
    weight, mask : tensor, of one shape

    Examples
    --------
    >>> straight_through(torch.tensor([2.0, 3.0]), torch.tensor([1.0, 0.0]))
    tensor([2., 0.])
    """
    return weight + (weight * mask - weight).detach()


class _StraightThrough(prune.CustomFromMask):
    """The masking of torch.nn.utils.prune with another gradient."""

    def apply_mask(self, module: nn.Module) -> Tensor:
        return straight_through(
            module.get_parameter("weight_orig"), module.get_buffer("weight_mask")
        )


def _mask_by(model: nn.Module, method: type[prune.CustomFromMask]) -> None:
    """Let a method make the weight of every layer, instead of those that do."""
    for layer in prunable(model).values():
        for key, hook in list(layer._forward_pre_hooks.items()):
            if isinstance(hook, prune.BasePruningMethod) and hook._tensor_name == "weight":
                del layer._forward_pre_hooks[key]
        made = method(layer.get_buffer("weight_mask"))
        made._tensor_name = "weight"
        layer.register_forward_pre_hook(made)
        refresh(layer)


def _is_spliced(layer: Layer) -> bool:
    return any(isinstance(hook, _StraightThrough) for hook in layer._forward_pre_hooks.values())


def _threshold(name: str, layer: Layer, mask: Tensor, c: float) -> float:
    sizes = trained_weight(layer)[mask].abs().double()
    if not bool(torch.isfinite(sizes).all()):
        raise ValueError(f"weights must be finite; those of layer {name!r} are not.")
    if not sizes.numel():
        return math.inf
    return max(0.0, float(sizes.mean() + c * sizes.std(correction=0)))
