"""Exact distances of ReLU networks to their nearest flips, by branch and bound."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from theory.certify.bounds import DistanceBounds
from theory.certify.certified import certified_radius
from theory.certify.domain import Domain, open_domain
from theory.certify.halfspaces import Ground
from theory.certify.node_bounds import Problem
from theory.certify.node_search import Found, nearest_flip
from theory.certify.rounding import is_turned, relative_rounding, terms_of
from theory.certify.witness import Incumbent
from theory.networks.arrays import dense, on_host
from theory.networks.network import ReluNetwork, as_network
from theory.networks.reduce import Reduction, reduce, reduced_inputs
from theory.validation import FloatArray, as_finite, as_inputs

# What proves lower bounds, and what does for a search that is ended before it has a better one.
METHOD, CERTIFICATE = "branch and bound", "crown"


@dataclass(frozen=True, kw_only=True, eq=False)
class _Task:
    """Checked arguments, the reduced network, and the inputs that it takes."""

    domain: Domain
    reduced: Reduction
    rounding: float
    inputs: FloatArray
    y: Any
    upper: FloatArray
    rtol: float
    time_limit: float
    box: Any


def exact_distance(
    net: ReluNetwork,
    X: ArrayLike,
    y: ArrayLike,
    *,
    norm: float = 2,
    box: tuple[ArrayLike, ArrayLike] | None = None,
    rtol: float = 1e-6,
    time_limit: float = 60.0,
    upper: ArrayLike | None = None,
) -> DistanceBounds:
    """Return for each input the distance to the nearest point where another label wins or ties.

    Kind: lower, proven, and upper, witnessed; exact where they meet to rtol and the status says so.
    0 where the input is wrong or tied; inf where nothing flips (without a box: nothing that weights
    exact to some 15 digits would show). Lower bounds are less by what rounding may have added, so
    that they are loose where inputs are many millions of times as large as their distance.

    Parameters
    ----------
    net : ReluNetwork
    X : array, shape (n, d)
    y : array, shape (n,)
        Labels of the network.
    norm : 2 or inf
    box : pair (lo, hi), optional
        Every input lies in it and so must what an attack reaches. None: no box.
    rtol : float, in (0, 1)
        Relative: the search for an input ends once its bounds differ by no more.
    time_limit : float, positive
        Seconds for each input; may be inf. What is known by then is returned, or what CROWN proves
        if that is more: `method` says which.
    upper : array, shape (n, d), optional
        Points where another label wins or ties, as of an attack; NaN where none is known.

    Returns
    -------
    DistanceBounds
        With witnesses that the network itself gives another label, or a tie. The status is "exact",
        "time limit", or "rounding" where the bounds differ by more because sums are rounded, or
        because a tie is so narrow that no float64 point shows it. nodes counts the parts of the
        input space that were bounded.

    Raises
    ------
    TypeError, ValueError
        If an argument is malformed, not finite, or outside the box or its range; if a point of
        `upper` does not flip.
    UnsupportedSettingError
        For other norms.

    Notes
    -----
    Proof: theory/proofs/branch_and_bound.md.

    Examples
    --------
    >>> net = ReluNetwork(weights=[[[1.0], [-1.0]], [[1.0, 1.0]]], biases=[[0.0, 0.0], [-1.0]])
    >>> found = exact_distance(net, [[3.0], [-1.5], [0.5]], [1, 1, 1])
    >>> found.upper.round(6).tolist(), found.status.tolist()
    ([2.0, 0.5, 0.0], ['exact', 'exact', 'exact'])
    """
    rows = list(
        exact_distances(
            net, X, y, norm=norm, box=box, rtol=rtol, time_limit=time_limit, upper=upper
        )
    )
    columns = ("lower", "upper", "witness", "method", "status", "nodes")
    stacked: dict[str, Any] = {c: np.concatenate([getattr(r, c) for r in rows]) for c in columns}
    return DistanceBounds(**stacked, norm=rows[0].norm, box=box)


def exact_distances(
    net: ReluNetwork,
    X: ArrayLike,
    y: ArrayLike,
    *,
    norm: float = 2,
    box: tuple[ArrayLike, ArrayLike] | None = None,
    rtol: float = 1e-6,
    time_limit: float = 60.0,
    upper: ArrayLike | None = None,
) -> Iterator[DistanceBounds]:
    """Return an iterator over `exact_distance` of one input after the other, in order.

    Kind: as `exact_distance`. Arguments are checked at once; each input is searched when its turn
    comes, so that what is done is kept if the iteration ends early.

    Parameters
    ----------
    net, X, y, norm, box, rtol, time_limit, upper
        As in `exact_distance`.

    Returns
    -------
    iterator of DistanceBounds
        Of one row each.

    Raises
    ------
    TypeError, ValueError, UnsupportedSettingError
        As `exact_distance`.

    Examples
    --------
    >>> net = ReluNetwork(weights=[[[1.0], [-1.0]], [[1.0, 1.0]]], biases=[[0.0, 0.0], [-1.0]])
    >>> [float(row.upper[0].round(6)) for row in exact_distances(net, [[3.0], [-2.0]], [1, 1])]
    [2.0, 1.0]
    """
    if not 0 < as_finite("rtol", rtol) < 1:
        raise ValueError(f"rtol must be in (0, 1); got {rtol}.")
    if not time_limit > 0:
        raise ValueError(f"time_limit must be positive; got {time_limit}.")
    inputs = as_inputs(X, as_network(net).dimension)
    domain = open_domain(net, inputs, y, norm=norm, box=box)
    points = np.full(inputs.shape, np.nan) if upper is None else as_inputs(upper, net.dimension)
    if points.shape != inputs.shape:
        raise ValueError(f"upper must have the shape of X, {inputs.shape}; got {points.shape}.")
    reduced = reduce(net, norm=norm, box=box)
    task = _Task(
        domain=domain,
        reduced=reduced,
        rounding=relative_rounding(net, reduced),
        inputs=on_host(reduced_inputs(reduced, inputs)),
        y=np.asarray(y),
        upper=points,
        rtol=rtol,
        time_limit=time_limit,
        box=box,
    )
    incumbents = [_incumbent(net, task, row) for row in range(inputs.shape[0])]
    return (_row(task, row, incumbent) for row, incumbent in enumerate(incumbents))


def _incumbent(net: ReluNetwork, task: _Task, row: int) -> Incumbent:
    """Return the record of an input's nearest flip: the input itself, the point given, or none."""
    domain, point = task.domain, task.upper[row]
    incumbent = Incumbent(
        net=net,
        x=domain.X[row],
        forms=domain.forms[row],
        box=domain.box,
        norm=domain.norm,
        input_map=task.reduced.input_map,
        rounding=task.rounding * float(_lead_terms(task, row)[:, 0].max()),
    )
    if not np.isnan(point).all():
        outside = (
            domain.box is not None
            and not ((point >= domain.box[0]) & (point <= domain.box[1])).all()
        )
        if not np.isfinite(point).all() or outside or not incumbent.offer_point(point):
            raise ValueError(
                f"upper must hold points in the box that another label wins or ties, or NaN;"
                f" row {row} is not one."
            )
    if (domain.leads[row] <= 0).any():
        incumbent.radius, incumbent.point = 0.0, domain.X[row]
    return incumbent


