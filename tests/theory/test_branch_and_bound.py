"""Exact distances of networks: against every cell, at the degenerate ends, and what is refused."""

from itertools import pairwise, product
from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp
from scipy.optimize import linprog, nnls

from tests.theory.random_networks import predicted
from theory.certify.branch_and_bound import exact_distance, exact_distances
from theory.certify.certified import certified_radius
from theory.networks import ReluNetwork, class_scores, forward
from theory.validation import UnsupportedSettingError

# Both distances come from solvers that are precise to 1e-10 or better.
AGREE = 1e-9


def draw(rng: np.random.Generator, d: int, widths: tuple[int, ...], outputs: int) -> ReluNetwork:
    sizes = (d, *widths, outputs)
    return ReluNetwork(
        weights=[1.5 * rng.normal(size=(m, n)) / np.sqrt(n) for n, m in pairwise(sizes)],
        biases=[0.3 * rng.normal(size=m) for m in sizes[1:]],
        relu=[rng.random(m) > 0.15 for m in widths],
    )


def leads(net: ReluNetwork, x: Any, label: int) -> Any:
    scores = class_scores(net, x[None])[0]
    own = net.classes == label
    return scores[own] - scores[~own]


def nearest(A: Any, k: Any, norm: float, box: Any) -> float:
    """Return min ‖δ‖ over A δ + k <= 0 and lo <= δ <= hi, by NNLS or linear programming."""
    d = A.shape[1]
    if norm == np.inf:
        one = np.ones((d, 1))
        rows = np.block([[A, np.zeros((len(k), 1))], [np.eye(d), -one], [-np.eye(d), -one]])
        sides = [(None, None)] * d if box is None else list(zip(*box, strict=True))
        found: Any = linprog(
            np.append(np.zeros(d), 1.0),
            A_ub=rows,
            b_ub=np.concatenate([-k, np.zeros(2 * d)]),
            bounds=[*sides, (0, None)],
            options={"primal_feasibility_tolerance": 1e-10},
        )
        return float(found.fun) if found.status == 0 else np.inf
    if box is not None:
        A = np.vstack([A, -np.eye(d), np.eye(d)])
        k = np.concatenate([k, box[0], -box[1]])
    E = np.vstack([A.T, k])
    target = np.append(np.zeros(d), 1.0)
    u, _ = nnls(E, target, maxiter=10_000)
    rest = E @ u - target
    return float(np.linalg.norm(rest[:d] / rest[-1])) if -rest[-1] > 1e-9 else np.inf


def enumerated(net: ReluNetwork, x: Any, label: int, norm: float, box: Any) -> float:
    """Return the least distance over every activation pattern and rival, empty cells included."""
    rectified = np.concatenate(net.relu)
    room = None if box is None else (np.full(x.size, box[0]) - x, np.full(x.size, box[1]) - x)
    best = np.inf
    for bits in product((False, True), repeat=int(rectified.sum())):
        on = np.ones(rectified.size, dtype=bool)
        on[rectified] = bits
        G, k, rows, start = np.eye(x.size), x, [], 0
        for W, b in zip(net.weights[:-1], net.biases[:-1], strict=True):
            G, k = W @ G, W @ k + b
            part = slice(start, start + b.size)
            sign = np.where(on[part], -1.0, 1.0) * rectified[part]
            rows.append((sign[:, None] * G, sign * k))
            G, k, start = G * on[part, None], k * on[part], start + b.size
        G, k = net.weights[-1] @ G, net.weights[-1] @ k + net.biases[-1]
        if net.outputs == 1:
            G, k = np.vstack([0 * G, G]), np.append(0.0, k)
        own = int(np.flatnonzero(net.classes == label)[0])
        for rival in set(range(len(k))) - {own}:
            A = np.vstack([*(r[0] for r in rows), G[own] - G[rival]])
            level = np.concatenate([*(r[1] for r in rows), [k[own] - k[rival]]])
            kept = np.abs(A).max(axis=1) + np.abs(level) > 0
            best = min(best, nearest(A[kept], level[kept], norm, room))
    return best


def check_witnesses(net: ReluNetwork, X: Any, y: Any, found: Any) -> None:
    for i in np.flatnonzero(np.isfinite(found.upper)):
        assert leads(net, found.witness[i], y[i]).min() <= 0
        move = found.witness[i] - X[i]
        assert np.linalg.norm(move, ord=found.norm) == pytest.approx(found.upper[i], rel=1e-15)
        if found.box is not None:
            assert (found.witness[i] >= found.box[0]).all()
            assert (found.witness[i] <= found.box[1]).all()
    assert np.isnan(found.witness[np.isinf(found.upper)]).all()
    assert (found.lower <= found.upper).all()


