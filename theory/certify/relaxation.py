"""Linear relaxations carried backward through the layers: Fast-Lin and CROWN.

A rectified unit whose input lies in [lo, hi] across zero is at most the chord over that interval
and at least any line slope · input with slope in [0, 1]. Linear forms of a layer's values are
bounded below by forms of the layer before, down to the first layer, where the domain gives their
least value exactly. Zhang et al. 2018 (arXiv 1811.00866); Weng et al. 2018 (1804.09699).
"""

from collections.abc import Callable
from typing import NamedTuple

import array_api_compat as aac

from theory.certify.domain import (
    Domain,
    allowed_moves,
    least,
    least_of_moves,
)
from theory.networks.arrays import Array, dense, is_sparse, rows_times, times_transposed


class Interval(NamedTuple):
    """Bounds lo <= value <= hi of a layer's values, each of shape (n, n_j)."""

    lo: Array
    hi: Array


class Lines(NamedTuple):
    """Lines under and over each rectified unit: below · z <= relu(z) <= above · z + offset."""

    below: Array
    above: Array
    offset: Array


Slopes = Callable[[Interval], Array]


def crown_slopes(interval: Interval) -> Array:
    """Return CROWN's lower slopes of unstable units: 1 if the interval is mostly positive."""
    return interval.hi > -interval.lo


def fastlin_slopes(interval: Interval) -> Array:
    """Return Fast-Lin's lower slopes of unstable units: the chord's."""
    lo, hi = interval
    xp = aac.array_namespace(lo)
    return xp.clip(hi, 0, None) / xp.where(hi > lo, hi - lo, xp.ones_like(hi))


def lines(interval: Interval, rectified: Array, slopes: Slopes) -> Lines:
    """Return the lines of a layer's units; linear units and stable ones are their own lines."""
    lo, hi = interval
    xp = aac.array_namespace(lo)
    one, zero = xp.ones_like(lo), xp.zeros_like(lo)
    on = (lo >= 0) | ~rectified
    unstable = ~on & (hi > 0)
    chord = hi / xp.where(unstable, hi - lo, one)
    below = xp.astype(slopes(interval), lo.dtype)
    return Lines(
        below=xp.where(unstable, below, xp.where(on, one, zero)),
        above=xp.where(unstable, chord, xp.where(on, one, zero)),
        offset=xp.where(unstable, -chord * lo, zero),
    )


def first_interval(domain: Domain, eps: Array) -> Interval:
    """Return the range of the first layer's values over each ball. Kind: as `least`."""
    xp = aac.array_namespace(domain.centre)
    W = domain.layers[0][0]
    if domain.gram is not None:
        reach = eps[:, None] * xp.sqrt(xp.linalg.diagonal(domain.gram))
        return Interval(domain.centre - reach, domain.centre + reach)
    if domain.norm == 2:
        rows = dense(W)[None]
        shape = (eps.shape[0], *rows.shape[1:])
        fall = least_of_moves(domain, eps, xp.broadcast_to(rows, shape))
        rise = least_of_moves(domain, eps, xp.broadcast_to(-rows, shape))
        return Interval(domain.centre + fall, domain.centre - rise)
    below, above = allowed_moves(domain, eps)
    return Interval(*(domain.centre + side for side in affine_range(W, below, above)))


def affine_range(W: Array, lo: Array, hi: Array) -> tuple[Array, Array]:
    """Return the range of W v for v between lo and hi, each of shape (n, k)."""
    middle, radius = (lo + hi) / 2, (hi - lo) / 2
    xp = aac.array_namespace(lo)
    magnitudes = abs(W) if is_sparse(W) else xp.abs(W)
    at_middle, reach = times_transposed(middle, W), times_transposed(radius, magnitudes)
    return at_middle - reach, at_middle + reach


def lower_bounds(
    domain: Domain, eps: Array, forms: Array, layer: int, relaxed: list[Lines]
) -> Array:
    """Return lower bounds of forms (n, m, n_layer) of a hidden layer's rectified values.

    Kind: lower. `relaxed` has the lines of the layers up to that one; layer counts from 0.
    """
    xp = aac.array_namespace(forms)
    bound = xp.zeros(forms.shape[:2], dtype=forms.dtype, device=aac.device(forms))
    for j in range(layer, -1, -1):
        below, above, offset = relaxed[j]
        live = xp.nonzero(xp.any(above != 0, axis=0))[0]  # units that are off add nothing
        forms, below, above = (xp.take(part, live, axis=-1) for part in (forms, below, above))
        down = xp.clip(forms, None, 0)
        bound = bound + (down @ xp.take(offset, live, axis=-1)[:, :, None])[..., 0]
        forms = (forms - down) * below[:, None, :] + down * above[:, None, :]
        if j == 0:
            return bound + least(domain, eps, forms, live)
        W, b = domain.layers[j]
        bound = bound + forms @ b[live]
        forms = rows_times(forms, W[live, :])
    return bound
