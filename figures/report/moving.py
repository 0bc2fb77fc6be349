"""The record of a chart that a slider moves, and what such charts have in common."""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import altair as alt

Rows = list[dict[str, Any]]
Drawing = alt.LayerChart | alt.FacetChart  # as altair types what it layers
SHOWN, ALL = alt.NamedData(name="shown"), alt.NamedData(name="all")
PREDICTED, MEASURED, BOUND = "predicted", "measured", "upper bound"
KINDS = [PREDICTED, MEASURED, BOUND]
_HEIGHT = 320
# Where axes of sizes have ticks: few enough for a narrow screen.
POWERS = [2.0**k for k in range(14)]
STEPS = [float(f"{step}e{k}") for k in range(-4, 6) for step in (1, 3)]


@dataclass(frozen=True, kw_only=True)
class Column:
    """A column of a chart's rows.

    Parameters
    ----------
    name : str
        Without dots, quotes or brackets: Vega reads names with them as paths.
    label : str, optional
        What people read; a column without is not in the table of numbers.
    """

    name: str
    label: str = ""


@dataclass(frozen=True, kw_only=True)
class Moving:
    """A chart with a slider.

    Parameters
    ----------
    name, title : str
    text : str
        What it shows, and of which kind the numbers are.
    table : str
        The CSV, without its ending, that it draws.
    rows : callable
        Makes its rows of those of the table: text, numbers or None by the name of a column.
    choices : tuple of Column
        Of text; one value each is chosen.
    slider : Column
        Of numbers.
    columns : tuple of Column
        All that rows have.
    spec : callable
        Gives the drawing.
    """

    name: str
    title: str
    text: str
    table: str
    rows: Callable[[Iterable[Mapping[str, Any]]], Rows]
    choices: tuple[Column, ...]
    slider: Column
    columns: tuple[Column, ...]
    spec: Callable[[], Drawing]


def number(text: Any) -> float | None:
    """Return a number of a CSV, rounded to what can be seen; None where there is none.

    Examples
    --------
    >>> number("0.123456789"), number("nan"), number("")
    (0.123457, None, None)
    """
    value = float(text) if text not in {"", None} else float("nan")
    return float(f"{value:.6g}") if abs(value) < float("inf") else None


def kind_colour(*, across: int = 2) -> alt.Color:
    """Return the colours of predictions, measurements and bounds: the page's, light or dark.

    Parameters
    ----------
    across : int
        Entries beside each other in the legend.
    """
    return alt.Color(
        "kind:N",
        scale=alt.Scale(domain=KINDS),
        legend=alt.Legend(title=None, orient="top", columns=across, symbolOpacity=1),
    )


def of_kind(chart: alt.Chart, kind: str) -> alt.Chart:
    """Return a layer whose rows are all of one kind, in its colour."""
    return chart.transform_calculate(kind=json.dumps(kind)).encode(color=kind_colour())


def finished(*layers: alt.Chart, description: str) -> Drawing:
    """Return layers as one chart, as wide as its place."""
    return alt.layer(*layers).properties(width="container", height=_HEIGHT, description=description)
