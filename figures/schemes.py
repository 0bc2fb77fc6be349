"""Nine ways of pruning against compression: accuracy, and robustness in three norms."""

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from figures.bounds import compression_axis, draw_kinds, handles
from figures.style import BLACK, RED, SKY, Rows, house_style, save

# By what is removed of a unit: a column. By the unit: a line.
_COLUMNS = {
    "magnitude global": "removed: the smallest\nof all layers",
    "magnitude layer": "removed: the smallest\nof each layer",
    "random layer": "removed: any of each\nlayer, at random",
}
_LINES = {
    "weight": ("single weights pruned", BLACK),
    "kernel": ("kernels pruned", RED),
    "filter": ("filters pruned", SKY),
}


def draw(rows: Rows, out: Path) -> list[Path]:
    """Draw a row a measure, a column a criterion and a line a unit; return the files.

    Parameters
    ----------
    rows : sequence of mapping
        Of `empirical.compression_tables.compression_table`: one model, pruned by schemes.
    out : Path
    """
    measures = list(dict.fromkeys(map(_measure, rows)))
    with house_style():
        figure = Figure(figsize=(8, 2.3 + 1.75 * len(measures)))
        grid = figure.subplots(len(measures), len(_COLUMNS), sharey="row", squeeze=False)
        for across, measure in zip(grid, measures, strict=True):
            own = [row for row in rows if _measure(row) == measure]
            for axes, column in zip(across, _COLUMNS, strict=True):
                _draw(axes, [row for row in own if _place(row)[1] == column])
                compression_axis(axes, [row["compression"] for row in rows])
            across[0].set_ylabel(measure)
        for axes, title in zip(grid[0], _COLUMNS.values(), strict=True):
            axes.set_title(title)
        for axes in grid.flat:
            axes.label_outer()
        # One label for three panels, as it is too long for one.
        grid[-1, 0].set_xlabel("")
        grid[-1, 2].set_xlabel("")
        figure.suptitle(_title(rows))
        entries = handles(list(_LINES.values()), rows)
        figure.legend(handles=entries, loc="outside lower center", ncols=2)
        return save(figure, rows, out, f"compression {rows[0]['model']}".replace(" ", "-").lower())


def _measure(row: Any) -> str:
    if row["measure"] == "distance":
        return "mean L2 distance\nto a flip" if row["norm"] else "mean L0 distance:\npixels changed"
    if row["measure"] == "robust accuracy":
        return f"robust accuracy,\nL∞, ε = {row['eps']}"
    return "accuracy"


def _place(row: Any) -> tuple[str, str]:
    unit, _, column = row["family"].partition(" ")
    return unit, column


def _draw(axes: Axes, rows: Rows) -> None:
    for unit, (_, color) in _LINES.items():
        draw_kinds(axes, [r for r in rows if _place(r)[0] == unit], x="compression", color=color)
    is_accuracy = any(row["measure"] == "accuracy" for row in rows)
    axes.set_ylim(0, 1.03 if is_accuracy else None)


def _title(rows: Rows) -> str:
    coarse = max(row["compression"] for row in rows if _place(row)[0] != "weight")
    unknown = any(np.isnan(row["value"]) for row in rows)
    crosses = "Crosses: not known, as in some split no flip of some input was found.\n"
    return (
        "Nine ways to prune: what is left of accuracy and of robustness, in three norms?\n"
        f"{rows[0]['model']} on 8 × 8 digits, {rows[0]['inputs']} test inputs, pixels stay in"
        f" [0, 1]; means and 95 % intervals over {max(row['seeds'] for row in rows)} splits.\n"
        "Distances are those of the nearest flips found, 0 where the network is wrong.\n"
        f"{crosses if unknown else ''}Kernels and filters: the last layer stays dense, so that they"
        f" end at a compression of {coarse:.1f}."
    )
