"""Lipschitz constants of the leads on each ball: intervals for the entries of their gradients.

If L_k bounds the slope of the lead over rival k on a convex region around x, the lead is at least
its value at x less eps L_k there. Hein and Andriushchenko 2017; Weng et al. 2018, Fast-Lip (arXiv
1804.09699), here with CROWN's intervals of the units.
"""

import array_api_compat as aac

from theory.certify.domain import Domain
from theory.certify.margins import intervals, rectified_units
from theory.certify.relaxation import crown_slopes
from theory.networks.arrays import Array, rows_times


def local_margins(domain: Domain, eps: Array) -> Array:
    """Return lower bounds of the leads (n, m) on balls of radii eps (n,), by local slopes."""
    xp = aac.array_namespace(eps)
    middle = rows_times(domain.forms, domain.layers[-1][0])
    radius = xp.zeros_like(middle)
    found = intervals(domain, eps, crown_slopes)
    for j in range(len(found) - 1, -1, -1):
        on = ((found[j].lo >= 0) | ~rectified_units(domain, j))[:, None, :]
        both = ~on & (found[j].hi > 0)[:, None, :]  # the gradient passes or not: also all between
        low, high = xp.clip(middle - radius, None, 0), xp.clip(middle + radius, 0, None)
        off, W = xp.zeros_like(middle), domain.layers[j][0]
        middle = rows_times(xp.where(on, middle, xp.where(both, (low + high) / 2, off)), W)
        radius = rows_times(xp.where(on, radius, xp.where(both, (high - low) / 2, off)), abs(W))
    order = 2 if domain.norm == 2 else 1
    steepest = xp.linalg.vector_norm(xp.abs(middle) + radius, ord=order, axis=2)
    return domain.leads - eps[:, None] * steepest
