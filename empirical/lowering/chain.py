"""A graph of affine maps and ReLUs as a chain of layers, the form that the theory knows."""

from itertools import accumulate
from typing import Any, NamedTuple

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from empirical.lowering.affine import Affine, Graph, Map, Relu, Tensor, refuse_beyond
from theory.networks import ReluNetwork, forward
from theory.networks.arrays import dense, is_sparse
from theory.validation import FloatArray, IntArray

_RELATIVE_TOLERANCE = 1e-6  # far above float64 rounding, far below a wrong weight
_DENSE_FROM = 0.25
_NO_UNITS = np.zeros(0, dtype=np.intp)


class _Form(NamedTuple):
    """A value as an affine map of the units of the newest hidden layer."""

    matrix: Any
    bias: FloatArray


class _Layer(NamedTuple):
    form: _Form
    relu: NDArray[np.bool_]


def network_of(graph: Graph, output: Tensor) -> ReluNetwork:
    """Return the chain of layers that computes a value of a graph.

    ReLUs that can be evaluated at once share a layer. What is needed after a layer passes it in
    linear units: as its own entries or as the units that it is made of, whichever are fewer.

    Raises
    ------
    ValueError
        If composed maps have more than graph.max_entries entries.
    """
    pending = _ancestors(graph, output.node)
    forms = {0: _units(0, graph.dimension, graph.dimension)}
    layers: list[_Layer] = []
    while True:
        spent = sum(layer.form.matrix.nnz for layer in layers)
        pending = _evaluated(graph, forms, pending, spent)
        if not pending:
            break
        ready = {k: s for k, s in _relus(graph, pending).items() if s in forms}
        pending = [k for k in pending if k not in ready]
        live = {s for k in pending for s in _sources(graph, k)} | {output.node}
        layer, forms = _opened(forms, ready, live)
        layers.append(layer)
    maps = [*(layer.form for layer in layers), forms[output.node]]
    refuse_beyond(graph.max_entries, sum(form.matrix.nnz for form in maps))
    return ReluNetwork(
        weights=[compact(form.matrix) for form in maps],
        biases=[form.bias for form in maps],
        relu=[layer.relu for layer in layers],
    )


def compact(W: Any) -> Any:
    """Return a matrix as CSR if fewer than a quarter of its entries are nonzero, else dense."""
    nonzeros = W.count_nonzero() if is_sparse(W) else np.count_nonzero(W)
    if nonzeros < _DENSE_FROM * W.shape[0] * W.shape[1]:
        return sp.csr_array(W)
    return dense(W)


def probes(dimension: int) -> FloatArray:
    """Return the eight standard normal inputs on which a lowered network is checked."""
    return np.random.default_rng(0).normal(size=(8, dimension))


def check_outputs(computed: FloatArray, expected: Any) -> None:
    """Compare what a lowered network computes with what the original does.

    Raises
    ------
    ValueError
        If those of the lowered network overflow, whatever the original's do.
    RuntimeError
        If they differ by more than rounding: the lowering does not cover the model.
    """
    reference = np.asarray(expected, dtype=np.float64)
    if reference.shape != computed.shape:
        raise RuntimeError(
            f"the lowered network must give outputs of the model's shape, {reference.shape}; it"
            f" gives {computed.shape}."
        )
    if not np.isfinite(computed).all():
        raise ValueError(
            "outputs must not overflow on random inputs of size one; scale the weights."
        )
    with np.errstate(invalid="ignore", over="ignore"):
        difference = np.abs(computed - reference).max()
    scale = np.abs(reference).max()
    if not (np.isfinite(scale) and difference <= _RELATIVE_TOLERANCE * scale):
        raise RuntimeError(
            "the lowered network must compute what the model does; on random inputs the largest"
            f" difference is {difference:.3g} where outputs reach {scale:.3g}. The model does"
            " something that its layers do not show, such as a hook or an operation in place."
        )


def checked(net: ReluNetwork, expected: Any) -> ReluNetwork:
    """Return a lowered network whose outputs on `probes` are as expected; see check_outputs."""
    with np.errstate(invalid="ignore", over="ignore"):
        found = forward(net, probes(net.dimension))
    check_outputs(found, expected)
    return net


def _sources(graph: Graph, k: int) -> list[int]:
    node = graph.nodes[k]
    if isinstance(node, Affine):
        return [source for source, _ in node.terms]
    return [] if node is None else [node.source]


def _relus(graph: Graph, pending: list[int]) -> dict[int, int]:
    nodes = {k: graph.nodes[k] for k in pending}
    return {k: node.source for k, node in nodes.items() if isinstance(node, Relu)}


