"""The SQLite file of a ledger: made, checked, written in batches by the parent process."""

import os
import sqlite3
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

from empirical.ledger.records import Record, Status
from empirical.ledger.weights import save_weights, weights_folder
from empirical.whole_files import prepare_folder

APPLICATION, SCHEMA = 0x53504244, 1  # "SPBD", in the file's header beside the schema's version
_PATIENCE, _TRIES = 30.0, 5  # seconds that another writer may take; and how often we wait them
_TABLES = """
CREATE TABLE cells (
    key TEXT PRIMARY KEY, settings TEXT NOT NULL, protocols TEXT NOT NULL, seed INTEGER,
    status TEXT NOT NULL CHECK (status IN ('done', 'failed')), "row" TEXT, traceback TEXT,
    seconds REAL NOT NULL, code TEXT NOT NULL, libraries TEXT NOT NULL, machine TEXT NOT NULL,
    finished_at TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE members (
    sweep TEXT NOT NULL, key TEXT NOT NULL, PRIMARY KEY (sweep, key)
) WITHOUT ROWID;
"""
# What is done stays as it is: a cell that two processes ran has the row of the first.
_UPSERT = """
INSERT INTO cells VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (key) DO UPDATE SET
    settings = excluded.settings, protocols = excluded.protocols, seed = excluded.seed,
    status = excluded.status, "row" = excluded."row", traceback = excluded.traceback,
    seconds = excluded.seconds, code = excluded.code, libraries = excluded.libraries,
    machine = excluded.machine, finished_at = excluded.finished_at
WHERE cells.status = 'failed'
"""
_T = TypeVar("_T")


class LedgerError(OSError):
    """A ledger cannot be made, read or written."""


class Ledger:
    """An open ledger. Use `open_ledger`; close it, or use it in a `with`.

    Attributes
    ----------
    path : Path
    """

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self.path = path
        self._connection = connection

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        with named_errors(self.path):
            self._connection.close()

    def set_members(self, sweep: str, keys: Collection[str]) -> None:
        """Write which cells a sweep has; of those that it had before, rows stay in the file.

        Raises
        ------
        LedgerError
            If it cannot be written.
        """

        def change(connection: sqlite3.Connection) -> None:
            connection.execute("DELETE FROM members WHERE sweep = ?", (sweep,))
            pairs = [(sweep, key) for key in keys]
            connection.executemany("INSERT OR IGNORE INTO members VALUES (?, ?)", pairs)

        self._commit(change)

    def record(
        self, records: Sequence[Record], *, weights: Mapping[str, bytes] | None = None
    ) -> None:
        """Write what became of cells: all rows or, on an error, none.

        Again and again gives the same. A cell that is done stays so, with its weights; a failed one
        is replaced.

        Parameters
        ----------
        records : sequence of Record
        weights : mapping from key to bytes, optional
            As packed. Written before the rows are there, and only with the row of the same run: a
            row never speaks of weights that are not there, or not its own.

        Raises
        ------
        LedgerError
            If it cannot be written.
        """
        now, packed = datetime.now(UTC).isoformat(timespec="seconds"), weights or {}

        def change(connection: sqlite3.Connection) -> None:
            for record in records:
                taken = connection.execute(_UPSERT, _columns(record, now)).rowcount
                if taken and record.key in packed:
                    self._save(record.key, packed[record.key])

        if records:
            self._commit(change)

    def _save(self, key: str, packed: bytes) -> None:
        try:
            save_weights(self.path, key, packed)
        except OSError as error:
            raise LedgerError(f"weights beside {self.path}: {error}.") from error

    def statuses(self) -> dict[str, Status]:
        """Return the status of each cell that was run, by key."""
        with named_errors(self.path):
            return dict(self._connection.execute("SELECT key, status FROM cells"))

    def _commit(self, change: Callable[[sqlite3.Connection], object]) -> None:
        with named_errors(self.path):
            _patiently(lambda: _transact(self._connection, change))


