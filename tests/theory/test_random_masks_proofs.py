"""SymPy checks the steps that theory/proofs/random_masks.md labels [P]."""

import re
from itertools import product
from pathlib import Path

import sympy
from sympy import Matrix, binomial, diff, expand, simplify, sqrt, symbols

import theory

PROOF = Path(theory.__file__).parent / "proofs" / "random_masks.md"

rho = symbols("rho", positive=True)
a, b, v, w, t = symbols("a b v w t", positive=True)


def mean(values: dict[tuple[int, ...], sympy.Expr]) -> sympy.Expr:
    """Return the mean of what masks (0, 1, ...) give, each entry 1 with probability rho."""
    return sum(
        rho ** sum(mask) * (1 - rho) ** (len(mask) - sum(mask)) * value
        for mask, value in values.items()
    )


def masks(n: int) -> list[tuple[int, ...]]:
    return list(product((0, 1), repeat=n))


def test_p1_second_moments_of_a_masked_layer() -> None:
    W = Matrix(2, 2, symbols("w1:5", positive=True))
    g = symbols("g1:4", positive=True)
    G = Matrix([[g[0], g[1]], [g[1], g[2]]])
    masked = {m: W.multiply_elementwise(Matrix(2, 2, m)) for m in masks(4)}
    exact = [mean({m: (V * G * V.T)[k] for m, V in masked.items()}) for k in range(4)]
    squares = W.multiply_elementwise(W) * Matrix([g[0], g[2]])
    stepped = rho**2 * W * G * W.T + rho * (1 - rho) * sympy.diag(*squares)
    for left, right in zip(exact, stepped, strict=True):
        assert expand(left - right) == 0


def test_p2_densities_times_the_constant_are_no_bound() -> None:
    exact = mean({m: sqrt(sum(m)) for m in masks(2)})
    assert expand(exact - sqrt(2) * rho - (2 - sqrt(2)) * rho * (1 - rho)) == 0


def test_p3_given_numbers_of_kept_weights_average_out() -> None:
    n = 5
    chances = [binomial(n, k) * rho**k * (1 - rho) ** (n - k) for k in range(n + 1)]
    own = sum(p * sympy.Rational(k, n) for k, p in enumerate(chances))
    pairs = sum(p * sympy.Rational(k * (k - 1), n * (n - 1)) for k, p in enumerate(chances))
    assert expand(own - rho) == 0
    assert expand(pairs - rho**2) == 0


def test_p4_slope_by_one_density() -> None:
    T = a * rho + b * rho**2
    assert simplify(rho * diff(T, rho) / T - 1 - b * rho / (a + b * rho)) == 0
    assert (a + 2 * b * rho).is_positive  # its derivative
    assert expand(diff(T, rho) - a - 2 * b * rho) == 0
    assert simplify(1 - b * rho / (a + b * rho) - a / (a + b * rho)) == 0  # hence at most 2
    c = symbols("c", positive=True)
    alpha = symbols("alpha", positive=True)
    eta = 1 - sqrt(T.subs(rho, 1 - alpha)) / c
    wanted = (diff(T, rho) / (2 * c * sqrt(T))).subs(rho, 1 - alpha)
    assert simplify(diff(eta, alpha) - wanted) == 0


def test_p5_moments_of_a_masked_difference() -> None:
    for signs in product((1, -1), repeat=2):
        y, k = signs[0] * v, signs[1] * w
        r = {m: abs(y * m[0] - k * m[1]) for m in masks(2)}
        first = rho**2 * abs(y - k) + rho * (1 - rho) * (abs(y) + abs(k))
        second = rho**2 * (y - k) ** 2 + rho * (1 - rho) * (y**2 + k**2)
        assert simplify(expand(mean(r) - first)) == 0
        assert expand(mean({m: (y * m[0] - k * m[1]) ** 2 for m in r}) - second) == 0


def test_p6_slope_of_the_mean_difference() -> None:
    gap, size = symbols("gap size", nonnegative=True)
    first = rho**2 * gap + rho * (1 - rho) * size
    slope = diff(first, rho)
    assert expand(slope - (2 * rho * gap + (1 - 2 * rho) * size)) == 0
    assert slope.subs({gap: 0, size: 2 * w, rho: 1}) == -2 * w
    assert expand(first.subs({gap: 0, size: 2 * w}) - 2 * rho * (1 - rho) * w) == 0


def test_p7_cumulants_of_a_mask() -> None:
    log = sympy.log(1 - rho + rho * sympy.exp(t))
    variance = rho * (1 - rho)
    wanted = (rho, variance, variance * (1 - 2 * rho), variance * (1 - 6 * variance))
    for order, cumulant in enumerate(wanted, start=1):
        assert simplify(diff(log, t, order).subs(t, 0) - cumulant) == 0


def test_p8_variance_of_a_square_by_cumulants() -> None:
    k1, k2, k3, k4 = symbols("k1:5", real=True)
    log = k1 * t + k2 * t**2 / 2 + k3 * t**3 / 6 + k4 * t**4 / 24
    second, fourth = (diff(sympy.exp(log), t, order).subs(t, 0) for order in (2, 4))
    wanted = k4 + 4 * k3 * k1 + 2 * k2**2 + 4 * k2 * k1**2
    assert expand(fourth - second**2 - wanted) == 0


def test_p9_draws_without_replacement_are_negatively_correlated() -> None:
    m, N = symbols("m N", positive=True)
    gap = m * (m - 1) / (N * (N - 1)) - (m / N) ** 2
    assert simplify(gap + m * (N - m) / (N**2 * (N - 1))) == 0


def test_p10_factors_of_factorial_moments() -> None:
    m, N, i = symbols("m N i", positive=True)
    assert simplify(m / N - (m - i) / (N - i) - i * (N - m) / (N * (N - i))) == 0


def test_p11_signed_paths_cancel_until_pruned() -> None:
    exact = mean({m: sympy.Integer(abs(m[0] - m[1])) for m in masks(2)})
    assert expand(exact - 2 * rho * (1 - rho)) == 0
    assert (exact.subs(rho, 1), sympy.solve(diff(exact, rho), rho)) == (0, [sympy.Rational(1, 2)])


def test_p12_what_jensen_loses() -> None:
    first, root = symbols("first root", positive=True)
    x = symbols("x")
    squared = expand((x / root - 1) ** 2 / 2)
    moments = {0: 1, 1: first, 2: root**2}  # of X, E X² = root²
    gap = sum(c * moments[k] for (k,), c in sympy.Poly(squared, x).terms())
    assert simplify(root * (1 - gap) - first) == 0


def test_every_labelled_step_of_the_proof_has_a_check() -> None:
    labelled = {label.lower() for label in re.findall(r"\[(P\d+)\]", PROOF.read_text("utf-8"))}
    checked = {found[1] for name in globals() if (found := re.match(r"test_(p\d+)_", name))}
    assert labelled == checked
