"""`sparsebound reproduce`: train, predict, attack, draw, judge."""

import time
from collections.abc import Callable, Sequence
from pathlib import Path

import click

from empirical.curves import digits_comparison, study_comparison
from empirical.experiments import Cell
from figures import digit_flips, robust_accuracy, sparsity, verdicts
from figures.style import whole_file
from sparsebound.options import as_json, effort, plan_name
from sparsebound.study import judged, one_thread, progress, studied
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
    """Run the main job on embedded data: no download, under a minute.

    Trains sparse linear classifiers (scikit-learn) on digits, breast cancer and Gaussian classes,
    predicts their robustness from inputs held out, attacks them on others with foolbox, draws
    prediction beside measurement, and says which claims of the catalogue hold.
    """
    plan = plan_name(quick, full)
    started = time.perf_counter()
    with whole_file(out / "verdicts.json") as unfinished:
        unfinished.touch()  # a folder that cannot be written to is reported before the work
        cells = studied(plan, seed)
        found = judged(list(CATALOGUE), cells, seed)
        unfinished.write_text(verdict_json(found) + "\n", encoding="utf-8")
    drawings = _drawings(cells, out, seed=seed, carlini_wagner=full)
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


def _drawings(
    cells: Sequence[Cell], out: Path, *, seed: int, carlini_wagner: bool
) -> list[Callable[[], list[Path]]]:
    groups = {
        name: [c for c in cells if c.dataset == name] for name in {c.dataset: 0 for c in cells}
    }
    comparisons = [study_comparison(group) for group in groups.values()]
    pair = comparisons[0]
    image = pair.test.X[pair.test.y == 1][0]
    return [
        *(lambda group=group: sparsity.draw(group, out) for group in groups.values()),
        lambda: robust_accuracy.draw(
            [*comparisons, digits_comparison(seed)], out, carlini_wagner=carlini_wagner
        ),
        lambda: digit_flips.draw(pair.models, image, out, change="have an 8 called a 3"),
    ]
