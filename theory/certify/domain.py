"""Balls around inputs, in a box or not, and the least value of linear forms on them."""

from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import array_api_compat as aac
import numpy as np
from numpy.typing import ArrayLike

from theory.networks.arrays import (
    Array,
    dense,
    is_sparse,
    native,
    native_inputs,
    on_host,
    refuse_overflow,
    rows_times,
    times_transposed,
)
from theory.networks.network import ReluNetwork, as_network, native_layers, preactivations
from theory.validation import (
    FloatArray,
    IntArray,
    UnsupportedSettingError,
    as_box,
    as_labels,
    as_norm,
    refuse_outside,
)


class Supports(NamedTuple):
    """The m rows of a sparse layer by their nonzero entries, s at most; shorter rows padded with 0.

    Attributes
    ----------
    units : array of int, shape (m, s)
        Where they are.
    values : array, shape (m, s)
    gram : array, shape (m, s, s)
        The products of the first layer's rows that they meet.
    """

    units: Array
    values: Array
    gram: Array


@dataclass(frozen=True, kw_only=True, eq=False)
class Domain:
    """Balls around n inputs, radii left open, and the leads of the inputs' labels over rivals.

    Parameters
    ----------
    net : ReluNetwork
    layers : list of (weights, biases)
        Of the network, in the inputs' array library.
    X : array, shape (n, d)
    forms : array, shape (n, m, out)
        The leads over m rivals as forms of the outputs, rivals in increasing order of label.
    leads : array, shape (n, m)
        The leads at the inputs.
    centre : array, shape (n, n_1)
        The first layer's values at the inputs, biases included.
    gram : array, shape (n_1, n_1), or None
        W_1 W_1ᵀ: with it the L2 norms of combinations of W_1's rows do not depend on d. None where
        the box or the norm needs the combinations themselves.
    supports : Supports, or None
        Of the second layer's rows, where they are few enough to gain by it.
    norm : 2 or inf
    box : None or (lo, hi) of arrays of shape (d,)
    """

    net: ReluNetwork
    layers: list[tuple[Array, Array]]
    X: Array
    forms: Array
    leads: Array
    centre: Array
    gram: Array | None
    supports: Supports | None
    norm: float
    box: tuple[Array, Array] | None

    def take(self, rows: Any) -> "Domain":
        """Return the part for some of the inputs."""
        own = {name: getattr(self, name)[rows] for name in ("X", "forms", "leads", "centre")}
        return replace(self, **own)


def open_domain(net: ReluNetwork, X: Array, y: ArrayLike, *, norm: float, box: Any) -> Domain:
    """Return the balls around checked inputs with labels y.

    Raises
    ------
    TypeError, ValueError
        If an argument is malformed, an input lies outside the box, or makes scores overflow.
    UnsupportedSettingError
        For norms other than 2 and inf.
    """
    net = with_hidden_layer(net)
    refuse_extremes(net)
    order, inputs = as_norm(norm), native_inputs(X, net.dimension)
    # What is proven is proven up to the rounding of float64, whatever the inputs' type.
    xp = aac.array_namespace(inputs)
    inputs = xp.astype(inputs, xp.float64)
    if order not in (2, np.inf):
        raise UnsupportedSettingError(f"norm must be 2 or inf for networks; got {norm}.")
    forms = native(rival_forms(net, as_labels(y, net.classes, inputs.shape[0])), inputs)
    sides = None
    if box is not None:
        lo, hi = as_box(box, net.dimension)
        refuse_outside(on_host(inputs), (lo, hi))
        sides = (native(lo, inputs), native(hi, inputs))
    with np.errstate(over="ignore", invalid="ignore"):  # refused just below
        values, layers = preactivations(net, inputs), native_layers(net, inputs)
        leads = (forms @ values[-1][:, :, None])[..., 0]
    refuse_overflow([*values, leads])
    W = layers[0][0]
    gram = dense(W @ W.T) if order == 2 and sides is None else None
    return Domain(
        net=net,
        layers=layers,
        X=inputs,
        forms=forms,
        leads=leads,
        centre=values[0],
        gram=gram,
        supports=_supports(layers, gram),
        norm=order,
        box=sides,
    )


