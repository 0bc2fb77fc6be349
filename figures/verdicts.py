"""The verdict table: what is claimed, what we say of it, and what attacks say."""

import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from empirical.verify import Verdict
from figures.style import house_style, save

# By agreement: as we say, decided where we leave it open, undecided, against us.
_AS_WE_SAY, _DECIDED, _UNDECIDED, _AGAINST_US = "#c7e9c0", "#c6dbef", "#e6e6e6", "#fb6a4a"
_WIDTHS = {"claim": 0.16, "form": 0.07, "we say": 0.06, "verdict": 0.08, "what decides": 0.63}


def verdict_row(verdict: Verdict) -> dict[str, Any]:
    """Return a verdict as one row of a table."""
    return {
        "claim": verdict.claim.key,
        "source": f"{verdict.claim.source.citation}, {verdict.claim.source.place}",
        "statement": verdict.claim.statement,
        "form": verdict.claim.form,
        "we say": verdict.claim.standing,
        "verdict": verdict.status,
        "predicted": verdict.predicted,
        "measured": verdict.measured,
        "low": verdict.interval[0],
        "high": verdict.interval[1],
        "what decides": verdict.summary,
    }


def draw(verdicts: Sequence[Verdict], out: Path) -> list[Path]:
    """Draw the table; return the files."""
    rows = [verdict_row(verdict) for verdict in verdicts]
    shown = [[_wrapped(row[column]) for column in _WIDTHS] for row in rows]
    lines = [max(cell.count("\n") + 1 for cell in cells) for cells in shown]
    with house_style():
        figure = Figure(figsize=(13, 0.5 + 0.2 * sum(lines) + 0.08 * len(lines)))
        axes = figure.subplots()
        axes.set_axis_off()
        table = axes.table(
            shown,
            colLabels=list(_WIDTHS),
            colWidths=list(_WIDTHS.values()),
            cellLoc="left",
            colLoc="left",
            loc="center",
            edges="horizontal",
        )
        table.auto_set_font_size(False)
        unit = 1 / (sum(lines) + 0.4 * len(lines) + 1.5)
        for (row, column), cell in table.get_celld().items():
            cell.set_height(unit * (1.5 if row == 0 else lines[row - 1] + 0.4))
            cell.PAD = 0.01
            if row == 0:
                cell.set_text_props(weight="bold")
            elif list(_WIDTHS)[column] == "verdict":
                cell.visible_edges = "closed"
                cell.set(facecolor=_colour(verdicts[row - 1]), edgecolor="white")
        axes.set_title(
            "What we say of each claim, and what attacks say (green: the same; blue: we leave it"
            " open; grey: undecided; red: against us)"
        )
        return save(figure, rows, out, "verdicts")


def _colour(verdict: Verdict) -> str:
    if verdict.contradicts_us:
        return _AGAINST_US
    if verdict.status in {"inconclusive", "not covered"}:
        return _UNDECIDED
    return _DECIDED if verdict.claim.standing == "open" else _AS_WE_SAY


def _wrapped(text: str) -> str:
    return "\n".join(textwrap.wrap(text, 108))
