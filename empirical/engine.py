"""Runs the cells of a sweep that are not done: here, on workers of this machine, or on a cluster.

What a cell computes is a function from settings to a `Result`. The parent alone writes: all cells
that finish while it writes are the next batch.
"""

import sys
import time
import traceback
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from distributed import CancelledError, Client, Future, wait
from tqdm import tqdm

from empirical.ledger import (
    Ledger,
    Record,
    Result,
    open_ledger,
    packed_weights,
    row_text,
    surroundings,
)
from empirical.sweeps import Cell, Settings, Sweep
from empirical.workers import SchedulerError, local_workers, scheduled_workers

Finished = list["_Outcome"]


Run = Callable[[Settings], Result]


@dataclass(frozen=True, kw_only=True)
class Tally:
    """How many cells are now done or failed, and how many were not run again.

    Parameters
    ----------
    done, failed, skipped : int
        Of those that were run; those that were not.
    """

    done: int
    failed: int
    skipped: int


@dataclass(frozen=True, kw_only=True)
class _Outcome:
    record: Record
    weights: bytes = b""


def run_sweep(
    sweep: Sweep,
    run: Run,
    *,
    ledger: Path,
    workers: int = 0,
    scheduler: str | None = None,
    skip: Collection[str] = ("done",),
) -> Tally:
    """Return how many cells were run, and how that went; their rows are in the ledger.

    A cell that raises is recorded as failed, with its traceback, and the others go on; so is one
    that its worker did not survive several times. Ctrl-C, a kill or a full disk leaves what was
    written: the next call goes on from there.

    Parameters
    ----------
    sweep : Sweep
    run : callable
        From the settings of a cell to its Result. Workers must be able to import or unpickle it.
    ledger : Path
        Made if there is none.
    workers : int, nonnegative
        Processes on this machine, with a thread each; 0 runs the cells in this process.
    scheduler : str, optional
        Address of a dask scheduler, whose workers run the cells instead.
    skip : collection of "done", "failed"
        Cells that are not run again. Failed ones are by default: their cause may be mended.

    Raises
    ------
    ValueError
        If workers is negative, or both it and a scheduler are given.
    LedgerError
        If the ledger cannot be written.
    SchedulerError
        If no scheduler or worker is there, or the scheduler is lost.
    """
    if workers < 0 or (workers and scheduler is not None):
        raise ValueError(
            "workers must be nonnegative, and 0 where a scheduler is given; got"
            f" workers={workers}, scheduler={scheduler!r}."
        )
    with open_ledger(ledger) as opened:
        opened.set_members(sweep.name, [cell.key for cell in sweep.cells])
        statuses = opened.statuses()
        cells = [cell for cell in sweep.cells if statuses.get(cell.key) not in skip]
        with _Book(opened, sweep, skipped=len(sweep.cells) - len(cells)) as book:
            if scheduler is not None and cells:
                with scheduled_workers(scheduler) as client:
                    _run_on(client, cells, run, book)
            elif workers and cells:
                with local_workers(min(workers, len(cells))) as client:
                    _run_on(client, cells, run, book)
            else:
                for cell in cells:
                    book.write([_attempt(run, cell)])
    return book.tally


class _Book:
    """What is written, counted and shown of cells that finish."""

    def __init__(self, ledger: Ledger, sweep: Sweep, *, skipped: int) -> None:
        self.tally = Tally(done=0, failed=0, skipped=skipped)
        self._ledger = ledger
        pause = 0.1 if sys.stderr.isatty() else 10.0
        total = len(sweep.cells)
        self._bar: Any = tqdm(
            desc=sweep.name,
            total=total,
            initial=skipped,
            unit="cell",
            dynamic_ncols=True,
            mininterval=pause,
        )

    def __enter__(self) -> "_Book":
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.close()

    def write(self, outcomes: Finished) -> None:
        """Write rows, and the weights of those that are new."""
        weights = {one.record.key: one.weights for one in outcomes if one.weights}
        self._ledger.record([outcome.record for outcome in outcomes], weights=weights)
        failed = sum(outcome.record.status == "failed" for outcome in outcomes)
        self.tally = Tally(
            done=self.tally.done + len(outcomes) - failed,
            failed=self.tally.failed + failed,
            skipped=self.tally.skipped,
        )
        self._bar.set_postfix(failed=self.tally.failed, refresh=False)
        self._bar.update(len(outcomes))


def _attempt(run: Run, cell: Cell) -> _Outcome:
    """Return what a cell gives, or that it failed and why. On workers too."""
    start = time.perf_counter()
    try:
        result = run(cell.settings)
        row = row_text(result.row)
        weights = packed_weights(result.weights) if result.weights else b""
    except (Exception, SystemExit):  # noqa: BLE001  # whatever it is, the other cells go on
        return _failure(cell, traceback.format_exc(), time.perf_counter() - start)
    return _Outcome(
        record=_record(cell, row=row, seconds=time.perf_counter() - start), weights=weights
    )


def _failure(cell: Cell, why: str, seconds: float) -> _Outcome:
    return _Outcome(record=_record(cell, why=why, seconds=seconds))


def _record(
    cell: Cell, *, row: str | None = None, why: str | None = None, seconds: float
) -> Record:
    seed = cell.settings.get("seed")
    return Record(
        key=cell.key,
        settings=cell.text,
        protocols=cell.protocols,
        seed=seed if isinstance(seed, int) else None,
        status="done" if why is None else "failed",
        row=row,
        traceback=why,
        seconds=seconds,
        surroundings=surroundings(),
    )


def _run_on(client: Client, cells: Iterable[Cell], run: Run, book: _Book) -> None:
    """Run cells on a client's workers, a few more at a time than there are workers."""
    waiting = iter(cells)
    running: dict[Future[Any], Cell] = {}
    try:
        while True:
            room = sum(client.nthreads().values()) + 1 - len(running)
            for cell in islice(waiting, max(room, 0 if running else 1)):
                running[client.submit(_attempt, run, cell, pure=False)] = cell
            if not running:
                return
            wait(list(running), return_when="FIRST_COMPLETED")
            _write_finished(running, book)
    except KeyboardInterrupt:
        _write_finished(running, book)
        raise


def _write_finished(running: dict[Future[Any], Cell], book: _Book) -> None:
    finished = [future for future in running if future.done()]
    book.write([_gathered(future, running[future]) for future in finished])
    for future in finished:
        del running[future]


def _gathered(future: Future[Any], cell: Cell) -> _Outcome:
    try:
        outcome: _Outcome = future.result()
    except CancelledError as error:
        raise SchedulerError("the scheduler was lost; what was written is kept.") from error
    except Exception as error:  # noqa: BLE001  # a killed worker, or a result that cannot travel
        return _failure(cell, f"{type(error).__name__}: {error}", 0.0)
    return outcome
