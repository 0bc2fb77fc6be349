"""Exercises: right answers pass, typical mistakes fail with their hint, no answer stops nothing."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from classroom import check, gathered
from exercises.answers import answers_in, newest
from exercises.judging import WrongAnswer, called, judge_number, number, vector
from tests.course.lessons import COURSE, LESSONS, exercises, solutions

NUMBERS = [int(path.name[1]) for path in LESSONS]
ANSWERS = {name: answer for n in NUMBERS for name, answer in solutions(n).ANSWERS.items()}
MISTAKES = [
    pytest.param(name, answer, hint, id=f"{name}-{hint or i}")
    for n in NUMBERS
    for name, mistakes in solutions(n).MISTAKES.items()
    for i, (answer, hint) in enumerate(mistakes)
]


@pytest.mark.parametrize("name", ANSWERS)
def test_solutions_pass(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    check(name, ANSWERS[name])
    assert capsys.readouterr().out == f"Exercise {name}: right.\n"


@pytest.mark.parametrize(("name", "answer", "hint"), MISTAKES)
def test_mistakes_get_their_hint(name: str, answer: Any, hint: str) -> None:
    with pytest.raises(WrongAnswer, match="not yet") as wrong:
        check(name, answer)
    said = str(wrong.value)
    assert hint in said
    assert len(said) > len(f"Exercise {name}: not yet. ") + 20


@pytest.mark.parametrize("name", ANSWERS)
def test_no_answer_stops_nothing(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    check(name, ...)
    if callable(ANSWERS[name]):
        check(name, lambda *arguments: ...)
    check(name, [1.0, ...])
    assert set(capsys.readouterr().out.splitlines()) == {f"Exercise {name}: not answered yet."}


def test_every_exercise_has_a_solution_and_mistakes() -> None:
    asked = [name for path in LESSONS for name in exercises(path)]
    assert asked == list(ANSWERS)
    mistaken = {name for n in NUMBERS for name, tried in solutions(n).MISTAKES.items() if tried}
    assert mistaken == set(asked)


def test_check_refuses_exercises_that_there_are_not() -> None:
    for name in ("1z", "a1", "", "00a"):
        with pytest.raises(ValueError, match="must be that of an exercise"):
            check(name, 1.0)


@pytest.mark.parametrize("answer", ["far", None, [1.0, 2.0], float("nan"), [[1.0]]])
def test_number_refuses_what_is_none(answer: Any) -> None:
    with pytest.raises(WrongAnswer, match="must be"):
        number(answer)


def test_vector_says_how_many_numbers() -> None:
    assert vector([1, 2], 2).tolist() == [1.0, 2.0]
    with pytest.raises(WrongAnswer, match="3 numbers"):
        vector([1, 2], 3)


def test_called_tells_what_a_function_raises() -> None:
    with pytest.raises(WrongAnswer, match=r"fails at \(0\): ZeroDivisionError"):
        called(lambda x: 1 / x, 0)


def test_judge_number_prefers_the_truth_and_gives_the_nearest_hint() -> None:
    hints = {2.0: "twice", 0.5: "half"}
    judge_number(1.001, 1.0, hints, otherwise="else")
    for wrong, hint in ((2.001, "twice"), (0.5, "half"), (1.5, "else")):
        with pytest.raises(WrongAnswer, match=hint):
            judge_number(wrong, 1.0, hints, otherwise="else")
    judge_number(0.001, 0.0, {}, otherwise="else")


def test_gathered_answers_are_not_judged() -> None:
    with gathered() as answers:
        check("1b", [0.0, 0.0])
    assert answers == {"1b": [0.0, 0.0]}


_HANDED_IN = ["from classroom import check\n", "%matplotlib inline\n", "!ls\n"]


def _notebook(path: Path, *lines: str) -> None:
    code = {"cell_type": "code", "source": [*_HANDED_IN, *lines]}
    text = {"cell_type": "markdown", "source": ["no code"]}
    path.write_text(json.dumps({"cells": [text, code]}), encoding="utf-8")


def test_answers_of_a_notebook_and_the_newest_file(tmp_path: Path) -> None:
    _notebook(tmp_path / "01_x.ipynb", 'check("1b", [1, 2])')
    assert answers_in(tmp_path / "01_x.ipynb") == {"1b": [1, 2]}
    script = tmp_path / "01_x.py"
    script.write_text("", encoding="utf-8")
    os.utime(script, (0, 0))
    assert newest(tmp_path, "01_x") == tmp_path / "01_x.ipynb"
    assert newest(tmp_path, "02_x") is None


@pytest.mark.slow
def test_grading_passes_fails_and_skips(tmp_path: Path) -> None:
    stem = LESSONS[0].stem
    _notebook(
        tmp_path / f"{stem}.ipynb",
        'check("1b", [-0.4, 2.8])\n',
        'check("1c", 0.6)\ncheck("1a", ...)',
    )
    options = ["-q", "-n", "0", "-p", "no:cacheprovider", "-rs", f"--answers={tmp_path}"]
    graded = subprocess.run(
        [sys.executable, "-m", "pytest", *options, str(COURSE / "exercises" / "test_exercises.py")],
        cwd=COURSE.parent,
        capture_output=True,
        text=True,
        check=False,
    )
    assert graded.returncode == 1, graded.stdout + graded.stderr
    assert "1 failed, 1 passed" in graded.stdout
    assert "without a box" in graded.stdout
    assert "not answered yet" in graded.stdout
    assert "not checked in that file" in graded.stdout
