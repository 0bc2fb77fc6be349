"""ONNX files as graphs of affine maps and ReLUs. Imports onnx, which is an extra."""

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, numpy_helper
from onnx.reference import ReferenceEvaluator

from empirical.lowering.affine import Graph, Tensor, empty_graph, most_bytes
from empirical.lowering.chain import checked, network_of, probes
from empirical.lowering.onnx_operators import OPERATORS, Value
from theory.networks import ReluNetwork
from theory.validation import FloatArray

_FLOATS = (TensorProto.FLOAT, TensorProto.DOUBLE, TensorProto.FLOAT16, TensorProto.BFLOAT16)
_FIRST_OPSET = 7  # before, broadcasting was an attribute


def lowered_file(path: Path, max_entries: int) -> ReluNetwork:
    """Return the network of an ONNX file; see empirical.lowering.network_from_onnx."""
    model = _read(path, max_entries)
    # Weights and outputs that are not finite are refused by value.
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        return _network(path, model, max_entries)


def _network(path: Path, model: onnx.ModelProto, max_entries: int) -> ReluNetwork:
    try:
        _refuse_uncovered(model)
        _refuse_large(model, max_entries)
        onnx.checker.check_model(model)
        graph, x = empty_graph(_input_shape(model), max_entries)
        net = network_of(graph, _lowered(graph, x, model))
        return checked(net, _outputs(_doubled(model), x.shape))
    except (ValueError, onnx.checker.ValidationError) as error:
        raise ValueError(f"{path} cannot be lowered: {error}") from error


def _read(path: Path, max_entries: int) -> onnx.ModelProto:
    size = path.stat().st_size
    if size == 0:
        raise ValueError(f"{path} is empty; it must be a whole ONNX file.")
    if size > most_bytes(max_entries):
        raise ValueError(
            f"{path} must hold at most max_entries={max_entries:,} numbers; it has {size:,} bytes."
        )
    try:
        return onnx.load(path, load_external_data=False)
    except OSError:
        raise
    except Exception as error:  # a damaged file can raise anything
        raise ValueError(f"{path} must be a whole ONNX file: {error!r:.120}") from error


def _refuse_uncovered(model: onnx.ModelProto) -> None:
    opsets = [opset.version for opset in model.opset_import if opset.domain in {"", "ai.onnx"}]
    newest = onnx.defs.onnx_opset_version()
    if len(opsets) != 1 or not _FIRST_OPSET <= opsets[0] <= newest:
        raise ValueError(f"it must import one opset in {_FIRST_OPSET}..{newest}; got {opsets}.")
    for index, node in enumerate(model.graph.node):
        if node.domain not in {"", "ai.onnx"} or node.op_type not in {*OPERATORS, "Constant"}:
            raise ValueError(
                f"{_label(index, node)} is not covered; known operators are"
                f" {', '.join([*OPERATORS, 'Constant'])}."
            )
        if len(node.output) != 1:
            raise ValueError(f"{_label(index, node)} must have one output; got {[*node.output]}.")
    if model.graph.sparse_initializer:
        raise ValueError("its weights must be dense; it has sparse initializers.")


def _refuse_large(model: onnx.ModelProto, max_entries: int) -> None:
    entries = 0
    for name, tensor in _tensors(model):
        if tensor.data_location == TensorProto.EXTERNAL:
            raise ValueError(f"all weights must be in the file; {name!r} is in another.")
        if min(tensor.dims, default=1) < 0:
            raise ValueError(f"{name!r} must have sides of at least 0; got {[*tensor.dims]}.")
        entries += math.prod(tensor.dims)
        if entries > max_entries:
            raise ValueError(
                f"its tensors must have at most max_entries={max_entries:,} entries in all; up to"
                f" {name!r}, of shape {[*tensor.dims]}, they have {entries:,}."
            )


def _tensors(model: onnx.ModelProto) -> Iterator[tuple[str, TensorProto]]:
    """Yield the name and the tensor of each weight and of each constant node."""
    for tensor in model.graph.initializer:
        yield tensor.name, tensor
    for node in model.graph.node:
        for attribute in node.attribute:
            if attribute.type == onnx.AttributeProto.TENSOR:
                yield node.output[0], attribute.t


