"""The lessons as files, texts and runs, for the tests of the course."""

import importlib
import re
import runpy
from pathlib import Path
from typing import Any

COURSE = Path(__file__).parents[2] / "course"
LESSONS = sorted(COURSE.glob("[0-9]*.py"))


def lesson(number: int) -> Path:
    """Return the file of a lesson."""
    return next(path for path in LESSONS if path.name.startswith(f"0{number}_"))


def run(number: int) -> dict[str, Any]:
    """Run a lesson from top to bottom; return what it computed, by its names."""
    return runpy.run_path(str(lesson(number)))


def words_of(path: Path) -> str:
    """Return the text of a lesson: its markdown cells, without the comment signs."""
    cells = re.split(r"^# %%", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
    text = [cell.split("\n\n\n")[0] for cell in cells if cell.startswith(" [markdown]")]
    return "\n".join(re.sub(r"^# ?", "", line) for cell in text for line in cell.splitlines()[1:])


def exercises(path: Path) -> list[str]:
    """Return the names of a lesson's exercises, in their order."""
    return re.findall(r'^check\("(\w+)"', path.read_text(encoding="utf-8"), re.MULTILINE)


def solutions(number: int) -> Any:
    """Return the module that solves a lesson's exercises."""
    return importlib.import_module(f"solutions.lesson_0{number}")
