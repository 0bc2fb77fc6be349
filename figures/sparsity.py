"""r_2 and r_inf against sparsity, predicted and attacked: one panel a model family."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, StrMethodFormatter

from empirical.linear import FAMILIES
from empirical.linear_study import LinearCell
from empirical.summary import sparsity_table
from figures.style import BLACK, BLUE, ORANGE, Rows, house_style, save


def _draw(axes: Axes, rows: Rows, name: str) -> None:
    def column(key: str) -> Any:
        return np.array([row[key] for row in rows])

    x, measured = column("nonzero weights"), column(f"{name} attacked")
    low, high = column(f"{name} predicted low"), column(f"{name} predicted high")
    axes.fill_between(x, low, high, color=BLUE, alpha=0.2, lw=0)
    axes.plot(
        x, column(f"{name} predicted"), color=BLUE, lw=1.2, label="predicted, with its 95 % band"
    )
    reach = [measured - column(f"{name} attacked low"), column(f"{name} attacked high") - measured]
    style: dict[str, Any] = {"fmt": "o", "ms": 3, "lw": 0.9, "color": ORANGE}
    axes.errorbar(x, measured, reach, label="measured by attack", **style)
    if name == "r_inf":
        bound = column("r_inf bound")
        axes.plot(x, bound, color=BLACK, lw=1, ls=":", label="two-moment bound")
    axes.set_xscale("log", base=2)
    axes.xaxis.set_major_locator(FixedLocator([1, 4, 16, 64]))
    axes.xaxis.set_major_formatter(StrMethodFormatter("{x:g}"))


def draw(cells: Sequence[LinearCell], out: Path) -> list[Path]:
    """Draw one data set's families side by side; return the files."""
    rows = sparsity_table(cells)
    dataset, eps = rows[0]["dataset"], rows[0]["eps"]
    with house_style():
        figure = Figure(figsize=(14, 5.4))
        panels = figure.subplots(2, len(FAMILIES), sharex=True, sharey="row", squeeze=False)
        for column, family in enumerate(FAMILIES):
            path = [row for row in rows if row["family"] == family]
            for name, axes in zip(("r_2", "r_inf"), panels[:, column], strict=True):
                _draw(axes, path, name)
            panels[0, column].set_title(family.replace(", ", ",\n"))
        panels[0, 0].set(ylabel="r₂ (mean L2 distance)", ylim=(0, None))
        panels[1, 0].set(ylabel=f"r_inf (accuracy, ε = {eps:g})", ylim=(0, 1.02))
        panels[1, len(FAMILIES) // 2].set_xlabel("nonzero weights: sparse left, dense right")
        figure.suptitle(
            f"{dataset}: robustness of linear classifiers, predicted from moments of some inputs"
            " and measured by attack on others (95 % intervals over splits)"
        )
        handles, labels = panels[1, 0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=3)
        return save(figure, rows, out, f"sparsity {dataset}".replace(" ", "-").lower())
