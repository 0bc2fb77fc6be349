"""Every word of a figure can be read."""

from itertools import pairwise
from typing import Any

import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.table import Table
from matplotlib.text import Text

# Font hinting moves the edges of a text by up to a pixel.
PIXEL = 1.0
NAMES = [
    "sparsity-digits-3-or-8",
    "sparsity-breast-cancer",
    "sparsity-gaussian-classes",
    "robust-accuracy",
    "digit-flips",
    "verdicts",
]


@pytest.mark.parametrize("name", NAMES)
def test_figure_has_every_word_inside(drawn: dict[str, Any], name: str) -> None:
    check_words_inside(drawn[name].figure)


def check_words_inside(figure: Any) -> None:
    """Draw a figure and see that no word leaves it."""
    FigureCanvasAgg(figure).draw()
    unseen = {id(label) for axes in figure.axes for label in unseen_labels(axes)}
    width, height = figure.bbox.size
    for text in figure.findobj(Text):
        if text.get_visible() and text.get_text().strip() and id(text) not in unseen:
            box = text.get_window_extent()
            assert min(box.x0, box.y0) >= -PIXEL, text
            assert box.x1 <= width + PIXEL, text
            assert box.y1 <= height + PIXEL, text


def unseen_labels(axes: Any) -> list[Text]:
    """Return tick labels beyond the axis, which matplotlib keeps but does not draw."""
    unseen = []
    for axis in (axes.xaxis, axes.yaxis):
        low, high = sorted(axis.get_view_interval())
        ticks = axis.get_major_ticks()
        unseen += [t.label1 for t in ticks if not low <= t.get_loc() <= high]
        unseen += [t.label2 for t in ticks]
        unseen += [part for t in axis.get_minor_ticks() for part in (t.label1, t.label2)]
        if not axes.axison:
            unseen += [t.label1 for t in ticks]
    return unseen


@pytest.mark.parametrize("name", NAMES[:4])
def test_figure_has_tick_labels_and_titles_apart(drawn: dict[str, Any], name: str) -> None:
    figure = drawn[name].figure
    FigureCanvasAgg(figure).draw()
    for axes in figure.axes:
        hidden = {id(label) for label in unseen_labels(axes)}
        shown = [t.label1 for t in axes.xaxis.get_major_ticks() if id(t.label1) not in hidden]
        boxes = [label.get_window_extent() for label in shown if label.get_visible()]
        assert all(left.x1 < right.x0 for left, right in pairwise(boxes))
    titles = [axes.title.get_window_extent() for axes in figure.axes]
    assert not any(a.overlaps(b) for i, a in enumerate(titles) for b in titles[:i])
    above = figure.get_suptitle() and figure.texts[0].get_window_extent()
    assert not any(title.overlaps(above) for title in titles)


def test_verdicts_has_words_within_their_cells(drawn: dict[str, Any]) -> None:
    figure = drawn["verdicts"].figure
    FigureCanvasAgg(figure).draw()
    (table,) = (part for part in figure.axes[0].get_children() if isinstance(part, Table))
    for cell in table.get_celld().values():
        words, room = cell.get_text().get_window_extent(), cell.get_window_extent()
        assert room.x0 - PIXEL <= words.x0, cell.get_text()
        assert words.x1 <= room.x1 + PIXEL, cell.get_text()
        assert room.y0 - PIXEL <= words.y0, cell.get_text()
        assert words.y1 <= room.y1 + PIXEL, cell.get_text()
