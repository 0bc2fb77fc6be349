"""The report in a browser: it opens from disk, filters, moves, and can be read by everybody."""

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tests.figures.reports import HOSTILE, TREND, VERDICTS, reproduced, verdict
from tests.sparsebound.browser import PIXEL, SIZES, Reader
from tests.sparsebound.sweeps import run
from theory.claims import CATALOGUE

pytestmark = pytest.mark.browser


def test_page_opens_from_disk_without_errors_or_requests(reader: Reader) -> None:
    assert [entry["message"] for entry in reader.driver.get_log("browser")] == []
    asked = [
        message["params"]["request"]["url"]
        for entry in reader.driver.get_log("performance")
        if (message := json.loads(entry["message"])["message"])["method"]
        == "Network.requestWillBeSent"
    ]
    assert reader.page.as_uri() in asked
    assert {url.split(":")[0] for url in asked} <= {"file", "blob", "data"}
    assert [url for url in asked if url.startswith("file:")] == [reader.page.as_uri()]


def test_page_keeps_hostile_text_as_text(reader: Reader) -> None:
    assert reader.js("return document.title") == "sparsebound report"
    assert HOSTILE in reader.js("return document.body.textContent")
    assert reader.js("return document.querySelectorAll('img[src=\"x\"]').length") == 0


def test_filters_filter_and_say_how_many(reader: Reader) -> None:
    shown = "return $$('tr.claim').filter((r) => !r.hidden).map((r) => $('.key', r).textContent)"
    pick = """
        const field = $(`#filters [name="${arguments[0]}"]`);
        field.value = arguments[1];
        field.dispatchEvent(new Event("input", { bubbles: true }));
    """
    claims = [str(one["claim"]) for one in VERDICTS]
    for name, value, expected in (
        ("form", "bound", claims[1:2]),
        ("form", "", claims),
        ("paper", "guo2018", claims[:2]),
        ("verdict", "inconclusive", []),
        ("paper", "", claims[2:]),
        ("words", "Guo THEOREM", []),
        ("verdict", "", claims[:2]),
    ):
        reader.js(pick, name, value)
        assert reader.js(shown) == expected
        said = reader.js("return $('#claim-count').textContent")
        assert said == f"{len(expected)} of {len(claims)} claims"
        assert reader.js("return $('#no-claims').hidden") == bool(expected)
    reader.js("$('#filters button[type=reset]').click()")
    reader.wait(f"return $('#claim-count').textContent.startsWith('{len(claims)} of')")


def test_rows_open_on_what_is_behind_them(reader: Reader) -> None:
    reader.js("$$('.opener')[2].click()")
    body = "return $('#more-3').innerText"
    assert str(TREND["what decides"]) in reader.js(body)
    assert "sparsebound check cosentino2019.tickets --quick --seed 3" in reader.js(body)
    assert reader.js("return $('#more-3 .view').dataset.figure") == "tickets"
    reader.js("$('#more-3 .view').click()")
    reader.wait("return $('#viewer').open && $('#viewer-image').naturalWidth > 0")
    assert reader.js("return $('#viewer-title').textContent") == "Lottery tickets"
    reader.keys("Escape")
    reader.wait("return !$('#viewer').open")
    reader.js("$$('.opener')[2].click()")
    assert reader.js("return $('#more-3').hidden")


def test_every_figure_loads_and_says_what_it_shows(reader: Reader) -> None:
    pictures = "return $$('img.picture').map((i) => [i.complete, i.naturalWidth, i.alt.length])"
    found = reader.js(pictures)
    assert len(found) == 3
    assert all(complete and width > 0 and said > 40 for complete, width, said in found)


def test_data_of_a_figure_are_what_was_drawn(reader: Reader) -> None:
    text = "return unpacked('csv:tickets', 'text/csv').then((blob) => blob.text())"
    assert reader.js(text).startswith("eps,accuracy,name\r\n0.0,1.0,")


# Elements whose text goes beyond the window or their own box, but for those that scroll.
_OVERFLOWING = """
const scrolls = (e) => e.closest(".scroll") !== null || e.closest(".hidden, .skip") !== null;
return $$("body *").filter((e) => e.offsetParent !== null && !scrolls(e) && e.textContent.trim()
  && !e.closest("svg") && !e.closest("math")).filter((e) => {
    const box = e.getBoundingClientRect();
    return box.right > innerWidth + arguments[0] || box.left < -arguments[0];
  }).map((e) => `${e.tagName} ${e.className} ${e.textContent.trim().slice(0, 40)}`);
"""
_OPEN_ALL = "$$('.opener[aria-expanded=false]').forEach((b) => b.click());" + (
    "$$('details').forEach((d) => { d.open = true; });"
)


@pytest.mark.parametrize("size", SIZES)
def test_page_has_no_text_beyond_its_sides(reader: Reader, size: tuple[int, int]) -> None:
    reader.size(*size)
    reader.js(_OPEN_ALL)
    assert reader.js(_OVERFLOWING, PIXEL) == []
    assert reader.js("return document.documentElement.scrollWidth") <= size[0]
    charts = "return $$('.drawing svg').map((s) => s.getBoundingClientRect().right)"
    assert all(right <= size[0] + PIXEL for right in reader.js(charts))


