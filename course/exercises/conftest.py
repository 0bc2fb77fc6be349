"""Grading: `pytest -n 0 course/exercises`, of the lessons here or in another folder."""

import sys
from pathlib import Path

import pytest

COURSE = Path(__file__).parents[1]
sys.path.insert(0, str(COURSE))


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--answers", default=str(COURSE), help="the folder of the lessons to grade (.py or .ipynb)"
    )


@pytest.fixture
def answers_folder(request: pytest.FixtureRequest) -> Path:
    """Return the folder of the lessons to grade."""
    return Path(request.config.getoption("--answers"))
