"""The ratio law and its moments, by enumeration, quadrature, draws, limits and refusals."""

from itertools import product
from typing import Any

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.special import ndtr

from theory.initialised import (
    RandomNetwork,
    dead_probability,
    expected_squares,
    ratio_cdf,
    ratio_quantiles,
    relative_variations,
    shifted_ratio_cdf,
)
from theory.networks import ReluNetwork
from theory.random_masks import disconnection_probability
from theory.validation import UnsupportedSettingError

ROUNDING = 1e-12  # of sums of some thousand terms


def passed(weights: list[Any], x: Any) -> tuple[float, Any]:
    """Return g and its gradient by definition."""
    h, J = x, np.eye(x.size)
    for W in weights[:-1]:
        z = W @ h
        h, J = np.maximum(z, 0), (z > 0)[:, None] * (W @ J)
    return float((weights[-1] @ h)[0]), (weights[-1] @ J)[0]


def enumerated(widths: tuple[int, ...], rho: float, x: Any, values: dict[float, float]) -> Any:
    """Return E g², E ‖∇g‖², E g⁴, E ‖∇g‖⁴ and P(g = 0) over all weights of a law, and masks."""
    shapes = list(zip((*widths[1:], 1), widths, strict=True))
    sizes = [o * i for o, i in shapes]
    law = {v: rho * p for v, p in values.items()}
    law[0.0] = law.get(0.0, 0.0) + 1 - rho
    total = np.zeros(5)
    for drawn in product(law, repeat=sum(sizes)):
        parts = np.split(np.array(drawn), np.cumsum(sizes)[:-1])
        weights = [part.reshape(shape) for part, shape in zip(parts, shapes, strict=True)]
        g, slope = passed(weights, x)
        square = slope @ slope
        chance = np.prod([law[v] for v in drawn])
        total += chance * np.array([g**2, square, g**4, square**2, float(square == 0)])
    return total


# Symmetric, and incommensurable with the inputs below: no preactivation is zero by cancellation.
SYMMETRIC = {-1.0: 0.3, 1.0: 0.3, -1.7: 0.2, 1.7: 0.2}
SIGNS = {-1.0: 0.5, 1.0: 0.5}
X = np.array([1.0, np.sqrt(7)])


def moments_of(values: dict[float, float]) -> tuple[float, float]:
    second, fourth = (sum(p * v**k for v, p in values.items()) for k in (2, 4))
    return float(np.sqrt(second)), fourth / second**2


@pytest.mark.parametrize(
    ("widths", "rho", "values"),
    [((2, 1), 0.3, SYMMETRIC), ((2, 2), 0.6, SIGNS), ((2,), 0.5, SYMMETRIC)],
)
def test_moments_are_those_of_all_weights_and_masks(
    widths: tuple[int, ...], rho: float, values: dict[float, float]
) -> None:
    deviation, kurtosis = moments_of(values)
    net = RandomNetwork(widths=widths, densities=rho, deviations=deviation, kurtoses=kurtosis)
    g2, s2, g4, s4, dead = enumerated(widths, rho, X, values)
    assert expected_squares(net, X) == pytest.approx((g2, s2), rel=ROUNDING)
    assert relative_variations(net, X) == pytest.approx((g4 / g2**2 - 1, s4 / s2**2 - 1), rel=1e-11)
    if widths[1:] != (2,):  # atoms: two units that are the same may cancel
        assert dead_probability(net, X) == pytest.approx(dead, rel=1e-11)


def test_inputs_that_are_zero_count_where_their_unit_is_on() -> None:
    deviation, kurtosis = moments_of(SYMMETRIC)
    net = RandomNetwork(widths=(3, 1), densities=0.4, deviations=deviation, kurtoses=kurtosis)
    x = np.array([0.0, 2.0, 0.0])
    g2, s2, *_, dead = enumerated((3, 1), 0.4, x, SYMMETRIC)
    assert expected_squares(net, x) == pytest.approx((g2, s2), rel=ROUNDING)
    assert dead_probability(net, x) == pytest.approx(dead, rel=1e-11)
    with pytest.raises(UnsupportedSettingError, match="zeros"):
        relative_variations(net, x)


