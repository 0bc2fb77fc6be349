"""SymPy checks the steps that theory/proofs/ratio_law.md labels [R]."""

import re
from itertools import product
from pathlib import Path

import sympy
from sympy import Rational, diff, erf, exp, expand, integrate, oo, pi, simplify, sqrt, symbols

import theory

PROOF = Path(theory.__file__).parent / "proofs" / "ratio_law.md"

v, t = symbols("v t", positive=True)
# E w^k of one entry: mean zero, variance v, kurtosis t; the third moment is not used up.
third = symbols("third", real=True)
MOMENTS = {0: sympy.Integer(1), 1: sympy.Integer(0), 2: v, 3: third, 4: t * v**2}


def mean(polynomial: sympy.Expr, entries: tuple[sympy.Symbol, ...]) -> sympy.Expr:
    """Return the mean over independent entries with these moments."""
    terms = sympy.Poly(expand(polynomial), *entries).terms()
    return sum(c * sympy.prod([MOMENTS[k] for k in powers]) for powers, c in terms)


def test_r1_moments_of_a_sum() -> None:
    w, a = symbols("w1:4"), symbols("a1:4")
    total = sum(x * y for x, y in zip(w, a, strict=True))
    two, four = sum(x**2 for x in a), sum(x**4 for x in a)
    assert expand(mean(total**2, w) - v * two) == 0
    assert expand(mean(total**4, w) - v**2 * (3 * two**2 + (t - 3) * four)) == 0


def test_r2_moments_of_a_quadratic_form() -> None:
    w = symbols("w1:4")
    A = sympy.Matrix(3, 3, lambda i, j: symbols(f"A{min(i, j)}{max(i, j)}"))
    form = sum(A[i, j] * w[i] * w[j] for i, j in product(range(3), repeat=2))
    trace, frobenius = A.trace(), sum(entry**2 for entry in A)
    own = sum(A[i, i] ** 2 for i in range(3))
    assert expand(mean(form, w) - v * trace) == 0
    wanted = v**2 * (trace**2 + 2 * frobenius + (t - 3) * own)
    assert expand(mean(form**2, w) - wanted) == 0


def test_r3_counterexamples_of_one_unit() -> None:
    ratios = []
    for law in ({2: Rational(1, 3), -1: Rational(2, 3)}, {1: Rational(1, 2), -1: Rational(1, 2)}):
        output = slope = sympy.Integer(0)
        for one, other in product(law, repeat=2):
            chance = law[one] * law[other] if one + other > 0 else 0
            output += chance * (one + other) ** 2
            slope += chance * (one**2 + other**2)
        assert sum(w * p for w, p in law.items()) == 0
        ratios.append(output / slope)
    assert ratios == [Rational(5, 7), 2]


def test_r4_moments_of_a_row_that_meets_a_layer_and_coins() -> None:
    q = symbols("q1:3")
    W = sympy.Matrix(2, 2, symbols("w1:5"))
    row = [sum(q[i] * W[i, u] for i in range(2)) for u in range(2)]
    two, four, n = sum(x**2 for x in q) ** 2, sum(x**4 for x in q), 2
    one = 3 * two + (t - 3) * four
    squares, fourths = sum(x**2 for x in row) ** 2, sum(x**4 for x in row)
    assert expand(mean(fourths, tuple(W)) - n * v**2 * one) == 0
    assert expand(mean(squares, tuple(W)) - n * (n - 1) * v**2 * two - n * v**2 * one) == 0
    r = symbols("r1:4")
    coins = list(product((0, 1), repeat=3))
    after = [[b * x for b, x in zip(coin, r, strict=True)] for coin in coins]
    halves = sum(sum(x**2 for x in some) ** 2 for some in after) / len(coins)
    quarters = sum(sum(x**4 for x in some) for some in after) / len(coins)
    both, each = sum(x**2 for x in r) ** 2, sum(x**4 for x in r)
    assert expand(halves - (both + each) / 4) == 0
    assert expand(quarters - each / 2) == 0


def test_r5_one_coordinate_of_the_sphere() -> None:
    # The density of u_1 is (1 - u²)^((d-3)/2): that of its square is the beta law's.
    u, s, d = symbols("u s d", positive=True)
    density = (1 - u**2) ** ((d - 3) / 2)
    squared = density.subs(u, sqrt(s)) / (2 * sqrt(s))
    beta = s ** (Rational(1, 2) - 1) * (1 - s) ** ((d - 1) / 2 - 1)
    assert simplify(squared / beta - Rational(1, 2)) == 0
    for n in (3, 5, 9):  # polynomials
        some = expand(density.subs(d, n))
        second = integrate(expand(u**2 * some), (u, 0, 1)) / integrate(some, (u, 0, 1))
        assert second == Rational(1, n)


def test_r6_moments_of_a_rectified_normal() -> None:
    # z = mu + tau s is positive for s > -mu / tau: antiderivatives, and their values there.
    s, mu = symbols("s mu", real=True)
    tau = symbols("tau", positive=True)
    edge = exp(-(s**2) / 2) / sqrt(2 * pi)
    below = (1 + erf(s / sqrt(2))) / 2
    first = mu * below - tau * edge
    second = (mu**2 + tau**2) * below - (2 * mu * tau + tau**2 * s) * edge
    assert simplify(diff(first, s) - (mu + tau * s) * edge) == 0
    assert simplify(diff(second, s) - (mu + tau * s) ** 2 * edge) == 0
    on, there = below.subs(s, mu / tau), edge.subs(s, mu / tau)
    for whole, wanted in (
        (first, mu * on + tau * there),
        (second, (mu**2 + tau**2) * on + mu * tau * there),
    ):
        assert simplify(whole.limit(s, oo) - whole.subs(s, -mu / tau) - wanted) == 0


def test_r7_the_ratio_rises_with_a_density() -> None:
    rho, P, Q = symbols("rho P Q", positive=True)
    T = rho**2 * P + rho * (1 - rho) * Q
    assert simplify(diff(T / rho**2, rho) + Q / rho**2) == 0


def test_every_labelled_step_of_the_proof_has_a_check() -> None:
    labelled = {label.lower() for label in re.findall(r"\[(R\d+)\]", PROOF.read_text("utf-8"))}
    checked = {found[1] for name in globals() if (found := re.match(r"test_(r\d+)_", name))}
    assert labelled == checked
