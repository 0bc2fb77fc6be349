"""Networks in rational numbers: the tests' own, literal evaluation of what balls enclose."""

from fractions import Fraction
from typing import Any

from theory.networks import ReluNetwork

Row = list[Fraction]


def matrix(A: Any) -> list[Row]:
    return [[Fraction(v) for v in row] for row in A.tolist()]


def row(v: Any) -> Row:
    return [Fraction(u) for u in v]


def dot(a: Row, b: Row) -> Fraction:
    return sum((s * t for s, t in zip(a, b, strict=True)), Fraction(0))


def outputs(net: ReluNetwork, x: Row) -> Row:
    values = x
    for j, (W, b) in enumerate(zip(net.weights, net.biases, strict=True)):
        values = [dot(w, values) + c for w, c in zip(matrix(W), row(b), strict=True)]
        if j < net.depth - 1:
            values = [
                max(v, Fraction(0)) if r else v for v, r in zip(values, net.relu[j], strict=True)
            ]
    return values


def leads(net: ReluNetwork, x: Row, label: int) -> Row:
    out = outputs(net, x)
    return [out[label] - out[k] for k in range(len(out)) if k != label]


def crown_leads(net: ReluNetwork, x: Row, label: int, eps: Fraction) -> Row:
    """Return CROWN's bounds for an Linf ball without a box, as certify.md, section 1, has them."""
    relaxed: list[list[tuple[Fraction, ...]]] = []
    for j in range(net.depth - 1):
        W, b = matrix(net.weights[j]), row(net.biases[j])
        lines = []
        for w, c, bends in zip(W, b, net.relu[j], strict=True):
            lo = _least(net, x, eps, (w, c), relaxed)
            hi = -_least(net, x, eps, ([-u for u in w], -c), relaxed)
            lines.append(_lines(lo, hi) if bends else (Fraction(1), Fraction(1), Fraction(0)))
        relaxed.append(lines)
    W, b = matrix(net.weights[-1]), row(net.biases[-1])
    rivals = [k for k in range(net.outputs) if k != label]
    forms = [
        ([s - t for s, t in zip(W[label], W[k], strict=True)], b[label] - b[k]) for k in rivals
    ]
    return [_least(net, x, eps, form, relaxed) for form in forms]


def _lines(lo: Fraction, hi: Fraction) -> tuple[Fraction, ...]:
    if lo >= 0:
        return Fraction(1), Fraction(1), Fraction(0)
    if hi <= 0:
        return Fraction(0), Fraction(0), Fraction(0)
    chord = hi / (hi - lo)
    return Fraction(int(hi > -lo)), chord, -chord * lo


def _least(
    net: ReluNetwork, x: Row, eps: Fraction, form: tuple[Row, Fraction], relaxed: Any
) -> Fraction:
    """Return the least of form · σ(z) + constant, σ(z) of the last layer with lines, or of x."""
    a, bound = form
    for j in range(len(relaxed) - 1, -1, -1):
        passed = []
        for coefficient, (below, above, offset) in zip(a, relaxed[j], strict=True):
            up, down = max(coefficient, Fraction(0)), min(coefficient, Fraction(0))
            passed.append(up * below + down * above)
            bound += down * offset
        bound += dot(passed, row(net.biases[j]))
        columns = list(zip(*matrix(net.weights[j]), strict=True))
        a = [dot(passed, list(column)) for column in columns]
    return bound + dot(a, x) - eps * sum((abs(u) for u in a), Fraction(0))
