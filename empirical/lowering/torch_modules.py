"""Modules of torch.nn as graphs of affine maps and ReLUs. Imports torch, which takes a second."""

import copy
import math
import operator
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import fx, nn
from torch.nn import functional
from torch.nn.utils.prune import BasePruningMethod
from torch.nn.utils.spectral_norm import SpectralNorm
from torch.nn.utils.weight_norm import WeightNorm

from empirical.lowering.affine import Graph, Tensor, empty_graph, rectified
from empirical.lowering.chain import checked, network_of, probes
from empirical.lowering.layers import arithmetic, flattened, reshaped
from empirical.lowering.torch_layers import as_array, lowered_layer
from theory.networks import ReluNetwork
from theory.validation import FloatArray


class _BatchSize:
    """Stands for the number of inputs where a forward asks for it."""


_BATCH = _BatchSize()
_MAKE_WEIGHTS = (BasePruningMethod, SpectralNorm, WeightNorm)  # hooks before a forward


def lowered_module(module: Any, input_shape: Sequence[int], max_entries: int) -> ReluNetwork:
    """Return a module as a ReluNetwork; see empirical.lowering.network_from_module."""
    if not isinstance(module, nn.Module):
        raise TypeError(f"module must be a torch.nn.Module; got {type(module).__name__}.")
    graph, x = empty_graph(input_shape, max_entries)
    twin = _twin(module)
    net = network_of(graph, _lowered(graph, x, _traced(twin)))
    return checked(net, _outputs(twin, x.shape))


def _twin(module: nn.Module) -> nn.Module:
    """Return a copy in float64 on the CPU."""
    memo: dict[int, Any] = {}
    for part in module.modules():
        # deepcopy refuses tensors that are results, which masked and normalised weights are
        for value in vars(part).values():
            if isinstance(value, torch.Tensor):
                kind = torch.float64 if value.is_floating_point() else value.dtype
                memo[id(value)] = value.detach().to("cpu", kind, copy=True)
    twin = copy.deepcopy(module, memo).to("cpu", torch.float64)
    for part in twin.modules():
        for hook in part._forward_pre_hooks.values():
            if isinstance(hook, _MAKE_WEIGHTS):  # weights are those of the last forward until then
                hook(part, ())
    return twin


def _outputs(twin: nn.Module, shape: tuple[int, ...]) -> FloatArray:
    X = torch.as_tensor(probes(math.prod(shape))).reshape(-1, *shape)
    try:
        with torch.no_grad():
            outputs = twin(X)
    except Exception as error:  # a forward can raise anything
        raise ValueError(
            f"the module must accept inputs of shape (n, {', '.join(map(str, shape))}) in float64;"
            f" it raised {error!r:.300}"
        ) from error
    if not isinstance(outputs, torch.Tensor) or outputs.ndim == 0:
        raise ValueError(f"the module must return one tensor; got {type(outputs).__name__}.")
    return as_array(outputs.reshape(outputs.shape[0], -1))


def _traced(twin: nn.Module) -> fx.GraphModule:
    single = fx.Tracer().is_leaf_module(twin, "")  # else its own forward would be traced
    try:
        with _without_hooks(twin), torch.no_grad():
            return fx.symbolic_trace(nn.Sequential(twin) if single else twin)
    except Exception as error:  # a forward can raise anything
        raise ValueError(
            "the module's forward must be traceable by torch.fx: without branches on values, with"
            f" one input; it raised {error!r:.300}"
        ) from error


@contextmanager
def _without_hooks(twin: nn.Module) -> Iterator[None]:
    """Take off hooks, which would meet values that are no tensors, and put them back."""
    names = ("_forward_hooks", "_forward_pre_hooks")
    held = [(part, name, getattr(part, name)) for part in twin.modules() for name in names]
    for part, name, _ in held:
        setattr(part, name, OrderedDict())
    try:
        yield
    finally:
        for part, name, hooks in held:
            setattr(part, name, hooks)


def _lowered(graph: Graph, x: Tensor, traced: fx.GraphModule) -> Tensor:
    values: dict[fx.Node, Any] = {}
    for node in traced.graph.nodes:
        args = fx.node.map_arg(node.args, values.__getitem__)
        kwargs = fx.node.map_arg(node.kwargs, values.__getitem__)
        if node.op == "output":
            return _only_tensor(args[0])
        if node.op == "placeholder":
            if values:
                raise ValueError(f"the module must have one input; it also has {node.target!r}.")
            values[node] = x
            continue
        label = _label(traced, node)
        try:
            values[node] = _value(graph, traced, node, args, kwargs)
        except (ValueError, TypeError) as error:
            raise ValueError(f"{label} cannot be lowered: {error}") from error
    raise ValueError("the module must return a tensor; its graph has no output.")


