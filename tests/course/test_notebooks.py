"""Notebooks made of the lessons: one command, nothing overwritten, pictures with words."""

import base64
import subprocess
import sys
from pathlib import Path

import pytest
from matplotlib.figure import Figure

from classroom import PICTURES, show
from tests.course.lessons import COURSE, LESSONS, exercises


def _made(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(COURSE / "make_notebooks.py"), *arguments],
        capture_output=True,
        text=True,
        check=False,
    )


def test_one_command_makes_all_notebooks(tmp_path: Path) -> None:
    pytest.importorskip("jupytext")
    nbformat = pytest.importorskip("nbformat")
    made = _made("--out", str(tmp_path))
    assert made.returncode == 0, made.stderr
    assert sorted(p.stem for p in tmp_path.iterdir()) == [p.stem for p in LESSONS]
    for path in LESSONS:
        notebook = nbformat.read(tmp_path / f"{path.stem}.ipynb", as_version=4)
        nbformat.validate(notebook)
        code = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "code")
        assert all(f'check("{name}"' in code for name in exercises(path))
        assert notebook.cells[0].source.startswith(f"# {path.name[1]}. ")


def test_notebooks_with_answers_are_not_overwritten(tmp_path: Path) -> None:
    pytest.importorskip("jupytext")
    mine = tmp_path / f"{LESSONS[0].stem}.ipynb"
    mine.write_text("mine", encoding="utf-8")
    refused = _made("--out", str(tmp_path), "1")
    assert refused.returncode == 1
    assert "--overwrite" in refused.stderr
    assert mine.read_text(encoding="utf-8") == "mine"
    assert _made("--out", str(tmp_path), "--overwrite", "1").returncode == 0
    assert mine.read_text(encoding="utf-8") != "mine"


@pytest.mark.slow
def test_a_notebook_runs_and_holds_its_pictures(tmp_path: Path) -> None:
    pytest.importorskip("jupytext")
    pytest.importorskip("ipykernel")
    nbformat = pytest.importorskip("nbformat")
    made = _made("--run", "--out", str(tmp_path), "1")
    assert made.returncode == 0, made.stderr
    notebook = nbformat.read(tmp_path / f"{LESSONS[0].stem}.ipynb", as_version=4)
    outputs = [out for cell in notebook.cells for out in cell.get("outputs", [])]
    pictures = [out.data for out in outputs if "image/png" in out.get("data", {})]
    assert len(pictures) == 3
    assert all('alt="' in picture["text/html"] for picture in pictures)
    assert not [out for out in outputs if out.output_type == "error"]


def test_picture_has_words_and_is_saved_where_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(PICTURES, str(tmp_path / "new"))
    picture = show(Figure(figsize=(1, 1)), "0-none", 'nothing, "but" <white>')
    assert (tmp_path / "new" / "0-none.png").read_bytes() == picture._repr_png_()
    html = picture._repr_html_()
    assert 'alt="nothing, &quot;but&quot; &lt;white&gt;"' in html
    assert base64.b64encode(picture.png).decode() in html
    assert repr(picture) == '[picture: nothing, "but" <white>]'


def test_picture_is_not_saved_unless_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(PICTURES, raising=False)
    monkeypatch.setattr(Path, "write_bytes", lambda *_: pytest.fail("saved"))
    show(Figure(figsize=(1, 1)), "0-none", "nothing")
