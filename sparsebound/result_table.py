"""Rows of a ledger as a table to read: what varies, and what was measured of it."""

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

from empirical.ledger import json_cell
from empirical.sweeps.known import KNOWN, NORMS

Rows = Sequence[Mapping[str, Any]]

_MEASURES = ("test_accuracy", "compression")
_OF_NORM = ("mean", "median", "robust_accuracy")
_WIDEST = 40  # characters of a cell; more are cut


def varying(settings: Rows) -> dict[str, list[Any]]:
    """Return the settings that differ between rows, with their values in order of appearance.

    Examples
    --------
    >>> varying([{"seed": 0, "training.rate": 0.1}, {"seed": 1, "training.rate": 0.1}])
    {'seed': [0, 1]}
    """
    found: dict[str, list[Any]] = {}
    for key in (*KNOWN, "seed"):
        values = {json.dumps(row.get(key)): row.get(key) for row in settings}
        if len(values) > 1:
            found[key] = list(values.values())
    return found


def in_order(rows: Rows) -> list[Any]:
    """Return rows in the order of the settings that vary.

    Examples
    --------
    >>> [row["seed"] for row in in_order([{"seed": 10}, {"seed": 2}])]
    [2, 10]
    """
    keys = list(varying(rows))

    def place(row: Mapping[str, Any]) -> list[list[Any]]:
        return [[] if _is_absent(row.get(key)) else [row[key]] for key in keys]  # none first

    return sorted(rows, key=place)


def main_columns(rows: Rows) -> list[str]:
    """Return the columns that are shown if none are asked for."""
    measured = {key for row in rows for key, value in row.items() if not _is_absent(value)}
    named = [f"{norm}_{name}" for norm in NORMS for name in _OF_NORM]
    columns = [*varying(rows), *(key for key in (*_MEASURES, *named) if key in measured)]
    if len({row["sweeps"] for row in rows}) > 1:
        columns.insert(0, "sweeps")
    if any(row["status"] != "done" for row in rows):
        columns.append("status")
    return columns


def aligned(rows: Rows, columns: Sequence[str]) -> str:
    """Return rows as lines of text, numbers to the right.

    Examples
    --------
    >>> print(aligned([{"seed": 0, "l2_mean": 0.25}, {"seed": 10, "l2_mean": None}],
    ...     ["seed", "l2_mean"]))
    seed  l2_mean
       0     0.25
      10        -
    """
    table = [list(columns), *([setting_text(row.get(key)) for key in columns] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    lines = ("  ".join(c.rjust(w) for c, w in zip(line, widths, strict=True)) for line in table)
    return "\n".join(lines)


def setting_text(value: Any) -> str:
    """Return a value as it is shown; a dash if there is none.

    Examples
    --------
    >>> [setting_text(value) for value in (0.123456, [64, 10], None, True, "digits")]
    ['0.1235', '[64, 10]', '-', 'True', 'digits']
    """
    if _is_absent(value):
        return "-"
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, list):
        value = f"[{', '.join(map(setting_text, value))}]"
    text = str(value)
    return text if len(text) <= _WIDEST else f"{text[: _WIDEST - 3]}..."


def plain(value: Any) -> Any:
    """Return a value as a cell of CSV: lists as JSON, nothing for what is absent."""
    return "" if _is_absent(value) else json_cell(value)


def _is_absent(value: Any) -> bool:
    return value is None or (isinstance(value, float) and math.isnan(value))