def _row(task: _Task, row: int, incumbent: Incumbent) -> DistanceBounds:
    """Return what a search finds of one input; if it took too long, what is proven otherwise."""
    start = time.perf_counter()
    found = Found(0.0, 0, True)
    if incumbent.radius > 0:
        problem = _problem(task, row)
        found = nearest_flip(problem, incumbent, rtol=task.rtol, deadline=start + task.time_limit)
    radius, lower, method = incumbent.radius, min(found.lower, incumbent.radius), METHOD
    closed = found.lower >= radius * (1 - task.rtol)
    status = "exact" if closed else "rounding" if found.in_time else "time limit"
    if status == "time limit" and (certified := _certified(task, row)) > lower:
        lower, method = min(certified, radius), CERTIFICATE
    point = np.full(incumbent.x.size, np.nan) if incumbent.point is None else incumbent.point
    return DistanceBounds(
        lower=np.array([lower]),
        upper=np.array([radius]),
        witness=point[None],
        method=np.array([method]),
        status=np.array([status]),
        nodes=np.array([found.nodes]),
        norm=incumbent.norm,
        box=task.box,
    )


def _certified(task: _Task, row: int) -> float:
    """Return the radius that a certificate proves, in little time."""
    own, setting = slice(row, row + 1), {"norm": task.domain.norm, "box": task.box}
    x, y = task.domain.X[own], task.y[own]
    found = certified_radius(task.domain.net, x, y, method=CERTIFICATE, **setting)
    return float(found.lower[0])


