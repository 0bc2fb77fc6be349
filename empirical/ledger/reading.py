"""A ledger's rows as a table, and questions to it in SQL."""

import json
import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pandas as pd

from empirical.ledger.database import LedgerError, has_tables, named_errors, read_only
from empirical.ledger.queries import Rows, answer

_ABOUT = ("key", "sweeps", "status", "seconds", "machine", "code", "finished_at", "traceback")
_SELECT = """
SELECT cells.*, group_concat(members.sweep) AS sweeps
FROM cells JOIN members USING (key) GROUP BY cells.key ORDER BY finished_at, cells.key
"""


def results(path: Path, query: str | None = None) -> pd.DataFrame:
    """Return what the cells of a ledger's sweeps gave, one row a cell; or what SQL says of it.

    Rows of cells that no sweep has any more, since its file or a stage changed, are left out.

    Parameters
    ----------
    path : Path
        Opened for reading alone; others may write meanwhile.
    query : str, optional
        SQL on a table `results` with the same columns, in memory. Dotted names are quoted:
        ``SELECT "pruning.compression", avg(accuracy) FROM results GROUP BY 1``.

    Returns
    -------
    DataFrame
        Settings by dotted key and "seed"; what was measured by its name; key, sweeps (with commas
        between), status, seconds, machine, code, finished_at and traceback. Oldest first.

    Raises
    ------
    LedgerError
        If the file is no ledger, or the query is not SQL that fits.
    """
    columns, rows = result_rows(path, query)
    return pd.DataFrame(rows, columns=columns)


def result_rows(
    path: Path, query: str | None = None, *, expected: Sequence[str] = ()
) -> tuple[list[str], Rows]:
    """Return the columns and rows of `results`, each value of its own type: 3 beside none stays 3.

    Parameters
    ----------
    path, query
        As of `results`.
    expected : sequence of str
        Columns that are there even where no cell was run.

    Raises
    ------
    LedgerError
        As `results`.
    """
    if not path.is_file():
        raise LedgerError(f"ledger {path} must be a file; there is none.")
    rows = _rows(path) if has_tables(path) else []
    columns = list(dict.fromkeys(name for row in rows for name in row))
    columns += [name for name in (*expected, *_ABOUT) if name not in columns]
    if query is None:
        return columns, [{name: row.get(name) for name in columns} for row in rows]
    try:
        return answer(rows, columns, query)
    except (sqlite3.Error, sqlite3.Warning, ValueError, OverflowError) as error:
        raise LedgerError(f"query must be one SELECT on results: {error}") from error


def _rows(path: Path) -> Rows:
    with named_errors(path), closing(read_only(path)) as connection:
        connection.row_factory = sqlite3.Row
        return [_flattened(row) for row in connection.execute(_SELECT)]


def _flattened(stored: sqlite3.Row) -> dict[str, Any]:
    """Return settings, measurements and what else is known; a clash of names keeps both."""
    about = {name: stored[name] for name in _ABOUT}
    settings: Mapping[str, Any] = json.loads(stored["settings"])
    measured: Mapping[str, Any] = json.loads(stored["row"] or "{}")
    taken = about.keys() | settings.keys()
    named = {f"row.{name}" if name in taken else name: v for name, v in measured.items()}
    return {**settings, **named, **about}