def refuse_extremes(net: ReluNetwork) -> None:
    """Raise UnsupportedSettingError if a product of two weights could underflow or overflow."""
    for W in net.weights:
        sizes = np.abs(W.data if is_sparse(W) else W)
        used = sizes[sizes > 0]
        if used.size and not (used.min() >= _LEAST and used.max() <= 1 / _LEAST):
            raise UnsupportedSettingError(
                f"weights must be 0 or of size {_LEAST:g} to {1 / _LEAST:g}; got {used.min():g} to"
                f" {used.max():g}: scale the layers."
            )


def with_hidden_layer(net: ReluNetwork) -> ReluNetwork:
    """Return the network itself, or if it is affine with its outputs as a layer of linear units."""
    net = as_network(net)
    if net.depth > 1:
        return net
    return ReluNetwork(
        weights=[*net.weights, np.eye(net.outputs)],
        biases=[*net.biases, np.zeros(net.outputs)],
        relu=[np.zeros(net.outputs, dtype=bool)],
    )


def rival_forms(net: ReluNetwork, labels: IntArray) -> FloatArray:
    """Return the leads of labels (n,) over their m rivals as forms (n, m, out) of the outputs.

    Labels are numbers of classes; rivals come in increasing order.
    """
    if net.outputs == 1:
        return np.where(labels == 1, 1.0, -1.0)[:, None, None]
    every = np.eye(net.outputs)
    rivals = np.array([np.delete(np.arange(net.outputs), k) for k in range(net.outputs)])
    return np.asarray(every[labels][:, None, :] - every[rivals[labels]])


def _supports(layers: list[tuple[Array, Array]], gram: Array | None) -> Supports | None:
    if gram is None or len(layers) < 3 or not is_sparse(layers[1][0]):
        return None
    W = layers[1][0]
    counts = np.diff(W.indptr)
    size = int(counts.max(initial=0))
    if not 0 < size <= W.shape[1] // 3:
        return None
    held = np.arange(size) < counts[:, None]
    units, values = np.zeros(held.shape, dtype=np.intp), np.zeros(held.shape)
    units[held], values[held] = W.indices, W.data
    return Supports(units, values, gram[units[:, :, None], units[:, None, :]])


def least(domain: Domain, eps: Array, A: Array, units: Array) -> Array:
    """Return the least value of A (n, m, k) times k of the first layer's values over each ball.

    Kind: lower; exact up to rounding but for an L2 ball in a box, where duality bounds it. eps has
    shape (n,), units (k,) are indices.
    """
    at_centre = (A @ domain.centre[:, units][:, :, None])[..., 0]
    if domain.gram is not None:
        gram = domain.gram[units, :][:, units]
        return at_centre - eps[:, None] * gram_norms(A, gram, domain.net.dimension)
    forms = rows_times(A, domain.layers[0][0][units, :])
    return at_centre + least_of_moves(domain, eps, forms)


def least_of_moves(domain: Domain, eps: Array, forms: Array) -> Array:
    """Return the least value of forms (n, m, d) times the moves that each ball allows.

    Kind: as `least`.
    """
    xp = aac.array_namespace(forms)
    if domain.box is None:
        order = 2 if domain.norm == 2 else 1
        return -eps[:, None] * xp.linalg.vector_norm(forms, ord=order, axis=2)
    below, above = (side[:, None, :] for side in allowed_moves(domain, eps))
    if domain.norm == 2:
        return _least_in_ball_and_box(forms, eps[:, None], below, above)
    return xp.sum(xp.where(forms > 0, forms * below, forms * above), axis=2)


