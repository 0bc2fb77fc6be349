"""An SDP-type relaxation: linear bounds that keep how an L2 ball couples the units of a layer.

Linear relaxations let every unit be at its own worst at once; no point of a ball does. Let d > 0 be
weights of a layer with sum_i d_i (z_i - z_i(x))² <= eps² on the ball of radius eps around x. By
Lagrangian duality a form of rectified values is bounded by one of the values before, for all
slopes g and every multiplier tau >= 0:

    a·relu(z) >= g·z + sum_i min over z_i in [lo_i, hi_i] of
                 (a_i relu(z_i) - g_i z_i + tau d_i (z_i - z_i(x))² / 2) - tau eps² / 2.

tau = 0 is linear relaxation at its best slopes; equal weights give SDP-CROWN (Chiu et al. 2025,
arXiv 2506.06665). The bound is concave in all g and tau together and holds for each: they are found
by ascent, and where that stops does not matter to the proof. Proof: theory/proofs/certify.md.
"""

import math
from dataclasses import dataclass
from typing import NamedTuple

import array_api_compat as aac

from theory.certify.ascent import ascended
from theory.certify.domain import Domain, gram_norms, least_of_moves
from theory.certify.margins import intervals, rectified_units, relaxed_margins
from theory.certify.relaxation import Interval, Lines, crown_slopes, lines
from theory.networks.arrays import Array, dense, native, rows_times, times_transposed
from theory.networks.network import preactivations

_STEPS, _LOG_SCALE = 40, 3.0
_FIRST_MULTIPLIERS = (0.1, 0.3, 1.0, 3.0)


class _Layer(NamedTuple):
    """A hidden layer as p pairs of an input and a rival see it."""

    interval: Interval  # (p, h)
    centre: Array  # the values at the inputs, (p, h)
    weights: Array  # (h,)
    rectified: Array  # (h,)


class _Duals(NamedTuple):
    """Slopes (p, h_j) and logarithms of multipliers (p,) of each layer."""

    slopes: list[Array]
    logs: list[Array]


@dataclass(frozen=True, kw_only=True, eq=False)
class _Pairs:
    """Pairs of an input and a rival whose lead is to be bounded on balls of radii eps (p,)."""

    domain: Domain
    inputs: Array
    forms: Array
    eps: Array
    gram: Array
    layers: list[_Layer]


def coupled_margins(domain: Domain, eps: Array, weights: list[Array]) -> Array:
    """Return lower bounds of the leads (n, m) on balls of radii eps (n,), by SDP-type relaxation.

    By CROWN, and by ascent for the leads that CROWN does not prove positive. `weights` are those of
    `ball_weights`.
    """
    xp = aac.array_namespace(eps)
    found = intervals(domain, eps, crown_slopes)
    relaxed = [lines(f, rectified_units(domain, j), crown_slopes) for j, f in enumerate(found)]
    bound = relaxed_margins(domain, eps, relaxed)
    inputs, rivals = xp.nonzero(bound <= 0)
    if inputs.shape[0] > 0:
        pairs = _pairs(domain, eps, found, weights, chosen=(inputs, rivals))
        best = _ascended(pairs, *_crown_forms(pairs, relaxed))
        bound[inputs, rivals] = xp.maximum(bound[inputs, rivals], best)
    return bound


def _pairs(
    domain: Domain,
    eps: Array,
    found: list[Interval],
    weights: list[Array],
    *,
    chosen: tuple[Array, Array],
) -> _Pairs:
    inputs, rivals = chosen
    W = domain.layers[0][0]
    values = preactivations(domain.net, domain.X)
    return _Pairs(
        domain=domain,
        inputs=inputs,
        forms=domain.forms[inputs, rivals],
        eps=eps[inputs],
        gram=dense(W @ W.T) if domain.gram is None else domain.gram,
        layers=[
            _Layer(
                interval=Interval(one.lo[inputs], one.hi[inputs]),
                centre=values[j][inputs],
                weights=native(weights[j], eps),
                rectified=rectified_units(domain, j),
            )
            for j, one in enumerate(found)
        ],
    )


def _crown_forms(pairs: _Pairs, relaxed: list[Lines]) -> tuple[list[Array], list[Array]]:
    """Return CROWN's forms of each layer's rectified values, and of its values: the slopes."""
    xp = aac.array_namespace(pairs.eps)
    forms, slopes = [rows_times(pairs.forms, pairs.domain.layers[-1][0])], []
    for j in range(len(relaxed) - 1, -1, -1):
        down = xp.clip(forms[-1], None, 0)
        below, above = (side[pairs.inputs] for side in relaxed[j][:2])
        slopes.append((forms[-1] - down) * below + down * above)
        if j > 0:
            forms.append(rows_times(slopes[-1], pairs.domain.layers[j][0]))
    return forms[::-1], slopes[::-1]


def _ascended(pairs: _Pairs, forms: list[Array], slopes: list[Array]) -> Array:
    """Return the best bound (p,) that ascent meets, from CROWN's slopes."""
    xp = aac.array_namespace(pairs.eps)
    tiny = float(xp.finfo(pairs.eps.dtype).smallest_normal) ** 0.5
    sizes = [xp.mean(xp.abs(a), axis=1) + tiny for a in forms]
    duals = _Duals(slopes, _first_logs(pairs, slopes, sizes))
    scales = [*(size[:, None] for size in sizes), *(_LOG_SCALE for _ in sizes)]
    count = len(sizes)

    def bound(variables: list[Array]) -> tuple[Array, list[Array]]:
        return _bound(pairs, _Duals(variables[:count], variables[count:]))

    best, last = ascended(bound, [*duals.slopes, *duals.logs], scales, steps=_STEPS)
    return xp.maximum(best, _boxed(pairs, _Duals(last[:count], last[count:])))


