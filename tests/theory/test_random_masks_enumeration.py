"""Moments of randomly pruned networks against the enumeration of all masks."""

import math
from collections.abc import Iterator
from itertools import combinations, pairwise, product
from typing import Any

import numpy as np
import pytest

from theory.networks import ReluNetwork
from theory.random_masks import (
    LayerMask,
    difference_norm_bound,
    expected_norm_bound,
    expected_path_norm,
    gradient_gram,
    margin_norm_bound,
    path_constants,
    path_gram,
    product_bound,
    rms_path_norm,
    squared_gradient_variance,
    whole_expected_path_norm,
    whole_rms_path_norm,
)

EXACT = 1e-12  # rounding of sums of at most 2^13 terms, relative to the largest

LAWS = [
    [0.3, 0.6, 0.2],
    [0.0, 0.5, 1.0],
    [LayerMask(alpha=0.25, fixed=True), LayerMask(alpha=0.5, fixed=True), 0.4],
    [LayerMask(alpha=0.3, unit="row"), LayerMask(alpha=0.6, unit="column"), 0.5],
    [LayerMask(alpha=0.5, unit="column", fixed=True), LayerMask(alpha=0.2, unit="row"), 0.1],
    [0.4, LayerMask(alpha=0.5, unit="row", fixed=True), LayerMask(alpha=0.5, fixed=True)],
    [
        LayerMask(alpha=0.4, unit="row", groups=[7, 7]),
        LayerMask(alpha=0.3, unit="column", groups=[1, 1]),
        LayerMask(alpha=0.7, unit="column", groups=[0, 1]),
    ],
]


def every_layer(W: Any, law: LayerMask) -> Iterator[tuple[float, Any]]:
    """Yield each mask's probability and the masked weights."""
    if law.unit == "weight":
        places = [[tuple(place)] for place in np.argwhere(W)]
    else:
        axis = 0 if law.unit == "row" else 1
        group = np.arange(W.shape[axis]) if law.groups is None else np.asarray(law.groups)
        places = [
            [place for place in np.ndindex(W.shape) if group[place[axis]] == label]
            for label in np.unique(group)
        ]
    n, alpha = len(places), law.alpha
    for flags in product((0, 1), repeat=n):
        pruned = n - sum(flags)
        if law.fixed:
            chance = (pruned == round(alpha * n)) / math.comb(n, pruned)
        else:
            chance = alpha**pruned * (1 - alpha) ** (n - pruned)
        masked = W.copy()
        for flag, entries in zip(flags, places, strict=True):
            for place in entries:
                masked[place] *= flag
        if chance:
            yield chance, masked


def every_masked(net: ReluNetwork, laws: Any) -> Iterator[tuple[float, list[Any]]]:
    """Yield the probability and the weights of each pruned network."""
    laws = [law if isinstance(law, LayerMask) else LayerMask(alpha=law) for law in laws]
    layers = [list(every_layer(W, law)) for W, law in zip(net.weights, laws, strict=True)]
    for chosen in product(*layers):
        yield math.prod(chance for chance, _ in chosen), [W for _, W in chosen]


def paths(weights: list[Any]) -> Any:
    """Return the sums of absolute paths, (out, d)."""
    total = np.eye(weights[0].shape[1])
    for W in weights:
        total = np.abs(W) @ total
    return total


def slopes(weights: list[Any], pattern: Any) -> Any:
    """Return the Jacobian for a pattern of units, (out, d)."""
    total = np.eye(weights[0].shape[1])
    for W, on in zip(weights, [*pattern, True], strict=True):
        total = (W @ total) * np.reshape(on, (-1, 1))
    return total


def draw(seed: int, widths: Any = (2, 2, 2, 2)) -> ReluNetwork:
    rng = np.random.default_rng(seed)
    return ReluNetwork(
        weights=[rng.normal(size=(o, i)) for i, o in pairwise(widths)],
        biases=[rng.normal(size=o) for o in widths[1:]],
    )


