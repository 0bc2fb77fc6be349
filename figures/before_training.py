"""Predicted before training, measured after it: accuracies and sparsity of L1 and L2 penalties."""

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, NullLocator

from empirical.before_training_study import DENSITY, EPS, EPS_INF, RATIO, SIGNAL, STRENGTH
from figures.bounds import column
from figures.style import BLACK, BLUE, ORANGE, Rows, house_style, save

_COLOURS = {"L1": ORANGE, "L2": BLUE}
_MEASURES = {
    "accuracy": "accuracy",
    "robust accuracy, L2": f"robust accuracy,\nL2, ε = {EPS:g}",
    "robust accuracy, Linf": f"robust accuracy,\nL∞, ε = {EPS_INF:g}/√d",
    "share of nonzero weights": "share of weights\nthat are not 0",
}
# How the horizontal axis is called, what stays as it is, and where the columns show the same.
_AXES = {
    "strength": (
        "strength λ of the penalty, λ √d ‖w‖₁ or λ d ‖w‖₂² / 2",
        f"n/d = {RATIO:g}",
        STRENGTH,
    ),
    "ratio": ("n/d, training inputs a feature", f"λ = {STRENGTH:g}", RATIO),
}
_TICKS = {"strength": [0.01, 0.1, 1], "ratio": [0.5, 1, 2, 4, 8]}
_POINT: dict[str, Any] = {"ls": "", "marker": "o", "ms": 4, "mfc": "white"}


def _draw(axes: Axes, rows: Rows) -> None:
    for penalty, color in _COLOURS.items():
        own = [row for row in rows if row["penalty"] == penalty]
        line = [row for row in own if row["what"] == "predicted"]
        axes.plot(column(line, "at"), column(line, "value"), color=color, lw=1.4)
        points = [row for row in own if row["what"] == "measured"]
        at, value, low, high = (column(points, name) for name in ("at", "value", "low", "high"))
        reach = np.abs([low - value, high - value])
        axes.errorbar(at, value, reach, color=color, elinewidth=0.9, **_POINT)
    ceiling = [row for row in rows if row["what"] == "ceiling"]
    if ceiling:
        axes.plot(column(ceiling, "at"), column(ceiling, "value"), color=BLACK, lw=0.8)


def _handles() -> list[Line2D]:
    """Return legend entries: what a line and a point is of each penalty, and the ceiling."""
    lines = [
        Line2D([], [], color=color, lw=1.4, label=f"{penalty} penalty: predicted, d → ∞")
        for penalty, color in _COLOURS.items()
    ]
    points = [
        Line2D([], [], color=color, label=f"{penalty} penalty: measured, 95 % intervals", **_POINT)
        for penalty, color in _COLOURS.items()
    ]
    best = Line2D([], [], color=BLACK, lw=0.8, label="ceiling: best of any classifier")
    return [*lines, *points, best]


def draw(table: Rows, out: Path, *, dimension: int) -> list[Path]:
    """Draw a `curve_table`: strengths left, inputs right, a row a measure; return the files.

    Parameters
    ----------
    table : sequence of mapping
    out : Path
    dimension : int
        Of the simulations.

    Raises
    ------
    ValueError
        If the table has not both columns.
    """
    missing = set(_AXES) - {row["against"] for row in table}
    if missing:
        raise ValueError(f"table must have {', '.join(_AXES)}; got no {missing.pop()}.")
    with house_style():
        figure = Figure(figsize=(9, 10))
        grid = figure.subplots(4, 2, sharey="row", sharex="col")
        for place, (against, (label, fixed, here)) in enumerate(_AXES.items()):
            own = [row for row in table if row["against"] == against]
            for axes, measure in zip(grid[:, place], _MEASURES, strict=True):
                _draw(axes, [row for row in own if row["measure"] == measure])
                axes.axvline(here, color=BLACK, ls=":", lw=0.8)
            axes.set(xscale="log", xlabel=label)
            axes.xaxis.set(
                major_locator=FixedLocator(_TICKS[against]),
                minor_locator=NullLocator(),
                major_formatter="{x:g}",
            )
            grid[0, place].set_title(f"{fixed} (dotted: the same setting in both columns)")
        for axes, name in zip(grid[:, 0], _MEASURES.values(), strict=True):
            axes.set_ylabel(name)
        grid[-1, 0].set_ylim(0, 1.05)
        figure.suptitle(
            "Can robust accuracy be known before training? Logistic regression with an L1 or an L2"
            " penalty.\nTwo Gaussian classes at ±μ, noise of variance 1, ‖μ‖ ="
            f" {SIGNAL:g}, carried equally by {DENSITY:.0%} of the d features.\nLines come from"
            f" theory alone; points are scikit-learn's classifiers at d = {dimension}."
        )
        figure.legend(handles=_handles(), loc="outside lower center", ncols=3)
        return save(figure, table, out, "before-training")
