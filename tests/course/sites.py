"""The site's modules, sites built for tests, and what their pages link."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

import pytest

SITE = Path(__file__).parents[2] / "course" / "site"
sys.path.insert(0, str(SITE))  # its modules import each other as scripts do


class Link(NamedTuple):
    """What a page points to, and by which tag."""

    tag: str
    target: str


class Page(HTMLParser):
    """A page of HTML: the ids in it, and what it points to."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path = path
        self.ids: list[str] = []
        self.links: list[Link] = []
        self.pictures: list[str | None] = []
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.ids += [value for name, value in attrs if name == "id" and value]
        self.links += [
            Link(tag, given[name] or "") for name in ("href", "src", "srcset") if name in given
        ]
        if tag == "img":
            self.pictures.append(given.get("alt"))


def pages(site: Path) -> dict[Path, Page]:
    """Return the pages of a site by their files."""
    return {path: Page(path) for path in sorted(site.rglob("*.html"))}


def broken(found: dict[Path, Page], site: Path) -> Iterator[str]:
    """Yield the links of pages to files or ids that are not there."""
    for path, page in found.items():
        for _, target in page.links:
            parts = urlsplit(target)
            if parts.scheme or parts.netloc:
                continue
            there = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            if site.resolve() not in (there, *there.parents) or not there.is_file():
                yield f"{path.relative_to(site)}: no file {target}"
            elif parts.fragment and there.suffix == ".html":
                wanted = unquote(parts.fragment)
                if wanted not in found[site / there.relative_to(site.resolve())].ids:
                    yield f"{path.relative_to(site)}: no id {target}"


def fetched(site: Path) -> Iterator[str]:
    """Yield what pages and styles would take from a network when they are opened."""
    for path, page in pages(site).items():
        for tag, target in page.links:
            if tag != "a" and re.match(r"(https?:)?//", target):
                yield f"{path.relative_to(site)}: {tag} {target}"
    for path in sorted(site.rglob("*.css")):
        text = path.read_text(encoding="utf-8")
        for target in re.findall(r"(?:url\(|@import)\s*['\"]?((?:https?:)?//[^'\")\s]+)", text):
            yield f"{path.relative_to(site)}: {target}"


def build(out: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """Run the build command in a process of its own."""
    return subprocess.run(
        [sys.executable, str(SITE / "build.py"), "--out", str(out), *options],
        capture_output=True,
        text=True,
        check=False,
    )


def built(out: Path, *options: str) -> Path:
    """Return a site, built; skip the test where what builds it is not installed."""
    for name in ("sphinx", "furo", "myst_nb", "jupytext", "ipykernel"):
        if os.environ.get("SPARSEBOUND_SITE"):  # then it has to be
            __import__(name)
        pytest.importorskip(name)
    done = build(out, *options)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == str(out / "index.html")
    return out
