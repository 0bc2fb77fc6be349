"""Proximal points, by what they minimise."""

from typing import Any

import numpy as np
import pytest

from empirical.risk_study.proxes import hinge_step, logistic_step, penalty_step, squared_step
from theory.asymptotics import Objective

RHOS = [1e-4, 0.03, 1.0, 50.0, 1e5]
WIDE = np.concatenate([np.linspace(-5, 5, 41), [-1e6, -300.0, 1 - 1e-9, 1.0, 300.0, 1e6]])


@pytest.mark.parametrize("rho", RHOS)
def test_steps_of_logistic_loss_solve_their_equation(rho: float) -> None:
    z = logistic_step(WIDE, rho)
    slope = -np.exp(-np.logaddexp(0, z))
    assert z == pytest.approx(WIDE - slope / rho, rel=1e-12, abs=1e-12 * (1 + 1 / rho))


@pytest.mark.parametrize("rho", RHOS)
def test_steps_of_hinge_loss_have_zero_among_their_subgradients(rho: float) -> None:
    z = hinge_step(WIDE, rho)
    slope = rho * (WIDE - z)  # a subgradient of the loss at z
    rounding = 1e-9 * (1 + rho * np.abs(WIDE))
    assert (np.abs(slope[z > 1]) <= rounding[z > 1]).all()
    assert (np.abs(slope[z < 1] + 1) <= rounding[z < 1]).all()
    assert (slope >= -1 - rounding).all()
    assert (slope <= rounding).all()


@pytest.mark.parametrize("rho", [0.03, 1.0, 50.0])
def test_steps_of_squared_loss_are_least_among_all_around(rho: float) -> None:
    rng = np.random.default_rng(0)
    q, drops = 1 + 3 * rng.normal(size=300), 2 * rng.normal(size=300)

    def value(m: Any, s: Any) -> Any:
        loss = np.maximum(np.abs(1 - m) + s, 0) ** 2 / 2
        return loss + rho / 2 * ((m - q) ** 2 + (s - drops) ** 2)

    m, s = squared_step(q, drops, rho)
    least = value(m, s)
    for size in (1e-3, 0.1, 1.0):
        for _ in range(50):
            step = size * rng.normal(size=(2, 300))
            assert (value(m + step[0], s + step[1]) >= least - 1e-12 * (1 + least)).all()
        assert (value(1 + 0 * m, s + size) >= least - 1e-12).all()  # along the kink too
        assert (value(1 + 0 * m, s - size) >= least - 1e-12).all()


@pytest.mark.parametrize("seed", range(40))
def test_steps_of_penalties_are_least_within_the_cone(seed: int) -> None:
    rng = np.random.default_rng(seed)
    d = int(rng.integers(1, 8))
    l1, l2, eps, eps_inf = rng.random(4) * (rng.random(4) < 0.7)
    objective = Objective(loss="hinge", l1=l1, l2=l2, eps=eps, eps_inf=eps_inf)
    q, drop = rng.normal(size=d), float(rng.normal())
    rho, drop_rho = np.exp(rng.normal(size=2))

    def attack(v: Any) -> Any:
        return eps * np.linalg.norm(v, axis=-1) + eps_inf / np.sqrt(d) * np.abs(v).sum(axis=-1)

    def value(v: Any) -> Any:
        # Given v, the best drop is the given one, or the least allowed.
        t = np.maximum(attack(v), drop)
        penalty = l1 * np.sqrt(d) * np.abs(v).sum(axis=-1) + l2 * d / 2 * (v**2).sum(axis=-1)
        far = rho / 2 * ((v - q) ** 2).sum(axis=-1) + drop_rho / 2 * (t - drop) ** 2
        return penalty + far

    v, t = penalty_step(objective, q, drop, rho=float(rho), drop_rho=float(drop_rho))
    assert t >= attack(v) - 1e-9
    assert t == pytest.approx(max(attack(v), drop), abs=1e-9)
    steps = np.concatenate([rng.normal(size=(200, d)), np.eye(d), -np.eye(d), -v[None]])
    for size in (1e-4, 1e-2, 1.0):
        assert value(v + size * steps).min() >= value(v) - 1e-10 * (1 + value(v))
    assert value(0 * v) >= value(v) - 1e-10
