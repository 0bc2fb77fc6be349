"""SymPy checks the algebraic steps that theory/proofs/asymptotics.md labels."""

import math
import re
from pathlib import Path

import sympy
from sympy import I, Rational, cosh, diff, erf, exp, log, oo, pi, simplify, sinh, sqrt

import theory

V, c, q, s, T, A, delta, b = sympy.symbols("V c q s T A delta b", positive=True)
h, u, mu, k, M, F, g = sympy.symbols("h u mu k M F g", real=True)
# Words and definitions only.
WORDS = {1, 2}


def phi(value):
    return exp(-(value**2) / 2) / sqrt(2 * pi)


def cdf(value):
    return (1 + erf(value / sqrt(2))) / 2


def is_zero(value):
    return simplify(value) == 0


def test_a3_slopes_of_the_envelope():
    # For any loss: with l'(u) = (h - u) / V, terms in the derivative of u vanish.
    loss, fit = sympy.Function("l"), sympy.Function("u")(h, V)
    value = loss(fit) + (fit - h) ** 2 / (2 * V)
    at_fit = {sympy.Subs(diff(loss(u), u), u, fit).doit(): (h - fit) / V}
    by_h = diff(value, h).subs(at_fit)
    by_V = diff(value, V).subs(at_fit)
    assert is_zero(by_h - (h - fit) / V)
    assert is_zero(by_V + (fit - h) ** 2 / (2 * V**2))


def test_a3_stein_turns_a_variance_into_a_curvature():
    # d/dq of a Gaussian density is half its second derivative by the mean.
    gaussian = exp(-((h - mu) ** 2) / (2 * q)) / sqrt(2 * pi * q)
    assert is_zero(diff(gaussian, q) - diff(gaussian, mu, 2) / 2)


def test_a4_each_weight_is_a_soft_threshold():
    beta = sympy.symbols("beta", positive=True)
    cost = A * beta**2 / 2 - F * beta + T * beta
    (best,) = sympy.solve(diff(cost, beta), beta)
    value = cost.subs(beta, best)
    assert is_zero(best - (F - T) / A)
    assert is_zero(diff(value, F) + best)
    assert is_zero(diff(value, A) - best**2 / 2)
    assert is_zero(diff(value, T) - best)


def test_a4_the_length_splits_into_two_terms():
    r = sympy.symbols("r", positive=True)
    (best,) = sympy.solve(diff(r**2 / (2 * V) + b**2 * V / 2, V), V)
    assert is_zero((r**2 / (2 * V) + b**2 * V / 2).subs(V, best) - r * b)


def test_a4_stationarity_of_the_potential():
    # One feature with signal m and noise ξ; E[e] an unknown function with the slopes of [A3].
    m, xi, sigma, l1, l2, eps, eps_inf = sympy.symbols(
        "m xi sigma l1 l2 eps eps_inf", positive=True
    )
    nu, a, kappa, tau, pulled, theta = sympy.symbols("nu a kappa tau Mhat theta", positive=True)
    P, S, K, C = sympy.symbols("P S K C", positive=True)
    envelope = sympy.Function("e")(M, q, V, s)
    F_, T_, A_ = pulled * m + b * sigma * xi, l1 + theta, kappa * sigma**2 + tau + l2
    weight = (F_ - T_) / A_
    potential = (
        delta * envelope.subs(s, eps * nu + eps_inf * a)
        + pulled * M
        - kappa * q / 2
        + b**2 * V / 2
        - tau * nu**2 / 2
        - theta * a
        - (F_ - T_) ** 2 / (2 * A_)
    )
    slopes = {M: -P, q: K / 2, V: -S / 2}
    for variable, conjugate in ((M, pulled - delta * P), (q, (delta * K - kappa) / 2)):
        explicit = diff(potential - delta * envelope.subs(s, eps * nu + eps_inf * a), variable)
        assert is_zero(explicit + delta * slopes[variable] - conjugate)
    explicit = diff(b**2 * V / 2, V) + delta * slopes[V]
    assert is_zero(explicit - (b**2 - delta * S) / 2)
    drop = eps * nu + eps_inf * a
    assert is_zero(delta * C * diff(drop, nu) - tau * nu - (delta * C * eps - tau * nu))
    for variable, claimed in (
        (pulled, M - m * weight),
        (kappa, (sigma**2 * weight**2 - q) / 2),
        (tau, (weight**2 - nu**2) / 2),
        (theta, weight - a),
        (b, b * V - sigma * xi * weight),
    ):
        assert is_zero(diff(potential, variable) - claimed)


