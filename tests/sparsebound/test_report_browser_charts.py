"""The report's charts and tables in a browser: they move at once, and show what is chosen."""

from pathlib import Path
from typing import Any

import pytest

from tests.figures.reports import HOSTILE
from tests.sparsebound.browser import PIXEL, SIZES, Reader
from tests.sparsebound.report_ledgers import large_ledger
from tests.sparsebound.sweeps import run

pytestmark = pytest.mark.browser

ANSWER = 100.0  # milliseconds in which a chart follows its slider

# The places of marks: a line's path, a point's or a tick's place.
_MARKS = """
return $$(`[data-chart="${arguments[0]}"] .drawing svg [role="graphics-symbol"],
  [data-chart="${arguments[0]}"] .drawing svg .mark-group path,
  [data-chart="${arguments[0]}"] .drawing svg path`).map((p) => `${p.getAttribute("d")}
  ${p.getAttribute("transform")}`).join()
"""
_MOVE = """
const chart = charts[arguments[0]], begun = performance.now();
chart.range.value = String(arguments[1]);
chart.range.dispatchEvent(new Event("input"));
return chart.drawn.then(() => new Promise((done) => requestAnimationFrame(
  () => done(performance.now() - begun))));
"""


@pytest.mark.parametrize("name", ["budgets", "masks", "strengths", "sweeps"])
def test_sliders_move_charts_at_once(reader: Reader, name: str) -> None:
    if name == "sweeps":
        reader.js(_CHOOSE, name, "measure", "L2 robust accuracy")
    places = int(reader.js("return charts[arguments[0]].places.length", name))
    assert places > 1
    pictures, took = set(), []
    for place in [*range(places)] * 3:
        took.append(reader.js(_MOVE, name, place))
        pictures.add(reader.js(_MARKS, name))
    assert len(pictures) == places
    assert min(took) < ANSWER  # other work on the machine only slows


_CHOOSE = """
const select = $(`[data-chart="${arguments[0]}"] [data-choice="${arguments[1]}"]`);
select.value = arguments[2];
select.dispatchEvent(new Event("change"));
return charts[arguments[0]].drawn.then(() => select.value);
"""


def test_charts_show_what_is_chosen(reader: Reader) -> None:
    assert reader.js(_CHOOSE, "budgets", "dataset", HOSTILE) == HOSTILE
    shown = "return charts.budgets.shown.map((row) => [row.dataset, row.family, row.eps])"
    reader.js(_MOVE, "budgets", 3)
    assert reader.js(shown) == [[HOSTILE, "L1 logistic", 0.4]] * 3
    numbers = "return $$('[data-chart=budgets] .numbers tbody tr').map((r) => r.cells[1].innerText)"
    reader.js("$('[data-chart=budgets] .numbers').open = true")
    assert reader.js(numbers) == ["0.5"] * 3
    assert reader.js("return charts.budgets.range.getAttribute('aria-valuetext')") == "ε = 0.4"
    reader.js(_CHOOSE, "budgets", "family", "ridge, cut")
    assert reader.js(shown) == [[HOSTILE, "ridge, cut", 0.4]] * 3


def test_sweeps_are_sorted_filtered_and_turned(reader: Reader) -> None:
    column = "return $$('#sweep-table tbody tr').map((row) => row.cells[1].innerText)"
    press = "$$('#sweep-table thead button')[1].click()"
    reader.wait("return root.dataset.sweeps === 'ready'")
    reader.js(press)
    assert reader.js(column) == ["1", "4"]
    reader.js(press)
    assert reader.js(column) == ["4", "1"]
    sorted_by = "return $$('#sweep-table th[aria-sort=descending]').map((th) => th.innerText)"
    assert len(reader.js(sorted_by)) == 1
    reader.js(
        "$('#sweep-words').value = 'nothing'; $('#sweep-words').dispatchEvent(new Event('input'))"
    )
    assert reader.js("return $('#sweep-count').textContent") == "0 to 0 of 0 rows"


@pytest.mark.parametrize("size", SIZES)
def test_charts_have_every_word_inside(reader: Reader, size: tuple[int, int]) -> None:
    reader.size(*size)
    reader.open()
    outside = """
        return $$('.drawing svg').flatMap((svg) => {
          const room = svg.getBoundingClientRect();
          return $$('text', svg).filter((t) => {
            const box = t.getBoundingClientRect();
            const over = Math.max(box.right - room.right, room.left - box.left);
            return box.width > 0 && over > arguments[0];
          }).map((t) => t.textContent);
        });
    """
    assert [word for word in reader.js(outside, PIXEL) if word != HOSTILE] == []


@pytest.mark.parametrize("seeds", [1, 10])
def test_charts_of_ten_thousand_cells_follow_their_slider(
    driver: Any, tmp_path: Path, seeds: int
) -> None:
    ledger = large_ledger(tmp_path / "large.sqlite", 10_000, seeds=seeds)
    assert run("report", "--ledger", ledger, "--out", tmp_path).exit_code == 0
    reader = Reader(driver, tmp_path / "report.html")
    reader.size(1440, 900)
    reader.open()
    reader.js(_CHOOSE, "sweeps", "measure", "L2 robust accuracy")
    marks = reader.js("return charts.sweeps.shown.map((row) => row.x)")
    assert len(set(marks)) > 10
    took = [reader.js(_MOVE, "sweeps", place) for place in (0, 1, 2) * 4]
    assert min(took) < ANSWER  # other work on the machine only slows
    turned = """
        const begun = performance.now();
        sweepTable.sort(sweepTable.columns[1]);
        return performance.now() - begun;
    """
    reader.wait("return root.dataset.sweeps === 'ready'")
    assert min(reader.js(turned) for _ in range(5)) < ANSWER
