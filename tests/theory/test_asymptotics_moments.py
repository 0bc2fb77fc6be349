"""Moments of the losses and of the weights, against their definitions by adaptive quadrature."""

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.special import expit, ndtr
from scipy.stats import norm

from tests.theory.fitted_margins import by_definition, soft_by_definition
from theory.asymptotics.batch import batch_of
from theory.asymptotics.fixed_point import LOSS_MOMENTS
from theory.asymptotics.law import CoordinateLaw
from theory.asymptotics.logistic import logistic_prox
from theory.asymptotics.loss_moments import LossMoments
from theory.asymptotics.objective import Objective
from theory.asymptotics.quadrature import even_rule, graded_rule
from theory.asymptotics.slab import slab_moments
from theory.asymptotics.soft_threshold import soft_moments
from theory.asymptotics.weight_moments import weight_moments

LOSSES = ("logistic", "squared", "hinge")


def moments(loss, mean, spread, V, drop):
    found = LOSS_MOMENTS[loss](*(np.array([x], dtype=float) for x in (mean, spread, V, drop)))
    return LossMoments(*(float(values[0]) for values in found))


def settings(count, seed):
    rng = np.random.default_rng(seed)
    for _ in range(count):
        V, spread = 10 ** rng.uniform(-6, 6), 10 ** rng.uniform(-2, 2)
        drop = rng.choice([0.0, 10 ** rng.uniform(-3, 1)])
        yield rng.normal() * max(1.0, spread), spread, V, drop


def compared(loss, setting):
    found, claimed = moments(loss, *setting), by_definition(loss, *setting)
    _, spread, _, _ = setting
    # 1e-8: what the limits are certified to. Stein's quotient cancels by the spread.
    for name, value in zip(("pull", "scatter", "stiffness", "loss"), claimed, strict=False):
        rounding = 1e-11 * max(1, 1 / spread) if name == "stiffness" else 1e-12
        assert getattr(found, name) == pytest.approx(value, rel=1e-8, abs=rounding), (name, setting)
    return found


@pytest.mark.parametrize("loss", LOSSES)
def test_loss_moments_are_their_definition(loss):
    for setting in settings(12, 3):
        compared(loss, setting)


@pytest.mark.slow
@pytest.mark.parametrize("loss", LOSSES)
def test_loss_moments_are_their_definition_widely(loss):
    for setting in settings(150, 4):
        compared(loss, setting)


@pytest.mark.parametrize("loss", LOSSES)
def test_price_is_the_slope_of_the_envelope_in_the_drop(loss):
    for mean, spread, V, drop in ((0.3, 0.7, 0.5, 0.4), (-1.0, 2.0, 3.0, 1.5), (2.0, 0.5, 20, 0.2)):
        step = 1e-4
        ends = (by_definition(loss, mean, spread, V, drop + s)[-1] for s in (step, -step))
        above, below = ends
        # A central difference of step 1e-4 errs by about 1e-8.
        assert moments(loss, mean, spread, V, drop).price == pytest.approx(
            (above - below) / (2 * step), abs=1e-6
        )


@pytest.mark.parametrize("loss", LOSSES)
def test_moments_are_slopes_of_the_envelope(loss):
    # What the potential of the proof, [A4], needs: its derivatives by mean, variance and V.
    mean, spread, V, drop, step = 0.4, 0.8, 1.3, 0.3, 1e-4
    found = moments(loss, mean, spread, V, drop)

    def envelope(mean, variance, V):
        return by_definition(loss, mean, np.sqrt(variance), V, drop)[-1]

    at = (mean, spread**2, V)
    slopes = [
        (envelope(*np.add(at, step * e)) - envelope(*np.subtract(at, step * e))) / (2 * step)
        for e in np.eye(3)
    ]
    # 1e-6: as above.
    assert slopes == pytest.approx([-found.pull, found.stiffness / 2, -found.scatter / 2], abs=1e-6)


@pytest.mark.parametrize("V", [1e-6, 1e-2, 1.0, 37.0, 1e4, 1e6, 1e12])
def test_logistic_prox_solves_its_equation(V):
    offsets = np.concatenate([[0.0], np.geomspace(1e-6, 1e6, 40)])
    h = np.concatenate([-offsets, offsets, -V / 2 - offsets, -V - offsets])
    u = logistic_prox(h, np.array(V))
    low = u * (1 - 1e-12 * np.sign(u)) - 1e-12
    high = u * (1 + 1e-12 * np.sign(u)) + 1e-12
    # The equation's two sides cross within 1e-12 of u; the slack is the rounding of the sides.
    slack = 4e-16 * (np.abs(h) + V)
    assert (low - V * expit(-low) - h <= slack).all()
    assert (high - V * expit(-high) - h >= -slack).all()


def test_logistic_prox_of_one_plain_newton_step_would_fail():
    # Without the bracket the same iteration from u = h leaves the root: the trap of large V.
    h, V = -30.0, 400.0
    u = h
    for _ in range(8):
        s = expit(-u)
        u -= (u - h - V * s) / (1 + V * s * (1 - s))
    assert abs(u - logistic_prox(np.array(h), np.array(V))) > 1


