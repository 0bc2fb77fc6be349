"""Statements keep what they say, as MathML and as LaTeX, and nothing in them becomes a command."""

import re
import shutil
import subprocess
import unicodedata
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from figures.report import verdicts_latex
from figures.report.latex import text_latex
from figures.report.maths import statement_html
from tests.figures.reports import HOSTILE, VERDICTS
from theory.claims import CATALOGUE

TEXTS = {
    key: (c.statement, c.note, *c.assumptions, c.source.citation, c.source.place)
    for key, c in CATALOGUE.items()
}
EVIL = r"\input{x} \end{document} $a$ %c #1 a_b x^ ~ {} \ ^ _ w\ \frac_2 & \write18{ls} a_{b"


def tree(text: str) -> ET.Element:
    return ET.fromstring(
        f"<p>{statement_html(text)}</p>".replace("<wbr>", "<wbr/>")
    )  # our own output


def plain(text: str) -> str:
    """Return the signs of a text, small ones as large, without what only marks scripts."""
    text = re.sub(r"_inf\b", "∞", text)
    return re.sub(r"[\s_^{}()]|√\(", "", unicodedata.normalize("NFKC", text)).replace("-", "−")


@pytest.mark.parametrize("key", TEXTS)
def test_statement_html_keeps_every_sign(key: str) -> None:
    # A root is drawn, with its brackets; of scripts, those below come before those above.
    for text in TEXTS[key]:
        found = plain("".join(tree(text).itertext())).replace("√", "")
        assert sorted(found) == sorted(plain(text).replace("√", ""))


def test_statement_html_sets_scripts_and_roots() -> None:
    script = tree("‖w‖₂²").find(".//msubsup")
    assert script is not None
    assert [part.text for part in script] == ["‖", "2", "2"]
    root = tree("≤ √(wᵀΣw) / 2").find(".//msqrt")
    assert root is not None
    assert "".join(root.itertext()) == "wTΣw"
    assert tree("r_inf(ε)").findtext(".//msub/mo") == "∞"
    assert tree("√E‖∇g‖²").find(".//msqrt") is None  # how far the root goes is not said


@pytest.mark.parametrize(
    "text", ["a ridge for L2", "I say a word, fan-in, 8 and 2.5 %", "by r_2_hidden_term."]
)
def test_statement_html_leaves_words_alone(text: str) -> None:
    assert statement_html(text) == text


@pytest.mark.parametrize("text", [HOSTILE, "<b>", "&amp;", 'x" onload="y', "√(", "_", "x_", "√(a"])
def test_statement_html_makes_no_element_of_text(text: str) -> None:
    tags = {element.tag for element in tree(text).iter()}
    assert tags <= {"p", "wbr", "math", "mi", "mn", "mo", "mtext", "mrow", "msub", "msup", "msqrt"}
    assert all(
        set(element.attrib) <= {"mathvariant", "stretchy", "lspace", "rspace"}
        for element in tree(text).iter()
    )


@pytest.mark.parametrize("key", [*TEXTS, "hostile"])
def test_text_latex_is_balanced_and_has_our_commands_alone(key: str) -> None:
    for text in TEXTS.get(key, (EVIL, HOSTILE)):
        found = text_latex(text)
        bare = re.sub(r"\\[{}]", "", found)
        assert bare.count("{") == bare.count("}")
        assert re.sub(r"\\\$", "", found).count("$") % 2 == 0
        names = set(re.findall(r"\\([A-Za-z]+)", found))
        assert not names & {"input", "end", "write", "frac", "document"}


def test_verdicts_latex_has_a_row_a_verdict() -> None:
    rows = verdicts_latex(VERDICTS).split("\\midrule")[1].split("\\bottomrule")[0]
    lines = [line for line in rows.splitlines() if line.endswith("\\\\")]
    assert len(lines) == len(VERDICTS)
    assert all(re.sub(r"\\&", "", line).count("&") == 7 for line in lines)
    assert lines[0].split(" & ")[-3:] == ["1.25", "1.25", "off by $\\leq $ 0.01 \\% \\\\"]
    assert lines[1].endswith("1.117 [0.42, 11.6] \\\\")


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="needs pdflatex (texlive-latex-base)")
def test_verdicts_latex_is_set_by_latex(tmp_path: Path) -> None:
    texts = [*(text for about in TEXTS.values() for text in about), EVIL, HOSTILE]
    (tmp_path / "paper.tex").write_text(
        "\\documentclass{article}\\usepackage[utf8]{inputenc}\\usepackage[T1]{fontenc}"
        "\\usepackage{booktabs,longtable}\\begin{document}"
        + "\n\n".join([verdicts_latex(VERDICTS), *map(text_latex, texts)])
        + "\\end{document}",
        encoding="utf-8",
    )
    done = subprocess.run(
        ["pdflatex", "-interaction=nonstopmode", "-no-shell-escape", "paper.tex"],
        cwd=tmp_path,
        capture_output=True,
        check=False,
    )
    errors = [line for line in done.stdout.splitlines() if line.startswith(b"!")]
    assert errors == []
    assert (tmp_path / "paper.pdf").stat().st_size > 0
