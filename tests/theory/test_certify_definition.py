"""The parts of linear relaxation against a convex solver, a literal recursion and samples."""

import math
from typing import Any

import cvxpy as cp
import numpy as np
import pytest
import scipy.sparse as sp

from tests.theory.random_networks import draw, labelled
from theory.certify import certified_radius
from theory.certify.domain import _least_in_ball_and_box, gram_norms, least, open_domain
from theory.certify.margins import interval_bounds, interval_margins, intervals, linear_margins
from theory.certify.relaxation import (
    Interval,
    crown_slopes,
    fastlin_slopes,
    first_interval,
    lines,
)
from theory.linear import LinearClassifier, flip_distance
from theory.networks import ReluNetwork, preactivations

# Sums of a few dozen terms of size one.
ROUNDING = 1e-11
# Clarabel's default tolerance is 1e-8 on quantities of size one.
SOLVER = 1e-6
FREE = ("interval", "fast-lin", "crown", "alpha-crown", "local-lipschitz")  # of the norm
SLOPES = {"crown": crown_slopes, "fast-lin": fastlin_slopes}


def solved(form: Any, eps: float, below: Any, above: Any) -> float:
    """Return the least value of a form on ball and box by a convex solver."""
    move = cp.Variable(form.size)
    inside = [cp.norm(move, 2) <= eps, move >= below, move <= above]
    return float(cp.Problem(cp.Minimize(form @ move), inside).solve(solver=cp.CLARABEL))


@pytest.mark.parametrize("dimension", [4, 2000])
def test_gram_norms_are_norms_from_above(dimension: int) -> None:
    rng = np.random.default_rng(0)
    W = rng.normal(size=(6, dimension))
    W[5] = W[4] * (1 + 1e-9)  # the difference of the two cancels
    A = np.vstack([rng.normal(size=(7, 6)), np.zeros(6), [0, 0, 0, 0, 1, -1]])
    wide = np.longdouble  # exact beside float64's rounding
    exact = np.sqrt(((A.astype(wide) @ W.astype(wide)) ** 2).sum(axis=1))
    found = gram_norms(A, W @ W.T, W.shape[1])
    assert (found >= exact).all()
    size = np.abs(A) @ np.linalg.norm(W, axis=1)
    allowance = np.sqrt(4 * np.finfo(float).eps * (6 + dimension))
    assert (found <= exact + 1.01 * allowance * size).all()  # which is itself computed
    # Without cancellation the size is at most thrice the norm: half the allowance squared, by 9.
    rtol = 5 * allowance**2
    np.testing.assert_allclose(found[:7], exact[:7].astype(float), rtol=rtol)
    assert found[7] == 0


@pytest.mark.parametrize("norm", [2, math.inf])
@pytest.mark.parametrize("box", [None, (-1.0, 1.0), (-1.0, math.inf)], ids=str)
def test_least_is_the_least_value_of_a_form(norm: float, box: Any) -> None:
    rng = np.random.default_rng(1)
    net = draw(rng, (4, 5, 3, 2))
    X, y = labelled(rng, net, 4)
    X[0] = 1.0  # a corner of the box
    eps = np.array([0.5, 0.0, 0.3, 50.0])
    domain = open_domain(net, X, y, norm=norm, box=box)
    A, units = rng.normal(size=(4, 3, 4)), np.array([0, 2, 3, 4])
    A[:, 2] = 0.0
    found = least(domain, eps, A, units)
    W, centre = net.weights[0][units], preactivations(net, X)[0][:, units]
    for i in range(4):
        lo, hi = (-math.inf, math.inf) if box is None else box
        below, above = np.maximum(lo - X[i], -eps[i]), np.minimum(hi - X[i], eps[i])
        reach = eps[i] * (1 if norm == 2 else 3)  # norm inf: a ball that holds the cube of side eps
        expected = [solved(a @ W, reach, below, above) + a @ centre[i] for a in A[i]]
        scale = 1 + eps[i]
        assert (found[i] <= np.array(expected) + SOLVER * scale).all()
        if norm == math.inf or box is None or i in (0, 1, 3):
            # Exact without a box, at a corner, at radius 0, and where the box lies in the ball.
            np.testing.assert_allclose(found[i], expected, atol=SOLVER * scale)
        np.testing.assert_allclose(found[i, 2], 0.0, atol=ROUNDING)


