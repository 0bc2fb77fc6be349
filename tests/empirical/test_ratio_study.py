"""Ratios of networks drawn and pruned: measured by definition, and what they obey and do not.

The laws here are compared with each other, sample by sample: no prediction is used. Limits are at
95 %, for any law, so that a test fails by chance far more rarely than it seems.
"""

from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from empirical.ratio_study import (
    RandomWeights,
    drawn,
    drawn_flips,
    drawn_ratios,
    drawn_squares,
    gap_between,
    gap_from,
    masked_margins,
    nearest_forms,
    normal_entries,
    ratios,
    reduced_ratios,
    sign_entries,
    skewed_entries,
    trained_digits,
)
from empirical.ratio_study.masks import kept
from theory.networks import ReluNetwork, class_scores, forward, jacobian

ROUNDING = 1e-5  # of float32
MARGIN = 0.05  # the distance of laws that counts as none


def random_network(rng: np.random.Generator, *widths: int) -> ReluNetwork:
    weights = [rng.normal(size=(o, i)) for i, o in pairwise(widths)]
    return ReluNetwork(weights=weights, biases=[rng.normal(size=o) for o in widths[1:]])


@pytest.mark.parametrize("density", [0.0, 1e-6, 0.1, 0.25, 0.7, 1 - 1e-6, 1.0])
def test_masks_keep_each_weight_with_its_density_and_independently(density: float) -> None:
    found = kept(np.random.default_rng(0), 200_003, density)
    assert found.shape == (200_003,)
    assert found.mean() == pytest.approx(density, abs=0.0056)  # five standard errors
    both = (found[1:] & found[:-1]).mean()
    assert both == pytest.approx(density**2, abs=0.0056)


def unit_input(rng: np.random.Generator, d: int) -> Any:
    """Return an input whose entries are one in the mean square."""
    x = rng.normal(size=d)
    return x * np.sqrt(d) / np.linalg.norm(x)


@pytest.mark.parametrize("entries", [normal_entries, sign_entries, skewed_entries])
def test_entries_have_mean_zero_and_variance_one(entries: Any) -> None:
    found = entries(np.random.default_rng(0), 100_001).astype(float)
    assert found.shape == (100_001,)
    # Five standard errors of a mean, and of a variance whose kurtosis is 9 at most.
    assert found.mean() == pytest.approx(0, abs=0.016)
    assert found.var() == pytest.approx(1, abs=0.05)


@pytest.mark.parametrize("density", [1.0, 0.6, 0.1])
def test_weights_are_kept_with_their_density_and_shifted(density: float) -> None:
    law = RandomWeights((50, 400), density=density, entries=sign_entries, shift=np.sqrt(50) * 3)
    W = drawn.masked_rows(law, np.random.default_rng(0), 400, 50)
    assert (W != 0).mean() == pytest.approx(density, abs=0.02)  # five standard errors
    assert set(np.unique(np.round(W, 4)).tolist()) <= {0.0, 2.0, 4.0}
    assert W.dtype == np.float32


@pytest.mark.parametrize("outputs", [1, 2])
@pytest.mark.parametrize("density", [1.0, 0.5, 0.2])
def test_leaving_out_units_that_are_not_seen_changes_nothing(outputs: int, density: float) -> None:
    rng = np.random.default_rng(0)
    law = RandomWeights((5, 9, 7), density=density, outputs=outputs)
    x = rng.normal(size=5)
    for seed in range(20):
        weights, row = drawn._drawn(law, np.random.default_rng(seed))
        square, slope = drawn_squares(law, x, count=1, rng=np.random.default_rng(seed))[0]
        if not row.size or not all(W.size for W in weights):
            assert square == slope == 0
            continue
        net = ReluNetwork(weights=[*weights, row[None]])
        assert square == pytest.approx(forward(net, x[None]).item() ** 2, rel=1e-3, abs=1e-9)
        assert slope == pytest.approx((jacobian(net, x[None]) ** 2).sum(), rel=ROUNDING)


