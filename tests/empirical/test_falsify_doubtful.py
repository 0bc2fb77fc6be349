"""Violations that float64 sees and fractions deny: never told as such, nor in the way of one."""

from fractions import Fraction
from typing import Any

import numpy as np

from empirical.falsify import Instance, falsify
from tests.empirical.test_falsify import false_claim, planted, rng


def test_a_violation_that_is_rounding_is_not_confirmed() -> None:
    # The claim's own number is a hundredth too small: float64 sees it, fractions of `true` do not.
    def true(instance: Instance) -> Any:
        exact = instance["v"].dtype == object
        return (instance["v"] * instance["v"]).sum() * (Fraction(1) if exact else 1.5)

    found = falsify(
        planted(lambda one: float((one["v"] ** 2).sum()), true, rational=True),
        rng(),
        evaluations=50,
    )
    assert (found.verdict, found.confirmed) == ("not violated", False)
    found = falsify(false_claim(rational=True), rng(), evaluations=500)
    assert (found.verdict, found.confirmed) == ("violated", True)


def test_violations_that_are_rounding_hide_none_that_is_not() -> None:
    # Float64 sees a violation wherever v[0] > -2; fractions see one below, and of small entries
    # that minimising leads to, none.
    def true(instance: Instance) -> Any:
        v = instance["v"]
        if v.dtype == object:
            return (v * v).sum() * (2 if v[0] < -2 and np.abs(v[1:]).max() > Fraction(1, 10) else 1)
        return (v * v).sum() * 1.5

    search = planted(
        lambda one: float((one["v"] ** 2).sum()), true, rational=True, axes={"v": ("",)}
    )
    for seed in range(5):
        found = falsify(search, rng(seed), evaluations=1000)
        assert (found.verdict, found.confirmed) == ("violated", True)
        assert found.instance["v"][0] < -2
        assert found.evaluations > found.slacks.size  # it was made simpler


def test_a_violation_that_exact_arithmetic_does_not_cover_is_not_confirmed() -> None:
    def true(instance: Instance) -> Any:
        if instance["v"].dtype == object:
            raise ValueError("a flip must be one in exact arithmetic as well.")
        return (instance["v"] * instance["v"]).sum() * 1.5

    search = planted(lambda one: float((one["v"] ** 2).sum()), true, rational=True)
    found = falsify(search, rng(), evaluations=50)
    assert (found.verdict, found.confirmed) == ("not violated", False)
