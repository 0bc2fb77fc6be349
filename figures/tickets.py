"""Lottery tickets by what they are reset to: how accurate and robust, with how few weights."""

from collections.abc import Sequence
from pathlib import Path

from matplotlib.figure import Figure

from empirical.compression_study import CompressionCell
from empirical.compression_tables import compression_table
from figures.bounds import draw_kinds, handles, measure_name, share_axis
from figures.style import BLACK, BLUE, GREEN, ORANGE, RED, SKY, house_style, save

# By training and by what is reset: how it is called and coloured.
_TICKETS = {
    ("adversarial", "original"): ("trained against attacks, reset to their first weights", BLUE),
    ("adversarial", "random"): ("trained against attacks, reset to weights drawn anew", ORANGE),
    ("adversarial", "none"): ("trained against attacks, not reset but trained on", GREEN),
    ("natural", "original"): ("trained naturally, reset to their first weights", BLACK),
    ("natural", "random"): ("trained naturally, reset to weights drawn anew", RED),
    ("natural", "none"): ("trained naturally, not reset but trained on", SKY),
}


def draw(cells: Sequence[CompressionCell], out: Path) -> list[Path]:
    """Draw the accuracy and robust accuracy of lottery tickets, a panel each; return the files.

    Raises
    ------
    ValueError
        If there is no ticket among the cells.
    """
    tickets = [cell for cell in cells if cell.family.startswith("ticket ")]
    if not tickets:
        raise ValueError(f"cells must hold lottery tickets; got {len(cells)} of other families.")
    rows = [
        {"reset": row["family"].removeprefix("ticket "), "weights left": 1 / row["compression"]}
        | row
        for row in compression_table(tickets)
        if row["measure"] != "r_2"
    ]
    measures = list(dict.fromkeys(map(measure_name, rows)))
    shown = {(row["trained"], row["reset"]) for row in rows}
    with house_style():
        figure = Figure(figsize=(1 + 4.2 * len(measures), 5.2))
        row_of_axes = figure.subplots(1, len(measures), sharey=True, squeeze=False)[0]
        for axes, measure in zip(row_of_axes, measures, strict=True):
            own = [row for row in rows if measure_name(row) == measure]
            for ticket, (_, color) in _TICKETS.items():
                chosen = [row for row in own if (row["trained"], row["reset"]) == ticket]
                draw_kinds(axes, chosen, x="weights left", color=color)
            axes.set(title=measure, ylim=(0, 1.03))
            share_axis(axes, [row["weights left"] for row in rows])
        row_of_axes[0].set_ylabel("share of test inputs")
        figure.suptitle(
            "Are there sparse networks that are accurate and robust, and what do they owe to their"
            f" first weights?\nLottery tickets of {rows[0]['model']} on digits, {rows[0]['inputs']}"
            f" test inputs; means and 95 % intervals over {max(r['seeds'] for r in rows)} splits."
            " Shaded: between proof and attack."
        )
        colours = [both for ticket, both in _TICKETS.items() if ticket in shown]
        figure.legend(handles=handles(colours, rows), loc="outside lower center", ncols=3)
        return save(figure, rows, out, "tickets")
