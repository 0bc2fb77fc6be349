"""Randomly pruned networks: draws of masks, the restated theorem, and what it must not say."""

from itertools import pairwise, product
from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp

from tests.theory.test_random_masks_enumeration import every_masked
from theory.lipschitz import exact_constant
from theory.networks import ReluNetwork, jacobian
from theory.random_masks import (
    LayerMask,
    difference_norm_bound,
    disconnection_bounds,
    expected_norm_bound,
    expected_path_norm,
    gradient_gram,
    margin_norm_bound,
    masked_network,
    path_constants,
    path_gram,
    product_bound,
    rms_path_norm,
    sampled_gradient_norms,
    sampled_path_norms,
    shrinkage,
    shrinkage_slopes,
    squared_gradient_variance,
    whole_rms_path_norm,
)

ROUNDING = 1e-12  # of sums of some hundred terms
FAR = 4.0  # standard errors; of 300 skewed draws some 3 % of seeds stray further, none of these


def draw(rng: np.random.Generator, widths: Any, density: float = 1.0) -> ReluNetwork:
    weights: list[Any] = [
        rng.normal(size=(o, i)) * (rng.random((o, i)) < density) for i, o in pairwise(widths)
    ]
    if density < 1:
        weights = [sp.csr_array(W) for W in weights]
    return ReluNetwork(weights=weights, biases=[rng.normal(size=o) for o in widths[1:]])


def draw_laws(rng: np.random.Generator, net: ReluNetwork) -> list[Any]:
    laws = []
    for W in net.weights:
        alpha = float(rng.uniform(0, 0.8))
        n = int(np.count_nonzero(W.toarray() if sp.issparse(W) else W))
        groups = rng.integers(0, 3, W.shape[0])
        laws.append(
            [
                alpha,
                LayerMask(alpha=int(alpha * n) / max(n, 1), fixed=True),
                LayerMask(alpha=alpha, unit="row"),
                LayerMask(alpha=alpha, unit="row", groups=groups),
                LayerMask(alpha=alpha, unit="column"),
            ][int(rng.choice(5, p=[0.4, 0.2, 0.1, 0.2, 0.1]))]
        )
    return laws


def near(drawn: Any, exact: Any) -> bool:
    """Return whether the mean of draws (count, k) is within FAR standard errors."""
    error = np.std(drawn, axis=0, ddof=1) / np.sqrt(len(drawn))
    return bool((np.abs(np.mean(drawn, axis=0) - exact) <= FAR * error + ROUNDING).all())


@pytest.mark.parametrize("seed", range(36))
def test_moments_agree_with_draws(seed: int) -> None:
    rng = np.random.default_rng(seed)
    widths = rng.integers(1, 30, int(rng.integers(2, 6)))
    net = draw(rng, widths, float(rng.choice([1.0, 0.5, 0.2])))
    laws = draw_laws(rng, net)
    linear = [np.zeros(n, dtype=bool) for n in net.widths]  # its pattern never changes
    chain = ReluNetwork(weights=net.weights, relu=linear)
    first, second, slopes = (
        sampled_path_norms(net, laws, count=300, rng=rng, norm=1),
        sampled_path_norms(net, laws, count=300, rng=rng),
        sampled_gradient_norms(chain, laws, np.zeros((1, net.dimension)), count=300, rng=rng),
    )
    assert near(first, expected_path_norm(net, laws))
    assert near(second**2, np.diag(path_gram(net, laws)))
    pattern = [~on for on in linear]
    assert near(slopes[:, 0] ** 2, np.diag(gradient_gram(net, laws, pattern)))
    error = FAR * second.std(axis=0) / np.sqrt(300)
    assert (second.mean(axis=0) - error <= expected_norm_bound(net, laws) + ROUNDING).all()


def test_squared_gradient_variance_agrees_with_draws() -> None:
    rng = np.random.default_rng(0)
    net = draw(rng, (20, 12, 10, 3))
    chain = ReluNetwork(weights=net.weights, relu=[np.zeros(n, dtype=bool) for n in net.widths])
    on = [np.ones(n, dtype=bool) for n in net.widths]
    alphas = [0.5, 0.3, 0.2]
    slopes = sampled_gradient_norms(chain, alphas, np.zeros((1, 20)), count=4000, rng=rng)
    exact = [squared_gradient_variance(net, alphas, on, c) for c in np.eye(3)]
    off = (slopes[:, 0] ** 2 - np.diag(gradient_gram(net, alphas, on))) ** 2
    assert near(off, exact)