@pytest.mark.parametrize("laws", LAWS)
def test_path_gram_is_the_mean_over_all_masks(laws: Any) -> None:
    net = draw(0)
    gram, norms_1, norms_2 = np.zeros((2, 2)), np.zeros(2), np.zeros(2)
    for chance, weights in every_masked(net, laws):
        P = paths(weights)
        gram += chance * P @ P.T
        norms_1 += chance * P.sum(axis=1)
        norms_2 += chance * np.linalg.norm(P, axis=1)
    assert path_gram(net, laws) == pytest.approx(gram, rel=EXACT, abs=EXACT)
    assert expected_path_norm(net, laws) == pytest.approx(norms_1, rel=EXACT, abs=EXACT)
    assert rms_path_norm(net, laws) == pytest.approx(np.sqrt(np.diag(gram)), rel=EXACT, abs=EXACT)
    kept = math.prod(1 - getattr(law, "alpha", law) for law in laws)
    ladder = [
        kept * path_constants(net),  # Jensen: below the mean
        norms_2,
        expected_norm_bound(net, laws),
        np.minimum(rms_path_norm(net, laws), norms_1),
        product_bound(net, laws),
    ]
    for below, above in pairwise(ladder):
        assert (below <= above * (1 + EXACT) + EXACT).all()


@pytest.mark.parametrize("seed", range(12))
def test_expected_norm_bound_lies_between_the_mean_and_the_root_mean_square(seed: int) -> None:
    rng = np.random.default_rng(seed)
    net = draw(seed, [(2, 3, 2), (3, 2, 1), (2, 2, 1, 2), (4, 2)][seed % 4])
    net = ReluNetwork(weights=[W * (rng.random(W.shape) < 0.8) for W in net.weights])
    for alpha in (0.1, 0.5, 0.9, 0.99):
        mean = sum(
            chance * np.linalg.norm(paths(weights), axis=1)
            for chance, weights in every_masked(net, [alpha] * net.depth)
        )
        bound = expected_norm_bound(net, alpha)
        assert (mean <= bound + EXACT).all()
        assert (bound <= rms_path_norm(net, alpha) + EXACT).all()
        assert (bound <= expected_path_norm(net, alpha) + EXACT).all()


def test_expected_norm_bound_of_rows_with_one_weight_is_exact() -> None:
    net = ReluNetwork(weights=[[[3.0, 0.0], [0.0, -2.0]], [[5.0, 0.0], [0.0, 0.0]]])
    # one path, or none
    assert expected_norm_bound(net, 0.9) == pytest.approx([0.1 * 0.1 * 15.0, 0.0], rel=EXACT)


@pytest.mark.parametrize("laws", LAWS)
@pytest.mark.parametrize("pattern", [[[True, True], [True, True]], [[True, False], [True, True]]])
def test_gradient_gram_is_the_mean_over_all_masks(laws: Any, pattern: Any) -> None:
    net = draw(1)
    gram = np.zeros((2, 2))
    for chance, weights in every_masked(net, laws):
        J = slopes(weights, pattern)
        gram += chance * J @ J.T
    assert gradient_gram(net, laws, pattern) == pytest.approx(gram, rel=EXACT, abs=EXACT)


@pytest.mark.parametrize("direction", [[1.0, 0.0], [1.0, -1.0], [0.3, 2.0]])
@pytest.mark.parametrize(
    ("widths", "laws"),
    [
        ((2, 2, 2, 2), [0.3, 0.6, 0.2]),
        ((2, 2, 2, 2), [0.0, 0.5, 0.9]),
        ((2, 3, 2), [0.7, 0.2]),
        ((4, 2), [0.6]),
        ((2, 1, 2, 1, 2), [0.3, 0.4, 0.5, 0.1]),
    ],
)
def test_squared_gradient_variance_is_that_over_all_masks(
    widths: Any, laws: Any, direction: Any
) -> None:
    net = draw(2, widths)
    pattern = [np.ones(n, dtype=bool) for n in net.widths]
    if net.widths == (2, 2):
        pattern[0][1] = False
    first = second = 0.0
    for chance, weights in every_masked(net, laws):
        square = float(((np.asarray(direction) @ slopes(weights, pattern)) ** 2).sum())
        first, second = first + chance * square, second + chance * square**2
    found = squared_gradient_variance(net, laws, pattern, direction)
    assert found == pytest.approx(second - first**2, rel=1e-11, abs=EXACT * second)


@pytest.mark.parametrize("laws", LAWS)
def test_margin_norm_bound_is_the_moment_of_the_sum_of_paths(laws: Any) -> None:
    net = draw(3)
    first = second = 0.0
    true = {1: 0.0, 2: 0.0}
    on = [np.ones(2, dtype=bool)] * 2
    for chance, weights in every_masked(net, laws):
        P = paths(weights).sum(axis=0)
        first, second = first + chance * P.sum(), second + chance * (P**2).sum()
        for q in true:
            true[q] += chance * np.linalg.norm(np.array([1.0, -1.0]) @ slopes(weights, on), ord=q)
    assert margin_norm_bound(net, laws, 0, norm=1) == pytest.approx([0.0, first], abs=EXACT)
    assert margin_norm_bound(net, laws, 0) == pytest.approx([0.0, np.sqrt(second)], abs=EXACT)
    assert all(true[q] <= margin_norm_bound(net, laws, 0, norm=q)[1] + EXACT for q in true)


