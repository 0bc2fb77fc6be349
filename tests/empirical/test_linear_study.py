"""A tiny study, its cells held against exact distances and against sign attacks by definition."""

from typing import Any

import numpy as np
import pytest

from empirical.data import Dataset, sample_classes, sparse_mean_classes
from empirical.linear import FAMILIES
from empirical.linear_study import LinearCell, Plan, linear_study, study_datasets
from theory.linear import flip_distance

PLAN = Plan(splits=2, strengths=2)


def small() -> Dataset:
    """Return 80 inputs under the name of a data set whose budgets the study knows."""
    law = sparse_mean_classes(6, nonzeros=2)
    return sample_classes(law, 80, rng=np.random.default_rng(0))


def study(seed: int) -> list[LinearCell]:
    return [cell for cells in linear_study(PLAN, seed=seed, datasets=[small()]) for cell in cells]


@pytest.fixture(scope="module")
def cells() -> list[LinearCell]:
    return study(1)


def everything(cell: LinearCell) -> list[Any]:
    model = cell.trained.model
    parts = [*cell.validation, *cell.test]
    return [model.weights, model.bias, cell.distances, cell.eps, cell.survived, *parts]


def test_linear_study_has_a_cell_for_each_split_family_and_strength(
    cells: list[LinearCell],
) -> None:
    found = [(cell.split, cell.trained.family) for cell in cells]
    assert found == [(s, family) for s in range(2) for family in FAMILIES for _ in range(2)]
    for cell in cells:
        assert cell.dataset == small().name
        n, k = len(cell.test.y), cell.eps.size
        assert (cell.distances.shape, cell.survived.shape) == ((n,), (k, n))
        assert n == len(cell.validation.y) == 20


def test_linear_study_is_determined_by_its_seed(cells: list[LinearCell]) -> None:
    for first, again in zip(cells, study(1), strict=True):
        for ours, theirs in zip(everything(first), everything(again), strict=True):
            np.testing.assert_array_equal(ours, theirs)


def test_linear_study_of_other_seeds_and_splits_differs(cells: list[LinearCell]) -> None:
    other = study(2)
    for one, two in ((cells[0], other[0]), (cells[0], cells[-1])):
        assert (one.test.X != two.test.X).any()
        assert (one.validation.X != two.validation.X).any()


def test_linear_study_yields_a_split_before_the_next_is_done() -> None:
    first = next(linear_study(PLAN, seed=1, datasets=[small()]))
    assert {cell.split for cell in first} == {0}


def test_cells_attack_what_they_neither_trained_on_nor_predict_from(
    cells: list[LinearCell],
) -> None:
    for cell in cells:
        shown = {tuple(row) for row in cell.validation.X}
        assert not shown & {tuple(row) for row in cell.test.X}


def test_cell_distances_are_never_below_the_exact(cells: list[LinearCell]) -> None:
    for cell in cells:
        exact = flip_distance(cell.trained.model, *cell.test, norm=2)
        assert np.isfinite(cell.distances).all()
        assert (cell.distances >= exact * (1 - 1e-6)).all()  # the witness's score is rounded
        assert (cell.distances <= exact * (1 + 2e-4)).all()  # DeepFool overshoots by 1e-4
        assert ((cell.distances == 0) == (exact == 0)).all()


def test_cells_survive_as_the_sign_step_decides(cells: list[LinearCell]) -> None:
    decided = 0
    for cell in cells:
        X, y = cell.test
        w, b = cell.trained.model.weights[0], cell.trained.model.bias[0]
        for eps, survived in zip(cell.eps, cell.survived, strict=True):
            margins = y * ((X - eps * y[:, None] * np.sign(w)) @ w + b)
            clear = np.abs(margins) > 1e-9  # above the rounding of six products
            assert (survived == (margins > 0))[clear].all()
            decided += clear.sum()
        assert (np.diff(cell.survived.astype(int), axis=0) <= 0).all()
    assert decided > 0.99 * sum(cell.survived.size for cell in cells)


def test_cell_accuracy_is_that_of_its_classifier(cells: list[LinearCell]) -> None:
    for cell in cells:
        X, y = cell.test
        model = cell.trained.model
        hits = y * (X @ model.weights[0] + model.bias[0]) > 0
        assert cell.accuracy == pytest.approx(hits.mean(), abs=1e-12)  # one rounding of a mean


def test_study_datasets_are_three_and_the_seed_draws_one_of_them() -> None:
    one, two, again = study_datasets(1), study_datasets(2), study_datasets(1)
    assert [data.name for data in one] == ["digits 3 or 8", "breast cancer", "Gaussian classes"]
    for first, second in zip(one, again, strict=True):
        assert (first.X == second.X).all()
    assert [(a.X == b.X).all() for a, b in zip(one, two, strict=True)] == [True, True, False]
