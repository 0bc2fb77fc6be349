"""The record of a Lipschitz bound, and the direction that it is for."""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from theory.lipschitz.verified import UNIT, gamma
from theory.networks import ReluNetwork
from theory.networks.arrays import dense
from theory.networks.network import as_network
from theory.validation import FloatArray, as_finite

KINDS = ("exact", "upper", "lower")


@dataclass(frozen=True, kw_only=True, eq=False)
class LipschitzBound:
    """A bound on how far a network's outputs move when its input moves by one.

    Parameters
    ----------
    value : float, nonnegative
    kind : {"exact", "upper", "lower"}
        The constant itself; proven not to be exceeded; or witnessed by a gradient.
    method : str
    norm : 2 or inf
        Of the input's move and of the outputs'.
    multipliers : tuple of arrays, one a hidden layer, shapes (n_j,), optional
        Of a semidefinite bound: λ >= 0 with |δx|² - 2 Σ λ δa (δz - δa) >= |Cδf|² / value² for all
        δx and δa, where δz follows from them; zero for linear units. See proofs/lipschitz.md.
    witness : array, shape (d,), optional
        Of a lower or exact bound: an input at which the gradient has that norm.

    Raises
    ------
    ValueError
        If the value is negative or NaN, or the kind unknown.

    Examples
    --------
    >>> LipschitzBound(value=2.0, kind="upper", method="spectral product").value
    2.0
    """

    value: float
    kind: str
    method: str
    norm: float = 2
    multipliers: Any = None
    witness: Any = None

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"kind must be one of {', '.join(KINDS)}; got {self.kind!r}.")
        if not self.value >= 0:
            raise ValueError(f"value must be at least 0; got {self.value}.")


class Rounded(NamedTuple):
    """A matrix as computed, and how far each entry may be from the true one."""

    matrix: FloatArray
    error: FloatArray


def as_direction(net: ReluNetwork, direction: ArrayLike | None) -> FloatArray | None:
    """Return a direction as a matrix C (k, out), or None for all outputs as they are."""
    net = as_network(net)
    if direction is None:
        return None
    C = np.atleast_2d(as_finite("direction", direction))
    if C.ndim != 2 or C.shape[1] != net.outputs or C.shape[0] == 0:
        raise ValueError(
            f"direction must have shape ({net.outputs},) or (k, {net.outputs}), one entry an output"
            f" of the network; got shape {np.shape(direction)}."
        )
    return C


def last_weights(net: ReluNetwork, direction: ArrayLike | None) -> Rounded:
    """Return C W_L, dense, without its zero rows, one of which is left if all are zero."""
    C = as_direction(net, direction)
    W = np.asarray(dense(net.weights[-1]))
    product, error = _directed(C, W) if C is not None else Rounded(W, np.zeros_like(W))
    kept = product.any(axis=1) | error.any(axis=1)
    kept = kept if kept.any() else np.arange(kept.size) == 0
    return Rounded(product[kept], error[kept])


def _directed(C: FloatArray, W: FloatArray) -> Rounded:
    product = C @ W
    error = gamma(W.shape[0]) * (np.abs(C) @ np.abs(W))
    # One output, or a sum or difference of two: at most one rounding, relative to the result.
    simple = np.isin(C, (-1.0, 0.0, 1.0)).all(axis=1) & (np.count_nonzero(C, axis=1) <= 2)
    return Rounded(product, np.where(simple[:, None], UNIT * np.abs(product), error))
