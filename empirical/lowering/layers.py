"""What layers compute, as affine maps and ReLUs; shapes are those of one input, without batch."""

import math
from typing import Any, Literal, NamedTuple

import numpy as np
import scipy.sparse as sp

from empirical.lowering.affine import Graph, Map, Tensor, affine, rectified, refuse_beyond, reserve
from theory.validation import FloatArray, IntArray

Operation = Literal["add", "sub", "mul", "div"]
Pair = tuple[int, int]


class Window(NamedTuple):
    """Where a kernel is laid over an image.

    Attributes
    ----------
    kernel, stride, dilation : (int, int)
        Down and across.
    before, after : (int, int)
        The padding above and to the left; below and to the right.
    """

    kernel: Pair
    stride: Pair
    before: Pair = (0, 0)
    after: Pair = (0, 0)
    dilation: Pair = (1, 1)


def linear(graph: Graph, x: Tensor, W: FloatArray, b: FloatArray) -> Tensor:
    """Add W x + b along the last axis."""
    outputs, inputs = W.shape
    if x.shape[-1] != inputs:
        raise ValueError(f"its inputs must have {inputs} entries; got shape {x.shape}.")
    copies = x.size // inputs
    reserve(graph, copies * int(np.count_nonzero(W)))
    matrix: Map = sp.csr_array(W)
    if copies > 1:
        matrix = sp.kron(sp.eye_array(copies), matrix, format="csr")
    return affine(graph, [(x, matrix)], np.tile(b, copies), (*x.shape[:-1], outputs))


