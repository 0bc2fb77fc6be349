"""Certified radii proven anew in ball arithmetic."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from flint import arb_mat
from numpy.typing import ArrayLike

from theory.certify.domain import refuse_extremes, rival_forms
from theory.networks import ReluNetwork
from theory.networks.arrays import dense, native_inputs
from theory.networks.network import as_network
from theory.rigorous.balls import Balls, above, balls, below, matrix, precise, total
from theory.rigorous.exact import Exact, exact_network
from theory.rigorous.interval import interval_leads
from theory.rigorous.lipschitz import coupled_layer, lipschitz_leads, outputs_at
from theory.rigorous.region import Region
from theory.rigorous.relaxed import relaxed_leads
from theory.validation import (
    Box,
    FloatArray,
    UnsupportedSettingError,
    as_box,
    as_labels,
    as_norm,
    refuse_outside,
)

METHODS = ("interval", "fast-lin", "crown", "lipschitz")
# Parts of a radius that are tried in turn: rounding alone costs no more than the last.
SHARES = (1.0, 1 - 1e-9, 1 - 1e-6)

Leads = Callable[[Region, arb_mat], Balls]


def proven_radii(
    net: ReluNetwork,
    X: ArrayLike,
    y: ArrayLike,
    radii: ArrayLike,
    *,
    norm: float = 2,
    method: str | Sequence[str] = "crown",
    box: tuple[ArrayLike, ArrayLike] | None = None,
) -> FloatArray:
    """Return for each input the largest radius tried within which no other label wins or ties.

    Kind: lower, proven by ball arithmetic, rounding included, for the network whose weights are
    these float64 numbers, computed without rounding. Tried are the radius given, and if it does
    not stand a part 1e-9 and a part 1e-6 less; 0 where none of them stands.

    Parameters
    ----------
    net : ReluNetwork
    X : array, shape (n, d)
    y : array, shape (n,)
        Labels of the network.
    radii : array, shape (n,), nonnegative, may be inf
        That nothing flips at all; it stands where the box is bounded, or no input matters.
    norm : 2 or inf
    method : one of METHODS, or one for each input
        "lipschitz" for norm 2 alone.
    box : pair (lo, hi), optional
        As in `theory.certify.certified_radius`.

    Returns
    -------
    array, shape (n,)

    Raises
    ------
    TypeError, ValueError
        If an argument is malformed, not finite, or outside the box or its range.
    UnsupportedSettingError
        For other norms or methods, and for networks of more than 300,000 weights.

    Notes
    -----
    Proof: theory/proofs/rigorous.md.

    Examples
    --------
    >>> net = ReluNetwork(weights=[[[1.0], [-1.0]], [[1.0, 1.0]]], biases=[[0.0, 0.0], [-1.0]])
    >>> proven_radii(net, [[3.0], [3.0]], [1, 1], [1.99, 2.1]).tolist()
    [1.99, 0.0]
    """
    asked = _asked(net, X, y, norm, box)
    tried = _checked(radii, len(asked.X))
    names = [method] * tried.size if isinstance(method, str) else [str(name) for name in method]
    if len(names) != tried.size:
        raise ValueError(f"method must be one, or one an input, {tried.size}; got {len(names)}.")
    with precise():
        leads = {name: _leads(asked, name) for name in dict.fromkeys(names)}
        found = [_largest(asked, i, tried[i], leads[name]) for i, name in enumerate(names)]
    return np.array(found)


def proven_leads(
    net: ReluNetwork,
    X: ArrayLike,
    y: ArrayLike,
    eps: float,
    *,
    norm: float = 2,
    method: str = "crown",
    box: tuple[ArrayLike, ArrayLike] | None = None,
) -> FloatArray:
    """Return what the label's lead over each rival does not fall below within eps of each input.

    Kind: lower, proven by ball arithmetic, rounded downwards.

    Parameters
    ----------
    eps : float, nonnegative
    net, X, y, norm, method, box
        As in `proven_radii`.

    Returns
    -------
    array, shape (n, rivals)
        Rivals in increasing order; one for a network of one output.

    Raises
    ------
    TypeError, ValueError, UnsupportedSettingError
        As `proven_radii`.

    Examples
    --------
    >>> net = ReluNetwork(weights=[[[1.0], [-1.0]], [[1.0, 1.0]]], biases=[[0.0, 0.0], [-1.0]])
    >>> proven_leads(net, [[3.0]], [1], 0.5).tolist()
    [[1.5]]
    """
    asked = _asked(net, X, y, norm, box)
    budget = float(_checked([eps], 1)[0])
    with precise():
        leads = _leads(asked, method)
        bounds = [leads(asked.region(i, budget), asked.forms(i)) for i in range(len(asked.X))]
        return np.array([[below(bound) for bound in row] for row in bounds])


@dataclass(frozen=True, kw_only=True, eq=False)
class _Asked:
    """A network as ball arithmetic takes it, and inputs and labels that fit it."""

    net: ReluNetwork
    exact: Exact
    X: FloatArray
    leads: FloatArray
    norm: float
    box: Box | None

    def region(self, i: int, eps: float) -> Region:
        """Return the inputs within eps of one of them."""
        return Region(x=self.X[i], eps=eps, norm=self.norm, box=self.box)

    def forms(self, i: int) -> arb_mat:
        """Return the leads of an input's label over its rivals as forms of the outputs."""
        return matrix(self.leads[i])