@pytest.mark.parametrize("box", [None, (0.0, 1.0)])
@pytest.mark.parametrize("norm", [2, np.inf])
@pytest.mark.parametrize("widths", [(6,), (4, 3), (3, 2, 2)])
def test_exact_distance_is_the_least_over_all_cells(
    widths: tuple[int, ...], norm: float, box: Any
) -> None:
    rng = np.random.default_rng([len(widths), int(norm == 2), int(box is None)])
    for outputs in (1, 3):
        net = draw(rng, 3, widths, outputs)
        X = rng.random((2, 3))
        y = predicted(net, X)
        found = exact_distance(net, X, y, norm=norm, box=box, rtol=1e-9)
        assert (found.status == "exact").all()
        check_witnesses(net, X, y, found)
        expected = [enumerated(net, x, k, norm, box) for x, k in zip(X, y, strict=True)]
        assert found.upper == pytest.approx(expected, rel=AGREE)
        assert (found.lower <= np.array(expected) * (1 + AGREE)).all()


def test_affine_networks_have_the_closed_form() -> None:
    rng = np.random.default_rng(1)
    W, b, X = rng.normal(size=(3, 5)), rng.normal(size=3), rng.normal(size=(6, 5))
    net = ReluNetwork(weights=[W], biases=[b])
    y = predicted(net, X)
    for norm, order in ((2, 2), (np.inf, 1)):
        scores = X @ W.T + b
        dual = [[np.linalg.norm(W[k] - W[j], ord=order) or np.inf for j in range(3)] for k in y]
        gaps = (scores.max(axis=1, keepdims=True) - scores) / dual
        expected = np.where(np.arange(3) == y[:, None], np.inf, gaps).min(axis=1)
        found = exact_distance(net, X, y, norm=norm)
        assert found.upper == pytest.approx(expected, rel=1e-6)  # rtol
        assert (found.status == "exact").all()


def test_sparse_and_wide_inputs_change_nothing() -> None:
    rng = np.random.default_rng(2)
    net = draw(rng, 40, (6, 5), 3)
    net = ReluNetwork(weights=[W * (rng.random(W.shape) < 0.5) for W in net.weights])
    X = rng.random((3, 40))
    y = predicted(net, X)
    sparse = ReluNetwork(weights=[sp.csr_array(W) for W in net.weights])
    for norm, box in ((2, None), (2, (0, 1)), (np.inf, (0, 1))):
        one, other = (exact_distance(n, X, y, norm=norm, box=box) for n in (net, sparse))
        assert one.upper == pytest.approx(other.upper, rel=2e-6)  # rtol of both
        check_witnesses(net, X, y, one)


def test_distances_lie_between_certified_radii_and_random_flips() -> None:
    rng = np.random.default_rng(3)
    net = draw(rng, 6, (12, 10), 4)
    X = rng.random((5, 6))
    y = predicted(net, X)
    for norm in (2, np.inf):
        found = exact_distance(net, X, y, norm=norm)
        assert (certified_radius(net, X, y, norm=norm).lower <= found.upper * (1 + 1e-6)).all()
        moves = rng.normal(size=(4000, 6))
        moves /= np.linalg.norm(moves, ord=norm, axis=1, keepdims=True)
        for i in np.flatnonzero(np.isfinite(found.lower)):
            points = X[i] + found.lower[i] * (1 - 1e-9) * moves * rng.random((4000, 1)) ** 0.1
            assert (predicted(net, points) == y[i]).all()


def test_upper_points_are_used_and_checked() -> None:
    rng = np.random.default_rng(5)
    net = draw(rng, 4, (8,), 3)
    X = rng.random((3, 4))
    y = predicted(net, X)
    alone = exact_distance(net, X, y)
    assert alone.witness is not None
    points = np.where(np.arange(3)[:, None] == 1, np.nan, alone.witness)
    given = exact_distance(net, X, y, upper=points)
    assert (given.upper <= alone.upper).all()
    points[2] = X[2]
    with pytest.raises(ValueError, match="row 2"):
        exact_distance(net, X, y, upper=points)
    with pytest.raises(ValueError, match="row 0"):
        exact_distance(net, X, y, upper=alone.witness + 100.0, box=(-1, 2))
    partly = alone.witness.copy()
    partly[1, 2] = np.nan
    with pytest.raises(ValueError, match="row 1"):
        exact_distance(net, X, y, upper=partly)
    with pytest.raises(ValueError, match="shape"):
        exact_distance(net, X, y, upper=points[:2])


def test_a_search_cut_short_is_still_right() -> None:
    rng = np.random.default_rng(6)
    net = draw(rng, 12, (30, 30), 4)
    X = 2 * rng.normal(size=(4, 12))
    y = predicted(net, X)
    full = exact_distance(net, X, y, time_limit=np.inf, rtol=0.01)
    cut = exact_distance(net, X, y, time_limit=1e-9)
    assert "time limit" in cut.status
    assert set(cut.status) <= {"time limit", "exact"}
    assert (cut.lower <= full.upper).all()
    assert (full.lower <= cut.upper).all()
    assert set(full.status) == {"exact"}
    assert (full.lower >= 0.99 * full.upper).all()
    check_witnesses(net, X, y, cut)


