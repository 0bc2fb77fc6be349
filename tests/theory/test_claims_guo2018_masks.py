"""Theorem 3.2 restated: each formula as it is written in the catalogue, each counterexample."""

from itertools import product
from typing import Any

import numpy as np
import pytest

from theory.claims import CATALOGUE, find_claims
from theory.claims.guo2018_masks import (
    CLAIMS,
    Counterexample,
    cancelling_counterexample,
    dense_slope,
    product_counterexample,
    product_without_root,
    twin_outputs,
)
from theory.networks import ReluNetwork, jacobian
from theory.validation import UnsupportedSettingError

ROUNDING = 1e-12  # of sums of some tens of products
ALPHAS = (0.3, 0.6, 0.1)
RHO = 1 - np.array(ALPHAS)


def draw(seed: int) -> ReluNetwork:
    rng = np.random.default_rng(seed)
    shapes = ((4, 3), (5, 4), (3, 5))
    return ReluNetwork(
        weights=[rng.normal(size=shape) for shape in shapes],
        biases=[rng.normal(size=shape[0]) for shape in shapes],
    )


def predict(key: str, *args: Any, **named: Any) -> Any:
    return CATALOGUE[f"guo2018.lipschitz-{key}"].predict(*args, **named)


def paths(net: ReluNetwork) -> Any:
    first, middle, last = (np.abs(W) for W in net.weights)
    return last @ middle @ first


def gram(net: ReluNetwork) -> Any:
    """Return G_L by the recursion of the statement."""
    G = np.eye(net.dimension)
    for W, rho in zip(map(np.abs, net.weights), RHO, strict=True):
        G = rho**2 * W @ G @ W.T + rho * (1 - rho) * np.diag(W**2 @ np.diag(G))
    return G


def mean_slope(example: Counterexample, forms: Any = ((1.0,),)) -> float:
    """Return E L_2 of a form of the outputs at the centre, over all masks."""
    net, total = example.net, 0.0
    for kept in product([0.0, 1.0], repeat=sum(W.size for W in net.weights)):
        chance, left, weights = 1.0, np.array(kept), []
        for W, alpha in zip(net.weights, example.alphas, strict=True):
            mask, left = left[: W.size].reshape(W.shape), left[W.size :]
            chance *= float(np.where(mask == 1, 1 - alpha, alpha).prod())
            weights.append(W * mask)
        (J,) = jacobian(ReluNetwork(weights=weights), example.center[None])
        total += chance * float(np.linalg.norm(np.array(forms) @ J))
    return total


def test_claims_of_the_paper_are_found_by_its_name_and_new_ones_come_last() -> None:
    assert {claim.key for claim in CLAIMS} <= {claim.key for claim in find_claims("guo2018")}
    assert {"guo2018.networks-l2", "guo2018.r2"} <= {claim.key for claim in find_claims("guo2018")}
    # Draws of a check follow from the place of its claim.
    keys = list(CATALOGUE)
    first = keys.index(CLAIMS[0].key)
    assert keys[first : first + len(CLAIMS)] == [claim.key for claim in CLAIMS]
    assert first > keys.index("merkle2021.ratio")


@pytest.mark.parametrize("seed", range(3))
def test_bounds_are_the_formulas_of_their_statements(seed: int) -> None:
    net = draw(seed)
    sums, G = paths(net).sum(axis=1), gram(net)
    np.testing.assert_allclose(predict("l1", net, ALPHAS), sums * RHO.prod(), rtol=ROUNDING)
    np.testing.assert_allclose(predict("l2", net, ALPHAS), np.sqrt(np.diag(G)), rtol=ROUNDING)
    euclid = np.linalg.norm(paths(net), axis=1)
    np.testing.assert_allclose(predict("product", net, ALPHAS), euclid * RHO.prod(), rtol=ROUNDING)
    for y, k in product(range(3), range(3)):
        first, second = (predict("margin", net, ALPHAS, y, norm=q)[k] for q in (1, 2))
        if y != k:
            assert first == pytest.approx((sums[y] + sums[k]) * RHO.prod(), rel=ROUNDING)
            assert second == pytest.approx(np.sqrt(G[y, y] + G[k, k] + 2 * G[y, k]), rel=ROUNDING)
    ones = predict("eta", net, ALPHAS, norm=1)
    np.testing.assert_allclose(ones, 1 - RHO.prod(), rtol=ROUNDING)
    twos = predict("eta", net, ALPHAS, norm=2)
    np.testing.assert_allclose(twos, 1 - np.sqrt(np.diag(G)) / euclid, rtol=ROUNDING)


@pytest.mark.parametrize("seed", range(3))
def test_bounds_lie_in_the_order_of_their_notes(seed: int) -> None:
    net = draw(seed)
    product_, sharp, l1, l2 = (
        predict(key, net, ALPHAS) for key in ("product", "sharp", "l1", "l2")
    )
    root = np.linalg.norm(paths(net), axis=1) * np.sqrt(RHO.prod())
    assert (product_ < sharp).all()
    assert (sharp <= np.minimum(l1, l2) * (1 + ROUNDING)).all()
    assert (l2 < root).all()


def test_product_is_below_the_mean_of_its_counterexample() -> None:
    example = product_counterexample()
    mean = mean_slope(example)
    assert mean == pytest.approx(np.sqrt(2) / 4 + 1 / 2, rel=ROUNDING)
    (claimed,) = product_without_root(example.net, example.alphas)
    assert claimed == pytest.approx(np.sqrt(2) / 2, rel=ROUNDING)
    assert predict("l2", example.net, example.alphas)[0] >= mean


def test_pruning_raises_the_mean_of_the_cancelling_counterexample() -> None:
    example = cancelling_counterexample()
    assert mean_slope(example) == pytest.approx(0.5, rel=ROUNDING)
    assert mean_slope(example._replace(alphas=(0.0, 0.0))) == 0.0
    (dense,) = dense_slope(example.net, example.center[None], example.radius)
    assert dense == pytest.approx(0.0, abs=ROUNDING)


def test_pruning_raises_the_mean_margin_of_twin_outputs() -> None:
    example, margin = twin_outputs(), ((1.0, -1.0),)
    assert mean_slope(example, margin) == pytest.approx(0.5, rel=ROUNDING)
    assert mean_slope(example._replace(alphas=(0.0, 0.0)), margin) == 0.0
    assert predict("margin", example.net, example.alphas, 0)[1] >= 0.5


@pytest.mark.parametrize("q", [1, 2])
def test_dense_slope_is_the_slope_of_small_balls_and_bounds_that_of_large_ones(q: int) -> None:
    net, rng = draw(0), np.random.default_rng(0)
    X = rng.normal(size=(4, 3))
    slopes = np.linalg.norm(jacobian(net, X), ord=q, axis=2)
    # No unit changes side within 1e-9: the interval of the gradient is a point, up to rounding.
    np.testing.assert_allclose(dense_slope(net, X, 1e-9, norm=q), slopes, rtol=1e-9)
    large = dense_slope(net, X, 0.5, norm=q)
    for _ in range(100):
        moves = rng.normal(size=X.shape)
        moves *= 0.5 / np.linalg.norm(moves, ord=2 if q == 2 else np.inf, axis=1, keepdims=True)
        assert (np.linalg.norm(jacobian(net, X + moves), ord=q, axis=2) <= large).all()


def test_other_norms_are_refused() -> None:
    with pytest.raises(UnsupportedSettingError, match="norm must be 1 or 2"):
        dense_slope(draw(0), np.zeros((1, 3)), 0.1, norm=np.inf)
