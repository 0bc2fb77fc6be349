"""Margins and gradients of given networks, pruned: by all masks, by draws, and their trend."""

from itertools import product
from typing import Any

import numpy as np
import pytest
from scipy.integrate import quad

from theory.initialised import MarginSlope, fixed_pattern_margin_slope, gaussian_margin_slope
from theory.initialised.pruned import _rectified
from theory.networks import ReluNetwork, activation_pattern, forward, jacobian
from theory.random_masks import LayerMask
from theory.validation import UnsupportedSettingError

ROUNDING = 1e-11  # of sums over some thousand masks


def draw(rng: Any, widths: tuple[int, ...], *, biases: bool = True, relu: bool = True) -> Any:
    shapes = list(zip(widths[1:], widths, strict=False))
    return ReluNetwork(
        weights=[rng.normal(size=shape) / np.sqrt(shape[1]) for shape in shapes],
        biases=[rng.normal(size=o) * biases for o, _ in shapes],
        relu=None if relu else [np.zeros(n, dtype=bool) for n in widths[1:-1]],
    )


def over_masks(net: ReluNetwork, alphas: Any, x: Any, c: Any, pattern: Any = None) -> Any:
    """Return E c·g and √E ‖∇ c·g‖² over all masks, with a given pattern or the pruned network's."""
    sizes = [W.size for W in net.weights]
    margin = square = 0.0
    for kept in product((0.0, 1.0), repeat=sum(sizes)):
        parts = np.split(np.array(kept), np.cumsum(sizes)[:-1])
        masks = [part.reshape(W.shape) for part, W in zip(parts, net.weights, strict=True)]
        chance = np.prod(
            [np.where(m == 1, 1 - a, a).prod() for m, a in zip(masks, alphas, strict=True)]
        )
        pruned = ReluNetwork(
            weights=[W * m for W, m in zip(net.weights, masks, strict=True)],
            biases=net.biases, relu=net.relu,
        )  # fmt: skip
        if pattern is None:
            g, J = forward(pruned, x[None])[0], jacobian(pruned, x[None])[0]
        else:
            g, J = x, np.eye(x.size)
            for j, (W, b) in enumerate(zip(pruned.weights, pruned.biases, strict=True)):
                if j:
                    g, J = g * pattern[j - 1], pattern[j - 1][:, None] * J
                g, J = W @ g + b, W @ J
        margin += chance * (c @ g)
        square += chance * ((c @ J) ** 2).sum()
    return margin, np.sqrt(square)


@pytest.mark.parametrize("seed", range(3))
def test_units_held_fixed_have_the_moments_of_all_masks(seed: int) -> None:
    rng = np.random.default_rng(seed)
    net, x, c = draw(rng, (2, 2, 2)), rng.normal(size=2), rng.normal(size=2)
    alphas = rng.uniform(0.1, 0.9, 2)
    pattern = [on[0] for on in activation_pattern(net, x[None])]
    margin, slope = over_masks(net, alphas, x, c, pattern)
    found = fixed_pattern_margin_slope(net, alphas, x[None], c[None])
    assert found.margin.item() == pytest.approx(margin, rel=ROUNDING)
    assert found.slope.item() == pytest.approx(slope, rel=ROUNDING)


@pytest.mark.parametrize("seed", range(3))
def test_both_predictions_are_exact_without_units_that_turn(seed: int) -> None:
    rng = np.random.default_rng(seed)
    net, x, c = draw(rng, (2, 2, 1, 1), relu=False), rng.normal(size=2), np.ones(1)
    alphas = rng.uniform(0.1, 0.9, 3)
    margin, slope = over_masks(net, alphas, x, c)
    for predict in (fixed_pattern_margin_slope, gaussian_margin_slope):
        found = predict(net, alphas, x[None], c[None])
        assert found.margin.item() == pytest.approx(margin, rel=ROUNDING)
        assert found.slope.item() == pytest.approx(slope, rel=ROUNDING)


@pytest.mark.parametrize("predict", [fixed_pattern_margin_slope, gaussian_margin_slope])
def test_predictions_are_the_network_itself_with_nothing_pruned(predict: Any) -> None:
    rng = np.random.default_rng(0)
    net = draw(rng, (5, 7, 6, 3))
    X, forms = rng.normal(size=(4, 5)), rng.normal(size=(4, 3))
    found = predict(net, 0.0, X, forms)
    np.testing.assert_allclose(found.margin, (forward(net, X) * forms).sum(axis=1), rtol=ROUNDING)
    slopes = np.linalg.norm(np.einsum("no,nod->nd", forms, jacobian(net, X)), axis=1)
    np.testing.assert_allclose(found.slope, slopes, rtol=1e-7)  # the root of a difference
    none = predict(net, 1.0, X, forms)
    np.testing.assert_allclose(none.margin, forms @ net.biases[-1], rtol=ROUNDING)
    assert (none.slope == 0).all()
    assert np.isnan(none.ratio).all()


