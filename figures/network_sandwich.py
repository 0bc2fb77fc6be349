"""For each input of a network: what is proven, the exact distance, and what an attack found."""

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from empirical.network_study import CERTIFICATES, COLUMNS
from figures.style import BLACK, BLUE, GREEN, ORANGE, RED, SKY, Rows, house_style, save
from theory.validation import FloatArray

GREY, PURPLE, YELLOW, NAVY = "#888888", "#cc79a7", "#b8a800", "#003a6b"
# By the name of each method: how it is called and drawn. The tightest certificates come last.
LOOKS: dict[str, dict[str, Any]] = {
    "interval": {"label": "interval arithmetic", "color": GREY, "marker": "|"},
    "lipschitz": {"label": "Lipschitz, scaled norms", "color": ORANGE, "marker": "v"},
    "lipsdp": {"label": "Lipschitz, LipSDP", "color": PURPLE, "marker": "s"},
    "fast-lin": {"label": "Fast-Lin", "color": SKY, "marker": "x"},
    "local-lipschitz": {"label": "Lipschitz, on each ball", "color": YELLOW, "marker": "<"},
    "crown": {"label": "CROWN", "color": BLUE, "marker": "+"},
    "alpha-crown": {"label": "CROWN, best slopes", "color": NAVY, "marker": "x"},
    "sdp": {"label": "coupled units (sdp)", "color": GREEN, "marker": "^"},
    "exact": {"label": "exact (branch and bound)", "color": BLACK, "marker": "_"},
    "attack": {"label": "attack (DeepFool, DDN)", "color": RED, "marker": "o"},
}


def _draw(axes: Axes, rows: Rows, scale: FloatArray) -> None:
    """Draw each input's bounds over a scale: 1, or the attack's distance."""
    rank = np.arange(1, len(rows) + 1)
    columns = {name: np.array([row[COLUMNS[name]] for row in rows]) / scale for name in LOOKS}
    best = np.max([columns[name] for name in CERTIFICATES], axis=0)
    axes.fill_between(rank, best, columns["attack"], color=GREEN, alpha=0.15, lw=0, step="mid")
    is_open = np.isnan(columns["exact"])
    low, high = (np.array([row[f"search {side}"] for row in rows]) for side in ("lower", "upper"))
    if is_open.any():
        ends = (low / scale)[is_open], (high / scale)[is_open]
        axes.vlines(rank[is_open], *ends, color=BLACK, lw=1.5, label="exact lies in here")
    for name, look in LOOKS.items():
        size = {"exact": 7, "attack": 6}.get(name, 4.5)
        axes.plot(rank, columns[name], ls="", ms=size, mfc="none", mew=1, **look)
    axes.set_xlim(0, len(rows) + 1)


def draw(rows: Rows, out: Path, *, network: str) -> list[Path]:
    """Draw the inputs of a `distance_table` that the network gets right; return the files.

    Raises
    ------
    ValueError
        If there is none.
    """
    attack = COLUMNS["attack"]
    right = sorted((row for row in rows if row["correct"]), key=lambda row: float(row[attack]))
    if not right:
        raise ValueError(f"rows must hold inputs that the network gets right; got {len(rows)}.")
    closed = sum(not np.isnan(row["exact"]) for row in right)
    attacked = np.array([row[attack] for row in right])
    with house_style():
        figure = Figure(figsize=(9.5, 7))
        above, below = figure.subplots(2, 1, sharex=True)
        _draw(above, right, np.ones_like(attacked))
        _draw(below, right, np.where(np.isfinite(attacked), attacked, np.nan))
        above.set(yscale="log", ylabel="L2 distance to a flip of the label\n(pixels in [0, 1])")
        above.yaxis.set_major_formatter("{x:g}")
        below.set(ylim=(0, 1.05), ylabel="the same, as a share\nof the attack's distance")
        below.set_xlabel("test digits, sorted by the distance that the attack found")
        figure.suptitle(
            f"{network}: how far {len(right)} test digits that it gets right are from a flip.\n"
            "Certificates prove a distance, the attack shows a flip, the exact distance"
            f" ({closed} of {len(right)} found) lies between.\n"
            "Shaded: what the best certificate and the attack leave open. No box."
        )
        handles = above.get_legend_handles_labels()
        figure.legend(*handles, loc="outside lower center", ncols=4)
        return save(figure, right, out, "network-sandwich")
