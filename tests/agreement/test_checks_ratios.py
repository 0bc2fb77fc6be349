"""The checks of ratios see planted errors, and predictions meet what is measured.

That they uphold what is proven is among the tests of all verdicts.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from empirical.ratio_study import (
    RandomWeights,
    drawn_ratios,
    gap_from,
    masked_margins,
    nearest_forms,
    sign_entries,
    trained_digits,
)
from empirical.verify import DRAWN_CHECKS, Verdict, ratios
from theory.claims import CATALOGUE
from theory.initialised import (
    MarginSlope,
    RandomNetwork,
    dead_probability,
    fixed_pattern_margin_slope,
    gaussian_margin_slope,
    ratio_cdf,
    shifted_ratio_cdf,
)


def judged(key: str, seed: int = 0) -> Verdict:
    return DRAWN_CHECKS[key](np.random.default_rng(seed))


def plant(monkeypatch: pytest.MonkeyPatch, key: str, wrong: Callable[..., Any]) -> None:
    claim = CATALOGUE[key]
    planted = replace(claim, predict=lambda *args, **named: wrong(claim.predict(*args, **named)))
    monkeypatch.setitem(CATALOGUE, key, planted)


def test_few_weights_fail_the_law_by_dead_outputs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ratios, "_DRAWS", 10)
    verdict = judged("guo2018.ratio-law")
    far, dead = (float(verdict.evidence[name]) for name in list(verdict.evidence)[-2:])
    assert far == pytest.approx(dead, abs=0.04)  # 1.36 / √1500 of noise
    assert far > 0.05


def test_another_limit_law_is_refuted(monkeypatch: pytest.MonkeyPatch) -> None:
    def wider(t: Any, *, dimension: int, input_norm: float) -> Any:
        return ratio_cdf(t, dimension=dimension, input_norm=1.3 * input_norm)

    monkeypatch.setattr(ratios, "ratio_cdf", wider)
    monkeypatch.setattr(ratios, "_DRAWS", 1000)
    verdict = judged("guo2018.ratio-law")
    assert verdict.status == "refuted"
    assert verdict.contradicts_us


def test_too_few_draws_decide_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ratios, "_DRAWS", 200)
    assert judged("guo2018.ratio-law").status == "inconclusive"


@pytest.mark.parametrize("key", ["ratio-fixed", "ratio-mean"])
def test_laws_without_their_assumption_are_refuted(key: str) -> None:
    verdict = judged(f"guo2018.{key}")
    assert verdict.status == "refuted"
    assert not verdict.contradicts_us
    assert verdict.interval[0] > 0.4


def test_other_moments_are_refuted(monkeypatch: pytest.MonkeyPatch) -> None:
    key = "guo2018.ratio-moments"
    plant(monkeypatch, key, lambda found: (found.output, 0.94 * found.gradient))
    verdict = judged(key)
    assert verdict.status == "refuted"
    assert verdict.contradicts_us


def test_held_units_that_gain_would_be_refuted(monkeypatch: pytest.MonkeyPatch) -> None:
    key = "guo2018.ratio-pattern"
    plant(monkeypatch, key, lambda found: MarginSlope(0.5 * found.margin, found.slope))
    assert judged(key).status == "refuted"


def test_trained_networks_lose_ratio_as_predicted() -> None:
    verdict = judged("guo2018.over-sparsification")
    assert verdict.status == "holds"
    for density in ("0.7", "0.4"):
        told = str(verdict.evidence[f"ratio, ρ = {density}"]).replace(",", "").split()
        assert float(told[3]) == pytest.approx(float(told[1]), rel=0.12)


def test_initialised_networks_flip_at_twice_their_ratio(monkeypatch: pytest.MonkeyPatch) -> None:
    key = "initialised.distance"
    assert judged(key).status == "holds"
    plant(monkeypatch, key, lambda median: 1.5 * median)
    monkeypatch.setattr(ratios, "_NEAR_DRAWS", 500)
    assert judged(key).status == "refuted"


def test_dead_outputs_are_as_many_as_predicted() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=100)
    for widths, density in (((100, 80), 0.03), ((100, 80, 60), 0.04)):
        found = drawn_ratios(RandomWeights(widths, density), x, count=1000, rng=rng) == 0
        dead = dead_probability(RandomNetwork(widths=widths, densities=density), x)
        # Three standard errors of a share of 1000; densities are met to 1/65536.
        assert found.mean() == pytest.approx(dead, abs=0.045)
        assert dead > 0.05


@pytest.mark.parametrize("density", [0.03])
def test_networks_that_are_not_dead_have_the_limit_law_long_before(density: float) -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=256)
    found = drawn_ratios(RandomWeights((256, 256), density), x, count=4000, rng=rng)
    alive = found[found > 0]
    gap = gap_from(
        alive, lambda t: ratio_cdf(t, dimension=256, input_norm=float(np.linalg.norm(x)))
    )
    assert gap.upper <= 0.05


@pytest.mark.parametrize("density", [1.0, 0.4])
def test_weights_with_a_mean_have_their_own_law(density: float) -> None:
    rng = np.random.default_rng(0)
    x = np.where(np.arange(256) % 2, 1.0, -1.0)
    law = RandomWeights((256, 256), density, entries=sign_entries, shift=2.0)
    found = drawn_ratios(law, x, count=1500, rng=rng)

    def shifted(t: Any) -> Any:
        return shifted_ratio_cdf(
            t, dimension=256, input_norm=16.0, shift=2.0, density=density, alignment=0.0
        )

    assert gap_from(found, shifted).value < 0.06  # 1.36 / √1500 of noise, and 1/d
    other = gap_from(found, lambda t: ratio_cdf(t, dimension=256, input_norm=16.0))
    assert other.lower > 0.02


def test_margins_and_gradients_of_a_trained_network_are_as_predicted() -> None:
    rng = np.random.default_rng(0)
    net, X, y = trained_digits(rng, 40, hidden=(60,))
    forms = nearest_forms(net, X, y)
    fixed_is_worse = 0
    for density in (0.7, 0.4, 0.2):
        kept = [density, 1.0]
        found = masked_margins(net, X, forms, densities=kept, count=200, rng=rng)
        margin, slope = found.margins.mean(axis=0), np.sqrt((found.slopes**2).mean(axis=0))
        alphas = [1 - rho for rho in kept]
        near = gaussian_margin_slope(net, alphas, X, forms)
        held = fixed_pattern_margin_slope(net, alphas, X, forms)
        # What units have in common, and noise of 200 masks: a few percent.
        assert np.abs(near.slope / slope - 1).mean() < 0.04
        assert np.abs(near.margin - margin).mean() < 0.12 * np.abs(margin).mean()
        fixed_is_worse += (
            np.abs(held.margin - margin).mean() > 2 * np.abs(near.margin - margin).mean()
        )
    assert fixed_is_worse == 3
