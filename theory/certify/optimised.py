"""Linear relaxation at the lower slopes that serve each lead best: CROWN with alpha optimised.

Any slope in [0, 1] bounds an unstable unit from below, so a bound of a lead holds for all of them:
ascent from CROWN's slopes looks for the best, the intervals of the units being CROWN's. Xu et al.
2021 (arXiv 2011.13824).
"""

from dataclasses import dataclass
from functools import partial

import array_api_compat as aac

from theory.certify.ascent import ascended
from theory.certify.domain import Domain, least, worst_values
from theory.certify.margins import intervals, rectified_units, relaxed_margins
from theory.certify.relaxation import Lines, crown_slopes, lines
from theory.networks.arrays import Array, rows_times, times_transposed

_STEPS = 20


@dataclass(frozen=True, kw_only=True, eq=False)
class _Pairs:
    """Pairs of an input and a rival: balls (p,), leads as forms (p, out), lines of units (p, h)."""

    domain: Domain
    eps: Array
    forms: Array
    relaxed: list[Lines]


def optimised_margins(domain: Domain, eps: Array) -> Array:
    """Return lower bounds of the leads (n, m) on balls of radii eps (n,), at optimised slopes.

    By CROWN, and by ascent for the leads that CROWN does not prove positive.
    """
    xp = aac.array_namespace(eps)
    relaxed = [
        lines(found, rectified_units(domain, j), crown_slopes)
        for j, found in enumerate(intervals(domain, eps, crown_slopes))
    ]
    bound = relaxed_margins(domain, eps, relaxed)
    inputs, rivals = xp.nonzero(bound <= 0)
    if inputs.shape[0] > 0:
        pairs = _Pairs(
            domain=domain.take(inputs),
            eps=eps[inputs],
            forms=domain.forms[inputs, rivals],
            relaxed=[Lines(*(side[inputs] for side in one)) for one in relaxed],
        )
        start = [one.below for one in pairs.relaxed]
        best, _ = ascended(partial(_bound, pairs), start, [1.0 for _ in start], steps=_STEPS)
        bound[inputs, rivals] = xp.maximum(bound[inputs, rivals], best)
    return bound


def _bound(pairs: _Pairs, wished: list[Array]) -> tuple[Array, list[Array]]:
    """Return the bound (p,) at slopes cut off at 0 and 1, and its gradient in them.

    A slope's: what its unit receives at the point of the ball that is worst, if it is the lower
    line that counts there.
    """
    layers, xp = pairs.domain.layers, aac.array_namespace(pairs.eps)
    forms = [rows_times(pairs.forms, layers[-1][0])]
    bound, slopes = pairs.forms @ layers[-1][1], []
    for j in range(len(pairs.relaxed) - 1, -1, -1):
        below, above, offset = pairs.relaxed[j]
        down = xp.clip(forms[-1], None, 0)
        bound = bound + xp.sum(down * offset, axis=1)
        slopes.append(xp.where(offset > 0, xp.clip(wished[j], 0, 1), below))
        back = (forms[-1] - down) * slopes[-1] + down * above
        if j > 0:
            W, b = layers[j]
            bound = bound + back @ b
            forms.append(rows_times(back, W))
    units = xp.arange(back.shape[1], device=aac.device(back))
    bound = bound + least(pairs.domain, pairs.eps, back[:, None, :], units)[:, 0]
    values, gradients = worst_values(pairs.domain, pairs.eps, back), []
    for j, (form, slope) in enumerate(zip(forms[::-1], slopes[::-1], strict=True)):
        _, above, offset = pairs.relaxed[j]
        gradients.append(xp.where(offset > 0, xp.clip(form, 0, None) * values, 0.0 * values))
        passed = xp.where(form > 0, slope * values, above * values + offset)
        if j + 1 < len(pairs.relaxed):
            W, b = layers[j + 1]
            values = times_transposed(passed, W) + b
    return bound, gradients
