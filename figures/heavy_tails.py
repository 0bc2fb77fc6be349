"""What heavy tails do to predictions from moments, and do not to predictions from a sample."""

import math
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from figures.bounds import column
from figures.style import BLACK, BLUE, GREEN, ORANGE, Rows, house_style, save

_LOOKS: dict[str, dict[str, Any]] = {
    "true moments, Gaussian": {
        "label": "Gaussian, the true mean and variance of the margins",
        "color": ORANGE,
        "marker": "s",
    },
    "unseen, Gaussian": {
        "label": "Gaussian, moments of 400 cross-fitted margins",
        "color": BLUE,
        "marker": "^",
    },
    "unseen, smoothed": {
        "label": "the 400 cross-fitted margins themselves, smoothed",
        "color": GREEN,
        "marker": "o",
    },
}
_TITLES = {
    "common scale": "one chi-square scales all features of an input:\nmargins are Student's t",
    "independent features": "each feature has its own:\nmargins of many weights are nearer to"
    " Gaussian",
}


def draw(table: Rows, out: Path) -> list[Path]:
    """Draw a `student_table`, a panel a kind of noise; return the files.

    Raises
    ------
    ValueError
        If the table has not both kinds.
    """
    missing = set(_TITLES) - {row["noise"] for row in table}
    if missing:
        raise ValueError(
            f"table must have noise of {' and '.join(_TITLES)}; got no {missing.pop()}."
        )
    freedoms = sorted({row["freedom"] for row in table}, reverse=True)
    places = {freedom: place for place, freedom in enumerate(freedoms)}
    rows = [row for row in table if row["predictor"] in _LOOKS]
    with house_style():
        figure = Figure(figsize=(9.5, 5))
        panels = figure.subplots(1, 2, sharey=True)
        for axes, (noise, title) in zip(panels, _TITLES.items(), strict=True):
            own = [row for row in rows if row["noise"] == noise]
            known = [row for row in own if row["predictor"] == "true moments, Gaussian"]
            if not np.isnan(known[0]["known"]):
                axes.plot(
                    [places[row["freedom"]] for row in known],
                    column(known, "known"),
                    color=BLACK,
                    lw=1.2,
                    label="theory: the exact error of the Gaussian formula, true moments",
                )
            for shift, (name, look) in zip((-0.12, 0, 0.12), _LOOKS.items(), strict=True):
                ours = [row for row in own if row["predictor"] == name]
                value, low, high = (column(ours, part) for part in ("largest", "low", "high"))
                at = np.array([places[row["freedom"]] for row in ours]) + shift
                axes.errorbar(
                    at, value, [value - low, high - value], ls="", ms=5, mfc="white", **look
                )
            axes.set(title=title, xlabel="degrees of freedom: tails grow heavier to the right")
            axes.set_xticks(
                range(len(freedoms)), ["∞" if f == math.inf else f"{f:g}" for f in freedoms]
            )
            axes.set_ylim(0, None)
        panels[0].set_ylabel("largest error of robust accuracy over budgets")
        figure.suptitle(
            "How wrong is a prediction of robust accuracy when the noise has Student's tails?"
            " Sparse classifiers, 50 features, L2.\nPoints: means over independent draws with their"
            " 95 % intervals; sampling alone makes errors of some .02 to .04."
        )
        handles = panels[0].get_legend_handles_labels()
        figure.legend(*handles, loc="outside lower center", ncols=2)
        return save(figure, rows, out, "heavy-tails")