def all_patterns(W: Any, V: Any, w: Any) -> dict[int, Any]:
    """Return for masked weights (m, ...) the largest norm of a gradient over all patterns."""
    largest = {1: np.zeros(len(w)), 2: np.zeros(len(w))}
    for on in product((0.0, 1.0), repeat=4):
        rows = (w * on[2:])[:, None, :] @ V * on[:2] @ W
        for q, found in largest.items():
            np.maximum(found, np.linalg.norm(rows[:, 0], ord=q, axis=1), out=found)
    return largest


@pytest.mark.slow
def test_the_restated_theorem_holds_in_ten_thousand_settings() -> None:
    # The mean over all 1024 masks of the largest gradient over all patterns, more than any region.
    rng = np.random.default_rng(1)
    masks = np.array(list(product((0.0, 1.0), repeat=10)))
    sizes = np.stack([masks[:, :4].sum(1), masks[:, 4:8].sum(1), masks[:, 8:].sum(1)])
    settings, tightest = 0, np.inf
    for _ in range(1300):
        flat = rng.normal(size=10) * np.exp(rng.normal(size=10))
        if rng.random() < 0.3:
            flat = np.abs(flat)
        drawn = flat * masks
        W, V, w = drawn[:, :4].reshape(-1, 2, 2), drawn[:, 4:8].reshape(-1, 2, 2), drawn[:, 8:]
        largest = all_patterns(W, V, w)
        net = ReluNetwork(weights=[W[-1], V[-1], w[-1:]])
        constants = {q: path_constants(net, norm=q)[0] for q in (1, 2)}
        for alphas in rng.uniform(0, 1, (8, 3)) ** rng.choice([0.2, 1, 5]):
            kept = np.array([4, 4, 2])[:, None]
            law = (1 - alphas)[:, None] ** sizes * alphas[:, None] ** (kept - sizes)
            for q in (1, 2):
                mean = law.prod(axis=0) @ largest[q]
                bound = expected_norm_bound(net, alphas, norm=q)[0]
                limit = constants[q] * (1 - shrinkage(net, alphas, norm=q)[0])
                assert mean <= bound * (1 + ROUNDING)
                assert bound <= limit + constants[q] * ROUNDING
                tightest = min(tightest, bound / mean)
            settings += 1
    assert settings >= 10_000
    assert tightest < 1 + 1e-9  # nonnegative weights, q = 1: the theorem is attained


@pytest.mark.parametrize("seed", range(50))
def test_margin_bounds_hold_the_largest_gradient_of_the_margin(seed: int) -> None:
    rng = np.random.default_rng(seed)
    masks = np.array(list(product((0.0, 1.0), repeat=8)))
    drawn = rng.normal(size=8) * masks
    W, rows = drawn[:, :4].reshape(-1, 2, 2), drawn[:, 4:].reshape(-1, 2, 2)
    if seed % 2:  # equal rows, each with its own mask
        rows = rows[-1, 0] * masks[:, 4:].reshape(-1, 2, 2)
    net = ReluNetwork(weights=[W[-1], rows[-1]])
    margins = rows[:, :1] - rows[:, 1:]
    patterns = [np.array(on) for on in product((0.0, 1.0), repeat=2)]
    for alphas in rng.uniform(0, 1, (5, 2)):
        sizes = np.stack([masks[:, :4].sum(1), masks[:, 4:].sum(1)])
        law = ((1 - alphas)[:, None] ** sizes * alphas[:, None] ** (4 - sizes)).prod(axis=0)
        for q in (1, 2):
            slopes = [np.linalg.norm((margins * on @ W)[:, 0], ord=q, axis=1) for on in patterns]
            mean = law @ np.max(slopes, axis=0)
            for function in (difference_norm_bound, margin_norm_bound):
                assert mean <= function(net, alphas, 0, norm=q)[1] * (1 + ROUNDING)