def test_laws_of_mean_zero_that_are_skewed_or_have_atoms_have_other_ratios() -> None:
    ones = np.ones(2)
    skewed = enumerated((2, 1), 1.0, ones, {2.0: 1 / 3, -1.0: 2 / 3})
    assert skewed[0] / skewed[1] == pytest.approx(5 / 7, rel=ROUNDING)
    signs = enumerated((2, 1), 1.0, ones, {1.0: 0.5, -1.0: 0.5})
    assert signs[0] / signs[1] == pytest.approx(2, rel=ROUNDING)


@pytest.mark.parametrize("seed", range(5))
def test_the_ratio_of_mean_squares_has_no_density_in_it(seed: int) -> None:
    rng = np.random.default_rng(seed)
    widths = rng.integers(1, 500, int(rng.integers(1, 6)))
    x = rng.normal(size=widths[0])
    for difference in (False, True):
        net = RandomNetwork(
            widths=widths,
            densities=rng.uniform(0.01, 1, widths.size),
            deviations=rng.uniform(0.1, 9, widths.size),
            difference=difference,
        )
        output, gradient = expected_squares(net, x)
        assert output / gradient == pytest.approx(x @ x / widths[0], rel=ROUNDING)


def test_moments_of_differences_agree_with_draws() -> None:
    rng, n = np.random.default_rng(0), 6000
    net = RandomNetwork(widths=(3, 6), densities=(0.8, 0.5), difference=True)
    x = rng.normal(size=3)
    found = np.empty((n, 2))
    for i in range(n):
        W, V = (rng.normal(size=s) * (rng.random(s) < r) for s, r in (((6, 3), 0.8), ((2, 6), 0.5)))
        g, slope = passed([W, V[:1] - V[1:]], x)
        found[i] = g**2, slope @ slope
    # Five standard errors: a false alarm in a million.
    for i, (mean, part) in enumerate(
        zip(expected_squares(net, x), relative_variations(net, x), strict=True)
    ):
        assert found[:, i].mean() == pytest.approx(mean, abs=5 * mean * np.sqrt(part / n))
        squares = (found[:, i] - mean) ** 2
        assert squares.mean() == pytest.approx(part * mean**2, abs=5 * squares.std() / np.sqrt(n))
    dead = (found[:, 1] == 0).mean()
    assert dead_probability(net, x) == pytest.approx(dead, abs=5 * np.sqrt(dead / n) + 1e-3)


def test_gradients_vary_as_the_fan_in_kept() -> None:
    x = np.ones(1000)
    for rho in (1.0, 0.1, 0.01):
        net = RandomNetwork(widths=(1000, 1000), densities=rho)
        found = relative_variations(net, x).gradient
        assert 0 < found < 30 / net.least_fan_in
        assert dead_probability(net, x) < np.exp(-net.least_fan_in / 2) + 1e-13


def test_dead_networks_are_dense_ones_or_without_path_in_the_limits() -> None:
    x = np.array([1.0, -2.0, 3.0])
    dense = RandomNetwork(widths=(3, 4))
    assert dead_probability(dense, x) == pytest.approx(2.0**-4, rel=1e-12)  # all units off
    assert dead_probability(RandomNetwork(widths=(3,)), x) == 0
    for widths, rho in (((3, 5), 0.3), ((3, 4, 4), 0.6)):
        shapes = zip((*widths[1:], 1), widths, strict=True)
        full = ReluNetwork(weights=[np.ones(shape) for shape in shapes])
        cut = disconnection_probability(full, 1 - rho).item()
        assert cut < dead_probability(RandomNetwork(widths=widths, densities=rho), x)


@pytest.mark.parametrize("d", [2, 3, 5, 50])
def test_the_limit_law_is_that_of_the_sphere(d: int) -> None:
    size = 2.5

    def density(u: float) -> float:
        return (1 - u**2) ** ((d - 3) / 2)

    for p in (0.1, 0.5, 0.9):
        t = ratio_quantiles(p, dimension=d, input_norm=size).item()
        if d > 2:  # quadrature at d = 2 meets a pole: the arc instead
            share = quad(density, 0, t / size)[0] / quad(density, 0, 1)[0]
        else:
            share = np.arcsin(t / size) / (np.pi / 2)
        assert share == pytest.approx(p, rel=1e-7)  # of the quadrature
        found = ratio_cdf(t, dimension=d, input_norm=size)
        assert found == pytest.approx(p, rel=1e-9)
    assert ratio_cdf([-1.0, 0.0, size, 9.0], dimension=d, input_norm=size).tolist() == [0, 0, 1, 1]