@pytest.mark.parametrize("laws", [LAWS[0], LAWS[1], [*LAWS[2][:2], 0.3], [*LAWS[3][:2], 0.8]])
def test_difference_norm_bound_is_the_moment_of_the_difference(laws: Any) -> None:
    net = draw(4)
    first = second = 0.0
    for chance, weights in every_masked(net, laws):
        P = np.abs(weights[-1][1] - weights[-1][0]) @ paths(weights[:-1])
        first, second = first + chance * P.sum(), second + chance * (P**2).sum()
    assert difference_norm_bound(net, laws, 1, norm=1)[0] == pytest.approx(first, abs=EXACT)
    assert difference_norm_bound(net, laws, 1)[0] == pytest.approx(np.sqrt(second), abs=EXACT)
    for q in (1, 2):
        wider = margin_norm_bound(net, laws, 1, norm=q)
        assert (difference_norm_bound(net, laws, 1, norm=q) <= wider + EXACT).all()


@pytest.mark.parametrize("widths", [(2, 2, 2), (2, 1, 2, 1), (5, 1)])
def test_whole_norms_are_those_of_all_choices_of_weights(widths: Any) -> None:
    net = draw(5, widths)
    sizes = [W.size for W in net.weights]
    flat, cuts = np.concatenate([W.ravel() for W in net.weights]), np.cumsum(sizes)[:-1]
    for kept in range(flat.size + 1):
        found = []
        for chosen in combinations(range(flat.size), kept):
            masked = np.zeros_like(flat)
            masked[list(chosen)] = flat[list(chosen)]
            parts = zip(np.split(masked, cuts), net.weights, strict=True)
            found.append(paths([part.reshape(W.shape) for part, W in parts]))
        mean, square = np.mean(found, axis=0), np.mean(np.square(found), axis=0)
        first, second = whole_expected_path_norm(net, kept), whole_rms_path_norm(net, kept)
        assert first == pytest.approx(mean.sum(axis=1), rel=EXACT, abs=EXACT)
        assert second**2 == pytest.approx(square.sum(axis=1), rel=EXACT, abs=EXACT)
        alpha = 1 - kept / flat.size
        assert (first <= expected_path_norm(net, alpha) + EXACT).all()
        assert (second <= rms_path_norm(net, alpha) + EXACT).all()


def test_gram_equals_the_recursion_from_the_output() -> None:
    rng = np.random.default_rng(8)
    net = draw(8, (9, 8, 7, 6, 5))
    alphas = rng.uniform(0.1, 0.9, 4)
    for k in range(5):
        w, rho = np.abs(net.weights[-1][k]), 1 - alphas[-1]
        S = rho**2 * np.outer(w, w) + rho * (1 - rho) * np.diag(w**2)
        for W, alpha in zip(reversed(net.weights[:-1]), reversed(alphas[:-1]), strict=True):
            A, rho = np.abs(W), 1 - alpha
            S = rho**2 * A.T @ S @ A + rho * (1 - rho) * np.diag((A * A).T @ np.diag(S))
        assert path_gram(net, alphas)[k, k] == pytest.approx(np.trace(S), rel=EXACT)


def test_random_signs_fall_with_the_root_of_the_densities() -> None:
    rng = np.random.default_rng(10)
    sizes = [rng.random((2, 2)), rng.random((2, 2)), rng.random((1, 2))]
    on, alphas = [np.array([True, True]), np.array([True, False])], [0.3, 0.5, 0.8]
    grams = np.zeros(2)
    for signs in product((-1.0, 1.0), repeat=10):
        parts = np.split(np.array(signs), [4, 8])
        net = ReluNetwork(
            weights=[W * part.reshape(W.shape) for W, part in zip(sizes, parts, strict=True)]
        )
        grams += [gradient_gram(net, law, on).item() for law in (alphas, 0.0)]
    assert grams[0] == pytest.approx(0.7 * 0.5 * 0.2 * grams[1], rel=EXACT)
