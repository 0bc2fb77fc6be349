"""Lower bounds of the lead of each input's label over the others, on balls of given radii."""

import array_api_compat as aac

from theory.certify.domain import Domain
from theory.certify.relaxation import (
    Interval,
    Lines,
    Slopes,
    affine_range,
    first_interval,
    lines,
    lower_bounds,
)
from theory.certify.second_layer import second_interval
from theory.networks.arrays import Array, dense, rectified, rows_times


def intervals(domain: Domain, eps: Array, slopes: Slopes) -> list[Interval]:
    """Return bounds of each hidden layer's values, by linear relaxation. Kind: lower and upper."""
    found = [first_interval(domain, eps)]
    relaxed: list[Lines] = []
    for k in range(1, domain.net.depth - 1):
        relaxed.append(lines(found[-1], rectified_units(domain, k - 1), slopes))
        if k == 1 and domain.gram is not None:
            found.append(second_interval(domain, eps, relaxed[0]))
        else:
            found.append(_row_interval(domain, eps, k, relaxed))
    return found


def _row_interval(domain: Domain, eps: Array, layer: int, relaxed: list[Lines]) -> Interval:
    W, b = domain.layers[layer]
    rows = dense(W)
    xp = aac.array_namespace(eps)
    both = xp.concat([rows, -rows])[None]
    forms = xp.broadcast_to(both, (eps.shape[0], *both.shape[1:]))
    bound = lower_bounds(domain, eps, forms, layer - 1, relaxed)
    width = rows.shape[0]
    return Interval(bound[:, :width] + b, b - bound[:, width:])


def interval_bounds(domain: Domain, eps: Array) -> list[Interval]:
    """Return bounds of each hidden layer's values, by interval arithmetic."""
    found = [first_interval(domain, eps)]
    for k in range(1, domain.net.depth - 1):
        W, b = domain.layers[k]
        lo, hi = (rectified(domain.net.relu[k - 1], side) for side in found[-1])
        found.append(Interval(*(side + b for side in affine_range(W, lo, hi))))
    return found


def rectified_units(domain: Domain, layer: int) -> Array:
    """Return which units of a hidden layer are rectified, in the inputs' array library."""
    xp = aac.array_namespace(domain.X)
    return xp.asarray(domain.net.relu[layer], device=aac.device(domain.X))


def linear_margins(domain: Domain, eps: Array, slopes: Slopes) -> Array:
    """Return lower bounds of the leads (n, m) on balls of radii eps, by linear relaxation."""
    found = intervals(domain, eps, slopes)
    return relaxed_margins(
        domain, eps, [lines(f, rectified_units(domain, j), slopes) for j, f in enumerate(found)]
    )


def relaxed_margins(domain: Domain, eps: Array, relaxed: list[Lines]) -> Array:
    """Return lower bounds of the leads (n, m), the hidden units between their lines."""
    W, b = domain.layers[-1]
    hidden = rows_times(domain.forms, W)
    return lower_bounds(domain, eps, hidden, domain.net.depth - 2, relaxed) + domain.forms @ b


def interval_margins(domain: Domain, eps: Array) -> Array:
    """Return lower bounds of the leads (n, m) on balls of radii eps, by interval arithmetic."""
    xp = aac.array_namespace(eps)
    W, b = domain.layers[-1]
    lo, hi = (rectified(domain.net.relu[-1], side) for side in interval_bounds(domain, eps)[-1])
    hidden = rows_times(domain.forms, W)
    up = xp.clip(hidden, 0, None)
    lowest = (up @ lo[:, :, None])[..., 0] + ((hidden - up) @ hi[:, :, None])[..., 0]
    return lowest + domain.forms @ b
