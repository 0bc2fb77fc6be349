"""Each figure of pruned networks draws what its CSV says, and can be read."""

from collections.abc import Sequence
from itertools import pairwise, product
from typing import Any

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import FillBetweenPolyCollection, LineCollection

from figures import adversarial_share, compression, r2_sparsity, style, tickets, transfer
from figures.bounds import measure_name
from figures.style import BLACK, BLUE, GREEN, ORANGE, RED, SKY
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
from tests.figures.test_legible import check_words_inside, unseen_labels


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Drawn]:
    """Draw every figure once; warnings are errors, so each draws without one."""
    out, cells = tmp_path_factory.mktemp("pruned"), natural_and_tickets()
    calls = [
        lambda: compression.draw(cells, out),
        lambda: compression.draw(convolutional(), out),
        lambda: tickets.draw(cells, out),
        lambda: r2_sparsity.draw(cells, linear_cells(), out),
        lambda: adversarial_share.draw(cells, out),
        lambda: transfer.draw(matrix_of(SLOPES), out),
    ]
    with recorded(style.save) as draw:
        return {name: draw(call) for name, call in zip(NAMES, calls, strict=True)}


@pytest.mark.parametrize("name", NAMES)
def test_draw_saves_every_figure(drawn: dict[str, Drawn], name: str) -> None:
    files = drawn[name].files
    assert [path.name for path in files] == [f"{name}.{end}" for end in ("png", "svg", "csv")]
    assert all(path.stat().st_size > 0 for path in files)
    assert drawn[name].rows


_CHOSEN = {
    ("natural", "magnitude global"): BLUE,
    ("natural", "magnitude layer"): GREEN,
    ("natural", "random layer"): ORANGE,
    ("natural", "original"): BLACK,
    ("adversarial", "original"): RED,
}


def chosen_colour(row: Any) -> str:
    return _CHOSEN[row["trained"], row["family"].partition(" ")[2]]


def test_compression_draws_its_table(drawn: dict[str, Drawn]) -> None:
    one, count = drawn["compression-64-20-10"], 0
    for axes in one.figure.axes:
        rows = [row for row in one.rows if measure_name(row) == axes.get_title()]
        check_marks(axes, rows, "compression", chosen_colour)
        count += len(rows)
    assert count == len(one.rows)  # nothing is left undrawn


# Words of the label of a row of panels, of the title of a column, and colours of lines.
_MEASURES = {
    ("accuracy", "", ""): "accuracy",
    ("robust accuracy", "inf", "0.05"): "ε = 0.05",
    ("robust accuracy", "inf", "0.1"): "ε = 0.1",
    ("distance", "2.0", ""): "L2",
    ("distance", "0.0", ""): "L0",
}
_CRITERIA = {"magnitude global": "all", "magnitude layer": "each", "random layer": "random"}
_UNITS = {"weight": BLACK, "kernel": RED, "filter": SKY}


def test_compression_of_nine_schemes_draws_its_table(drawn: dict[str, Drawn]) -> None:
    one = drawn["compression-cnn"]
    places = list(product(_MEASURES.items(), _CRITERIA.items()))
    panels = np.array(one.figure.axes).reshape(len(_MEASURES), len(_CRITERIA))
    for axes, ((key, label), (criterion, title)) in zip(panels.ravel(), places, strict=True):
        rows = [
            row
            for row in one.rows
            if (row["measure"], row["norm"], row["eps"]) == key and criterion in row["family"]
        ]
        assert len(rows) == 3 * 4
        check_marks(axes, rows, "compression", lambda row: _UNITS[row["family"].split()[0]])
        row, column = np.argwhere(panels == axes)[0]
        assert label in panels[row, 0].get_ylabel()
        assert title in panels[0, column].get_title().split()
    assert len(one.rows) == 12 * len(places)
    named = [text.get_text() for text in one.figure.legends[0].get_texts()]
    assert [name.split()[-2] for name in named[:3]] == ["weights", "kernels", "filters"]


def test_compression_shades_between_proof_and_attack(drawn: dict[str, Drawn]) -> None:
    one = drawn["compression-64-20-10"]
    for axes in one.figure.axes:
        rows = [row for row in one.rows if measure_name(row) == axes.get_title()]
        bands = [c for c in axes.collections if isinstance(c, FillBetweenPolyCollection)]
        proven = [row for row in rows if row["kind"] == "lower"]
        corners = {tuple(v) for band in bands for v in band.get_paths()[0].vertices.tolist()}
        for row in proven:
            place = (row["trained"], row["family"], row["level"])
            found = [r for r in rows if (r["trained"], r["family"], r["level"]) == place]
            least = min(float(r["value"]) for r in found if r["kind"] == "upper")
            ends = {(float(row["compression"]), end) for end in (float(row["value"]), least)}
            assert ends <= corners
        assert len(bands) == len({(row["trained"], row["family"]) for row in proven})


def test_tickets_draws_its_table(drawn: dict[str, Drawn]) -> None:
    one, count = drawn["tickets"], 0
    for axes in one.figure.axes:
        rows = [row for row in one.rows if measure_name(row) == axes.get_title()]
        check_marks(
            axes,
            rows,
            "weights left",
            lambda row: tickets._TICKETS[row["trained"], row["reset"]][1],
        )
        count += len(rows)
    assert count == len(one.rows)
    assert {(row["trained"], row["reset"]) for row in one.rows} == {
        ("natural", "original"),
        *(("adversarial", reset) for reset in ("original", "random", "none")),
    }


