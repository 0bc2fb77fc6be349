"""SymPy checks the algebraic steps that theory/proofs/limits.md labels and does not cite."""

import re
from pathlib import Path

import sympy
from sympy import (
    Function,
    Rational,
    cos,
    diff,
    erf,
    exp,
    integrate,
    log,
    oo,
    pi,
    simplify,
    sin,
    sqrt,
)

import theory

a, s, t, D, p = sympy.symbols("a s t D p", positive=True)
u, c, x = sympy.symbols("u c x", real=True)
# Cited: the two isoperimetric inequalities, and the lemma of Neyman and Pearson ([L14]); or words.
CITED = {1, 14}


def phi(value):
    return exp(-(value**2) / 2) / sqrt(2 * pi)


def cdf(value):
    return (1 + erf(value / sqrt(2))) / 2


def test_l2_complement_of_the_neighbourhood():
    # With v = -u for the score of the errors: 1 - Φ(-u + t) = Φ(u - t).
    assert simplify(1 - cdf(-u + t) - cdf(u - t)) == 0


def test_l3_dual_norms_are_reached():
    Sigma = sympy.Matrix([[5, 2], [2, 2]])
    w = sympy.Matrix([2, 1]) / sqrt(5)
    assert simplify(w.norm() - 1) == 0
    assert simplify((w.T * Sigma * w)[0] - max(Sigma.eigenvals())) == 0
    weight = sympy.symbols("theta", real=True)
    mixed = sympy.Matrix([weight, 1 - weight])  # an edge of the dual ball of Linf: convex in it
    assert diff((mixed.T * Sigma * mixed)[0], weight, 2) > 0


def test_l4_mean_distance():
    antiderivative = -(s * ((u - x / s) * cdf(u - x / s) + phi(u - x / s)))
    assert simplify(diff(antiderivative, x) - cdf(u - x / s)) == 0
    value = sympy.limit(antiderivative, x, oo) - antiderivative.subs(x, 0)
    assert simplify(value - s * (u * cdf(u) + phi(u))) == 0


def test_l5_labels_are_errors_of_the_others():
    # 'Not k' has the score -u_k, so that [L2] gives the tail of u_k - t.
    assert simplify(1 - cdf(-(u - t)) - cdf(u - t)) == 0


def test_l6_slope_in_the_share_rises():
    slope = diff(cdf(u - t), u) / diff(cdf(u), u)
    assert simplify(slope - exp(u * t - t**2 / 2)) == 0
    assert simplify(diff(exp(u * t - t**2 / 2), u)).is_positive


def test_l7_exponential_exceeds_two_tails():
    gap = exp(-(t**2) / 2) - 2 * cdf(-t)
    assert simplify(diff(gap, t) - (sqrt(2 / pi) - t) * exp(-(t**2) / 2)) == 0
    assert sympy.limit(gap, t, oo) == 0
    assert gap.subs(t, 0) == 0


def test_l8_density_is_that_of_the_incomplete_beta():
    angle = sympy.symbols("angle", positive=True)
    for d in (2, 3, 4, 7):
        half = Rational(d - 1, 2)
        beta = sympy.gamma(half) * sqrt(pi) / sympy.gamma(half + Rational(1, 2))
        density = sin(angle) ** (2 * (half - 1)) * 2 * sin(angle) / (2 * beta)
        claimed = sympy.gamma(Rational(d, 2)) / sqrt(pi) / sympy.gamma(half) * sin(angle) ** (d - 2)
        assert simplify(density - claimed) == 0
        assert simplify(2 * integrate(claimed, (angle, 0, pi / 2)) - 1) == 0


def test_l9_chord_of_an_angle():
    R = sympy.symbols("R", positive=True)
    apart = sympy.Matrix([R * cos(t) - R, R * sin(t)])
    assert simplify(apart.dot(apart) - (2 * R * sin(t / 2)) ** 2) == 0


