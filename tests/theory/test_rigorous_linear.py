"""Distances of linear classifiers lie between their proven ends, which are neighbours."""

from fractions import Fraction

import numpy as np
import pytest

from theory.linear import LinearClassifier, flip_distance
from theory.rigorous import proven_distances


@pytest.mark.parametrize("classes", [1, 3])
@pytest.mark.parametrize("norm", [1, np.inf])
def test_ends_enclose_the_rational_distance(classes: int, norm: float) -> None:
    rng = np.random.default_rng(0)
    W, b = rng.normal(size=(classes, 4)), rng.normal(size=classes)
    model = LinearClassifier(weights=W, bias=b)
    X = rng.normal(size=(20, 4))
    y = model.classes[rng.integers(model.classes.size, size=20)]
    lower, upper = proven_distances(model, X, y, norm=norm)
    rows = [[Fraction(v) for v in row] for row in (W if classes > 1 else np.vstack([0 * W, W]))]
    biases = [Fraction(v) for v in (b if classes > 1 else [0.0, b[0]])]
    for x, label, low, high in zip(X, y, lower, upper, strict=True):
        own, distances = list(model.classes).index(label), []
        for k in range(len(rows)):
            if k != own:
                g = [s - t for s, t in zip(rows[own], rows[k], strict=True)]
                lead = sum(
                    (s * Fraction(v) for s, v in zip(g, x, strict=True)), biases[own] - biases[k]
                )
                dual = max(map(abs, g)) if norm == 1 else sum(map(abs, g))
                distances.append(max(lead, Fraction(0)) / dual)
        assert Fraction(float(low)) <= min(distances) <= Fraction(float(high))
        assert high <= np.nextafter(np.nextafter(low, np.inf), np.inf)


@pytest.mark.parametrize("norm", [0, 1, 2, np.inf])
def test_distances_of_float64_are_near(norm: float) -> None:
    rng = np.random.default_rng(1)
    model = LinearClassifier(weights=rng.normal(size=(5, 8)), bias=rng.normal(size=5))
    X = rng.normal(size=(30, 8))
    y = rng.integers(5, size=30)
    found = flip_distance(model, X, y, norm=norm)
    lower, upper = proven_distances(model, X, y, norm=norm)
    # A dozen float64 operations, some of them cancelling.
    assert found == pytest.approx(lower, rel=1e-12, abs=1e-14)
    assert found == pytest.approx(upper, rel=1e-12, abs=1e-14)


def test_ties_and_what_nothing_moves() -> None:
    twins = LinearClassifier(weights=[[1.0], [1.0]], bias=[1.0, 0.0])
    assert proven_distances(twins, [[3.0]], [0]).lower.tolist() == [np.inf]
    assert proven_distances(twins, [[3.0]], [1]).upper.tolist() == [0.0]
    tied = LinearClassifier(weights=[1.0])
    for norm in (0, 1, 2, np.inf):
        lower, upper = proven_distances(tied, [[0.0]], [1], norm=norm)
        assert (lower[0], upper[0]) == (0.0, 0.0)


def test_leads_that_float64_loses_are_kept() -> None:
    # 1 + 1e-30 - 1 is 1e-30, at weights (1, 1e-30, -1): the distance is that over their norm.
    model = LinearClassifier(weights=[1.0, 1e-30, -1.0])
    lower, upper = proven_distances(model, [[1.0, 1.0, 1.0]], [1], norm=np.inf)
    assert 0 < lower[0] <= 1e-30 / 2 <= upper[0]
    assert upper[0] == pytest.approx(5e-31, rel=1e-12)