def test_r2_sparsity_draws_its_table(drawn: dict[str, Drawn]) -> None:
    one, count = drawn["r2-sparsity"], 0
    for axes in one.figure.axes:
        rows = [row for row in one.rows if row["on"] in axes.get_title()]
        if rows:
            measured = [row for row in rows if row["kind"] != "estimate"]
            check_marks(
                axes,
                measured,
                "weights left",
                lambda row: r2_sparsity._COLOURS[r2_sparsity._line(row)],
            )
            check_predictions(axes, [row for row in rows if row["kind"] == "estimate"])
            count += len(rows)
    assert count == len(one.rows)


def check_predictions(axes: Any, rows: Sequence[Any]) -> None:
    in_bars = {id(bars.lines[0]) for bars in axes.containers}
    lines = {line.get_color(): line for line in axes.lines if id(line) not in in_bars}
    for family in {row["family"] for row in rows}:
        own = [row for row in rows if row["family"] == family]
        line = lines[r2_sparsity._COLOURS[family]]
        np.testing.assert_array_equal(line.get_ydata(), [float(row["value"]) for row in own])
    assert len(lines) == len({row["family"] for row in rows})


def test_adversarial_share_draws_its_table(drawn: dict[str, Drawn]) -> None:
    one = drawn["adversarial-share"]
    panels = np.array(one.figure.axes).reshape(2, -1)
    for (above, below), trained in zip(panels.T, ("natural", "adversarial"), strict=True):
        rows = [row for row in one.rows if row["trained"] == trained]
        paths = [[row for row in rows if row["level"] == str(level)] for level in range(5)]
        (states,) = (image.get_array() for image in below.images)
        names = [label.get_text() for label in below.get_yticklabels()]
        for line, path, strip, name in zip(above.lines, paths, states, names, strict=True):
            np.testing.assert_array_equal(line.get_xdata(), [float(r["share"]) for r in path])
            np.testing.assert_array_equal(line.get_ydata(), [float(r["value"]) for r in path])
            np.testing.assert_array_equal(strip == 2, [r["best"] == "True" for r in path])
            np.testing.assert_array_equal(strip == 0, [r["beaten"] == "True" for r in path])
            assert (
                line.get_label() == name.partition(",")[0] == f"{float(path[0]['compression']):g}"
            )
            assert name.endswith("unbeaten") == (path[0]["unbeaten"] == "True")
        limits = [c for c in above.collections if isinstance(c, LineCollection)]
        ends = [(float(path[k][s])) for path in paths for k in (0, -1) for s in ("low", "high")]
        told = [y for c in limits for segment in c.get_segments() for y in segment[:, 1]]
        assert told == ends


def test_adversarial_share_has_a_best_and_a_beaten_compression(drawn: dict[str, Drawn]) -> None:
    rows = drawn["adversarial-share"].rows
    assert {row["unbeaten"] for row in rows} == {"True", "False"}
    assert {row["best"] for row in rows} == {"True", "False"}


def test_transfer_draws_its_table(drawn: dict[str, Drawn]) -> None:
    one = drawn["transfer"]
    axes = one.figure.axes[0]
    shown = np.ma.filled(axes.images[0].get_array(), np.nan)
    texts = [text.get_text() for text in axes.texts]
    for row, value, text in zip(one.rows, shown.ravel(), texts, strict=True):
        if row["source"] == row["target"]:
            assert (text, np.isnan(value)) == ("itself", True)
        else:
            assert value == float(row["rate"])
            assert text == f"{100 * value:.0f} %\nof {row['tried']}"
    names = [label.get_text().partition("\n")[0] for label in axes.get_yticklabels()]
    assert names == list(SLOPES)
    assert {row["kind"] for row in one.rows} == {"exact"}


@pytest.mark.parametrize("name", NAMES)
def test_figure_has_every_word_inside(drawn: dict[str, Drawn], name: str) -> None:
    check_words_inside(drawn[name].figure)


@pytest.mark.parametrize("name", NAMES)
def test_figure_has_words_apart_and_no_legend_over_data(drawn: dict[str, Drawn], name: str) -> None:
    figure = drawn[name].figure
    FigureCanvasAgg(figure).draw()
    for axes in figure.axes:
        for axis, ends in ((axes.xaxis, ("x0", "x1")), (axes.yaxis, ("y0", "y1"))):
            check_apart(axis, ends, hidden={id(label) for label in unseen_labels(axes)})
    titles = [axes.title.get_window_extent() for axes in figure.axes if axes.get_title()]
    assert not any(a.overlaps(b) for i, a in enumerate(titles) for b in titles[:i])
    above = figure.texts[0].get_window_extent()
    assert not any(title.overlaps(above) for title in titles)
    own = [axes.get_legend() for axes in figure.axes if axes.get_legend()]
    for legend in (*figure.legends, *own):
        box = legend.get_window_extent()
        assert not any(box.overlaps(axes.get_window_extent()) for axes in figure.axes)


def check_apart(axis: Any, ends: tuple[str, str], *, hidden: set[int]) -> None:
    shown = [t.label1 for t in axis.get_major_ticks() if id(t.label1) not in hidden]
    boxes = [label.get_window_extent() for label in shown if label.get_visible()]
    sides = sorted(tuple(getattr(box, end) for end in ends) for box in boxes)
    assert all(one[1] <= other[0] for one, other in pairwise(sides))


def test_figures_give_the_same_bytes_again(drawn: dict[str, Drawn], tmp_path: Any) -> None:
    again = {
        "tickets": tickets.draw(natural_and_tickets(), tmp_path),
        "adversarial-share": adversarial_share.draw(natural_and_tickets(), tmp_path),
        "transfer": transfer.draw(matrix_of(SLOPES), tmp_path),
    }
    for name, files in again.items():
        first = drawn[name].files
        assert [path.read_bytes() for path in files] == [path.read_bytes() for path in first]
