"""Accuracy and robustness against compression: how networks were pruned, and how trained."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from empirical.compression_study import CompressionCell
from empirical.compression_tables import compression_table
from figures import schemes
from figures.bounds import compression_axis, draw_kinds, handles, measure_name, panels
from figures.style import BLACK, BLUE, GREEN, ORANGE, RED, Rows, house_style, save

# By training and by what is removed of a unit: how it is called and coloured.
_CHOICES = {
    ("natural", "magnitude global"): ("removed: the smallest of all layers", BLUE),
    ("natural", "magnitude layer"): ("removed: the smallest of each layer", GREEN),
    ("natural", "random layer"): ("removed: any of each layer, at random", ORANGE),
    ("natural", "original"): ("lottery tickets, trained naturally", BLACK),
    ("adversarial", "original"): ("lottery tickets, trained against L∞ attacks", RED),
}


def _choice(row: Any) -> tuple[str, str]:
    return row["trained"], row["family"].partition(" ")[2]


def _draw(axes: Axes, rows: Rows) -> None:
    for choice, (_, color) in _CHOICES.items():
        own = [row for row in rows if _choice(row) == choice]
        draw_kinds(axes, own, x="compression", color=color)
    is_distance = bool(rows) and rows[0]["measure"] == "r_2"
    axes.set_ylim(0, None if is_distance else 1.03)
    axes.set_ylabel("r₂ (pixels in [0, 1])" if is_distance else "share of test inputs")


def draw(cells: Sequence[CompressionCell], out: Path) -> list[Path]:
    """Draw the networks of one model, a panel a measure; return the files.

    Those that lose kernels or filters as well are drawn by `figures.schemes`. Of lottery tickets
    only those reset to their original weights are drawn.

    Raises
    ------
    ValueError
        If there is none that is drawn.
    """
    rows = [row for row in compression_table(cells) if _choice(row) in _CHOICES]
    if not rows:
        raise ValueError(f"cells must hold networks pruned by a known scheme; got {len(cells)}.")
    if any(row["family"].startswith(("kernel", "filter")) for row in rows):
        return schemes.draw(rows, out)
    measures = list(dict.fromkeys(map(measure_name, rows)))
    with house_style():
        figure = Figure(figsize=(10.2, 2 + 2.5 * -(-len(measures) // 2)))
        for axes, measure in zip(panels(figure, len(measures), across=2), measures, strict=True):
            _draw(axes, [row for row in rows if measure_name(row) == measure])
            compression_axis(axes, [row["compression"] for row in rows])
            axes.set_title(measure)
        figure.suptitle(_title(rows))
        shown = {_choice(row) for row in rows}
        colours = [both for choice, both in _CHOICES.items() if choice in shown]
        figure.legend(handles=handles(colours, rows), loc="outside lower center", ncols=2)
        return save(figure, rows, out, f"compression {rows[0]['model']}".replace(" ", "-").lower())


def _title(rows: Rows) -> str:
    tickets = any(_choice(row)[1] == "original" for row in rows)
    warning = " Tickets were trained for fewer epochs: compare within a line." if tickets else ""
    return (
        f"What does pruning cost, and does it matter how? {rows[0]['model']} on digits,"
        f" {rows[0]['inputs']} test inputs,\nmeans and 95 % intervals over"
        f" {max(row['seeds'] for row in rows)} splits.{warning}"
    )
