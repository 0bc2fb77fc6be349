"""Bounds where sums cancel: inputs far larger than their distance, flips far away or nowhere."""

from fractions import Fraction
from itertools import pairwise, product
from typing import Any

import numpy as np
import pytest
from scipy.optimize import linprog

from theory.certify import branch_and_bound
from theory.certify.bounds import DistanceBounds
from theory.certify.branch_and_bound import exact_distance
from theory.certify.witness import Incumbent
from theory.networks import ReluNetwork, class_scores

# HiGHS holds constraints to 1e-7 of its units.
AGREE = 1e-6


def moved(rng: np.random.Generator, size: float) -> tuple[ReluNetwork, ReluNetwork, Any]:
    """Return a network, and x and a network that is at x + δ exactly what the first is at δ.

    Weights and what is added are so short that no sum at x is rounded.
    """
    widths = [int(rng.integers(1, 6)) for _ in range(int(rng.integers(2, 5)))]
    widths.append(int(rng.integers(2, 4)))
    weights = [rng.integers(-4, 5, (n, d)).astype(float) for d, n in pairwise(widths)]
    biases = [rng.integers(-16, 17, n) / 8 for n in widths[1:]]
    x = np.round(size * rng.normal(size=widths[0])) + rng.integers(0, 8, widths[0]) / 8
    there = [biases[0] - weights[0] @ x, *biases[1:]]
    near = ReluNetwork(weights=weights, biases=biases)
    return near, ReluNetwork(weights=weights, biases=there), x


def both(case: int, size: float) -> tuple[DistanceBounds, DistanceBounds] | None:
    """Return the bounds at the origin and those at x, if there is a flip."""
    near, far, x = moved(np.random.default_rng([7, case]), size)
    origin = np.zeros((1, x.size))
    scores = class_scores(near, origin)
    assert (scores == class_scores(far, x[None])).all()
    label, side = [int(scores.argmax())], 2.0 ** (case % 5)
    for_norm: Any = {"norm": (2, np.inf)[case % 2]}
    boxes: Any = ((-side, side), (x - side, x + side)) if case % 4 > 1 else (None, None)
    here = exact_distance(near, origin, label, box=boxes[0], **for_norm)
    there = exact_distance(far, x[None], label, box=boxes[1], **for_norm)
    return (here, there) if np.isfinite(here.upper[0]) and here.upper[0] > 0 else None


@pytest.mark.parametrize("size", [1e3, 1e6, 1e9])
def test_no_bound_of_a_large_input_exceeds_its_distance(size: float) -> None:
    met = 0
    for case in range(1, 20):
        if (found := both(case, size)) is None:
            continue
        here, there = found
        assert there.lower[0] <= here.upper[0]
        lost = 1 - there.lower[0] / here.lower[0]
        assert lost <= max(1e-6, 1e-11 * size / here.upper[0])
        met += 1
    assert met >= 8


