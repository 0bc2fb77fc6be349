"""What sweeps gave, as columns of the page's table and as rows of its chart."""

import json
import math
import statistics
from collections.abc import Sequence
from typing import Any

from empirical.intervals import Interval
from empirical.seed_table import Group, Measure

MOST_MARKS = 300  # of a measure in the chart
_MOST_SERIES, _BINS_A_DOUBLING = 8, 8  # where marks stand for many
_COMPRESSION = Measure(name="compression")


def table_columns(groups: Sequence[Group]) -> list[dict[str, Any]]:
    """Return columns by name: of text or numbers, the limits of means beside them."""
    settings = dict.fromkeys(key for group in groups for key in group.settings)
    measures = dict.fromkeys(measure for group in groups for measure in group.measures)
    columns = [_text("sweep", [group.sweep for group in groups])]
    columns += [_settings(key, [group.settings.get(key) for group in groups]) for key in settings]
    columns += [_measured(measure, groups) for measure in measures]
    columns.append(_numbers("cells done", [group.done for group in groups]))
    if any(group.failed for group in groups):
        columns.append(_numbers("failed", [group.failed for group in groups]))
    return columns


def chart_rows(groups: Sequence[Group]) -> list[dict[str, Any]]:
    """Return a row a group and measure, for the chart over compression.

    Of a measure with more groups than can be told apart: a row for those of like compression and
    one series, their median between the least and the largest.
    """
    found: dict[tuple[str, Measure], list[dict[str, Any]]] = {}
    for group in groups:
        for measure, interval in group.measures.items():
            if measure != _COMPRESSION and _COMPRESSION in group.measures:
                row = _row(group, measure, interval)
                found.setdefault((group.sweep, measure), []).append(row)
    return [row for rows in found.values() for row in _gathered(rows)]


def _row(group: Group, measure: Measure, interval: Interval) -> dict[str, Any]:
    return {
        "sweep": group.sweep,
        "measure": measure.name,
        "eps": measure.eps,
        "x": _rounded(group.measures[_COMPRESSION].value),
        "series": _told(group, without="pruning.compression"),
        "settings": _told(group),
        "value": _rounded(interval.value),
        "low": _rounded(interval.low),
        "high": _rounded(interval.high),
    }


def _gathered(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return rows as they are, or those of like compression as one if there are too many."""
    if len(rows) <= MOST_MARKS:
        return rows
    few = len({row["series"] for row in rows}) <= _MOST_SERIES
    bins: dict[tuple[str, int], list[dict[str, Any]]] = {}
    for row in rows:
        if row["x"] and row["value"] is not None:
            place = math.floor(_BINS_A_DOUBLING * math.log2(row["x"]))
            bins.setdefault((row["series"] if few else "all settings", place), []).append(row)
    return [_as_one(series, own) for (series, _), own in bins.items()]


def _as_one(series: str, rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    values = [row["value"] for row in rows]
    return {
        **rows[0],
        "series": series,
        "settings": f"{len(rows)} settings",
        "x": _rounded(statistics.median(row["x"] for row in rows)),
        "value": _rounded(statistics.median(values)),
        "low": min(values),
        "high": max(values),
    }


def measure_title(measure: Measure) -> str:
    """Return what a measure is called.

    Examples
    --------
    >>> measure_title(Measure(name="L∞ robust accuracy", eps=0.1))
    'L∞ robust accuracy, ε = 0.1'
    """
    return measure.name if measure.eps is None else f"{measure.name}, ε = {measure.eps:g}"


def _told(group: Group, *, without: str = "") -> str:
    return ", ".join(
        f"{key.split('.')[-1]} {_plain(value)}"
        for key, value in group.settings.items()
        if key != without
    )


def _settings(key: str, values: Sequence[Any]) -> dict[str, Any]:
    if all(value is None or _is_number(value) for value in values):
        return _numbers(key, values)
    return _text(key, [_plain(value) for value in values])


def _measured(measure: Measure, groups: Sequence[Group]) -> dict[str, Any]:
    found = [group.measures.get(measure) for group in groups]
    column = _numbers(measure_title(measure), [one and _rounded(one.value) for one in found])
    for side in ("low", "high"):
        column[side] = [one and _rounded(getattr(one, side)) for one in found]
    return column


def _numbers(name: str, values: Sequence[Any]) -> dict[str, Any]:
    return {"name": name, "kind": "number", "values": list(values)}


def _text(name: str, values: Sequence[str]) -> dict[str, Any]:
    """Return a column of text, each word once."""
    words = list(dict.fromkeys(values))
    place = {word: i for i, word in enumerate(words)}
    return {"name": name, "kind": "text", "words": words, "values": [place[v] for v in values]}


def _plain(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _rounded(value: float) -> float | None:
    """Return a number as exact as it can be seen; None if it is not known."""
    return float(f"{value:.5g}") if abs(value) < float("inf") else None
