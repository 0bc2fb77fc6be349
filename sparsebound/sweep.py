"""`sparsebound sweep`: all networks that a file asks for, each once."""

import shutil
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import click

from empirical.engine import Tally, run_sweep
from empirical.experiments import (
    model_facts,
    refuse_cell,
    run_cell,
    split_of,
)
from empirical.ledger import open_ledger, results
from empirical.ledger.database import has_tables, named_errors, read_only
from empirical.sweeps import Cell, Settings, Sweep, read_sweep, section
from empirical.sweeps.known import KNOWN
from empirical.whole_files import prepare_folder
from sparsebound.network_settings import default_file
from sparsebound.options import as_json, json_text, table_text
from sparsebound.result_table import setting_text, varying

FAILED = 4  # the exit code where a cell failed: 1 is `check`'s, 2 bad input, 3 a defect
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


def _tell_settings(ctx: click.Context, _: click.Parameter, is_asked: bool) -> None:
    if is_asked and not ctx.resilient_parsing:
        click.echo(default_file())
        ctx.exit()


@click.command()
@click.argument("file", type=_FILE)
@click.option(
    "--ledger",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Where rows are kept; default: results.sqlite beside FILE.",
)
@click.option(
    "--workers",
    type=click.IntRange(min=0),
    default=0,
    show_default=True,
    metavar="N",
    help="Processes on this machine, with a thread each; 0 runs the cells in this one.",
)
@click.option(
    "--scheduler", metavar="ADDRESS", help="Of a dask scheduler (tcp://...), whose workers run."
)
@click.option(
    "--retry/--keep-failed",
    default=True,
    help="Whether cells that failed before are run again; default: they are.",
)
@click.option(
    "--share/--no-share",
    default=True,
    help="Whether networks that cells have in common are trained once and kept beside the ledger,"
    " in a folder that ends in .networks; default: they are.",
)
@click.option(
    "--settings",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_tell_settings,
    help="Print a file with every setting at its default, to begin with, and stop.",
)
@click.option("--dry-run", is_flag=True, help="Say what would be run; write nothing.")
@as_json
@click.pass_context
def sweep(
    ctx: click.Context,
    file: Path,
    ledger: Path | None,
    workers: int,
    scheduler: str | None,
    retry: bool,
    share: bool,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Train, prune and attack every network that FILE asks for, and keep what comes of it.

    FILE is TOML: settings, and lists of settings that are tried in all combinations.

    \b
      [sweep]
      name = "compression"
      seeds = [0, 1, 2]
    \b
      [training]
      epochs = 20
    \b
      [pruning]
      method = "iterative"
    \b
      [grid]
      pruning.compression = [1, 2, 4, 8, 16]

    \b
    Examples:
      sparsebound sweep --settings
      sparsebound sweep compression.toml --dry-run
      sparsebound sweep compression.toml --workers 2
      sparsebound results results.sqlite

    Cells that are done are not run again, so a sweep that was interrupted or killed goes on where
    it was, and one whose file has grown runs what is new. A setting that would have no effect is
    refused before any work. The exit code is 4 if a cell failed; the others are done all the same.
    """  # noqa: D301  # click wants the character itself
    if workers and scheduler is not None:
        raise click.UsageError("--workers and --scheduler exclude each other.")
    path = ledger if ledger is not None else file.with_name("results.sqlite")
    asked = read_sweep(file, known=KNOWN, refuse=refuse_cell)
    _refuse_no_folder(path)
    left = _left(asked, path, retry=retry)
    if dry_run:
        _tell(_plan(asked, left, path), as_json)
        return
    _refuse_no_room(left, path)
    if scheduler is None:
        _refuse_absent_data(left)
    open_ledger(path).close()  # what cannot be written is told before any work
    tally = run_sweep(
        asked,
        partial(run_cell, kept=_folder(path) if share else None),
        ledger=path,
        workers=workers,
        scheduler=scheduler,
        skip=("done",) if retry else ("done", "failed"),
    )
    summary = _summary(asked, tally, path)
    _tell(summary, as_json)
    ctx.exit(FAILED if summary["failed"] else 0)


def _tell(summary: dict[str, Any], as_json: bool) -> None:
    click.echo(json_text(summary) if as_json else table_text(summary))


def _folder(ledger: Path) -> Path:
    """Return the folder of networks that cells share, made."""
    folder = ledger.with_name(f"{ledger.name}.networks")
    prepare_folder(folder)
    return folder


def _left(asked: Sweep, ledger: Path, *, retry: bool) -> list[Cell]:
    """Return the cells that are to be run; nothing is written."""
    statuses: dict[str, str] = {}
    if ledger.exists() and has_tables(ledger):
        with named_errors(ledger), closing(read_only(ledger)) as connection:
            statuses = dict(connection.execute("SELECT key, status FROM cells"))
    skipped = {"done"} if retry else {"done", "failed"}
    return [cell for cell in asked.cells if statuses.get(cell.key) not in skipped]


def _plan(asked: Sweep, left: list[Cell], ledger: Path) -> dict[str, Any]:
    """Return what a run would do."""
    axes = varying([cell.settings for cell in asked.cells])
    return {
        "sweep": asked.name,
        "cells": len(asked.cells),
        "to run": len(left),
        **{key: [setting_text(value) for value in values] for key, values in axes.items()},
        "ledger": str(ledger),
    }


def _refuse_no_folder(ledger: Path) -> None:
    """Raise NotADirectoryError if the ledger would be in a file."""
    folder = _nearest_folder(ledger)
    if not folder.is_dir():
        raise NotADirectoryError(f"--ledger {ledger} must be in a folder; {folder} is a file.")


def _nearest_folder(ledger: Path) -> Path:
    """Return the folder of the ledger, or what is there of the way to it."""
    folder = ledger.resolve().parent
    while not folder.exists():
        folder = folder.parent
    return folder


def _refuse_no_room(left: list[Cell], ledger: Path) -> None:
    """Raise OSError if the disk has no room for the weights alone, four bytes a parameter."""
    needed = sum(4 * model_facts(cell.settings).parameters for cell in left)
    folder = _nearest_folder(ledger)
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise OSError(
            f"{folder} must have room for weights of {needed:,} bytes at least; {free:,} are free."
        )


def _refuse_absent_data(left: list[Cell]) -> None:
    """Read, or fetch, all data before any network is trained on them."""
    sources: dict[str, Settings] = {}
    for cell in left:
        own = cell.settings
        seed = own["seed"] if own["data.seed"] is None else None
        sources.setdefault(repr((section(own, "data"), seed)), own)
    for settings in sources.values():
        split_of(settings)


def _summary(asked: Sweep, tally: Tally, ledger: Path) -> dict[str, Any]:
    """Return what is told at the end: of this run, and of what failed."""
    table = results(ledger)
    keys = {cell.key for cell in asked.cells}
    rows = table[table["key"].isin(keys)].to_dict("records")
    failed = [row for row in rows if row["status"] == "failed"]
    told: dict[str, Any] = {
        "sweep": asked.name,
        "cells": len(asked.cells),
        "done": sum(row["status"] == "done" for row in rows),
        "failed": len(failed),
        "run now": tally.done + tally.failed,
        "ledger": str(ledger),
    }
    if failed:
        axes = varying([cell.settings for cell in asked.cells])
        where = (f"{key} = {setting_text(failed[0][key])}" for key in axes)
        told["first failure"] = str(failed[0]["traceback"]).strip().splitlines()[-1]
        told["of the cell"] = ", ".join(where) or "the only one"
    return told
