"""Solvers against a conic one, against scikit-learn's, and by their optimality conditions."""

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from empirical.risk_study import (
    SOLVERS,
    ConvergenceError,
    minimise,
    optimality_gap,
    reference_solver,
    risk,
    train,
)
from empirical.risk_study.optimality import Slopes, slopes_at
from tests.empirical.mixed import conic_least, sample, worst_risk
from theory.asymptotics import Objective
from theory.validation import UnsupportedSettingError

TIGHT = 1e-8
PENALTIES = [(0.3, 0.0), (0.0, 0.2), (0.2, 0.1)]
ATTACKS = [(0.0, 0.0), (0.4, 0.0), (0.0, 0.5), (0.2, 0.3)]
EVERY = [
    Objective(loss=loss, l1=l1, l2=l2, eps=eps, eps_inf=eps_inf)
    for loss in ("logistic", "squared", "hinge")
    for l1, l2 in PENALTIES
    for eps, eps_inf in ATTACKS
]


def random_objective(rng: np.random.Generator) -> Objective:
    def some(most: float) -> float:
        return float(rng.random() * most * (rng.random() < 0.6))

    loss = ("logistic", "squared", "hinge")[rng.integers(3)]
    return Objective(loss=loss, l1=some(0.6), l2=some(0.6), eps=some(1.0), eps_inf=some(1.0))


@pytest.mark.parametrize("objective", EVERY)
def test_risk_is_the_worst_loss_within_the_attack_and_the_penalties(objective: Objective) -> None:
    X, y = sample(7, 5)
    w = np.random.default_rng(1).normal(size=5)
    assert risk(objective, w, X * y[:, None]) == pytest.approx(worst_risk(objective, w, X, y))


@pytest.mark.parametrize("objective", EVERY)
def test_minimise_reaches_what_a_conic_solver_does(objective: Objective) -> None:
    X, y = sample(40, 16)
    least, _ = conic_least(objective, X, y)
    found = minimise(objective, X * y[:, None], tolerance=TIGHT)
    # Clarabel's own error is below 1e-8 of the value here.
    assert worst_risk(objective, found.weights, X, y) == pytest.approx(least, rel=1e-7)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(60))
def test_minimise_reaches_what_a_conic_solver_does_at_random(seed: int) -> None:
    rng = np.random.default_rng(seed)
    objective = replace(random_objective(rng), l2=0.05 + 0.3 * rng.random())
    if rng.random() < 0.4:
        objective = replace(objective, l1=0.05 + objective.l1, l2=0.0)
    n, d = (int(size) for size in rng.integers(3, 60, size=2))
    X, y = sample(n, d, seed, signal=3 * rng.random())
    least, _ = conic_least(objective, X, y)
    found = minimise(objective, X * y[:, None], tolerance=TIGHT)
    assert worst_risk(objective, found.weights, X, y) == pytest.approx(least, rel=1e-6)


@pytest.mark.parametrize("objective", EVERY)
def test_no_step_from_the_minimiser_leads_down(objective: Objective) -> None:
    X, y = sample(30, 12)
    w = minimise(objective, X * y[:, None], tolerance=TIGHT).weights
    least = worst_risk(objective, w, X, y)
    rng = np.random.default_rng(2)
    steps = np.concatenate([np.eye(12), -np.eye(12), -w[None], w[None], rng.normal(size=(20, 12))])
    reached = [worst_risk(objective, w + 1e-3 * step, X, y) for step in steps]
    assert min(reached) >= least * (1 - TIGHT)


