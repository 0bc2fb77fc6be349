"""Gradients of a network pruned at random: bounds and moments as lines, masks drawn as points."""

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from figures.bounds import column
from figures.style import BLACK, BLUE, GREEN, ORANGE, RED, SKY, Rows, house_style, save

# By what is drawn: how it is called and drawn; lines are predicted, points measured.
_LOOKS: dict[str, dict[str, Any]] = {
    "product of densities": {
        "label": "upper bound of the mean: c₂ √(ρ₁ ρ₂ ρ₃), ρ = 1 − α",
        "color": ORANGE,
        "ls": ":",
    },
    "second moment": {
        "label": "upper bound of the mean: √S, second moment of the paths",
        "color": GREEN,
        "ls": "--",
    },
    "sharper": {
        "label": "upper bound of the mean: sharper, by the weights kept in the output's row",
        "color": SKY,
    },
    "moments": {
        "label": "root mean square, by moments: exact left, an estimate right",
        "color": BLUE,
    },
    "root mean square": {"label": "measured: root mean square", "color": BLACK, "marker": "s"},
    "mean": {"label": "measured: mean", "color": RED, "marker": "o"},
}
_PANELS = {
    "output layer": "only the output layer pruned: no unit is turned",
    "all layers": "all layers pruned: masks turn units on and off",
}


def draw_look(axes: Axes, rows: Rows, look: dict[str, Any], *, x: str) -> None:
    """Draw rows against a column: points with intervals if the look has a marker, else a line."""
    at, value, low, high = (column(rows, name) for name in (x, "value", "low", "high"))
    if "marker" in look:
        points: dict[str, Any] = {"ls": "", "ms": 4, "mfc": "white", "elinewidth": 0.9}
        axes.errorbar(at, value, np.abs([low - value, high - value]), **points, **look)
    else:
        axes.plot(at, value, **{"lw": 1.4, **look})


def draw(table: Rows, out: Path) -> list[Path]:
    """Draw a `norm_table`: one layer pruned left, all layers right; return the files.

    Raises
    ------
    ValueError
        If the table has not both.
    """
    missing = set(_PANELS) - {row["pruned"] for row in table}
    if missing:
        raise ValueError(f"table must have {', '.join(_PANELS)} pruned; got no {missing.pop()}.")
    with house_style():
        figure = Figure(figsize=(10, 5.8))
        for axes, (pruned, title) in zip(
            figure.subplots(1, 2, sharey=True), _PANELS.items(), strict=True
        ):
            for what, look in _LOOKS.items():
                own = [row for row in table if (row["pruned"], row["what"]) == (pruned, what)]
                draw_look(axes, own, look, x="alpha")
            axes.set(title=title, yscale="log", xlabel="α: share of the weights pruned, at random")
            axes.xaxis.set_major_formatter(PercentFormatter(1, decimals=0))
            axes.yaxis.set_major_formatter("{x:g}")
        figure.axes[0].set_ylabel("L2 norm of an output's gradient\n(score per unit of pixel)")
        figure.suptitle(
            f"How steep is a trained network ({table[0]['network']}, digits, no biases) when its"
            " weights are pruned at random?\nPoints: over masks drawn and test digits, mean of the"
            " ten outputs, 95 % intervals. A gradient's norm is at most the local Lipschitz\n"
            "constant there; the upper bounds hold for the mean of that constant over masks,"
            " in any region."
        )
        handles = figure.axes[0].get_legend_handles_labels()
        figure.legend(*handles, loc="outside lower center", ncols=2)
        return save(figure, table, out, "random-pruning")
