"""Figures of pruned networks with parts missing: each draws what there is, and says what is not."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from empirical.compression_study import CompressionCell
from empirical.whole_files import write_table
from figures import adversarial_share, compression, r2_sparsity, tickets, transfer
from figures.style import BLACK, RED
from sparsebound import drawings
from sparsebound.crew import Crew
from tests.empirical.planted_networks import INPUTS, SEARCHED, bounds
from tests.figures.pruned import (
    NAMES,
    SLOPES,
    Drawn,
    check_marks,
    convolutional,
    linear_cells,
    matrix_of,
    natural_and_tickets,
    recorded,
)

Draw = Callable[[Callable[[], list[Path]]], Drawn]


def save_quickly(figure: Figure, rows: Any, out: Path, name: str) -> list[Path]:
    """Draw a figure once, and write its CSV alone; warnings are errors."""
    FigureCanvasAgg(figure).draw()
    path = out / f"{name}.csv"
    with path.open("w", encoding="utf-8", newline="") as stream:
        write_table(rows, stream)
    return [path]


@pytest.fixture
def draw() -> Iterator[Draw]:
    with recorded(save_quickly) as drawing:
        yield drawing


def test_transfer_says_where_nothing_was_tried(draw: Draw, tmp_path: Path) -> None:
    dead = {"one": (1.0, 0.0), "dead": (0.0, 0.0)}  # all ties: never right
    one = draw(lambda: transfer.draw(matrix_of(dead), tmp_path))
    texts = [text.get_text() for text in one.figure.axes[0].texts]
    assert texts == ["itself", "none\ntried", "none\ntried", "itself"]
    assert "own points fool –" in one.figure.axes[0].get_yticklabels()[1].get_text()


def infinite(cell: CompressionCell) -> CompressionCell:
    """Return a network that no move makes wrong where it is right, as it sees no input."""
    far = bounds(np.inf, np.inf)
    return replace(cell, distances=far, deepfool=np.full(SEARCHED, np.inf))


def test_figures_draw_a_dead_network(draw: Draw, tmp_path: Path) -> None:
    cells = [
        replace(infinite(cell) if cell.distances else cell, compression=np.inf)
        if cell.level == 4
        else cell
        for cell in natural_and_tickets()
    ]
    calls = [
        lambda: compression.draw(cells, tmp_path),
        lambda: tickets.draw(cells, tmp_path),
        lambda: r2_sparsity.draw(cells, [], tmp_path),
        lambda: adversarial_share.draw(cells, tmp_path),
    ]
    for call in calls:
        one = draw(call)
        assert all(np.isfinite(axes.get_xlim()).all() for axes in one.figure.axes)


def test_figures_mark_what_is_not_known(draw: Draw, tmp_path: Path) -> None:
    cells = [
        infinite(cell) if cell.distances and cell.level == 4 else cell
        for cell in natural_and_tickets()
    ]
    for call in (
        lambda: compression.draw(cells, tmp_path),
        lambda: r2_sparsity.draw(cells, [], tmp_path),
    ):
        one = draw(call)
        unknown = [row for row in one.rows if row["value"] == "nan"]
        crosses = [n for axes in one.figure.axes for n in axes.lines if n.get_marker() == "x"]
        assert sum(line.get_xdata().size for line in crosses) == len(unknown) == 2
        named = [text.get_text() for text in one.figure.legends[0].get_texts()]
        assert "not known" in named


def test_nine_schemes_mark_distances_that_are_not_known(draw: Draw, tmp_path: Path) -> None:
    lost = ("kernel random layer", 3, 1)
    cells = [
        replace(cell, flips={"L0": np.full(INPUTS, np.nan), "L2": np.ones(INPUTS)})
        if (cell.family, cell.level, cell.seed) == lost
        else cell
        for cell in convolutional()
    ]
    one = draw(lambda: compression.draw(cells, tmp_path))
    (unknown,) = [row for row in one.rows if row["value"] == "nan"]
    assert (unknown["family"], unknown["norm"]) == (lost[0], "0.0")
    crosses = [n for axes in one.figure.axes for n in axes.lines if n.get_marker() == "x"]
    assert [line.get_xdata().tolist() for line in crosses] == [[float(unknown["compression"])]]
    assert crosses[0] in one.figure.axes[-1].lines  # L0, at random
    assert "Crosses" in one.figure.texts[0].get_text()


def test_nine_schemes_draw_what_was_measured(draw: Draw, tmp_path: Path) -> None:
    cells = [replace(cell, flips={}) for cell in convolutional()]
    one = draw(lambda: compression.draw(cells, tmp_path))
    assert len(one.figure.axes) == 3 * 3
    assert {row["measure"] for row in one.rows} == {"accuracy", "robust accuracy"}
    assert "Crosses" not in one.figure.texts[0].get_text()


def test_r2_sparsity_draws_a_search_that_did_not_end(draw: Draw, tmp_path: Path) -> None:
    cells = [
        replace(cell, distances=bounds(0.1, 0.2 if cell.level else 0.1)) if cell.distances else cell
        for cell in natural_and_tickets()
    ]
    one = draw(lambda: r2_sparsity.draw(cells, [], tmp_path))
    kinds = [row["kind"] for row in one.rows if row["what"] == "branch and bound"]
    assert sorted(kinds) == sorted(["exact"] + ["lower", "upper"] * 4)
    check_marks(
        one.figure.axes[0],
        one.rows,
        "weights left",
        lambda row: BLACK if row["what"] == "branch and bound" else RED,
    )


def test_compression_draws_levels_that_some_seeds_lack(draw: Draw, tmp_path: Path) -> None:
    cells = [cell for cell in convolutional() if (cell.seed, cell.level) != (0, 3)]
    one = draw(lambda: compression.draw(cells, tmp_path))
    assert {row["seeds"] for row in one.rows if row["level"] == "3"} == {"2"}


def test_figures_refuse_cells_without_what_they_draw(tmp_path: Path) -> None:
    cells = convolutional()
    with pytest.raises(ValueError, match="cells must hold lottery tickets"):
        tickets.draw(cells, tmp_path)
    with pytest.raises(ValueError, match="cells must hold distances"):
        r2_sparsity.draw(cells, [], tmp_path)
    with pytest.raises(ValueError, match="cells must hold networks of 64-20-10"):
        adversarial_share.draw(cells, tmp_path)
    with pytest.raises(ValueError, match="cells must hold networks pruned"):
        compression.draw([], tmp_path)
    assert not list(tmp_path.iterdir())


def test_compression_drawings_draws_each_model_and_every_other_figure_once(
    draw: Draw, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drawings, "transfer_study", lambda *, seed: matrix_of(SLOPES))
    study = [*natural_and_tickets(), *convolutional()]
    jobs = drawings.compression_drawings(study, linear_cells(), tmp_path, Crew(), seed=0)
    files = [draw(partial(job.call, *job.arguments)).files[0].stem for job in jobs]
    assert sorted(files) == sorted(NAMES)