@pytest.mark.parametrize("size", SIZES)
def test_page_of_all_claims_has_no_text_beyond_its_sides(
    driver: Any, tmp_path: Path, size: tuple[int, int]
) -> None:
    told = [
        verdict(
            claim.key,
            source=f"{claim.source.citation}, {claim.source.place}",
            statement=claim.statement,
            assumptions=list(claim.assumptions),
            note=claim.note,
            bibtex=claim.source.bibtex,
        )
        for claim in CATALOGUE.values()
    ]
    assert run("report", "--out", reproduced(tmp_path, told)).exit_code == 0
    reader = Reader(driver, tmp_path / "report.html")
    reader.size(*size)
    reader.open()
    reader.js(_OPEN_ALL)
    assert reader.js("return $$('tr.claim').length") == len(CATALOGUE)
    assert reader.js(_OVERFLOWING, PIXEL) == []
    assert reader.js("return document.documentElement.scrollWidth") <= size[0]


def luminance(colour: list[float]) -> float:
    """Return the relative luminance of a colour, as WCAG defines it."""
    parts = [c / 255 for c in colour[:3]]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


# Each text with its colour and that of the nearest background that has one.
_COLOURS = """
const rgb = (text) => text.match(/[\\d.]+/g).map(Number);
const ground = (e) => {
  for (let at = e; at; at = at.parentElement) {
    const colour = rgb(getComputedStyle(at).backgroundColor);
    if (colour.length === 3 || colour[3] > 0) return colour;
  }
  return [255, 255, 255];
};
return $$("h1, h2, h3, p, td, th, label, button, summary, .badge, .counts li, a, dt, dd, output")
  .filter((e) => e.offsetParent !== null && e.textContent.trim() && !e.disabled)
  .map((e) => [e.textContent.trim().slice(0, 30), rgb(getComputedStyle(e).color), ground(e)]);
"""


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_page_has_contrast_in_light_and_dark(reader: Reader, theme: str) -> None:
    reader.system(theme)
    reader.wait(f"return root.dataset.theme === '{theme}'")
    reader.js(_OPEN_ALL)
    for text, ink, ground in reader.js(_COLOURS):
        low, high = sorted((luminance(ink), luminance(ground)))
        assert (high + 0.05) / (low + 0.05) >= 4.5, (text, ink, ground)  # WCAG 2.2, level AA


def test_theme_is_toggled_and_charts_follow(reader: Reader) -> None:
    colour = "return getComputedStyle($('.drawing svg text')).fill"
    body = "return getComputedStyle(document.body).backgroundColor"
    before = (reader.js(colour), reader.js(body))
    reader.js("$('#theme').click()")
    assert reader.js("return $('#theme').getAttribute('aria-pressed')") == "true"
    after = (reader.js(colour), reader.js(body))
    assert all(one != other for one, other in zip(before, after, strict=True))


def test_page_is_used_with_the_keyboard_alone(reader: Reader) -> None:
    focus = "return document.activeElement.id || document.activeElement.className"
    reader.keys("Tab")
    assert reader.js(focus) == "skip"
    for _ in range(40):
        reader.keys("Tab")
        outline = "return getComputedStyle(document.activeElement).outlineStyle"
        assert reader.js(outline) != "none", reader.js(focus)
        if reader.js(focus) == "opener":
            break
    reader.keys("Enter")
    assert reader.js("return document.activeElement.getAttribute('aria-expanded')") == "true"
    reader.js("charts.budgets.range.focus()")
    before = reader.js("return charts.budgets.value")
    reader.keys("ArrowRight")
    assert reader.js("return charts.budgets.value") > before


def test_page_is_told_by_a_screen_reader(reader: Reader) -> None:
    tree = reader.driver.execute_cdp_cmd("Accessibility.getFullAXTree", {})["nodes"]

    def named(role: str) -> list[str]:
        nodes = [n for n in tree if n.get("role", {}).get("value") == role]
        return [str(n.get("name", {}).get("value", "")) for n in nodes if not n.get("ignored")]

    for role in ("button", "combobox", "slider", "searchbox", "link", "table", "image"):
        assert named(role), role
        assert all(named(role)), role
    assert {"Paper", "Kind", "Verdict"} <= {name.split(" ")[0] for name in named("combobox")}
    assert len(named("columnheader")) >= 6
    assert len(named("rowheader")) >= len(VERDICTS)
    levels = reader.js("return $$('h1, h2, h3').map((h) => Number(h.tagName[1]))")
    assert levels[0] == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))


def test_page_is_printed_light_with_its_figures(reader: Reader) -> None:
    reader.js("$('#theme').click()")
    reader.js("dispatchEvent(new Event('beforeprint'))")
    assert reader.js("return root.dataset.theme") == "light"
    printed = reader.driver.execute_cdp_cmd("Page.printToPDF", {"printBackground": True})
    assert len(printed["data"]) > 10_000
    reader.js("dispatchEvent(new Event('afterprint'))")
    assert reader.js("return root.dataset.theme") == "dark"
