"""Every lesson runs from top to bottom and says what its text says."""

import runpy
from pathlib import Path

import pytest

COURSE = Path(__file__).parents[2] / "course"


def test_clipping_breaks_the_bound(capsys: pytest.CaptureFixture[str]) -> None:
    results = runpy.run_path(str(COURSE / "clipping_breaks_the_bound.py"))
    assert results["bound"] == pytest.approx(5 / 6)
    assert (results["free"], results["clipped"]) == (0.0, 1.0)
    # .5 is lost at a rate of 2 without a box, of 1.5 within.
    assert results["free_step"] == pytest.approx(1 / 4)
    assert results["boxed_step"] == pytest.approx(1 / 3)
    assert results["moved"] == 50
    rows = zip(results["budgets"], results["bounds"], results["accuracies"], strict=True)
    violated = [eps for eps, bound, accuracy in rows if accuracy > bound]
    assert violated == pytest.approx([0.275, 0.3, 0.325])
    assert "VIOLATED" in capsys.readouterr().out
