"""Smaller networks that compute the same, on all inputs or on a box.

Why each step changes neither outputs nor distances: theory/proofs/reduction.md.
"""

from collections import Counter
from dataclasses import dataclass
from typing import Any, NamedTuple

import array_api_compat as aac
import numpy as np
import scipy.sparse as sp
from numpy.typing import ArrayLike

from theory.networks.arrays import Array, dense, is_sparse, native_inputs
from theory.networks.network import ReluNetwork, as_network
from theory.networks.rows import (
    BoolArray,
    entries,
    live_columns,
    live_rows,
    multiples,
    row_space,
    without_zeros,
)
from theory.validation import Box, FloatArray, as_box, as_norm


@dataclass(frozen=True, kw_only=True, eq=False)
class Reduction:
    """A network that computes the same as another, and what was done to get it.

    Parameters
    ----------
    network : ReluNetwork
    input_map : None or matrix, shape (d, r)
        Q with orthonormal columns, dense or CSR: the network takes X @ Q. None: it takes X.
    steps : tuple of str
        What was reduced, and how many; layers are numbered from 1 as in the original.
    """

    network: ReluNetwork
    input_map: Any
    steps: tuple[str, ...]


class _Layer(NamedTuple):
    """Weights, bias, rectified units (none in the last layer), and the number in the original."""

    W: Any
    b: FloatArray
    relu: BoolArray
    number: int


def reduce(
    net: ReluNetwork, *, norm: float, box: tuple[ArrayLike, ArrayLike] | None = None
) -> Reduction:
    """Return a smaller network that computes the same in the box, and leaves distances as they are.

    Kind: exact, up to rounding. Units that are constant, unused or multiples of others go; linear
    layers are composed where that saves entries; in a finite box, units never below zero become
    linear and units never above zero go. For norm 2 without a box, inputs are mapped isometrically
    to those directions that the first layer sees, where that saves entries. Reducing twice is
    reducing once.

    Parameters
    ----------
    net : ReluNetwork
    norm : 0, 1, 2 or inf
        In which distances are to be kept.
    box : pair (lo, hi), optional
        Numbers or arrays of shape (d,): outputs are kept for inputs in the box only. None: for
        all inputs.

    Returns
    -------
    Reduction

    Raises
    ------
    TypeError, ValueError
        If an argument is malformed.

    Notes
    -----
    Proof: theory/proofs/reduction.md.

    Examples
    --------
    >>> net = ReluNetwork(weights=[[[1.0, 1.0], [2.0, 2.0], [0.0, 0.0]], [[1.0, 1.0, 5.0]]])
    >>> small = reduce(net, norm=np.inf)
    >>> small.steps
    ('1 unit of layer 1 constant', '1 unit of layer 1 a multiple of another')
    >>> [W.tolist() for W in small.network.weights]
    [[[1.0, 1.0]], [[3.0]]]
    """
    net = as_network(net)
    free = as_norm(norm) == 2 and box is None
    domain = None if box is None else as_box(box, net.dimension)
    masks = (*net.relu, np.zeros(net.outputs, dtype=bool))
    layers = [
        _Layer(*parts, number)
        for number, parts in enumerate(zip(net.weights, net.biases, masks, strict=True), start=1)
    ]
    log: Counter[str] = Counter()
    layers, input_map = _reduced(layers, domain, free, log)
    small = ReluNetwork(
        weights=[layer.W for layer in layers],
        biases=[layer.b for layer in layers],
        relu=[layer.relu for layer in layers[:-1]],
    )
    steps = tuple(
        what.format("1 unit" if count == 1 else f"{count} units") for what, count in log.items()
    )
    return Reduction(network=small if steps else net, input_map=input_map, steps=steps)


def reduced_inputs(reduction: Reduction, X: Array) -> Array:
    """Return the inputs of the reduced network that stand for inputs of the original.

    Kind: exact, up to rounding.

    Parameters
    ----------
    reduction : Reduction
    X : array, shape (n, d)
        Of NumPy, or of another array library; the result is of the same.

    Returns
    -------
    array, shape (n, r)

    Raises
    ------
    TypeError, ValueError
        If X is not of that shape, or not finite.

    Examples
    --------
    >>> small = reduce(ReluNetwork(weights=[[[0.0, 3.0]]]), norm=2)
    >>> reduced_inputs(small, [[5.0, 7.0]]).tolist()
    [[7.0]]
    """
    Q = reduction.input_map
    if Q is None:
        return native_inputs(X, reduction.network.dimension)
    inputs = native_inputs(X, Q.shape[0])
    if aac.is_numpy_array(inputs):
        return inputs @ Q
    xp = aac.array_namespace(inputs)
    return inputs @ xp.asarray(dense(Q), dtype=inputs.dtype, device=aac.device(inputs))


def _reduced(
    layers: list[_Layer], box: Box | None, free: bool, log: Counter[str]
) -> tuple[list[_Layer], Any]:
    """Return layers that a further round leaves alone, and the map of inputs, if any."""
    input_map, mapped, before = None, None, -1
    while log.total() > before:
        before = log.total()
        layers = _without_dead(layers, log)
        if box is not None and np.isfinite(box).all():
            layers = _decided(layers, box, log)
        layers = _composed(_merged(layers, log), log)
        if free and log.total() == before and layers[0].W is not mapped:
            layers, Q = _mapped(layers, log)
            if Q is not None:
                input_map = Q if input_map is None else input_map @ Q
            mapped = layers[0].W
    return layers, input_map