def _asked(net: ReluNetwork, X: ArrayLike, y: ArrayLike, norm: float, box: Any) -> _Asked:
    net, order = as_network(net), as_norm(norm)
    if order not in {2, math.inf}:
        raise UnsupportedSettingError(f"norm must be 2 or inf for networks; got {norm}.")
    exact, inputs = exact_network(net), native_inputs(X, net.dimension)
    sides = None if box is None else as_box(box, net.dimension)
    if sides is not None:
        refuse_outside(inputs, sides)
    leads = rival_forms(net, as_labels(y, net.classes, len(inputs)))
    return _Asked(net=net, exact=exact, X=inputs, leads=leads, norm=order, box=sides)


def _checked(radii: ArrayLike, n: int) -> FloatArray:
    tried = np.asarray(radii, dtype=np.float64)
    if tried.shape != (n,):
        raise ValueError(f"radii must be one an input, {n}; got shape {tried.shape}.")
    if not (tried >= 0).all():
        raise ValueError(f"radii must be at least 0; got {tried[~(tried >= 0)][0]}.")
    return tried


def _leads(asked: _Asked, method: str) -> Leads:
    """Return a method's lower bounds of forms of the outputs, prepared for the network."""
    if method not in METHODS:
        raise UnsupportedSettingError(
            f"method must be one of {', '.join(METHODS)} in ball arithmetic; got {method!r}."
        )
    if method == "interval":
        return partial(interval_leads, asked.exact)
    if method != "lipschitz":
        return partial(relaxed_leads, asked.exact, rule=method)
    if asked.norm != 2:
        raise UnsupportedSettingError(f"method 'lipschitz' is for norm 2; got norm {asked.norm:g}.")
    refuse_extremes(asked.net)  # its weights are chosen in float64
    return partial(lipschitz_leads, asked.exact, coupled=coupled_layer(asked.net, asked.exact))


def _largest(asked: _Asked, i: int, radius: float, leads: Leads) -> float:
    """Return the largest part of a radius that stands."""
    forms = asked.forms(i)
    if math.isinf(radius):
        return radius if _never(asked, i, leads) else 0.0
    for share in SHARES if radius > 0 else ():
        if _positive(leads(asked.region(i, radius * share), forms)):
            return float(radius * share)
    return 0.0


def _never(asked: _Asked, i: int, leads: Leads) -> bool:
    """Return whether it is proven that nothing flips, anywhere in the box."""
    if not _can_move(asked.net, asked.forms(i)):
        here = asked.forms(i) * outputs_at(asked.exact, asked.X[i])
        return _positive(here.entries())
    if asked.box is None or not np.isfinite(asked.box).all():
        return False
    return _positive(leads(asked.region(i, _farthest(asked, i)), asked.forms(i)))


def _farthest(asked: _Asked, i: int) -> float:
    """Return a radius within which all of the box is."""
    x, (lo, hi) = balls(asked.X[i]), map(balls, asked.box or ())
    sides = [(v - l).max(u - v) for v, l, u in zip(x, lo, hi, strict=True)]
    if asked.norm == 2:
        return above(total(side * side for side in sides).sqrt())
    return max(above(side) for side in sides)


def _can_move(net: ReluNetwork, forms: arb_mat) -> bool:
    """Return whether a path of weights that are not zero leads from any input to a lead."""
    reach = np.ones(net.dimension, dtype=bool)
    for W in net.weights[:-1]:
        reach = ((dense(W) != 0) & reach).any(axis=1)
    last = (forms * matrix(net.weights[-1])).tolist()
    return any(
        reached and not h.is_zero() for row in last for h, reached in zip(row, reach, strict=True)
    )


def _positive(bounds: Balls) -> bool:
    return all(bound > 0 for bound in bounds)
