"""A ledger's rows as a table, and questions to it in SQL."""

import json
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import pandas as pd

from empirical.ledger.database import LedgerError, has_tables, named_errors, read_only

_ABOUT = ("key", "sweeps", "status", "seconds", "machine", "code", "finished_at", "traceback")
_READING = {
    *(sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ),
    *(sqlite3.SQLITE_FUNCTION, sqlite3.SQLITE_RECURSIVE),
}
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
    if not path.is_file():
        raise LedgerError(f"ledger {path} must be a file; there is none.")
    found = _rows(path) if has_tables(path) else []
    table = pd.DataFrame(found, columns=None if found else list(_ABOUT))
    return table if query is None else _answer(table, query, path)


def _rows(path: Path) -> list[dict[str, Any]]:
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


def _answer(table: pd.DataFrame, query: str, path: Path) -> pd.DataFrame:
    with named_errors(path), closing(sqlite3.connect(":memory:")) as connection:
        cells = table.map(lambda value: json.dumps(value) if _is_nested(value) else value)
        cells.to_sql("results", connection, index=False)
        connection.set_authorizer(_allow_reading)
        try:
            return pd.read_sql_query(query, connection)
        except (pd.errors.DatabaseError, TypeError) as error:
            raise LedgerError(f"query must be one SELECT on results: {error}.") from error


def _allow_reading(action: int, *_: object) -> int:
    """Refuse all but reading: ATTACH and VACUUM INTO would make files."""
    return sqlite3.SQLITE_OK if action in _READING else sqlite3.SQLITE_DENY


def _is_nested(value: Any) -> bool:
    return isinstance(value, (list, dict))
