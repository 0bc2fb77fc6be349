"""Lipschitz bounds of a network against the share of its weights that pruning leaves."""

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, NullLocator, PercentFormatter

from figures.network_sandwich import GREY, PURPLE
from figures.style import BLACK, BLUE, ORANGE, RED, SKY, Rows, house_style, save

_LOOKS: dict[str, dict[str, Any]] = {
    "Frobenius product": {"color": GREY, "marker": "v", "ls": ":"},
    "path norm": {"color": SKY, "marker": "x", "ls": ":"},
    "spectral product": {"color": ORANGE, "marker": "s"},
    "ECLipsE": {"color": BLUE, "marker": "+"},
    "LipSDP-Neuron": {"color": PURPLE, "marker": "D"},
    "sampled": {"color": RED, "marker": "o", "ls": "--"},
}
_PANELS = {
    False: "pruned at once, not retrained",
    True: "pruned step by step, retrained after each step",
}


def _draw(axes: Axes, rows: Rows) -> None:
    for what, look in _LOOKS.items():
        chosen = [row for row in rows if row["what"] == what]
        line = np.array([(row["density"], row["constant"]) for row in chosen]).T
        kind = "proven upper bound" if chosen[0]["kind"] == "upper" else "lower bound, by gradients"
        style: dict[str, Any] = {"ms": 4.5, "lw": 1.2, "mfc": "none", **look}
        axes.plot(*line, label=f"{what} ({kind})", **style)


def draw(table: Rows, out: Path, *, network: str) -> list[Path]:
    """Draw a `lipschitz_table`: not retrained left, retrained right; return the files.

    Raises
    ------
    ValueError
        If the table has not both.
    """
    rows = [{**row, "panel": _PANELS[side]} for side in _PANELS for row in _side(table, side)]
    with house_style():
        figure = Figure(figsize=(9.5, 6))
        panels = figure.subplots(
            2, 2, sharex=True, sharey="row", height_ratios=[3, 1], squeeze=False
        )
        for (above, below), title in zip(panels.T, _PANELS.values(), strict=True):
            shown = [row for row in rows if row["panel"] == title]
            _draw(above, shown)
            above.set(title=title, xscale="log", yscale="log")
            accuracy = {row["density"]: row["accuracy"] for row in shown}
            below.plot(list(accuracy), list(accuracy.values()), color=BLACK, marker=".", lw=1)
            below.set(ylim=(0, 1.03), xlabel="weights left: sparse left, dense right")
            below.xaxis.set_major_locator(FixedLocator([0.05, 0.1, 0.2, 0.5, 1]))
            below.xaxis.set_minor_locator(NullLocator())
            below.xaxis.set_major_formatter(PercentFormatter(1, decimals=0))
        panels[0, 0].set_ylabel("L2 Lipschitz constant of all outputs\n(scores per unit of pixel)")
        panels[1, 0].set_ylabel("test accuracy")
        figure.suptitle(
            f"{network}, its smallest weights pruned:\n"
            "how far the outputs can move when the input moves by 1, and what accuracy is left"
        )
        handles = panels[0, 0].get_legend_handles_labels()
        figure.legend(*handles, loc="outside lower center", ncols=3)
        return save(figure, rows, out, "lipschitz-sparsity")


def _side(table: Rows, retrained: bool) -> list[Any]:
    """Return the rows of networks retrained or not, the one never pruned on either side."""
    rows = [row for row in table if row["retrained"] == retrained or row["density"] == 1]
    if not any(row["density"] < 1 for row in rows):
        raise ValueError("table must hold pruned networks, both retrained and not.")
    return sorted(rows, key=lambda row: -float(row["density"]))
