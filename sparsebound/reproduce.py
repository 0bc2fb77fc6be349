"""`sparsebound reproduce`: train, predict, attack, draw, judge."""

from pathlib import Path

import click
from joblib import cpu_count

from empirical.whole_files import folder_aside
from sparsebound.crew import crew_of
from sparsebound.options import as_json, effort, plan_name


@click.command()
@effort
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("figures/out"),
    show_default=True,
    help="Folder of the figures (PNG, SVG, CSV), verdicts.json and report.html.",
)
@click.option(
    "--workers",
    type=click.IntRange(min=0),
    default=lambda: cpu_count() - 1,
    show_default="cores, less one",
    metavar="N",
    help="Processes that help this one.",
)
@as_json
def reproduce(quick: bool, full: bool, seed: int, out: Path, workers: int, as_json: bool) -> None:
    """Run the main job on embedded data: no download, about a minute on two cores.

    Trains sparse linear classifiers (scikit-learn) on digits, breast cancer and Gaussian classes,
    predicts their robustness from inputs held out, attacks them on others with foolbox; prunes ReLU
    networks, certifies and attacks them; draws prediction beside measurement, and says which claims
    of the catalogue hold: open report.html in a browser.
    """
    plan = plan_name(quick, full)
    with folder_aside(out) as aside, crew_of(workers) as crew:
        job = crew.imported("sparsebound.main_job")
        told = job.main_job(plan, seed=seed, out=out, aside=aside, crew=crew, as_json=as_json)
    click.echo(told)
