"""`sparsebound results`: what sweeps gave."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from empirical.ledger import results as ledger_table
from empirical.whole_files import whole_file, write_table
from sparsebound.options import as_json, json_text
from sparsebound.result_table import aligned, in_order, main_columns, plain
from sparsebound.row_file import refuse_unwritable

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
        avg(l2_mean) FROM results GROUP BY 1'

    LEDGER is only read, and a sweep may write to it meanwhile. A query is answered from a copy in
    memory: it can change nothing. Lists, as distances of inputs, are JSON in SQL and CSV.
    """  # noqa: D301  # click wants the character itself
    if query is not None and (name is not None or columns is not None):
        raise click.UsageError("--query excludes --sweep and --columns: SQL says both itself.")
    rows = _rows(ledger, name, query)
    shown = _columns(rows, columns, is_whole=query is not None or out is not None or as_json)
    if out is not None:
        refuse_unwritable(out, (ledger,))
        with whole_file(out) as unfinished, unfinished.open("w", newline="") as stream:
            write_table([{key: plain(row.get(key)) for key in shown} for row in rows], stream)
    elif as_json:
        click.echo(json_text([{key: row.get(key) for key in shown} for row in rows]))
    elif not rows:
        click.echo("No rows.")
    else:
        click.echo(aligned(rows, shown))
        if query is None and columns is None:
            click.echo(f"\n{_NOTE}")


def _rows(ledger: Path, name: str | None, query: str | None) -> list[dict[str, Any]]:
    table: list[dict[str, Any]] = ledger_table(ledger, query).to_dict("records")
    if query is not None:
        return table
    table = in_order(table)
    if name is None:
        return table
    known = {sweep for row in table for sweep in row["sweeps"].split(",")}
    if name not in known:
        raise ValueError(
            f"--sweep must be one of {', '.join(sorted(known)) or 'none yet'}; got {name!r}."
        )
    return [row for row in table if name in row["sweeps"].split(",")]


def _columns(rows: Sequence[Mapping[str, Any]], asked: str | None, *, is_whole: bool) -> list[str]:
    if not rows:
        return []
    if asked is None:
        return list(rows[0]) if is_whole else main_columns(rows)
    names = [name.strip() for name in asked.split(",")]
    for name in names:
        if name not in rows[0]:
            raise ValueError(f"--columns must be among {', '.join(rows[0])}; got {name!r}.")
    return names
