"""Networks of one architecture as one: parameters stacked, one forward pass for all."""

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, nn
from torch.func import functional_call, vmap
from torch.nn.utils import prune

Values = dict[str, Tensor]
Product = Callable[[Tensor, Tensor], Tensor]
# Layers that a chain of batched products runs, without torch.func's cost of each step.
_CHAIN = (nn.Linear, nn.ReLU, nn.Identity)


@dataclass(frozen=True, kw_only=True, eq=False)
class Replicas:
    """R networks of one architecture.

    Parameters
    ----------
    values : dict of tensors (R, ...)
        Parameters, by name; of pruned ones what is below the mask as well.
    masks : dict of tensors (R, ...)
        Of pruned parameters: 1 where a weight is kept, 0 where not.
    forward : function of dict of tensors (R, ...) and inputs (R, n, ...)
        Returns the outputs (R, n, c).
    """

    values: Values
    masks: Values
    forward: Callable[[Values, Tensor], Tensor]

    @property
    def count(self) -> int:
        """R."""
        return next(iter(self.values.values())).shape[0]


def stacked(models: Sequence[nn.Module]) -> Replicas:
    """Return networks as one, their parameters copied.

    Parameters
    ----------
    models : sequence of torch modules
        Of one architecture; pruned by torch.nn.utils.prune or not.

    Raises
    ------
    TypeError, ValueError
        If there is none, one has buffers (as of batch normalisation) or no parameters, or their
        parameters differ in name, shape, type or device.
    """
    if not models:
        raise ValueError("models must hold at least one network; got none.")
    parts = [_parts(model) for model in models]
    for which, part in enumerate(parts[1:], start=1):
        _refuse_another(parts[0], part, which)
    values, masks = (
        {name: torch.stack([p[k][name] for p in parts]) for name in parts[0][k]} for k in (0, 1)
    )
    return Replicas(values=values, masks=masks, forward=_forward(models[0], len(models)))


def effective(replicas: Replicas, product: Product = torch.mul) -> Values:
    """Return the parameters as networks use them: pruned weights are zero.

    The product of a weight and its mask can be `straight_through`.
    """
    masks = replicas.masks
    return {
        name: product(value, masks[name]) if name in masks else value
        for name, value in replicas.values.items()
    }


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


def write_back(models: Sequence[nn.Module], values: Values, masks: Values) -> None:
    """Give each network its parameters and masks of stacks."""
    with torch.no_grad():
        for r, model in enumerate(models):
            for name, parameter in model.named_parameters():
                parameter.copy_(values[name.removesuffix("_orig")][r])
            for name, buffer in model.named_buffers():
                buffer.copy_(masks[name.removesuffix("_mask")][r])
            for module in model.modules():  # what pruned modules hold is only renewed by use
                for hook in module._forward_pre_hooks.values():
                    if isinstance(hook, prune.BasePruningMethod):
                        hook(module, None)


def _parts(model: nn.Module) -> tuple[Values, Values]:
    """Return a network's parameters and masks by the names that they have without pruning."""
    values = {name.removesuffix("_orig"): p.detach() for name, p in model.named_parameters()}
    buffers = dict(model.named_buffers())
    masks = {name.removesuffix("_mask"): b for name, b in buffers.items() if name.endswith("_mask")}
    if not values:
        raise ValueError(f"models must have parameters; {type(model).__name__} has none.")
    other = set(buffers) - {f"{name}_mask" for name in masks}
    if other or not set(masks) <= set(values):
        names = ", ".join(sorted(other or masks))
        raise ValueError(f"models must have no buffers but pruning masks; got {names}.")
    return values, masks


def _refuse_another(first: tuple[Values, Values], other: tuple[Values, Values], which: int) -> None:
    """Raise ValueError unless parameters and masks are alike."""
    alike = [
        {name: (tuple(t.shape), t.dtype, t.device) for name, t in part.items()}
        for part in (*first, *other)
    ]
    if alike[:2] != alike[2:]:
        raise ValueError(
            f"models must be of one architecture and pruned alike; models[{which}] differs from"
            " models[0]."
        )


def _forward(model: nn.Module, count: int) -> Callable[[Values, Tensor], Tensor]:
    if isinstance(model, nn.Sequential) and all(type(layer) in _CHAIN for layer in model):
        return partial(_chained, list(model.named_children()))
    bare = _bare(model)
    if count == 1:
        return partial(_alone, bare)
    return vmap(partial(functional_call, bare))


def _chained(layers: Sequence[tuple[str, nn.Module]], values: Values, X: Tensor) -> Tensor:
    """Return the outputs of a chain of affine maps and ReLUs.

    Inputs are columns on the way: gradients then have the weights' strides, and need no copies.
    """
    X = X.mT
    for name, layer in layers:
        if isinstance(layer, nn.ReLU):
            X = X.relu()
        elif isinstance(layer, nn.Linear):
            W, bias = values[f"{name}.weight"], values.get(f"{name}.bias")
            X = W @ X if bias is None else torch.baddbmm(bias[:, :, None], W, X)
    return X.mT


def _alone(bare: nn.Module, values: Values, X: Tensor) -> Tensor:
    own = {name: value[0] for name, value in values.items()}
    outputs: Tensor = functional_call(bare, own, (X[0],))
    return outputs[None]


def _bare(model: nn.Module) -> nn.Module:
    """Return a copy without pruning: copying pruned modules fails but for what is set here."""
    computed = [
        value
        for module in model.modules()
        for value in vars(module).values()
        if isinstance(value, Tensor) and not value.is_leaf
    ]
    bare = copy.deepcopy(model, {id(value): value.detach().clone() for value in computed})
    for module in bare.modules():
        for hook in list(module._forward_pre_hooks.values()):
            if isinstance(hook, prune.BasePruningMethod):
                prune.remove(module, hook._tensor_name)  # type: ignore[no-untyped-call]
    return bare