@pytest.mark.parametrize("size", [1e3, 1e7])
def test_no_bound_without_an_incumbent_exceeds_the_distance(
    size: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    met = 0
    for case in range(1, 40):
        near, far, x = moved(np.random.default_rng([8, case]), size)
        rng, origin = np.random.default_rng(case), np.zeros((1, x.size))
        label = [int(class_scores(near, origin).argmax())]
        moves = np.round(rng.normal(size=(300, x.size)) * 64) / 8
        flips = moves[class_scores(near, moves).argmax(axis=1) != label[0]]
        if not len(flips):
            continue
        flip = flips[np.abs(flips).max(axis=1).argmax()]
        norm, box = (2, np.inf)[case % 2], (None, (-32.0, 32.0))[case % 4 > 1]
        expected = exact_distance(near, origin, label, norm=norm, box=box)
        there = None if box is None else (x - 32, x + 32)
        with monkeypatch.context() as patch:
            patch.setattr(Incumbent, "offer", lambda *_: False)
            found = exact_distance(
                far, x[None], label, norm=norm, box=there, upper=(x + flip)[None]
            )
        assert found.lower[0] <= expected.upper[0]
        met += expected.upper[0] > 0
    assert met >= 15


@pytest.mark.parametrize("norm", [2, np.inf])
def test_slopes_that_nearly_cancel_prove_no_more_than_they_may(
    norm: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Incumbent, "offer", lambda *_: False)
    for seed in range(20):
        rng = np.random.default_rng(seed)
        factor, w, c = rng.uniform(1, 2), rng.uniform(1, 2), 1.0
        v = w - rng.uniform(1, 2) * 1e-9
        net = ReluNetwork(weights=[[[w], [v]], [[-factor, factor]]], biases=[[c, c], [1.0]])
        falls = Fraction(factor) * (Fraction(w) - Fraction(v))  # of the lead, where both are on
        found = exact_distance(net, [[0.0]], [1], norm=norm, upper=[[4e9]])
        assert Fraction(float(found.lower[0])) * falls <= 1
        assert float(found.lower[0] * falls) >= 1 - 1e-3


def test_turned_inputs_lose_digits_and_the_bound_says_so() -> None:
    net = ReluNetwork(weights=[[[1.0, -1.0]], [[-1.0]]], biases=[[0.0], [1.0]])
    distance = 0.75 / np.sqrt(2)
    for size in (1e4, 1e6, 1e8, 1e10, 2.0**45):
        found = exact_distance(net, [[size + 0.25, size]], [1])
        assert found.lower[0] <= distance
        assert found.lower[0] >= distance * (1 - 1e-6 - 1e-12 * size)
        assert found.status[0] == ("exact" if size < 1e8 else "rounding")


def sloping(seed: int) -> tuple[ReluNetwork, Any]:
    """Return a network that falls, slowly, in one unit's direction only; a point; in 1-3 d."""
    rng = np.random.default_rng(seed)
    d, n = int(rng.integers(1, 4)), int(rng.integers(2, 6))
    last = np.abs(rng.normal(size=n))
    last[0] = -(10.0 ** -rng.integers(0, 7))
    net = ReluNetwork(
        weights=[rng.normal(size=(n, d)), last[None]], biases=[rng.normal(size=n), [1.0]]
    )
    return net, rng.normal(size=d)


def nearest(net: ReluNetwork, x: Any) -> float:
    """Return the Linf distance by a linear program for each pattern."""
    (W, V), b = net.weights, net.biases[0]
    z, d, best = W @ x + b, x.size, np.inf
    for pattern in product([False, True], repeat=z.size):
        on = np.array(pattern)
        sign, slope = np.where(on, -1.0, 1.0), (V[0] * on) @ W
        eye, one = np.eye(d), np.ones((d, 1))
        rows = np.block(
            [
                [sign[:, None] * W, np.zeros((z.size, 1))],
                [slope[None], np.zeros((1, 1))],
                [eye, -one],
                [-eye, -one],
            ]
        )
        level = (V[0] * on) @ z + net.biases[1][0]
        ends = np.concatenate([-sign * z, [-level], np.zeros(2 * d)])
        free = [(None, None)] * d + [(0, None)]
        found = linprog(np.append(np.zeros(d), 1.0), A_ub=rows, b_ub=ends, bounds=free)
        best = min(best, found.fun if found.status == 0 else np.inf)
    return best


def test_far_flips_are_found_and_those_that_do_not_exist_are_ruled_out() -> None:
    far = none = 0
    for seed in range(60):
        net, x = sloping(seed)
        if class_scores(net, x[None])[0, 1] <= 0:
            continue
        expected = nearest(net, x)
        found = exact_distance(net, x[None], [1], norm=np.inf)
        assert found.status[0] == "exact"
        assert found.upper[0] == pytest.approx(expected, rel=AGREE)
        euclidean = exact_distance(net, x[None], [1])
        assert euclidean.status[0] == "exact"
        assert np.isinf(euclidean.upper[0]) == np.isinf(expected)
        far, none = far + (1e3 < expected < np.inf), none + np.isinf(expected)
    assert far >= 3
    assert none >= 10


def test_half_open_boxes_are_closed_like_large_ones() -> None:
    none = some = 0
    for seed in range(60):
        rng = np.random.default_rng(seed)
        net = ReluNetwork(
            weights=[rng.normal(size=(5, 3)), rng.normal(size=(1, 5))],
            biases=[rng.normal(size=5), [1.0]],
        )
        x, norm = rng.random((1, 3)), (2, np.inf)[seed % 2]
        if class_scores(net, x)[0, 1] <= 0:
            continue
        lo, hi = np.array([0, -np.inf, 0]), np.array([1, np.inf, np.inf])
        opened = exact_distance(net, x, [1], norm=norm, box=(lo, hi))
        closed = exact_distance(net, x, [1], norm=norm, box=(lo.clip(min=-1e6), hi.clip(max=1e6)))
        assert opened.status[0] == closed.status[0] == "exact"
        assert opened.upper[0] == pytest.approx(closed.upper[0], rel=2e-6)  # rtol of both
        none, some = none + np.isinf(opened.upper[0]), some + np.isfinite(opened.upper[0])
    assert none >= 5
    assert some >= 20


def test_these_cases_would_show_bounds_without_what_rounding_takes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(branch_and_bound, "relative_rounding", lambda *_: 0.0)
    net = ReluNetwork(weights=[[[1.0, -1.0]], [[-1.0]]], biases=[[0.0], [1.0]])
    lower = [exact_distance(net, [[s + 0.25, s]], [1]).lower[0] for s in 10.0 ** np.arange(8, 13)]
    assert max(lower) > 0.75 / np.sqrt(2)
