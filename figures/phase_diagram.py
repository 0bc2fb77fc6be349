"""When L1 beats L2: by how many features carry the signal, and how strong the attack is."""

import math
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import FixedLocator, NullLocator

from empirical.before_training_study import RATIO, SIGNAL
from figures.bounds import column
from figures.style import BLACK, BLUE, ORANGE, Rows, house_style, save
from theory.validation import FloatArray

_PANELS = {
    "L2": ("L2 attack", "size of the L2 attack (noise deviations)"),
    "Linf": ("L∞ attack", "√d times the size of the L∞ attack (noise deviations)"),
}
_MAP = LinearSegmentedColormap.from_list("L2 to L1", [BLUE, "#f7f7f7", ORANGE])
_COIN, _ROUNDING, _GREY, _BAND = 0.5, 1e-4, "#bbbbbb", 0.025
# By whether the measured difference is above, below, or not told apart from 0.
_WINNERS: dict[str, dict[str, Any]] = {
    "^": {"label": "measured: L1 more robust"},
    "v": {"label": "measured: L2 more robust"},
    "o": {"label": "measured: not told apart (95 %)"},
}
_MARK: dict[str, Any] = {"edgecolors": BLACK, "linewidths": 0.9, "s": 48, "zorder": 3}


def _winner(row: Any) -> str:
    return "^" if row["low"] > 0 else "v" if row["high"] < 0 else "o"


def _draw(axes: Axes, rows: Rows, levels: FloatArray) -> Any:
    """Draw one attack's differences, its zero line and its points; return the colours."""
    told = [row for row in rows if row["what"] == "predicted"]
    x, y = (np.unique(column(told, name)) for name in ("density", "budget"))
    told.sort(key=lambda row: (row["budget"], row["density"]))
    lead, l1, l2 = (
        np.reshape(column(told, name), (y.size, x.size)) for name in ("value", "l1", "l2")
    )
    least, most = levels[0], levels[-1]
    colours = axes.contourf(x, y, lead.clip(least, most), levels, cmap=_MAP)
    axes.contour(x, y, lead, [0.0], colors=BLACK, linewidths=1.6)
    axes.contourf(x, y, np.maximum(l1, l2), [-1.0, _COIN + _ROUNDING], colors=_GREY)
    for marker in _WINNERS:
        own = [row for row in rows if row["what"] == "measured" and _winner(row) == marker]
        at, size, found = (column(own, name) for name in ("density", "budget", "value"))
        shade: dict[str, Any] = {"cmap": _MAP, "vmin": least, "vmax": most}
        axes.scatter(at, size, c=found, marker=marker, **shade, **_MARK)
    axes.set(xscale="log", xlim=(x[0], x[-1]), ylim=(y[0], y[-1]))
    return colours


def _levels(table: Rows) -> FloatArray:
    """Return the edges of the bands, the same on both sides of 0, as far as the colours matter."""
    leads = [row["value"] for row in table if max(row["l1"], row["l2"]) > _COIN + _ROUNDING]
    bands = math.ceil(np.abs([_BAND, *leads]).max() / _BAND)
    return _BAND * np.arange(-bands, bands + 1)


def draw(table: Rows, out: Path, *, dimension: int) -> list[Path]:
    """Draw a `phase_table`, a panel an attack; return the files.

    Parameters
    ----------
    table : sequence of mapping
    out : Path
    dimension : int
        Of the simulations.

    Raises
    ------
    ValueError
        If the table has not both attacks.
    """
    missing = set(_PANELS) - {row["attack"] for row in table}
    if missing:
        raise ValueError(f"table must have attacks {', '.join(_PANELS)}; got no {missing.pop()}.")
    levels = _levels(table)
    with house_style():
        figure = Figure(figsize=(10, 5.8))
        panels = figure.subplots(1, 2)
        for axes, (attack, (title, label)) in zip(panels, _PANELS.items(), strict=True):
            colours = _draw(axes, [row for row in table if row["attack"] == attack], levels)
            axes.set(
                title=title, xlabel="share of the features that carry the signal", ylabel=label
            )
            axes.xaxis.set(
                major_locator=FixedLocator([2.0**-k for k in range(6)]),
                minor_locator=NullLocator(),
                major_formatter=lambda share, _: f"{100 * share:.3g} %",
            )
        bar = figure.colorbar(
            colours,
            ax=panels,
            label="robust accuracy with L1 less that with L2: above 0 where L1 wins",
        )
        bar.ax.yaxis.set_major_formatter("{x:+.2f}")
        bar.set_ticks(levels[(len(levels) // 2) % 2 :: 2].tolist())
        figure.suptitle(
            "Which penalty makes the more robust classifier, L1 or L2, each at its best strength?"
            " Logistic regression, two Gaussian\nclasses at ±μ, noise of variance 1, ‖μ‖ ="
            f" {SIGNAL:g}, n/d = {RATIO:g}, no attack in training. Colours and line: theory alone,"
            f" d → ∞.\nMarks: scikit-learn at d = {dimension}, filled with the colour of the"
            " difference measured. An L2 attack changes by how much, not which."
        )
        handles = [
            Line2D([], [], color=BLACK, lw=1.6, label="predicted: equally robust"),
            Patch(color=_GREY, label="predicted: neither is better than a coin"),
            *(
                Line2D([], [], ls="", marker=marker, mfc="white", color=BLACK, **look)
                for marker, look in _WINNERS.items()
            ),
        ]
        figure.legend(handles=handles, loc="outside lower center", ncols=3)
        return save(figure, table, out, "phase-diagram")