def convolution(
    graph: Graph, x: Tensor, W: FloatArray, b: FloatArray, *, window: Window, groups: int
) -> Tensor:
    """Add the convolution (cross-correlation) with W (out, in / groups, height, width)."""
    channels, height, width = image(x)
    outputs, inputs = W.shape[:2]
    if channels != inputs * groups or outputs % groups:
        raise ValueError(f"its inputs must have {inputs * groups} channels; got shape {x.shape}.")
    seen, sides = positions(graph, (height, width), window)
    kernels = W.reshape(outputs, inputs, -1)
    reserve(graph, int((np.count_nonzero(kernels, axis=(0, 1)) * (seen >= 0).sum(axis=0)).sum()))
    each = outputs // groups  # of these see the same channels
    blocks = [
        _one_channel(w, seen, o // each * inputs, (channels, height * width))
        for o, w in enumerate(kernels)
    ]
    matrix = sp.vstack(blocks, format="csr")
    return affine(graph, [(x, matrix)], np.repeat(b, seen.shape[0]), (outputs, *sides))


def average_pool(graph: Graph, x: Tensor, window: Window, *, divisor: int | None = None) -> Tensor:
    """Add the sum of each window over the divisor, by default how many entries it sees."""
    channels, height, width = image(x)
    seen, sides = positions(graph, (height, width), window)
    inside = seen >= 0
    counts = inside.sum(axis=1) if divisor is None else np.full(seen.shape[0], divisor)
    if not counts.all():
        raise ValueError("its divisor must not be zero; a window is empty.")
    reserve(graph, channels * int(inside.sum()))
    rows, k = np.nonzero(inside)
    entries = (1 / counts[rows], (rows, seen[rows, k]))
    plane = sp.csr_array(entries, shape=(seen.shape[0], height * width))
    matrix = sp.kron(sp.eye_array(channels), plane, format="csr")
    return affine(graph, [(x, matrix)], np.zeros(1), (channels, *sides))


def max_pool(graph: Graph, x: Tensor, window: Window) -> Tensor:
    """Add the largest entry of each window, by a tree of max(a, b) = a + relu(b - a)."""
    channels, height, width = image(x)
    seen, sides = positions(graph, (height, width), window)
    # what lies outside never wins: an entry of the same window stands in for it
    seen = np.where(seen < 0, seen.max(axis=1, keepdims=True), seen)
    if (seen < 0).any():
        raise ValueError("each window must see an entry; one lies in the padding.")
    refuse_beyond(graph.max_entries, channels * seen.size)
    offsets = np.arange(channels)[:, None, None] * height * width
    index = (offsets + seen).reshape(-1, seen.shape[1])
    shape = (channels, *sides)
    while index.shape[1] > 1:
        if index.shape[1] % 2:
            index = np.hstack([index, index[:, -1:]])
        pairs = np.sort(index.reshape(-1, 2), axis=1)
        codes, place = np.unique(pairs @ [x.size, 1], return_inverse=True)  # shared by windows
        x = _larger(graph, x, codes // x.size, codes % x.size)
        index = place.reshape(index.shape[0], -1)
    return affine(graph, [(x, _picked(graph, x, index[:, 0]))], np.zeros(1), shape)


def batch_norm(graph: Graph, x: Tensor, factor: FloatArray, shift: FloatArray) -> Tensor:
    """Add factor x + shift, a number of each a channel."""
    if factor.shape != x.shape[:1]:
        raise ValueError(f"its inputs must have {factor.size} channels; got shape {x.shape}.")
    each = x.size // factor.size
    return _scaled(graph, x, np.repeat(factor, each), np.repeat(shift, each))


def arithmetic(
    graph: Graph, operation: Operation, left: Tensor | FloatArray, right: Tensor | FloatArray
) -> Tensor:
    """Add left + right, left - right, left * right or left / right; one may be constant.

    Raises
    ------
    ValueError
        If that is no affine map of the input, or shapes do not fit.
    """
    if isinstance(left, Tensor) and isinstance(right, Tensor):
        if operation not in {"add", "sub"} or left.shape != right.shape:
            raise ValueError(
                "two values that depend on the input must be of one shape and be added or"
                f" subtracted; got {operation} of shapes {left.shape} and {right.shape}."
            )
        sign = None if operation == "add" else _diagonal(graph, np.full(right.size, -1.0))
        return affine(graph, [(left, None), (right, sign)], np.zeros(1), left.shape)
    if isinstance(left, Tensor):
        factor, shift = _by_constant(operation, _spread(right, left))
        return _scaled(graph, left, factor, shift)
    if not isinstance(right, Tensor) or operation == "div":
        raise ValueError("what is divided must depend on the input, the divisor must not.")
    constant = _spread(left, right)
    if operation == "sub":
        return _scaled(graph, right, np.full(right.size, -1.0), constant)
    return _scaled(graph, right, *_by_constant(operation, constant))


def reshaped(x: Tensor, shape: tuple[int, ...]) -> Tensor:
    """Return a value with another shape; one side may be -1.

    Raises
    ------
    ValueError
        If the number of entries would change.
    """
    known = math.prod(side for side in shape if side != -1)
    if shape.count(-1) == 1 and known and x.size % known == 0:
        shape = tuple(x.size // known if side == -1 else side for side in shape)
    if min(shape, default=0) < 1 or math.prod(shape) != x.size:
        raise ValueError(f"a value of shape {x.shape} cannot take the shape {shape}.")
    return Tensor(x.node, shape)


def flattened(x: Tensor, start: int, end: int) -> Tensor:
    """Return a value whose axes from start to end are one; axes are counted with the batch's."""
    rank = len(x.shape) + 1
    first, last = (axis + rank if axis < 0 else axis for axis in (start, end))
    if not 1 <= first <= last < rank:
        raise ValueError(
            f"the axes made one must be within 1..{rank - 1}, without the batch axis; got"
            f" {start} to {end}."
        )
    merged = math.prod(x.shape[first - 1 : last])
    return Tensor(x.node, (*x.shape[: first - 1], merged, *x.shape[last:]))


def image(x: Tensor) -> tuple[int, int, int]:
    """Return channels, height and width of a value; refuse one that is no image."""
    if len(x.shape) != 3:
        raise ValueError(f"its inputs must have shape (channels, height, width); got {x.shape}.")
    return x.shape[0], x.shape[1], x.shape[2]


def positions(graph: Graph, sides: Pair, window: Window) -> tuple[IntArray, Pair]:
    """Return which pixel each window sees at each kernel entry (-1: padding), and their counts.

    Returns
    -------
    array, shape (windows, kernel entries)
        The place of the pixel in the flattened image.
    (int, int)
        The number of windows down and across.
    """
    axes: list[IntArray] = []
    for axis, side in enumerate(sides):
        reach = window.dilation[axis] * (window.kernel[axis] - 1) + 1
        free = side + window.before[axis] + window.after[axis] - reach
        if free < 0:
            raise ValueError(f"its windows must fit into the padded image; got sides {sides}.")
        refuse_beyond(graph.max_entries, (free // window.stride[axis] + 1) * window.kernel[axis])
        starts = np.arange(free // window.stride[axis] + 1) * window.stride[axis]
        steps = np.arange(window.kernel[axis]) * window.dilation[axis]
        seen = starts[:, None] + steps - window.before[axis]
        axes.append(np.where((seen >= 0) & (seen < side), seen, -1))
    refuse_beyond(graph.max_entries, axes[0].size * axes[1].size)
    down, across = axes[0][:, None, :, None], axes[1][None, :, None, :]
    pixels = np.where((down >= 0) & (across >= 0), down * sides[1] + across, -1)
    counts = (axes[0].shape[0], axes[1].shape[0])
    return pixels.reshape(math.prod(counts), -1), counts


def _one_channel(kernel: FloatArray, seen: IntArray, first: int, sides: Pair) -> Any:
    """Return the map of one output channel, a row a place, from (channels, pixels) of an image.

    The kernel (in, entries) sees the channels from the first on.
    """
    channels, pixels = sides
    c, k = np.nonzero(kernel)
    rows, weight = np.nonzero(seen[:, k] >= 0)
    columns = (first + c[weight]) * pixels + seen[rows, k[weight]]
    entries = (kernel[c, k][weight], (rows, columns))
    return sp.csr_array(entries, shape=(seen.shape[0], channels * pixels))


def _larger(graph: Graph, x: Tensor, first: IntArray, second: IntArray) -> Tensor:
    """Add max(x[first], x[second])."""
    shape = (first.size,)
    a = affine(graph, [(x, _picked(graph, x, first))], np.zeros(1), shape)
    unequal = np.flatnonzero(first != second)
    if not unequal.size:
        return a
    n = unequal.size
    reserve(graph, 3 * n)
    columns = np.column_stack([second[unequal], first[unequal]]).ravel()
    entries = (np.tile([1.0, -1.0], n), columns, 2 * np.arange(n + 1))
    gap = affine(graph, [(x, sp.csr_array(entries, shape=(n, x.size)))], np.zeros(1), (n,))
    placed = sp.csr_array((np.ones(n), (unequal, np.arange(n))), shape=(first.size, n))
    return affine(graph, [(a, None), (rectified(graph, gap), placed)], np.zeros(1), shape)


def _picked(graph: Graph, x: Tensor, index: IntArray) -> Map:
    reserve(graph, index.size)
    entries = (np.ones(index.size), index, np.arange(index.size + 1))
    return sp.csr_array(entries, shape=(index.size, x.size))


def _diagonal(graph: Graph, entries: FloatArray) -> Map:
    reserve(graph, int(np.count_nonzero(entries)))
    n = entries.size
    return sp.csr_array((entries, np.arange(n), np.arange(n + 1)), shape=(n, n))


def _scaled(graph: Graph, x: Tensor, factor: FloatArray, shift: FloatArray) -> Tensor:
    matrix = None if (factor == 1).all() else _diagonal(graph, factor)
    return affine(graph, [(x, matrix)], shift, x.shape)


def _by_constant(operation: Operation, constant: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the factor and the shift of x + c, x - c, x * c or x / c."""
    one, zero = np.ones(constant.size), np.zeros(constant.size)
    if operation in {"add", "sub"}:
        return one, constant if operation == "add" else -constant
    if operation == "div" and not constant.all():
        raise ValueError("a divisor must not be zero.")
    return (constant if operation == "mul" else 1 / constant), zero


def _spread(constant: Any, x: Tensor) -> FloatArray:
    """Return a constant at each entry of x, as broadcasting lays it over a batch of one."""
    values: FloatArray = np.asarray(constant, dtype=np.float64)
    shape = (1, *x.shape)
    try:
        return np.broadcast_to(values, shape).ravel()
    except ValueError:
        raise ValueError(
            f"a constant must broadcast to the shape {x.shape} of one input; got {values.shape}."
        ) from None
