"""Networks whose weights are masked, in the form of torch.nn.utils.prune.

A pruned layer holds weight_orig, which is trained, weight_mask, of zeros and ones, and weight,
their product, made anew before each forward. Biases are never pruned.
"""

import copy
import math
from collections.abc import Mapping
from typing import Any, NamedTuple, TypeVar

import torch
from torch import Tensor, nn
from torch.nn.utils import prune

Layer = nn.Linear | nn.Conv2d
Masks = Mapping[str, Tensor]  # of booleans, by the layer's name: True where a weight is kept
State = Mapping[str, Tensor]
Model = TypeVar("Model", bound=nn.Module)


class Count(NamedTuple):
    """How many weights of a layer are kept, of how many."""

    kept: int
    total: int


def prunable(model: nn.Module) -> dict[str, Layer]:
    """Return the layers whose weights are pruned, in order: every Linear and Conv2d, by name.

    Parameters
    ----------
    model : torch module

    Raises
    ------
    TypeError
        If the model is no torch module.
    ValueError
        If it has no such layer.

    Examples
    --------
    >>> list(prunable(nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU(), nn.Linear(8, 3))))
    ['0', '2']
    """
    if not isinstance(model, nn.Module):
        raise TypeError(f"model must be a torch.nn.Module; got {type(model).__name__}.")
    layers = {name: part for name, part in model.named_modules() if isinstance(part, Layer)}
    if not layers:
        raise ValueError("the model must have a Linear or a Conv2d layer; it has none.")
    return layers


def trained_weight(layer: Layer) -> Tensor:
    """Return a layer's weight as it is trained: of a pruned layer, what is below the mask."""
    return layer.get_parameter("weight_orig" if _is_masked(layer) else "weight").detach()


def masks_of(model: nn.Module) -> dict[str, Tensor]:
    """Return a copy of the mask of each layer; True everywhere where a layer is not pruned.

    Parameters
    ----------
    model : torch module

    Returns
    -------
    dict of str to bool tensor
        In the weight's shape and on its device.

    Examples
    --------
    >>> masks_of(nn.Sequential(nn.Linear(2, 1)))
    {'0': tensor([[True, True]])}
    """
    return {name: _mask(layer) for name, layer in prunable(model).items()}


def weight_counts(model: nn.Module) -> dict[str, Count]:
    """Return how many weights each layer keeps, of how many. Biases do not count.

    Kind: exact, of masks: a weight that is kept may be zero.

    Examples
    --------
    >>> weight_counts(nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 1)))
    {'0': Count(kept=6, total=6), '2': Count(kept=3, total=3)}
    """
    return {name: Count(int(mask.sum()), mask.numel()) for name, mask in masks_of(model).items()}


def compression_of(model: nn.Module) -> float:
    """Return the number of all weights over that of weights kept; inf if none is kept.

    Kind: exact, of all prunable layers, also those that a scheme leaves dense.

    Examples
    --------
    >>> model = nn.Sequential(nn.Linear(2, 3))
    >>> apply_masks(model, {"0": torch.tensor([[1, 0], [0, 1], [0, 0]])})
    >>> compression_of(model)
    3.0
    """
    counts = weight_counts(model).values()
    kept, total = (sum(count[k] for count in counts) for k in (0, 1))
    return total / kept if kept else math.inf


def empty_layers(model: nn.Module) -> tuple[str, ...]:
    """Return the names of layers that keep no weight: outputs no longer depend on the inputs.

    (So it is for chains of layers; past a residual connection something may be left.)

    Examples
    --------
    >>> model = nn.Sequential(nn.Linear(2, 1), nn.ReLU(), nn.Linear(1, 1))
    >>> apply_masks(model, {"2": torch.tensor([[0]])})
    >>> empty_layers(model)
    ('2',)
    """
    return tuple(name for name, count in weight_counts(model).items() if not count.kept)


def apply_masks(model: nn.Module, masks: Masks) -> None:
    """Prune a network in place; layers without a mask are left as they are.

    Parameters
    ----------
    model : torch module
        Its parameters stay the same objects, so optimisers keep hold of them.
    masks : mapping of str to tensor
        By the layer's name; nonzero where a weight is kept.

    Raises
    ------
    ValueError
        If a name or a shape does not fit, or a weight pruned before would come back; then
        nothing is changed.

    Examples
    --------
    >>> model = nn.Sequential(nn.Linear(2, 1))
    >>> apply_masks(model, {"0": torch.tensor([[True, False]])})
    >>> model[0].weight_mask
    tensor([[1., 0.]])
    """
    layers = prunable(model)
    for name, mask in masks.items():
        _refuse_misfit(layers, name, mask)
    for name, mask in masks.items():
        revived = int((mask.bool().cpu() & ~_mask(layers[name]).cpu()).sum())
        if revived:
            raise ValueError(
                f"masks must leave pruned weights pruned; {revived} of layer {name!r} came back."
            )
    set_masks(model, masks)


