"""The page holds all it shows, as text; it asks for nothing, and is the same each time."""

import base64
import csv
import gzip
import io
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest

from empirical.intervals import Interval
from empirical.seed_table import Group, Measure
from figures.report import MOVING, ChartParts, Sweeps, read_reproduced, report_page
from figures.report.captions import caption_of, shows
from figures.report.charts import chart_data
from figures.report.shown import agreement, measured_text, slack_text, value_text
from figures.report.sweeps_chart import SWEEPS
from figures.report.sweeps_table import MOST_MARKS, chart_rows
from tests.figures.reports import BOUND, HOSTILE, TREND, VERDICTS, reproduced, verdict
from tests.sparsebound.test_reproduce import FIGURES
from theory.claims import CATALOGUE

PARTS = ChartParts(
    script="const a = '</script><script>';", specs={c.name: {} for c in (*MOVING, SWEEPS)}
)
NAN = float("nan")


class Page(HTMLParser):
    """What a browser makes of a page: elements with attributes, and the text of scripts."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: dict[str, str] = {}
        self.text: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        tag, attributes = self.elements[-1] if self.elements else ("", {})
        if self.cdata_elem == "script":
            self.scripts[attributes.get("id") or f"script {len(self.scripts)}"] = data
        elif tag != "style":
            self.text.append(data)

    def of(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


def group(sweep: str = "one", **settings: Any) -> Group:
    measures = {
        Measure(name="compression"): Interval(4.0, 4.0, 4.0),
        Measure(name="test accuracy"): Interval(0.9, 0.8, 1.0),
        Measure(name="L∞ robust accuracy", eps=0.1): Interval(0.5, NAN, NAN),
        Measure(name="mean L2 distance"): Interval(NAN, NAN, NAN),
    }
    return Group(sweep=sweep, settings=settings, done=2, failed=1, measures=measures)


def sweeps() -> Sweeps:
    return Sweeps(
        ledger=f"{HOSTILE}.sqlite",
        groups=[group(criterion="magnitude"), group(sweep=HOSTILE, criterion=HOSTILE)],
        cells=6,
        failed=2,
        codes=["0.1.0"],
        machines=[HOSTILE],
    )


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = reproduced(tmp_path_factory.mktemp("run"))
    run = read_reproduced(folder, tables=[chart.table for chart in MOVING])
    page = report_page(run, sweeps(), parts=PARTS)
    assert page == report_page(run, sweeps(), parts=PARTS)
    return page


@pytest.fixture(scope="module")
def page(written: str) -> Page:
    return Page(written)


def unpacked(text: str) -> bytes:
    return gzip.decompress(base64.b64decode(text))


def test_page_keeps_hostile_text_as_text(page: Page) -> None:
    told = " ".join(page.text)
    assert HOSTILE in told
    assert all(attributes.get("src") is None for attributes in page.of("img"))
    assert not any(name.startswith("on") for _, found in page.elements for name in found)
    ours = {"application/json", "text/plain", None}
    assert {attributes.get("type") for attributes in page.of("script")} <= ours
    # Ours: the library, four of the page's own, two for each of four charts and of three figures,
    # and the table of sweeps.
    assert len(page.of("script")) == 1 + 4 + 2 * 4 + 2 * 3 + 1
    assert not any("caught" in text for text in page.scripts.values())


def test_page_asks_nothing_of_the_network(written: str, page: Page) -> None:
    links = [a[name] for _, a in page.elements for name in ("src", "href") if a.get(name)]
    assert all(str(link).startswith(("#", "data:")) for link in links)
    assert not re.search(r"@import|url\(", written)
    (policy,) = (a["content"] for a in page.of("meta") if a.get("http-equiv"))
    assert str(policy).startswith("default-src 'none'")


def test_page_has_every_claim_with_its_numbers(page: Page) -> None:
    told = " ".join(" ".join(page.text).split())
    for one in VERDICTS:
        for text in (one["claim"], one["source"], one["what decides"], one["form"]):
            assert text in told
        assert f"sparsebound check {one['claim']} --quick --seed 3" in told
    assert "sparsebound reproduce --quick --seed 3" in told
    rows = [a for a in page.of("tr") if a.get("class") == "claim"]
    assert [row["data-verdict"] for row in rows] == [one["verdict"] for one in VERDICTS]


def test_page_has_the_data_of_every_claim(page: Page) -> None:
    links = {a["download"]: str(a["href"]) for a in page.of("a") if "download" in a}
    assert list(links) == [f"{one['claim']}.csv" for one in VERDICTS]
    for one, link in zip(VERDICTS, links.values(), strict=True):
        kind, _, text = link.partition(",")
        assert kind == "data:text/csv;charset=utf-8"
        rows = dict(csv.reader(io.StringIO(unquote(text), newline="")))
        assert rows["verdict"] == one["verdict"]
        assert float(rows["measured"]) == one["measured"]
        assert {name: str(value) for name, value in one["evidence"].items()}.items() <= rows.items()


def test_page_has_every_figure_and_its_table(page: Page, tmp_path: Path) -> None:
    folder = reproduced(tmp_path)
    for name in ("robust-accuracy", "tickets", "random-pruning"):
        for kind in ("svg", "csv"):
            content = (folder / f"{name}.{kind}").read_bytes()
            assert unpacked(page.scripts[f"{kind}:{name}"]) == content
    pictures = [a for a in page.of("img") if a.get("class") == "picture"]
    assert [(a["width"], a["height"]) for a in pictures] == [("400", "200")] * 3
    assert all(len(str(a["alt"])) > 40 for a in pictures)


def test_page_has_the_rows_of_every_chart(page: Page) -> None:
    charts = ["budgets", "masks", "strengths", "sweeps"]
    assert [a["data-chart"] for a in page.of("article")] == charts
    found = json.loads(unpacked(page.scripts["chart:budgets"]))
    assert set(found["columns"]["eps"]) == {0.05, 0.1, 0.2, 0.4}
    assert set(found["columns"]["dataset"]) == {"digits 3 or 8", HOSTILE}
    density = json.loads(unpacked(page.scripts["chart:masks"]))["columns"]["density"]
    assert set(density) == {1.0, 0.7, 0.4, 0.1}
    swept = json.loads(unpacked(page.scripts["chart:sweeps"]))["columns"]
    assert swept["eps"] == [None, 0.1, None] * 2
    assert swept["low"] == [0.8, None, None] * 2
    assert swept["x"] == [4.0] * 6


def test_page_has_the_table_of_sweeps(page: Page) -> None:
    columns = {c["name"]: c for c in json.loads(unpacked(page.scripts["sweep-columns"]))}
    assert list(columns) == [
        *("sweep", "criterion", "compression", "test accuracy"),
        *("L∞ robust accuracy, ε = 0.1", "mean L2 distance", "cells done", "failed"),
    ]
    assert columns["sweep"]["words"] == ["one", HOSTILE]
    assert columns["test accuracy"]["low"] == [0.8, 0.8]
    assert columns["mean L2 distance"]["values"] == [None, None]


def test_chart_of_strengths_reads_predictions_off_the_line(page: Page) -> None:
    columns = json.loads(unpacked(page.scripts["chart:strengths"]))["columns"]
    rows = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    moved = [
        (row["strength"], row["kind"], row["value"])
        for row in rows
        if row["penalty"] == "L1" and row["strength"] > 0
    ]
    half = 3.16228  # √10: half of the way from 1 to 10, by factors
    assert moved == [
        *((1.0, "predicted", 0.8), (1.0, "measured", 0.79), (1.0, "upper bound", 0.9)),
        *((half, "predicted", 0.7), (half, "measured", 0.71), (half, "upper bound", 0.9)),
    ]
    faint = [row["value"] for row in rows if row["strength"] < 0]
    assert faint == [0.5, 0.8, 0.6] * 2


def test_chart_of_many_settings_has_medians() -> None:
    many = [
        Group(
            sweep="one",
            settings={"pruning.compression": c, "criterion": "random"},
            done=1,
            failed=0,
            measures={
                Measure(name="compression"): Interval(c, NAN, NAN),
                Measure(name="test accuracy"): Interval(k / 1000, NAN, NAN),
            },
        )
        for c in (1.0, 4.0)
        for k in range(151)
    ]
    one, four = chart_rows(many)
    assert (one["x"], one["low"], one["value"], one["high"]) == (1.0, 0.0, 0.075, 0.15)
    assert (four["x"], four["settings"], four["series"]) == (
        4.0,
        "151 settings",
        "criterion random",
    )
    assert len(many) > MOST_MARKS
    assert len(chart_rows(many[:-2])) == MOST_MARKS  # all as they are


def test_page_of_a_ledger_alone_has_no_claims() -> None:
    page = Page(report_page(None, sweeps(), parts=PARTS))
    assert [a["id"] for a in page.of("section")] == ["charts", "sweeps", "made"]


def test_page_of_a_run_alone_has_no_sweeps(tmp_path: Path) -> None:
    page = Page(report_page(read_reproduced(reproduced(tmp_path)), None, parts=PARTS))
    assert [a["id"] for a in page.of("section")] == ["claims", "figures", "made"]


@pytest.mark.parametrize("name", FIGURES)
def test_captions_tell_every_figure_of_the_main_job(name: str) -> None:
    caption = caption_of(name)
    assert caption.title != name.replace("-", " ")
    assert len(caption.alt) > 60
    assert name == "verdicts" or any(shows(name, key) for key in CATALOGUE)


def test_slack_is_of_bounds_and_identities() -> None:
    assert slack_text(BOUND) == "1.117 [0.42,\xa011.6]"
    assert slack_text(verdict()) == "off by ≤\xa00.01\xa0%"
    assert slack_text(TREND) == "–"
    assert measured_text(TREND) == "0.1 [−0.2,\xa00.4]"
    assert measured_text(BOUND) == "0.65"


@pytest.mark.parametrize(
    ("ours", "theirs", "expected"),
    [
        ("proven", "holds", "as we say"),
        ("refuted", "refuted", "as we say"),
        ("proven", "refuted", "against us"),
        ("open", "refuted", "decided"),
        ("open", "holds", "decided"),
        ("proven", "inconclusive", "undecided"),
        ("refuted", "not covered", "undecided"),
    ],
)
def test_agreement_is_told(ours: str, theirs: str, expected: str) -> None:
    assert agreement({"we say": ours, "verdict": theirs}) == expected


@pytest.mark.parametrize("value", [NAN, float("inf"), None])
def test_value_text_has_a_dash_for_what_is_unknown(value: Any) -> None:
    assert value_text(value) == "–"


def test_chart_data_has_all_that_a_drawing_names() -> None:
    for chart in (*MOVING, SWEEPS):
        named = set(re.findall(r'"field": "(\w+)"', chart.spec().to_json()))
        assert named <= set(chart_data(chart, [])["columns"]) | {"kind"}
