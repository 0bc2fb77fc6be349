"""The parts of the search for exact distances, each by its definition."""

from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from tests.theory.random_networks import predicted
from tests.theory.test_branch_and_bound import draw, nearest
from theory.certify import branch_and_bound, node_pool, node_search
from theory.certify.branch_and_bound import exact_distance
from theory.certify.halfspaces import Ball, Ground, least_on_ball, shortest_moves
from theory.certify.node_bounds import Nodes, Problem
from theory.certify.node_intervals import roots, tightened
from theory.certify.node_pool import NodePool
from theory.certify.witness import Incumbent, hidden_values
from theory.networks import ReluNetwork


def opened(net: ReluNetwork, x: Any, label: int, **options: Any) -> tuple[Problem, Incumbent]:
    """Return what the search of one input is given."""
    seen: list[Any] = []

    def keep(problem: Problem, incumbent: Incumbent, **_: Any) -> node_search.Found:
        seen.append((problem, incumbent))
        return node_search.Found(0.0, 0, True)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(branch_and_bound, "nearest_flip", keep)
        exact_distance(net, x[None], [label], **options)
    return seen[0]


@pytest.mark.parametrize("norm", [2, np.inf])
def test_shortest_moves_in_a_box_are_those_of_a_program(norm: float) -> None:
    rng = np.random.default_rng([4, int(norm == 2)])
    slope, room = rng.normal(size=(60, 4)), 2 * rng.random((2, 60, 4))
    slope[rng.random(slope.shape) < 0.2] = 0.0
    room[rng.random(room.shape) < 0.2] = 0.0  # at a face of the box, or lo = hi
    reach = np.where(slope > 0, room[0], room[1]) * np.abs(slope)
    # From none to nearly all of what the box allows, and a little more.
    share = np.resize([0.3, 0.8, 0.999, 1.001], 60)
    offset = share * reach.sum(axis=1) + np.where(reach.any(axis=1), 0.0, 1.0)
    length, move = shortest_moves(Ground(norm, (-room[0], room[1])), slope, offset)
    for i in range(60):
        box = (-room[0, i], room[1, i])
        assert length[i] == pytest.approx(nearest(slope[i : i + 1], offset[i : i + 1], norm, box))
        if np.isfinite(length[i]):
            assert np.linalg.norm(move[i], ord=norm) == pytest.approx(length[i], rel=1e-12)
            assert (move[i] >= box[0]).all()
            assert (move[i] <= box[1]).all()
    assert (np.isinf(length) == ((share > 1) | ~reach.any(axis=1))).all()


@pytest.mark.parametrize("boxed", [False, True])
@pytest.mark.parametrize("norm", [2, np.inf])
def test_least_on_ball_is_below_all_moves_and_near_the_least(norm: float, boxed: bool) -> None:
    rng, grid = np.random.default_rng([5, int(norm == 2), int(boxed)]), np.linspace(-1, 1, 401)
    moves = 1.3 * np.stack(np.meshgrid(grid, grid), axis=-1).reshape(-1, 2)
    moves = moves[np.linalg.norm(moves, ord=norm, axis=1) <= 1.3]
    for case in range(20):
        slope, offset = rng.normal(size=(1, 2)), rng.random(1) * (case % 4 > 0)
        box = (-rng.random(2) - 0.2, rng.random(2) + 0.2) if boxed else None
        forms = rng.normal(size=(1, 6, 2))
        least = least_on_ball(Ground(norm, box), Ball(1.3, slope, offset), forms)[0]
        held = moves @ slope[0] + offset[0] <= 0 if offset[0] > 0 else np.full(len(moves), True)
        if boxed:
            held &= ((moves >= box[0]) & (moves <= box[1])).all(axis=1)
        if held.any():
            among = (moves[held] @ forms[0].T).min(axis=0)
            assert (least <= among + 1e-12).all()
            if not boxed and norm == 2:  # exact; the grid's step is 0.0065
                assert least == pytest.approx(among, abs=0.1)


