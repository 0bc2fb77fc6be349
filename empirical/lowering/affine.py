"""A network as a graph of affine maps and ReLUs: what every other tool's network becomes first."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from numbers import Integral
from typing import Any, NamedTuple

import numpy as np

from theory.validation import FloatArray

MAX_ENTRIES = 50_000_000

# A scipy.sparse CSR array that multiplies a flattened value, or None: the identity.
Map = Any


class Tensor(NamedTuple):
    """A value in the graph, kept flattened (in C order).

    Attributes
    ----------
    node : int
        Its place among the nodes; 0 is the network's input.
    shape : tuple of int
        The shape that it has for one input: without the batch axis.
    """

    node: int
    shape: tuple[int, ...]

    @property
    def size(self) -> int:
        """The number of its entries."""
        return math.prod(self.shape)


class Affine(NamedTuple):
    """A node that adds maps of other nodes and a bias."""

    terms: tuple[tuple[int, Map], ...]
    bias: FloatArray


class Relu(NamedTuple):
    """A node that cuts another off below at zero."""

    source: int


@dataclass(kw_only=True)
class Graph:
    """Nodes in the order in which they were added; a node's sources come before it.

    Attributes
    ----------
    dimension : int
        The number of entries of the input, which is node 0.
    max_entries : int
        How many nonzero entries all maps together may have.
    nodes : list
        None for the input, then Affine and Relu nodes.
    entries : int
        How many the maps so far have.
    """

    dimension: int
    max_entries: int
    nodes: list[Affine | Relu | None] = field(default_factory=lambda: [None])
    entries: int = 0


def empty_graph(shape: Sequence[Any], max_entries: int) -> tuple[Graph, Tensor]:
    """Return a graph without nodes, and its input.

    Raises
    ------
    ValueError
        If the shape is no sequence of positive integers, max_entries is not positive, or an
        input alone is larger.
    """
    sides = tuple(shape) if isinstance(shape, Iterable) else ()
    if not sides or any(not isinstance(side, Integral) or side < 1 for side in sides):
        raise ValueError(
            f"the shape of one input must be a sequence of positive integers; got {shape}."
        )
    if max_entries < 1:
        raise ValueError(f"max_entries must be at least 1; got {max_entries}.")
    refuse_beyond(max_entries, math.prod(sides))
    return Graph(dimension=math.prod(sides), max_entries=max_entries), Tensor(0, sides)


def reserve(graph: Graph, entries: int) -> None:
    """Count the entries of a map that is about to be built.

    Raises
    ------
    ValueError
        If they are too many, before anything is allocated.
    """
    refuse_beyond(graph.max_entries, graph.entries + entries)
    graph.entries += entries


def refuse_beyond(max_entries: int, entries: int) -> None:
    """Raise ValueError if that many entries are too many."""
    if entries > max_entries:
        raise ValueError(
            f"max_entries={max_entries:,} is how many nonzero entries all weights together may"
            f" have; they need at least {entries:,}."
        )


def most_bytes(max_entries: int) -> int:
    """Return how large a file of at most that many float64 numbers may be."""
    return 8 * max_entries + (1 << 20)  # and names, shapes, the container


def affine(
    graph: Graph, terms: Sequence[tuple[Tensor, Map]], bias: FloatArray, shape: tuple[int, ...]
) -> Tensor:
    """Add the sum of maps of values, plus a bias, and return it."""
    kept = tuple((tensor.node, matrix) for tensor, matrix in terms)
    graph.nodes.append(Affine(kept, np.broadcast_to(bias, (math.prod(shape),))))
    return Tensor(len(graph.nodes) - 1, shape)


def rectified(graph: Graph, x: Tensor) -> Tensor:
    """Add the ReLU of a value and return it."""
    graph.nodes.append(Relu(x.node))
    return Tensor(len(graph.nodes) - 1, x.shape)