def worst_values(domain: Domain, eps: Array, forms: Array) -> Array:
    """Return the first layer's values (n, k) at the move of each ball that is worst for a form.

    The forms (n, k) are of these values; an L2 ball in a box: nearly the worst.
    """
    xp = aac.array_namespace(forms)
    W = domain.layers[0][0]
    if domain.gram is not None:
        norms = gram_norms(forms, domain.gram, domain.net.dimension)
        tiny = float(xp.finfo(forms.dtype).smallest_normal) ** 0.5
        return domain.centre - (eps / (norms + tiny))[:, None] * (forms @ domain.gram)
    below, above = allowed_moves(domain, eps)
    back = rows_times(forms, W)
    moves = xp.where(back > 0, below, above)
    if domain.norm == 2:
        sides = below[:, None, :], above[:, None, :]
        multiplier = _ball_multiplier(back[:, None, :], eps[:, None], *sides)
        moves = xp.clip(-back / multiplier, below, above)
    return domain.centre + times_transposed(moves, W)


def allowed_moves(domain: Domain, eps: Array) -> tuple[Array, Array]:
    """Return how far each feature may fall and rise (n, d): by eps at most, and within the box."""
    xp = aac.array_namespace(domain.X)
    rise = xp.broadcast_to(eps[:, None], domain.X.shape)
    if domain.box is None:
        return -rise, rise
    lo, hi = domain.box
    return xp.maximum(lo - domain.X, -rise), xp.minimum(hi - domain.X, rise)


def gram_norms(A: Array, gram: Array, dimension: int) -> Array:
    """Return from above the L2 norms of A (..., m, k) times rows of products gram (..., k, k).

    Where the rows nearly cancel, the rounding of the quadratic form is larger than its value: it is
    bounded by that of the sum of the rows' norms, squared, and added.
    """
    xp = aac.array_namespace(A)
    squares = xp.sum((A @ gram) * A, axis=-1)
    size = (xp.abs(A) @ xp.sqrt(xp.linalg.diagonal(gram))[..., None])[..., 0]
    terms = gram.shape[-1] + dimension  # of the form, and of each of the products in gram
    rounding = 4 * xp.finfo(A.dtype).eps * terms * size * size
    return xp.sqrt(xp.clip(squares, 0, None) + rounding)


def _least_in_ball_and_box(forms: Array, eps: Array, below: Array, above: Array) -> Array:
    """Return min of forms (n, m, d) times a move in [below, above] of L2 norm at most eps (n, 1).

    By duality: for each mu > 0 the minimum of form·move + mu (‖move‖² - eps²)/2 over the box alone
    is a lower bound, attained at the move clip(-form / mu). The best mu makes the move as long as
    eps; it is sought from above by solving for it with the clipped part of the move held fixed.
    """
    xp = aac.array_namespace(forms)
    mu = _ball_multiplier(forms, eps, below, above)
    move = xp.clip(-forms / mu[..., None], below, above)
    dual = xp.sum(forms * move, axis=2) + mu / 2 * (xp.sum(move * move, axis=2) - eps * eps)
    boxed = xp.sum(xp.where(forms > 0, forms * below, forms * above), axis=2)
    return xp.maximum(dual, boxed)


def _ball_multiplier(forms: Array, eps: Array, below: Array, above: Array) -> Array:
    """Return the multiplier mu (n, m) of the ball, of `_least_in_ball_and_box`: nearly the best."""
    xp = aac.array_namespace(forms)
    least_size = float(xp.finfo(forms.dtype).smallest_normal) ** 0.5
    size = xp.sqrt(xp.sum(forms * forms, axis=2))
    mu = xp.clip(size, least_size, None) / xp.clip(eps, least_size, None)
    for _ in range(_DUAL_STEPS):
        move = -forms / mu[..., None]
        free = (move > below) & (move < above)
        held = xp.where(free, xp.zeros_like(move), xp.clip(move, below, above))
        room = eps * eps - xp.sum(held * held, axis=2)
        pull = xp.sum(xp.where(free, forms * forms, xp.zeros_like(forms)), axis=2)
        # Nothing free, or no room: the box ends within the ball, as the last line allows for.
        solvable = (pull > 0) & (room > 0)
        better = xp.sqrt(pull / xp.where(solvable, room, xp.ones_like(room)))
        mu = xp.where(solvable, xp.minimum(mu, better), mu)
    return mu


# Each narrows the gap to the best bound; where the box ends at the input the first closes it.
_DUAL_STEPS = 2
_LEAST = 1e-100  # of a weight: squares of products then stay in range
