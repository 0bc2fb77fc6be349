"""What the cells of sweeps gave, moved by the budget where there is one."""

from collections.abc import Iterable, Mapping
from typing import Any

import altair as alt

from figures.report.moving import ALL, POWERS, SHOWN, Column, Drawing, Moving, Rows, finished

_TEXT = (
    "One mark a setting: the mean over seeds, with Student's 95 % interval over seeds where there"
    " are two or more, given the data and its split. Accuracies are exact for their inputs;"
    " distances and robust accuracies are upper bounds: attacks that fail prove nothing. Of"
    " more than 300 settings, marks are medians over those of like compression, between the least"
    " and the largest."
)


def _rows(table: Iterable[Mapping[str, Any]]) -> Rows:
    return [dict(row) for row in table]


def _spec() -> Drawing:
    x = alt.X(
        "x:Q",
        title="compression (all weights / weights left)",
        scale=alt.Scale(type="log", nice=False),
        axis=alt.Axis(values=POWERS),
    )
    scale = alt.Scale(zero=True)
    color = alt.Color(
        "series:N",
        legend=alt.Legend(
            title=None, orient="top", columns=2, labelLimit=260, symbolLimit=12, symbolOpacity=1
        ),
    )
    shown = alt.Chart(SHOWN).encode(x=x, color=color)
    return finished(
        alt.Chart(ALL).mark_point(opacity=0).encode(x=x, y=alt.Y("value:Q", scale=scale)),
        shown.transform_filter("isValid(datum.low)")
        .mark_rule(opacity=0.6)
        .encode(y=alt.Y("low:Q", title=None, scale=scale), y2="high:Q"),
        shown.mark_point(filled=True, size=50, opacity=0.85).encode(
            y=alt.Y("value:Q", title=None, scale=scale), tooltip=["settings:N", "value:Q"]
        ),
        description="A measure of networks against their compression, a mark a setting. The table"
        " above has the numbers.",
    )


SWEEPS = Moving(
    name="sweeps",
    title="What sweeps gave",
    text=_TEXT,
    table="",
    rows=_rows,
    choices=(Column(name="sweep", label="Sweep"), Column(name="measure", label="Measure")),
    slider=Column(name="eps", label="ε"),
    columns=tuple(
        Column(name=name)
        for name in ("sweep", "measure", "eps", "x", "series", "settings", "value", "low", "high")
    ),
    spec=_spec,
)
