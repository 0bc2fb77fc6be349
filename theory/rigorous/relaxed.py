"""Linear relaxations in balls: Fast-Lin and CROWN, their lines chosen and then proven.

certify.md, section 1, holds for any lower slope in [0, 1], and rigorous.md, section 2, for any
upper one: so slopes are numbers chosen, and only what follows from them has to be bounded.
"""

from typing import Any, NamedTuple

from flint import arb, arb_mat

from theory.rigorous.balls import Balls, total
from theory.rigorous.exact import Exact, least_of_first
from theory.rigorous.region import Region

RULES = ("crown", "fast-lin")


class Lines(NamedTuple):
    """Lines under and over each unit: below · z <= σ(z) <= above · z + offset."""

    below: Balls
    above: Balls
    offset: Balls


class Intervals(NamedTuple):
    """Ends of the values of a layer's units: points, the outer ends of balls."""

    lo: Balls
    hi: Balls


def relaxed_leads(net: Exact, region: Region, forms: arb_mat, rule: str) -> Balls:
    """Return lower bounds of forms (m, out) of the outputs over the region."""
    relaxed: list[Lines] = []
    for j in range(len(net.weights) - 1):
        relaxed.append(_lines(_intervals(net, region, relaxed), net.relu[j], rule))
    return _bounds(net, region, forms, relaxed)


def _intervals(net: Exact, region: Region, relaxed: list[Lines]) -> Intervals:
    """Return the range of the layer after those that have lines."""
    size = net.weights[len(relaxed)].nrows()
    own = arb_mat(size, size, [arb(int(i == k)) for i in range(size) for k in range(size)])
    least = _bounds(net, region, own, relaxed)
    most = _bounds(net, region, -own, relaxed)
    return Intervals([v.lower() for v in least], [-v.lower() for v in most])


def _lines(interval: Intervals, rectified: Any, rule: str) -> Lines:
    """Return the lines of a layer's units; linear units and stable ones are their own lines."""
    units = [
        _line(lo, hi, rule) if bends else (arb(1), arb(1), arb(0))
        for lo, hi, bends in zip(*interval, rectified.tolist(), strict=True)
    ]
    below, above, offset = (list(part) for part in zip(*units, strict=True))
    return Lines(below, above, offset)


def _line(lo: arb, hi: arb, rule: str) -> tuple[arb, arb, arb]:
    if lo >= 0:
        return arb(1), arb(1), arb(0)
    if hi <= 0:
        return arb(0), arb(0), arb(0)
    slope = (hi / (hi - lo)).mid().max(0).min(1)  # a point: nearly the chord's
    offset = (-slope * lo).max((1 - slope) * hi)
    chosen = slope if rule == "fast-lin" else arb(1) if hi > -lo else arb(0)
    return chosen, slope, offset


def _bounds(net: Exact, region: Region, forms: arb_mat, relaxed: list[Lines]) -> Balls:
    """Return lower bounds of forms of the values of the layer after those that have lines."""
    layer = len(relaxed)
    bound = [arb(0)] * forms.nrows()
    while layer > 0:
        bound = _plus(bound, (forms * net.biases[layer]).entries())
        layer -= 1
        forms, gained = _through(forms * net.weights[layer + 1], relaxed[layer])
        bound = _plus(bound, gained)
    return _plus(bound, least_of_first(net, region, forms))


def _through(forms: arb_mat, lines: Lines) -> tuple[arb_mat, Balls]:
    """Return forms of a layer's values, and constants, below forms of its rectified values."""
    carried, gained = [], []
    for row in forms.tolist():
        down = [a.min(0) for a in row]
        gained.append(total(a * off for a, off in zip(down, lines.offset, strict=True)))
        parts = zip(row, down, lines.below, lines.above, strict=True)
        carried.append([a.max(0) * s + low * t for a, low, s, t in parts])
    return arb_mat(carried), gained


def _plus(one: Balls, other: Balls) -> Balls:
    return [a + b for a, b in zip(one, other, strict=True)]
