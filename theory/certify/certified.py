"""Certified radii and certified accuracy of ReLU networks, by the method of one's choice."""

from collections.abc import Iterator, Mapping
from functools import cache, partial
from typing import Any

import array_api_compat as aac
import numpy as np
from numpy.typing import ArrayLike
from threadpoolctl import ThreadpoolController

from theory.certify.bounds import DistanceBounds
from theory.certify.domain import Domain, open_domain
from theory.certify.methods import METHODS, Margins, chosen_margins
from theory.certify.radius import largest_positive
from theory.networks.arrays import native, on_host, rows_times
from theory.networks.network import ReluNetwork, jacobian
from theory.validation import (
    FloatArray,
    IntArray,
    as_budget,
    as_finite,
)

# Entries of the largest array of a block of inputs: small enough for a core's cache, or a device.
_BLOCK, _DEVICE_BLOCK = 2**16, 2**26
# The first radius tried, of the one at which the lead would end if the network were linear.
_FIRST_TRIAL = 0.5


def certified_radius(
    net: ReluNetwork,
    X: ArrayLike,
    y: ArrayLike,
    *,
    norm: float = 2,
    method: str = "best",
    box: tuple[ArrayLike, ArrayLike] | None = None,
    tol: float = 1e-4,
) -> DistanceBounds:
    """Return for each input a radius within which no other label wins or ties.

    Kind: lower, proven, up to float64 rounding: the largest radius at which the method was found to
    prove it, never one between. 0 where the input is wrong or tied; inf where it covers the box, or
    where no input matters to any lead.

    Parameters
    ----------
    net : ReluNetwork
    X : array, shape (n, d)
        Of NumPy, or of another array library: the work is done there, the result is NumPy's.
    y : array, shape (n,)
        Labels of the network.
    norm : 2 or inf
    method : one of METHODS
        "interval": interval arithmetic; "fast-lin" and "crown": linear relaxations; "alpha-crown":
        crown at the best slopes that ascent finds; "local-lipschitz": a constant for each pair of
        labels and each ball, from intervals of gradients; and for L2 "lipschitz": a constant for
        each pair of labels from scaled norms of the layers; "lipsdp": the same from LipSDP-Neuron,
        some seconds a network; "sdp": relaxations that keep how an L2 ball couples units. "best" is
        the largest of the others' radii, and the result says whose; it leaves out "lipsdp" for
        networks that need more than 64 rectified units.
    box : pair (lo, hi), optional
        Every input lies in it and so must what an attack reaches: the ball within the box counts.
        None: no box.
    tol : float, in (0, 1)
        Relative: the method fails at some radius within a factor 1 + tol above the one returned.

    Returns
    -------
    DistanceBounds
        Without witnesses; nodes counts the evaluations of the method.

    Raises
    ------
    TypeError, ValueError
        If an argument is malformed, not finite, or outside the box or its range.
    UnsupportedSettingError
        For other norms, or a method that does not have this one.

    Examples
    --------
    >>> net = ReluNetwork(weights=[[[1.0], [-1.0]], [[1.0, 1.0]]], biases=[[0.0, 0.0], [-1.0]])
    >>> certified_radius(net, [[3.0], [-2.0]], [1, 1], method="crown").lower.round(3).tolist()
    [2.0, 1.0]
    """
    domain = open_domain(net, X, y, norm=norm, box=box)
    tol = _checked(tol)
    return _radii(domain, chosen_margins(method, net, norm, box), tol, box)


