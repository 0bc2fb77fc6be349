"""`sparsebound report`: what was found, as a page."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from empirical.ledger import result_rows
from empirical.seed_table import seed_groups
from empirical.sweeps.known import KNOWN
from empirical.whole_files import whole_file
from figures.report import (
    LATEX,
    MOVING,
    PAGE,
    RUN,
    VERDICTS,
    ChartParts,
    Reproduced,
    Sweeps,
    chart_parts,
    read_reproduced,
    report_page,
    verdicts_latex,
    write_pdfs,
)
from sparsebound.result_table import in_order

TABLES = [chart.table for chart in MOVING]


@click.command()
@click.option(
    "--ledger",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Also show what the sweeps of this file gave.",
)
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("figures/out"),
    show_default=True,
    help="Folder that `sparsebound reproduce` wrote, and of the page; with --ledger it may be new.",
)
@click.option("--pdf", is_flag=True, help="Also write each figure as PDF, for papers.")
def report(ledger: Path | None, out: Path, pdf: bool) -> None:
    """Write report.html: claims, verdicts, figures and sweeps in one file.

    The page has everything in itself and opens without a network: claims with what they predict,
    what was measured and what decides, filters, figures with their data, and charts that a slider
    moves. Beside it verdicts.tex is the table of verdicts for LaTeX.

    \b
    Examples:
      sparsebound reproduce && sparsebound report --pdf
      sparsebound report --ledger results.sqlite --out sweeps
    """  # noqa: D301  # click wants the character itself
    begun = any((out / name).exists() for name in (RUN, VERDICTS))
    reproduced = read_reproduced(out, tables=TABLES) if begun or ledger is None else None
    if pdf and reproduced is None:
        raise click.UsageError(f"--pdf needs figures; {out} has no run of `sparsebound reproduce`.")
    sweeps = None if ledger is None else _sweeps(ledger)
    page = write_report(reproduced, sweeps, out, parts=chart_parts())
    if pdf and reproduced is not None:
        write_pdfs(reproduced.figures, out)
    click.echo(f"{page.resolve()} ({page.stat().st_size / 1e6:.1f} MB): open it in a browser.")


def write_report(
    reproduced: Reproduced | None, sweeps: Sweeps | None, out: Path, *, parts: ChartParts
) -> Path:
    """Write the page, and the verdicts for LaTeX if there are any; return the page's file.

    Raises
    ------
    OSError
        If the folder cannot be written to.
    """
    texts = {PAGE: report_page(reproduced, sweeps, parts=parts)}
    if reproduced is not None:
        texts[LATEX] = verdicts_latex(reproduced.verdicts)
    for name, text in texts.items():
        with whole_file(out / name) as unfinished:
            unfinished.write_text(text, encoding="utf-8")
    return out / PAGE


def _sweeps(ledger: Path) -> Sweeps:
    """Return what a ledger says.

    Raises
    ------
    ValueError
        If no cell was run.
    """
    _, rows = result_rows(ledger, expected=(*KNOWN, "seed"))
    if not rows:
        raise ValueError(f"--ledger must have cells that were run; {ledger} has none yet.")
    return Sweeps(
        ledger=ledger.name,
        groups=seed_groups(in_order(rows)),
        cells=len(rows),
        failed=sum(row["status"] != "done" for row in rows),
        codes=_named(rows, "code"),
        machines=_named(rows, "machine"),
    )


def _named(rows: Sequence[dict[str, Any]], name: str) -> list[str]:
    return sorted({str(row[name]) for row in rows})
