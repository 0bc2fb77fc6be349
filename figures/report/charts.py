"""Charts that a slider moves: what is drawn, of which table, and what may be chosen.

A chart is a value; the page filters its rows by what is chosen and hands them to Vega under two
names: "shown", at the slider's place, and "all", wherever it is. To add one, write its `Moving` in
a file of its own and name it in `MOVING`.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import vl_convert

from figures.report.budgets import BUDGETS
from figures.report.masks import MASKS
from figures.report.moving import Moving
from figures.report.strengths import STRENGTHS
from figures.report.sweeps_chart import SWEEPS

MOVING: tuple[Moving, ...] = (BUDGETS, MASKS, STRENGTHS)


@dataclass(frozen=True, kw_only=True)
class ChartParts:
    """What takes long to make of the charts, and is the same whatever they show.

    Parameters
    ----------
    script : str
        Vega, Vega-Lite and Vega-Embed, as JavaScript.
    specs : dict of str to dict
        Vega-Lite, by the name of the chart.
    """

    script: str
    specs: dict[str, dict[str, Any]]


@cache
def chart_parts() -> ChartParts:
    """Return the libraries and the charts, as a page has them in itself: about two seconds."""
    return ChartParts(
        script=vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;"),
        specs={chart.name: json.loads(chart.spec().to_json()) for chart in (*MOVING, SWEEPS)},
    )


def chart_data(chart: Moving, rows: Sequence[Any]) -> dict[str, Any]:
    """Return what the page has to know of a chart: its rows in columns, and what may be chosen."""
    columns = [column.name for column in chart.columns]
    return {
        "name": chart.name,
        "choices": [choice.name for choice in chart.choices],
        "slider": chart.slider.name,
        "unit": chart.slider.label,
        "shown": {column.name: column.label for column in chart.columns if column.label},
        "columns": {name: [row.get(name) for row in rows] for name in columns},
    }