@pytest.mark.parametrize("objective", EVERY)
def test_slopes_of_the_minimiser_are_subgradients_that_add_up_to_zero(objective: Objective) -> None:
    X, y = sample(40, 16)
    A, d = X * y[:, None], 16
    found = minimise(objective, A, tolerance=1e-12)
    w, (pulls, drops) = found.weights, found.slopes
    norm, budget = np.linalg.norm(w), objective.eps_inf / math.sqrt(d)
    margins = A @ w
    drop = objective.eps * norm + budget * np.abs(w).sum()
    near = 1e-4  # weights, and so margins, are right to the root of the gap
    if objective.loss == "logistic":
        assert pulls == pytest.approx(1 / (1 + np.exp(margins - drop)), abs=near)
    elif objective.loss == "hinge":
        assert pulls[margins - drop < 1 - near] == pytest.approx(1, abs=near)
        assert pulls[margins - drop > 1 + near] == pytest.approx(0, abs=near)
    else:
        away = np.abs(1 - margins) > near
        assert drops == pytest.approx(np.abs(1 - margins) + drop, abs=near)
        assert pulls[away] == pytest.approx((np.sign(1 - margins) * drops)[away], abs=near)
    assert (np.abs(pulls) <= drops + near).all()
    slope = objective.l2 * d * w - A.T @ pulls + drops.sum() * objective.eps * w / norm
    bar = objective.l1 * math.sqrt(d) + drops.sum() * budget
    kept = w != 0
    assert slope[kept] == pytest.approx(-bar * np.sign(w[kept]), abs=near * (1 + bar))
    assert (np.abs(slope[~kept]) <= bar * (1 + near)).all()


@pytest.mark.parametrize("seed", range(30))
def test_gap_bounds_what_is_left_to_gain_whatever_the_slopes(seed: int) -> None:
    rng = np.random.default_rng(seed)
    objective = replace(random_objective(rng), l2=0.1)
    X, y = sample(20, 8, seed)
    A = X * y[:, None]
    least = risk(objective, minimise(objective, A, tolerance=TIGHT).weights, A)
    for size in (0.1, 1.0, 10.0):
        w, slopes = rng.normal(size=8), Slopes(*(size * rng.normal(size=(2, 20))))
        gain = 1 - least / risk(objective, w, A)
        assert optimality_gap(objective, w, A, slopes) >= gain - 1e-9
        assert optimality_gap(objective, w, A, slopes_at(objective, w, A)) >= gain - 1e-9


def test_gap_without_l2_penalty_bounds_what_is_left_to_gain() -> None:
    rng, objective = np.random.default_rng(0), Objective(loss="logistic", l1=0.3)
    X, y = sample(20, 8)
    A = X * y[:, None]
    least = conic_least(objective, X, y)[0]
    for _ in range(200):
        w = rng.normal(size=8) * rng.random()
        gap = optimality_gap(objective, w, A, slopes_at(objective, w, A))
        assert gap >= 1 - least / risk(objective, w, A) - 1e-9


SCIKIT_LEARN = [
    ("lbfgs", Objective(loss="logistic", l2=0.1)),
    ("lbfgs", Objective(loss="logistic")),
    ("liblinear", Objective(loss="logistic", l1=0.3)),
    ("ridge", Objective(loss="squared", l2=0.3)),
    ("lasso", Objective(loss="squared", l1=0.3)),
    ("elastic net", Objective(loss="squared", l1=0.3, l2=0.2)),
    ("linear svc", Objective(loss="hinge", l2=0.2)),
]


@pytest.mark.parametrize(("solver", "objective"), SCIKIT_LEARN)
def test_scikit_learn_and_our_solver_agree(solver: str, objective: Objective) -> None:
    X, y = sample(150, 20, signal=0.5)
    assert reference_solver(objective) == solver
    theirs = train(objective, X, y)
    ours = train(objective, X, y, solver="splitting")
    A = X * y[:, None]
    assert theirs.solver == solver
    assert ours.gap <= 1e-5
    # Each is within its own tolerance of the least, some 1e-5.
    assert risk(objective, theirs.weights, A) == pytest.approx(
        risk(objective, ours.weights, A), rel=2e-5
    )
    assert theirs.weights == pytest.approx(ours.weights, abs=0.01)
    if solver in {"liblinear", "lasso", "elastic net"}:
        assert ((theirs.weights != 0) == (ours.weights != 0)).all()


@pytest.mark.parametrize(("solver", "objective"), SCIKIT_LEARN[:-1])
def test_scikit_learn_proves_its_own_minimum(solver: str, objective: Objective) -> None:
    X, y = sample(150, 20, signal=0.5)
    assert train(objective, X, y).gap < 1e-4


def test_linear_svc_leaves_no_proof() -> None:
    X, y = sample(30, 5)
    assert math.isnan(train(Objective(loss="hinge", l2=1.0), X, y).gap)


