"""Local, exact and sampled Lipschitz constants, by their definitions."""

import math
from itertools import pairwise, product
from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp

from theory.lipschitz import (
    exact_constant,
    gradient_norm,
    gradient_norm_bound,
    jacobian_bounds,
    lipsdp_neuron,
    local_network,
    preactivation_bounds,
    sampled_bound,
    spectral_product,
)
from theory.networks import ReluNetwork, forward, jacobian, preactivations
from theory.validation import UnsupportedSettingError

ROUNDING = 1e-9  # some hundred roundings of numbers near one, with room


def draw_net(rng: np.random.Generator, widths: tuple[int, ...]) -> ReluNetwork:
    weights: list[Any] = [rng.normal(size=(o, i)) for i, o in pairwise(widths)]
    if rng.random() < 0.5:
        weights[0] = sp.csr_array(weights[0] * (rng.random(weights[0].shape) < 0.7))
    relu = [rng.random(w) < 0.8 for w in widths[1:-1]]
    return ReluNetwork(weights=weights, biases=[rng.normal(size=w) for w in widths[1:]], relu=relu)


def draw_ball(rng: np.random.Generator, x: Any, eps: float, norm: float, n: int) -> Any:
    """Return points of the ball, half of them on its surface."""
    moves = rng.normal(size=(n, x.size))
    if norm == math.inf:
        moves = rng.choice([-1.0, 1.0], size=moves.shape)
    moves *= eps / np.linalg.norm(moves, ord=norm, axis=1, keepdims=True)
    moves[: n // 2] *= rng.random((n // 2, 1))
    return x + moves * (1 - 1e-12)  # inside in spite of rounding


@pytest.mark.parametrize("norm", [1, 2, math.inf])
@pytest.mark.parametrize("box", [None, (-0.2, 0.7)])
def test_local_bounds_hold_what_points_of_the_ball_do(norm: float, box: Any) -> None:
    rng = np.random.default_rng([int(min(norm, 9)), box is None])
    for _ in range(10):
        net = draw_net(rng, (4, 6, 5, 3))
        X = rng.uniform(-0.2, 0.7, size=(3, 4))
        bounds = preactivation_bounds(net, X, 0.3, norm=norm, box=box)
        C = rng.normal(size=(2, 3))
        slopes = jacobian_bounds(net, bounds, C, n=3)
        sizes = gradient_norm_bound(net, X, 0.3, directions=C, norm=norm, box=box)
        for i, x in enumerate(X):
            points = draw_ball(rng, x, 0.3, norm, 100)
            points = points if box is None else np.clip(points, *box)
            for (lo, hi), values in zip(bounds, preactivations(net, points), strict=False):
                assert (lo[i] <= values).all()
                assert (values <= hi[i]).all()
            found = C @ jacobian(net, points)
            assert (slopes.lo[i] <= found).all()
            assert (found <= slopes.hi[i]).all()
            moved = np.abs((forward(net, points) - forward(net, x[None])) @ C.T)
            far = np.linalg.norm(points - x, ord=norm, axis=1)[:, None]
            assert (moved <= sizes[i] * far + ROUNDING).all()


def test_first_layer_bounds_are_attained() -> None:
    """The nearest and furthest points of the ball are known for one affine row."""
    w = np.array([[3.0, -4.0]])
    net = ReluNetwork(weights=[w, [[1.0]]], biases=[[0.5], [0.0]])
    for norm, dual in ((1, 4.0), (2, 5.0), (math.inf, 7.0)):
        (interval,) = preactivation_bounds(net, [[1.0, 1.0]], 0.1, norm=norm)
        assert interval.lo[0, 0] == pytest.approx(-0.5 - 0.1 * dual, abs=ROUNDING)
        assert interval.hi[0, 0] == pytest.approx(-0.5 + 0.1 * dual, abs=ROUNDING)


@pytest.mark.parametrize("seed", range(4))
def test_local_network_is_the_network_within_the_ball(seed: int) -> None:
    rng = np.random.default_rng(seed)
    net = draw_net(rng, (4, 8, 6, 2))
    x = rng.normal(size=4)
    bounds = preactivation_bounds(net, x[None], 0.2)
    around = local_network(net, bounds)
    points = draw_ball(rng, x, 0.2, 2, 200)
    np.testing.assert_allclose(forward(around, points), forward(net, points), atol=ROUNDING)
    c = [1.0, -1.0]
    exact = exact_constant(net, c, centre=x, radius=0.2).value
    local = lipsdp_neuron(around, c).value
    # Gap and rounding margin of the semidefinite bound: 1e-6 is ample.
    assert exact <= local * (1 + 1e-6)
    assert local <= lipsdp_neuron(net, c).value * (1 + 1e-6)
    assert spectral_product(around, c).value <= spectral_product(net, c).value * (1 + ROUNDING)
    fast = gradient_norm_bound(net, x[None], 0.2, directions=c)[0, 0]
    assert exact <= fast
    given = gradient_norm_bound(net, x[None], 0.2, directions=c, bounds=bounds)[0, 0]
    assert given == fast


def test_exact_constant_in_one_dimension_is_the_steepest_difference() -> None:
    rng = np.random.default_rng(2)
    for _ in range(8):
        net = draw_net(rng, (1, 5, 4, 1))
        grid = np.linspace(-0.5, 1.5, 100_001)
        slopes = np.diff(forward(net, grid[:, None])[:, 0]) / np.diff(grid)
        exact = exact_constant(net, centre=[0.5], radius=1.0).value
        # A region narrower than two steps of 2e-5 would be missed: none of these draws has one.
        # Differences of numbers near ten, over a step of 2e-5, lose some 1e-10.
        assert exact == pytest.approx(np.abs(slopes).max(), rel=1e-8, abs=1e-8)


@pytest.mark.parametrize("norm", [2, math.inf])
def test_exact_constant_agrees_with_all_patterns_by_brute_force(norm: float) -> None:
    """Every pattern whose region has a point, found by solving for all of them."""
    rng = np.random.default_rng(4)
    for _ in range(3):
        net = draw_net(rng, (2, 4, 3, 2))
        x = rng.normal(size=2)
        exact = exact_constant(net, centre=x, radius=0.8, norm=norm)
        axis = np.linspace(-0.8, 0.8, 321)
        points = x + np.array(list(product(axis, axis)))
        points = points[np.linalg.norm(points - x, ord=norm, axis=1) < 0.8]
        found = gradient_norm(net, points, norm=norm).max()
        assert found <= exact.value * (1 + ROUNDING)
        # The grid meets every region wider than 0.005: the steepest one, in these draws.
        assert found == pytest.approx(exact.value, rel=ROUNDING)
        assert gradient_norm(net, exact.witness[None], norm=norm)[0] == pytest.approx(
            exact.value, rel=ROUNDING
        )
        boxed = exact_constant(net, centre=x, radius=0.8, norm=norm, box=(x - 0.1, x + 0.1)).value
        assert boxed <= exact.value * (1 + ROUNDING)


def test_exact_constant_is_zero_and_whole_where_nothing_switches() -> None:
    net = ReluNetwork(weights=[[[1.0, 0.0]], [[2.0]]])
    assert exact_constant(net, centre=[-2.0, 0.0], radius=1.0).value == 0.0
    assert exact_constant(net, centre=[2.0, 0.0], radius=1.0).value == 2.0
    # The kink is on the sphere, not inside it.
    assert exact_constant(net, centre=[-1.0, 0.0], radius=1.0).value == 0.0
    twins = ReluNetwork(weights=[[[1.0], [1.0]], [[1.0, -1.0]]])
    assert exact_constant(twins).value == 0.0


def test_exact_constant_refusals() -> None:
    rng = np.random.default_rng(0)
    net = ReluNetwork(weights=[rng.normal(size=(12, 6)), rng.normal(size=(1, 12))])
    with pytest.raises(ValueError, match="at most 100 linear regions"):
        exact_constant(net, most=100)
    with pytest.raises(ValueError, match="needs a centre"):
        exact_constant(net, radius=1.0)
    with pytest.raises(ValueError, match="radius must be positive"):
        exact_constant(net, centre=np.zeros(6), radius=0.0)
    with pytest.raises(ValueError, match="common point inside"):
        exact_constant(net, centre=np.zeros(6), radius=1.0, box=(2.0, 3.0))
    with pytest.raises(ValueError, match="norm must be 2 or inf"):
        exact_constant(net, norm=1)


@pytest.mark.parametrize("size", [2.0**550, 2.0**-550])  # whose squares are out of range
def test_exact_constant_scales_with_powers_of_two(size: float) -> None:
    net = draw_net(np.random.default_rng(4), (2, 4, 3))
    scaled = ReluNetwork(
        weights=[size * net.weights[0], net.weights[1]],
        biases=[size * net.biases[0], net.biases[1]],
        relu=net.relu,
    )
    expected = exact_constant(net).value
    assert exact_constant(scaled).value / size == pytest.approx(expected, rel=ROUNDING)


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ({"weights": [[[1e200]], [[1e200]]]}, "overflow; got inf"),
        ({"weights": [[[1e200], [1e200]], [[1e200, -1e200]]]}, "overflow; got inf"),
        ({"weights": [[[1e200], [-1e200]], [[1e200, 1e200]] * 2, [[1.0, -1.0]]]}, "overflow; got"),
        ({"weights": [[[1.0]], [[1e200]]], "biases": [[1e200], [0.0]]}, "overflow; got inf"),
        ({"weights": [[[1e-200]], [[1.0]]], "biases": [[1e200], [0.0]]}, "overflow; got inf"),
        ({"weights": [[[1e-200]], [[1e-200]], [[1e300]]]}, "underflow; one is below 2.2"),
    ],
)
def test_exact_constant_refuses_what_is_out_of_range(parts: dict[str, Any], message: str) -> None:
    for norm in (2, math.inf):
        with pytest.raises(UnsupportedSettingError, match=message):
            exact_constant(ReluNetwork(**parts), norm=norm)