def _only_tensor(output: Any) -> Tensor:
    if not isinstance(output, Tensor):
        raise ValueError("the module must return one tensor that depends on its input.")
    return output


def _label(traced: fx.GraphModule, node: fx.Node) -> str:
    if node.op == "call_module":
        kind = type(traced.get_submodule(str(node.target))).__name__
        return f"layer {node.target!r} ({kind})"
    name = getattr(node.target, "__name__", node.target)
    return f"operation {node.name!r} ({name})"


def _value(graph: Graph, traced: fx.GraphModule, node: fx.Node, args: Any, kwargs: Any) -> Any:
    if node.op == "get_attr":
        return as_array(operator.attrgetter(str(node.target))(traced))
    if node.op == "call_module":
        return lowered_layer(graph, _input(args), traced.get_submodule(str(node.target)))
    known = _FUNCTIONS if node.op == "call_function" else _METHODS
    if node.target not in known:
        names = sorted({getattr(target, "__name__", str(target)) for target in known})
        raise ValueError(f"known are {', '.join(names)}.")
    return known[node.target](graph, *args, **kwargs)


def _input(args: Any) -> Tensor:
    if len(args) != 1 or not isinstance(args[0], Tensor):
        raise ValueError("it must have one input, which depends on the module's.")
    return args[0]


def _arithmetic(operation: Any) -> Callable[..., Tensor]:
    def lowered(graph: Graph, left: Any, right: Any) -> Tensor:
        return arithmetic(graph, operation, left, right)

    return lowered


def _as_layer(kind: Callable[..., nn.Module]) -> Callable[..., Tensor]:
    """Return the lowering of a function that is a layer called with its settings."""

    def lowered(graph: Graph, x: Tensor, *args: Any, **settings: Any) -> Tensor:
        return lowered_layer(graph, x, kind(*args, **settings))

    return lowered


def _dropout(p: float = 0.5, training: bool = True, inplace: bool = False) -> nn.Module:
    return nn.Dropout(p, inplace).train(training)


def _relu(graph: Graph, x: Tensor, inplace: bool = False) -> Tensor:
    return rectified(graph, x)


def _flatten(graph: Graph, x: Tensor, start_dim: int = 0, end_dim: int = -1) -> Tensor:
    return flattened(x, start_dim, end_dim)


def _view(graph: Graph, x: Tensor, *shape: Any) -> Tensor:
    sides = shape[0] if len(shape) == 1 and isinstance(shape[0], (tuple, list)) else shape
    rest = tuple(sides[1:])
    keeps_batch = sides[0] is _BATCH or (sides[0] == -1 and -1 not in rest)
    if not keeps_batch or not all(isinstance(side, int) for side in rest):
        raise ValueError(f"its shape must be (batch size or -1, ...); got {sides}.")
    return reshaped(x, rest)


def _size(graph: Graph, x: Tensor, dim: int | None = None) -> Any:
    shape = (_BATCH, *x.shape)
    return shape if dim is None else shape[dim]


def _attribute(graph: Graph, x: Tensor, name: str) -> Any:
    if name != "shape":
        raise ValueError(f"of a tensor only its shape can be asked; got {name!r}.")
    return _size(graph, x)


def _item(graph: Graph, values: Any, index: Any) -> Any:
    if isinstance(values, Tensor):
        raise ValueError("parts of a tensor cannot be taken.")
    return values[index]


_FUNCTIONS: dict[Any, Callable[..., Any]] = {
    operator.add: _arithmetic("add"),
    operator.iadd: _arithmetic("add"),
    torch.add: _arithmetic("add"),
    operator.sub: _arithmetic("sub"),
    operator.isub: _arithmetic("sub"),
    torch.sub: _arithmetic("sub"),
    operator.mul: _arithmetic("mul"),
    torch.mul: _arithmetic("mul"),
    operator.truediv: _arithmetic("div"),
    torch.div: _arithmetic("div"),
    torch.relu: _relu,
    functional.relu: _relu,
    functional.max_pool2d: _as_layer(nn.MaxPool2d),
    functional.avg_pool2d: _as_layer(nn.AvgPool2d),
    functional.adaptive_avg_pool2d: _as_layer(nn.AdaptiveAvgPool2d),
    functional.dropout: _as_layer(_dropout),
    torch.flatten: _flatten,
    getattr: _attribute,
    operator.getitem: _item,
}
_METHODS: dict[Any, Callable[..., Any]] = {
    "add": _arithmetic("add"),
    "add_": _arithmetic("add"),
    "sub": _arithmetic("sub"),
    "mul": _arithmetic("mul"),
    "div": _arithmetic("div"),
    "relu": _relu,
    "relu_": _relu,
    "flatten": _flatten,
    "view": _view,
    "reshape": _view,
    "size": _size,
}
