"""What every lesson has: a question, numbered equations, pictures with words, few exercises."""

import re
from collections import Counter
from pathlib import Path

import pytest

from tests.course.lessons import COURSE, LESSONS, exercises, words_of

NAMES = [path.stem for path in LESSONS]


@pytest.mark.parametrize("path", LESSONS, ids=NAMES)
def test_equations_are_numbered_once_in_order_and_referred_to(path: Path) -> None:
    text, number = words_of(path), path.name[1]
    labels = re.findall(r"\\tag\{([^}]*)\}", text)
    assert labels == [f"{number}.{i + 1}" for i in range(len(labels))]
    assert labels
    code = path.read_text(encoding="utf-8")
    referred = Counter(re.findall(r"\((\d\.\d+)\)", code))
    assert set(labels) <= set(referred), "an equation that nothing refers to"
    own = {label for label in referred if label.startswith(f"{number}.")}
    assert own <= set(labels), "a reference to an equation that there is not"


def test_references_to_other_lessons_are_to_their_equations() -> None:
    labels = {
        label for path in LESSONS for label in re.findall(r"\\tag\{([^}]*)\}", words_of(path))
    }
    for path in LESSONS:
        referred = set(re.findall(r"\((\d\.\d+)\)", words_of(path)))
        assert referred <= labels, f"{path.name}: {referred - labels}"


@pytest.mark.parametrize("path", LESSONS, ids=NAMES)
def test_lesson_has_its_parts_in_twenty_five_minutes(path: Path) -> None:
    text = words_of(path)
    assert text.startswith(f"# {path.name[1]}. ")
    for part in ("**Question.**", "What to remember", "## Exercises", "**Sources.**"):
        assert text.count(part) == 1, part
    assert "fails when" in text
    assert len(text.split()) <= 3500  # 140 words a minute, formulas among them
    assert 3 <= len(exercises(path)) <= 5
    assert (
        exercises(path) == [f"{path.name[1]}{letter}" for letter in "abcde"][: len(exercises(path))]
    )
    for name in exercises(path):
        assert f"**{name}.**" in text


@pytest.mark.parametrize("path", LESSONS, ids=NAMES)
def test_every_picture_has_words_and_a_name_of_its_own(path: Path) -> None:
    code = path.read_text(encoding="utf-8")
    shown = re.findall(r'^show\(\n\s+figure,\n\s+"([\w-]+)",\n\s+"(.{30,})', code, re.MULTILINE)
    assert len(shown) == code.count("\nshow(") >= 1
    assert len({name for name, _ in shown}) == len(shown)
    assert all(name.startswith(f"{path.name[1]}-") for name, _ in shown)


@pytest.mark.parametrize("path", LESSONS, ids=NAMES)
def test_mathematics_is_closed(path: Path) -> None:
    text = words_of(path)
    assert text.count("$$") % 2 == 0
    inline = re.sub(r"\$\$.*?\$\$", "", text, flags=re.DOTALL)
    inline = re.sub(r"`[^`]*`", "", inline)
    for paragraph in inline.split("\n\n"):
        assert paragraph.count("$") % 2 == 0, paragraph
    for formula in re.findall(r"\$\$.*?\$\$|\$[^$]+\$", re.sub(r"`[^`]*`", "", text), re.DOTALL):
        bare = formula.replace(r"\{", "").replace(r"\}", "")
        assert bare.count("{") == bare.count("}"), formula
        left, right = (re.findall(rf"\\{side}(?![a-z])", formula) for side in ("left", "right"))
        assert len(left) == len(right), formula
        assert formula.isascii(), formula


@pytest.mark.parametrize("path", LESSONS, ids=NAMES)
def test_files_that_a_lesson_names_are_there(path: Path) -> None:
    for name in re.findall(r"`((?:theory|empirical|figures|course)/[\w./]+)`", words_of(path)):
        assert (COURSE.parent / name).exists(), name


def test_the_readme_names_every_lesson() -> None:
    readme = (COURSE / "README.md").read_text(encoding="utf-8")
    assert re.findall(r"\]\((0\d_\w+\.py)\)", readme) == [path.name for path in LESSONS]
    for link in re.findall(r"\]\(([^)#:]+)\)", readme):
        assert (COURSE / link).exists(), link
