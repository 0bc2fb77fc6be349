"""r_2 against sparsity: linear classifiers, predicted and attacked, beside pruned networks."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from empirical.compression_study import CompressionCell
from empirical.compression_tables import LINEAR_FAMILIES, r_2_table
from empirical.linear_study import LinearCell
from figures.bounds import column, draw_kinds, handles, panels, share_axis
from figures.style import BLACK, BLUE, GREEN, ORANGE, RED, house_style, save

# Of linear classifiers by family; of networks by what finds the number.
_COLOURS = {
    **dict(zip(LINEAR_FAMILIES, (BLUE, ORANGE, GREEN), strict=True)),
    "branch and bound": BLACK,
    "DeepFool": RED,
}


def _line(row: Any) -> str:
    return str(row["family"] if row["classifier"] == "linear" else row["what"])


def _title(row: Any) -> str:
    if row["classifier"] == "linear":
        return f"linear classifiers: {row['on']} ({row['inputs']} inputs)"
    network = f"ReLU network {row['on']}: ten digits ({row['inputs']} inputs)"
    return f"{network}\npruned by {row['family']}, {row['trained']} training"


def draw(
    cells: Sequence[CompressionCell], linear_cells: Sequence[LinearCell], out: Path
) -> list[Path]:
    """Draw a panel a data set of linear classifiers, and one a searched network; return files.

    Raises
    ------
    ValueError
        If no cell has distances.
    """
    rows = r_2_table(cells, linear_cells)
    if not rows:
        raise ValueError("cells must hold distances, of networks or linear classifiers; got none.")
    titles = list(dict.fromkeys(map(_title, rows)))
    with house_style():
        figure = Figure(figsize=(10, 2 + 2.9 * -(-len(titles) // 2)))
        for axes, title in zip(panels(figure, len(titles), across=2), titles, strict=True):
            own = [row for row in rows if _title(row) == title]
            for line in dict.fromkeys(map(_line, own)):
                chosen = [row for row in own if _line(row) == line]
                draw_kinds(axes, chosen, x="weights left", color=_COLOURS[line])
            axes.set(title=title, ylabel="r₂ (in units of the inputs)", ylim=(0, None))
            share_axis(axes, column(own, "weights left"))
        figure.suptitle(
            "Does sparsity change r₂, the mean L2 distance to a flip (0 where wrong)?\n"
            "Linear classifiers beside pruned ReLU networks; means and 95 % intervals over splits."
        )
        kinds = {_line(row): row["classifier"] for row in rows}
        colours = [(f"{kinds[k]}: {k}", c) for k, c in _COLOURS.items() if k in kinds]
        figure.legend(handles=handles(colours, rows), loc="outside lower center", ncols=2)
        return save(figure, rows, out, "r2-sparsity")
