"""One look for all figures, and one way to save them: PNG, SVG and the CSV of what is drawn."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import matplotlib as mpl

mpl.use("Agg")

from matplotlib.figure import Figure

from empirical.whole_files import whole_file, write_table

# Okabe and Ito's colours, told apart by every kind of eye.
BLACK, ORANGE, SKY, GREEN, BLUE, RED = (
    "#000000",
    "#e69f00",
    "#56b4e9",
    "#009e73",
    "#0072b2",
    "#d55e00",
)
Rows = Sequence[Mapping[str, Any]]


@contextmanager
def house_style() -> Iterator[None]:
    """Draw within the house's style."""
    settings: Any = {
        "font.size": 9,
        "axes.titlesize": 9,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.grid": True,
        "grid.alpha": 0.25,
        "grid.linewidth": 0.6,
        "legend.frameon": False,
        "figure.constrained_layout.use": True,
        "text.hinting": "none",  # words are as wide in pixels as in SVG: one layout serves both
        "svg.hashsalt": "sparsebound",  # the same figure gives the same file
    }
    with mpl.rc_context(settings):
        yield


def save(figure: Figure, rows: Rows, out: Path, name: str) -> list[Path]:
    """Save a figure as PNG and SVG and the rows it draws as CSV; return the three paths.

    Parameters
    ----------
    figure : Figure
    rows : sequence of mapping
        One a mark drawn.
    out : Path
        The folder, made if need be.
    name : str
        Of the files, without an ending.

    Raises
    ------
    OSError
        If the folder cannot be written to.
    """
    png, svg, table = (out / f"{name}.{ending}" for ending in ("png", "svg", "csv"))
    with whole_file(png) as p, whole_file(svg) as s, whole_file(table) as t:
        figure.savefig(p, format="png", dpi=160)
        figure.set_layout_engine("none")  # once is enough
        figure.savefig(s, format="svg", metadata={"Date": None})
        with t.open("w", encoding="utf-8", newline="") as stream:
            write_table(rows, stream)
    return [png, svg, table]