@pytest.mark.parametrize("attack", [{"eps": 1.0}, {"eps_inf": 1.0}])
def test_attacked_training_is_for_our_solver_alone(attack: Any) -> None:
    for _, objective in SCIKIT_LEARN:
        assert reference_solver(replace(objective, **attack)) == "splitting"


def test_a_strong_penalty_leaves_no_weight_and_the_one_that_just_does_is_known() -> None:
    X, y = sample(50, 20)
    # At w = 0 the slope of each feature is |sum of A| / 2.
    least = np.abs((X * y[:, None]).sum(axis=0)).max() / 2 / math.sqrt(20)
    above, below = (Objective(loss="logistic", l1=least * share) for share in (1.01, 0.99))
    assert not minimise(above, X * y[:, None]).weights.any()
    assert np.count_nonzero(minimise(below, X * y[:, None], tolerance=TIGHT).weights) == 1


def test_attacks_that_reach_the_mean_of_the_classes_leave_no_weight() -> None:
    X, y = sample(200, 10, signal=1.0)
    # Whoever may move each input by more than the mean input is long gains nothing by weights.
    eps = float(np.linalg.norm((X * y[:, None]).mean(axis=0))) * 1.01
    for loss in ("logistic", "hinge"):
        found = minimise(Objective(loss=loss, l2=0.01, eps=eps), X * y[:, None])  # type: ignore[arg-type]
        # Right to the root of the gap, 1e-6.
        assert np.linalg.norm(found.weights) < 1e-3


@pytest.mark.parametrize("eps_inf", [0.0, 0.5])
def test_a_vertex_is_found_exactly(eps_inf: float) -> None:
    X, y = sample(120, 60)
    objective = Objective(loss="hinge", l1=0.2, eps_inf=eps_inf)
    found = minimise(objective, X * y[:, None], tolerance=1e-11)
    assert found.gap <= 1e-11
    own = y * (X @ found.weights) - eps_inf / math.sqrt(60) * np.abs(found.weights).sum()
    # At a vertex as many inputs lie at the kink as weights are left.
    assert np.sum(np.abs(own - 1) < 1e-8) == np.count_nonzero(found.weights)


@pytest.mark.parametrize("attack", [{}, {"eps": 0.3}, {"eps_inf": 0.2}])
@pytest.mark.parametrize("loss", ["logistic", "hinge"])
def test_separable_inputs_without_a_penalty_are_refused(loss: Any, attack: Any) -> None:
    X, y = sample(10, 20)
    objective = Objective(loss=loss, **attack)
    with pytest.raises(ConvergenceError, match="inputs that are separable"):
        minimise(objective, X * y[:, None])
    # A small penalty makes a minimiser.
    assert minimise(replace(objective, l2=1e-3), X * y[:, None]).gap <= 1e-6


def test_squared_loss_without_a_penalty_wants_as_many_inputs_as_features() -> None:
    X, y = sample(10, 20)
    with pytest.raises(ConvergenceError, match="fewer inputs than features"):
        minimise(Objective(loss="squared"), X * y[:, None])
    X, y = sample(60, 20)
    least = np.linalg.lstsq(X, y)[0]
    found = train(Objective(loss="squared"), X, y)
    assert found.weights == pytest.approx(least, abs=0.02)  # the root of its gap, 1e-5


def test_too_few_rounds_are_told() -> None:
    X, y = sample(100, 20)
    with pytest.raises(ConvergenceError, match="after 10 rounds"):
        minimise(Objective(loss="hinge", l1=0.1), X * y[:, None], limit=10)


def test_training_refuses_what_it_cannot_do() -> None:
    X, y = sample(10, 5)
    objective = Objective(loss="logistic", l1=1.0)
    with pytest.raises(ValueError, match="solver must be one of"):
        train(objective, X, y, solver="saga")
    for solver in set(SOLVERS) - {"liblinear", "splitting"}:
        with pytest.raises(UnsupportedSettingError, match="must have an objective"):
            train(objective, X, y, solver=solver)
    with pytest.raises(ValueError, match="X and y must fit"):
        train(objective, X, np.arange(10.0))
    with pytest.raises(ValueError, match="X and y must fit"):
        train(objective, X, y[1:])