def test_ball_and_box_is_below_the_solver_and_above_ball_and_box_alone() -> None:
    rng = np.random.default_rng(2)
    gaps = []
    for _ in range(40):
        d = int(rng.integers(1, 7))
        form = rng.normal(size=d) * (rng.random(d) < 0.8) * 10.0 ** rng.uniform(-3, 3)
        below, above = -rng.uniform(0, 1, d), rng.uniform(0, 1, d)
        corner = rng.random(d) < 0.3
        below[corner] = 0.0
        eps = float(rng.choice([0.0, 0.2, 0.6, 1.2, 5.0]))
        sides = np.maximum(below, -eps), np.minimum(above, eps)
        args = (form[None, None], np.array([[eps]]), *(side[None, None] for side in sides))
        found = float(_least_in_ball_and_box(*args)[0, 0])
        size = float(np.linalg.norm(form))
        boxed = float(np.where(form > 0, form * sides[0], form * sides[1]).sum())
        exact = solved(form / (size or 1), eps, *sides) * size
        assert found <= exact + SOLVER * size
        assert found >= max(boxed, -eps * size) - ROUNDING * size
        gaps.append((exact - found) / (eps * size or 1.0))
    # Two steps of the dual leave little: at most a few hundredths of the ball's reach.
    assert max(gaps) < 0.05


@pytest.mark.parametrize("slopes", SLOPES.values(), ids=SLOPES)
def test_lines_are_below_and_above_each_unit_on_its_interval(slopes: Any) -> None:
    rng = np.random.default_rng(3)
    ends = np.sort(rng.normal(size=(60, 1, 2)), axis=2)
    ends[:8, 0] = [[-1, 1], [0, 0], [-1, 0], [0, 1], [-2, -1], [1, 2], [-1e-300, 1], [-1, 1e-300]]
    lo, hi = ends[..., 0], ends[..., 1]
    for rectified in (True, False):
        found = lines(Interval(lo, hi), np.array([rectified]), slopes)
        z = lo + (hi - lo) * np.linspace(0, 1, 41)
        value = z.clip(min=0) if rectified else z
        assert (found.below * z <= value + ROUNDING).all()
        assert (value <= found.above * z + found.offset + ROUNDING).all()


def literal_crown(net: ReluNetwork, x: Any, eps: float, norm: float, slopes: Any) -> list[Any]:
    """Return CROWN's intervals of all layers, outputs included, one unit and one row at a time."""
    weights = [W.toarray() if sp.issparse(W) else W for W in net.weights]
    found: list[Any] = []
    for k in range(net.depth):
        ends = np.empty((2, len(weights[k])))
        for sign, side in ((1, 0), (-1, 1)):
            for i, row in enumerate(weights[k]):
                form, level = sign * row, sign * net.biases[k][i]
                for j in range(k - 1, -1, -1):
                    (lo, hi), mask, passed = found[j], net.relu[j], np.zeros(len(form))
                    for u, a in enumerate(form):
                        if not mask[u] or lo[u] >= 0:
                            passed[u] = a
                        elif hi[u] > 0:
                            chord = hi[u] / (hi[u] - lo[u])
                            lower = chord if slopes is fastlin_slopes else float(hi[u] > -lo[u])
                            passed[u] = a * (lower if a > 0 else chord)
                            level += 0 if a > 0 else -a * chord * lo[u]
                    level += passed @ net.biases[j]
                    form = passed @ weights[j]
                dual = np.linalg.norm(form, ord=2 if norm == 2 else 1)
                ends[side, i] = sign * (level + form @ x - eps * dual)
        found.append(ends)
    return found


