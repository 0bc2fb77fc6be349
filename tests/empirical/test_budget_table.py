"""r_inf at every budget is what its definition says, for each family and sparsity."""

from typing import Any

import numpy as np
import pytest
from scipy.stats import norm

from empirical.budget_table import budget_table
from empirical.linear_study import LinearCell, Plan, linear_study

# Sums of a few hundred float64 terms, in another order.
ROUNDING = 1e-9
Groups = dict[tuple[str, str, int], list[LinearCell]]


@pytest.fixture(scope="module")
def cells() -> list[LinearCell]:
    return [cell for part in linear_study(Plan(splits=2, strengths=2), seed=0) for cell in part]


@pytest.fixture(scope="module")
def groups(cells: list[LinearCell]) -> Groups:
    """Return the two splits of each classifier: families have two, one after the other."""
    found: Groups = {}
    for split in (0, 1):
        own = [cell for cell in cells if cell.split == split]
        for i, cell in enumerate(own):
            found.setdefault((cell.dataset, cell.trained.family, i % 2), []).append(cell)
    return found


def margins(cell: LinearCell, part: Any) -> Any:
    """Return by how much each input is right, in units of what ε = 1 can take away."""
    w, b = cell.trained.model.weights[0], cell.trained.model.bias[0]
    return part.y * (part.X @ w + b) / np.abs(w).sum()


def gaussian(cell: LinearCell, eps: float) -> float:
    found, labels = margins(cell, cell.validation), cell.validation.y
    parts = [found[labels == label] for label in (-1, 1)]
    left = [norm.sf(eps, part.mean(), part.std()) for part in parts]
    return float(np.dot([part.size / found.size for part in parts], left))


def test_budget_table_is_what_its_words_say(cells: list[LinearCell], groups: Groups) -> None:
    rows = budget_table(cells)
    assert len(rows) == len(groups) * 6 == 3 * 7 * 2 * 6  # data, families, sparsities, budgets
    for splits, own in zip(groups.values(), zip(*[iter(rows)] * 6, strict=True), strict=True):
        about = (splits[0].dataset, splits[0].trained.family)
        assert {(row["dataset"], row["family"]) for row in own} == {about}
        assert [row["eps"] for row in own] == splits[0].eps.tolist()
        for row in own:
            left = [(margins(cell, cell.test) > row["eps"]).mean() for cell in splits]
            expected = [gaussian(cell, row["eps"]) for cell in splits]
            assert row["r_inf attacked"] == pytest.approx(np.mean(left), abs=ROUNDING)
            assert row["r_inf predicted"] == pytest.approx(np.mean(expected), abs=ROUNDING)


def test_budget_table_bounds_the_part_it_is_of(cells: list[LinearCell], groups: Groups) -> None:
    rows = budget_table(cells)
    for splits, own in zip(groups.values(), zip(*[iter(rows)] * 6, strict=True), strict=True):
        for row in own:
            left = [(margins(cell, cell.validation) > row["eps"]).mean() for cell in splits]
            assert row["r_inf bound"] >= np.mean(left) - ROUNDING


def test_budget_table_limits_hold_their_means(cells: list[LinearCell]) -> None:
    for row in budget_table(cells):
        for name in ("r_inf predicted", "r_inf attacked"):
            assert row[f"{name} low"] <= row[name] <= row[f"{name} high"]