def _label(index: int, node: onnx.NodeProto) -> str:
    operator = f"{node.domain}.{node.op_type}" if node.domain else node.op_type
    return f"node {node.name or index!r} ({operator})"


def _inputs(model: onnx.ModelProto) -> list[onnx.ValueInfoProto]:
    weights = {tensor.name for tensor in model.graph.initializer}  # old files list them too
    return [value for value in model.graph.input if value.name not in weights]


def _input_shape(model: onnx.ModelProto) -> tuple[int, ...]:
    inputs = _inputs(model)
    if len(inputs) != 1 or len(model.graph.output) != 1:
        raise ValueError(
            "it must have one input and one output; got"
            f" {[value.name for value in inputs]} and {[out.name for out in model.graph.output]}."
        )
    given = inputs[0].type.tensor_type
    sides = [side.dim_value if side.HasField("dim_value") else None for side in given.shape.dim]
    static = all(side is not None and side > 0 for side in sides[1:])
    if given.elem_type not in _FLOATS or len(sides) < 2 or not static or (sides[0] or 1) > 1:
        raise ValueError(
            f"its input {inputs[0].name!r} must be of a floating type, and all of its axes but the"
            f" first, the batch (any length or 1), of a known length; got {sides}."
        )
    return tuple(side for side in sides[1:] if side is not None)


def _lowered(graph: Graph, x: Tensor, model: onnx.ModelProto) -> Tensor:
    values: dict[str, Value] = {"": None}
    for tensor in model.graph.initializer:
        values[tensor.name] = _array(tensor.name, tensor)
    values[_inputs(model)[0].name] = x
    for index, node in enumerate(model.graph.node):
        try:
            values[node.output[0]] = _value(graph, node, values)
        except (ValueError, TypeError, KeyError, IndexError) as error:
            raise ValueError(f"{_label(index, node)}: {error}") from error
    output = values[model.graph.output[0].name]
    if not isinstance(output, Tensor):
        raise ValueError("its output must depend on its input; it is constant.")
    return output


def _value(graph: Graph, node: onnx.NodeProto, values: dict[str, Value]) -> Value:
    settings = {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}
    if node.op_type != "Constant":
        inputs = [values[name] for name in node.input]
        return OPERATORS[node.op_type](graph, inputs, settings)
    ((kind, value),) = settings.items()
    if kind == "value":
        return _array(node.output[0], value)
    if not kind.startswith(("value_float", "value_int")):
        raise ValueError(f"a constant must be numbers; got {kind}.")
    return np.asarray(value)


def _array(name: str, tensor: TensorProto) -> Any:
    try:
        array = numpy_helper.to_array(tensor)
    except Exception as error:  # a damaged tensor can raise anything
        raise ValueError(f"the data of {name!r} must fit its shape: {error!r:.120}") from error
    return array.astype(np.float64) if tensor.data_type in _FLOATS else array


def _doubled(model: onnx.ModelProto) -> onnx.ModelProto:
    """Return a copy that computes in float64, so that it can be compared to more than rounding."""
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    for name, tensor in _tensors(copy):
        if tensor.data_type in _FLOATS:
            tensor.CopyFrom(numpy_helper.from_array(_array(name, tensor), tensor.name))
    for node in copy.graph.node:
        for attribute in node.attribute:
            if node.op_type == "Constant" and attribute.name.startswith("value_float"):
                numbers = np.asarray(onnx.helper.get_attribute_value(attribute), np.float64)
                value = onnx.helper.make_attribute("value", numpy_helper.from_array(numbers))
                attribute.CopyFrom(value)
    for value in (*copy.graph.input, *copy.graph.output):
        value.type.tensor_type.elem_type = TensorProto.DOUBLE
    del copy.graph.value_info[:]
    return copy


def _outputs(model: onnx.ModelProto, shape: tuple[int, ...]) -> FloatArray:
    name = _inputs(model)[0].name
    evaluator: Any = ReferenceEvaluator(model)
    X = probes(math.prod(shape)).reshape(-1, 1, *shape)  # one by one: the batch's length may be 1
    return np.stack([np.ravel(evaluator.run(None, {name: x})[0]) for x in X])
