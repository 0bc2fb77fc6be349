"""The record of a ReLU network, and what it computes."""

from dataclasses import dataclass
from itertools import pairwise
from typing import Any, cast

import array_api_compat as aac
import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from theory.networks.arrays import (
    Array,
    dense,
    is_sparse,
    native,
    native_inputs,
    rectified,
    rows_times,
    times_transposed,
)
from theory.validation import FloatArray, IntArray, as_finite


@dataclass(frozen=True, kw_only=True, eq=False)
class ReluNetwork:
    """The map x -> W_L σ(... σ(W_1 x + b_1) ...) + b_L, σ = max(0, ·) on each rectified unit.

    With c >= 2 outputs the labels are 0..c-1 and the largest output wins; with one, f(x), they are
    -1 and +1, the sign of f(x).

    Parameters
    ----------
    weights : sequence of L arrays, shapes (n_1, d), (n_2, n_1), ..., (out, n_{L-1})
        Dense or scipy.sparse; kept as float64 arrays or CSR arrays.
    biases : sequence of L arrays, shapes (n_j,), optional
        Zero by default.
    relu : sequence of L-1 boolean arrays, shapes (n_j,), optional
        Whether each hidden unit is rectified, by default all are; the others are linear, so that
        values carried past a layer need no relaxation.

    Raises
    ------
    TypeError, ValueError
        If shapes do not chain, or an entry is not a finite number.

    Examples
    --------
    >>> net = ReluNetwork(weights=[[[1.0], [-1.0]], [[1.0, 1.0]]])
    >>> forward(net, [[-2.0], [3.0]]).tolist()
    [[2.0], [3.0]]
    """

    weights: Any
    biases: Any = None
    relu: Any = None

    def __post_init__(self) -> None:
        if isinstance(self.weights, np.ndarray) or not len(self.weights):
            raise TypeError("weights must be a sequence of arrays, one a layer, at least one.")
        weights = tuple(_as_matrix(f"weights[{j}]", W) for j, W in enumerate(self.weights))
        for j, (W, V) in enumerate(pairwise(weights)):
            if V.shape[1] != W.shape[0]:
                raise ValueError(
                    f"weights must chain: weights[{j + 1}] must have {W.shape[0]} columns, the rows"
                    f" of weights[{j}]; got shape {V.shape}."
                )
        widths = [W.shape[0] for W in weights]
        object.__setattr__(self, "weights", weights)
        object.__setattr__(self, "biases", _as_biases(self.biases, widths))
        object.__setattr__(self, "relu", _as_masks(self.relu, widths[:-1]))

    @property
    def depth(self) -> int:
        """The number of layers, L."""
        return len(self.weights)

    @property
    def dimension(self) -> int:
        """The number of inputs, d."""
        return int(self.weights[0].shape[1])

    @property
    def widths(self) -> tuple[int, ...]:
        """The number of units of each hidden layer."""
        return tuple(int(W.shape[0]) for W in self.weights[:-1])

    @property
    def outputs(self) -> int:
        """The number of outputs."""
        return int(self.weights[-1].shape[0])

    @property
    def classes(self) -> IntArray:
        """The labels, in the order of `class_scores`."""
        return np.array([-1, 1]) if self.outputs == 1 else np.arange(self.outputs)

    @property
    def densities(self) -> tuple[float, ...]:
        """The share of weights that are not zero, layer by layer."""
        return tuple(
            float((W.count_nonzero() if is_sparse(W) else np.count_nonzero(W)) / np.prod(W.shape))
            for W in self.weights
        )


def as_network(net: object) -> ReluNetwork:
    """Return the network itself; refuse what is none.

    Raises
    ------
    TypeError
        If it is something else, such as a model of another library.
    """
    if not isinstance(net, ReluNetwork):
        raise TypeError(
            f"net must be a ReluNetwork; got {type(net).__name__}. Use empirical.lowering for"
            " modules of torch, models of scikit-learn, and files."
        )
    return net


def forward(net: ReluNetwork, X: Array) -> Array:
    """Return the outputs of a network.

    Kind: exact, up to rounding.

    Parameters
    ----------
    net : ReluNetwork
    X : array, shape (n, d)
        Of NumPy, or of another array library; the outputs are of the same.

    Returns
    -------
    array, shape (n, out)

    Raises
    ------
    TypeError, ValueError
        If net is no ReluNetwork; if X is not of that shape, or not finite.
    """
    return preactivations(net, X)[-1]


