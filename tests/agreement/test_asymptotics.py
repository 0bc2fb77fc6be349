"""Predictions for n, d -> infinity against training on simulated mixtures of few hundred features.

A prediction may be off by what finite size makes, stated here, and by what so few runs leave open:
Student's quantile, so that a comparison fails by chance once in 100,000 times.
"""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy import stats

from empirical.risk_study import (
    Noise,
    Simulated,
    Simulation,
    pixel_noise,
    sign_noise,
    simulate,
)
from theory.asymptotics import (
    CoordinateLaw,
    Limit,
    Objective,
    gaussian_law,
    limit_accuracy,
    limit_r_2,
    limit_robust_accuracy,
    predict,
    spiked_law,
)

FALSE_ALARM, RUNS = 1e-5, 12
SMALL = 200  # features
EPS, EPS_INF = np.array([0.3, 1.0, 0.0, 0.2]), np.array([0.0, 0.0, 0.4, 0.3])
# Means stray by c/d, of their size: tests/benchmarks/asymptotics.py finds c below 3.
FINITE = 4.0
UNEQUAL = CoordinateLaw(
    weights=[0.7, 0.2, 0.1], means=[0, 2, -3], deviations=[0, 0.5, 0], scales=[1, 1.5, 0.6]
)


def simulated(objective: Objective, law: Any, ratio: float, *, d: int, **other: Any) -> Simulated:
    case = Simulation(
        objective=objective, law=law, ratio=ratio, dimension=d, eps=EPS, eps_inf=EPS_INF, **other
    )
    return simulate(case, rng=np.random.default_rng(0), precision=0.0, most=RUNS)


def numbers(limit: Limit) -> dict[str, Any]:
    fields = ("overlap", "spread", "norm", "l1_norm", "nonzero_fraction", "training_loss")
    return {
        "accuracy": limit_accuracy(limit),
        "robust_accuracy": limit_robust_accuracy(limit, eps=EPS, eps_inf=EPS_INF),
        "r_2": limit_r_2(limit),
        **{name: getattr(limit, name) for name in fields},
    }


def strayed(limit: Limit, found: Simulated, *, d: int) -> list[str]:
    """Return the quantities in which simulation and prediction are too far apart for chance."""
    quantile = stats.t.isf(FALSE_ALARM / 2, RUNS - 1)
    far = []
    for name, predicted in numbers(limit).items():
        mean, error, _ = found.measures[name]
        finite = FINITE / d * np.maximum(np.abs(mean), 0.25)
        if (np.abs(mean - predicted) > finite + quantile * error).any():
            far.append(name)
    return far


FEW = [
    (Objective(loss="logistic", l1=0.3), spiked_law(1.5, density=0.1), 2.0),
    (Objective(loss="logistic", l1=0.1, l2=0.1), UNEQUAL, 1.5),
    (Objective(loss="squared", l1=0.3), gaussian_law(1.5, density=0.3), 2.0),
    (Objective(loss="squared", l2=0.2), spiked_law(2.0), 0.7),
    (Objective(loss="hinge", l2=0.2), spiked_law(1.5), 1.0),
    (Objective(loss="hinge", l1=0.6), spiked_law(2.0, density=0.1), 1.0),
    (Objective(loss="logistic", l2=0.1, eps=0.3, eps_inf=0.3), UNEQUAL, 2.0),
    (Objective(loss="squared", l1=0.1, eps=0.4), gaussian_law(2.0), 1.5),
    (Objective(loss="hinge", l1=0.2, eps=0.5), spiked_law(2.0, density=0.3), 2.0),
]


@pytest.mark.parametrize(("objective", "law", "ratio"), FEW)
def test_predictions_meet_simulations(objective: Objective, law: Any, ratio: float) -> None:
    found = simulated(objective, law, ratio, d=SMALL)
    assert strayed(predict(objective, law, ratio=ratio), found, d=SMALL) == []


def test_predictions_of_something_else_are_noticed() -> None:
    objective, law, ratio = FEW[0]
    found = simulated(objective, law, ratio, d=SMALL)
    assert strayed(predict(replace(objective, l1=0.36), law, ratio=ratio), found, d=SMALL)
    assert strayed(predict(replace(objective, eps=0.25), law, ratio=ratio), found, d=SMALL)
    assert strayed(predict(objective, spiked_law(1.65, density=0.1), ratio=ratio), found, d=SMALL)
    assert strayed(predict(objective, law, ratio=1.5 * ratio), found, d=SMALL)


@pytest.mark.parametrize("noise", [sign_noise, pixel_noise(0.1)])
def test_noise_need_not_be_gaussian(noise: Noise) -> None:
    objective, law, ratio = FEW[0]
    found = simulated(objective, law, ratio, d=SMALL, noise=noise, fresh=5000)
    assert strayed(predict(objective, law, ratio=ratio), found, d=SMALL) == []


def test_noise_that_is_nearly_constant_breaks_the_prediction() -> None:
    # A pixel that is not blank in a thousandth of the digits has variance 1 too, once standardised;
    # but in nearly every input it does not vary, and shows the label plainly.
    objective, law, ratio = FEW[0]
    found = simulated(objective, law, ratio, d=SMALL, noise=pixel_noise(0.0), fresh=5000)
    limit = predict(objective, law, ratio=ratio)
    assert {"accuracy", "r_2"} <= set(strayed(limit, found, d=SMALL))
    assert found.measures["accuracy"].mean > limit_accuracy(limit) + 0.02
    assert found.measures["r_2"].mean < 0.8 * limit_r_2(limit)


def random_case(seed: int) -> tuple[Objective, CoordinateLaw, float]:
    rng = np.random.default_rng(seed)

    def some(least: float, most: float) -> float:
        return float(rng.uniform(least, most))

    loss: Any = ("logistic", "squared", "hinge")[seed % 3]
    ratio = float(np.exp(some(np.log(0.5), np.log(5))))
    l1, l2 = ((1, 0), (0, 1), (1, 1))[rng.integers(3)]
    attacked = rng.random() < 0.5
    objective = Objective(
        loss=loss,
        l1=l1 * some(0.1, 0.3) * np.sqrt(ratio),
        l2=l2 * some(0.02, 0.2) * ratio,
        eps=attacked * some(0, 0.5),
        eps_inf=attacked * some(0, 0.5),
    )
    law = (spiked_law, gaussian_law)[rng.integers(2)](some(1.2, 2.5), density=some(0.05, 1))
    return objective, law, ratio


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(36))
def test_predictions_meet_simulations_at_random(seed: int) -> None:
    objective, law, ratio = random_case(seed)
    found = simulated(objective, law, ratio, d=500)
    assert strayed(predict(objective, law, ratio=ratio), found, d=500) == []
