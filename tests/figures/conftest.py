"""Every figure, drawn once on a tiny study."""

import csv
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.figure import Figure

from empirical.curves import Comparison, digits_comparison, study_comparison
from empirical.linear_study import LinearCell, Plan, linear_study
from empirical.verify import STUDY_CHECKS, Verdict, verdict_of
from empirical.verify.verdict import not_covered
from figures import digit_flips, robust_accuracy, sparsity, style, verdicts
from theory.claims import CATALOGUE


class Drawn:
    """A figure that was saved, its rows, and its CSV read back."""

    def __init__(self, figure: Figure, files: list[Path]) -> None:
        self.figure, self.files = figure, files
        with files[2].open(encoding="utf-8", newline="") as stream:
            self.rows = list(csv.DictReader(stream))

    def column(self, name: str, **where: str) -> Any:
        rows = [r for r in self.rows if all(r[key] == value for key, value in where.items())]
        return np.array([float(row[name]) for row in rows])


@pytest.fixture(autouse=True)
def as_saved() -> Iterator[None]:
    """Measure words as the house draws them: without hinting, which depends on pixels."""
    with style.house_style():
        yield


@pytest.fixture(scope="session")
def groups() -> dict[str, list[LinearCell]]:
    cells = [c for part in linear_study(Plan(splits=2, strengths=2), seed=0) for c in part]
    return {
        name: [c for c in cells if c.dataset == name] for name in {c.dataset: None for c in cells}
    }


@pytest.fixture(scope="session")
def comparisons(groups: dict[str, list[LinearCell]]) -> list[Comparison]:
    ten = digits_comparison(0)
    few = replace(ten, test=type(ten.test)(*(part[:40] for part in ten.test)))
    return [*(study_comparison(group) for group in groups.values()), few]


@pytest.fixture(scope="session")
def judged(groups: dict[str, list[LinearCell]]) -> list[Verdict]:
    cells = [cell for group in groups.values() for cell in group]
    found = [verdict_of(key, cells, seed=0) for key in STUDY_CHECKS]
    upside_down = replace(found[0], status="refuted", summary="a long reason, " * 20)
    others = [not_covered(CATALOGUE[key], "why") for key in CATALOGUE if key not in STUDY_CHECKS]
    return [*found, upside_down, *others]


@pytest.fixture(scope="session")
def drawn(
    groups: dict[str, list[LinearCell]],
    comparisons: list[Comparison],
    judged: list[Verdict],
    tmp_path_factory: pytest.TempPathFactory,
) -> dict[str, Drawn]:
    """Draw every figure once; warnings are errors, so each draws without one."""
    out, figures = tmp_path_factory.mktemp("figures"), []

    def save(figure: Figure, *rest: Any) -> list[Path]:
        figures.append(figure)
        return style.save(figure, *rest)

    with pytest.MonkeyPatch.context() as patch:
        for module in (digit_flips, robust_accuracy, sparsity, verdicts):
            patch.setattr(module, "save", save)
        files = [sparsity.draw(group, out) for group in groups.values()]
        files += [robust_accuracy.draw(comparisons, out, carlini_wagner=True)]
        files += [
            digit_flips.draw(
                comparisons[0].models, comparisons[0].test.X[0], out, change="change the label"
            )
        ]
        files += [verdicts.draw(judged, out)]
    return {f[0].stem: Drawn(fig, f) for f, fig in zip(files, figures, strict=True)}