@pytest.mark.parametrize("density", [1.0, 0.5, 0.25])
@pytest.mark.parametrize("norm", [2, math.inf])
@pytest.mark.parametrize("slopes", SLOPES.values(), ids=SLOPES)
def test_intervals_and_margins_are_those_of_the_literal_recursion(
    density: float, norm: float, slopes: Any
) -> None:
    rng = np.random.default_rng(4)
    for widths in ((5, 6, 2), (5, 9, 7, 3), (4, 12, 9, 6, 1)):
        net = draw(rng, widths, density)
        X, y = labelled(rng, net, 3)
        eps = np.array([0.05, 0.4, 1.5])
        domain = open_domain(net, X, y, norm=norm, box=None)
        found, margins = intervals(domain, eps, slopes), linear_margins(domain, eps, slopes)
        for i in range(3):
            expected = literal_crown(net, X[i], eps[i], norm, slopes)
            for (lo, hi), ends in zip(found, expected, strict=False):
                # The root of what is allowed for the Gram matrix's rounding, times sizes of 100.
                np.testing.assert_allclose([lo[i], hi[i]], ends, rtol=1e-6, atol=1e-5)
            if net.outputs == 1:
                least_lead = expected[-1][0, 0] if y[i] == 1 else -expected[-1][1, 0]
                np.testing.assert_allclose(margins[i, 0], least_lead, rtol=1e-6, atol=1e-5)


@pytest.mark.parametrize("norm", [2, math.inf])
@pytest.mark.parametrize("box", [None, (-1.0, 1.0)], ids=str)
@pytest.mark.parametrize("density", [1.0, 0.3])
def test_bounds_hold_at_samples_of_the_ball(norm: float, box: Any, density: float) -> None:
    rng = np.random.default_rng(5)
    for widths in ((4, 6, 3), (3, 8, 6, 4, 2)):
        net = draw(rng, widths, density)
        X, y = labelled(rng, net, 3)
        for eps in (np.zeros(3), np.full(3, 0.1), np.full(3, 1.0)):
            domain = open_domain(net, X, y, norm=norm, box=box)
            way = rng.normal(size=(3, 4000, net.dimension))
            way = np.sign(way) * rng.uniform(0.5, 1, way.shape) if norm == math.inf else way
            way /= np.linalg.norm(way, ord=norm, axis=2, keepdims=True)
            points = X[:, None] + eps[:, None, None] * way * rng.uniform(0, 1, (3, 4000, 1)) ** 0.3
            points = points if box is None else points.clip(*box)
            values = [
                v.reshape(3, 4000, -1)
                for v in preactivations(net, points.reshape(-1, net.dimension))
            ]
            leads = (domain.forms @ values[-1].swapaxes(1, 2)).min(axis=2)
            own = [s for s in SLOPES.values() if eps.all() or s is crown_slopes]
            for slopes in own:
                assert (linear_margins(domain, eps, slopes) <= leads + ROUNDING).all()
            assert (interval_margins(domain, eps) <= leads + ROUNDING).all()
            ends = [first_interval(domain, eps)], interval_bounds(domain, eps)
            for found in (*ends, *(intervals(domain, eps, slopes) for slopes in own)):
                for (lo, hi), value in zip(found, values, strict=False):
                    assert (lo[:, None] <= value + ROUNDING).all()
                    assert (value <= hi[:, None] + ROUNDING).all()


@pytest.mark.parametrize("outputs", [1, 4])
@pytest.mark.parametrize(
    ("norm", "method"),
    [(norm, m) for norm in (2, math.inf) for m in FREE]
    + [(2, m) for m in ("lipschitz", "sdp", "lipsdp")],
)
def test_affine_networks_have_the_distance_of_linear_classifiers(
    outputs: int, norm: float, method: str
) -> None:
    rng = np.random.default_rng(6)
    W, b = rng.normal(size=(outputs, 5)), rng.normal(size=outputs)
    net = ReluNetwork(weights=[W], biases=[b])
    model = LinearClassifier(weights=W if outputs > 1 else W[0], bias=b if outputs > 1 else b[0])
    X, y = labelled(rng, net, 12)
    free = certified_radius(net, X, y, norm=norm, method=method, tol=1e-6).lower
    exact = flip_distance(model, X, y, norm=norm, box=None)
    assert (free <= exact * (1 + ROUNDING)).all()
    if method not in ("interval", "lipschitz", "lipsdp") or (outputs == 1 and method != "lipsdp"):
        # tol; and interval arithmetic and Lipschitz constants of single outputs lose nothing.
        np.testing.assert_allclose(free, exact, rtol=3e-6)
    boxed = certified_radius(net, X, y, norm=norm, method=method, box=(-1, 1), tol=1e-6).lower
    within = flip_distance(model, X, y, norm=norm, box=(-1, 1))
    assert (boxed <= within * (1 + ROUNDING)).all()
    assert (boxed >= free * (1 - 3e-6)).all() or "lip" in method