@pytest.mark.parametrize("seed", range(4))
def test_the_expected_local_constant_is_below_the_bound(seed: int) -> None:
    rng = np.random.default_rng(seed)
    net, x = draw(rng, (2, 2, 1, 1)), rng.normal(size=2)  # with biases
    for norm, q in ((2, 2), (np.inf, 1)):
        local = []
        for _, weights in every_masked(net, [0.5] * 3):
            pruned = ReluNetwork(weights=weights, biases=net.biases)
            local.append(exact_constant(pruned, centre=x, radius=1.0, norm=norm).value)
        assert np.mean(local) <= expected_norm_bound(net, 0.5, norm=q)[0] * (1 + ROUNDING)


@pytest.mark.parametrize("norm", [1, 2])
@pytest.mark.parametrize("seed", range(8))
def test_shrinkage_rises_with_each_alpha(seed: int, norm: int) -> None:
    rng = np.random.default_rng(seed)
    net = draw(rng, rng.integers(2, 9, int(rng.integers(2, 6))), float(rng.choice([1.0, 0.6])))
    alphas = rng.uniform(0.05, 0.9, net.depth)
    slopes, h = shrinkage_slopes(net, alphas, norm=norm), 1e-6
    live = path_constants(net, norm=norm) > 0
    assert (slopes[:, live] > 0).all()
    for j, step in enumerate(h * np.eye(net.depth)):
        ends = [shrinkage(net, alphas + side * step, norm=norm) for side in (1, -1)]
        # h² / 6 times a third derivative of at most some thousands, and rounding by h
        assert slopes[j] == pytest.approx((ends[0] - ends[1]) / (2 * h), rel=1e-7, abs=1e-8)
        more, less = (expected_norm_bound(net, alphas + 1e4 * s * step, norm=norm) for s in (1, -1))
        assert (more[live] < less[live]).all()
    part = slopes[:, live] * (1 - alphas)[:, None] / (1 - shrinkage(net, alphas, norm=norm)[live])
    assert (part >= 0.5 - ROUNDING).all()  # half the elasticity of the square, in [1, 2]
    assert (part <= 1 + ROUNDING).all()


@pytest.mark.parametrize("norm", [1, 2])
def test_limits_of_no_and_of_full_pruning(norm: int) -> None:
    rng = np.random.default_rng(2)
    net = draw(rng, (5, 4, 3, 2))
    constants = path_constants(net, norm=norm)
    product_ = np.abs(net.weights[2]) @ np.abs(net.weights[1]) @ np.abs(net.weights[0])
    assert constants == pytest.approx(np.linalg.norm(product_, ord=norm, axis=1), rel=ROUNDING)
    assert expected_norm_bound(net, 0.0, norm=norm) == pytest.approx(constants, rel=ROUNDING)
    assert shrinkage(net, 0.0, norm=norm) == pytest.approx([0, 0], abs=ROUNDING)
    assert (expected_norm_bound(net, [0.0, 1.0, 0.0], norm=norm) == 0).all()
    assert (shrinkage(net, [0.0, 1.0, 0.0], norm=norm) == 1).all()
    assert (masked_network(net, 1.0, rng).weights[1] == 0).all()
    assert (masked_network(net, 0.0, rng).weights[1] == net.weights[1]).all()
    found = sampled_gradient_norms(net, 0.0, [[1.0] * 5], count=1, rng=rng, norm=norm)
    exact = np.linalg.norm(jacobian(net, [[1.0] * 5])[0], ord=norm, axis=1)
    assert found[0, 0] == pytest.approx(exact, rel=ROUNDING)


def test_sparse_and_dense_weights_give_the_same() -> None:
    rng = np.random.default_rng(3)
    net = draw(rng, (9, 8, 7, 3), 0.4)
    full = ReluNetwork(weights=[W.toarray() for W in net.weights], biases=net.biases)
    on = [rng.random(n) < 0.5 for n in net.widths]
    groups = [rng.integers(0, 3, 8), rng.integers(0, 3, 8)]
    blocks = [
        LayerMask(alpha=0.4, unit="row", groups=groups[0]),
        LayerMask(alpha=0.4, unit="column", groups=groups[1]),
        LayerMask(alpha=0.0, fixed=True),
    ]
    for laws in (0.7, blocks):
        for function in (path_gram, expected_norm_bound, margin_norm_bound, gradient_gram):
            extra = {margin_norm_bound: (1,), gradient_gram: (on,)}.get(function, ())
            both = [function(each, laws, *extra) for each in (net, full)]
            assert both[0] == pytest.approx(both[1], rel=ROUNDING, abs=ROUNDING)
    args = (0.7, on, [1.0, 0.0, -1.0])
    assert squared_gradient_variance(net, *args) == pytest.approx(
        squared_gradient_variance(full, *args), rel=1e-10
    )
    both = [disconnection_bounds(each, 0.7) for each in (net, full)]
    assert np.array(both[0]) == pytest.approx(np.array(both[1]), rel=1e-10)
    assert whole_rms_path_norm(net, 20) == pytest.approx(whole_rms_path_norm(full, 20))
    assert all(sp.issparse(W) for W in masked_network(net, blocks, rng).weights)