def set_masks(model: nn.Module, masks: Masks) -> None:
    """Give layers masks, whatever theirs were; not checked."""
    layers = prunable(model)
    for name, mask in masks.items():
        layer = layers[name]
        if not _is_masked(layer):
            _mask_newly(layer, _as_values(mask, layer.weight))
            continue
        own = layer.get_buffer("weight_mask")
        own.copy_(_as_values(mask, own))
        refresh(layer)


def unmask(layer: Layer) -> None:
    """Make a pruned layer an ordinary one, with zeros where it was pruned."""
    if _is_masked(layer):
        prune.remove(layer, "weight")  # type: ignore[no-untyped-call]


def refresh(layer: nn.Module) -> None:
    """Make a pruned layer's weight anew, which else is that of the last forward."""
    for hook in layer._forward_pre_hooks.values():
        if isinstance(hook, prune.BasePruningMethod):
            hook(layer, ())


def copied(model: Model) -> Model:
    """Return a copy of a network, pruned or not, that shares nothing with it.

    copy.deepcopy alone refuses a pruned one, whose weights are results.

    Examples
    --------
    >>> model = nn.Sequential(nn.Linear(2, 1))
    >>> apply_masks(model, {"0": torch.tensor([[True, False]])})
    >>> masks_of(copied(model))
    {'0': tensor([[ True, False]])}
    """
    memo: dict[int, Any] = {}
    for part in model.modules():
        for value in vars(part).values():
            if isinstance(value, Tensor):
                memo[id(value)] = value.detach().clone()
    return copy.deepcopy(model, memo)


def state_of(model: nn.Module) -> dict[str, Tensor]:
    """Return a copy of a network's state: parameters, masks and other buffers.

    Examples
    --------
    >>> model = nn.Sequential(nn.Linear(2, 1))
    >>> apply_masks(model, {"0": torch.tensor([[True, False]])})
    >>> sorted(state_of(model))
    ['0.bias', '0.weight_mask', '0.weight_orig']
    """
    return {name: value.detach().clone() for name, value in model.state_dict().items()}


def restore(model: nn.Module, state: State) -> None:
    """Give a network the state of another of the same architecture, masks included.

    Parameters
    ----------
    model : torch module
        Changed in place: pruned, or no longer so, layer by layer, as the state is.
    state : mapping of str to tensor
        As of `state_of`.

    Raises
    ------
    RuntimeError
        By torch, if names or shapes do not fit.

    Examples
    --------
    >>> pruned, fresh = (nn.Sequential(nn.Linear(2, 1)) for _ in range(2))
    >>> apply_masks(pruned, {"0": torch.tensor([[True, False]])})
    >>> restore(fresh, state_of(pruned))
    >>> compression_of(fresh)
    2.0
    """
    layers = prunable(model)
    for name, layer in layers.items():
        wanted = ".".join(filter(None, (name, "weight_mask"))) in state
        if wanted and not _is_masked(layer):
            _mask_newly(layer, torch.ones_like(layer.weight))
        if not wanted:
            unmask(layer)
    model.load_state_dict(state)
    for layer in layers.values():
        refresh(layer)


def _is_masked(layer: nn.Module) -> bool:
    return hasattr(layer, "weight_mask")


def _mask(layer: Layer) -> Tensor:
    if _is_masked(layer):
        return layer.get_buffer("weight_mask").bool()
    return torch.ones_like(layer.weight, dtype=torch.bool)


def _mask_newly(layer: Layer, values: Tensor) -> None:
    prune.custom_from_mask(layer, "weight", values)  # type: ignore[no-untyped-call]


def _as_values(mask: Tensor, like: Tensor) -> Tensor:
    """Return ones where a mask is not zero; where it is, zeros."""
    return mask.bool().to(like)


def _refuse_misfit(layers: Mapping[str, Layer], name: str, mask: Tensor) -> None:
    if name not in layers:
        raise ValueError(f"masks must be of layers {', '.join(layers)}; got {name!r}.")
    shape = trained_weight(layers[name]).shape
    if mask.shape != shape:
        raise ValueError(
            f"the mask of layer {name!r} must have shape {tuple(shape)}; got {tuple(mask.shape)}."
        )