def _problem(task: _Task, row: int) -> Problem:
    """Return the reduced network around one input."""
    net, x, forms = task.reduced.network, task.inputs[row], task.domain.forms[row]
    weights, biases = [dense(W) for W in net.weights], list(net.biases)
    masks = list(net.relu)
    if net.depth == 1:  # affine: its outputs are a layer of linear units
        weights.append(np.eye(net.outputs))
        biases.append(np.zeros(net.outputs))
        masks = [np.zeros(net.outputs, dtype=bool)]
    hidden = [weights[0] @ x + biases[0], *biases[1:-1]]
    terms = terms_of(zip(weights[:-1], biases[:-1], strict=True), x, norm=task.domain.norm)
    ends = np.cumsum([b.size for b in hidden])
    box = task.domain.box
    leads = forms @ weights[-1]
    reach = _reach([*weights[:-1], leads], [*hidden, forms @ biases[-1]], masks)
    return Problem(
        ground=Ground(task.domain.norm, None if box is None else (box[0] - x, box[1] - x)),
        weights=weights[:-1],
        biases=hidden,
        forms=leads,
        levels=forms @ biases[-1],
        parts=[slice(end - b.size, end) for end, b in zip(ends, hidden, strict=True)],
        rectified=np.concatenate(masks),
        reach=reach[: ends[-1]],
        lead_reach=reach[ends[-1] :],
        terms=np.concatenate(terms),
        lead_terms=_lead_terms(task, row),
        rounding=task.rounding,
    )


def _lead_terms(task: _Task, row: int) -> FloatArray:
    """Return the terms of the leads in the network as given: reducing it rounds as well."""
    domain, net = task.domain, task.domain.net
    layers = zip(net.weights, net.biases, strict=True)
    turned = is_turned(task.reduced)
    outputs = terms_of(layers, domain.X[row], norm=domain.norm, turned=turned)[-1]
    return np.asarray(np.abs(domain.forms[row]) @ outputs)


def _reach(weights: list[FloatArray], biases: list[FloatArray], masks: list[Any]) -> FloatArray:
    """Return norms of the units' gradients at the input, those of units off counted in part.

    Kind: exact for the first layer; else an estimate, to scale steps with.
    """
    norms, G, h = [], np.eye(weights[0].shape[1]), np.zeros(weights[0].shape[1])
    for W, b, mask in zip(weights, biases, [*masks, True], strict=True):
        G, z = W @ G, W @ h + b
        norms.append(np.linalg.norm(G, axis=1))
        on = (z > 0) | ~mask
        G, h = G * np.where(on, 1.0, _OFF)[:, None], np.where(on, z, 0.0)
    reach = np.concatenate(norms)
    return np.where(reach > 0, reach, 1.0)


# How much a unit that is off at the input counts beside one that is on, in those norms.
_OFF = 0.3