def test_a5_squared_loss():
    v = sympy.symbols("v", real=True)
    fit = 1 - (v - V * s) / (1 + V)  # v > V s
    slope = (1 - fit) + s
    assert is_zero(fit - (1 - v) - V * slope)
    assert is_zero(slope - (v + s) / (1 + V))
    # At the dead zone's end the slope v / V inside meets the slope outside.
    assert is_zero((v / V - slope).subs(v, V * s))
    loss = (1 - fit + s) ** 2 / 2
    soft = v - V * s
    claimed = soft**2 / (1 + V) ** 2 / 2 + s * soft / (1 + V) + s**2 / 2
    assert is_zero(loss - claimed)
    live = soft**2 + 2 * V * s * soft + (V * s) ** 2
    assert is_zero((v + s) ** 2 - (live + 2 * s * (soft + V * s) + s**2))


def test_a5_dead_zone_by_the_slab():
    r, dead = sympy.symbols("r dead", positive=True)
    # v = dead (2 r - 1), width 2 dead = 2 V s: v / V and its square.
    v = dead * (2 * r - 1)
    assert is_zero((v / V).subs(dead, V * s) - s * (2 * r - 1))
    assert is_zero((v / V).subs(dead, V * s) ** 2 - s**2 * (4 * r**2 - 4 * r + 1))


def test_a6_slab_moments():
    L = sympy.symbols("L", positive=True)
    low, high = mu / c, (mu - L) / c
    p = cdf(low) - cdf(high)
    first = mu * p + c * (phi(low) - phi(high))
    second = mu * first + c**2 * p - L * c * phi(high)
    for power, moment in ((0, p), (1, first), (2, second)):
        assert is_zero(moment.subs(L, 0))
        assert is_zero(diff(moment, L) - L**power * phi(high) / c)


def test_a6_loss_left_of_a_hinge():
    at = (mu - V) / c
    left = (mu - V) * cdf(at) + c * phi(at)
    assert is_zero(diff(left, V) + cdf(at))  # -Pr(v > V)
    assert sympy.limit(left.subs({mu: 0, c: 1}), V, oo) == 0


def test_a7_symmetry_and_concavity():
    equation = u - h - V / (1 + exp(u))
    mirrored = equation.subs({u: -u, h: -h - V}, simultaneous=True)
    assert is_zero(equation + mirrored)
    curvature = exp(-u) / (1 + exp(-u)) ** 2
    assert is_zero(diff(equation, u) - 1 - V * curvature)
    third = diff(curvature, u)
    assert is_zero(third + curvature * (exp(u) - 1) / (exp(u) + 1))  # below 0 for u > 0
    assert is_zero(equation.subs({u: 0, h: -V / 2}))


def test_a7_wright_omega_is_the_lower_root():
    omega = sympy.symbols("omega", positive=True)
    start = k + omega  # omega + log omega = log(V / 2) - k
    claim = k + V / 2 * exp(-start)
    assert is_zero(claim.subs(k, log(V / 2) - omega - log(omega)) - (log(V / 2) - log(omega)))
    # The gap 1 / (1 + e^u) - e^-u / 2 has the sign of e^u - 1.
    assert is_zero(1 / (1 + exp(u)) - exp(-u) / 2 - (exp(u) - 1) * exp(-u) / (2 * (1 + exp(u))))


def test_a7_singularities_are_pi_away():
    alpha = sympy.symbols("alpha", positive=True)
    size = 4 * sinh(alpha) ** 2  # V
    at = 2 * alpha + I * pi
    assert is_zero(sympy.expand(cosh(at / 2), complex=True) ** 2 + size / 4)
    value = 2 * alpha + I * pi - size / (1 - exp(2 * alpha))
    claimed = 2 * alpha + size / (exp(2 * alpha) - 1) + I * pi
    assert is_zero(value - claimed)
    mirrored = -2 * alpha + I * pi - size / (1 - exp(-2 * alpha))
    assert is_zero((mirrored - (-size - (claimed - I * pi) + I * pi)).rewrite(exp))


def test_a7_fit_moves_up_in_the_strip():
    x, y = sympy.symbols("x y", real=True)
    value = -1 / (1 + exp(x) * (sympy.cos(y) + I * sympy.sin(y)))
    size = (1 + exp(x) * sympy.cos(y)) ** 2 + (exp(x) * sympy.sin(y)) ** 2
    assert is_zero(sympy.im(value) - exp(x) * sympy.sin(y) / size)
    # |1 + e^u|^2 is least at e^x = -cos y, where it is sin^2 y.
    assert is_zero(size.subs(exp(x), -sympy.cos(y)) - sympy.sin(y) ** 2)


def test_a7_errors_of_the_rules():
    def trapezoid(step, y):
        return 2 * math.exp(y * y / 2) / math.sin(y) / math.expm1(2 * math.pi * y / step)

    assert trapezoid(0.33, 3.0) < 1e-21
    assert trapezoid(0.66, 3.0) < 1e-9
    seen = [-1 + 2j] + [-3 + 2 ** (1 - n) * 1j for n in range(12)]
    radii = [abs(z + side * (z * z - 1) ** 0.5) for z in seen for side in (-1, 1)]
    radii = [max(r, 1 / r) for r in radii]  # the two are each other's inverse
    assert min(radii) > 4.6
    assert 4.6**-24 < 2e-16
    assert 4.6**-16 < 3e-11