def _without_dead(layers: list[_Layer], log: Counter[str]) -> list[_Layer]:
    """Fold units without inputs into the next bias, then drop those that nothing uses.

    Forwards the first, backwards the second: so one sweep each suffices.
    """
    for j in range(len(layers) - 1):
        if len(layers) > 1:
            W, b, relu, _ = layers[j]
            values = np.where(relu, b.clip(min=0.0), b)
            layers = _without(layers, j, ~live_rows(W), values, (log, "constant"))
    for j in reversed(range(len(layers) - 1)):
        if len(layers) > 1:
            unused = ~live_columns(layers[j + 1].W)
            layers = _without(layers, j, unused, np.zeros(unused.size), (log, "unused"))
    return layers


def _without(
    layers: list[_Layer],
    j: int,
    gone: BoolArray,
    values: FloatArray,
    note: tuple[Counter[str], str],
) -> list[_Layer]:
    """Return the layers without the units of layer j that have these constant values."""
    if not gone.any():
        return layers
    log, why = note
    log[f"{{}} of layer {layers[j].number} {why}"] += int(gone.sum())
    if gone.all():  # then so is the whole network: one layer without weights
        for W, b, relu, _ in layers[j + 1 :]:
            values = W @ values + b
            values = np.where(relu, values.clip(min=0.0), values)
        none = sp.csr_array((values.size, layers[0].W.shape[1]))
        return [_Layer(none, values, layers[-1].relu, layers[-1].number)]
    this, after = layers[j : j + 2]
    kept, lost = np.flatnonzero(~gone), np.flatnonzero(gone)
    bias = after.b + after.W[:, lost] @ values[lost]
    smaller = _Layer(this.W[kept], this.b[kept], this.relu[kept], this.number)
    return [*layers[:j], smaller, after._replace(W=after.W[:, kept], b=bias), *layers[j + 2 :]]


def _decided(layers: list[_Layer], box: Box, log: Counter[str]) -> list[_Layer]:
    """Drop units that interval bounds show off in the box; make linear those they show on."""
    lo, hi = box
    for j in range(len(layers) - 1):
        if len(layers) > 1:
            W, b, relu, number = layers[j]
            rises, falls = (
                (W.maximum(0), W.minimum(0))
                if is_sparse(W)
                else (np.maximum(W, 0.0), np.minimum(W, 0.0))
            )
            lo, hi = rises @ lo + falls @ hi + b, rises @ hi + falls @ lo + b
            off = relu & (hi <= 0)
            on = relu & (lo >= 0) & ~off
            if on.any():
                log[f"{{}} of layer {number} always on: now linear"] += int(on.sum())
            layers = [*layers[:j], _Layer(W, b, relu & ~on, number), *layers[j + 1 :]]
            layers = _without(layers, j, off, np.zeros(off.size), (log, "always off"))
            lo, hi = (np.where(relu, side.clip(min=0.0), side)[~off] for side in (lo, hi))
    return layers


def _merged(layers: list[_Layer], log: Counter[str]) -> list[_Layer]:
    """Let one unit of each set of multiples carry the outgoing weights of all."""
    for j in range(len(layers) - 1):
        this, after = layers[j : j + 2]
        chosen, factor = multiples(this.W, this.b, this.relu, outgoing=after.W)
        kept, every = np.unique(chosen), np.arange(chosen.size)
        if kept.size < chosen.size:
            note = f"{{}} of layer {this.number} a multiple of another"
            log[note] += chosen.size - kept.size
            gather = sp.csr_array((factor, (every, np.searchsorted(kept, chosen))))
            W = without_zeros(after.W @ gather)
            smaller = _Layer(this.W[kept], this.b[kept], this.relu[kept], this.number)
            layers = [*layers[:j], smaller, after._replace(W=W), *layers[j + 2 :]]
    return layers


def _composed(layers: list[_Layer], log: Counter[str]) -> list[_Layer]:
    """Multiply layers without rectified units into the next, where that saves entries."""
    j = 0
    while j < len(layers) - 1:
        this, after = layers[j : j + 2]
        if this.relu.any() or _filled(after.W, this.W) > entries(this.W) + entries(after.W):
            j += 1
            continue
        log[f"layer {this.number}, linear, composed into layer {after.number}"] += 1
        joined = _Layer(
            without_zeros(after.W @ this.W), after.W @ this.b + after.b, after.relu, after.number
        )
        layers = [*layers[:j], joined, *layers[j + 2 :]]
    return layers


def _filled(after: Any, this: Any) -> int:
    """Return an upper bound on the entries of a product."""
    size = int(after.shape[0] * this.shape[1])
    if not (is_sparse(after) and is_sparse(this)):
        return size
    meetings = np.bincount(after.indices, minlength=after.shape[1]) @ np.diff(this.indptr)
    return min(size, int(meetings))


def _mapped(layers: list[_Layer], log: Counter[str]) -> tuple[list[_Layer], Any]:
    """Return the first layer on the coordinates of its row space, and these; None: as it was."""
    first = layers[0]
    Q = row_space(first.W)
    if Q is not None:
        log[f"inputs mapped isometrically from {Q.shape[0]} to {Q.shape[1]} dimensions"] += 1
        layers = [first._replace(W=first.W @ Q), *layers[1:]]
    return layers, Q
