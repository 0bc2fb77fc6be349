"""A network as ball arithmetic takes it: its float64 numbers, as the reals that they are."""

from typing import Any, NamedTuple

import numpy as np
from flint import arb_mat

from theory.networks import ReluNetwork
from theory.rigorous.balls import Balls, column, matrix
from theory.rigorous.region import Region, least_values
from theory.validation import UnsupportedSettingError

MOST_WEIGHTS = 300_000  # 784-300-100-10 has 266,200 and takes seconds an input


class Exact(NamedTuple):
    """Weights (n_j, n_{j-1}) and biases (n_j, 1) of each layer, and which units are rectified."""

    weights: list[arb_mat]
    biases: list[arb_mat]
    relu: tuple[Any, ...]


def exact_network(net: ReluNetwork) -> Exact:
    """Return a network's numbers as they are, zeros included.

    Raises
    ------
    UnsupportedSettingError
        If there are too many.
    """
    size = sum(int(np.prod(W.shape)) for W in net.weights)
    if size > MOST_WEIGHTS:
        raise UnsupportedSettingError(
            f"the network must have at most {MOST_WEIGHTS:,} weights, zeros included, for ball"
            f" arithmetic; got {size:,}."
        )
    return Exact([matrix(W) for W in net.weights], [column(b) for b in net.biases], net.relu)


def first_values(net: Exact, region: Region) -> arb_mat:
    """Return the first layer's values at the input itself, (n_1, 1)."""
    return net.weights[0] * column(region.x) + net.biases[0]


def least_of_first(net: Exact, region: Region, forms: arb_mat) -> Balls:
    """Return lower bounds of forms (m, n_1) of the first layer's values over the region."""
    at_input = (forms * first_values(net, region)).entries()
    moved = least_values(region, forms * net.weights[0])
    return [here + move for here, move in zip(at_input, moved, strict=True)]
