"""Mixtures follow their law, and inputs their mixture."""

import numpy as np
import pytest

from empirical.risk_study import (
    Noise,
    draw_inputs,
    draw_mixture,
    normal_noise,
    pixel_noise,
    sign_noise,
)
from theory.asymptotics import CoordinateLaw, gaussian_law, spiked_law

LAW = CoordinateLaw(
    weights=[0.5, 0.3, 0.2], means=[0, 1, -2], deviations=[0, 0, 0.5], scales=[1, 2, 0.5]
)
NOISES = [normal_noise, sign_noise, pixel_noise()]


def test_mixture_has_the_shares_of_its_law() -> None:
    mixture = draw_mixture(LAW, 1000, rng=np.random.default_rng(0))
    assert [int((mixture.scales == scale).sum()) for scale in (1, 2, 0.5)] == [500, 300, 200]
    m = mixture.mu * np.sqrt(1000)
    assert set(m[mixture.scales == 1].tolist()) == {0.0}
    assert m[mixture.scales == 2] == pytest.approx(1)
    assert m[mixture.scales == 0.5].mean() == pytest.approx(-2)
    assert m[mixture.scales == 0.5].std() == pytest.approx(0.5)
    assert np.linalg.norm(mixture.mu) == pytest.approx(LAW.signal)


@pytest.mark.parametrize("d", [1, 2, 3, 7, 33])
@pytest.mark.parametrize("density", [0.05, 0.3, 1.0])
def test_shares_of_few_features_are_whole_and_nearest(d: int, density: float) -> None:
    mixture = draw_mixture(spiked_law(1.0, density=density), d, rng=np.random.default_rng(0))
    assert mixture.mu.shape == mixture.scales.shape == (d,)
    assert abs(np.count_nonzero(mixture.mu) - density * d) <= 0.5 + 1e-9


def test_signal_of_a_gaussian_law_does_not_stray() -> None:
    rng = np.random.default_rng(0)
    drawn = [draw_mixture(gaussian_law(2.0), 50, rng=rng).mu for _ in range(20)]
    assert [np.linalg.norm(mu) for mu in drawn] == pytest.approx([2.0] * 20)
    assert np.unique(drawn).size == 1000  # and yet every one is another


def test_a_component_of_one_feature_varies() -> None:
    law = CoordinateLaw(weights=[0.5, 0.5], means=[0, 3], deviations=[0, 1])
    rng = np.random.default_rng(0)
    top = np.array([np.abs(draw_mixture(law, 2, rng=rng).mu).max() for _ in range(2000)])
    found = top * np.sqrt(2)
    assert found.mean() == pytest.approx(3, abs=0.12)  # five standard errors
    assert found.std() == pytest.approx(1, abs=0.08)


@pytest.mark.parametrize("noise", NOISES)
def test_noise_has_mean_zero_variance_one_and_no_correlation(noise: Noise) -> None:
    drawn = noise(np.random.default_rng(0), 40_000, 6)
    # Five standard errors; of a variance where the kurtosis of a pixel is 20 at most.
    assert np.abs(drawn.mean(axis=0)).max() < 5 / 200
    assert np.abs(drawn.var(axis=0) - 1).max() < 5 * np.sqrt(20) / 200
    assert np.abs(np.corrcoef(drawn.T) - np.eye(6)).max() < 5 / 200


def test_noises_are_of_other_laws() -> None:
    rng = np.random.default_rng(0)
    assert set(np.unique(sign_noise(rng, 50, 3)).tolist()) == {-1.0, 1.0}
    skewness = (pixel_noise()(rng, 20_000, 40) ** 3).mean(axis=0)
    assert np.abs(skewness).max() > 1
    assert np.abs((normal_noise(rng, 20_000, 40) ** 3).mean(axis=0)).max() < 0.15


def test_rare_pixels_weigh_most() -> None:
    rng = np.random.default_rng(0)
    tails = [np.abs(pixel_noise(rarest)(rng, 20_000, 64)).max() for rarest in (0.3, 0.05, 0.0)]
    assert tails[0] < tails[1] < tails[2]
    with pytest.raises(ValueError, match="rarest must be below"):
        pixel_noise(1.0)


@pytest.mark.parametrize("noise", NOISES)
def test_inputs_have_the_means_and_deviations_of_their_mixture(noise: Noise) -> None:
    rng = np.random.default_rng(0)
    mixture = draw_mixture(LAW, 10, noise=noise, rng=rng)
    X, y = draw_inputs(mixture, 40_000, rng=rng)
    assert set(np.unique(y).tolist()) == {-1.0, 1.0}
    assert abs(y.mean()) < 5 / 200
    for label in (-1, 1):
        own = X[y == label]
        errors = mixture.scales / np.sqrt(len(own))
        assert (np.abs(own.mean(axis=0) - label * mixture.mu) < 5 * errors).all()
        assert own.std(axis=0) == pytest.approx(mixture.scales, rel=0.08)


def test_sizes_below_one_are_refused() -> None:
    rng = np.random.default_rng(0)
    with pytest.raises(ValueError, match="d must be at least 1"):
        draw_mixture(LAW, 0, rng=rng)
    with pytest.raises(ValueError, match="n must be at least 1"):
        draw_inputs(draw_mixture(LAW, 5, rng=rng), 0, rng=rng)