def _first_logs(pairs: _Pairs, slopes: list[Array], sizes: list[Array]) -> list[Array]:
    """Return the best of a few multipliers, in proportion to what the layers' terms are worth."""
    xp = aac.array_namespace(pairs.eps)
    tiny = float(xp.finfo(pairs.eps.dtype).smallest_normal) ** 0.5
    worth = [
        xp.log(
            size / (xp.mean(layer.weights * (layer.interval.hi - layer.interval.lo), axis=1) + tiny)
        )
        for size, layer in zip(sizes, pairs.layers, strict=True)
    ]
    trials = [[log + math.log(factor) for log in worth] for factor in _FIRST_MULTIPLIERS]
    bounds = xp.stack([_bound(pairs, _Duals(slopes, logs))[0] for logs in trials])
    best = xp.argmax(bounds, axis=0)
    return [
        xp.take_along_axis(xp.stack([logs[j] for logs in trials]), best[None], axis=0)[0]
        for j in range(len(sizes))
    ]


def _bound(pairs: _Pairs, duals: _Duals) -> tuple[Array, list[Array]]:
    """Return the bound (p,) and its supergradient in each of the duals.

    A slope's: how far the layer's values that are worst from below, through the layers before, are
    from those that are worst for the layer itself. A multiplier's: how far these leave the ball.
    """
    domain, squares = pairs.domain, pairs.eps * pairs.eps
    bound, forms = pairs.forms @ domain.layers[-1][1], rows_times(pairs.forms, domain.layers[-1][0])
    worst, logs = [], []
    xp = aac.array_namespace(pairs.eps)
    for j in range(len(pairs.layers) - 1, -1, -1):
        layer, multiplier = pairs.layers[j], xp.exp(duals.logs[j])
        least, at = _least_of_layer(layer, forms, duals.slopes[j], multiplier)
        away = at - layer.centre
        outside = (xp.sum(layer.weights * away * away, axis=1) - squares) / 2
        bound = bound + xp.sum(least, axis=1) - multiplier * squares / 2
        worst.append(at)
        logs.append(multiplier * outside)
        if j > 0:
            W, b = domain.layers[j]
            bound, forms = bound + duals.slopes[j] @ b, rows_times(duals.slopes[j], W)
    first, values = _first_layer(pairs, duals.slopes[0])
    slopes = []
    for j, (layer, at) in enumerate(zip(pairs.layers, worst[::-1], strict=True)):
        slopes.append(values - at)
        if j + 1 < len(pairs.layers):
            W, b = domain.layers[j + 1]
            values = times_transposed(xp.where(layer.rectified, xp.clip(at, 0, None), at), W) + b
    return bound + first, [*slopes, *logs[::-1]]


def _first_layer(pairs: _Pairs, slopes: Array) -> tuple[Array, Array]:
    """Return the least of slopes (p, n_1) times the first layer's values, and where it is least."""
    xp = aac.array_namespace(slopes)
    products, centre = slopes @ pairs.gram, pairs.layers[0].centre
    norms = gram_norms(slopes, pairs.gram, pairs.domain.net.dimension)
    tiny = float(xp.finfo(slopes.dtype).smallest_normal) ** 0.5
    least = xp.sum(slopes * centre, axis=1) - pairs.eps * norms
    return least, centre - (pairs.eps / (norms + tiny))[:, None] * products


def _boxed(pairs: _Pairs, duals: _Duals) -> Array:
    """Return the bound with the first layer's least value in the ball and the box, not the ball."""
    bound = _bound(pairs, duals)[0]
    if pairs.domain.box is None:
        return bound
    rows, slopes = pairs.domain.take(pairs.inputs), duals.slopes[0]
    free = -pairs.eps * gram_norms(slopes, pairs.gram, pairs.domain.net.dimension)
    forms = rows_times(slopes, pairs.domain.layers[0][0])[:, None, :]
    return bound - free + least_of_moves(rows, pairs.eps, forms)[:, 0]


def _least_of_layer(
    layer: _Layer, forms: Array, slopes: Array, multiplier: Array
) -> tuple[Array, Array]:
    """Return for each unit the least of a relu(z) - g z + tau d (z - z(x))² / 2, and where."""
    xp = aac.array_namespace(forms)
    lo, hi = layer.interval
    bend = multiplier[:, None] * layer.weights

    def least(slope: Array, low: Array, high: Array) -> tuple[Array, Array]:
        at = xp.clip(layer.centre - slope / bend, low, high)
        away = at - layer.centre
        return slope * at + bend * away * away / 2, at

    on_lo = xp.where(layer.rectified, xp.clip(lo, 0, None), lo)
    on, on_at = least(forms - slopes, on_lo, xp.maximum(on_lo, hi))
    off_hi = xp.clip(hi, None, 0)
    off, off_at = least(-slopes, xp.minimum(lo, off_hi), off_hi)
    always_on = (lo >= 0) | ~layer.rectified
    is_on = always_on | ((on < off) & (hi > 0))
    return xp.where(is_on, on, off), xp.where(is_on, on_at, off_at)