def test_a8_soft_moments():
    t = (mu - T) / c
    first = (mu - T) * cdf(t) + c * phi(t)
    second = ((mu - T) ** 2 + c**2) * cdf(t) + (mu - T) * c * phi(t)
    assert is_zero(diff(first, T) + cdf(t))
    assert is_zero(diff(second, T) + 2 * first)
    assert sympy.limit(second.subs({mu: 0, c: 1}), T, oo) == 0


def test_a8_stein_for_a_gaussian_signal():
    # E[(m - m0) f(m)] = ω² E[f'(m)]: by parts, with the density's own slope.
    m, m0 = sympy.symbols("m m0", real=True)
    density = exp(-((m - m0) ** 2) / (2 * c**2))
    assert is_zero(diff(density, m) + (m - m0) / c**2 * density)


def test_a9_the_steepest_direction():
    # min over β of A β² / 2 - F β + T |β| is -soft² / (2A): with A the multiplier of the norm.
    soft, size = sympy.symbols("soft size", positive=True)
    cost = -soft * size + T * size  # along β = soft / ‖soft‖ of that size; T for the friction
    assert diff(cost, size) == T - soft


def test_a10_the_constraint_splits():
    # E of the square for u = c g + w(g), E[g w] = 0: moments of g and w stand for expectations.
    m1, m2 = sympy.symbols("m1 m2", real=True)  # E w, E w²
    root = sqrt(q)
    square = sympy.expand((M + root * g - c * g - u) ** 2)
    expectation = (
        square.coeff(g, 2) + square.coeff(g, 0).subs({u**2: m2, u: m1})
        # g has mean 0 and is orthogonal to w: terms of first order vanish.
    )
    assert is_zero(expectation - ((root - c) ** 2 + M**2 - 2 * M * m1 + m2))


def test_a10_fits_on_a_ray_are_equal():
    # Hinge: the atoms of k u and of its own fit; squared: below both kinks.
    assert sympy.solve(k * (1 + s) - (1 + k * s), k) == [1]
    gap = (1 - k * u + k * s) - (1 - u + s)
    assert is_zero(gap - (1 - k) * (u - s))


def test_a11_square_of_a_shortfall():
    x = sympy.symbols("x", real=True)
    claimed = (x**2 + 1) * cdf(x) + x * phi(x)
    assert is_zero(diff(claimed, x, 2) - 2 * cdf(x))
    assert sympy.limit(claimed, x, -oo) == 0
    assert claimed.subs(x, 0) == Rational(1, 2)  # Cover: 1 / (1 / 2)


def test_a11_two_forms_of_the_threshold():
    t, signal, G = sympy.symbols("t signal G", positive=True)
    rho = t / sqrt(1 + t**2)
    assert is_zero(rho / sqrt(1 - rho**2) - t)
    inner = (G - rho * signal) ** 2 / (1 - rho**2)
    other = (sqrt(1 + t**2) * G - t * signal) ** 2
    assert is_zero(sympy.expand(simplify(inner) - other))


def test_a11_tail_by_laguerre():
    t = sympy.symbols("t", positive=True)
    # E (G - c)₊² = ∫ (t / c)² φ(c + t / c) dt / c.
    integrand = (t / c) ** 2 * phi(c + t / c) / c
    claimed = phi(c) / c**3 * t**2 * exp(-t - t**2 / (2 * c**2))
    assert is_zero(integrand - claimed)


def test_a12_what_a_label_adds_to_the_density():
    # One coordinate; y² = 1. What depends on mu but through (T + y x) mu is a square, ||mu||² each.
    x, y, mu = sympy.symbols("x y mu", real=True)
    exponent = sympy.expand(-((x - y * mu) ** 2) / 2).subs(y**2, 1)
    assert is_zero(exponent - (x * y * mu - x**2 / 2 - mu**2 / 2))
    # ‖T + x‖ > ‖T - x‖ if and only if T·x > 0.
    T = sympy.symbols("T", real=True)
    assert is_zero((T + x) ** 2 - (T - x) ** 2 - 4 * T * x)


def test_a12_longer_sums_are_likelier():
    r, size, cosine = sympy.symbols("r size cosine", positive=True)
    average = (exp(r * size * cosine) + exp(-r * size * cosine)) / 2  # cos θ is symmetric
    slope = size * cosine * sympy.sinh(r * size * cosine)
    assert is_zero((diff(average, r) - slope).rewrite(exp))
    assert slope.is_positive


def test_every_labelled_part_of_the_proof_has_a_check():
    text = (Path(theory.__file__).parent / "proofs" / "asymptotics.md").read_text(encoding="utf-8")
    labelled = {int(n) for n in re.findall(r"\[A(\d+)\]$", text, flags=re.MULTILINE)}
    checked = {int(m[1]) for name in globals() if (m := re.match(r"test_a(\d+)_", name))}
    assert labelled == set(range(1, 13))
    assert labelled - WORDS == checked
