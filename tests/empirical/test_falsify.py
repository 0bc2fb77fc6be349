"""The falsifier: its search on planted claims, its minimiser, its arithmetic and its files."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from empirical.falsify import (
    SEARCHES,
    UNSEARCHED,
    WRONG,
    Instance,
    Search,
    Sides,
    falsify,
    sides,
    slack_of,
)
from empirical.falsify.exact import as_fractions, lengths, roots
from empirical.falsify.minimise import minimise
from empirical.falsify.search import Span, exact_sides, instance_of
from theory.claims import CATALOGUE, Claim, Source

# Searches whose instances take ten milliseconds and more.
DEAR = {
    "networks.certificates",
    "networks.clever",
    "networks.local-lipschitz",
    "guo2018.r2-held-out",
    "guo2018.ratio-moments",
    "wrong.slope-falls",
}
CLAIM = Claim(
    key="planted.claim",
    source=Source(citation="nobody", place="nowhere", bibtex=""),
    statement="what a test plants",
    form="bound",
    assumptions=(),
    standing="open",
    note="",
    predict=float,
)


def planted(
    claimed: Callable[[Instance], Any], true: Callable[[Instance], Any], **given: Any
) -> Search:
    """Return the search of claimed >= true over v in [-3, 3]^3."""
    settings: dict[str, Any] = {
        "claim": CLAIM,
        "direction": "upper",
        "space": (Span("v", (3,), -3, 3),),
        "build": dict,
        "claimed": claimed,
        "true": true,
        "kind": "planted",
        "axes": {"v": ("entry",)},
    }
    return Search(**(settings | given))


def false_claim(**given: Any) -> Search:
    """Return "the square of the sum is at most the sum of squares"."""
    return planted(
        lambda one: float((one["v"] ** 2).sum()), lambda one: one["v"].sum() ** 2, **given
    )


def true_claim(**given: Any) -> Search:
    """Return "the square of the sum is at most n times the sum of squares"."""
    return planted(
        lambda one: float(one["v"].size * (one["v"] ** 2).sum()),
        lambda one: one["v"].sum() ** 2,
        **given,
    )


def entries(lo: float, hi: float, size: int, generator: np.random.Generator) -> Any:
    return lo + (hi - lo) * generator.random(size)


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def test_every_claim_has_a_search_or_a_reason_for_none() -> None:
    assert not set(SEARCHES) & set(UNSEARCHED)
    assert set(SEARCHES) - set(WRONG) | set(UNSEARCHED) == set(CATALOGUE)
    assert not set(WRONG) & set(CATALOGUE)
    statistical = {key for key in UNSEARCHED if CATALOGUE[key].standing == "proven"}
    assert all(
        CATALOGUE[key].form == "limit" or "average over draws" in UNSEARCHED[key]
        for key in statistical
    )


@pytest.mark.parametrize("key", SEARCHES)
def test_every_search_says_what_files_and_shapes_need(key: str) -> None:
    search, generator = SEARCHES[key], rng()
    assert search.fixed <= set(search.axes)
    assert search.allowance > 0
    spans = search.space
    vector = np.concatenate([entries(one.lo, one.hi, one.size, generator) for one in spans])
    instance = instance_of(search, vector)
    assert set(instance) == set(search.axes)
    assert all(np.ndim(instance[name]) == len(axes) for name, axes in search.axes.items())


@pytest.mark.parametrize("key", SEARCHES)
def test_every_search_answers_or_refuses_what_minimising_makes(key: str) -> None:
    search = SEARCHES[key]
    spans, generator = search.space, rng(3)
    start = np.concatenate([entries(one.lo, one.hi, one.size, generator) for one in spans])
    tried = [instance_of(search, start)]
    # Every step that is taken from the first instance: things left out, arrays and numbers zeroed.
    steps = minimise(
        tried[0], search.axes, fixed=search.fixed, is_good=lambda one: tried.append(one) or False
    )
    assert list(steps) == []
    assert len(tried) > 3
    for instance in tried[: 5 if key in DEAR else 20]:
        with suppress(ValueError):
            assert np.isfinite(slack_of(search, sides(search, instance)))


def test_falsify_finds_and_simplifies_a_violation() -> None:
    found = falsify(false_claim(), rng(), evaluations=1000)
    assert found.verdict == "violated"
    assert found.true > found.claimed
    assert found.instance["v"].size == 2  # of one number there is no violation
    assert all(
        len(f"{abs(value):g}".replace(".", "").lstrip("0")) <= 1 for value in found.instance["v"]
    )
    assert found.slack == (found.claimed - found.true) / found.true
    assert found.slacks.min() < -0.01
    assert found.confirmed is None


def test_falsify_reports_the_tightest_instance_of_what_holds() -> None:
    found = falsify(true_claim(), rng(), evaluations=3000)
    assert found.verdict == "not violated"
    assert found.evaluations <= 3000
    assert 0 <= found.slack < 1e-6  # equal entries; descent ends where differences are rounding
    assert (found.slacks >= -1e-12).all()  # one rounding of each side
    assert found.slacks.size > 1000


def test_falsify_depends_on_the_seed_alone() -> None:
    one, same, other = (falsify(true_claim(), rng(seed), evaluations=400) for seed in (1, 1, 2))
    assert one.slacks.tolist() == same.slacks.tolist()
    assert one.instance["v"].tolist() == same.instance["v"].tolist()
    assert one.slacks.tolist() != other.slacks.tolist()


def test_falsify_ends_with_its_seconds() -> None:
    found = falsify(true_claim(), rng(), seconds=0.2)
    assert found.seconds < 5  # one evaluation takes microseconds; a paused machine may take longer


@pytest.mark.parametrize(
    ("limits", "said"),
    [
        ({"seconds": 0.0}, "seconds must be above 0; got 0"),
        ({"seconds": -1.0}, "got -1"),
        ({"evaluations": 0}, "evaluations must be above 0; got 0"),
        ({"seconds": float("nan")}, "got nan"),
        ({}, "must be finite"),
    ],
)
def test_falsify_refuses_budgets(limits: Any, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        falsify(true_claim(), rng(), **limits)


def test_falsify_refuses_what_covers_nothing() -> None:
    def never(instance: Instance) -> float:
        raise ValueError("v must be green.")

    with pytest.raises(RuntimeError, match="covers none of 80 tried: v must be green"):
        falsify(planted(never, never), rng(), evaluations=100)


def test_falsify_leaves_out_what_is_not_covered() -> None:
    def claimed(instance: Instance) -> float:
        if instance["v"][0] < 0:
            raise ValueError("v[0] must be at least 0.")
        return float(3 * (instance["v"] ** 2).sum())

    found = falsify(replace(true_claim(), claimed=claimed), rng(), evaluations=200)
    assert found.instance["v"][0] >= 0
    assert found.slacks.size < found.evaluations


@pytest.mark.parametrize("after", [30, 1])
def test_falsify_keeps_the_best_when_it_is_interrupted(after: int) -> None:
    calls = iter(range(10_000))

    def claimed(instance: Instance) -> float:
        if next(calls) == after:
            raise KeyboardInterrupt
        return float(3 * (instance["v"] ** 2).sum())

    found = falsify(replace(true_claim(), claimed=claimed), rng(), evaluations=1000)
    assert found.interrupted
    assert found.slacks.size == after
    assert found.slack == found.slacks.min()


def test_falsify_interrupted_before_anything_is_kept_is_an_interruption() -> None:
    def claimed(instance: Instance) -> float:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        falsify(replace(true_claim(), claimed=claimed), rng(), evaluations=10)


@pytest.mark.parametrize(
    ("direction", "claimed", "true", "scale", "slack"),
    [
        ("upper", 2.0, 1.0, None, 0.5),
        ("upper", 1.0, 2.0, None, -0.5),
        ("lower", 2.0, 1.0, None, -0.5),
        ("lower", 1.0, 2.0, None, 0.5),
        ("equal", 1.0, 2.0, None, -0.5),
        ("equal", 3.0, 3.0, None, 0.0),
        ("upper", 0.5, 0.25, 1.0, 0.25),
        ("upper", -1.0, 1.0, None, -2.0),
        ("lower", np.inf, 1.0, None, -1.0),
        ("upper", np.inf, 1.0, None, 1.0),
        ("equal", 1.0, np.inf, None, -1.0),
    ],
)
def test_slack_of_is_relative_and_signed(
    direction: Any, claimed: float, true: float, scale: float | None, slack: float
) -> None:
    search = replace(true_claim(), direction=direction, scale=scale)
    assert slack_of(search, Sides(claimed, true)) == slack


@pytest.mark.parametrize(
    "found", [Sides(0.0, 0.0), Sides(1e-9, 0.0), Sides(np.nan, 1.0), Sides(np.inf, np.inf)]
)
def test_slack_of_refuses_what_says_nothing(found: Sides) -> None:
    with pytest.raises(ValueError, match="must"):
        slack_of(true_claim(), found)


def test_roots_of_fractions_have_forty_digits() -> None:
    two = roots(as_fractions(np.array([2.0])))[0]
    assert abs(two * two - 2) < Fraction(3, 10**40)
    assert two * two <= 2
    assert lengths(as_fractions(np.array([[3.0, 4.0]])), 2).tolist() == [5]
    assert lengths(np.array([[3.0, -4.0]]), 1).tolist() == [7.0]
    assert lengths(np.array([[3.0, -4.0]]), np.inf).tolist() == [4.0]


def test_exact_sides_do_not_round() -> None:
    # In float64 1e16 + 1 - 1e16 is 0; in fractions it is 1.
    search = planted(lambda one: 1.0, lambda one: one["v"].sum(), rational=True)
    found = exact_sides(search, {"v": np.array([1e16, 1.0, -1e16])})
    assert found == Sides(1.0, 1.0)
    with pytest.raises(ValueError, match="exact truth"):
        exact_sides(true_claim(), {"v": np.ones(3)})
