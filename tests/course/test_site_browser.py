"""The site in a browser, opened from disk: formulas set, nothing too wide, nothing fetched."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.course.lessons import LESSONS
from tests.course.sites import built
from tests.sparsebound.browser import PATIENCE, chromium

_PAGES = [
    "index.html",
    "tutorial.html",
    "howto/claim.html",
    "claims/index.html",
    "claims/guo2018.html",
    "proofs/certify.html",
    "reference/theory.linear.html",
    "comparison.html",
    "benchmarks.html",
    *(f"lessons/{path.stem}.html" for path in LESSONS),
]
_UNSET = "return document.querySelectorAll('.math:not(:has(mjx-container))').length"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return built(tmp_path_factory.mktemp("site") / "whole", "--no-run")


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    with chromium(tmp_path_factory.mktemp("profile")) as driver:
        yield driver


def _open(browser: Any, page: Path, width: int, scheme: str) -> None:
    features = [{"name": "prefers-color-scheme", "value": scheme}]
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
    size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    for kind in ("browser", "performance"):
        browser.get_log(kind)  # what was logged before is forgotten
    browser.get(page.as_uri())
    until = time.monotonic() + PATIENCE
    while browser.execute_script(_UNSET):
        assert time.monotonic() < until, "a formula is not set"
        time.sleep(0.05)


def _requested(browser: Any) -> list[str]:
    """Return the addresses that the page asked for, but those of this disk and of itself."""
    messages = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    urls = [
        message["params"]["request"]["url"]
        for message in messages
        if message["method"] == "Network.requestWillBeSent"
    ]
    return [url for url in urls if not url.startswith(("file:", "data:", "chrome"))]


@pytest.mark.browser
@pytest.mark.parametrize(("width", "scheme"), [(360, "dark"), (1440, "light")])
@pytest.mark.parametrize("name", _PAGES)
def test_page_opens_from_disk(site: Path, browser: Any, name: str, width: int, scheme: str) -> None:
    _open(browser, site / name, width, scheme)
    assert not browser.get_log("browser")
    assert not _requested(browser)
    assert not browser.execute_script("return document.querySelectorAll('mjx-merror').length")
    wide = "return document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert browser.execute_script(wide) <= 0
    # What is read: text and its ground differ as the scheme asks.
    ground = "return getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number)"
    assert (sum(browser.execute_script(ground)) < 3 * 128) == (scheme == "dark")


@pytest.mark.browser
def test_search_finds_a_function(site: Path, browser: Any) -> None:
    browser.get(f"{(site / 'search.html').as_uri()}?q=flip_distance")
    until = time.monotonic() + PATIENCE
    found: list[str] = []
    while not any("theory.linear" in one for one in found):
        assert time.monotonic() < until, found
        links = "return [...document.querySelectorAll('#search-results a')].map((a) => a.href)"
        found = browser.execute_script(links)
        time.sleep(0.1)
    assert not browser.get_log("browser")
