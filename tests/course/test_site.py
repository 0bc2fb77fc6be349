"""The site's sources: the catalogue, the reference, the pages, and what the build refuses."""

import doctest
import re
import tomllib
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from tests.course.lessons import COURSE, LESSONS
from tests.course.sites import SITE
from theory.claims import CATALOGUE, Claim, Source

import build  # isort: skip  # beside the pages: tests.course.sites says where
import catalogue  # isort: skip
import docstrings  # isort: skip
import gather  # isort: skip
import mathjax  # isort: skip
import reference  # isort: skip

ROOT = COURSE.parent
PAGES = [*SITE.glob("*.md"), *SITE.glob("howto/*.md")]
HOSTILE = '<script>alert(1)</script> | [x](javascript:y) `c` {py:obj}`z` $a$ *b* \\( "q" &lt;'


@pytest.mark.parametrize("module", [catalogue, docstrings, gather])
def test_examples_say_what_is(module: Any) -> None:
    found = doctest.testmod(module)
    assert found.attempted > 0 == found.failed


def test_site_is_no_package() -> None:
    # Where course/ is on Python's path, a package of this name would hide the library's own.
    assert not (SITE / "__init__.py").exists()


def _claim(**changed: Any) -> Claim:
    plain = {
        "key": "mine.one",
        "source": Source(citation="You 2026", place="Theorem 1", bibtex="@misc{you}"),
        "statement": "all is well",
        "form": "identity",
        "assumptions": ("none",),
        "standing": "open",
        "note": "nothing",
        "predict": len,
    }
    return Claim(**{**plain, **changed})


def _text(markdown: str) -> str:
    """Return what a reader of Markdown sees."""
    parser = pytest.importorskip("markdown_it").MarkdownIt("commonmark").enable("table")
    return unescape(re.sub(r"<[^>]*>", "", parser.render(markdown)))


def _squeezed(text: str) -> str:
    return "".join(text.split())


def test_shown_is_read_as_it_stands() -> None:
    markdown = catalogue.shown(HOSTILE)
    assert _squeezed(_text(markdown)) == _squeezed(HOSTILE)
    parser = pytest.importorskip("markdown_it").MarkdownIt("commonmark")
    html = parser.render(markdown)
    assert "<script" not in html
    assert "<a " not in html
    assert "|" not in re.sub(r"<[^>]*>", "", markdown), "a bar would end the cell of a table"


@pytest.mark.parametrize("claim", CATALOGUE.values(), ids=CATALOGUE)
def test_shown_loses_no_sign_of_a_claim(claim: Claim) -> None:
    for text in (claim.statement, claim.note, *claim.assumptions):
        seen = _squeezed(_text(catalogue.shown(text)))
        # Indices are set low, so that their underscores go, and so do brackets about them.
        bare = r"[_^{}()`₀-₉₊₋⁰¹²³⁺⁻₋ᵀᵏᵢⱼₖ]|r_inf|∞|[0-9+−-]"
        assert len(seen) >= 0.6 * len(_squeezed(text))
        letters = re.sub(bare, "", _squeezed(text))
        assert sum(letter in seen for letter in letters) >= 0.9 * len(letters)


def test_claim_pages_have_every_claim_once() -> None:
    pages = catalogue.claim_pages(CATALOGUE.values())
    anchors = [a for text in pages.values() for a in re.findall(r"^\((.+)\)=$", text, re.MULTILINE)]
    assert sorted(anchors) == sorted(key.replace(".", "-") for key in CATALOGUE)
    linked = re.findall(r"\]\((\w+)\.md#([\w-]+)\)", pages["claims/index.md"])
    assert sorted(anchor for _, anchor in linked) == sorted(anchors)
    assert {f"claims/{name}.md" for name, _ in linked} == set(pages) - {"claims/index.md"}


def test_claim_pages_say_what_we_say() -> None:
    pages = catalogue.claim_pages([_claim(standing="refuted"), _claim(key="other.two")])
    assert "**false as stated**" in pages["claims/mine.md"]
    assert "**open**" in pages["claims/other.md"]
    assert "2 statements" in pages["claims/index.md"]


def test_reference_has_what_pages_and_lessons_import() -> None:
    listed = {name for room in reference.ROOMS for name in reference.modules_of(ROOT, room)}
    texts = [path.read_text(encoding="utf-8") for path in (*PAGES, *LESSONS, ROOT / "README.md")]
    imported = {
        name
        for text in texts
        for name in re.findall(r"^from ((?:theory|empirical)[\w.]*) import", text, re.MULTILINE)
    }
    assert imported
    # What a package passes on may be imported from its parts as well.
    assert {name for name in imported if name.rpartition(".")[0] not in listed} <= listed


