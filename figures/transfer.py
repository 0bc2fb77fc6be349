"""Which pruned versions of a network are fooled by points crafted on which others."""

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from empirical.measures import TransferMatrix
from empirical.transfer_study import NAME, transfer_table
from figures.style import house_style, save


def draw(matrix: TransferMatrix, out: Path) -> list[Path]:
    """Draw the share of points crafted on the row's network that fool the column's; return files.

    A network and itself, 1 by construction, is left grey: how often its own points fool it stands
    beside its name.
    """
    rows = transfer_table(matrix)
    names, m = matrix.names, len(matrix.names)
    shown = np.where(np.eye(m, dtype=bool), np.nan, matrix.rate)
    with house_style():
        figure = Figure(figsize=(4.2 + 0.85 * m, 2.4 + 0.62 * m))
        axes = figure.subplots()
        axes.grid(visible=False)
        axes.set_facecolor("#e6e6e6")
        image = axes.imshow(shown, vmin=0, vmax=1, cmap="cividis", aspect="auto")
        figure.colorbar(image, ax=axes, format=PercentFormatter(1)).set_label("share that fools")
        for row, (s, t) in zip(rows, np.ndindex(m, m), strict=True):
            color = "white" if shown[s, t] < 0.5 else "black"
            axes.text(t, s, _told(row), ha="center", va="center", color=color)
        axes.set_yticks(range(m), [_source(row) for row in rows[:: m + 1]])
        axes.set_xticks(range(m), [name.replace(" ", "\n") for name in names])
        axes.set(ylabel="points crafted on", xlabel="tried on")
        figure.suptitle(
            f"Do adversarial points of one network fool its pruned versions? {NAME};\n"
            f"L∞, ε = {matrix.eps:g}, pixels stay in [0, 1]; {matrix.right.shape[1]} test inputs."
            " Tried: points that fool their own\nnetwork, of inputs that both networks get right."
        )
        return save(figure, rows, out, "transfer")


def _told(row: Any) -> str:
    if row["source"] == row["target"]:
        return "itself"
    if not row["tried"]:
        return "none\ntried"
    return f"{100 * row['rate']:.0f} %\nof {row['tried']}"


def _source(row: Any) -> str:
    own = "–" if np.isnan(row["source fooled"]) else f"{100 * row['source fooled']:.0f} %"
    return f"{row['source']}\naccuracy {100 * row['source accuracy']:.0f} %, own points fool {own}"
