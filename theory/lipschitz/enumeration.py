"""Exact Lipschitz constants by enumerating the linear regions of a network."""

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import linprog, nnls

from theory.lipschitz.bound import LipschitzBound, as_direction
from theory.networks import ReluNetwork
from theory.networks.arrays import dense
from theory.validation import Box, FloatArray, UnsupportedSettingError, as_box, as_finite

# A region counts if it holds a point further than this, relatively, from all of its sides.
THINNEST = 1e-9
TINY = float(np.finfo(np.float64).tiny)


class _Domain(NamedTuple):
    """All of space, a box (an Linf ball is one), or an L2 ball; the box may be infinite."""

    centre: FloatArray
    radius: float
    box: Box
    unit: float  # the length that THINNEST is relative to


class _Cell(NamedTuple):
    """Inputs with normals · x + offsets > 0, rows of norm one, and what the layers do there."""

    normals: FloatArray
    offsets: FloatArray
    witness: FloatArray
    slopes: FloatArray  # the Jacobian of the layer reached, (n_j, d)
    shift: FloatArray  # and its constant, (n_j,)
    terms: FloatArray  # what its rows are sums of, in norm, (n_j,)


def exact_constant(
    net: ReluNetwork,
    direction: ArrayLike | None = None,
    *,
    centre: ArrayLike | None = None,
    radius: float = math.inf,
    norm: float = 2,
    box: tuple[ArrayLike, ArrayLike] | None = None,
    most: int = 5000,
) -> LipschitzBound:
    """Return the Lipschitz constant of C f on a ball, within a box, or on all of space.

    Kind: exact, up to rounding; regions in which no point is further than 1e-9 of the domain's
    size from every side are taken for empty.

    Parameters
    ----------
    net : ReluNetwork
    direction : array, shape (out,) or (k, out), optional
        C. None: all outputs.
    centre : array, shape (d,), optional
        Of the ball; not needed without a radius.
    radius : float, positive
    norm : 2 or inf
        Of the ball, of the input's move and of the outputs'.
    box : pair (lo, hi), optional
        The constant is that on the ball within the box.
    most : int
        The number of regions at which to give up.

    Returns
    -------
    LipschitzBound
        With a witness, inside the region of the largest gradient.

    Raises
    ------
    TypeError, ValueError
        If an argument is malformed; if the ball and box have no point inside.
    UnsupportedSettingError
        If there are more regions than allowed, a gradient is out of the range of float64, or the
        norm is another one.

    Notes
    -----
    On a convex set with an inside, the constant is the largest gradient norm among the regions
    that meet the inside: proofs/lipschitz.md, section 9. L2 balls: least-distance programs by
    nonnegative least squares (Lawson and Hanson 1974, chapter 23); else HiGHS.

    Examples
    --------
    >>> net = ReluNetwork(weights=[[[1.0], [-1.0]], [[1.0, 3.0]]])
    >>> exact_constant(net).value, exact_constant(net, centre=[2.0], radius=1.0).value
    (3.0, 1.0)
    """
    if norm not in {2, math.inf}:
        raise UnsupportedSettingError(f"norm must be 2 or inf; got {norm}.")
    C = as_direction(net, direction)
    domain = _as_domain(net.dimension, centre, (radius, norm), box)
    best, witness = 0.0, domain.centre
    with np.errstate(over="ignore", invalid="ignore"):  # refused where it may happen
        for cell in _regions(net, domain, most):
            slopes = cell.slopes if C is None else C @ cell.slopes
            _refuse_overflow(slopes, np.abs(slopes).sum())  # which no norm exceeds
            size = float(np.linalg.norm(slopes, ord=norm))
            if size > best:
                best, witness = size, cell.witness
    return LipschitzBound(
        value=best, kind="exact", method="enumeration", norm=norm, witness=witness
    )


def _as_domain(
    d: int,
    centre: ArrayLike | None,
    ball: tuple[float, float],
    box: tuple[ArrayLike, ArrayLike] | None,
) -> _Domain:
    radius, norm = ball
    if not radius > 0:
        raise ValueError(f"radius must be positive; got {radius}.")
    if centre is None and math.isfinite(radius):
        raise ValueError(f"a ball needs a centre; got none, and radius={radius}.")
    middle = np.zeros(d) if centre is None else as_finite("centre", centre)
    if middle.shape != (d,):
        raise ValueError(f"centre must have shape ({d},); got shape {middle.shape}.")
    lo, hi = as_box((-np.inf, np.inf) if box is None else box, d)
    if norm == math.inf:
        lo, hi = np.maximum(lo, middle - radius), np.minimum(hi, middle + radius)
        radius = math.inf
    width = float(np.min(hi - lo, initial=math.inf))
    unit = min(radius, width)
    return _Domain(middle, radius, (lo, hi), unit if math.isfinite(unit) else 1.0)


def _regions(net: ReluNetwork, domain: _Domain, most: int) -> list[_Cell]:
    """Return the cells of the last layer: one a region, neuron by neuron."""
    start = _point_inside(np.zeros((0, net.dimension)), np.zeros(0), domain)
    if start is None:
        raise ValueError("the ball and the box must have a common point inside both.")
    W = np.asarray(dense(net.weights[0]))
    none = np.zeros((0, net.dimension)), np.zeros(0)
    terms = _row_norms(W)
    _refuse_overflow(terms)
    cells = [_Cell(*none, start, W, net.biases[0], terms)]
    for j, mask in enumerate(net.relu):
        V, b = np.asarray(dense(net.weights[j + 1])), net.biases[j + 1]
        following: list[_Cell] = []
        for cell in cells:
            for split, passed in _splits(cell, mask, domain, most):
                following.append(_through(split, V * passed, b))
                if len(following) > most:
                    raise UnsupportedSettingError(
                        f"the network must have at most {most} linear regions there; it has more."
                    )
        cells = following
    return cells


