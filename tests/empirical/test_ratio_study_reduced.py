"""Reduced and batched draws have the law of whole networks: enumerated, and sample by sample."""

from itertools import product
from typing import Any

import numpy as np
import pytest

from empirical.ratio_study import (
    RandomWeights,
    batched_squares,
    drawn_squares,
    gap_between,
    normal_entries,
    reduced_ratios,
    reduced_squares,
    sign_entries,
    skewed_entries,
)
from theory.validation import UnsupportedSettingError

X = np.array([1.0, -2.0, 0.5])
DRAWS = 4000
# Some hundred distances of samples: if laws are the same, a level of so much fails one in 100 runs,
# and limits are wider than they need be.
SURE = 1 - 1e-4


def both_kinds(law: RandomWeights, x: Any) -> tuple[Any, Any]:
    whole = batched_squares(law, x, count=DRAWS, rng=np.random.default_rng(1))
    return whole, reduced_squares(law, x, count=DRAWS, rng=np.random.default_rng(2))


def features(squares: Any) -> list[Any]:
    """Return what tells two joint laws apart: each square, and three of both."""
    g, s = np.round(squares, 5).T
    return [g, s, g * s, g - s, np.round(g / np.where(s > 0, s, 1.0), 5)]


@pytest.mark.parametrize(
    ("widths", "outputs"), [((3,), 2), ((3, 2), 1), ((3, 5, 4), 2), ((3, 4, 4, 4), 1)]
)
@pytest.mark.parametrize("density", [1.0, 0.6, 0.2])
def test_reduced_draws_have_the_law_of_whole_networks(
    widths: tuple[int, ...], outputs: int, density: float
) -> None:
    law = RandomWeights(widths, density, outputs=outputs)
    for one, other in zip(*map(features, both_kinds(law, X)), strict=True):
        assert gap_between(one, other, level=SURE).lower == 0


def sign_law(density: float) -> dict[tuple[float, float], float]:
    """Return the chance of each g² and ‖∇g‖² of widths (2, 2), signs: every weight and mask."""
    chances: dict[tuple[float, float], float] = {}
    for entries in product((0, 1, -1), repeat=6):
        W, w = np.reshape(entries[:4], (2, 2)), np.array(entries[4:])
        z = W @ [1.0, 2.0]
        on = (z > 0) * w
        key = float((on @ z) ** 2), float(((on @ W) ** 2).sum())
        kept = np.count_nonzero(entries)
        chances[key] = chances.get(key, 0.0) + (density / 2) ** kept * (1 - density) ** (6 - kept)
    return chances


@pytest.mark.parametrize("density", [1.0, 0.5])
@pytest.mark.parametrize("draw", [reduced_squares, batched_squares, drawn_squares])
def test_draws_have_the_law_of_every_weight_and_mask(draw: Any, density: float) -> None:
    wanted = sign_law(density)
    assert sum(wanted.values()) == pytest.approx(1)
    law = RandomWeights((2, 2), density, entries=sign_entries)
    found = draw(law, np.array([1.0, 2.0]), count=DRAWS, rng=np.random.default_rng(0))
    values, counts = np.unique(np.round(found, 6), axis=0, return_counts=True)
    told = {(float(g), float(s)): c for (g, s), c in zip(values, counts, strict=True)}
    assert set(told) <= set(wanted)
    for key, chance in wanted.items():
        # Five standard errors, and five counts for chances of next to nothing.
        off = 5 * np.sqrt(DRAWS * chance * (1 - chance)) + 5
        assert abs(told.get(key, 0) - DRAWS * chance) <= off


def test_dense_normal_ratios_do_not_know_the_direction_of_x() -> None:
    law, skew = RandomWeights((3, 4, 4)), np.array([3.0, 0.0, 0.0])
    even = np.full(3, np.sqrt(3.0))
    one, other = (
        batched_squares(law, x, count=20_000, rng=np.random.default_rng(i))
        for i, x in enumerate((skew, even))
    )
    for some, rest in zip(features(one), features(other), strict=True):
        assert gap_between(some, rest, level=SURE).lower == 0
    pruned = RandomWeights((3, 4, 4), 0.5)  # what is kept of them does
    one, other = (
        batched_squares(pruned, x, count=20_000, rng=np.random.default_rng(i))
        for i, x in enumerate((skew, even))
    )
    assert gap_between(one[:, 0], other[:, 0]).lower > 0.05


@pytest.mark.parametrize("density", [1.0, 0.5])
def test_reduced_ratios_are_at_most_the_length_of_x(density: float) -> None:
    law, x = RandomWeights((3, 4), density), X
    found = reduced_ratios(law, x, count=500, rng=np.random.default_rng(0))
    assert (found <= np.linalg.norm(x) * (1 + 1e-5)).all()  # g = ∇g·x, in float32
    squares = reduced_squares(law, x, count=500, rng=np.random.default_rng(0))
    np.testing.assert_allclose(found**2 * squares[:, 1], squares[:, 0], rtol=1e-9)


def test_one_input_and_no_unit_on_are_drawn_as_well() -> None:
    rng = np.random.default_rng(0)
    found = reduced_squares(RandomWeights((1, 1)), np.ones(1), count=400, rng=rng)
    np.testing.assert_allclose(found[:, 0], found[:, 1], rtol=1e-5)  # g is its slope at x = 1
    off = (found == 0).all(axis=1)
    assert off.mean() == pytest.approx(0.5, abs=0.125)  # five standard errors
    none = reduced_squares(RandomWeights((3, 4), 1e-6), X, count=3, rng=rng)
    assert (none == 0).all()


@pytest.mark.parametrize(
    "law",
    [
        RandomWeights((3, 4), entries=skewed_entries),
        RandomWeights((3, 4), entries=normal_entries, shift=0.1),
    ],
)
def test_laws_that_are_not_symmetric_are_refused(law: RandomWeights) -> None:
    with pytest.raises(UnsupportedSettingError, match="law must have normal_entries"):
        reduced_squares(law, X, count=1, rng=np.random.default_rng(0))


def test_batches_give_as_many_as_asked() -> None:
    law = RandomWeights((3, 200, 200))  # more than one batch
    found = batched_squares(law, X, count=60, rng=np.random.default_rng(0))
    assert found.shape == (60, 2)
    assert len(np.unique(found[:, 0])) == 60
