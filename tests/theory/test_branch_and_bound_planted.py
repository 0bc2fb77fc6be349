"""Lower bounds that stand without help: no incumbent to cap them, every part by its definition."""

from fractions import Fraction
from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from tests.theory.test_branch_and_bound import draw, enumerated, leads, predicted
from theory.certify import node_search
from theory.certify.branch_and_bound import exact_distance
from theory.certify.witness import Incumbent
from theory.networks import ReluNetwork

# The solvers that bounds are compared with are precise to 1e-10 or better.
AGREE = 1e-9


def unaided(patch: pytest.MonkeyPatch) -> None:
    """Let no search find a flip: what it says of lower bounds is then all its own."""
    patch.setattr(Incumbent, "offer", lambda *_: False)


def far_flip(rng: np.random.Generator, net: ReluNetwork, x: Any, label: int, box: Any) -> Any:
    """Return the farthest of many random flips, or None."""
    points = rng.random((400, x.size)) if box else x + 3 * rng.normal(size=(400, x.size))
    flips = points[[leads(net, p, label).min() < 0 for p in points]]
    return flips[np.linalg.norm(flips - x, axis=1).argmax()] if len(flips) else None


def rescaled(net: ReluNetwork, factor: float) -> ReluNetwork:
    """Return the same function, the first layer's values multiplied by a factor."""
    first, second, *rest = net.weights
    return ReluNetwork(
        weights=[factor * first, second / factor, *rest],
        biases=[factor * net.biases[0], *net.biases[1:]],
        relu=net.relu,
    )


