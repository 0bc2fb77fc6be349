"""SymPy checks the steps that the proofs of linear classifiers label [L], [G], [F] and [C]."""

import re
from pathlib import Path

import pytest
import sympy
from sympy import Abs, Matrix, Max, Min, Rational, diff, exp, limit, log, oo, simplify, symbols

import theory

PROOFS = Path(theory.__file__).parent / "proofs"
FILES = ("linear_distance.md", "guo2018.md", "fawzi2018.md", "classics.md")

a, h, mu, V, t, eps, M = symbols("a h mu V t epsilon M", positive=True)
b, r = symbols("b r", real=True)


def vector(name, d=2):
    return Matrix(symbols(f"{name}1:{d + 1}", real=True))


def half(number):
    return sympy.nsimplify(number) / 2


def moments(law):
    """Return the total, the mean and the variance of a list of (value, probability)."""
    total = sum(p for _, p in law)
    mean = sum(p * z for z, p in law)
    return total, mean, sum(p * z**2 for z, p in law) - mean**2


def has_moments(law):
    wanted = (1, mu, V)
    return all(simplify(got - want) == 0 for got, want in zip(moments(law), wanted, strict=True))


def test_l1_directions_reach_the_dual_norm():
    g = Matrix([3, -5, 1]) * t
    for v, norm, dual in (
        (g / g.norm(), 2, g.norm()),
        (g.applyfunc(sympy.sign), oo, 9 * t),
        (Matrix([0, -1, 0]), 1, 5 * t),
    ):
        assert simplify(v.norm(norm) - 1) == 0
        assert simplify(g.dot(v) - dual) == 0


def test_l2_squares_split():
    u, other = symbols("u other", real=True)
    right = (other - u) ** 2 / 2 + t * a * (other - u) + (u - t * a) * (other - u)
    assert sympy.expand(other**2 / 2 - u**2 / 2 - right) == 0


def test_l3_newton_step():
    G, P, m = symbols("G P m", positive=True)
    assert simplify((m - G) / P - (t + (m - (G + t * P)) / P)) == 0


def test_l4_exchange_does_not_cost():
    a_j, surplus, gain = symbols("a_j surplus eta", positive=True)
    a_i = a_j + surplus
    assert simplify(gain / a_i - gain / a_j + gain * (a_i - a_j) / (a_i * a_j)) == 0
    assert (-gain * (a_i - a_j) / (a_i * a_j)).is_negative


@pytest.mark.parametrize("room", [0, Rational(1, 3), 2])
@pytest.mark.parametrize("g", [-2, Rational(5, 2)])
def test_l5_clipped_step_gains_the_smaller_of_step_and_room(g, room):
    x, step = Rational(1, 4), 1
    lo, hi = (x - 5, x + room) if g > 0 else (x - room, x + 5)
    clipped = Max(lo, Min(hi, x + step * sympy.sign(g)))
    assert g * (clipped - x) == Abs(g) * Min(step, room)


def test_l6_cross_entropy_gradient():
    W, x, bias = Matrix(3, 2, symbols("w1:7", real=True)), vector("x"), vector("b", 3)
    scores = W * x + bias
    total = sum(exp(s) for s in scores)
    loss = log(total) - scores[0]
    gradient = sum(
        (exp(scores[k]) / total * (W.row(k) - W.row(0)) for k in (1, 2)), sympy.zeros(1, 2)
    )
    for i in range(2):
        assert simplify(diff(loss, x[i]) - gradient[i]) == 0


def test_g1_written_form_exceeds_r_2_by_the_hidden_term():
    share_plus, share_minus, plus, minus = symbols("S_p S_m a_p a_m", real=True)  # a_k = w·m_k
    written = (share_plus + share_minus) * (plus - minus) / 2
    exact = share_plus * (plus + b) - share_minus * (minus + b)
    hidden = -(share_plus - share_minus) * ((plus + minus) / 2 + b)
    assert sympy.expand(written - exact - hidden) == 0
    assert hidden.subs(share_minus, share_plus) == 0


def test_g2_written_bound_fails_for_unequal_shares():
    S, f = (Rational(9, 10), Rational(1, 10)), (Rational(10), Rational(1, 10))
    written = sum(S) * (f[0] + f[1]) / 2 / 9
    assert written == Rational(505, 900)
    assert written < S[0]  # r_inf: the points of margin 10 survive a drop of 9
    assert (S[0] * f[0] + S[1] * f[1]) / 9 == Rational(901, 900)


def test_g3_below_the_mean_all_mass_can_be_above():
    gap = symbols("gap", positive=True)
    low, share = mu - gap, V / (V + gap**2)
    assert has_moments([(low, share), (mu + V / gap, 1 - share)])


def test_g4_at_the_mean_the_supremum_is_approached():
    zero, far = V / (mu * (mu + h)), V / (h * (mu + h))
    assert has_moments([(0, zero), (mu, 1 - zero - far), (mu + h, far)])
    assert limit(zero, h, oo) == 0


def test_g5_markov_is_approached():
    second = V + mu**2
    far, near = (second - a * mu) / (h * (h - a)), (h * mu - second) / (a * (h - a))
    assert has_moments([(0, 1 - near - far), (a, near), (h, far)])
    assert simplify(limit(near + far, h, oo) - mu / a) == 0


def test_g6_cantelli_is_attained():
    gap = symbols("gap", positive=True)
    q, bound = V / gap, V / (V + gap**2)
    assert simplify((V + q**2) / (gap + q) ** 2 - bound) == 0
    assert has_moments([(mu - q, 1 - bound), (mu + gap, bound)])
    # where the regimes meet, a - mu = V/mu, both bounds are equal
    assert simplify(bound.subs(gap, V / mu) - mu / (mu + V / mu)) == 0