def preactivations(net: ReluNetwork, X: Array) -> list[Array]:
    """Return what each layer computes before rectifying; the last are the outputs.

    Kind: exact, up to rounding.

    Parameters
    ----------
    net, X
        As in `forward`.

    Returns
    -------
    list of L arrays, shapes (n, n_j)
    """
    values = native_inputs(X, as_network(net).dimension)
    layers = []
    for j, (W, b) in enumerate(native_layers(net, values)):
        values = times_transposed(values, W) + b
        layers.append(values)
        if j < net.depth - 1:
            values = rectified(net.relu[j], values)
    return layers


def class_scores(net: ReluNetwork, X: Array) -> Array:
    """Return the score of each label: the outputs, or (0, f(x)) for a network with one.

    Kind: exact, up to rounding.

    Returns
    -------
    array, shape (n, c)
        In the order of `ReluNetwork.classes`.
    """
    outputs = forward(net, X)
    if net.outputs > 1:
        return outputs
    xp = aac.array_namespace(outputs)
    return xp.concat([xp.zeros_like(outputs), outputs], axis=1)


def activation_pattern(net: ReluNetwork, X: Array) -> list[Array]:
    """Return which hidden units pass their input on: those above zero, and all linear ones.

    Kind: exact, up to rounding: a unit at zero counts as off.

    Returns
    -------
    list of L-1 boolean arrays, shapes (n, n_j)
    """
    passed = []
    for values, mask in zip(preactivations(net, X)[:-1], net.relu, strict=True):
        xp = aac.array_namespace(values)
        passed.append((values > 0) | ~xp.asarray(mask, device=aac.device(values)))
    return passed


def jacobian(net: ReluNetwork, X: Array) -> Array:
    """Return the derivative of the outputs at each input, that of the activation pattern there.

    Kind: exact, up to rounding; at a kink it is the derivative on one side.

    Returns
    -------
    array, shape (n, out, d)

    Examples
    --------
    >>> net = ReluNetwork(weights=[[[1.0], [-1.0]], [[1.0, 1.0]]])
    >>> jacobian(net, [[-2.0], [3.0]]).ravel().tolist()
    [-1.0, 1.0]
    """
    inputs = native_inputs(X, as_network(net).dimension)
    pattern = activation_pattern(net, inputs)
    layers = native_layers(net, inputs)
    xp = aac.array_namespace(inputs)
    last = dense(layers[-1][0])
    slopes = xp.broadcast_to(last[None, :, :], (inputs.shape[0], *last.shape))
    for (W, _), passed in zip(reversed(layers[:-1]), reversed(pattern), strict=True):
        slopes = rows_times(slopes * xp.astype(passed, inputs.dtype)[:, None, :], W)
    return slopes


def native_layers(net: ReluNetwork, like: Array) -> list[tuple[Array, Array]]:
    """Return weights and biases in the library, type and device of an array.

    Sparse weights stay sparse for NumPy and become dense for other libraries.
    """
    pairs = zip(net.weights, net.biases, strict=True)
    return [(native(W, like), native(b, like)) for W, b in pairs]


def _as_matrix(name: str, W: Any) -> Any:
    if is_sparse(W):
        matrix: Any = sp.csr_array(cast("Any", W), dtype=np.float64, copy=True)
        matrix.sum_duplicates()
        matrix.eliminate_zeros()
        as_finite(name, matrix.data)
    else:
        matrix = as_finite(name, W).copy()
    if matrix.ndim != 2 or 0 in matrix.shape:
        raise ValueError(f"{name} must have shape (out, in), neither zero; got {matrix.shape}.")
    return matrix


def _as_biases(biases: Any, widths: list[int]) -> tuple[FloatArray, ...]:
    if biases is None:
        return tuple(np.zeros(width) for width in widths)
    if len(biases) != len(widths):
        raise ValueError(f"biases must be one a layer, {len(widths)}; got {len(biases)}.")
    checked = tuple(as_finite(f"biases[{j}]", b).copy() for j, b in enumerate(biases))
    for j, (b, width) in enumerate(zip(checked, widths, strict=True)):
        if b.shape != (width,):
            raise ValueError(f"biases[{j}] must have shape ({width},); got shape {b.shape}.")
    return checked


def _as_masks(relu: Any, widths: list[int]) -> tuple[NDArray[np.bool_], ...]:
    if relu is None:
        return tuple(np.ones(width, dtype=bool) for width in widths)
    if len(relu) != len(widths):
        raise ValueError(f"relu must be one mask a hidden layer, {len(widths)}; got {len(relu)}.")
    masks = tuple(np.array(mask) for mask in relu)
    for j, (mask, width) in enumerate(zip(masks, widths, strict=True)):
        if mask.dtype != np.bool_ or mask.shape != (width,):
            raise ValueError(
                f"relu[{j}] must be {width} booleans; got {mask.dtype} of shape {mask.shape}."
            )
    return masks
