"""SymPy checks the algebraic steps that theory/proofs/mixtures.md labels [M1] to [M8]."""

import re
from pathlib import Path

import sympy
from sympy import Matrix, Rational, diff, erf, exp, integrate, log, oo, pi, simplify, sqrt, symbols

import theory

a, s, t, nu, eps = symbols("a s t nu epsilon", positive=True)
m, u, ell = symbols("m u ell", real=True)
prior = symbols("pi_plus", positive=True)


def phi(value):
    return exp(-(value**2) / 2) / sqrt(2 * pi)


def cdf(value):
    return (1 + erf(value / sqrt(2))) / 2


def vector(name, d=2):
    return Matrix(symbols(f"{name}1:{d + 1}", real=True))


def positive_matrix(d=2):
    """Every positive definite matrix has a Cholesky factor with a positive diagonal."""

    def entry(i, j):
        return 0 if i < j else symbols(f"l{i}{j}", real=True, positive=True if i == j else None)

    factor = Matrix(d, d, entry)
    return factor * factor.T


def test_m1_margin_has_the_stated_mean_and_variance():
    w, mean, g, b = vector("w"), vector("mu"), vector("g"), symbols("b", real=True)
    factor = Matrix(2, 2, symbols("L1:5", real=True))
    margin = sympy.expand((w.T * (mean + factor * g))[0] + b)

    def expectation(polynomial):
        # Moments of independent standard normals: E g = 0, E g_i g_j = 1{i = j}.
        powers = {(0, 0), (2, 0), (0, 2)}
        return sum(c for p, c in sympy.Poly(polynomial, *g).terms() if p in powers)

    centre = expectation(margin)
    assert simplify(centre - (w.T * mean)[0] - b) == 0
    variance = expectation(sympy.expand((margin - centre) ** 2))
    assert simplify(variance - (w.T * factor * factor.T * w)[0]) == 0


def test_m2_gaussian_tail():
    tail = integrate(phi((u - m) / s) / s, (u, t, oo))
    assert simplify(tail - cdf((m - t) / s)) == 0


def test_m2_worst_perturbations_reach_the_dual_norm():
    w = Matrix([3, -5, 1]) * s
    l2, linf, l1 = w / w.norm(), w.applyfunc(sympy.sign), Matrix([0, -1, 0])
    for v, norm, dual in ((l2, 2, w.norm()), (linf, oo, 9 * s), (l1, 1, 5 * s)):
        assert simplify(v.norm(norm) - 1) == 0
        assert simplify(w.dot(v) - dual) == 0


def test_m3_mean_positive_gaussian():
    density = phi((u - m) / s) / s
    # d/du of the antiderivative m Phi - s phi is u times the density; its ends give the formula.
    antiderivative = m * cdf((u - m) / s) - s**2 * density
    assert simplify(diff(antiderivative, u) - u * density) == 0
    value = sympy.limit(antiderivative, u, oo) - antiderivative.subs(u, 0)
    assert simplify(value - (m * cdf(m / s) + s * phi(m / s))) == 0


def test_m4_log_odds_are_linear():
    x, c, mu, Sigma = vector("x"), vector("c"), vector("mu"), positive_matrix()
    inverse = Sigma.inv()

    def log_density(mean):  # up to the normaliser, which the two labels share
        return -((x - mean).T * inverse * (x - mean))[0] / 2

    w = 2 * inverse * mu
    claimed = (w.T * x)[0] + ell - (w.T * c)[0]
    assert simplify(ell + log_density(c + mu) - log_density(c - mu) - claimed) == 0


def test_m5_margins_of_the_bayes_classifier():
    c, r, Sigma = vector("c"), vector("r"), positive_matrix()
    square = (r.T * Sigma.inv() * r)[0]
    w = 2 * Sigma.inv() * r
    b = ell - (w.T * c)[0]
    for y in (-1, 1):
        assert simplify(y * ((w.T * (c + y * r))[0] + b) - (2 * square + y * ell)) == 0
    assert simplify((w.T * Sigma * w)[0] - 4 * square) == 0
    for y in (-1, 1):
        assert simplify((2 * a**2 + y * ell) / (2 * a) - (a + y * ell / (2 * a))) == 0


def test_m5_accuracy_increases_with_a():
    odds = log(prior / (1 - prior))
    up, down = a + odds / (2 * a), a - odds / (2 * a)
    accuracy = prior * cdf(up) + (1 - prior) * cdf(down)
    slope = diff(accuracy, a) / phi(up)
    # phi(down) / phi(up) is exp(l), which is the odds.
    ratio = exp(simplify((up**2 - down**2) / 2))
    assert simplify(ratio - prior / (1 - prior)) == 0
    assert simplify(prior * diff(up, a) + (1 - prior) * ratio * diff(down, a) - 2 * prior) == 0
    for value in (Rational(1, 2), Rational(1, 5), Rational(9, 10)):
        numeric = slope.subs({prior: value, a: Rational(3, 4)}).evalf(30)
        assert abs(numeric - 2 * value) < 1e-25  # 30 digits less cancellation


def test_m6_duality_gap_is_two_nonnegative_terms():
    v, mu, z, Sigma = vector("v"), vector("mu"), vector("z"), positive_matrix()
    dual, inverse = symbols("dual", real=True), Sigma.inv()
    r = mu - z
    left = (v.T * Sigma * v)[0] / 2 - mu.dot(v) + eps * dual + (r.T * inverse * r)[0] / 2
    gap = Sigma * v - r
    right = (gap.T * inverse * gap)[0] / 2 + eps * dual - v.dot(z)
    assert simplify(left - right) == 0


def test_m6_own_worst_attack_is_the_fixed_shift():
    w, x, z, b = vector("w"), vector("x"), vector("z"), symbols("b", real=True)
    for y in (-1, 1):
        moved = y * (w.dot(x - y * z) + b)
        assert sympy.expand(y * (w.dot(x) + b) - w.dot(z) - moved) == 0


def test_m7_ridge_leaves_a_parallel_shift():
    mu, Sigma = vector("mu"), positive_matrix()
    v = (Sigma + nu * sympy.eye(2)).inv() * mu
    assert simplify(mu - Sigma * v - nu * v) == sympy.zeros(2, 1)
    root, variance, size = symbols("s lambda size", positive=True)
    assert diff(1 / (1 + root * variance), root).is_negative
    end = 2 * size / (eps * variance)
    shift = size / (1 + end * variance)
    assert simplify(eps / 2 - shift).is_positive


def test_m8_blocks_solve_the_stationarity_equation():
    held, free = [0, 2], [1]
    mu, sigma, Sigma = vector("mu", 3), vector("sigma", 2), positive_matrix(3)
    mu_held, mu_free = mu.extract(held, [0]), mu.extract(free, [0])
    v_held = Sigma.extract(held, held).inv() * (mu_held - eps * sigma)
    z_free = mu_free - Sigma.extract(free, held) * v_held
    v = Matrix([v_held[0], 0, v_held[1]])
    z = Matrix([eps * sigma[0], z_free[0], eps * sigma[1]])
    assert simplify(Sigma * v - (mu - z)) == sympy.zeros(3, 1)


def test_every_labelled_step_of_the_proof_has_a_check():
    text = (Path(theory.__file__).parent / "proofs" / "mixtures.md").read_text(encoding="utf-8")
    labelled = set(re.findall(r"\[M(\d+)\]$", text, flags=re.MULTILINE))
    checked = {found[1] for name in globals() if (found := re.match(r"test_m(\d+)_", name))}
    assert labelled == checked
