"""Layers of torch.nn, one function a kind, as affine maps and ReLUs."""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn.utils.parametrize import type_before_parametrizations

from empirical.lowering.affine import Graph, Tensor, rectified
from empirical.lowering.layers import (
    Pair,
    Window,
    average_pool,
    batch_norm,
    convolution,
    flattened,
    image,
    linear,
    max_pool,
    reshaped,
)
from theory.validation import FloatArray


def lowered_layer(graph: Graph, x: Tensor, layer: Any) -> Tensor:
    """Add what a layer computes.

    Raises
    ------
    ValueError
        If its type is unknown, or its settings are not covered.
    """
    kind = type_before_parametrizations(layer)
    if kind not in LAYERS:
        raise ValueError(
            f"known layers are {', '.join(sorted(known.__name__ for known in LAYERS))}."
        )
    return LAYERS[kind](graph, x, layer)


def as_array(tensor: torch.Tensor) -> FloatArray:
    """Return a tensor as a float64 array."""
    return np.asarray(tensor.detach().cpu().numpy(), dtype=np.float64)


def _linear(graph: Graph, x: Tensor, layer: nn.Linear) -> Tensor:
    return linear(graph, x, as_array(layer.weight), _bias(layer, layer.out_features))


def _convolution(graph: Graph, x: Tensor, layer: nn.Conv2d) -> Tensor:
    if layer.padding_mode != "zeros":
        raise ValueError(f"padding_mode must be 'zeros'; got {layer.padding_mode!r}.")
    kernel, dilation = _pair(layer.kernel_size), _pair(layer.dilation)
    before = after = (0, 0)
    if layer.padding == "same":
        # as torch does: where the padding is odd, the larger half comes after
        reach = [d * (k - 1) for k, d in zip(kernel, dilation, strict=True)]
        before = (reach[0] // 2, reach[1] // 2)
        after = (reach[0] - before[0], reach[1] - before[1])
    elif layer.padding != "valid":
        before = after = _pair(layer.padding)
    window = Window(kernel, _pair(layer.stride), before, after, dilation)
    bias = _bias(layer, layer.out_channels)
    return convolution(graph, x, as_array(layer.weight), bias, window=window, groups=layer.groups)


def _bias(layer: nn.Linear | nn.Conv2d, size: int) -> FloatArray:
    return np.zeros(size) if layer.bias is None else as_array(layer.bias)


def _relu(graph: Graph, x: Tensor, layer: nn.ReLU) -> Tensor:
    return rectified(graph, x)


def _max_pool(graph: Graph, x: Tensor, layer: nn.MaxPool2d) -> Tensor:
    if layer.return_indices:
        raise ValueError("return_indices must be False; got True.")
    window = _window(layer)._replace(dilation=_pair(layer.dilation))
    _refuse_partial_windows(x, window, layer)
    return max_pool(graph, x, window)


def _average_pool(graph: Graph, x: Tensor, layer: nn.AvgPool2d) -> Tensor:
    window = _window(layer)
    _refuse_partial_windows(x, window, layer)
    whole = window.kernel[0] * window.kernel[1] if layer.count_include_pad else None
    return average_pool(graph, x, window, divisor=layer.divisor_override or whole)


def _window(layer: nn.MaxPool2d | nn.AvgPool2d) -> Window:
    kernel, padding = _pair(layer.kernel_size), _pair(layer.padding)
    return Window(kernel, _pair(layer.stride), padding, padding)


def _refuse_partial_windows(x: Tensor, window: Window, layer: Any) -> None:
    if not layer.ceil_mode:
        return
    for axis, side in enumerate(image(x)[1:]):
        reach = window.dilation[axis] * (window.kernel[axis] - 1) + 1
        if (side + 2 * window.before[axis] - reach) % window.stride[axis]:
            raise ValueError(
                f"ceil_mode must be False where windows do not fill the image; got {x.shape}."
            )


def _adaptive_average(graph: Graph, x: Tensor, layer: nn.AdaptiveAvgPool2d) -> Tensor:
    _, height, width = image(x)
    down, across = _pair(layer.output_size)
    sides = (down or height, across or width)
    if height % sides[0] or width % sides[1]:
        raise ValueError(
            f"its output sizes must divide those of the image; got {sides} of {height, width}."
        )
    kernel = (height // sides[0], width // sides[1])
    return average_pool(graph, x, Window(kernel, kernel))


def _batch_norm(graph: Graph, x: Tensor, layer: nn.BatchNorm1d | nn.BatchNorm2d) -> Tensor:
    if layer.training or layer.running_mean is None or layer.running_var is None:
        raise ValueError(
            "it must be in eval mode (module.eval()) and have running statistics; it normalises by"
            " those of the batch."
        )
    factor = 1 / np.sqrt(as_array(layer.running_var) + layer.eps)
    shift = -as_array(layer.running_mean) * factor
    if layer.affine:
        factor, shift = factor * as_array(layer.weight), shift * as_array(layer.weight)
        shift = shift + as_array(layer.bias)
    return batch_norm(graph, x, factor, shift)


def _flatten(graph: Graph, x: Tensor, layer: nn.Flatten) -> Tensor:
    return flattened(x, layer.start_dim, layer.end_dim)


def _unflatten(graph: Graph, x: Tensor, layer: nn.Unflatten) -> Tensor:
    rank = len(x.shape) + 1
    axis = int(layer.dim)
    axis += rank if axis < 0 else 0
    if not 1 <= axis < rank:
        raise ValueError(
            f"the axis that it divides must be within 1..{rank - 1}, without the batch axis; got"
            f" {layer.dim}."
        )
    return reshaped(x, (*x.shape[: axis - 1], *layer.unflattened_size, *x.shape[axis:]))


def _dropout(graph: Graph, x: Tensor, layer: Any) -> Tensor:
    if layer.training and layer.p > 0:
        raise ValueError("it must be in eval mode (module.eval()); in training it is random.")
    return x


def _identity(graph: Graph, x: Tensor, layer: Any) -> Tensor:
    return x


def _pair(setting: Any) -> Pair:
    down, across = setting if isinstance(setting, (tuple, list)) else (setting, setting)
    return down, across


LAYERS: dict[type[nn.Module], Callable[[Graph, Tensor, Any], Tensor]] = {
    nn.Linear: _linear,
    nn.Conv2d: _convolution,
    nn.ReLU: _relu,
    nn.MaxPool2d: _max_pool,
    nn.AvgPool2d: _average_pool,
    nn.AdaptiveAvgPool2d: _adaptive_average,
    nn.BatchNorm1d: _batch_norm,
    nn.BatchNorm2d: _batch_norm,
    nn.Flatten: _flatten,
    nn.Unflatten: _unflatten,
    nn.Dropout: _dropout,
    nn.Dropout2d: _dropout,
    nn.Identity: _identity,
}
