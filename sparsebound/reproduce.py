"""`sparsebound reproduce`: train, predict, attack, draw, judge."""

import time
from pathlib import Path

import click

from empirical.whole_files import whole_file
from figures import verdicts
from sparsebound.drawings import compression_drawings, linear_drawings, network_drawings
from sparsebound.options import as_json, effort, plan_name
from sparsebound.progress import progress
from sparsebound.study import compressed, judged, one_thread, studied
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
@as_json
def reproduce(quick: bool, full: bool, seed: int, out: Path, as_json: bool) -> None:
    """Run the main job on embedded data: no download, a minute and a half.

    Trains sparse linear classifiers (scikit-learn) on digits, breast cancer and Gaussian classes,
    predicts their robustness from inputs held out, attacks them on others with foolbox; prunes ReLU
    networks, certifies and attacks them; draws prediction beside measurement, and says which claims
    of the catalogue hold.
    """
    plan = plan_name(quick, full)
    started = time.perf_counter()
    with whole_file(out / "verdicts.json") as unfinished:
        unfinished.touch()  # a folder that cannot be written to is reported before the work
        cells = studied(plan, seed)
        networks = compressed(plan, seed)
        found = judged(list(CATALOGUE), cells, networks, seed=seed)
        unfinished.write_text(verdict_json(found) + "\n", encoding="utf-8")
    drawings = linear_drawings(cells, out, seed=seed, carlini_wagner=full)
    drawings += network_drawings(out, seed=seed)
    drawings += compression_drawings(networks, cells, out, seed=seed)
    files = verdicts.draw(found, out)
    with one_thread(), progress(len(drawings), "draw") as bar:
        for draw in drawings:
            files += draw()
            bar.update()
    if as_json:
        click.echo(verdict_json(found))
        return
    click.echo(verdict_lines(found))
    click.echo(
        f"\n{len(files) // 3} figures (PNG, SVG, CSV) and verdicts.json in {out.resolve()},"
        f" after {time.perf_counter() - started:.0f} s"
    )
