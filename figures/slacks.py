"""By how much claims are obeyed, or violated, by the instances that the falsifier tries."""

import textwrap
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, NullLocator

from figures.bounds import column
from figures.style import BLACK, BLUE, RED, Rows, house_style, save

_COLOURS = {"proven": BLUE, "open": BLACK, "refuted": RED}
_CALLED = {"proven": "we say it is proven", "open": "open", "refuted": "false, some on purpose"}
_LINEAR = 1e-3  # slacks closer to zero than this are drawn in proportion, others by their size
_TICKS = (-1, -0.1, -0.01, 0, 0.01, 0.1, 1)
_SAID = {"upper": "at most", "lower": "at least", "equal": "equal"}
_WIDTH = 72  # letters of a statement


def _order(row: Any) -> tuple[int, bool, float]:
    """Put proven claims first, of those bounds before equalities; then by the least slack."""
    return list(_COLOURS).index(row["standing"]), row["claimed is"] == "equal", -row["least"]


def _name(row: Any) -> str:
    statement = textwrap.shorten(row["statement"], _WIDTH, placeholder=" …")
    return f"{row['claim']} ({_SAID[row['claimed is']]})\n{statement}"


def _told(row: Any) -> str:
    told = f"{row['verdict']}, {row['tried']} tried"
    within = row["claimed is"] == "equal" and row["verdict"] == "not violated"
    return f"{told}\nall within {-row['least']:.0e}" if within else told


def draw(table: Rows, out: Path) -> list[Path]:
    """Draw a `slack_table`, a line a claim; return the files.

    Raises
    ------
    ValueError
        If the table is empty.
    """
    rows = sorted(table, key=_order)
    if not rows:
        raise ValueError("table must hold claims; got none.")
    with house_style():
        figure = Figure(figsize=(11.5, 2.2 + 0.33 * len(rows)))
        axes = figure.subplots()
        for place, row in enumerate(rows):
            color = _COLOURS[row["standing"]]
            violated = row["verdict"] == "violated"
            axes.hlines(place, row["least"], row["most"], color=color, lw=1)
            axes.hlines(place, row["quarter"], row["three quarters"], color=color, lw=6, alpha=0.35)
            axes.plot(row["median"], place, "|", color=color, ms=8, mew=1.6)
            axes.plot(row["least"], place, "X" if violated else "o", color=color, ms=6)
            axes.annotate(
                _told(row), (1.01, place), xycoords=("axes fraction", "data"), va="center"
            )
        axes.axvline(0, color=BLACK, lw=1)
        axes.set_xscale("symlog", linthresh=_LINEAR)
        axes.xaxis.set_major_locator(FixedLocator(_TICKS))
        axes.xaxis.set_minor_locator(NullLocator())
        axes.xaxis.set_major_formatter("{x:g}")
        axes.set(xlim=(-1.2, 1.2), ylim=(len(rows) - 0.4, -0.6))
        axes.set_yticks(np.arange(len(rows)), [_name(row) for row in rows], fontsize=7)
        axes.set_xlabel(
            "slack: by how much an instance obeys the claim, as a share of the larger side or of"
            " its scale\nleft of zero: violated; at zero: met with equality; what is claimed"
            " to be equal can only be missed"
        )
        figure.suptitle(
            "How near do instances come to violating each claim? Short searches, each for the"
            " smallest slack:\nall instances tried that a claim covers. Not violated is no proof;"
            " a false claim may need a longer search."
        )
        figure.legend(handles=_handles(rows), loc="outside lower center", ncols=3)
        return save(figure, rows, out, "slacks")


def _handles(rows: Rows) -> list[Line2D]:
    """Return legend entries: colours of standings that rows have, and what marks mean."""
    had = set(column(rows, "standing").tolist())
    marks: list[dict[str, Any]] = [
        {"marker": "o", "ls": "", "label": "least slack tried, no violation"},
        {"marker": "X", "ls": "", "label": "least slack tried: a violation"},
        {"marker": "|", "ls": "", "ms": 8, "mew": 1.6, "label": "median of those tried"},
        {"lw": 6, "alpha": 0.35, "label": "half of those tried"},
        {"lw": 1, "label": "all tried"},
    ]
    colours = [
        Line2D([], [], color=color, lw=3, label=_CALLED[standing])
        for standing, color in _COLOURS.items()
        if standing in had
    ]
    return [*colours, *(Line2D([], [], color=BLACK, **mark) for mark in marks)]