@pytest.mark.parametrize("seed", range(3))
def test_masked_network_keeps_what_its_law_says(seed: int) -> None:
    rng = np.random.default_rng(seed)
    net = draw(rng, (6, 8, 5), float(rng.choice([1.0, 0.5])))
    n = int(net.weights[1].nnz if sp.issparse(net.weights[1]) else net.weights[1].size)
    laws = [LayerMask(alpha=0.5, unit="row", groups=[0, 1] * 4, fixed=True),
            LayerMask(alpha=(n // 2) / n, fixed=True)]  # fmt: skip
    before = path_constants(net)
    pruned = masked_network(net, laws, rng)
    first, second = (W.toarray() if sp.issparse(W) else W for W in pruned.weights)
    assert np.count_nonzero(second) == n - n // 2
    assert first[::2].any() != first[1::2].any()  # one of the two filters
    assert path_constants(net) == pytest.approx(before, rel=0)  # the network itself is as it was
    assert pruned.biases[0].tolist() == net.biases[0].tolist()


def test_densities_times_the_constant_are_no_bound() -> None:
    net = ReluNetwork(weights=[[[1.0, 1.0]]])
    mean = 0.25 * np.sqrt(2) + 0.5  # both kept; one of the two
    assert 0.5 * path_constants(net)[0] < mean
    assert mean <= expected_norm_bound(net, 0.5)[0] <= rms_path_norm(net, 0.5)[0]
    assert expected_norm_bound(net, 0.5)[0] == pytest.approx(mean, rel=ROUNDING)  # exact here
    assert rms_path_norm(net, 0.5)[0] == pytest.approx(product_bound(net, 0.5)[0])  # disjoint


def test_the_expected_constant_is_not_monotone() -> None:
    # relu(x) - relu(x), the output row pruned: 0 when dense, and 2 ρ (1 - ρ) else.
    net = ReluNetwork(weights=[[[1.0], [1.0]], [[1.0, -1.0]]])
    assert exact_constant(net).value == 0
    means = [
        sum(
            chance * exact_constant(ReluNetwork(weights=weights)).value
            for chance, weights in every_masked(net, [0.0, alpha])
        )
        for alpha in (0.0, 0.5, 1.0)
    ]
    assert means == pytest.approx([0.0, 0.5, 0.0], abs=ROUNDING)
    bounds = [expected_norm_bound(net, [0.0, alpha])[0] for alpha in (0.0, 0.5, 1.0)]
    assert bounds == pytest.approx([2.0, 1.0, 0.0])  # while the bound falls


def test_equal_rows_differ_once_pruned() -> None:
    net = ReluNetwork(weights=[[[2.0]], [[3.0], [3.0]]])
    dense_margin = ReluNetwork(weights=[net.weights[0], net.weights[1][:1] - net.weights[1][1:]])
    assert exact_constant(dense_margin).value == 0
    mean = 0.0
    for chance, weights in every_masked(net, [0.0, 0.5]):
        margin = ReluNetwork(weights=[weights[0], weights[1][:1] - weights[1][1:]])
        mean += chance * exact_constant(margin).value
    assert mean == pytest.approx(3.0)  # 2 ρ (1 - ρ) 2 · 3
    assert mean > (1 - 0.5) * 0.0  # ρ times the dense constant is no bound
    for q in (1, 2):
        assert mean <= difference_norm_bound(net, [0.0, 0.5], 0, norm=q)[1] * (1 + ROUNDING)
        assert difference_norm_bound(net, [0.5, 0.0], 0, norm=q)[1] == 0  # hidden layer alone
        assert margin_norm_bound(net, 0.0, 0, norm=q)[1] == pytest.approx(12.0)