def certified_radii(
    net: ReluNetwork,
    X: ArrayLike,
    y: ArrayLike,
    *,
    norm: float = 2,
    method: str = "best",
    box: tuple[ArrayLike, ArrayLike] | None = None,
    tol: float = 1e-4,
    size: int = 64,
) -> Iterator[DistanceBounds]:
    """Return an iterator over `certified_radius` of so many inputs after the others, in order.

    Kind: as `certified_radius`. Arguments are checked and methods prepared at once; inputs are
    certified when their turn comes, so that what is done is kept if the iteration ends early.

    Parameters
    ----------
    net, X, y, norm, method, box, tol
        As in `certified_radius`.
    size : int, positive

    Returns
    -------
    iterator of DistanceBounds

    Raises
    ------
    TypeError, ValueError, UnsupportedSettingError
        As `certified_radius`.

    Examples
    --------
    >>> net = ReluNetwork(weights=[[[1.0], [-1.0]], [[1.0, 1.0]]], biases=[[0.0, 0.0], [-1.0]])
    >>> found = certified_radii(net, [[3.0], [-2.0]], [1, 1], method="crown", size=1)
    >>> [float(row.lower[0].round(3)) for row in found]
    [2.0, 1.0]
    """
    if size < 1:
        raise ValueError(f"size must be positive; got {size}.")
    domain = open_domain(net, X, y, norm=norm, box=box)
    tol = _checked(tol)
    chosen = chosen_margins(method, net, norm, box)
    rows = np.arange(domain.X.shape[0])
    parts = [rows[start : start + size] for start in range(0, rows.size, size)]
    return (_radii(domain.take(part), chosen, tol, box) for part in parts)


def _checked(tol: float) -> float:
    if not 0 < as_finite("tol", tol) < 1:
        raise ValueError(f"tol must be in (0, 1); got {tol}.")
    return tol


def _radii(domain: Domain, chosen: Mapping[str, Margins], tol: float, box: Any) -> DistanceBounds:
    """Return the largest radii of any method."""
    lead = on_host(domain.leads).min(axis=1)
    guess, limit = _FIRST_TRIAL * _linear_radius(domain), _farthest(domain)
    radius, spent = np.zeros_like(lead), np.zeros(lead.size, dtype=np.intp)
    winner = np.full(lead.size, next(iter(chosen)), dtype=f"<U{max(map(len, METHODS))}")
    for name, margins in chosen.items():
        with _threads().limit(limits=1):
            found, count = largest_positive(
                partial(_least_leads, domain, margins), lead, guess, limit=limit, tol=tol
            )
        winner[found > radius] = name
        radius, spent = np.maximum(radius, found), spent + count
    radius[(lead > 0) & ((radius >= limit) | ~_can_change(domain))] = np.inf
    return DistanceBounds(
        lower=radius,
        upper=np.where(lead > 0, np.inf, 0.0),
        witness=None,
        method=winner,
        status=np.where(lead > 0, "bounded", "exact"),
        nodes=spent,
        norm=domain.norm,
        box=box,
    )


def certified_accuracy(
    net: ReluNetwork,
    X: ArrayLike,
    y: ArrayLike,
    eps: ArrayLike,
    *,
    norm: float = 2,
    method: str = "best",
    box: tuple[ArrayLike, ArrayLike] | None = None,
) -> FloatArray:
    """Return the fraction of inputs whose label is proven not to change within each budget.

    Kind: lower, proven: robust accuracy is at least this.

    Parameters
    ----------
    net, X, y, norm, method, box
        As in `certified_radius`.
    eps : float or array of any shape, nonnegative

    Returns
    -------
    array, shape of eps

    Raises
    ------
    TypeError, ValueError, UnsupportedSettingError
        As `certified_radius`; and if a budget is negative.

    Examples
    --------
    >>> net = ReluNetwork(weights=[[[1.0], [-1.0]], [[1.0, 1.0]]], biases=[[0.0, 0.0], [-1.0]])
    >>> certified_accuracy(net, [[3.0], [-2.0]], [1, 1], [0.5, 1.5], method="crown").tolist()
    [1.0, 0.5]
    """
    budgets = as_budget(eps)
    domain = open_domain(net, X, y, norm=norm, box=box)
    chosen = chosen_margins(method, net, norm, box)
    order = np.unique(budgets)[::-1]
    certified = np.zeros((order.size, domain.X.shape[0]), dtype=bool)
    right = on_host(domain.leads).min(axis=1) > 0
    for k, radius in enumerate(order):
        certified[k] = certified[max(k - 1, 0)]  # what holds within a larger ball holds here
        for margins in chosen.values():
            rows = np.flatnonzero(right & ~certified[k])
            if rows.size:
                radii = np.full(rows.size, radius)
                with _threads().limit(limits=1):
                    certified[k, rows] = _least_leads(domain, margins, rows, radii) > 0
    share = certified.mean(axis=1)
    return np.asarray(share[np.searchsorted(-order, -budgets)])


