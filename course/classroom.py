"""What every lesson uses: exercises that check themselves, and pictures with words for them."""

import base64
import io
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from html import escape
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from exercises.judging import Unanswered, WrongAnswer, judge

# A notebook need not have widgets for progress bars; lessons import this before what warns.
warnings.filterwarnings("ignore", message="IProgress not found")
# The folder, if any, to which pictures are saved as well: for slides, and to look at them.
PICTURES = "SPARSEBOUND_PICTURES"
# Where answers go instead of to their judges, while somebody gathers them.
_gathering: list[dict[str, Any]] = []


def check(name: str, answer: Any) -> None:
    """Say whether the answer to an exercise is right; `...` is no answer yet.

    Parameters
    ----------
    name : str
        Of the exercise: the lesson's number and a letter.
    answer : object
        As the exercise asks: a number, numbers, or a function.

    Raises
    ------
    WrongAnswer
        With a hint, if it is wrong.
    ValueError
        If there is no such exercise.
    """
    if _gathering:
        _gathering[-1][name] = answer
        return
    try:
        judge(name, answer)
    except Unanswered:
        print(f"Exercise {name}: not answered yet.")
    except WrongAnswer as wrong:
        raise WrongAnswer(f"Exercise {name}: not yet. {wrong}") from None
    else:
        print(f"Exercise {name}: right.")


@contextmanager
def gathered() -> Iterator[dict[str, Any]]:
    """Gather the answers that `check` is given meanwhile, by name, instead of judging them."""
    _gathering.append({})
    try:
        yield _gathering[-1]
    finally:
        _gathering.pop()


class Picture:
    """A figure as notebooks show it, with words for who cannot see it."""

    def __init__(self, figure: Figure, words: str) -> None:
        stream = io.BytesIO()
        figure.savefig(stream, format="png", dpi=110)
        self.png = stream.getvalue()
        self.words = words

    def __repr__(self) -> str:
        return f"[picture: {self.words}]"

    def _repr_png_(self) -> bytes:
        return self.png

    def _repr_html_(self) -> str:
        data = base64.b64encode(self.png).decode("ascii")
        style = "max-width: 100%; background: white"
        return (
            f'<img style="{style}" alt="{escape(self.words)}" src="data:image/png;base64,{data}">'
        )


def show(figure: Figure, name: str, words: str) -> Picture:
    """Return a figure for a notebook to show, as the last line of a cell.

    Parameters
    ----------
    figure : Figure
    name : str
        Of the file, without ending, in the folder that SPARSEBOUND_PICTURES names, if it does.
    words : str
        What the picture shows, for who cannot see it.

    Raises
    ------
    OSError
        If that folder cannot be written to.
    """
    picture = Picture(figure, words)
    folder = os.environ.get(PICTURES)
    if folder:
        Path(folder).mkdir(parents=True, exist_ok=True)
        (Path(folder) / f"{name}.png").write_bytes(picture.png)
    return picture
