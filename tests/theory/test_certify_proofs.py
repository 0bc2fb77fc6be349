"""SymPy checks the steps that theory/proofs/certify.md labels [R]."""

import re
from pathlib import Path

import pytest
import sympy
from sympy import Matrix, Rational, diff, expand, simplify, solve, sqrt, symbols

import theory

PROOF = Path(theory.__file__).parent / "proofs" / "certify.md"

mu, tau, eps, beta, t = symbols("mu tau epsilon beta t", positive=True)
a, c, g, h, s, w, z = symbols("a c g h s w z", real=True)


def relu(value: sympy.Expr) -> sympy.Expr:
    return sympy.Max(0, value)


def test_r1_chord_meets_relu_at_both_ends() -> None:
    lo, hi = -symbols("below", positive=True), symbols("hi", positive=True)
    chord = hi / (hi - lo)
    for end in (lo, hi):
        assert simplify(relu(end) - (chord * end - chord * lo)) == 0


def test_r2_mean_and_half_give_both_lines() -> None:
    below, above, offset = symbols("below above offset", real=True)
    mean, half = (below + above) / 2, (below - above) / 2
    size = symbols("size", positive=True)
    for weight in (size, -size, sympy.S.Zero):
        up, down = sympy.Max(weight, 0), sympy.Min(weight, 0)
        assert expand(up * below + down * above - (weight * mean + abs(weight) * half)) == 0
        assert expand(up * above + down * below - (weight * mean - abs(weight) * half)) == 0
        assert expand(down * offset - (weight - abs(weight)) * offset / 2) == 0
        assert expand(up * offset - (weight + abs(weight)) * offset / 2) == 0


def test_r3_square_of_the_dual() -> None:
    assert expand(h * z + mu * z**2 / 2 - (mu * (z + h / mu) ** 2 / 2 - h**2 / (2 * mu))) == 0


def test_r4_first_multiplier_gives_the_ball() -> None:
    form = Matrix(symbols("h1:4", positive=True))
    first = form.norm() / eps
    move = -form / first
    assert simplify(move.norm() - eps) == 0
    dual = form.dot(move) + first * (move.dot(move) - eps**2) / 2
    assert simplify(dual + eps * form.norm()) == 0


def test_r5_next_multiplier_makes_the_move_as_long_as_the_radius() -> None:
    pull, room = symbols("pull room", positive=True)
    (better,) = solve(eps**2 - room + pull / mu**2 - eps**2, mu)
    assert simplify(better - sqrt(pull / room)) == 0


def test_r6_gradient_of_the_largest_eigenvalues() -> None:
    logs = symbols("l1:3", real=True)
    gram = Matrix(2, 2, [2, Rational(1, 3), Rational(1, 3), 1])
    for sign in (1, -1):
        root = sympy.diag(*(sympy.exp(sign * l / 2) for l in logs))
        scaled = root * gram * root
        trace, det = scaled.trace(), scaled.det()
        largest = (trace + sqrt(trace**2 - 4 * det)) / 2
        vector = Matrix([scaled[0, 1], largest - scaled[0, 0]])
        at = {logs[0]: Rational(1, 5), logs[1]: -Rational(1, 2)}
        for i in range(2):
            share = vector[i] ** 2 / vector.dot(vector)
            gap = diff(sympy.log(largest), logs[i]) - sign * share
            assert abs(sympy.N(gap.subs(at), 50)) < 1e-40  # fifty digits


def test_r7_square_of_a_unit() -> None:
    square = beta * (t - (c - s / beta)) ** 2 / 2 + s * c - s**2 / (2 * beta)
    assert expand(s * t + beta * (t - c) ** 2 / 2 - square) == 0


def test_r8_supergradients_are_those_of_the_attained_minimum() -> None:
    d = symbols("d", positive=True)
    # A unit that is on: slope a - g, its minimum inside the interval; then the radius' own term.
    worst = c - (a - g) / (tau * d)
    least = ((a - g) * z + tau * d * (z - c) ** 2 / 2 - tau * eps**2 / 2).subs(z, worst)
    assert simplify(diff(least, g) + worst) == 0
    assert simplify(diff(least, a) - worst) == 0
    outside = (d * (worst - c) ** 2 - eps**2) / 2
    assert simplify(diff(least, tau) - outside) == 0
    log = symbols("log", real=True)
    assert simplify(diff(least.subs(tau, sympy.exp(log)), log).subs(log, sympy.log(tau))) == (
        simplify(tau * outside)
    )


@pytest.mark.parametrize("case", [(2, 1, 1), (-1, 2, 1), (1, -3, 2), (-2, -1, 3), (3, 1, -2)])
def test_r9_unit_of_sdp_crown(case: tuple[int, int, int]) -> None:
    form, slope, centre = (sympy.Integer(v) for v in case)
    for bend in (Rational(1, 2), Rational(3)):
        sides = []
        for steep, end in ((form - slope, 1), (-slope, -1)):
            at = centre - steep / bend
            at = at if at * end >= 0 else sympy.S.Zero  # the half-line t >= 0 or t <= 0
            sides.append(steep * at + bend * (at - centre) ** 2 / 2)
        phi = min(form - slope - bend * centre, slope + bend * centre, sympy.S.Zero)
        assert simplify(min(sides) - (bend * centre**2 / 2 - phi**2 / (2 * bend))) == 0


def test_r10_multiplier_of_many_units_gives_the_root() -> None:
    n = symbols("n", positive=True)
    bound = -n / (2 * tau) - tau * eps**2 / 2
    (best,) = solve(diff(bound, tau), tau)
    assert simplify(best - sqrt(n) / eps) == 0
    assert simplify(bound.subs(tau, best) + eps * sqrt(n)) == 0
    # One unit, slope 0 and form -1: least at t = 1 / tau, of value -1 / (2 tau).
    assert simplify((-t + tau * t**2 / 2).subs(t, 1 / tau) + 1 / (2 * tau)) == 0


@pytest.mark.parametrize(
    ("radius", "expected"),
    [(Rational(1, 4), Rational(3, 2)), (1, 1), (2, 0), (Rational(9, 4), -Rational(1, 4)), (3, 0.5)],
)
def test_r11_margins_of_the_example(radius: sympy.Rational, expected: sympy.Rational) -> None:
    x, radius = -Rational(1, 2), sympy.sympify(radius)
    lo, hi = x - radius, x + radius
    chord = hi / (hi - lo) if hi > 0 else sympy.S.Zero
    # z_2 = 1 - relu(z_1): at least 1 minus the chord at its upper end, at most 1, by slope 0.
    low, high = 1 - (chord * hi - chord * lo), sympy.S.One
    passed = 1 if low >= 0 or high > -low else 0
    assert passed * low + Rational(1, 2) == sympy.nsimplify(expected)


def test_every_labelled_step_of_the_proof_has_a_check() -> None:
    labelled = {label.lower() for label in re.findall(r"\[(R\d+)\]", PROOF.read_text("utf-8"))}
    checked = {found[1] for name in globals() if (found := re.match(r"test_(r\d+)_", name))}
    assert labelled == checked
