"""Open nodes, kept in arrays that grow: putting and taking costs no more than the nodes moved."""

from dataclasses import fields

import numpy as np

from theory.certify.node_bounds import Nodes
from theory.validation import FloatArray

# Beyond so many open nodes the search goes deep first, lest they fill the memory.
_MANY = 20_000


class NodePool:
    """The open nodes of a search."""

    def __init__(self, nodes: Nodes) -> None:
        self._nodes, self._size = nodes, nodes.rival.size

    def __len__(self) -> int:
        return self._size

    @property
    def bounds(self) -> FloatArray:
        """The nodes' lower bounds."""
        return self._nodes.bound[: self._size]

    def put(self, nodes: Nodes) -> None:
        """Add nodes."""
        start, self._size = self._size, self._size + nodes.rival.size
        room = self._nodes.rival.size
        for f in fields(Nodes):
            array, added = getattr(self._nodes, f.name), getattr(nodes, f.name)
            if self._size > room:
                more = np.empty((self._size + room, *array.shape[1:]), dtype=array.dtype)
                more[:start] = array[:start]
                array = more
                setattr(self._nodes, f.name, array)
            array[start : self._size] = added

    def take(self, count: int) -> Nodes:
        """Remove and return the nodes of least bounds; of many nodes those with least left open."""
        count = min(count, self._size)
        order = self.bounds
        if self._size > _MANY:
            now = self._nodes.take(slice(0, self._size))
            order = ((now.lo < 0) & (now.hi > 0)).sum(axis=1)
        rows = np.argpartition(order, count - 1)[:count]
        taken = self._nodes.take(rows)
        self._size -= count
        kept = np.setdiff1d(np.arange(self._size, self._size + count), rows)
        holes = rows[rows < self._size]
        for f in fields(Nodes):
            array = getattr(self._nodes, f.name)
            array[holes] = array[kept]
        return taken
