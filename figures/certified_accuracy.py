"""Certified accuracy of networks against the size of the attack, under what an attack leaves."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from empirical.network_study import CERTIFICATES, COLUMNS, accuracy_table
from figures.network_sandwich import LOOKS
from figures.style import GREEN, Rows, house_style, save

_BUDGETS, _REACH = 161, 0.97  # how many are drawn; up to which quantile of the attack's distances


def _draw(axes: Axes, rows: Rows) -> None:
    lines: dict[str, Any] = {}
    for name in LOOKS:
        chosen = [(row["eps"], row["accuracy"]) for row in rows if row["what"] == name]
        if chosen:
            lines[name] = np.array(chosen).T
    eps, attacked = lines["attack"]
    best = np.max([lines[name][1] for name in CERTIFICATES], axis=0)
    axes.fill_between(eps, best, attacked, color=GREEN, alpha=0.15, lw=0)
    for name, line in lines.items():
        look = {key: LOOKS[name][key] for key in ("label", "color")}
        dashes = {"exact": (0, (4, 3)), "fast-lin": "--"}.get(name, "-")
        width = {"exact": 1.2, "attack": 2.0}.get(name, 1.3)
        # The exact curve often is the attack's: dashes above it show both.
        axes.plot(*line, ls=dashes, lw=width, zorder=3 if name == "exact" else 2, **look)
    axes.set(xlim=(0, eps[-1]), ylim=(0, 1.02))
    axes.set_xlabel("size ε of the attack, L2 (pixels in [0, 1])")


def draw(tables: Mapping[str, Rows], out: Path) -> list[Path]:
    """Draw a panel for each network's `distance_table`, by its name; return the files.

    Raises
    ------
    ValueError
        If there is no table, or an empty one.
    """
    if not tables or not all(tables.values()):
        raise ValueError(f"tables must hold rows, a table a network; got {dict(tables)!r:.80}.")
    known = [row[COLUMNS["attack"]] for rows in tables.values() for row in rows]
    reach = np.quantile([one for one in known if np.isfinite(one)] or [1.0], _REACH)
    with house_style():
        figure = Figure(figsize=(1.5 + 4.2 * len(tables), 4.6))
        panels = figure.subplots(1, len(tables), sharey=True, squeeze=False)[0]
        drawn: list[dict[str, Any]] = []
        for axes, (name, rows) in zip(panels, tables.items(), strict=True):
            table = accuracy_table(rows, np.linspace(0, reach or 1.0, _BUDGETS))
            _draw(axes, table)
            axes.set_title(f"{name}\n{len(rows)} test digits")
            drawn += [{"network": name, **row} for row in table]
        panels[0].set_ylabel("accuracy under attack")
        figure.suptitle(
            "Share of digits right whatever an attack of size ε does: proven (certificates), exact,"
            " and left by an attack.\nShaded: undecided by certificates and attack. No box."
        )
        handles = panels[0].get_legend_handles_labels()
        figure.legend(*handles, loc="outside lower center", ncols=4)
        return save(figure, drawn, out, "certified-accuracy")
