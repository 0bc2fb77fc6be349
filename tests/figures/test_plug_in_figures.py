"""Figures of real data and of heavy tails: each draws what its CSV says, and can be read."""

import csv
import math
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from empirical.plug_in_study import BEFORE, PREDICTORS, PlugInCell, error_table
from figures import heavy_tails, real_data, style
from figures.style import BLUE, GREEN, ORANGE, RED
from tests.figures.test_legible import check_words_inside, unseen_labels

NAMES = ["real-data", "heavy-tails"]
COLOURS = {
    "seen, Gaussian": ORANGE,
    "unseen, Gaussian": BLUE,
    "unseen, smoothed": GREEN,
    BEFORE: RED,
}
FREEDOMS = (math.inf, 5.0, 2.2)


def cell(dataset: str, norm: float, split: int) -> PlugInCell:
    eps = np.linspace(0, 2 if norm == 2 else 0.7, 5)
    curves = {
        name: np.linspace(0.98 - 0.03 * place, 0.1 + 0.02 * split, 5)
        for place, name in enumerate([*PREDICTORS, BEFORE])
    }
    if dataset == "other":  # where the theory has no answer
        curves[BEFORE] = np.full(5, np.nan)
    return PlugInCell(
        dataset=dataset,
        split=split,
        half=0,
        norm=norm,
        trained_on=1000,
        attacked=1000,
        features=12600,
        nonzeros=100 + split,
        eps=eps,
        predicted=curves,
        measured=np.linspace(0.95, 0.05 + 0.01 * split, 5),
        skewness=np.zeros(2),
        excess=np.zeros(2),
    )


GROUPS = [
    [cell(name, norm, split) for split in range(3) for norm in (2.0, np.inf)]
    for name in ("digits 3 or 8", "colon tissue, genes", "breast cancer", "other")
]


def student_rows() -> list[dict[str, Any]]:
    return [
        {
            "noise": noise,
            "freedom": freedom,
            "predictor": name,
            "largest": 0.05 * place + 0.01,
            "low": 0.05 * place - 0.01,
            "high": 0.05 * place + 0.02,
            "known": 0.05 * place if side == 0 else math.nan,
        }
        for side, noise in enumerate(("common scale", "independent features"))
        for place, freedom in enumerate(FREEDOMS)
        for name in ("true moments, Gaussian", *PREDICTORS)
    ]


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Figure, list[Any]]]:
    out, figures = tmp_path_factory.mktemp("figures"), []

    def save(figure: Figure, *rest: Any) -> list[Path]:
        figures.append(figure)
        return style.save(figure, *rest)

    with pytest.MonkeyPatch.context() as patch:
        for module in (real_data, heavy_tails):
            patch.setattr(module, "save", save)
        files = [real_data.draw(GROUPS, out), heavy_tails.draw(student_rows(), out)]
    found = {}
    for figure, (png, svg, table) in zip(figures, files, strict=True):
        assert min(path.stat().st_size for path in (png, svg)) > 0
        with table.open(encoding="utf-8", newline="") as stream:
            found[png.stem] = (figure, list(csv.DictReader(stream)))
    return found


def test_figures_are_both_drawn(drawn: dict[str, Any]) -> None:
    assert list(drawn) == NAMES


def test_real_data_draws_its_table(drawn: dict[str, Any]) -> None:
    figure, rows = drawn["real-data"]
    panels, count = np.array(figure.axes).reshape(2, 4), 0
    for row, norm in zip(panels, ("2.0", "inf"), strict=True):
        for axes, group in zip(row, GROUPS, strict=True):
            own = [r for r in rows if (r["dataset"], r["norm"]) == (group[0].dataset, norm)]
            lines = {to_hex(line.get_color()): line for line in axes.lines}
            for what, colour in COLOURS.items():
                line = lines[colour]
                ours = [r for r in own if r["what"] == what]
                np.testing.assert_array_equal(line.get_xdata(), [float(r["eps"]) for r in ours])
                np.testing.assert_array_equal(
                    line.get_ydata(), [float(r["accuracy"]) for r in ours]
                )
                count += len(ours)
            (bars,) = axes.containers
            ours = [r for r in own if r["what"] == "measured"]
            np.testing.assert_array_equal(
                bars.lines[0].get_ydata(), [float(r["accuracy"]) for r in ours]
            )
            ends = np.array(bars.lines[2][0].get_segments())[:, :, 1]
            # Ends are drawn as value ± reach: one rounding each.
            assert ends[:, 0] == pytest.approx([float(r["low"]) for r in ours], abs=1e-12)
            assert ends[:, 1] == pytest.approx([float(r["high"]) for r in ours], abs=1e-12)
            count += len(ours)
    assert count == len(rows)  # nothing is left undrawn


def test_real_data_tells_the_gaps_of_its_cells(drawn: dict[str, Any]) -> None:
    figure, _ = drawn["real-data"]
    panels = np.array(figure.axes).reshape(2, 4)
    for place, group in enumerate(GROUPS):
        told = panels[0, place].get_xlabel()
        gaps = {
            row["predictor"]: row["largest"] for row in error_table(group) if row["norm"] == 2.0
        }
        assert f"not seen {gaps['unseen, Gaussian']:.2f}" in told
        unknown = group[0].dataset == "other"
        assert ("before training unknown" in told) == unknown
        assert panels[0, place].get_title().endswith("uses 101 of 12600 features")


def test_heavy_tails_draws_its_table(drawn: dict[str, Any]) -> None:
    figure, rows = drawn["heavy-tails"]
    for axes, noise in zip(figure.axes, ("common scale", "independent features"), strict=True):
        own = [row for row in rows if row["noise"] == noise]
        assert len(axes.containers) == 3
        assert sum(bars.lines[0].get_ydata().size for bars in axes.containers) == len(own)
        for bars in axes.containers:
            at = bars.lines[0].get_xdata().round().astype(int)
            assert at.tolist() == [0, 1, 2]
            assert bars.lines[0].get_ydata() == pytest.approx([0.01, 0.06, 0.11], abs=1e-15)
        labels = [tick.get_text() for tick in axes.get_xticklabels()]
        assert labels == ["∞", "5", "2.2"]
        theory = [line for line in axes.lines if line.get_label().startswith("theory")]
        assert len(theory) == (noise == "common scale")


@pytest.mark.parametrize("name", NAMES)
def test_figure_has_every_word_inside_and_apart(drawn: dict[str, Any], name: str) -> None:
    figure, _ = drawn[name]
    check_words_inside(figure)
    titles = [axes.title.get_window_extent() for axes in figure.axes]
    assert not any(a.overlaps(b) for i, a in enumerate(titles) for b in titles[:i])
    above = figure.texts[0].get_window_extent()
    assert not any(title.overlaps(above) for title in titles)
    hidden = {id(label) for axes in figure.axes for label in unseen_labels(axes)}
    for axes in figure.axes:
        shown = [t.label1 for t in axes.xaxis.get_major_ticks() if id(t.label1) not in hidden]
        boxes = [label.get_window_extent() for label in shown if label.get_visible()]
        assert all(left.x1 < right.x0 for left, right in pairwise(boxes))


def test_figures_refuse_what_they_cannot_draw(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="groups must hold the cells"):
        real_data.draw([], tmp_path)
    one = [row for row in student_rows() if row["noise"] == "common scale"]
    with pytest.raises(ValueError, match="got no independent features"):
        heavy_tails.draw(one, tmp_path)
    assert not list(tmp_path.iterdir())
