"""Robust accuracy against the size of the attack: exact, bounded, and attacked."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from empirical.curves import NORMS, Comparison, curve_table
from figures.style import BLACK, BLUE, ORANGE, Rows, house_style, save

_COLOURS = {"dense": BLUE, "sparse": ORANGE}
_LOOKS: dict[str, dict[str, Any]] = {
    "exact": {"lw": 1.6},
    "Markov bound": {"lw": 0.9, "ls": ":"},
    "two-moment bound": {"lw": 0.9, "ls": "--"},
    "fgsm": {"ls": "", "marker": "x", "ms": 6},
    "linf_pgd": {"ls": "", "marker": "o", "ms": 7, "mfc": "none"},
    "linf_deepfool": {"ls": "", "marker": "^", "ms": 4},
    "l2_pgd": {"ls": "", "marker": "o", "ms": 7, "mfc": "none"},
    "ddn": {"ls": "", "marker": "+", "ms": 8},
    "l2_deepfool": {"ls": "", "marker": "^", "ms": 4},
    "carlini_wagner": {"ls": "", "marker": "s", "ms": 5, "mfc": "none"},
}


def _draw(axes: Axes, rows: Rows) -> None:
    for name, colour in _COLOURS.items():
        for what, look in _LOOKS.items():
            chosen = [row for row in rows if row["classifier"] == name and row["what"] == what]
            if chosen:
                line = np.array([(row["eps"], row["accuracy"]) for row in chosen]).T
                axes.plot(*line, color=colour, label=what.replace("_", " "), **look)
            if what.endswith("pgd"):  # one set of limits a mark: the attacks share their inputs
                low, high = ([row[side] for row in chosen] for side in ("low", "high"))
                axes.vlines([row["eps"] for row in chosen], low, high, color=colour, lw=0.7)
    ceiling = np.array([(r["eps"], r["accuracy"]) for r in rows if r["what"] == "ceiling"])
    if ceiling.size:
        axes.plot(*ceiling.T, color=BLACK, lw=0.8, label="ceiling of any classifier")
    axes.set(xlim=(0, None), ylim=(0, 1.03))
    axes.locator_params(axis="x", nbins=6)


def draw(
    comparisons: Sequence[Comparison], out: Path, *, carlini_wagner: bool = False
) -> list[Path]:
    """Draw a column a data set and a row a norm; return the files."""
    with house_style():
        figure = Figure(figsize=(3.6 * len(comparisons), 7))
        panels = figure.subplots(2, len(comparisons), sharey=True, squeeze=False)
        rows: list[dict[str, Any]] = []
        for column, comparison in enumerate(comparisons):
            table = curve_table(comparison, carlini_wagner=carlini_wagner)
            rows += table
            for axes, norm in zip(panels[:, column], NORMS, strict=True):
                _draw(axes, [row for row in table if row["norm"] == norm])
                box = "no box" if comparison.box is None else "in the box [0, 1]"
                sizes = {row["classifier"]: row["weights"] for row in table if row["weights"]}
                weights = ", ".join(f"{name}: {size} weights" for name, size in sizes.items())
                axes.set_title(f"{comparison.dataset}, {box}\n{weights}")
                axes.set_xlabel("size of the attack, " + ("L2" if norm == 2 else "L∞"))
        for row in panels:
            row[0].set_ylabel("robust accuracy")
            row[0].legend(*_one_of_each(row), loc="lower left", fontsize=7)
        figure.suptitle(
            "Lines are theory, marks are attacks with their 95 % limits over inputs; blue: dense,"
            " orange: sparse.\nA mark above its solid line: that attack missed flips that exist."
        )
        return save(figure, rows, out, "robust-accuracy")


def _one_of_each(row: Sequence[Axes]) -> tuple[list[Any], list[str]]:
    """Return the legend of a whole row: not every attack is run in every panel."""
    shown: dict[str, Any] = {}
    for axes in row:
        for handle, label in zip(*axes.get_legend_handles_labels(), strict=True):
            shown.setdefault(label, handle)
    return list(shown.values()), list(shown)