def test_the_limit_law_becomes_normal_with_many_inputs() -> None:
    t = np.linspace(0, 5, 100)
    for d in (100, 10_000):
        off = ratio_cdf(t, dimension=d, input_norm=np.sqrt(d)) - (2 * ndtr(t) - 1)
        assert np.abs(off).max() < 0.3 / d


def test_the_law_with_a_mean_is_the_other_without_and_depends_on_the_density() -> None:
    t, d = np.linspace(0, 4, 50), 10**6
    setting: Any = {"dimension": d, "input_norm": np.sqrt(d)}
    for rho in (1.0, 0.3):
        same = shifted_ratio_cdf(t, shift=0.0, density=rho, alignment=0.4, **setting)
        assert same == pytest.approx(ratio_cdf(t, **setting), abs=1e-6)
    dense, sparse = (shifted_ratio_cdf(t, shift=2.0, density=r, **setting) for r in (1.0, 0.1))
    assert np.abs(dense - sparse).max() > 0.4
    # m √ρ is all that counts.
    again = shifted_ratio_cdf(t, shift=2.0 * np.sqrt(0.1), density=1.0, **setting)
    assert again == pytest.approx(sparse, rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("alignment", [1.0, 0.0, -0.7])
def test_the_law_with_a_mean_follows_from_its_normal_preactivations(alignment: float) -> None:
    rng = np.random.default_rng(0)
    m, rho, n = 1.5, 0.6, 400_000
    Z = rng.normal(m * np.sqrt(rho) * alignment, 1, n)
    relu = np.maximum(Z, 0)
    center = m * np.sqrt(rho) * relu.mean() / np.sqrt((relu**2).mean())
    scale = np.sqrt((relu**2).mean() / (Z > 0).mean())
    drawn = scale * np.abs(center + rng.normal(size=n))
    for t in (0.3, 1.0, 2.0):
        found = shifted_ratio_cdf(
            t, dimension=9, input_norm=3.0, shift=m, density=rho, alignment=alignment
        ).item()
        assert found == pytest.approx((drawn <= t).mean(), abs=5e-3)  # six standard errors


@pytest.mark.parametrize(
    ("named", "message"),
    [
        ({"widths": (3, 0)}, "positive integers"),
        ({"widths": (2.5,)}, "positive integers"),
        ({"widths": 3}, "positive integers"),
        ({"widths": (3, 4), "densities": (1.0,)}, "one a layer, 2"),
        ({"widths": (3,), "densities": 0.0}, "densities must be positive"),
        ({"widths": (3,), "densities": 1.5}, "at most 1; got 1.5"),
        ({"widths": (3,), "deviations": -1.0}, "deviations must be positive; got -1.0"),
        ({"widths": (3,), "kurtoses": 0.5}, "at least 1; got 0.5"),
    ],
)
def test_random_networks_refuse_by_value(named: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        RandomNetwork(**named)


def test_laws_and_moments_refuse_by_value() -> None:
    net = RandomNetwork(widths=(2, 3))
    for x in ([1.0], [0.0, 0.0], [[1.0, 2.0]], [1.0, np.nan]):
        with pytest.raises(ValueError, match=r"x must|X must"):
            expected_squares(net, x)
    with pytest.raises(ValueError, match="p must lie"):
        ratio_quantiles(1.5, dimension=3)
    with pytest.raises(ValueError, match="at least 2; got 1"):
        ratio_cdf(0.5, dimension=1)
    with pytest.raises(TypeError, match="integer"):
        ratio_cdf(0.5, dimension=2.5)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="input_norm must be positive; got 0"):
        ratio_cdf(0.5, dimension=3, input_norm=0.0)
    for wrong in ({"density": 0.0}, {"density": 1.0, "alignment": 2.0}):
        with pytest.raises(ValueError, match="must lie in"):
            shifted_ratio_cdf(0.5, dimension=3, shift=1.0, **wrong)