def test_exact_distances_search_one_input_at_a_time() -> None:
    rng = np.random.default_rng(7)
    net = draw(rng, 4, (8, 6), 3)
    X = rng.random((3, 4))
    y = predicted(net, X)
    rows = exact_distances(net, X, y, norm=np.inf)
    whole = exact_distance(net, X, y, norm=np.inf)
    first = next(rows)
    assert first.upper.shape == (1,)
    assert [first.upper[0], *(row.upper[0] for row in rows)] == whole.upper.tolist()


def test_scaling_the_network_and_the_input_scales_distances() -> None:
    rng = np.random.default_rng(8)
    net = draw(rng, 4, (8, 6), 3)
    X = rng.random((2, 4))
    y = predicted(net, X)
    plain = exact_distance(net, X, y)
    for factor in (1e-6, 1e6):
        first = [net.weights[0] / factor, *net.weights[1:]]
        scaled = ReluNetwork(weights=first, biases=net.biases, relu=net.relu)
        found = exact_distance(scaled, factor * X, y)
        assert found.upper == pytest.approx(factor * plain.upper, rel=2e-6)  # rtol of both
        last = [*net.weights[:-1], factor * net.weights[-1]]
        biases = [*net.biases[:-1], factor * net.biases[-1]]
        scaled = ReluNetwork(weights=last, biases=biases, relu=net.relu)
        assert exact_distance(scaled, X, y).upper == pytest.approx(plain.upper, rel=2e-6)


def test_exact_distance_refuses() -> None:
    net = ReluNetwork(weights=[np.eye(2), np.eye(2)])
    X, y = [[1.0, 0.0]], [0]
    for rtol in (0.0, 1.0, -1.0):
        with pytest.raises(ValueError, match="rtol must be in"):
            exact_distance(net, X, y, rtol=rtol)
    for limit in (0.0, -1.0, np.nan):
        with pytest.raises(ValueError, match="time_limit must be positive"):
            exact_distances(net, X, y, time_limit=limit)
    with pytest.raises(UnsupportedSettingError, match="norm"):
        exact_distance(net, X, y, norm=1)
    with pytest.raises(ValueError, match="X must lie in the box"):
        exact_distance(net, X, y, box=(0.0, 0.5))
    with pytest.raises(ValueError, match="labels of the model"):
        exact_distance(net, X, [2])
    assert forward(net, X).tolist() == X


@pytest.mark.parametrize("norm", [2, np.inf])
@pytest.mark.parametrize("box", [None, (-9.0, 9.0)])
def test_a_search_without_time_still_has_a_certificate(norm: float, box: Any) -> None:
    rng = np.random.default_rng(8)
    net = draw(rng, 6, (20, 20), 3)
    X = rng.normal(size=(3, 6))
    y = predicted(net, X)
    cut = exact_distance(net, X, y, norm=norm, box=box, time_limit=1e-12)
    proven = certified_radius(net, X, y, norm=norm, box=box, method="crown").lower
    assert (cut.lower >= np.minimum(proven, cut.upper) * (1 - 1e-4)).all()  # its tol
    assert (cut.lower > 0).all()
    assert "crown" in cut.method


def test_no_cell_is_solved_for_nearer_flips_when_time_is_over(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rng = np.random.default_rng(7)
    net = draw(rng, 4, (8, 8), 3)
    x = rng.random((1, 4))
    monkeypatch.setattr("theory.certify.witness.shortest_move", pytest.fail)
    found = exact_distance(net, x, predicted(net, x), time_limit=1e-12)
    assert found.status[0] == "time limit"
    assert found.lower[0] < found.upper[0]


@pytest.mark.parametrize("norm", [2, np.inf])
@pytest.mark.parametrize("tiny", [1e-3, 1e-9, 2e-13, 1e-14])
def test_a_flip_that_a_tiny_weight_makes_is_not_ruled_out(tiny: float, norm: float) -> None:
    # f(x) = 1 + |x_1| - relu(tiny x_2)
    net = ReluNetwork(
        weights=[[[1.0, 0.0], [1.0, 0.0], [0.0, tiny]], [[-1.0, 2.0, -1.0]]],
        biases=[[0.0, 0.0, 0.0], [1.0]],
        relu=[[False, True, True]],
    )
    found = exact_distance(net, [[0.5, 0.5]], [1], norm=norm)
    assert found.lower[0] <= (1 / tiny - 0.5) * (1 + 1e-6)