@cache
def _threads() -> ThreadpoolController:
    """Return what limits BLAS to one thread: blocks fit in a core's cache, shared out they wait.

    Two threads gain a tenth on an idle machine and lose a factor of twenty on a busy one.
    """
    return ThreadpoolController()


def _linear_radius(domain: Domain) -> FloatArray:
    """Return the distance to the flip of the linear piece at each input. Kind: estimate."""
    xp = aac.array_namespace(domain.X)
    order = 2 if domain.norm == 2 else 1
    slopes = xp.linalg.vector_norm(domain.forms @ jacobian(domain.net, domain.X), ord=order, axis=2)
    leads, slopes = on_host(domain.leads), on_host(slopes)
    flat = slopes <= 1e-12 * np.abs(leads)
    radii = np.where(flat, np.inf, leads / np.where(flat, 1.0, slopes)).min(axis=1)
    return np.where(np.isfinite(radii), radii, 1.0).clip(min=np.finfo(np.float64).tiny)


def _farthest(domain: Domain) -> FloatArray:
    """Return a radius of a ball that holds all of the box, inf without one."""
    if domain.box is None:
        return np.full(domain.X.shape[0], np.inf)
    xp = aac.array_namespace(domain.X)
    sides = xp.maximum(domain.X - domain.box[0], domain.box[1] - domain.X)
    return on_host(xp.linalg.vector_norm(sides, ord=domain.norm, axis=1)) * (1 + 1e-9)


def _can_change(domain: Domain) -> Any:
    """Return whether any path of nonzero weights leads from the inputs to a lead (n,)."""
    reach = np.ones(domain.net.dimension)
    for W in domain.net.weights[:-1]:
        reach = ((abs(W) @ reach) > 0).astype(np.float64)
    forms = on_host(rows_times(domain.forms, domain.layers[-1][0]))
    return (np.abs(forms) @ reach > 0).any(axis=1)


def _least_leads(domain: Domain, margins: Margins, rows: IntArray, eps: FloatArray) -> FloatArray:
    """Return lower bounds of the least lead of some inputs on balls of radii eps."""
    found = np.empty(rows.size)
    for part in _blocks(domain, rows.size):
        own = domain.take(rows[part])
        found[part] = on_host(margins(own, native(eps[part], own.X))).min(axis=1)
    return found


def _blocks(domain: Domain, n: int) -> Iterator[Any]:
    """Yield slices of n inputs whose arrays fit in a cache."""
    weights, rivals = domain.net.weights, domain.forms.shape[1]
    entries = max(rivals * W.shape[1] for W in weights[1:])
    if domain.gram is None:
        entries = max(entries, 2 * max(domain.net.widths) * domain.net.dimension)
    # Rows of later layers are carried back whole; those of the second are not, if there is a Gram
    # matrix.
    carried = weights[2:-1] if domain.gram is not None else weights[1:-1]
    entries = max(entries, *(2 * W.shape[0] * W.shape[1] for W in carried), 1)
    limit = _BLOCK if aac.is_numpy_array(domain.X) else _DEVICE_BLOCK
    size = max(1, limit // max(1, entries))
    return (slice(start, start + size) for start in range(0, n, size))