def _through(cell: _Cell, V: FloatArray, b: FloatArray) -> _Cell:
    """Return the cell with the next layer in place of its own, V without what is not passed."""
    sizes = _row_norms(cell.slopes)
    slopes, shift, terms = V @ cell.slopes, V @ cell.shift + b, np.abs(V) @ sizes
    _refuse_overflow(slopes, shift, terms)
    if ((terms < TINY) & ((V != 0) @ (sizes > 0))).any():
        raise UnsupportedSettingError(
            f"weights must be such that gradients do not underflow; one is below {TINY:g}."
        )
    return cell._replace(slopes=slopes, shift=shift, terms=terms)


def _row_norms(W: FloatArray) -> FloatArray:
    """Return the norms of the rows: powers of two keep their squares in range."""
    unit = np.ldexp(1.0, np.frexp(np.abs(W).max(axis=1))[1] - 1)
    return np.asarray(np.linalg.norm(W / unit[:, None], axis=1) * unit)


def _refuse_overflow(*computed: float | FloatArray) -> None:
    for values in computed:
        if not np.isfinite(values).all():
            raise UnsupportedSettingError(
                "weights must be such that gradients, and where they change, do not overflow;"
                f" got {np.ravel(values)[~np.isfinite(np.ravel(values))][0]}."
            )


def _splits(cell: _Cell, mask: Any, domain: _Domain, most: int) -> list[tuple[_Cell, FloatArray]]:
    """Return the cells into which a layer's rectified units cut one, and the units passed."""
    parts, sizes = [(cell, np.ones(mask.size))], _row_norms(cell.slopes)
    for i in np.flatnonzero(mask):
        size = sizes[i]
        if size <= 1e-13 * cell.terms[i]:  # it does not move: its sign is that of its shift
            for _, passed in parts:
                passed[i] = float(cell.shift[i] > 0)
            continue
        normal, offset = cell.slopes[i] / size, cell.shift[i] / size
        _refuse_overflow(offset)
        cut = []
        for part, passed in parts:
            for sign in (1.0, -1.0):
                half = _cut(part, sign * normal, sign * offset, domain)
                if half is not None:
                    chosen = passed.copy()
                    chosen[i] = float(sign > 0)
                    cut.append((half, chosen))
        parts = cut
        if len(parts) > most:
            raise UnsupportedSettingError(
                f"the network must have at most {most} linear regions there; it has more."
            )
    return parts


def _cut(cell: _Cell, normal: FloatArray, offset: float, domain: _Domain) -> _Cell | None:
    """Return the part of a cell where normal · x + offset > 0; None if it is as good as empty."""
    normals, offsets = np.vstack([cell.normals, normal]), np.append(cell.offsets, offset)
    witness: FloatArray | None = cell.witness
    if normal @ cell.witness + offset <= 2 * _margin(domain):
        witness = _point_inside(normals, offsets, domain)
    if witness is None:
        return None
    return cell._replace(normals=normals, offsets=offsets, witness=witness)


def _margin(domain: _Domain) -> float:
    return THINNEST * domain.unit


def _point_inside(normals: FloatArray, offsets: FloatArray, domain: _Domain) -> FloatArray | None:
    """Return a point well inside the domain and all normals · x + offsets > 0, or None.

    Computed in units of the domain, from its centre.
    """
    lo, hi = ((side - domain.centre) / domain.unit for side in domain.box)
    d, finite = lo.size, np.isfinite(np.concatenate([lo, hi]))
    A = np.vstack([normals, np.vstack([np.eye(d), -np.eye(d)])[finite]])
    b = np.concatenate([offsets + normals @ domain.centre, np.zeros(int(finite.sum()))])
    b /= domain.unit
    b[offsets.size :] = np.concatenate([-lo, hi])[finite]
    if A.shape[0] == 0:
        return domain.centre
    if math.isinf(domain.radius):
        point = _deepest(A, b)
    else:
        point = _least_distance(A, THINNEST - b, domain.radius / domain.unit)
    return None if point is None else domain.centre + domain.unit * point


def _deepest(A: FloatArray, b: FloatArray) -> FloatArray | None:
    """Return the x furthest inside A x + b >= 0, rows of norm one, up to depth one; or None."""
    d = A.shape[1]
    found = linprog(
        np.append(np.zeros(d), -1.0),
        A_ub=np.hstack([-A, np.ones((A.shape[0], 1))]),
        b_ub=b,
        bounds=[(None, None)] * d + [(None, 1.0)],
        options={"primal_feasibility_tolerance": 1e-10, "dual_feasibility_tolerance": 1e-10},
    )
    x = found.x
    return None if x is None or found.status != 0 or x[-1] <= THINNEST else np.asarray(x[:d])


def _least_distance(G: FloatArray, h: FloatArray, radius: float) -> FloatArray | None:
    """Return the shortest u with G u >= h if it is shorter than the radius, or None."""
    d = G.shape[1]
    if G.shape[0] == 0 or (h <= 0).all():
        return np.zeros(d)
    E = np.vstack([G.T, h[None, :] / radius])
    target = np.append(np.zeros(d), 1.0)
    shares = np.asarray(nnls(E, target, maxiter=100 * E.shape[1])[0])
    residual = E @ shares - target
    # The residual's last entry is minus its squared norm, 1 / (1 + |u|²/radius²): 1/2 at |u| = r.
    if -residual[-1] <= 0.5:
        return None
    return np.asarray(-residual[:d] / residual[-1] * radius)
