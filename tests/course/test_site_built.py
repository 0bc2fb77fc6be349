"""The site as built: every link leads somewhere, nothing is fetched, twice is the same."""

import re
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from click.testing import CliRunner

from tests.course.lessons import LESSONS
from tests.course.sites import SITE, broken, built, fetched, pages
from theory.claims import CATALOGUE

import build as command  # isort: skip  # beside the pages: tests.course.sites says where
from gather import gather  # isort: skip

# Pages whose cells are run, and the lesson of which the same is tried.
_WITH_CODE = ["tutorial", *(f"howto/{path.stem}" for path in sorted(SITE.glob("howto/*.md")))]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The whole site, without what its pages and lessons print."""
    return built(tmp_path_factory.mktemp("site") / "whole", "--no-run")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site with one lesson, its code run."""
    return built(tmp_path_factory.mktemp("site") / "run", "--lesson", "1")


@pytest.mark.slow
def test_every_link_leads_somewhere(site: Path) -> None:
    found = pages(site)
    assert len(found) > 60
    assert not list(broken(found, site))
    for path, page in found.items():
        assert len(page.ids) == len(set(page.ids)), f"{path}: an id twice"


@pytest.mark.slow
def test_links_elsewhere_are_written_right(site: Path) -> None:
    targets = {link.target for page in pages(site).values() for link in page.links}
    for target in targets:
        parts = urlsplit(target)
        if parts.scheme not in ("", "data"):
            assert parts.scheme == "https", target
            assert re.fullmatch(r"[\w-]+(\.[\w-]+)+", parts.netloc), target
            assert not re.search(r"\s", target), target


@pytest.mark.slow
def test_nothing_is_fetched(site: Path) -> None:
    assert not list(fetched(site))


@pytest.mark.slow
def test_every_picture_has_words(site: Path, run: Path) -> None:
    for folder in (site, run):
        for path, page in pages(folder).items():
            assert all(page.pictures), path


@pytest.mark.slow
def test_all_lessons_claims_and_modules_are_there(site: Path) -> None:
    for path in LESSONS:
        assert (site / "lessons" / f"{path.stem}.html").is_file()
    claims = [page for path, page in pages(site).items() if path.parent.name == "claims"]
    ids = {one for page in claims for one in page.ids}
    assert {key.replace(".", "-") for key in CATALOGUE} <= ids
    text = (site / "reference" / "theory.linear.html").read_text(encoding="utf-8")
    assert 'id="theory.linear.flip_distance"' in text


@pytest.mark.slow
def test_twice_is_the_same(site: Path, tmp_path: Path) -> None:
    again = built(tmp_path / "again", "--no-run")
    names = {path.relative_to(site) for path in site.rglob("*") if path.is_file()}
    assert names == {path.relative_to(again) for path in again.rglob("*") if path.is_file()}
    differing = [
        name for name in names if (site / name).read_bytes() != (again / name).read_bytes()
    ]
    assert not differing


@pytest.mark.slow
def test_what_code_prints_is_the_same(run: Path, tmp_path: Path) -> None:
    again = built(tmp_path / "again", "--lesson", "1")
    names = [f"{name}.html" for name in (*_WITH_CODE, f"lessons/{LESSONS[0].stem}")]
    for name in names:
        assert (run / name).read_bytes() == (again / name).read_bytes(), name


@pytest.mark.slow
def test_pages_hold_what_their_code_prints(run: Path) -> None:
    for name in _WITH_CODE:
        text = (run / f"{name}.html").read_text(encoding="utf-8")
        assert text.count('class="cell_output') >= 3, name
        assert not re.search(r"Traceback|/tmp/|/home/|it/s\]", text), name
    lesson = LESSONS[0]
    shown = lesson.read_text(encoding="utf-8").count("\nshow(")
    page = pages(run)[run / "lessons" / f"{lesson.stem}.html"]
    assert sum(link.target.startswith("data:image/png") for link in page.links) == shown > 0


@pytest.mark.slow
def test_a_page_that_fails_leaves_what_was_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("sphinx", "furo", "myst_nb", "jupytext", "ipykernel"):
        pytest.importorskip(name)

    def gather_one(folder: Path, **_: object) -> None:
        gather(folder, lessons=[1])
        for path in folder.glob("reference/*.md"):  # they take longest
            path.unlink()
        (folder / "index.md").write_text("# One\n\n[two](missing.md)\n", encoding="utf-8")

    monkeypatch.setattr(command, "gather", gather_one)
    out = tmp_path / "site"
    out.mkdir()
    (out / ".buildinfo").write_text("before", encoding="utf-8")
    failed = CliRunner().invoke(command.main, ["--out", str(out), "--no-run"])
    assert failed.exit_code == 1
    assert "missing.md" in failed.output
    assert [path.name for path in tmp_path.iterdir()] == ["site"]
    assert (out / ".buildinfo").read_text(encoding="utf-8") == "before"
