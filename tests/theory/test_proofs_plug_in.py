"""SymPy checks the algebraic steps that theory/proofs/plug_in.md labels [P1] to [P10]."""

import re
from pathlib import Path

import sympy
from sympy import (
    Rational,
    diff,
    erf,
    exp,
    gamma,
    integrate,
    log,
    oo,
    pi,
    simplify,
    sqrt,
    symbols,
)

import theory

a, h, n, s, t, x, nu = symbols("a h n sigma t x nu", positive=True)
u, v, z = symbols("u v z", real=True)


def phi(value):
    return exp(-(value**2) / 2) / sqrt(2 * pi)


def cdf(value):
    return (1 + erf(value / sqrt(2))) / 2


def expected_inverse(freedom):
    """Return E[1/c²] for c² chi-square, from its density."""
    density = x ** (freedom / 2 - 1) * exp(-x / 2) / (2 ** (freedom / 2) * gamma(freedom / 2))
    return integrate(density / x, (x, 0, oo), conds="none")


def test_p1_cantelli_and_the_law_that_meets_it():
    bound = (1 + u**2) / (a + u) ** 2
    assert simplify(diff(bound, u).subs(u, 1 / a)) == 0
    assert simplify(diff(bound, u) - 2 * (a * u - 1) / (a + u) ** 3) == 0  # one minimum
    assert simplify(bound.subs(u, 1 / a) - 1 / (1 + a**2)) == 0
    lost = 1 / (1 + a**2)
    low, high = t, t + s * (a + 1 / a)
    mean = lost * low + (1 - lost) * high
    assert simplify(mean - (t + a * s)) == 0
    assert simplify(lost * (low - mean) ** 2 + (1 - lost) * (high - mean) ** 2 - s**2) == 0


def test_p2_difference_of_the_two_errors_rises_once():
    f = 2 * cdf(a) - 1 - a**2 / (1 + a**2)
    ratio = (1 + a**2) ** 2 * phi(a) / a
    assert simplify(diff(f, a) - 2 * a * (ratio - 1) / (1 + a**2) ** 2) == 0
    assert simplify(diff(log(ratio), a) + (a**2 - 1) ** 2 / (a * (1 + a**2))) == 0
    assert sympy.limit(ratio, a, 0) == oo
    assert sympy.limit(ratio, a, oo) == 0
    assert (sympy.limit(f, a, 0), sympy.limit(f, a, oo)) == (0, 0)
    g = cdf(a) - a**2 / (1 + a**2)
    assert simplify(diff(g, a) - a * (ratio - 2) / (1 + a**2) ** 2) == 0


def test_p3_mean_inverse_chi_square():
    assert simplify(sympy.gammasimp(expected_inverse(nu)) - 1 / (nu - 2)) == 0


def test_p4_ratio_of_the_densities_turns_at_three():
    constant = symbols("constant")
    log_student = -(nu + 1) / 2 * log(1 + v / (nu - 2)) + constant
    assert simplify(diff(log_student + v / 2, v) - (v - 3) / (2 * (nu - 2 + v))) == 0
    # At 0: the constants of the two densities, x = nu / 2.
    student = gamma(x + Rational(1, 2)) / (sqrt(2 * x * pi) * gamma(x)) * sqrt(2 * x / (2 * x - 2))
    claimed = gamma(x + Rational(1, 2)) / (gamma(x) * sqrt(x - 1))
    assert simplify((student / phi(0)) ** 2 - claimed**2) == 0
    assert simplify(x**2 - (x - 1) * (x + Rational(1, 2)) - (x + 1) / 2) == 0


def test_p5_kurtosis_of_a_sum():
    w, sigma, kappa = (symbols(f"{name}1:4") for name in ("w", "sigma", "kappa"))
    order = symbols("order")
    # Cumulants add up; the fourth is kappa sigma^4 and scales with the fourth power.
    generating = sum(
        (wi * order * si) ** 2 / 2 + ki * (wi * order * si) ** 4 / 24
        for wi, si, ki in zip(w, sigma, kappa, strict=True)
    )
    second = diff(generating, order, 2).subs(order, 0)
    fourth = diff(generating, order, 4).subs(order, 0)
    claimed = sum((wi * si) ** 4 * ki for wi, si, ki in zip(w, sigma, kappa, strict=True))
    assert simplify(second - sum((wi * si) ** 2 for wi, si in zip(w, sigma, strict=True))) == 0
    assert simplify(fourth - claimed) == 0


def test_p6_smoothing_is_a_mean_over_shifts():
    # Pr(Z > (t - M)/h) for a standard normal Z.
    tail = integrate(phi(z), (z, -u / h, oo))
    assert simplify((tail - cdf(u / h)).rewrite(erf)) == 0


def test_p7_mean_size_of_a_gaussian():
    assert simplify(2 * integrate(z * phi(z), (z, 0, oo)) - sqrt(2 / pi)) == 0


def test_p8_bandwidth():
    # By parts: the integral of Phi(u)^2 - 1{u > 0} is minus that of u (Phi(u)^2)'.
    assert simplify(integrate(u * 2 * cdf(u) * phi(u), (u, -oo, oo)) - 1 / sqrt(pi)) == 0
    slope = diff(phi(u / s) / s, u)
    assert simplify(integrate(slope**2, (u, -oo, oo)) - 1 / (4 * sqrt(pi) * s**3)) == 0
    error = -h / (n * sqrt(pi)) + h**4 / 4 / (4 * sqrt(pi) * s**3)
    best = s * (4 / n) ** Rational(1, 3)
    assert simplify(diff(error, h).subs(h, best)) == 0
    assert simplify(diff(error, h, 2)).is_positive


def test_p9_mean_of_kolmogorov():
    k = symbols("k", positive=True, integer=True)
    each = integrate(exp(-2 * k**2 * x**2), (x, 0, oo))
    total = sympy.summation(2 * (-1) ** (k - 1) * simplify(each), (k, 1, oo))
    assert simplify(total - sqrt(pi / 2) * log(2)) == 0


def test_p10_square_of_a_further_draw():
    # n s² / sigma² is chi-square with n - 1 degrees of freedom, independent of the mean.
    inverse = n / (n - 3)  # [P3] at n - 1, times n
    assert simplify((1 / (nu - 2)).subs(nu, n - 1) * n - inverse) == 0
    assert simplify((1 + 1 / n) * inverse - (n + 1) / (n - 3)) == 0


def test_every_labelled_step_of_the_proof_has_a_check():
    text = (Path(theory.__file__).parent / "proofs" / "plug_in.md").read_text(encoding="utf-8")
    labelled = set(re.findall(r"\[P(\d+)\]$", text, flags=re.MULTILINE))
    checked = {found[1] for name in globals() if (found := re.match(r"test_p(\d+)_", name))}
    assert labelled == checked
