"""Operators of ONNX, one function each, as affine maps and ReLUs."""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from empirical.lowering.affine import Graph, Tensor, rectified
from empirical.lowering.layers import (
    Operation,
    Pair,
    Window,
    arithmetic,
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

# What a name in an ONNX graph stands for; a missing optional input is None.
Value = Any
Settings = Mapping[str, Any]
Operator = Callable[[Graph, Sequence[Value], Settings], Value]


def _arithmetic(operation: Operation) -> Operator:
    def lowered(graph: Graph, inputs: Sequence[Value], settings: Settings) -> Tensor:
        left, right = inputs
        return arithmetic(graph, operation, left, right)

    return lowered


def _gemm(graph: Graph, inputs: Sequence[Value], settings: Settings) -> Tensor:
    x, B = _variable(inputs[0]), _constant("B", inputs[1])
    if settings.get("transA", 0) or len(x.shape) != 1 or B.ndim != 2:
        raise ValueError(f"A must have shape (n, k), not transposed, B two axes; got {x.shape}.")
    W = settings.get("alpha", 1.0) * (B if settings.get("transB", 0) else B.T)
    C = np.zeros(1) if len(inputs) < 3 or inputs[2] is None else _constant("C", inputs[2])
    bias = settings.get("beta", 1.0) * np.broadcast_to(C, (1, W.shape[0])).ravel()
    return linear(graph, x, W, bias)


def _matmul(graph: Graph, inputs: Sequence[Value], settings: Settings) -> Tensor:
    x, B = _variable(inputs[0]), _constant("B", inputs[1])
    if B.ndim != 2:
        raise ValueError(f"B must have two axes; got shape {B.shape}.")
    return linear(graph, x, B.T, np.zeros(B.shape[1]))


def _convolution(graph: Graph, inputs: Sequence[Value], settings: Settings) -> Tensor:
    x, W = _variable(inputs[0]), _constant("W", inputs[1])
    if W.ndim != 4:
        raise ValueError(f"W must have four axes, that of images; got shape {W.shape}.")
    b = np.zeros(W.shape[0]) if len(inputs) < 3 else _constant("B", inputs[2])
    window = _window(x, settings, (W.shape[2], W.shape[3]))
    return convolution(graph, x, W, b, window=window, groups=settings.get("group", 1))


def _relu(graph: Graph, inputs: Sequence[Value], settings: Settings) -> Tensor:
    return rectified(graph, _variable(inputs[0]))


def _max_pool(graph: Graph, inputs: Sequence[Value], settings: Settings) -> Tensor:
    x = _variable(inputs[0])
    return max_pool(graph, x, _window(x, settings, settings.get("kernel_shape", ())))


def _average_pool(graph: Graph, inputs: Sequence[Value], settings: Settings) -> Tensor:
    x = _variable(inputs[0])
    window = _window(x, settings, settings.get("kernel_shape", ()))
    divisor = math.prod(window.kernel) if settings.get("count_include_pad", 0) else None
    return average_pool(graph, x, window, divisor=divisor)


def _global_average(graph: Graph, inputs: Sequence[Value], settings: Settings) -> Tensor:
    _, height, width = image(_variable(inputs[0]))
    return average_pool(graph, inputs[0], Window((height, width), (1, 1)))


def _batch_norm(graph: Graph, inputs: Sequence[Value], settings: Settings) -> Tensor:
    if settings.get("training_mode", 0):
        raise ValueError("training_mode must be 0; got 1.")
    names = ("scale", "B", "mean", "var")
    scale, shift, mean, variance = map(_constant, names, inputs[1:])
    factor = scale / np.sqrt(variance + settings.get("epsilon", 1e-5))
    return batch_norm(graph, _variable(inputs[0]), factor, shift - mean * factor)


def _flatten(graph: Graph, inputs: Sequence[Value], settings: Settings) -> Tensor:
    x, axis = _variable(inputs[0]), settings.get("axis", 1)
    if axis not in {1, -len(x.shape)}:
        raise ValueError(f"axis must be 1, the first after the batch's; got {axis}.")
    return flattened(x, 1, -1)


def _reshape(graph: Graph, inputs: Sequence[Value], settings: Settings) -> Value:
    x, shape = inputs[0], _constant("shape", inputs[1]).astype(int).tolist()
    if settings.get("allowzero", 0) and 0 in shape:
        raise ValueError(f"shape must have no side 0; got {shape}.")
    given = x.shape if isinstance(x, np.ndarray) else (0, *x.shape)
    if any(side == 0 and axis >= len(given) for axis, side in enumerate(shape)):
        raise ValueError(f"shape must take its zeros from {given}; got {shape}.")
    kept = [given[axis] if side == 0 else side for axis, side in enumerate(shape)]
    if isinstance(x, np.ndarray):
        return x.reshape(kept)
    first, rest = (shape[0], tuple(kept[1:])) if shape else (None, ())
    # the first side is the batch: 0 keeps it, 1 is its length here, -1 finds it from the others
    if first not in {0, 1, -1} or (first == -1 and -1 in rest):
        raise ValueError(f"the first side of shape must keep the batch (0, 1 or -1); got {shape}.")
    return reshaped(x, rest)


def _identity(graph: Graph, inputs: Sequence[Value], settings: Settings) -> Value:
    return inputs[0]


def _transpose(graph: Graph, inputs: Sequence[Value], settings: Settings) -> Value:
    x = inputs[0]
    rank = x.ndim if isinstance(x, np.ndarray) else len(x.shape) + 1
    order = tuple(settings.get("perm", range(rank)[::-1]))
    if isinstance(x, np.ndarray):
        return x.transpose(order)
    sides = (0, *x.shape)
    moved = [axis for axis in order if sides[axis] != 1]
    if order[0] != 0 or moved != sorted(moved):
        raise ValueError(
            f"perm may only move axes of length 1, and not the batch's; got {list(order)} for one"
            f" input of shape {x.shape}."
        )
    return reshaped(x, tuple(sides[axis] for axis in order[1:]))


def _variable(value: Value) -> Tensor:
    if not isinstance(value, Tensor):
        raise ValueError("its first input must depend on the network's input; it is constant.")
    return value


def _constant(name: str, value: Value) -> FloatArray:
    if not isinstance(value, np.ndarray):
        raise ValueError(f"{name} must be constant; it depends on the network's input.")
    return np.asarray(value, dtype=np.float64)


def _window(x: Tensor, settings: Settings, kernel: Sequence[int]) -> Window:
    sides = image(x)[1:]
    if len(kernel) != 2 or tuple(settings.get("kernel_shape", kernel)) != tuple(kernel):
        raise ValueError(f"kernel_shape must be two sides, those of W; got {tuple(kernel)}.")
    stride = settings.get("strides", (1, 1))
    dilation = settings.get("dilations", (1, 1))
    reach = [d * (k - 1) + 1 for k, d in zip(kernel, dilation, strict=True)]
    rule = _text(settings.get("auto_pad", "NOTSET"))
    if rule.startswith("SAME_"):
        before, after = _same(rule == "SAME_UPPER", sides, stride, reach)
    else:
        pads = settings.get("pads", (0, 0, 0, 0)) if rule == "NOTSET" else (0, 0, 0, 0)
        before, after = _pair(pads[:2]), _pair(pads[2:])
    if settings.get("ceil_mode", 0) and any(
        (sides[axis] + before[axis] + after[axis] - reach[axis]) % stride[axis] for axis in (0, 1)
    ):
        raise ValueError(f"ceil_mode must be 0 where windows do not fill the image; got {x.shape}.")
    return Window(_pair(kernel), _pair(stride), before, after, _pair(dilation))


def _same(
    upper: bool, sides: Sequence[int], stride: Sequence[int], reach: Sequence[int]
) -> tuple[Pair, Pair]:
    """Return the padding by which a window starts at each stride, an odd one after if upper."""
    total = [
        max(
            (math.ceil(sides[axis] / stride[axis]) - 1) * stride[axis] + reach[axis] - sides[axis],
            0,
        )
        for axis in (0, 1)
    ]
    less, more = _pair([t // 2 for t in total]), _pair([t - t // 2 for t in total])
    return (less, more) if upper else (more, less)


def _pair(values: Sequence[int]) -> Pair:
    first, second = values
    return int(first), int(second)


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value


OPERATORS: dict[str, Operator] = {
    "Add": _arithmetic("add"),
    "AveragePool": _average_pool,
    "BatchNormalization": _batch_norm,
    "Conv": _convolution,
    "Div": _arithmetic("div"),
    "Flatten": _flatten,
    "Gemm": _gemm,
    "GlobalAveragePool": _global_average,
    "Identity": _identity,
    "MatMul": _matmul,
    "MaxPool": _max_pool,
    "Mul": _arithmetic("mul"),
    "Relu": _relu,
    "Reshape": _reshape,
    "Sub": _arithmetic("sub"),
    "Transpose": _transpose,
}