def _ancestors(graph: Graph, output: int) -> list[int]:
    """Return in order the nodes that a node is made of and itself, without the input."""
    found = {output}
    for k in range(output, 0, -1):  # sources come before
        if k in found:
            found.update(_sources(graph, k))
    return sorted(found - {0})


def _evaluated(graph: Graph, forms: dict[int, _Form], pending: list[int], spent: int) -> list[int]:
    """Add the forms of the affine nodes whose sources have one; return what is still pending."""
    waiting = []
    for k in pending:
        node = graph.nodes[k]
        if not isinstance(node, Affine) or any(source not in forms for source, _ in node.terms):
            waiting.append(k)
            continue
        parts = [_mapped(graph, matrix, forms[source], spent) for source, matrix in node.terms]
        total = sum((part.matrix for part in parts[1:]), start=parts[0].matrix)
        refuse_beyond(graph.max_entries, spent + total.nnz)
        forms[k] = _Form(total, node.bias + sum(part.bias for part in parts))
    return waiting


def _mapped(graph: Graph, matrix: Map, form: _Form, spent: int) -> _Form:
    if matrix is None:
        return form
    return _Form(_product(graph, matrix, form.matrix, spent), matrix @ form.bias)


def _product(graph: Graph, A: Any, B: Any, spent: int) -> Any:
    """Return A @ B, computed in blocks of rows that are refused before they fill the memory."""
    pattern = sp.csr_array((np.ones(A.nnz), A.indices, A.indptr), shape=A.shape)
    at_most = np.minimum(pattern @ np.diff(B.indptr).astype(np.float64), B.shape[1])
    ends = np.flatnonzero(np.diff(np.cumsum(at_most) // graph.max_entries)) + 1
    blocks = []
    for start, stop in zip([0, *ends], [*ends, A.shape[0]], strict=True):
        blocks.append(A[start:stop] @ B)
        spent += blocks[-1].nnz
        refuse_beyond(graph.max_entries, spent)
    return blocks[0] if len(blocks) == 1 else sp.vstack(blocks, format="csr")


def _opened(
    forms: dict[int, _Form], ready: dict[int, int], live: set[int]
) -> tuple[_Layer, dict[int, _Form]]:
    """Return a layer that rectifies the ready nodes' sources, and the live forms behind it."""
    cut = list(dict.fromkeys(ready.values()))
    held = {k: form for k, form in forms.items() if k in live}
    used = {k: np.flatnonzero(np.bincount(form.matrix.indices)) for k, form in held.items()}
    whole = [k for k in held if used[k].size > held[k].bias.size]
    columns = np.unique(np.concatenate([_NO_UNITS, *(used[k] for k in held if k not in whole)]))
    passed = _Form(_selection(columns, forms[cut[0]].matrix.shape[1]), np.zeros(columns.size))
    blocks = [*(forms[s] for s in cut), passed, *(held[k] for k in whole)]
    matrix = sp.vstack([form.matrix for form in blocks], format="csr")
    bias = np.concatenate([form.bias for form in blocks])
    starts = [0, *accumulate(form.bias.size for form in blocks)]
    relu = np.arange(starts[-1]) < starts[len(cut)]
    first = dict(zip(cut, starts, strict=False))
    after = dict(zip(whole, starts[len(cut) + 1 :], strict=False))
    behind = {k: _units(first[s], forms[s].bias.size, starts[-1]) for k, s in ready.items()}
    for k, form in held.items():
        if k in after:
            behind[k] = _units(after[k], form.bias.size, starts[-1])
        else:
            behind[k] = _moved(form, columns, starts[len(cut)], starts[-1])
    return _Layer(_Form(matrix, bias), relu), behind


def _selection(columns: IntArray, width: int) -> Any:
    """Return the matrix that picks entries out of `width`."""
    rows = columns.size
    return sp.csr_array((np.ones(rows), columns, np.arange(rows + 1)), shape=(rows, width))


def _units(start: int, count: int, width: int) -> _Form:
    """Return the form of consecutive units of the newest layer."""
    return _Form(_selection(np.arange(start, start + count), width), np.zeros(count))


def _moved(form: _Form, columns: IntArray, start: int, width: int) -> _Form:
    """Return a form whose columns now are units from `start` on."""
    matrix = form.matrix
    indices = start + np.searchsorted(columns, matrix.indices)
    shape = (matrix.shape[0], width)
    return _Form(sp.csr_array((matrix.data, indices, matrix.indptr), shape=shape), form.bias)
