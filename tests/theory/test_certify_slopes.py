"""Optimised lower slopes and local slopes, by their definitions and against linear programs."""

import math
from typing import Any

import numpy as np
import pytest
from scipy.optimize import linprog

from tests.theory.random_networks import draw, labelled
from tests.theory.test_certify_definition import ROUNDING
from theory.certify import optimised
from theory.certify.ascent import ascended
from theory.certify.domain import open_domain
from theory.certify.local_slopes import local_margins
from theory.certify.margins import intervals, linear_margins
from theory.certify.optimised import optimised_margins
from theory.certify.relaxation import crown_slopes
from theory.networks import forward, jacobian

BOXES: list[Any] = [None, (-1.0, 1.0)]


def by_program(net: Any, x: Any, eps: float, form: Any, found: list[tuple[Any, Any]]) -> float:
    """Return the least of a form of the outputs over an Linf ball, units in their triangles."""
    sizes = [net.dimension, *(w for width in net.widths for w in (width, width))]
    starts = np.concatenate([[0], np.cumsum(sizes)])
    rows, right, equal, level = [], [], [], []
    total = int(starts[-1])
    bounds = [(v - eps, v + eps) for v in x]
    for j, (lo, hi) in enumerate(found):
        before, z, a = starts[2 * j], starts[2 * j + 1], starts[2 * j + 2]
        W, b = net.weights[j], net.biases[j]
        bounds += [*zip(lo, hi, strict=True), *((None, None) for _ in lo)]
        for i in range(W.shape[0]):
            row = np.zeros(total)
            row[before : before + W.shape[1]], row[z + i] = W[i], -1
            equal.append(row)
            level.append(-b[i])
            line = np.zeros(total)
            line[a + i] = 1
            if not net.relu[j][i] or lo[i] >= 0 or hi[i] <= 0:
                line[z + i] = -1.0 if not net.relu[j][i] or lo[i] >= 0 else 0.0
                equal.append(line)
                level.append(0.0)
                continue
            slope = hi[i] / (hi[i] - lo[i])
            over, under, positive = line.copy(), -line, -line
            over[z + i], under[z + i] = -slope, 1
            rows += [over, under, positive]
            right += [-slope * lo[i], 0.0, 0.0]
    goal = np.zeros(total)
    goal[starts[-2] :] = form @ net.weights[-1]
    stack = {"A_ub": np.array(rows), "b_ub": right} if rows else {}
    solved = linprog(goal, A_eq=np.array(equal), b_eq=level, bounds=bounds, **stack)
    assert solved.status == 0
    return float(solved.fun + form @ net.biases[-1])


def test_optimised_margins_come_near_the_triangles_program_and_never_above(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rng = np.random.default_rng(0)
    gained, left = [], []
    for widths in ((4, 8, 3), (4, 8, 8, 3), (3, 6, 6, 6, 2)):
        net = draw(rng, widths)
        X, y = labelled(rng, net, 3)
        domain, eps = open_domain(net, X, y, norm=math.inf, box=None), np.full(3, 0.6)
        crown = linear_margins(domain, eps, crown_slopes)
        monkeypatch.setattr(optimised, "_STEPS", 300)
        ours = optimised_margins(domain, eps)
        found = intervals(domain, eps, crown_slopes)
        for i, k in zip(*np.nonzero(crown <= 0), strict=True):
            own = [(one.lo[i], one.hi[i]) for one in found]
            best = by_program(net, X[i], 0.6, domain.forms[i, k], own)
            assert ours[i, k] <= best + 1e-7  # HiGHS' tolerance
            gained.append(ours[i, k] - crown[i, k])
            left.append(best - ours[i, k])
    assert min(gained) >= 0
    # Slopes are nearly all that the program has beyond CROWN: the optima are the same (Salman et
    # al. 2019), and what is left is what 300 steps leave.
    assert len(left) > 8
    assert sum(left) < 0.05 * sum(gained)


@pytest.mark.parametrize("norm", [2, math.inf])
@pytest.mark.parametrize("box", BOXES, ids=str)
def test_gradients_of_slopes_are_difference_quotients(norm: float, box: Any) -> None:
    rng = np.random.default_rng(1)
    net = draw(rng, (4, 6, 6, 3))
    X, y = labelled(rng, net, 2)
    domain, eps, seen = open_domain(net, X, y, norm=norm, box=box), np.full(2, 0.7), []

    def record(bound: Any, start: list[Any], scales: Any, *, steps: int) -> Any:
        seen.append((bound, [rng.uniform(0.2, 0.8, one.shape) for one in start]))
        return ascended(bound, start, scales, steps=steps)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(optimised, "ascended", record)
        optimised_margins(domain, eps)
    (bound, at), step, checked = seen[0], 1e-6, 0
    value, gradients = bound(at)
    for j, slopes in enumerate(at):
        for i in range(slopes.shape[1]):
            moved = [one.copy() for one in at]
            moved[j][:, i] += step
            quotient = (bound(moved)[0] - value) / step
            checked += int(np.count_nonzero(quotient))
            # The bound is smooth but for kinks, curvature times the step; an L2 ball in a box
            # has a nearly best multiplier, so that the gradient there is one nearly.
            near = 0.2 * (1 + np.abs(quotient)) if norm == 2 and box else 1e-4
            assert (np.abs(gradients[j][:, i] - quotient) <= near).all()
    assert checked > 5


@pytest.mark.parametrize("norm", [2, math.inf])
@pytest.mark.parametrize("box", BOXES, ids=str)
def test_local_margins_bound_leads_and_slopes(norm: float, box: Any) -> None:
    rng = np.random.default_rng(2)
    for widths in ((3, 7, 3), (3, 6, 6, 4), (2, 5, 5, 5, 2)):
        net = draw(rng, widths)
        X, y = labelled(rng, net, 4)
        domain = open_domain(net, X, y, norm=norm, box=box)
        eps = rng.uniform(0.05, 1.0, 4)
        slopes = (domain.leads - local_margins(domain, eps)) / eps[:, None]
        moves = rng.normal(size=(500, 4, net.dimension))
        size = np.linalg.norm(moves, ord=2, axis=2) if norm == 2 else np.abs(moves).max(axis=2)
        points = X + moves * (eps * rng.random((500, 4)) / size)[..., None]
        points = points if box is None else points.clip(*box)
        flat = points.reshape(-1, net.dimension)
        leads = domain.forms @ forward(net, flat).reshape(500, 4, -1, 1)
        assert (local_margins(domain, eps) <= leads[..., 0] + ROUNDING).all()
        order = 2 if norm == 2 else 1
        inner = jacobian(net, flat).reshape(500, 4, net.outputs, net.dimension)
        steep = np.linalg.norm(domain.forms @ inner, ord=order, axis=3)
        assert (steep <= slopes + ROUNDING).all()


def test_local_margins_are_exact_where_no_unit_changes_side() -> None:
    rng = np.random.default_rng(3)
    net = draw(rng, (3, 6, 5, 3))
    X, y = labelled(rng, net, 4)
    domain = open_domain(net, X, y, norm=2, box=None)
    tiny = np.full(4, 1e-9)
    steep = np.linalg.norm(domain.forms @ jacobian(net, X), axis=2)
    expected = domain.leads - tiny[:, None] * steep
    # Both lose the digits of the leads that 1e-9 leaves.
    np.testing.assert_allclose(local_margins(domain, tiny), expected, rtol=0, atol=1e-14)
