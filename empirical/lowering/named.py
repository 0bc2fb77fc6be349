"""A network and the names of its labels."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from theory.networks import ReluNetwork


class NamedNetwork(NamedTuple):
    """A ReLU network and the names that its labels have outside.

    Attributes
    ----------
    net : ReluNetwork
    names : array, shape (c,)
        The name of each of net.classes.
    """

    net: ReluNetwork
    names: NDArray[Any]

    @property
    def model(self) -> ReluNetwork:
        """The network, by the name that it has in NamedLinear."""
        return self.net


def named_network(net: ReluNetwork, classes: ArrayLike | None) -> NamedNetwork:
    """Return a network with names for its labels, by default the labels themselves.

    Raises
    ------
    ValueError
        If there is not one name a label, each different.
    """
    names = np.asarray(net.classes if classes is None else classes)
    if names.shape != net.classes.shape or np.unique(names).size != names.size:
        raise ValueError(
            f"classes must be {net.classes.size} different labels; got {names.tolist()!r:.80}."
        )
    return NamedNetwork(net, names)