def test_reference_needs_docstrings(tmp_path: Path) -> None:
    (tmp_path / "silent.py").write_text("", encoding="utf-8")
    with pytest.raises(ValueError, match=r"silent\.py must have a docstring"):
        reference.first_line(tmp_path, "silent")


def test_as_rst_escapes_signs_but_no_code() -> None:
    lines = [
        "|g| / x*, `a_` and w_.",
        "",
        ">>> f(*a)  # |b|",
        "*",
        "",
        "as::",
        "",
        "    |c|",
        "",
        "|d|",
    ]
    expected = ["\\|g\\| / x\\*, `a_` and w\\_.", *lines[1:9], "\\|d\\|"]
    assert docstrings.as_rst(lines) == expected


def test_lesson_pages_have_a_question_each() -> None:
    pages = gather.lesson_pages(COURSE)
    assert set(pages) == {"lessons/index.md", *(f"lessons/{path.name}" for path in LESSONS)}
    rows = re.findall(
        r"^\| \[(.+)\]\((.+\.py)\) \| (.+) \|$", pages["lessons/index.md"], re.MULTILINE
    )
    assert [name for _, name, _ in rows] == [path.name for path in LESSONS]
    assert all(title.startswith(f"{name[1]}. ") for title, name, _ in rows)
    assert all("?" in question for _, _, question in rows)
    assert set(gather.lesson_pages(COURSE, [1])) == {
        "lessons/index.md",
        f"lessons/{LESSONS[0].name}",
    }


def test_proof_pages_are_all_there() -> None:
    proofs = ROOT / "theory" / "proofs"
    pages = gather.proof_pages(proofs)
    assert set(pages) == {"proofs/index.md", *(f"proofs/{p.name}" for p in proofs.glob("*.md"))}
    assert "untitled" not in pages["proofs/index.md"]


def test_benchmarks_are_those_that_there_are() -> None:
    named = re.findall(r"tests/benchmarks/(\w+)\.py", (SITE / "benchmarks.md").read_text("utf-8"))
    folder = ROOT / "tests" / "benchmarks"
    scripts = {
        p.stem for p in folder.glob("*.py") if f"benchmarks/{p.name}" in p.read_text("utf-8")
    }
    assert set(named) <= {path.stem for path in folder.glob("*.py")}
    assert scripts <= set(named)


def test_citation_is_of_this_version() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    citation = (ROOT / "CITATION.cff").read_text("utf-8")
    assert citation.startswith("cff-version: 1.2.0\n")
    assert f"\nversion: {project['version']}\n" in citation
    assert f"\nlicense: {project['license']}\n" in citation
    assert f"version = {{{project['version']}}}" in (SITE / "cite.md").read_text("utf-8")


def _told(*arguments: str) -> str:
    refused = CliRunner().invoke(build.main, arguments)
    assert refused.exit_code != 0
    assert not isinstance(refused.exception, (ValueError, OSError))
    return refused.output


def test_build_refuses_folders_of_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(build, "_NEEDED", ())
    (tmp_path / "mine.txt").write_text("mine", encoding="utf-8")
    assert "holds other files" in _told("--out", str(tmp_path))
    assert "is a file" in _told("--out", str(tmp_path / "mine.txt"))
    assert "must be in a folder" in _told("--out", str(tmp_path / "mine.txt" / "site"))
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_build_refuses_lessons_that_there_are_not(tmp_path: Path) -> None:
    assert "10 is not in the range" in _told("--out", str(tmp_path / "new"), "--lesson", "10")
    assert "Missing option" in _told()


def test_build_names_what_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(build, "_NEEDED", ("sys", "no_such_package"))
    told = _told("--out", str(tmp_path / "new"))
    assert "no_such_package must be installed; pip install -e '.[site]'" in told
    assert not (tmp_path / "new").exists()


def test_copy_mathjax_refuses_other_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Distribution:
        def locate_file(self, path: str) -> Path:
            found = tmp_path / path
            found.parent.mkdir(parents=True)
            found.write_bytes(b"other")
            return found

    monkeypatch.setattr(mathjax, "distribution", lambda name: Distribution())
    with pytest.raises(ValueError, match=r"must be MathJax 3\.2\.2.*got [0-9a-f]{64}"):
        mathjax.copy_mathjax(tmp_path)


def test_copy_mathjax_names_its_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mathjax, "_PACKAGE", "no-such-package")
    with pytest.raises(ModuleNotFoundError, match="no-such-package must be installed"):
        mathjax.copy_mathjax(tmp_path)
