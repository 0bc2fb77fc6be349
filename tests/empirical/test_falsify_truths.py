"""What the falsifier takes for the truth, against counterexamples and other computations."""

from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from scipy.stats import multivariate_normal

from empirical.falsify import SEARCHES, Instance, falsify, sides
from empirical.falsify.every_mask import every_mask, mean_slopes, path_norms, points_of_ball
from empirical.falsify.exact import as_fractions
from empirical.falsify.problems_smoothing import label_shares
from empirical.falsify.search import exact_sides
from theory.claims.classics import outside_penalty_counterexample
from theory.claims.guo2018 import clipping_counterexample
from theory.claims.guo2018_masks import (
    Counterexample,
    cancelling_counterexample,
    product_counterexample,
    twin_outputs,
)
from theory.claims.networks import clever_counterexample
from theory.claims.smoothing import linear_many_counterexamples

EXACT: dict[str, Any] = {"rel": 1e-12}  # a handful of roundings


def arrays(**given: Any) -> Instance:
    return {name: np.asarray(value, dtype=float) for name, value in given.items()}


def slope(example: Counterexample, q: float, forms: Any = None, *, exact: bool = False) -> Any:
    net, alphas, center, radius = example
    numbers = [*net.weights, *net.biases, np.array(alphas), center]
    if exact:
        numbers = [as_fractions(number) for number in numbers]
    depth = net.depth
    weights, biases, (pruned, middle) = numbers[:depth], numbers[depth:-3], numbers[-2:]
    points = points_of_ball(middle, radius, q)
    return mean_slopes(every_mask(weights, pruned), biases, points, q=q, forms=forms)[0]


@pytest.mark.parametrize("exact", [False, True])
def test_mean_slopes_are_those_of_the_counterexamples(exact: bool) -> None:
    product = slope(product_counterexample(), 2, exact=exact)
    assert float(product) == pytest.approx(np.sqrt(2) / 4 + 0.5, **EXACT)
    assert slope(cancelling_counterexample(), 2, exact=exact) == 0.5
    assert slope(twin_outputs(), 2, np.array([[1, -1]]), exact=exact) == 0.5
    if exact:
        assert isinstance(product, Fraction)


def test_mean_slopes_leave_out_points_at_a_kink() -> None:
    # max(0, x) + max(0, -x) at 0: no gradient, though both units count as off there.
    weights = [np.array([[1.0], [-1.0]]), np.array([[1.0, 1.0]])]
    masked = every_mask(weights, np.zeros(2))
    assert mean_slopes(masked, [np.zeros(2)], np.zeros((1, 1)), q=2).tolist() == [0.0]
    assert mean_slopes(masked, [np.zeros(2)], np.array([[0.0], [0.1]]), q=2).tolist() == [1.0]


def test_every_mask_has_its_chance() -> None:
    W = [np.array([[2.0, 0.0]]), np.array([[3.0]])]
    masked = every_mask(W, np.array([0.25, 0.5]))
    assert masked.chances.sum() == 1.0
    assert len(masked.chances) == 4  # the zero weight is not drawn
    assert masked.chances @ path_norms(masked, 1)[:, 0] == 6 * 0.75 * 0.5


@pytest.mark.parametrize("q", [1.0, 2.0])
def test_points_lie_in_the_ball(q: float) -> None:
    points = points_of_ball(np.array([3.0, -1.0]), 0.5, q)
    size = np.linalg.norm(points - [3.0, -1.0], ord=2 if q == 2 else np.inf, axis=1)
    assert size.max() < 0.5
    assert size.min() == 0


def test_label_shares_are_those_of_the_counterexamples_and_of_an_orthant() -> None:
    (corner, x, _), (shared, z, _) = linear_many_counterexamples()
    # By hand in proofs/smoothing.md; the mean over directions errs by 1e-6 where there are corners.
    found = label_shares(corner.weights, corner.bias, x[0], 1.0)
    assert found == pytest.approx([0.70786, 0.14607, 0.14607], abs=1e-5)
    found = label_shares(shared.weights, shared.bias, z[0], 1.0)
    assert found == pytest.approx([0.5573, 0.2214, 0.2214], abs=1e-4)
    rng = np.random.default_rng(1)
    W, b, x = rng.normal(size=(3, 2)), rng.normal(size=3), rng.normal(size=2)
    rows = (W - W[0])[1:]
    law = multivariate_normal(cov=0.49 * rows @ rows.T)
    wins = law.cdf(-(rows @ x + (b - b[0])[1:]))
    assert label_shares(W, b, x, 0.7)[0] == pytest.approx(wins, abs=1e-5)


