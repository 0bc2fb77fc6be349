"""The answers in a lesson, as a script or as a notebook."""

import json
import runpy
import tempfile
import warnings
from pathlib import Path
from typing import Any

from classroom import gathered


def answers_in(path: Path) -> dict[str, Any]:
    """Return the answers of a lesson by the names of its exercises: it is run from top to bottom.

    Parameters
    ----------
    path : Path
        A .py or an .ipynb file.

    Raises
    ------
    OSError, ValueError
        If the file cannot be read.
    Exception
        Whatever the lesson raises.
    """
    with warnings.catch_warnings(), gathered() as answers, tempfile.TemporaryDirectory() as folder:
        warnings.simplefilter("ignore")
        script = path
        if path.suffix == ".ipynb":
            script = Path(folder) / f"{path.stem}.py"
            script.write_text(_code(path), encoding="utf-8")
        runpy.run_path(str(script))
        return answers


def newest(folder: Path, stem: str) -> Path | None:
    """Return the lesson of this name in a folder, the newer of .py and .ipynb; None without."""
    found = [folder / f"{stem}{ending}" for ending in (".ipynb", ".py")]
    return max((p for p in found if p.exists()), key=lambda p: p.stat().st_mtime, default=None)


def _code(notebook: Path) -> str:
    """Return the code of a notebook, without lines for the shell or the notebook itself."""
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    sources = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    lines = "\n".join(sources).splitlines()
    return "\n".join(line for line in lines if not line.lstrip().startswith(("%", "!")))
