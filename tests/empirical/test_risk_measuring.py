"""Measures of given weights, against inputs drawn and attacked by hand; means over draws."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy import stats

from empirical.risk_study import (
    Simulation,
    allowance,
    draw_inputs,
    draw_mixture,
    extrapolate,
    pixel_noise,
    population_measures,
    run_once,
    sampled_measures,
    sign_noise,
    simulate,
    sizes,
    training_loss,
)
from theory.asymptotics import CoordinateLaw, Objective, spiked_law
from theory.validation import UnsupportedSettingError

LAW = CoordinateLaw(weights=[0.6, 0.4], means=[0, 2], deviations=[0.1, 0.5], scales=[1, 1.5])
EPS, EPS_INF = np.array([0.0, 0.4, 0.0, 0.3]), np.array([0.0, 0.0, 0.5, 0.2])
ONCE = Simulation(objective=Objective(loss="squared", l2=0.5), law=LAW, ratio=2.0, dimension=20)


def mixture_and_weights(d: int = 12, **settings: Any) -> Any:
    rng = np.random.default_rng(3)
    mixture = draw_mixture(LAW, d, rng=rng, **settings)
    return mixture, np.where(rng.random(d) < 0.3, 0.0, mixture.mu + 0.3 * rng.normal(size=d))


def test_population_measures_are_those_of_inputs_attacked_by_hand() -> None:
    mixture, w = mixture_and_weights()
    found = population_measures(mixture, w, eps=EPS, eps_inf=EPS_INF)
    count = 200_000
    X, y = draw_inputs(mixture, count, rng=np.random.default_rng(0))
    error = 5 * 0.5 / np.sqrt(count)  # five standard errors of an accuracy, at most
    assert found["accuracy"] == pytest.approx(np.mean(np.sign(X @ w) == y), abs=error)
    for k, (eps, eps_inf) in enumerate(zip(EPS, EPS_INF, strict=True)):
        worst = eps * w / np.linalg.norm(w) + eps_inf / np.sqrt(12) * np.sign(w)
        moved = X - y[:, None] * worst
        kept = np.mean(np.sign(moved @ w) == y)
        assert found["robust_accuracy"][k] == pytest.approx(kept, abs=error)
    distances = np.maximum(y * (X @ w), 0) / np.linalg.norm(w)
    assert found["r_2"] == pytest.approx(distances.mean(), abs=5 * distances.std() / np.sqrt(count))


@pytest.mark.parametrize("noise", [sign_noise, pixel_noise()])
def test_sampled_measures_are_the_shares_of_fresh_inputs(noise: Any) -> None:
    mixture, w = mixture_and_weights(noise=noise)
    rng, count = np.random.default_rng(0), 100_000
    found = sampled_measures(mixture, w, eps=EPS, eps_inf=EPS_INF, count=count, rng=rng)
    X, y = draw_inputs(mixture, count, rng=rng)
    margins = y * (X @ w)
    error = 5 * np.sqrt(2 / 4 / count)  # five standard errors of a difference, at most
    drops = EPS * np.linalg.norm(w) + EPS_INF * np.abs(w).sum() / np.sqrt(12)
    assert found["accuracy"] == pytest.approx((margins > 0).mean(), abs=error)
    assert found["robust_accuracy"] == pytest.approx(
        [(margins > drop).mean() for drop in drops], abs=error
    )
    distance = np.maximum(margins, 0) / np.linalg.norm(w)
    slack = 5 * distance.std() * np.sqrt(2 / count)
    assert found["r_2"] == pytest.approx(distance.mean(), abs=slack)


def test_sampled_measures_estimate_those_of_the_population() -> None:
    mixture, w = mixture_and_weights()
    exact = population_measures(mixture, w, eps=EPS, eps_inf=EPS_INF)
    drawn = sampled_measures(
        mixture, w, eps=EPS, eps_inf=EPS_INF, count=200_001, rng=np.random.default_rng(0)
    )
    for name, value in exact.items():
        assert drawn[name] == pytest.approx(value, abs=0.01)  # over five standard errors


def test_grownfollow_their_definitions() -> None:
    mixture, w = mixture_and_weights()
    found = sizes(mixture, w)
    X, y = draw_inputs(mixture, 100_000, rng=np.random.default_rng(0))
    margins = y * (X @ w)
    assert found["overlap"] == pytest.approx(margins.mean(), abs=0.02 * found["spread"])
    assert found["spread"] == pytest.approx(margins.std(), rel=0.02)
    assert found["norm"] ** 2 == pytest.approx(sum(v * v for v in w))
    assert found["l1_norm"] == pytest.approx(sum(abs(v) for v in w) / np.sqrt(12))
    assert found["nonzero_fraction"] == sum(v != 0 for v in w) / 12 < 1


def test_training_loss_is_the_mean_loss_after_the_worst_move() -> None:
    w, X, y = np.array([3.0, -4.0]), np.array([[1.0, 1.0], [1.0, 0.0]]), np.array([1.0, -1.0])
    # The worst move lowers margins, -1 and -3, by .2 * 5 + .1 / sqrt(2) * 7.
    lowered = np.array([-1.0, -3.0]) - 1 - 0.7 / np.sqrt(2)
    objective = Objective(loss="logistic", l1=1.0, eps=0.2, eps_inf=0.1)
    expected = {
        "logistic": np.log1p(np.exp(-lowered)),
        "hinge": 1 - lowered,
        "squared": (1 - lowered) ** 2 / 2,
    }
    for loss, values in expected.items():
        found = training_loss(replace(objective, loss=loss), w, X, y)  # type: ignore[arg-type]
        assert found == pytest.approx(values.mean())


def test_weights_without_a_boundary_and_other_noise_are_refused() -> None:
    mixture, w = mixture_and_weights()
    budgets: Any = {"eps": EPS, "eps_inf": EPS_INF}
    with pytest.raises(UnsupportedSettingError, match="make a boundary"):
        population_measures(mixture, 0 * w, **budgets)
    with pytest.raises(UnsupportedSettingError, match="make a boundary"):
        sampled_measures(mixture, 0 * w, **budgets, count=10, rng=np.random.default_rng(0))
    with pytest.raises(UnsupportedSettingError, match="Gaussian noise"):
        population_measures(replace(mixture, noise=sign_noise), w, **budgets)


def test_simulation_stops_when_r_2_is_known_and_says_so() -> None:
    told: list[tuple[int, float]] = []
    simulation = replace(ONCE, eps=EPS, eps_inf=EPS_INF, dimension=60)
    found = simulate(
        simulation,
        rng=np.random.default_rng(0),
        precision=0.02,
        progress=lambda *now: told.append(now),
    )
    r_2 = found.measures["r_2"]
    assert [runs for runs, _ in told] == list(range(8, found.runs + 1, 4))
    assert all(reached > 0.02 for _, reached in told[:-1])
    assert told[-1][1] == pytest.approx(r_2.error / r_2.mean)
    assert told[-1][1] <= 0.02
    assert found.measures["robust_accuracy"].mean.shape == EPS.shape
    assert found.gap < 1e-5


def test_means_and_errors_are_those_of_single_runs() -> None:
    found = simulate(ONCE, rng=np.random.default_rng(0), most=10, precision=0.0)
    assert found.runs == 10
    rngs = np.random.default_rng(0).spawn(10)
    r_2 = [float(run_once(ONCE, rng)["r_2"]) for rng in rngs]
    assert found.measures["r_2"].mean == pytest.approx(np.mean(r_2))
    assert found.measures["r_2"].error == pytest.approx(stats.sem(r_2))


def test_a_simulation_does_not_depend_on_who_runs_it() -> None:
    def backwards(run: Any, rngs: Any) -> list[Any]:
        return [run(rng) for rng in rngs[::-1]][::-1]

    one = simulate(ONCE, rng=np.random.default_rng(0), most=8)
    other = simulate(ONCE, rng=np.random.default_rng(0), most=8, mapper=backwards)
    assert one.measures["r_2"] == other.measures["r_2"]


def test_simulations_refuse_what_they_cannot_draw() -> None:
    with pytest.raises(ValueError, match="ratio must leave an input"):
        replace(ONCE, ratio=0.01)
    with pytest.raises(ValueError, match="eps_inf must be at least 0"):
        replace(ONCE, eps_inf=-1.0)
    with pytest.raises(ValueError, match="most must be at least 2"):
        simulate(ONCE, rng=np.random.default_rng(0), most=1)


def test_extrapolation_is_right_on_average_and_knows_its_error() -> None:
    rng, d, errors = np.random.default_rng(0), [250, 500, 1000], np.array([0.01, 0.02, 0.01])
    truth = 2 - 30 / np.array(d)
    found = [extrapolate(d, truth + errors * rng.normal(size=3), errors) for _ in range(2000)]
    standard = np.array([(one.limit - 2) / one.error for one in found])
    assert abs(standard.mean()) < 5 / np.sqrt(2000)
    assert standard.std() == pytest.approx(1, abs=5 / np.sqrt(4000))
    assert np.mean([one.slope for one in found]) == pytest.approx(-30, abs=1)
    # One degree of freedom is left.
    assert np.mean([one.misfit for one in found]) == pytest.approx(1, abs=5 * np.sqrt(2 / 2000))


def test_extrapolation_tells_a_slower_approach() -> None:
    d = np.array([100, 400, 1600])
    assert extrapolate([100, 400, 1600], 2 + 1 / np.sqrt(d), [1e-3] * 3).misfit > 20


def test_extrapolation_refuses_grownthat_tell_nothing() -> None:
    for d, means, errors, words in (
        ([100, 100], [1, 2], [1, 1], "different sizes"),
        ([100], [1], [1], "different sizes"),
        ([100, 200], [1, 2, 3], [1, 1], "one a size"),
        ([100, 200], [1, 2], [0, 1], "above 0"),
    ):
        with pytest.raises(ValueError, match=words):
            extrapolate(d, means, errors)
    with pytest.raises(ValueError, match="one a size"):
        allowance([100, 200], [0.1])


def test_one_draw_stays_within_the_allowance() -> None:
    law, objective = spiked_law(1.5, density=0.2), Objective(loss="squared", l2=0.3)
    rng, grown = np.random.default_rng(0), np.array([25, 50, 100])
    small = Simulation(objective=objective, law=law, ratio=2.0, dimension=25)
    found = [
        simulate(replace(small, dimension=d), rng=rng, most=40, precision=0.0).measures["r_2"]
        for d in grown.tolist()
    ]
    deviations = np.array([one.deviation for one in found])
    c = float(allowance(grown.tolist(), deviations))
    # Deviations fall with 1 / sqrt(d), each known to 1 / sqrt(2 * 39): four of these.
    scaled = deviations * np.sqrt(grown)
    assert scaled / scaled.mean() == pytest.approx(1, abs=0.45)
    # Larger than any that the allowance was taken from.
    large = replace(small, dimension=200)
    r_2 = np.array([float(run_once(large, one)["r_2"]) for one in rng.spawn(40)])
    kept = np.abs(r_2 - r_2.mean()) <= c / np.sqrt(200)
    assert kept.mean() >= 0.95
