"""The study attacks without a box, also where its data set has one that would bind."""

import numpy as np
import pytest

from empirical.data import Dataset
from empirical.linear_study import LinearCell, Plan, linear_study


@pytest.fixture(scope="module")
def cells() -> list[LinearCell]:
    """Return cells of black and white pixels: half the moves lead out of the box."""
    rng = np.random.default_rng(0)
    y = np.repeat([-1, 1], 40)
    X = (rng.random((80, 6)) < 0.5 + 0.4 * y[:, None] * [1, 1, -1, 0, 0, 0]).astype(float)
    data = Dataset(name="pixels", X=X, y=y, box=(0.0, 1.0), scaling="0 or 1")
    plan = Plan(splits=2, strengths=2)
    return [cell for part in linear_study(plan, seed=0, datasets=[data]) for cell in part]


def test_distances_are_those_to_the_hyperplane(cells: list[LinearCell]) -> None:
    for cell in cells:
        w, b = cell.trained.model.weights[0], cell.trained.model.bias[0]
        margins = cell.test.y * (cell.test.X @ w + b)
        exact = np.maximum(margins, 0) / np.linalg.norm(w)
        assert cell.distances == pytest.approx(exact, rel=2e-4)  # DeepFool overshoots by 1e-4


def test_sign_steps_are_not_clipped(cells: list[LinearCell]) -> None:
    spared = 0
    for cell in cells:
        w, b = cell.trained.model.weights[0], cell.trained.model.bias[0]
        for eps, survived in zip(cell.eps, cell.survived, strict=True):
            moved = cell.test.X - eps * np.outer(cell.test.y, np.sign(w))
            free, clipped = (cell.test.y * (points @ w + b) for points in (moved, moved.clip(0, 1)))
            clear = np.abs(free) > 1e-9  # above the rounding of six products
            assert (survived == (free > 0))[clear].all()
            spared += np.count_nonzero((clipped > 0) & (free < 0) & clear)
    assert spared > 50  # where the box would have saved them
