"""`sparsebound results`: what sweeps gave."""

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from empirical.ledger import result_rows
from empirical.sweeps.known import KNOWN
from empirical.whole_files import whole_file
from sparsebound.options import as_json, json_text
from sparsebound.result_table import aligned, in_order, main_columns, plain

_NOTE = "Distances and accuracies under attack are upper bounds: attacks that fail prove nothing."


@click.command()
@click.argument("ledger", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--sweep", "name", metavar="NAME", help="Rows of this sweep alone; default: all.")
@click.option(
    "--query",
    metavar="SQL",
    help="Answer one SELECT on the table `results`, whose columns are settings and measures; names"
    ' with dots are quoted: "pruning.compression".',
)
@click.option(
    "--csv",
    "out",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write the table to a file; all columns, unless --columns says which.",
)
@click.option("--columns", metavar="NAMES", help="Columns to show, with commas between.")
@as_json
def results(
    ledger: Path,
    name: str | None,
    query: str | None,
    out: Path | None,
    columns: str | None,
    as_json: bool,
) -> None:
    """Show what the sweeps of LEDGER gave: the settings that vary, and the main measures.

    \b
    Examples:
      sparsebound results results.sqlite
      sparsebound results results.sqlite --columns seed,test_accuracy,l2_median
      sparsebound results results.sqlite --csv all.csv
      sparsebound results results.sqlite --query 'SELECT "pruning.compression",
        count(*), count(l2_mean), avg(l2_mean) FROM results GROUP BY 1'

    LEDGER is only read, and a sweep may write to it meanwhile. A query is answered from a copy in
    memory: it can change nothing. Lists, as distances of inputs, are JSON in SQL and CSV, null
    where a number is unknown.

    A cell has no mean distance where an attack found no flip of an input, and none at all where it
    failed. SQL's avg leaves such cells out: compare count(l2_mean) with count(*).
    """  # noqa: D301  # click wants the character itself
    if query is not None and (name is not None or columns is not None):
        raise click.UsageError("--query excludes --sweep and --columns: SQL says both itself.")
    known, rows = _rows(ledger, name, query)
    is_whole = query is not None or out is not None or as_json
    shown = _columns(known, rows, columns, is_whole=is_whole)
    if out is not None:
        _write_csv(out, ledger, rows, shown)
    if as_json:
        click.echo(json_text([{key: row.get(key) for key in shown} for row in rows]))
    elif out is not None:
        return
    elif not rows:
        click.echo("No rows.")
    else:
        click.echo(aligned(rows, shown))
        if query is None and columns is None:
            click.echo(f"\n{_NOTE}")


def _rows(
    ledger: Path, name: str | None, query: str | None
) -> tuple[list[str], list[dict[str, Any]]]:
    columns, table = result_rows(ledger, query, expected=(*KNOWN, "seed"))
    if query is not None:
        return columns, table
    table = in_order(table)
    if name is None:
        return columns, table
    known = {sweep for row in table for sweep in row["sweeps"].split(",")}
    if name not in known:
        raise ValueError(
            f"--sweep must be one of {', '.join(sorted(known)) or 'none yet'}; got {name!r}."
        )
    return columns, [row for row in table if name in row["sweeps"].split(",")]


def _columns(
    known: list[str], rows: Sequence[Mapping[str, Any]], asked: str | None, *, is_whole: bool
) -> list[str]:
    if asked is None:
        return known if is_whole else main_columns(rows)
    names = [name.strip() for name in asked.split(",")]
    for name in names:
        if name not in known:
            raise ValueError(f"--columns must be among {', '.join(known)}; got {name!r}.")
    return names


def _write_csv(
    out: Path, ledger: Path, rows: Sequence[Mapping[str, Any]], columns: Sequence[str]
) -> None:
    """Write a table, with the names of its columns even if it has no rows."""
    own = ledger.resolve()
    beside = {own.with_name(f"{own.name}{end}") for end in ("", "-wal", "-shm", "-journal")}
    if out.resolve() in beside:
        raise ValueError(
            f"--csv must be another file than LEDGER and those that SQLite keeps beside it; got"
            f" {out}."
        )
    with whole_file(out) as unfinished, unfinished.open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(columns)
        writer.writerows([plain(row.get(key)) for key in columns] for row in rows)