@pytest.mark.parametrize("box", [None, (0.0, 1.0)])
@pytest.mark.parametrize("norm", [2, np.inf])
def test_lower_bounds_reach_the_distance_without_an_incumbent(
    norm: float, box: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng, met = np.random.default_rng([1, int(norm == 2), int(box is None)]), 0
    for case in range(10):
        net = draw(rng, 3, ((4,), (2, 2))[case % 2], (1, 3)[case % 3 == 0])
        x = rng.random(3)
        y = int(predicted(net, x[None])[0])
        point = far_flip(rng, net, x, y, box)
        if point is None:
            continue
        expected = enumerated(net, x, y, norm, box)
        net = rescaled(net, (1.0, 1e-8)[case % 4 > 1])
        with monkeypatch.context() as patch:
            unaided(patch)
            found = exact_distance(net, x[None], [y], norm=norm, box=box, upper=point[None])
        assert found.lower[0] <= expected * (1 + AGREE)
        # A cell is closed by its own bound, precise to 1e-8, or by the radius, here farther.
        assert found.lower[0] >= min(expected, found.upper[0]) * (1 - 1e-6)
        apart = found.lower[0] < found.upper[0] * (1 - 1e-6)
        assert (found.status[0] == "exact") != apart
        met += int(apart)
    assert met >= 3


def drawn_out(rng: np.random.Generator, factor: float) -> tuple[Any, Any, int, float, Any]:
    """Return net, input, label, distance, and the witness drawn out by a factor."""
    while True:
        net, x = draw(rng, 4, (8, 6), 3), rng.random(4)
        y = int(predicted(net, x[None])[0])
        known = exact_distance(net, x[None], [y])
        assert known.witness is not None
        point = x + factor * (known.witness[0] - x)
        if np.isfinite(point).all() and leads(net, point, y).min() < 0:
            return net, x, y, known.upper[0], point


def test_open_nodes_hold_the_lower_bound_whenever_a_search_ends(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rng, ended = np.random.default_rng(2), 0
    monkeypatch.setattr(node_search, "_BATCH", 2)
    for _ in range(4):
        net, x, y, distance, point = drawn_out(rng, 1.5)
        lowers = []
        for batches in range(0, 30, 3):
            ticks = iter([0.0] * batches)
            clock = SimpleNamespace(perf_counter=lambda ticks=ticks: next(ticks, np.inf))
            with monkeypatch.context() as patch:
                unaided(patch)
                patch.setattr(node_search, "time", clock)
                found = exact_distance(net, x[None], [y], upper=point[None], time_limit=1e9)
            lowers.append(found.lower[0])
            ended += int(found.status[0] == "time limit")
        assert max(lowers) <= distance * (1 + AGREE)
        assert (np.diff(lowers) >= 0).all()
    assert ended >= 8


@pytest.mark.parametrize("factor", [1.05, 1.5])
def test_loose_searches_claim_no_more_than_they_proved(
    factor: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng, rtol = np.random.default_rng(9), 0.2
    for _ in range(6):
        net, x, y, distance, point = drawn_out(rng, factor)
        with monkeypatch.context() as patch:
            unaided(patch)
            found = exact_distance(net, x[None], [y], upper=point[None], rtol=rtol)
        assert found.upper == pytest.approx([factor * distance], rel=1e-6)  # rtol of the distance
        assert found.lower[0] <= distance * (1 + AGREE)
        assert (found.status[0] == "exact") == (factor * (1 - rtol) <= 1)


def nearest_on_a_line(net: ReluNetwork, x: float, label: int) -> Fraction | None:
    """Return the distance of one hidden layer's net in one dimension, in rational arithmetic."""
    units = [tuple(map(Fraction, row)) for row in np.c_[net.weights[0], net.biases[0]].tolist()]
    out, level = list(map(Fraction, net.weights[1][0].tolist())), Fraction(float(net.biases[1][0]))

    def lead(t: Fraction) -> Fraction:
        values = [max(a * t + b, Fraction(0)) for a, b in units]
        return label * (level + sum(v * h for v, h in zip(out, values, strict=True)))

    kinks = sorted(-b / a for a, b in units)
    ends = [kinks[0] - 10**9, *kinks, kinks[-1] + 10**9]  # weights here reach no root beyond
    crossed = [t for t in kinks if lead(t) <= 0]
    for s, t in pairwise(ends):
        if (lead(s) <= 0) != (lead(t) <= 0):
            crossed.append(s - lead(s) * (t - s) / (lead(t) - lead(s)))
    return min((abs(t - Fraction(x)) for t in crossed), default=None)


def flip_on_a_line(net: ReluNetwork, x: Any, label: int, beyond: float) -> Any:
    """Return a flip farther than asked, or None."""
    steps = np.outer(beyond * 1.5 ** np.arange(1, 20), [1, -1]).ravel()
    flips = [x + t for t in steps if leads(net, x + t, label).min() < 0]
    return flips[0] if flips else None


@pytest.mark.parametrize("norm", [2, np.inf])
def test_lower_bounds_are_below_rational_distances(
    norm: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng, met = np.random.default_rng([3, int(norm == 2)]), 0
    unaided(monkeypatch)
    for case in range(60):
        weights, near = [rng.normal(size=(5, 1)), rng.normal(size=(1, 5))], (1.0, 1e-4)[case % 2]
        biases = [near * rng.normal(size=5), rng.normal(size=1)]
        net, x = ReluNetwork(weights=weights, biases=biases), near * rng.normal(size=1)
        y = int(predicted(net, x[None])[0])
        expected = nearest_on_a_line(net, x[0], y)
        point = None if expected is None else flip_on_a_line(net, x, y, float(expected))
        if expected is None or point is None:
            continue
        found = exact_distance(net, x[None], [y], norm=norm, upper=point[None])
        assert Fraction(float(found.lower[0])) <= expected
        assert found.lower[0] >= float(expected) * (1 - 1e-9)  # far more than is deducted
        met += 1
    assert met >= 10


def valley(eps: float) -> ReluNetwork:
    """Return 1 + |x_1| - max(0, eps x_2), which walks along gradients do not bring to zero."""
    return ReluNetwork(
        weights=[[[1.0, 0.0], [1.0, 0.0], [0.0, eps]], [[-1.0, 2.0, -1.0]]],
        biases=[[0.0, 0.0, 0.0], [1.0]],
        relu=[[False, True, True]],
    )


@pytest.mark.parametrize("box", [None, ([-9.0, -1.0], [9.0, 1400.0]), (-1e5, 1e5)])
def test_flips_far_away_are_found_or_at_least_not_excluded(
    box: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    net, x = valley(1e-3), np.array([0.5, 0.5])
    # From (0.5, 0.5) to |x_1| = 0.001 x_2 - 1, near its corner.
    expected = np.hypot(0.5, 999.5)
    found = exact_distance(net, x[None], [1], box=box)
    assert found.status.tolist() == ["exact"]
    assert found.upper == pytest.approx([expected], rel=1e-6)  # rtol
    unaided(monkeypatch)
    for norm, distance in ((2, expected), (np.inf, 999.5)):
        alone = exact_distance(net, x[None], [1], norm=norm, box=box)
        assert 0 < alone.lower[0] <= distance * (1 + AGREE)
        assert alone.status.tolist() == ["rounding"]


def test_points_that_all_but_tie_are_no_witnesses() -> None:
    # |x| + 1e-10 comes to no tie, however narrow the miss.
    net = ReluNetwork(weights=[[[1.0], [-1.0]], [[1.0, 1.0]]], biases=[[0.0, 0.0], [1e-10]])
    for norm in (2, np.inf):
        found = exact_distance(net, [[3.0], [-2.0]], [1, 1], norm=norm)
        assert np.isinf(found.upper).all()
        with pytest.raises(ValueError, match="row 0"):
            exact_distance(net, [[3.0]], [1], norm=norm, upper=[[0.0]])


def test_given_points_outside_the_box_are_refused() -> None:
    net = ReluNetwork(weights=[[[1.0]]])
    with pytest.raises(ValueError, match="row 0"):
        exact_distance(net, [[0.5]], [1], box=(0.1, 1.0), upper=[[-0.5]])
