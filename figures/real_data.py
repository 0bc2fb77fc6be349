"""Robust accuracy of a sparse classifier on real data: predicted from a half, measured on another.

Data sets side by side, L2 above, L∞ below.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from empirical.plug_in_study import PlugInCell, curve_table, error_table
from figures.bounds import column
from figures.style import BLACK, BLUE, GREEN, ORANGE, RED, Rows, house_style, save

_LOOKS: Mapping[str, dict[str, Any]] = {
    "seen, Gaussian": {
        "label": "predicted: Gaussian, moments of the inputs trained on",
        "color": ORANGE,
        "ls": "--",
    },
    "unseen, Gaussian": {
        "label": "predicted: Gaussian, moments of the same inputs, each by a classifier that has"
        " not seen it",
        "color": BLUE,
    },
    "unseen, smoothed": {
        "label": "predicted: the distances of these classifiers themselves, smoothed",
        "color": GREEN,
        "ls": ":",
        "lw": 2.2,
    },
    "before training": {
        "label": "predicted before training, from the means and deviation of each feature alone",
        "color": RED,
        "ls": "-.",
    },
}
_SHORT = {
    "seen, Gaussian": "seen",
    "unseen, Gaussian": "not seen",
    "unseen, smoothed": "smoothed",
    "before training": "before training",
}
_NORMS = {2.0: "L2", np.inf: "L∞"}


def _draw(axes: Axes, rows: Rows) -> None:
    for what, look in _LOOKS.items():
        own = [row for row in rows if row["what"] == what]
        if own:
            axes.plot(column(own, "eps"), column(own, "accuracy"), **{"lw": 1.5, **look})
    own = [row for row in rows if row["what"] == "measured"]
    at, value, low, high = (column(own, name) for name in ("eps", "accuracy", "low", "high"))
    axes.errorbar(
        at,
        value,
        [value - low, high - value],
        ls="",
        marker="o",
        ms=3,
        mfc="white",
        color=BLACK,
        elinewidth=0.8,
        label="measured on the other half under attack, 95 % limits over splits",
    )
    axes.set(xlim=(0, None), ylim=(0, 1.03))
    axes.locator_params(axis="x", nbins=5)


def _told(errors: Rows) -> str:
    """Return the largest gaps of a split, and what two samples of one law have."""
    gaps = [(_SHORT[row["predictor"]], row["largest"]) for row in errors]
    told = [f"{name} {'unknown' if np.isnan(gap) else f'{gap:.2f}'}" for name, gap in gaps]
    lines = ["gaps: " + ", ".join(told[:3]), *told[3:]]
    return "\n".join([*lines, f"two samples of one law {errors[0]['floor']:.2f}"])


def draw(
    groups: Sequence[Sequence[PlugInCell]], out: Path, *, name: str = "real-data"
) -> list[Path]:
    """Draw a column a data set, its cells together, and a row a norm; return the files.

    Parameters
    ----------
    groups : sequence of sequence of PlugInCell
    out : Path
    name : str
        Of the files, without an ending.

    Raises
    ------
    ValueError
        If there are no data sets.
    """
    if not groups:
        raise ValueError("groups must hold the cells of data sets; got none.")
    with house_style():
        figure = Figure(figsize=(3.1 * len(groups), 8))
        panels = figure.subplots(2, len(groups), sharey=True, squeeze=False)
        drawn: list[Mapping[str, Any]] = []
        for place, cells in enumerate(groups):
            table = [row for row in curve_table(cells) if row["what"] in {"measured", *_LOOKS}]
            errors = [row for row in error_table(cells) if row["predictor"] in _LOOKS]
            drawn += table
            for axes, (norm, called) in zip(panels[:, place], _NORMS.items(), strict=True):
                _draw(axes, [row for row in table if row["norm"] == norm])
                told = _told([row for row in errors if row["norm"] == norm])
                axes.set_xlabel(f"size of the attack ε, {called}\n{told}", fontsize=8)
            used = np.median([cell.nonzeros for cell in cells])
            panels[0, place].set_title(
                f"{cells[0].dataset}\ntrained on {cells[0].trained_on}, uses {used:g} of"
                f" {cells[0].features} features"
            )
        for row in panels:
            row[0].set_ylabel("robust accuracy (no box)")
        figure.suptitle(
            "Can one half of the data say how robust the classifier trained on it is on the other"
            " half? L1 logistic regression, random halves.\nLines: predictions from the training"
            " half alone, means over splits; points: measured. Gaps: the furthest that a line of"
            "\none split is from its points, a mean over splits, and what two samples of one law"
            " of these sizes have: a prediction that is right shows about as much."
        )
        handles = panels[0, 0].get_legend_handles_labels()
        figure.legend(*handles, loc="outside lower center", ncols=1 if len(groups) < 4 else 2)
        return save(figure, drawn, out, name)