def test_clipped_accuracy_is_that_of_the_counterexample() -> None:
    model, X, y, eps = clipping_counterexample()
    instance = arrays(w=model.weights[0], b=model.bias[0], X=X, y=y, eps=eps)
    found = sides(SEARCHES["guo2018.rinf-clipped"], instance)
    assert found.claimed == pytest.approx(0.5 / (0.3 * 2), rel=1e-9)  # eps is less by 1e-10
    assert found.true == 1.0


def test_outside_residual_is_that_of_the_counterexample() -> None:
    X, y, eps = outside_penalty_counterexample()
    found = sides(SEARCHES["classics.norm-outside"], arrays(X=X[:3], y=y[:3], eps=eps))
    assert found.claimed == 0
    # All six points, by another optimiser: tests/agreement hold the check's own number.
    assert found.true > 0.01


def test_hulls_are_as_far_apart_as_by_hand() -> None:
    search = SEARCHES["classics.svm"]
    instance = arrays(X=[[0, 0], [0, 2], [3, 1]], y=[-1, -1, 1])
    assert search.true(instance) == 1.5
    # A corner at (1, 1) before the edge x + y = 1 of the other hull: √2/2 apart.
    instance = arrays(X=[[1, 1], [2, 1], [1, 0], [0, 1], [0, 0]], y=[1, 1, -1, -1, -1])
    assert search.true(instance) == pytest.approx(np.sqrt(2) / 4, **EXACT)


def test_flips_are_those_of_the_counterexample_and_exact() -> None:
    net, x, radius = clever_counterexample()
    used = np.any(net.weights[0] != 0, axis=0)
    few = arrays(
        W1=net.weights[0][:, used],
        b1=net.biases[0],
        W2=net.weights[1],
        b2=net.biases[1],
        x=x[0, used],
        norm=2,
        box=[-np.inf, np.inf],
        label=1,
        radius=radius,
    )
    search = SEARCHES["networks.clever"]
    assert sides(search, few).true == pytest.approx(11 / 20.1, rel=1e-6)  # branch and bound's rtol
    assert exact_sides(search, few).true == pytest.approx(11 / 20.1, rel=1e-6)
    whole = {**few, "W1": net.weights[0], "x": x[0]}
    assert sides(search, whole).claimed == 1.0


def test_the_dropped_root_is_wrong_by_a_root() -> None:
    # f = (x, -x) at 1: the lead 2 over L = √2, where 0 is a tie at distance 1.
    instance = arrays(
        W1=[[1]],
        b1=[0],
        W2=[[1], [-1]],
        b2=[0, 0],
        x=[1],
        norm=2,
        box=[-np.inf, np.inf],
        label=0,
    )
    found = exact_sides(SEARCHES["wrong.margin"], instance)
    assert found.claimed == pytest.approx(np.sqrt(2), rel=1e-9)
    assert found.true == pytest.approx(1.0, rel=1e-9)


def test_halvings_cancel() -> None:
    rng = np.random.default_rng(0)
    instance = arrays(w=[1, -2], b=0.1, X=rng.normal(size=(8, 2)), y=np.repeat([-1, 1], 4))
    assert sides(SEARCHES["guo2018.r2-held-out"], instance).true < 1e-12


@pytest.mark.parametrize("key", [key for key, search in SEARCHES.items() if search.rational])
def test_fractions_agree_with_float64(key: str) -> None:
    found = falsify(SEARCHES[key], np.random.default_rng(5), evaluations=25)
    exact = exact_sides(SEARCHES[key], found.instance)
    assert exact.true == pytest.approx(found.true, rel=1e-9, abs=1e-9)