def test_ratios_are_roots_of_squares_and_dead_networks_have_zero() -> None:
    law = RandomWeights((30, 8), density=0.2)
    found = drawn_ratios(law, np.ones(30), count=300, rng=np.random.default_rng(0))
    squares = drawn_squares(law, np.ones(30), count=300, rng=np.random.default_rng(0))
    dead = squares[:, 1] == 0
    assert 0.1 < dead.mean() < 0.9
    assert (found[dead] == 0).all()
    np.testing.assert_allclose(
        found[~dead] ** 2, squares[~dead, 0] / squares[~dead, 1], rtol=ROUNDING
    )
    assert (found <= np.sqrt(30) * (1 + ROUNDING)).all()  # g = ∇g·x


def test_a_network_without_hidden_layers_flips_beyond_its_ratio() -> None:
    law, x = RandomWeights((10,)), np.ones(10)
    for steps, flipped in ((0.9, False), (1.1, True)):
        found = drawn_flips(law, x, steps=steps, count=20, rng=np.random.default_rng(0))
        assert (found == flipped).all()
    none = RandomWeights((1,), density=1e-6)
    assert not drawn_flips(none, np.ones(1), steps=2.0, count=3, rng=np.random.default_rng(0)).any()


def test_margins_and_slopes_are_those_of_the_pruned_network() -> None:
    rng = np.random.default_rng(0)
    net = random_network(rng, 4, 6, 5, 3)
    linear = ReluNetwork(
        weights=net.weights, biases=net.biases, relu=[np.zeros(6, bool), np.ones(5, bool)]
    )
    X, forms = rng.normal(size=(7, 4)), rng.normal(size=(7, 3))
    for some in (net, linear):
        dense = masked_margins(some, X, forms, densities=[1, 1, 1], count=2, rng=rng)
        np.testing.assert_allclose(dense.margins[1], (forward(some, X) * forms).sum(axis=1))
        J = np.einsum("no,nod->nd", forms, jacobian(some, X))
        np.testing.assert_allclose(dense.slopes[0], np.linalg.norm(J, axis=1))
    none = masked_margins(net, X, forms, densities=[1, 1, 0], count=1, rng=rng)
    np.testing.assert_allclose(none.margins[0], forms @ net.biases[-1])
    assert (none.slopes == 0).all()
    assert np.isinf(ratios(none)).all()


def test_masks_prune_each_layer_by_its_density() -> None:
    ones = ReluNetwork(weights=[np.ones((1, 1)), np.ones((1, 1))])
    found = masked_margins(
        ones, np.ones((1, 1)), np.ones((1, 1)), densities=[0.7, 0.4], count=1500,
        rng=np.random.default_rng(0),
    )  # fmt: skip
    assert found.margins.mean() == pytest.approx(0.28, abs=0.06)  # five standard errors
    assert ratios(found)[found.margins == 0].sum() == 0


def test_gaps_are_the_largest_differences_of_shares() -> None:
    one, other = np.array([0.0, 1.0, 1.0, 3.0]), np.array([1.0, 2.0])
    assert gap_between(one, other).value == pytest.approx(0.25)
    assert gap_between(one, one).value == 0
    assert gap_from(np.array([0.5]), lambda t: t).value == pytest.approx(0.5)
    assert gap_from(np.array([0.0, 0.0]), lambda t: t).value == pytest.approx(1.0)
    assert gap_from(np.array([0.2, 0.4]), lambda t: t).value == pytest.approx(0.6)


def test_limits_of_gaps_hold_as_often_as_they_say() -> None:
    rng, shift = np.random.default_rng(0), 0.3
    inside = np.zeros(2)
    for _ in range(200):
        one, other = rng.random(200), rng.random(150) * (1 - shift)  # laws 0.3 apart
        for i, gap in enumerate((gap_between(one, other), gap_from(other, lambda t: t))):
            inside[i] += gap.lower <= shift <= gap.upper
    assert (inside >= 0.95 * 200).all()  # they are wider than they need to be


@pytest.fixture(scope="module")
def dense() -> Any:
    x = np.random.default_rng(1).normal(size=256)
    law = RandomWeights((256, 256), entries=sign_entries)
    return x, drawn_ratios(law, x, count=14_000, rng=np.random.default_rng(2))


