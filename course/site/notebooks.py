"""Lessons as notebooks, for Sphinx: what the scripts leave unsaid is said the same each time."""

import jupytext
from nbformat import NotebookNode


def read_lesson(text: str) -> NotebookNode:
    """Return the notebook of a lesson, which is a script in jupytext's py:percent form."""
    notebook = jupytext.reads(text, fmt="py:percent")
    # Known before anything runs, so that code has its colours where nothing is run.
    notebook.metadata["language_info"] = {"name": "python", "pygments_lexer": "ipython3"}
    for number, cell in enumerate(notebook.cells):
        cell["id"] = f"cell-{number}"  # else drawn at random
    return notebook