def test_forms_almost_along_the_halfspace_are_bounded_on_its_rim() -> None:
    # At (-1/2, -√3/2), on the rim, form · δ is 1/2 - 1e-8 √3/2; the form's square rounds to 1.
    ball = Ball(1.0, np.array([[1.0, 0.0]]), np.array([0.5]))
    forms = np.array([[[-1.0, 1e-8], [-1.0, -1e-8]]])
    least = least_on_ball(Ground(2, None), ball, forms)
    assert (least <= 0.5 - 0.866e-8).all()
    assert (least >= 0.5 - 1e-6).all()  # what is allowed for the rounding of squares


def test_first_intervals_hold_at_the_rim_in_rational_arithmetic() -> None:
    rng = np.random.default_rng(6)
    for size in (1.0, 1e4, 1e8):
        x = size * rng.normal(size=1)
        W = rng.normal(size=(6, 1))
        b = rng.normal(size=6) - W[:, 0] * x  # all but cancels what the input gives
        net = ReluNetwork(weights=[W, rng.normal(size=(1, 6))], biases=[b, [0.0]])
        problem, _ = opened(net, x, int(predicted(net, x[None])[0]), norm=np.inf)
        radius = 0.7
        nodes = roots(problem, radius)
        for i in range(6):
            w, at, c = (Fraction(float(v)) for v in (W[i, 0], x[0], b[i]))
            ends = [w * (at + side * Fraction(radius)) + c for side in (-1, 1)]
            assert Fraction(float(nodes.lo[0, i])) <= min(ends)
            assert Fraction(float(nodes.hi[0, i])) >= max(ends)


@pytest.mark.parametrize("box", [None, (0.0, 1.0)])
@pytest.mark.parametrize("norm", [2, np.inf])
def test_intervals_hold_for_every_move_in_the_ball_the_half_and_the_halfspace(
    norm: float, box: Any
) -> None:
    rng = np.random.default_rng([7, int(norm == 2), int(box is None)])
    for radius in (0.4, 1.2):
        net, x = draw(rng, 3, (6, 5), 3), rng.random(3)
        y = int(predicted(net, x[None])[0])
        problem, _ = opened(net, x, y, norm=norm, box=box)
        moves = rng.normal(size=(4000, 3))
        moves *= radius / np.linalg.norm(moves, ord=norm, axis=1, keepdims=True)
        moves[::2] *= rng.random((2000, 1))
        if problem.ground.box is not None:
            moves = np.clip(moves, *problem.ground.box)
        values, _ = hidden_values(problem, moves)
        nodes = roots(problem, radius).take([0])
        assert (nodes.lo <= values).all()
        assert (values <= nodes.hi).all()
        slope = rng.normal(size=(1, 3))
        offset = -0.5 * (moves @ slope[0]).min(keepdims=True)
        for unit in np.flatnonzero((nodes.lo < 0) & (nodes.hi > 0) & problem.rectified):
            hi = np.where(np.arange(nodes.hi.size) == unit, 0.0, nodes.hi)
            off = tightened(problem, replace(nodes, hi=hi), Ball(radius, slope, offset))
            held = values[(values[:, unit] <= 0) & (moves @ slope[0] + offset[0] <= 0)]
            assert (off.lo <= held).all()
            assert (held <= off.hi).all()
            assert np.isinf(off.bound) <= (held.size == 0)


@pytest.mark.parametrize("many", [5, 20_000])
def test_pool_keeps_every_node_and_hands_out_the_least(
    many: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = np.random.default_rng(8)
    monkeypatch.setattr(node_pool, "_MANY", many)

    def some(count: int) -> Nodes:
        ids = rng.random(count)
        lo, hi = -(rng.random((count, 3)) < 0.5).astype(float), np.ones((count, 3))
        return Nodes(
            lo=lo, hi=hi, weights=ids[:, None] * [1, 2, 3], rival=np.arange(count), bound=ids
        )

    pool = NodePool(some(3))
    known = pool.bounds.tolist()
    for _ in range(60):
        added = some(int(rng.integers(0, 7)))
        pool.put(added)
        known += added.bound.tolist()
        taken = pool.take(int(rng.integers(1, 6))) if known else some(0)
        assert (taken.weights == taken.bound[:, None] * [1, 2, 3]).all()
        if len(known) <= many:
            assert sorted(taken.bound) == sorted(known)[: taken.bound.size]
        known = sorted(set(known) - set(taken.bound.tolist()))
        assert sorted(pool.bounds.tolist()) == known