def test_g7_cantelli_is_below_markov():
    cantelli = V / (V + (a - mu) ** 2)
    right = (a - mu) * (mu * (a - mu) - V) / (a * (V + (a - mu) ** 2))
    assert simplify(mu / a - cantelli - right) == 0


def test_g8_clipping_saves_the_margins():
    step, small = Rational(3, 10), Rational(1, 100)
    drop = step * (1 + 50 * small)
    assert drop == Rational(45, 100)
    assert drop < half(1)
    bound = half(1) / (step * (1 + 100 * small))
    assert bound == Rational(5, 6)
    assert bound < 1


@pytest.mark.parametrize("f", [-3, 0, 2])
@pytest.mark.parametrize("y", [-1, 1])
def test_f1_absolute_value_splits(f, y):
    assert abs(f) == y * f + 2 * abs(f) * (y * f < 0)


def test_f2_one_point_attains_the_bound():
    R = symbols("R", nonnegative=True)
    signal = (1 - R) * M - R * M
    assert simplify(signal - M * (1 - 2 * R)) == 0
    assert simplify(2 * M * (1 - 2 * R) + 4 * M * R - 2 * M) == 0
    # beyond R = 1/2 the absolute values turn, and the instance is no longer tight
    assert simplify(2 * M * (2 * R - 1) + 4 * M * R - 2 * M * (4 * R - 1)) == 0


def test_f3_a_boundary_outside_the_ball_breaks_the_bound():
    surplus = symbols("surplus", positive=True)
    assert sympy.expand(M + (M + surplus) - 2 * M).is_positive
    bias = 3 * M + surplus
    mean = half(1) * ((M + bias) + (-M + bias))
    bound = 0 + 0 + 4 * M * half(1)
    assert sympy.expand(mean - bias) == 0
    assert sympy.expand(mean - bound).is_positive


def logistic(margin):
    return log(1 + exp(-margin))


def weight(margin):
    return 1 / (1 + exp(margin))


def test_c1_gradients_of_both_objectives():
    w, z = Matrix(symbols("w1:3", positive=True)), vector("z")
    lam = symbols("lambda", real=True)
    norm, m = w.norm(), w.dot(z)
    for i in range(2):
        inside = -weight(m - eps * norm) * (z[i] - eps * w[i] / norm)
        outside = -weight(m) * z[i] + lam * w[i] / norm
        assert simplify(diff(logistic(m - eps * norm), w[i]) - inside) == 0
        assert simplify(diff(logistic(m) + lam * norm, w[i]) - outside) == 0


def test_c2_reweighting_grows_with_the_margin_from_one_to_its_limit():
    m, size = symbols("m", real=True), symbols("r", positive=True)
    ratio = weight(m - size) / weight(m)
    assert simplify(ratio - (1 + exp(m)) / (1 + exp(m - size))) == 0
    growth = exp(m) * (1 - exp(-size)) / (1 + exp(m - size)) ** 2
    assert simplify(diff(ratio, m) - growth) == 0  # positive, as exp(-r) < 1
    assert limit(ratio, m, -oo) == 1
    assert simplify(limit(ratio.subs(size, 1), m, oo) - exp(1)) == 0


def test_c3_counterexample_in_its_own_axes():
    root = sympy.sqrt(2)
    z = Matrix([[1, 1], [-2, 2], [-3, -3]])
    axes = Matrix([[1, -1], [1, 1]]) / root  # columns: p along (1, 1), q along (-1, 1)
    assert simplify(axes.T * axes) == sympy.eye(2)
    assert simplify(z * axes) == Matrix([[root, 0], [0, 2 * root], [-3 * root, 0]])
    e = half(1)
    # first and third rate vanish for p >= e/sqrt(2) and p <= -e/(3 sqrt(2)): no p does both
    assert e / root > -e / (3 * root)
    assert (sum((z.row(i) for i in range(3)), sympy.zeros(1, 2)) / 2).norm() == 2
    assert 3 * e / 2 < 2
    unit = Matrix([sympy.cos(t), sympy.sin(t)])
    v = [(z.row(i) * unit)[0] - eps for i in range(3)]
    assert simplify(v[0] + v[2] / 3 + 4 * eps / 3) == 0


def test_c4_mirror_image_flips_the_intercept():
    w, x, y = vector("w"), vector("x"), symbols("y", real=True)
    assert sympy.expand(-y * (w.dot(-x) + b) - y * (w.dot(x) - b)) == 0


@pytest.mark.parametrize("spent", [Rational(1, 2), 1, 3])
@pytest.mark.parametrize("spare", [Rational(1, 3), 1, 2])
def test_c5_shortfall_of_the_aggregate_hinge(spent, spare):
    rise = Max(0, spent - spare)  # the most that the losses rise, all margins at least 1 + spare
    assert spent - rise == Min(spare, spent)


def test_c6_bisector_of_the_nearest_points():
    p, q = vector("p", 3), vector("q", 3)
    w, offset = p - q, -(p - q).dot(p + q) / 2
    half_square = (p - q).dot(p - q) / 2
    assert sympy.expand(w.dot(p) + offset - half_square) == 0
    assert sympy.expand(w.dot(q) + offset + half_square) == 0


def test_every_labelled_step_of_the_proofs_has_a_check():
    text = "".join((PROOFS / name).read_text(encoding="utf-8") for name in FILES)
    labelled = {label.lower() for label in re.findall(r"\[([LGFC]\d+)\]", text)}
    checked = {found[1] for name in globals() if (found := re.match(r"test_([lgfc]\d+)_", name))}
    assert labelled == checked
