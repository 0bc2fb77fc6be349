"""The pages of the site, gathered from where they are kept into one folder for Sphinx."""

import re
import shutil
from collections.abc import Collection, Iterable
from pathlib import Path

from catalogue import claim_pages
from mathjax import copy_mathjax
from reference import reference_pages

from theory.claims import CATALOGUE

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
_LESSONS = """\
# The course

Nine lessons for a master's student who has never seen the field, each a question, its theory, a few
lines of the toolkit, pictures, a theorem that fails when an assumption is dropped, and exercises
that check themselves. Reading one takes 25 minutes at most.

The pages are the lessons themselves, run when this site was built. To run one yourself, and to do
the exercises, from a clone:

```bash
pip install -e '.[course]' jupyterlab
python course/make_notebooks.py
jupyter lab course
```
"""
_PROOFS = """\
# The proofs

What the code computes, and why it is right. Labels such as [L1] mark algebraic steps that tests
check with SymPy; the other steps are checked by definition, by solvers and by sampling.
"""


def gather(folder: Path, *, lessons: Collection[int] | None = None) -> None:
    """Put everything that Sphinx needs into a folder.

    Parameters
    ----------
    folder : Path
        Empty.
    lessons : collection of int, optional
        Only these; all if not given.

    Raises
    ------
    OSError
        If something cannot be read or written.
    ModuleNotFoundError, ValueError
        If MathJax is not installed, or is not the one that is known.
    """
    leftovers = shutil.ignore_patterns("__pycache__", ".*")
    shutil.copytree(HERE, folder, dirs_exist_ok=True, ignore=leftovers)
    shutil.copy(ROOT / "pyproject.toml", folder)
    shutil.copytree(ROOT / "figures" / "gallery", folder / "gallery")
    copy_mathjax(folder / "_static")
    pages = {
        **claim_pages(CATALOGUE.values()),
        **reference_pages(ROOT),
        **proof_pages(ROOT / "theory" / "proofs"),
        **lesson_pages(ROOT / "course", lessons),
        "changes.md": (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"),
    }
    for name, text in pages.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def proof_pages(folder: Path) -> dict[str, str]:
    """Return the written proofs as pages, by path."""
    proofs = {path.stem: path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.md"))}
    titles = [f"- [{_title(text)}]({name}.md)" for name, text in proofs.items()]
    index = "\n\n".join([_PROOFS, "\n".join(titles), _toctree(proofs)])
    return {"proofs/index.md": index, **{f"proofs/{k}.md": text for k, text in proofs.items()}}


def lesson_pages(folder: Path, numbers: Collection[int] | None = None) -> dict[str, str]:
    """Return lessons as pages, by path, and a page that lists them with their questions.

    Parameters
    ----------
    folder : Path
        Of the course: lessons begin with two digits.
    numbers : collection of int, optional
        Only these.
    """
    lessons = {
        path.name: path.read_text(encoding="utf-8")
        for path in sorted(folder.glob("[0-9][0-9]_*.py"))
        if numbers is None or int(path.name[:2]) in numbers
    }
    rows = [f"| [{_title(text)}]({name}) | {question(text)} |" for name, text in lessons.items()]
    table = "\n".join(["| lesson | the question |", "|---|---|", *rows])
    index = "\n\n".join([_LESSONS, table, _toctree(name[:-3] for name in lessons)])
    return {"lessons/index.md": index, **{f"lessons/{k}": text for k, text in lessons.items()}}


def question(lesson: str) -> str:
    """Return the question that a lesson begins with, or nothing.

    Examples
    --------
    >>> question("# # 1. T\\n#\\n# **Question.** How far is\\n# it? Far.\\n#\\n# More.")
    'How far is it? Far.'
    """
    found = re.search(r"\*\*Question\.\*\*(.*?)(?:\n#?\s*\n|\Z)", lesson, re.DOTALL)
    return " ".join(found[1].replace("\n#", "\n").split()).replace("|", r"\|") if found else ""


def _title(text: str) -> str:
    """Return the first heading of a page, or of a lesson, which has it in a comment."""
    found = re.search(r"^# # (.+)", text, re.MULTILINE) or re.match(r"# (.+)", text)
    return found[1] if found else "untitled"


def _toctree(names: Iterable[str]) -> str:
    return "\n".join(["```{toctree}", ":hidden:", "", *names, "```", ""])