@pytest.mark.parametrize("spread", [0.05, 1.0, 3.9, 16.0, 40.0, 700.0])
@pytest.mark.parametrize("V", [1e-3, 1.0, 50.0, 1e4])
def test_quadrature_rules_agree(spread, V):
    mean = np.array([-0.5, 0.3, 2.0]) * spread
    found = []
    for rule in (even_rule(spread), graded_rule(mean, np.full(3, spread), np.full(3, V))):
        h = mean[:, None] + spread * rule.nodes
        values = expit(-logistic_prox(h, np.array(V)))
        found.append((values * rule.weights).sum(axis=1))
        # The check weights integrate the same, more coarsely: 1e-8 is what is asked of them.
        assert (values * rule.check).sum(axis=1) == pytest.approx(found[-1], rel=1e-8)
    assert found[0] == pytest.approx(found[1], rel=1e-10)  # two rules that share no node


@pytest.mark.parametrize("spread", [1.0, 1.05, 4.0, 16.0, 16.01, 1e4])
def test_quadrature_error_is_small_where_the_rules_change(spread):
    mean = np.linspace(-3, 5, 9) * spread
    for V in (1e-6, 1e-2, 1.0, 1e3):
        full = np.full(9, spread), np.full(9, V), np.zeros(9)
        found = LOSS_MOMENTS["logistic"](mean, *full)
        assert found.quadrature_error.max() < 1e-8
        assert found.prox_residual.max() < 1e-12


def test_a_setting_does_not_feel_those_beside_it():
    mine = (np.array([0.5]), np.array([0.9]), np.array([2.0]), np.array([0.1]))
    alone = LOSS_MOMENTS["logistic"](*mine)
    for other in (1e4, np.nan, np.inf, 30.0):
        beside = [np.append(values, other) for values in mine]
        with np.errstate(invalid="ignore"):
            together = LOSS_MOMENTS["logistic"](*beside)
        assert [values[0] for values in together] == [values[0] for values in alone]


def test_soft_moments_are_their_definition():
    rng = np.random.default_rng(5)
    for _ in range(20):
        mean, deviation, threshold = rng.normal(), 10 ** rng.uniform(-1, 1), rng.choice([0, 0.7, 3])
        found = soft_moments(*map(np.array, (mean, deviation, threshold)))

        claimed = soft_by_definition(mean, deviation, threshold)[:4]
        # 1e-10: twice the quadrature's own tolerance at these sizes.
        assert list(map(float, found)) == pytest.approx(list(claimed), rel=1e-10, abs=1e-11)


@pytest.mark.parametrize("width", [0.0, 1e-9, 1e-3, 0.99, 1.01, 5.0, 1e3])
def test_slab_moments_are_their_definition(width):
    for mean in (-2.0, 0.0, 0.7, 3.0):
        found = slab_moments(np.array([mean]), np.array([1.0]), np.array([width]))
        for k, value in enumerate(found):
            claimed = quad(
                lambda r, k=k, mean=mean: r**k * norm.pdf(width * r - mean),
                0,
                min(1.0, 12 / max(width, 1e-9)),
                epsabs=1e-14,
                limit=200,
            )[0]
            assert float(value[0]) == pytest.approx(claimed, rel=1e-9, abs=1e-13)  # quad's error


def test_weight_moments_are_their_definition():
    law = CoordinateLaw(
        weights=[0.5, 0.3, 0.2], means=[0, 1.5, -1], deviations=[0, 0, 0.8], scales=[1, 0.5, 2]
    )
    objective = Objective(loss="hinge", l1=0.3, l2=0.2, eps=0.4, eps_inf=0.6)
    ratio, norm_at, ridge = 1.7, 0.9, 0.05
    given = LossMoments(*(np.array([x]) for x in (0.6, 0.5, 0.4, 0.7, 0.0, 0.0, 0.0)))
    found = weight_moments(
        batch_of([objective], [law], [ratio]),
        given,
        norm=np.array([norm_at]),
        ridge=np.array([ridge]),
    )
    rng = np.random.default_rng(8)
    # 4e6 draws, in each component its share: standard errors of about 5e-4 of each moment.
    total = np.zeros(6)
    for weight, mean, deviation, sigma in zip(
        law.weights, law.means, law.deviations, law.scales, strict=True
    ):
        m, xi = rng.normal(size=(2, 400_000))
        m = mean + deviation * m
        field = ratio * 0.6 * m + np.sqrt(ratio * 0.5) * sigma * xi
        threshold = 0.3 + ratio * 0.7 * 0.6
        A = ratio * 0.4 * sigma**2 + 0.2 + ridge + ratio * 0.7 * 0.4 / norm_at
        beta = np.sign(field) * np.maximum(np.abs(field) - threshold, 0) / A
        total += weight * np.array(
            [
                (m * beta).mean(),
                (sigma**2 * beta**2).mean(),
                (sigma**2 * (beta != 0) / A).mean(),
                (beta**2).mean(),
                np.abs(beta).mean(),
                (beta != 0).mean(),
            ]
        )
    # 1 %: five standard errors of 400,000 draws a component.
    assert [float(values[0]) for values in found] == pytest.approx(list(total), rel=0.01)


def test_scatter_of_a_hard_fit_is_the_shortfall():
    # V -> infinity: the hinge fit lifts every margin to 1, slope = shortfall / V.
    V, mean, spread = 1e9, 0.2, 1.5
    found = moments("hinge", mean, spread, V, 0.0)
    c = (1 - mean) / spread
    square = spread**2 * ((c * c + 1) * ndtr(c) + c * norm.pdf(c))
    assert found.scatter * V**2 == pytest.approx(square, rel=1e-9)