@pytest.mark.parametrize("seed", range(20))
def test_the_ratio_falls_with_each_density_while_units_stay(seed: int) -> None:
    rng = np.random.default_rng(seed)
    net = draw(rng, (4, 6, 5, 3), biases=False)
    X, forms = rng.normal(size=(3, 4)), rng.normal(size=(3, 3))
    alphas = rng.uniform(0, 0.8, 3)
    before = np.abs(fixed_pattern_margin_slope(net, alphas, X, forms).ratio)
    for j in range(3):
        more = alphas.copy()
        more[j] += rng.uniform(0, 1 - more[j])
        after = np.abs(fixed_pattern_margin_slope(net, more, X, forms).ratio)
        alive = ~np.isnan(before)
        assert (after[alive] <= before[alive] * (1 + ROUNDING)).all()


def test_biases_let_the_ratio_rise_without_bound() -> None:
    net = ReluNetwork(weights=[[[1.0]]], biases=[[1.0]])
    for rho in (1.0, 0.25, 0.01):
        found = fixed_pattern_margin_slope(net, 1 - rho, [[1.0]], [[1.0]])
        assert found.ratio.item() == pytest.approx((rho + 1) / np.sqrt(rho), rel=ROUNDING)


@pytest.mark.parametrize(("mean", "variance"), [(0.0, 1.0), (1.3, 0.49), (-2.0, 4.0)])
def test_rectified_normals_have_their_moments(mean: float, variance: float) -> None:
    def part(power: int) -> float:
        def integrand(z: float) -> float:
            return z**power * np.exp(-((z - mean) ** 2) / (2 * variance))

        return float(quad(integrand, 0, mean + 12 * np.sqrt(variance))[0])

    first, second, on = (part(k) / np.sqrt(2 * np.pi * variance) for k in (1, 2, 0))
    found = _rectified(np.array([[mean]]), np.array([[variance]]), np.array([True]))
    expected = (first, second - first**2, on)
    assert [v.item() for v in found] == pytest.approx(expected, rel=1e-7)  # of the quadrature


def test_units_that_turn_are_predicted_for_wide_layers() -> None:
    rng = np.random.default_rng(0)
    net = draw(rng, (60, 80, 80, 2))
    x, c, alphas = rng.normal(size=60), np.array([1.0, -1.0]), (0.6, 0.6, 0.0)
    margins, squares = [], []
    for _ in range(800):
        weights = [W * (rng.random(W.shape) >= a) for W, a in zip(net.weights, alphas, strict=True)]
        pruned = ReluNetwork(weights=weights, biases=net.biases)
        margins.append(c @ forward(pruned, x[None])[0])
        squares.append(((c @ jacobian(pruned, x[None])[0]) ** 2).sum())
    found = gaussian_margin_slope(net, alphas, x[None], c[None])
    # Five standard errors, and 2 % for what units have in common.
    assert found.margin.item() == pytest.approx(
        np.mean(margins), abs=5 * np.std(margins) / np.sqrt(800) + 0.02
    )
    assert found.slope.item() ** 2 == pytest.approx(
        np.mean(squares), abs=5 * np.std(squares) / np.sqrt(800) + 0.04 * np.mean(squares)
    )


def test_ratios_are_margins_by_slopes() -> None:
    some = MarginSlope(np.array([3.0, -1.0, 2.0]), np.array([2.0, 4.0, 0.0]))
    assert some.ratio[:2].tolist() == [1.5, -0.25]
    assert np.isnan(some.ratio[2])


@pytest.mark.parametrize("predict", [fixed_pattern_margin_slope, gaussian_margin_slope])
def test_predictions_refuse_what_does_not_fit(predict: Any) -> None:
    net = ReluNetwork(weights=[[[1.0, 2.0]], [[1.0]]])
    with pytest.raises(ValueError, match=r"forms must have shape \(n, out\), \(1, 1\)"):
        predict(net, 0.5, [[1.0, 1.0]], [[1.0, 1.0]])
    with pytest.raises(ValueError, match="X must"):
        predict(net, 0.5, [[1.0]], [[1.0]])
    with pytest.raises(TypeError, match="ReluNetwork"):
        predict("net", 0.5, [[1.0]], [[1.0]])
    with pytest.raises(UnsupportedSettingError, match="pruned by itself"):
        predict(net, LayerMask(alpha=0.5, unit="row"), [[1.0, 1.0]], [[1.0]])
