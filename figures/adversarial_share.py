"""Accuracy against the share of adversarial inputs, by compression, and which is best where."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from empirical.compression_study import MLP, CompressionCell
from empirical.share_tables import share_table
from figures.bounds import column
from figures.style import BLUE, Rows, house_style, save

_SHARES, _EPS = np.linspace(0, 1, 41), 0.05
_PANELS = {
    ("natural", "weight magnitude global"): "trained naturally, smallest weights pruned",
    ("adversarial", "ticket original"): "trained against L∞ attacks, lottery tickets",
}
_STATES = {"surely worse than another": "#ffffff", "not surely worse": "#cfe3f1", "best mean": BLUE}


def _draw_lines(axes: Axes, paths: Sequence[Rows]) -> None:
    """Draw a line a compression, with its intervals beside the ends."""
    for j, path in enumerate(paths):
        color = colormaps["viridis"](0.95 * j / len(paths))
        value = column(path, "value")
        axes.plot(column(path, "share"), value, color=color, lw=1.4, label=_name(path))
        for end, off in ((0, j - len(paths)), (-1, j + 1)):
            reach = [path[end][side] for side in ("low", "high")]
            axes.vlines(path[end]["share"] + 0.012 * off, *reach, color=color, lw=1.2)
    axes.set(xlim=(-0.08, 1.08), ylim=(0, 1.03))
    under: Any = {"loc": "upper center", "bbox_to_anchor": (0.5, -0.02), "ncols": len(paths)}
    axes.legend(title="compression", fontsize=8, columnspacing=1.2, **under)


def _draw_best(axes: Axes, paths: Sequence[Rows]) -> None:
    """Draw a strip a compression: where it is best, and where another is surely better."""
    states = [np.where(column(p, "best"), 2, np.where(column(p, "beaten"), 0, 1)) for p in paths]
    half = (_SHARES[1] - _SHARES[0]) / 2
    extent = (-half, 1 + half, len(paths) - 0.5, -0.5)
    look: Any = {"cmap": ListedColormap(list(_STATES.values())), "vmin": 0, "vmax": 2}
    axes.imshow(states, extent=extent, aspect="auto", interpolation="nearest", **look)
    axes.grid(visible=False)
    axes.hlines(np.arange(len(paths) + 1) - 0.5, -half, 1 + half, color="#888888", lw=0.5)
    names = [f"{_name(path)}{', unbeaten' if path[0]['unbeaten'] else ''}" for path in paths]
    axes.set_yticks(range(len(paths)), names)
    axes.set_xlabel("share q of adversarial inputs")


def _name(path: Rows) -> str:
    return f"{path[0]['compression']:.3g}"


def draw(cells: Sequence[CompressionCell], out: Path) -> list[Path]:
    """Draw networks pruned by magnitude, and adversarially trained tickets; return the files.

    Raises
    ------
    ValueError
        If there are none of either.
    """
    tables = {}
    for place, title in _PANELS.items():
        own = [c for c in cells if (c.model, c.trained, c.family) == (MLP, *place)]
        if own:
            tables[title] = share_table(own, _SHARES, eps=_EPS)
    if not tables:
        raise ValueError(f"cells must hold networks of {MLP} pruned step by step; got none.")
    rows = [row for table in tables.values() for row in table]
    with house_style():
        figure = Figure(figsize=(max(8.5, 1 + 4.8 * len(tables)), 6.8))
        shape: Any = {"height_ratios": [2, 1], "sharex": True, "squeeze": False}
        panels = figure.subplots(2, len(tables), **shape)
        for (above, below), (title, table) in zip(panels.T, tables.items(), strict=True):
            levels = dict.fromkeys(row["level"] for row in table)
            paths = [[row for row in table if row["level"] == level] for level in levels]
            _draw_lines(above, paths)
            _draw_best(below, paths)
            above.set_title(title)
        panels[0, 0].set_ylabel("(1 − q) accuracy + q robust accuracy")
        panels[1, 0].set_ylabel("compression")
        figure.suptitle(
            "Which compression is best if a share q of the inputs is adversarial? Upper bounds:"
            f" PGD, L∞, ε = {_EPS:g}, pixels stay in [0, 1].\n{MLP} on digits, {rows[0]['inputs']}"
            f" test inputs; means over {rows[0]['seeds']} splits, 95 % intervals beside the ends.\n"
            "“Surely” holds at 95 % for all pairs together; unbeaten: at no share surely worse."
        )
        strips = [Patch(fc=c, ec="#888888", lw=0.5, label=label) for label, c in _STATES.items()]
        figure.legend(handles=strips[::-1], loc="outside lower center", ncols=3)
        return save(figure, rows, out, "adversarial-share")