def test_the_law_of_the_ratio_is_the_dense_one_where_units_keep_many_weights(dense: Any) -> None:
    rng, (x, whole) = np.random.default_rng(3), dense
    law = RandomWeights((256, 256), density=0.1)  # normal weights, and 25 kept a unit
    gap = gap_between(drawn_ratios(law, x, count=12_000, rng=rng), whole)
    assert gap.upper <= MARGIN


def test_the_law_of_the_ratio_is_another_at_tiny_densities(dense: Any) -> None:
    rng, (x, whole) = np.random.default_rng(4), dense
    for density in (0.02, 0.01):
        found = drawn_ratios(RandomWeights((256, 256), density), x, count=2500, rng=rng)
        gap = gap_between(found, whole)
        assert gap.upper > MARGIN
        dead = (found == 0).mean()
        assert gap.value >= dead - 0.02  # dead outputs are why: no dense one is dead
    assert gap.lower > 4 * MARGIN


def test_the_law_over_masks_alone_depends_on_the_density() -> None:
    rng = np.random.default_rng(0)
    net = ReluNetwork(weights=[rng.normal(size=(128, 128)), rng.normal(size=(1, 128))])
    x, found = rng.normal(size=(1, 128)), {}
    for density in (1.0, 0.95, 0.5):
        count = 1 if density == 1 else 1500
        pruned = masked_margins(
            net, x, np.ones((1, 1)), densities=[density] * 2, count=count, rng=rng
        )
        found[density] = np.abs(ratios(pruned)).ravel()
    point = np.full(1_000_000, found[1.0][0])  # one number: a sample of any size
    assert gap_between(point, found[0.5]).lower > 0.4
    assert gap_between(found[0.95], found[0.5]).lower > MARGIN


def test_the_law_with_a_mean_depends_on_the_density() -> None:
    rng, x = np.random.default_rng(0), np.ones(128)
    one, other = (
        drawn_ratios(RandomWeights((128, 128), density, shift=2.0), x, count=1000, rng=rng)
        for density in (1.0, 0.1)
    )
    assert gap_between(one, other).lower > 0.4


def test_the_law_of_skewed_weights_depends_on_the_density_with_few_inputs() -> None:
    rng, x = np.random.default_rng(0), np.ones(3)
    one, other = (
        drawn_ratios(RandomWeights((3, 600), d, entries=skewed_entries), x, count=1500, rng=rng)
        for d in (1.0, 0.1)
    )
    assert gap_between(one, other).lower > MARGIN


@pytest.mark.slow
@pytest.mark.parametrize(
    ("widths", "densities", "draws"),
    [
        ((256, 256), (1.0, 0.8), 8000),
        ((256, 256, 256), (1.0, 0.8), 8000),
        ((1024, 1024), (0.5, 0.2), 8000),
        ((1024, 1024, 1024), (0.2,), 5000),
        ((4096, 4096), (0.5, 0.2, 0.1, 0.05), 5000),
    ],
)
def test_laws_agree_where_density_times_width_is_200(
    widths: tuple[int, ...], densities: tuple[float, ...], draws: int
) -> None:
    rng = np.random.default_rng(0)
    x = unit_input(rng, widths[0])
    whole = reduced_ratios(RandomWeights(widths), x, count=50_000, rng=rng)
    for density in densities:
        draw = drawn_ratios if density == 1 else reduced_ratios  # at 1, whole networks
        gap = gap_between(draw(RandomWeights(widths, density), x, count=draws, rng=rng), whole)
        assert gap.upper <= MARGIN
        assert gap.lower == 0


def test_trained_digits_are_told_apart_and_margins_are_to_the_best_other() -> None:
    net, X, y = trained_digits(np.random.default_rng(0), 100, hidden=(20,))
    scores, forms = class_scores(net, X), nearest_forms(net, X, y)
    assert (scores.argmax(axis=1) == y).mean() > 0.85
    margins = (scores * forms).sum(axis=1)
    assert ((margins > 0) == (scores.argmax(axis=1) == y)).all()
    for score, margin, label in zip(scores, margins, y, strict=True):
        assert margin == pytest.approx(score[label] - np.delete(score, label).max())
