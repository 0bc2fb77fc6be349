"""The search for the largest radius, on planted leads; and a margin that rises with the radius."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from theory.certify import certified_accuracy, certified_radius
from theory.certify.domain import open_domain
from theory.certify.margins import linear_margins
from theory.certify.radius import largest_positive
from theory.certify.relaxation import crown_slopes
from theory.networks import ReluNetwork, forward

# Falling leads that are 1 at radius 0 and vanish at radius 1.
CONCAVE = {
    "linear": lambda e: 1 - e,
    "parabola": lambda e: 1 - e * e,
    "mixed": lambda e: 1 - 0.3 * e - 0.7 * e * e,
    "cosine": lambda e: np.cos(np.pi / 2 * np.minimum(e, 2)) - 1e-16,  # rounded: 6e-17 at 1
}
OTHER = {
    "convex": lambda e: (1 - np.sqrt(e)) * np.exp(-e),
    "kink": lambda e: np.minimum(1 - 0.01 * e, 100 * (1 - e)),
    "step": lambda e: np.where(e < 1, 1.0, -1e-9),
    "high step": lambda e: np.where(e < 1, 1e-9, -1.0),
    "bent twice": lambda e: np.where(e < 0.5, 1 - e, np.where(e < 1, 0.5, 0.5 - e)),
}
FALLING: dict[str, Callable[[Any], Any]] = CONCAVE | OTHER


class Recorded:
    """Leads of one function for all inputs, and which radii were asked of which input."""

    def __init__(self, rule: Callable[[Any], Any]) -> None:
        self.rule, self.asked = rule, []

    def __call__(self, rows: Any, radii: Any) -> Any:
        found = np.asarray(self.rule(radii), dtype=np.float64)
        self.asked += list(zip(rows.tolist(), radii.tolist(), found.tolist(), strict=True))
        return found

    def verdicts(self, row: int) -> tuple[list[float], list[float]]:
        """Return the radii found positive, and those found not to be."""
        mine = [(radius, lead) for i, radius, lead in self.asked if i == row]
        return [e for e, lead in mine if lead > 0], [e for e, lead in mine if not lead > 0]


GUESSES = np.array([0.5, 1e-6, 0.999, 1.0, 1.3, 50.0, 1e5])


@pytest.mark.parametrize("tol", [1e-2, 1e-4, 1e-8])
@pytest.mark.parametrize("rule", FALLING.values(), ids=FALLING)
def test_largest_positive_is_evaluated_and_within_tolerance_of_a_failure(
    rule: Callable[[Any], Any], tol: float
) -> None:
    leads = Recorded(rule)
    radii, spent = largest_positive(leads, np.ones(GUESSES.size), GUESSES, tol=tol)
    for i, radius in enumerate(radii):
        good, bad = leads.verdicts(i)
        assert radius in good
        assert min(bad) <= radius * (1 + tol) * (1 + 1e-12)  # a rounding of the product
        assert radius < 1 <= radius * (1 + tol) * (1 + 1e-12)
        assert spent[i] == len(good) + len(bad)


@pytest.mark.parametrize("rule", CONCAVE.values(), ids=CONCAVE)
def test_largest_positive_takes_few_evaluations_of_concave_leads(
    rule: Callable[[Any], Any],
) -> None:
    guesses = np.linspace(0.3, 1.2, 19)
    _, spent = largest_positive(Recorded(rule), np.ones(19), guesses, tol=1e-4)
    assert spent.max() <= 8


def test_largest_positive_of_leads_that_rise_and_fall_is_evaluated() -> None:
    leads = Recorded(lambda e: np.sin(7 * e) + 0.3)
    guesses = np.geomspace(1e-3, 30, 40)
    radii, _ = largest_positive(leads, np.full(40, 0.3), guesses, tol=1e-4)
    for i, radius in enumerate(radii):
        good, bad = leads.verdicts(i)
        assert np.sin(7 * radius) + 0.3 > 0
        assert radius in good
        assert min(bad) <= radius * (1 + 1.01e-4)


def test_largest_positive_of_inputs_is_that_of_each_alone() -> None:
    ends, guesses = np.array([1.0, 1e-3, 70.0]), np.array([0.5, 0.4, 1.0])
    together, spent = largest_positive(lambda i, e: 1 - e / ends[i], np.ones(3), guesses, tol=1e-4)
    for k in range(3):
        alone, count = largest_positive(
            lambda i, e, k=k: 1 - e / ends[k], np.ones(1), guesses[k : k + 1], tol=1e-4
        )
        assert (alone[0], count[0]) == (together[k], spent[k])


def test_largest_positive_stops_at_the_limit_or_far_beyond_its_guess() -> None:
    at_zero, guess = np.array([1.0, 1.0, 0.0, -1.0]), np.array([1.0, 1e-3, 1.0, 1.0])
    for limit in (math.inf, np.array([7.0, 7.0, 7.0, 7.0])):
        leads = Recorded(np.ones_like)
        radii, spent = largest_positive(leads, at_zero, guess, tol=1e-4, limit=limit)
        for i in (0, 1):
            assert radii[i] in leads.verdicts(i)[0]
            assert radii[i] >= min(2.0**40 * guess[i], np.min(limit))
            assert radii[i] <= max(2 * np.min(limit), guess[i])
        assert radii[2:].tolist() == [0.0, 0.0]
        assert spent[2:].tolist() == [0, 0]


def test_largest_positive_is_zero_if_every_ball_fails() -> None:
    # A bound may be useless however small the ball: then trials fall until they reach 0.
    radii, _ = largest_positive(
        lambda rows, radii: np.full(rows.size, -1.0), np.ones(2), np.array([1.0, 1e-9]), tol=1e-2
    )
    assert (radii == 0).all()


def test_certificate_is_evaluated_where_the_margin_rises_with_the_radius() -> None:
    """theory/proofs/certify.md, section 8: f = 1/2 + relu(1 - relu(x)) >= 1/2 at x = -1/2."""
    net = ReluNetwork(weights=[[[1.0]], [[-1.0]], [[1.0]]], biases=[[0.0], [1.0], [0.5]])
    X = [[-0.5]]

    def margin(eps: float) -> float:
        domain = open_domain(net, X, [1], norm=2, box=None)
        return float(linear_margins(domain, np.array([eps]), crown_slopes)[0, 0])

    for eps, expected in ((0.25, 1.5), (1.0, 1.0), (2.0, 0.0), (2.25, -0.25), (2.5, 0.5)):
        # The kink's own place is on one side or the other by rounding; it is not asked.
        nearby = eps + 1e-6 if eps == 2.5 else eps
        assert margin(nearby) == pytest.approx(expected, abs=1e-5)  # the Gram matrix's rounding
    found = certified_radius(net, X, [1], method="crown").lower[0]
    assert margin(found) > 0
    # What holds in the ball of radius 3 holds in that of 2.25, where CROWN alone fails.
    assert certified_accuracy(net, X, [1], 2.25, method="crown") == 0
    assert certified_accuracy(net, X, [1], [2.25, 3.0], method="crown").tolist() == [1.0, 1.0]


def test_margin_rises_with_the_radius_of_one_unit_in_a_box() -> None:
    """The same with one hidden unit: f = 1/2 + relu(x) at x = 1/2, where x is at most 1."""
    net = ReluNetwork(weights=[[[1.0]], [[1.0]]], biases=[[0.0], [0.5]])
    domain = open_domain(net, [[0.5]], [1], norm=math.inf, box=(-10.0, 1.0))
    margins = [
        float(linear_margins(domain, np.array([eps]), crown_slopes)[0, 0])
        for eps in (0.25, 1.0, 1.25, 1.75)
    ]
    np.testing.assert_allclose(margins, [0.75, 0.0, -0.25, 0.5], atol=1e-12)  # a few roundings


# The last radius tried may be far short of the flip: it must not be taken for one at infinity.
@pytest.mark.parametrize("method", ["interval", "best"])
def test_radius_is_finite_where_a_flip_is_far_beyond_the_first_guess(method: str) -> None:
    net = ReluNetwork(
        weights=[[[1.0], [-1.0], [1.0]], [[1.0, 1.0, -2.0]]], biases=[[0, 0, -100], [1e-14]]
    )
    assert forward(net, [[1e-15], [201.0]]).ravel()[1] < 0
    assert certified_radius(net, [[1e-15]], [1], method=method).lower[0] <= 201


@pytest.mark.parametrize("method", ["best", "interval", "fast-lin", "crown", "sdp"])
def test_radius_in_a_box_is_finite_where_a_flip_is_far_beyond_the_first_guess(method: str) -> None:
    net = ReluNetwork(weights=[[[1.0], [1.0]], [[1.0, -2.0]]], biases=[[0, -100], [1e-12 - 1]])
    assert forward(net, [[1.0], [201.0]]).ravel()[1] < 0
    assert certified_radius(net, [[1.0]], [1], method=method, box=(1, 1000)).lower[0] <= 201


def test_largest_positive_takes_nan_for_a_failure() -> None:
    leads = Recorded(lambda e: np.where(e < 1, 1 - e / 2, np.nan))
    radii, _ = largest_positive(leads, np.ones(2), np.array([0.3, 5.0]), tol=1e-4)
    for i, radius in enumerate(radii):
        assert radius in leads.verdicts(i)[0]
        assert radius < 1 <= radius * (1 + 1.01e-4)


def test_largest_positive_ends_within_the_stated_factor_of_a_failure() -> None:
    radii, _ = largest_positive(lambda i, e: 1 - e, np.ones(1), np.array([0.3]), tol=0.5)
    assert radii[0] * 1.5 >= 1
