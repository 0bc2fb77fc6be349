"""What `sparsebound certify` is asked about a network, checked before any work is done."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from empirical.lowering import NamedNetwork, own_labels
from theory.networks import ReluNetwork, class_scores
from theory.networks.arrays import native_inputs
from theory.validation import FloatArray, IntArray, as_box, as_labels, refuse_outside

_CHUNK = 256


@dataclass(frozen=True, kw_only=True)
class Search:
    """How distances are searched for.

    Attributes
    ----------
    norm : float
    box : None or pair
    method : str
        Of `certified_radius`, or "exact".
    tol : float
        Relative.
    time_limit : float
        Seconds for an input; of "exact" alone.
    """

    norm: float
    box: tuple[float, float] | None
    method: str
    tol: float
    time_limit: float

    @property
    def exact(self) -> bool:
        """Whether upper bounds are searched for as well."""
        return self.method == "exact"


class Inputs(NamedTuple):
    """Inputs of a network and their labels, by index into its classes and names.

    Attributes
    ----------
    net : ReluNetwork
    names : array, shape (c,)
    X : array, shape (n, d)
    label : array of int, shape (n,)
        That distances are from: as given, else as predicted.
    predicted : array of int, shape (n,)
    right : array of bool, shape (n,)
        Whether the label alone has the largest score.
    labelled : bool
        Whether labels were given.
    """

    net: ReluNetwork
    names: NDArray[Any]
    X: FloatArray
    label: IntArray
    predicted: IntArray
    right: NDArray[np.bool_]
    labelled: bool


def network_inputs(
    named: NamedNetwork, arrays: Mapping[str, NDArray[Any]], box: tuple[float, float] | None
) -> Inputs:
    """Return the inputs X with their labels y, if there are any.

    Raises
    ------
    TypeError, ValueError
        If X is malformed, not finite or outside the box, or makes scores overflow, or labels do
        not fit.
    """
    net = named.net
    X = native_inputs(arrays["X"], net.dimension)
    if box is not None:
        refuse_outside(X, as_box(box, net.dimension))
    label = None
    if "y" in arrays:
        label = as_labels(own_labels(named, arrays["y"]), net.classes, len(X))
    scores = _finite_scores(net, X)
    predicted = scores.argmax(axis=1)
    return Inputs(
        net=net,
        names=named.names,
        X=X,
        label=predicted if label is None else label,
        predicted=predicted,
        right=_lead(scores, predicted if label is None else label) > 0,
        labelled=label is not None,
    )


def _finite_scores(net: ReluNetwork, X: FloatArray) -> FloatArray:
    starts = range(0, len(X), _CHUNK)  # of a large network all values at once may be too many
    with np.errstate(over="ignore", invalid="ignore"):  # refused just below
        scores = np.concatenate([class_scores(net, X[i : i + _CHUNK]) for i in starts])
    bad = ~np.isfinite(scores).all(axis=1)
    if bad.any():
        raise ValueError(f"scores must not overflow; those of X[{int(bad.argmax())}] do.")
    return scores


def _lead(scores: FloatArray, label: IntArray) -> FloatArray:
    own = np.take_along_axis(scores, label[:, None], axis=1)[:, 0]
    rivals = scores.copy()
    np.put_along_axis(rivals, label[:, None], -np.inf, axis=1)
    return np.asarray(own - rivals.max(axis=1))
