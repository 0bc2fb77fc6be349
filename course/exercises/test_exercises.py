"""Each exercise is a test: it passes, fails with its hint, or is skipped while unanswered."""

import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from exercises.answers import answers_in, newest
from exercises.judging import Unanswered, WrongAnswer, judge

COURSE = Path(__file__).parents[1]
LESSONS = {path.stem[1]: path for path in sorted(COURSE.glob("[0-9]*.py"))}
NAMES = [
    name
    for path in LESSONS.values()
    for name in re.findall(r'^check\("(\w+)"', path.read_text(encoding="utf-8"), re.MULTILINE)
]


@cache
def _answers(path: Path) -> dict[str, Any]:
    return answers_in(path)


@pytest.mark.parametrize("name", NAMES)
def test_exercise(name: str, answers_folder: Path) -> None:
    path = newest(answers_folder, LESSONS[name[0]].stem)
    if path is None:
        pytest.skip(f"{LESSONS[name[0]].stem} is not in {answers_folder}")
    answers = _answers(path)
    if name not in answers:
        pytest.skip("not checked in that file")
    try:
        judge(name, answers[name])
    except Unanswered:
        pytest.skip("not answered yet")
    except WrongAnswer as wrong:
        pytest.fail(str(wrong), pytrace=False)
