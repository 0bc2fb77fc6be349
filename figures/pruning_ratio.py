"""Margin over gradient of networks pruned at random: drawn, trained, and trained on."""

from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from figures.bounds import column, share_axis
from figures.random_pruning import draw_look
from figures.style import BLACK, BLUE, GREEN, ORANGE, RED, Rows, house_style, save

_STAGES = {
    "drawn": "random weights, pruned\n(margin and gradient: root mean squares)",
    "trained": "trained, then pruned\n(margin: mean; gradient: root mean square)",
    "retrained": "trained, pruned, trained on\n(margin: mean; gradient: root mean square)",
}
_MEASURES = {
    "margin": "margin of two outputs\n(score)",
    "gradient": "L2 norm of its gradient\n(score per unit of pixel)",
    "ratio": "margin / gradient:\nL2 distance to a flip, linearised",
    "constant": "probability that\nan output is constant",
}
# By what a row is, and of which kind: how it is called and drawn.
_LOOKS: dict[tuple[str, str], dict[str, Any]] = {
    ("predicted", "exact"): {"label": "predicted: exact", "color": BLACK},
    ("predicted", "estimate"): {"label": "predicted by moments: estimate", "color": BLUE},
    ("predicted, not trained on", "estimate"): {
        "label": "what moments predict without training on",
        "color": BLUE,
        "ls": ":",
    },
    ("measured", "estimate"): {
        "label": "measured, with 95 % intervals",
        "color": RED,
        "marker": "o",
    },
    ("no path, predicted", "exact"): {
        "label": "no path of weights is left: exact (lower bound of constant)",
        "color": GREEN,
    },
    ("no path, measured", "estimate"): {
        "label": "no path of weights is left, measured",
        "color": GREEN,
        "marker": "^",
    },
    ("constant, bound", "upper"): {
        "label": "constant: upper bound (middle: by masks, 95 % sure)",
        "color": ORANGE,
        "ls": "--",
    },
    ("constant, measured", "estimate"): {
        "label": "same output at all test digits, measured",
        "color": RED,
        "marker": "D",
    },
}


_LINEAR = 1e-3  # margins closer to zero than this are drawn in proportion, others by their size


def _draw(axes: Axes, rows: Rows) -> None:
    for (what, kind), look in _LOOKS.items():
        own = [row for row in rows if (row["what"], row["kind"]) == (what, kind)]
        if own:
            draw_look(axes, own, look, x="density")
    ends = {row["density"]: row["value"] for row in rows if row["what"] == "constant, bound"}
    if ends:
        least = [row["value"] for row in rows if row["what"] == "no path, predicted"]
        axes.fill_between(list(ends), least, list(ends.values()), color=ORANGE, alpha=0.15, lw=0)


def draw(table: Rows, out: Path) -> list[Path]:
    """Draw a `ratio_table`: a column a stage, a row a measure; return the files.

    Raises
    ------
    ValueError
        If a stage is missing.
    """
    missing = [stage for stage in _STAGES if stage not in {row["stage"] for row in table}]
    if missing:
        raise ValueError(f"table must have each stage; got none {missing[0]}.")
    with house_style():
        figure = Figure(figsize=(10.5, 10.5))
        grid = figure.subplots(4, 3, sharey="row", sharex=True)
        for row_of_axes, (measure, label) in zip(grid, _MEASURES.items(), strict=True):
            row_of_axes[0].set_ylabel(label)
            for axes, stage in zip(row_of_axes, _STAGES, strict=True):
                own = [row for row in table if (row["stage"], row["measure"]) == (stage, measure)]
                _draw(axes, own)
                share_axis(axes, column(own, "density"))
                axes.set_xlabel("")
        # Means of margins may be negative.
        grid[0, 0].set_yscale("symlog", linthresh=_LINEAR)
        grid[1, 0].set_yscale("log")
        for axes in grid[:2, 0]:
            axes.yaxis.set_major_formatter("{x:g}")
        margins = [row for row in table if row["measure"] == "margin"]
        foot, top = min(0.0, *column(margins, "low")), max(column(margins, "high"))
        grid[0, 0].set_ylim(3 * foot - _LINEAR / 2, 3 * top)
        for axes, title in zip(grid[0], _STAGES.values(), strict=True):
            axes.set_title(title)
        grid[3, 1].set_xlabel("weights left in every layer, at random: sparse left, dense right")
        figure.suptitle(
            f"Does pruning at random bring a flip nearer? Networks {table[0]['network']} without"
            " biases, at test digits:\nthe lead of one output over another, how steep it is, and"
            " their ratio, before and after training.\nBelow: how often an output says nothing of"
            " its input (shaded: between the bounds)."
        )
        found: dict[str, Any] = {}
        for axes in grid.ravel():
            handles, labels = axes.get_legend_handles_labels()
            found |= dict(zip(labels, handles, strict=True))
        ordered = [look["label"] for look in _LOOKS.values() if look["label"] in found]
        figure.legend(
            [found[name] for name in ordered], ordered, loc="outside lower center", ncols=2
        )
        return save(figure, table, out, "pruning-ratio")
