"""Dynamic network surgery: masks change while training goes on, and pruned weights can come back.

    surgery = planned_surgery(model, c=1.0, stop=10_000)
    train_under_surgery(model, data, Training(keep="last"), surgery, seed=0, rng=rng)

What comes out is pruned by ordinary masks; some training with them fixed may follow.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from empirical.data import Split
from empirical.pruning.masks import Layer, Masks, apply_masks, masks_of, prunable, trained_weight
from empirical.training import History, Revise, Training, train
from theory.validation import as_finite

# A weight is pruned below the first, and comes back from the second on, of a layer's threshold.
_MARGINS = (0.9, 1.1)


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


def revision(surgery: Surgery, rng: np.random.Generator) -> Revise:
    """Return the function that makes masks anew, each layer's with the surgery's probability.

    Parameters
    ----------
    surgery : Surgery
    rng : Generator
        One number is drawn a layer and step.

    Examples
    --------
    >>> surgery = Surgery(low={"0": 1.0}, high={"0": 2.0}, gamma=0, power=1, stop=1)
    >>> revise = revision(surgery, np.random.default_rng(0))
    >>> weights, masks = torch.tensor([[0.5, 1.5, 2.0]]), torch.tensor([[1.0, 0.0, 0.0]])
    >>> revise(0, {"0.weight": weights}, {"0.weight": masks})
    {'0.weight': tensor([[False, False,  True]])}
    >>> revise(1, {"0.weight": weights}, {"0.weight": masks})
    {}
    """
    parameters = {layer: ".".join(filter(None, (layer, "weight"))) for layer in surgery.low}

    def revise(
        step: int, values: Mapping[str, Tensor], masks: Mapping[str, Tensor]
    ) -> dict[str, Tensor]:
        draws = rng.random(len(parameters)) < surgery.probability(step)
        drawn = [layer for layer, is_drawn in zip(parameters, draws, strict=True) if is_drawn]
        weights = {layer: values[parameters[layer]] for layer in drawn}
        old = {layer: masks[parameters[layer]].bool() for layer in drawn}
        return {
            parameters[layer]: mask for layer, mask in operated_masks(weights, old, surgery).items()
        }

    return revise


def train_under_surgery(
    model: nn.Module,
    data: Split,
    training: Training,
    surgery: Surgery,
    *,
    seed: int,
    rng: np.random.Generator,
    progress: Callable[[int], Any] | None = None,
) -> History:
    """Train a network in place while surgery changes its masks after each step.

    Pruned weights are trained as if they were not, though the network does not use them: the
    gradient by a masked weight is given to the weight below. Layers without a mask get one.

    Parameters
    ----------
    model : torch module
    data : Split
    training : Training
        Keeps the last epoch: earlier ones are denser.
    surgery : Surgery
        Planned for the network.
    seed : int
        As of `train`.
    rng : Generator
        One number is drawn a layer and step.
    progress : function of int, optional
        As of `train`.

    Returns
    -------
    History

    Raises
    ------
    TypeError, ValueError
        As `train`; if training does not keep the last epoch, or surgery is of other layers.

    Notes
    -----
    Guo, Yao, Chen 2016 (arXiv 1608.04493), equations 2 and 3, algorithm 1.

    Examples
    --------
    >>> from empirical.data import digits, split
    >>> from empirical.models import mlp
    >>> from empirical.pruning.masks import compression_of
    >>> model, rng = mlp(64, 32, 10, seed=0), np.random.default_rng(0)
    >>> surgery, last = planned_surgery(model, c=1.0, stop=100), Training(epochs=10, keep="last")
    >>> history = train_under_surgery(
    ...     model, split(digits(), rng=rng), last, surgery, seed=0, rng=rng
    ... )
    >>> compression_of(model) > 3
    True
    """
    if training.keep != "last":
        raise ValueError(
            f'training.keep must be "last": earlier epochs are denser; got {training.keep!r}.'
        )
    layers = prunable(model)
    if set(surgery.low) != set(layers):
        raise ValueError(
            f"surgery must be of layers {', '.join(layers)}; got {', '.join(surgery.low)}."
        )
    apply_masks(model, masks_of(model))
    return train(model, data, training, seed=seed, revise=revision(surgery, rng), progress=progress)


def _threshold(name: str, layer: Layer, mask: Tensor, c: float) -> float:
    sizes = trained_weight(layer)[mask].abs().double()
    if not bool(torch.isfinite(sizes).all()):
        raise ValueError(f"weights must be finite; those of layer {name!r} are not.")
    if not sizes.numel():
        return math.inf
    return max(0.0, float(sizes.mean() + c * sizes.std(correction=0)))
