"""`sparsebound reproduce`: train, predict, attack, draw, judge."""

import time
from pathlib import Path

import click
from joblib import cpu_count

from empirical.whole_files import folder_aside, whole_file
from figures import verdicts
from sparsebound.crew import Job, crew_of
from sparsebound.drawings import (
    compression_drawings,
    linear_drawings,
    network_drawings,
    network_tables,
)
from sparsebound.options import as_json, effort, plan_name
from sparsebound.study import judged, measured, measuring
from sparsebound.verdict_text import verdict_json, verdict_lines
from theory.claims import CATALOGUE


@click.command()
@effort
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("figures/out"),
    show_default=True,
    help="Folder of the figures (PNG, SVG, CSV) and of verdicts.json.",
)
@click.option(
    "--workers",
    type=click.IntRange(min=0),
    default=cpu_count,
    show_default="one a core",
    metavar="N",
    help="Processes that share the work; 0 does it in this one.",
)
@as_json
def reproduce(quick: bool, full: bool, seed: int, out: Path, workers: int, as_json: bool) -> None:
    """Run the main job on embedded data: no download, a minute.

    Trains sparse linear classifiers (scikit-learn) on digits, breast cancer and Gaussian classes,
    predicts their robustness from inputs held out, attacks them on others with foolbox; prunes ReLU
    networks, certifies and attacks them; draws prediction beside measurement, and says which claims
    of the catalogue hold.
    """
    plan, started = plan_name(quick, full), time.perf_counter()
    with folder_aside(out) as aside, crew_of(workers) as crew:
        with whole_file(out / "verdicts.json") as unfinished:
            tables = {"tables": [Job("networks", network_tables, (seed,))]}
            found = crew.results("measure", tables | measuring(list(CATALOGUE), plan, seed=seed))
            known = measured(found)
            reached = judged(list(CATALOGUE), known, crew, seed=seed)
            unfinished.write_text(verdict_json(reached) + "\n", encoding="utf-8")
        cells, networks = known.cells, known.networks
        drawings = [
            *linear_drawings(cells, aside, seed=seed, carlini_wagner=full),
            *network_drawings(found["tables"][0], aside, seed=seed),
            *compression_drawings(networks, cells, aside, seed=seed),
            Job("verdicts", verdicts.draw, (reached, aside)),
        ]
        files = [
            path.replace(out / path.name)
            for _, drawn in crew.done("draw", drawings)
            for path in drawn
        ]
    if as_json:
        click.echo(verdict_json(reached))
        return
    click.echo(verdict_lines(reached))
    click.echo(
        f"\n{len(files) // 3} figures (PNG, SVG, CSV) and verdicts.json in {out.resolve()},"
        f" after {time.perf_counter() - started:.0f} s"
    )
