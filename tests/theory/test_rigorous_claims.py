"""Balls uphold instances of what is proven, and refute counterexamples of what is not."""

import math
from typing import Any

import numpy as np
import pytest

from theory.claims import CATALOGUE
from theory.networks import ReluNetwork
from theory.rigorous import CASES, masks, moments


@pytest.mark.parametrize("key", CASES)
def test_instances_are_as_we_say(key: str) -> None:
    claim = CATALOGUE[key]
    for case in CASES[key](key, np.random.default_rng(0)):
        gap = case.measured - case.predicted
        off = abs(gap) if claim.form == "identity" else gap
        if claim.standing == "refuted":
            assert off > 1e-6, case
        else:
            assert off <= 1e-25, case  # some thousand operations at 128 bits
        # Some hundred float64 operations.
        assert case.float64 == pytest.approx(float(case.predicted), rel=1e-9, abs=1e-9)


def test_instances_are_drawn() -> None:
    for key in ("guo2018.r2", "guo2018.rinf-markov"):
        one, other = (CASES[key](key, np.random.default_rng(seed)) for seed in (0, 1))
        assert float(one[0].predicted) != float(other[0].predicted)


def test_counterexamples_have_the_means_of_a_pencil() -> None:
    # Two weights 1, each kept with probability 1/2: E L_2 = 1/4 √2 + 1/2.
    [case] = masks.product_cases("guo2018.lipschitz-product", np.random.default_rng(0))
    assert float(case.measured) == pytest.approx(math.sqrt(2) / 4 + 1 / 2, rel=1e-15)
    [case] = masks.falls_cases("guo2018.lipschitz-falls", np.random.default_rng(0))
    assert (case.measured == 0.5, case.predicted.is_zero()) == (True, True)


def test_positive_networks_fill_the_bound_on_l1(monkeypatch: pytest.MonkeyPatch) -> None:
    # With all units on every path counts with its own sign: E L_1 = c_1 Π ρ_j.
    drawn = masks._drawn

    def positive(widths: Any, rng: np.random.Generator) -> ReluNetwork:
        return ReluNetwork(weights=[abs(W) for W in drawn(widths, rng).weights])

    monkeypatch.setattr(masks, "_drawn", positive)
    for case in masks.bound_cases("guo2018.lipschitz-l1", np.random.default_rng(0)):
        assert abs(case.measured - case.predicted) < 1e-25


def test_a_formula_that_is_wrong_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    # Without its variance term the two-moment bound is Markov's step: too low beyond the mean.
    monkeypatch.setattr(moments, "_tail", lambda side, a: moments.arb(int(a <= side.mean)))
    cases = moments.r_inf_cases("guo2018.rinf-two-moments", np.random.default_rng(0))
    assert any(case.measured > case.predicted for case in cases)


def test_survivors_that_balls_cannot_tell_may_be_either() -> None:
    kept = moments._kept([moments.arb(1), moments.arb(0, 1), moments.arb(-1), moments.arb(0)])
    assert kept.contains(0.25)
    assert kept.contains(0.5)
    assert kept < 0.51
    assert kept > 0.24
