"""Interval arithmetic through the layers, in balls."""

from flint import arb, arb_mat

from theory.rigorous.balls import Balls, column
from theory.rigorous.exact import Exact, first_values, least_of_first
from theory.rigorous.region import Region, least_values


def interval_leads(net: Exact, region: Region, forms: arb_mat) -> Balls:
    """Return lower bounds of forms (m, out) of the outputs over the region."""
    if len(net.weights) == 1:
        return least_of_first(net, region, forms)
    here = first_values(net, region).entries()
    fall, rise = (least_values(region, W) for W in (net.weights[0], -net.weights[0]))
    lo = [v + move for v, move in zip(here, fall, strict=True)]
    hi = [v - move for v, move in zip(here, rise, strict=True)]
    for W, b, rectified in zip(net.weights[1:-1], net.biases[1:-1], net.relu, strict=False):
        lo, hi = (_passed(side, rectified.tolist()) for side in (lo, hi))
        lo, hi = _least(W, lo, hi, b), [-v for v in _least(-W, lo, hi, -b)]
    lo, hi = (_passed(side, net.relu[-1].tolist()) for side in (lo, hi))
    return _least(forms * net.weights[-1], lo, hi, forms * net.biases[-1])


def _passed(values: Balls, rectified: list[bool]) -> Balls:
    return [v.max(0) if bends else v for v, bends in zip(values, rectified, strict=True)]


def _least(W: arb_mat, lo: Balls, hi: Balls, b: arb_mat) -> Balls:
    """Return the least of W v + b for v between lo and hi."""
    up, down = ([[end(w) for w in row] for row in W.tolist()] for end in (_positive, _negative))
    return (arb_mat(up) * column(lo) + arb_mat(down) * column(hi) + b).entries()


def _positive(w: arb) -> arb:
    return w.max(0)


def _negative(w: arb) -> arb:
    return w.min(0)