def test_exact_constant_refuses_directions_that_make_it_overflow() -> None:
    net = ReluNetwork(weights=[np.eye(2), np.full((2, 2), 1e200)])
    largest = exact_constant(net, np.full((2, 2), 1e107)).value
    assert largest == pytest.approx(4e307, rel=ROUNDING)
    with pytest.raises(UnsupportedSettingError, match="overflow; got inf"):
        exact_constant(net, [1e200, 0.0])


def test_gradient_norm_doubts_kinks() -> None:
    """At zero the one-sided slopes of 5x - 5 relu(x) + 5 relu(-x) = 0 seem to be 5."""
    net = ReluNetwork(
        weights=[[[1.0], [1.0], [-1.0]], [[5.0, -5.0, 5.0]]],
        relu=[np.array([False, True, True])],
    )
    assert gradient_norm(net, [[0.0], [1.0], [-1.0]]).tolist() == [0.0, 0.0, 0.0]


def test_sampled_bound_is_deterministic_and_witnessed() -> None:
    net = draw_net(np.random.default_rng(3), (3, 6, 4, 2))
    X = np.random.default_rng(4).normal(size=(5, 3))
    first = sampled_bound(net, X, np.random.default_rng(5))
    again = sampled_bound(net, X, np.random.default_rng(5))
    assert first.value == again.value
    assert first.value == gradient_norm(net, first.witness[None])[0]
    assert first.value >= sampled_bound(net, X, np.random.default_rng(5), rounds=0).value
    with pytest.raises(ValueError, match="rounds must be at least 0"):
        sampled_bound(net, X, np.random.default_rng(5), rounds=-1)


def test_local_bounds_refuse_what_does_not_fit() -> None:
    net = ReluNetwork(weights=[np.eye(2), np.ones((1, 2))])
    with pytest.raises(ValueError, match="bounds must be one pair"):
        local_network(net, [])
    with pytest.raises(ValueError, match="lo <= hi"):
        local_network(net, [([1.0, 1.0], [0.0, 2.0])])
    with pytest.raises(ValueError, match=r"shape \(1, 2\)"):
        local_network(net, [([1.0], [2.0])])
    with pytest.raises(ValueError, match="norm must be 1, 2 or inf"):
        preactivation_bounds(net, [[0.0, 0.0]], 1.0, norm=0)
    with pytest.raises(ValueError, match="lie in the box"):
        preactivation_bounds(net, [[0.0, 2.0]], 1.0, box=(0.0, 1.0))