def test_l10_speed_of_a_chord():
    R = sympy.symbols("R", positive=True)
    assert simplify(diff(2 * R * sin(t / 2), t) - R * cos(t / 2)) == 0


def test_l11_third_derivative_where_the_second_vanishes():
    angle, d = sympy.symbols("angle d", positive=True)
    score = Function("u")(angle)
    first = diff(score, angle)
    # (log σ')' = (log φ(u) + log u')' = (d - 2) cot θ
    second = first * ((d - 2) * sympy.cot(angle) + score * first)
    assert (
        simplify(
            diff(log(phi(score)) + log(first), angle) + score * first - diff(first, angle) / first
        )
        == 0
    )
    bracket = (d - 2) * sympy.cot(angle) + score * first
    third = diff(second, angle).subs(diff(score, angle, 2), 0)
    left = first * diff(bracket, angle).subs(diff(score, angle, 2), 0)
    claimed = first * (first**2 - (d - 2) / sin(angle) ** 2)
    assert simplify(third - left) == 0  # the other term has the bracket, which is 0 there
    assert simplify((left - claimed).rewrite(sin)) == 0


def test_l12_kappa_is_between_two_roots():
    d = sympy.symbols("d", positive=True)

    def kappa(n):
        return sqrt(2) * sympy.gamma(n / 2) / sympy.gamma((n - 1) / 2)

    assert simplify(sympy.gammasimp(kappa(d) * kappa(d - 1)) - (d - 2)) == 0
    assert simplify(kappa(sympy.Integer(2)) - sqrt(2 / pi)) == 0
    # u' at π/2: the density there over φ(0)
    c_d = sympy.gamma(d / 2) / sqrt(pi) / sympy.gamma((d - 1) / 2)
    assert simplify(c_d / phi(sympy.Integer(0)) - kappa(d)) == 0


def test_l13_mean_of_the_closed_form():
    kappa = sympy.symbols("kappa", positive=True)
    antiderivative = -((u - kappa * x) * cdf(u - kappa * x) + phi(u - kappa * x)) / kappa
    assert simplify(diff(antiderivative, x) - cdf(u - kappa * x)) == 0


def test_l15_shift_of_both_labels():
    up, down = D / 2 + c - t, D / 2 - c - t
    assert simplify(up + down - (D - 2 * t)) == 0


def test_l16_sign_of_the_slope():
    odds = sympy.symbols("odds", positive=True)  # π₊/π₋
    slope = odds * diff(cdf(D / 2 + c), c) + diff(cdf(D / 2 - c), c)
    claimed = phi(D / 2 - c) * (odds * exp(-D * c) - 1)
    assert simplify(slope - claimed) == 0


def test_l17_interval_of_the_attacked_tilt():
    S, e = sympy.symbols("S e", real=True)
    gamma = (D - 2 * t - S) / 2
    upper = (D / 2 + c - t) - (S / 2 + e)
    lower = (D / 2 - c - t) - (S / 2 - e)
    assert simplify(upper - (gamma - (e - c))) == 0
    assert simplify(lower - (gamma + (e - c))) == 0


def test_l18_mean_distance_is_convex_in_the_tilt():
    prior = sympy.symbols("prior", positive=True)

    def mean(score):
        return score * cdf(score) + phi(score)

    total = prior * mean(D / 2 + c) + (1 - prior) * mean(D / 2 - c)
    claimed = prior * phi(D / 2 + c) + (1 - prior) * phi(D / 2 - c)
    assert simplify(diff(total, c, 2) - claimed) == 0


def test_every_labelled_step_of_the_proof_has_a_check():
    text = (Path(theory.__file__).parent / "proofs" / "limits.md").read_text(encoding="utf-8")
    labelled = {int(n) for n in re.findall(r"\[L(\d+)\]$", text, flags=re.MULTILINE)}
    checked = {int(m[1]) for name in globals() if (m := re.match(r"test_l(\d+)_", name))}
    assert labelled - CITED == checked
