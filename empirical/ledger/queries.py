"""Questions in SQL to rows that are in memory."""

import difflib
import json
import math
import re
import sqlite3
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from contextlib import closing
from typing import Any

_READING = {
    *(sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ),
    *(sqlite3.SQLITE_FUNCTION, sqlite3.SQLITE_RECURSIVE),
}
# What SQLite reads as one piece: text, names in three kinds of quotes, comments.
_PIECES = re.compile(
    r"""'(?:[^']|'')*'|"(?:[^"]|"")*"|`(?:[^`]|``)*`|\[[^]]*\]|--[^\n]*|/\*.*?(?:\*/|\Z)""",
    re.DOTALL,
)
Rows = list[dict[str, Any]]


def answer(
    rows: Sequence[Mapping[str, Any]], columns: Sequence[str], query: str
) -> tuple[list[str], Rows]:
    """Return the columns and rows of one SELECT on a table `results`.

    Lists and mappings are JSON in it, as of `json_cell`.

    Raises
    ------
    sqlite3.Error, sqlite3.Warning
        If the query is not SQL that fits, or does more than read.
    ValueError
        If it is no question, it names what is no column, or two of its columns have one name.

    Examples
    --------
    >>> rows = [{"a.b": 1}, {"a.b": None}]
    >>> answer(rows, ["a.b"], 'SELECT "a.b" AS x, count(*) AS n FROM results')
    (['x', 'n'], [{'x': 1, 'n': 2}])
    """
    with closing(sqlite3.connect(":memory:")) as connection:
        _fill(connection, rows, columns)
        connection.set_authorizer(_allow_reading)
        _refuse_unknown_names(connection, query, columns)
        cursor = connection.execute(query)
        if cursor.description is None:
            raise ValueError("it asks nothing.")
        names = [str(column[0]) for column in cursor.description]
        for name, count in Counter(names).items():
            if count > 1:
                raise ValueError(f"its columns must have different names (AS); got {name!r} twice.")
        return names, [dict(zip(names, found, strict=True)) for found in cursor]


def never_text(query: str) -> str:
    """Return a query whose names in double quotes cannot be read as text.

    SQLite takes a "name" that it does not know for text, whose mean is 0; not so a `name`.

    Examples
    --------
    >>> never_text('SELECT avg("l2_mean") FROM results')
    'SELECT avg(`l2_mean`) FROM results'
    """
    return _PIECES.sub(_with_backticks, query)


def _with_backticks(found: re.Match[str]) -> str:
    piece = found[0]
    if not piece.startswith('"'):
        return piece
    return "`" + piece[1:-1].replace('""', '"').replace("`", "``") + "`"


def _refuse_unknown_names(
    connection: sqlite3.Connection, query: str, columns: Collection[str]
) -> None:
    try:
        connection.execute(f"EXPLAIN {never_text(query)}")
    except sqlite3.OperationalError as error:
        said, sign, name = str(error).partition("no such column: ")
        if said or not sign:
            raise
        near = difflib.get_close_matches(name, columns, n=3) or ["none"]
        raise ValueError(f"{error}; nearest: {', '.join(near)}.") from error


def json_cell(value: Any) -> Any:
    """Return lists and mappings as JSON, in which what is not finite is null; others as they are.

    Examples
    --------
    >>> json_cell([0.5, float("nan")]), json_cell(3)
    ('[0.5, null]', 3)
    """
    return json.dumps(_finite(value), allow_nan=False) if isinstance(value, (list, dict)) else value


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _finite(part) for name, part in value.items()}
    if isinstance(value, list):
        return [_finite(part) for part in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _fill(
    connection: sqlite3.Connection, rows: Sequence[Mapping[str, Any]], columns: Sequence[str]
) -> None:
    """Make the table; without types, so that every value keeps its own."""
    names = ", ".join('"' + name.replace('"', '""') + '"' for name in columns)
    connection.execute(f"CREATE TABLE results ({names})")
    places = ", ".join("?" for _ in columns)
    values = [[json_cell(row.get(name)) for name in columns] for row in rows]
    connection.executemany(f"INSERT INTO results VALUES ({places})", values)
    connection.commit()


def _allow_reading(action: int, *_: object) -> int:
    """Refuse all but reading: ATTACH and VACUUM INTO would make files."""
    return sqlite3.SQLITE_OK if action in _READING else sqlite3.SQLITE_DENY