def open_ledger(path: Path) -> Ledger:
    """Return the ledger of a file, made if there is none, ready to be written.

    Raises
    ------
    LedgerError
        If the file is something else or of another version, the folder cannot be written, or the
        disk is full.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists():
            has_tables(path)
        prepare_folder(weights_folder(path))
    except LedgerError:
        raise
    except OSError as error:
        raise LedgerError(f"ledger {path} cannot be written: {error}.") from error
    with named_errors(path):
        connection = sqlite3.connect(path, timeout=_PATIENCE, isolation_level=None)
        try:
            _patiently(lambda: _set_up(connection))
        except BaseException:
            connection.close()
            raise
    return Ledger(path, connection)


def has_tables(path: Path) -> bool:
    """Return whether a file is a ledger, or False for one that is empty as yet.

    Raises
    ------
    LedgerError
        If it is something else, or a ledger of another version.
    """
    if path.is_file() and path.stat().st_size == 0:
        return False
    with named_errors(path), closing(read_only(path)) as connection:
        application, version = _marks(connection)
        empty = connection.execute("SELECT count(*) FROM sqlite_master").fetchone() == (0,)
    if empty:  # another process may be about to make the tables
        return False
    if application != APPLICATION:
        raise LedgerError(f"{path} must be a ledger of sparsebound; it is another file.")
    if version != SCHEMA:
        raise LedgerError(f"{path} must be a ledger of version {SCHEMA}; it has {version}.")
    return True


def read_only(path: Path) -> sqlite3.Connection:
    """Return a connection that cannot write."""
    given = path.resolve()
    mode = "ro"
    if not (os.access(given.parent, os.W_OK) or given.with_name(f"{given.name}-wal").exists()):
        mode = "ro&immutable=1"  # else SQLite wants to write beside it
    return sqlite3.connect(f"{given.as_uri()}?mode={mode}", uri=True, timeout=_PATIENCE)


@contextmanager
def named_errors(path: Path) -> Iterator[None]:
    """Raise what SQLite raises as a LedgerError that names the file."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        if getattr(error, "sqlite_errorname", "") == "SQLITE_NOTADB":
            raise LedgerError(f"{path} must be a ledger of sparsebound: {error}.") from error
        raise LedgerError(f"ledger {path}: {error}.") from error


def _set_up(connection: sqlite3.Connection) -> None:
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    _transact(connection, _make_tables)


def _make_tables(connection: sqlite3.Connection) -> None:
    """Make what is missing; always write, so that a disk that is full shows."""
    if _marks(connection) == (0, 0):
        for statement in filter(str.strip, _TABLES.split(";")):
            connection.execute(statement)
    connection.execute(f"PRAGMA application_id = {APPLICATION}")
    connection.execute(f"PRAGMA user_version = {SCHEMA}")


def _marks(connection: sqlite3.Connection) -> tuple[int, int]:
    application, version = (
        connection.execute(f"PRAGMA {name}").fetchone()[0]
        for name in ("application_id", "user_version")
    )
    return application, version


def _transact(
    connection: sqlite3.Connection, change: Callable[[sqlite3.Connection], object]
) -> None:
    connection.execute("BEGIN IMMEDIATE")
    try:
        change(connection)
        connection.execute("COMMIT")
    except BaseException:
        with suppress(sqlite3.Error):  # SQLite may have rolled back by itself
            connection.execute("ROLLBACK")
        raise


def _patiently(action: Callable[[], _T]) -> _T:
    """Return what the action returns, tried again while another process writes."""
    for attempt in range(_TRIES - 1):
        try:
            return action()
        except sqlite3.OperationalError as error:
            if not getattr(error, "sqlite_errorname", "").startswith("SQLITE_BUSY"):
                raise
            time.sleep(0.1 * (attempt + 1))
    return action()


def _columns(record: Record, now: str) -> tuple[str | int | float | None, ...]:
    where = record.surroundings
    return (
        *(record.key, record.settings, record.protocols, record.seed, record.status),
        *(record.row, record.traceback, record.seconds),
        *(where.code, where.libraries, where.machine, now),
    )
