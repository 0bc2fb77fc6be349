"""Make a notebook of each lesson, beside it: python course/make_notebooks.py [--run]."""

from pathlib import Path

import click
import jupytext
import nbformat
from nbclient import NotebookClient

COURSE = Path(__file__).parent


@click.command()
@click.option("--run", is_flag=True, help="Run them, so that they hold results and pictures.")
@click.option(
    "--out",
    default=COURSE,
    type=click.Path(path_type=Path, file_okay=False),
    help="Where to; lessons find what they import beside the scripts only.",
)
@click.option("--overwrite", is_flag=True, help="Replace notebooks, and the answers in them.")
@click.argument("numbers", nargs=-1, type=click.IntRange(1, 9))
def main(run: bool, out: Path, overwrite: bool, numbers: tuple[int, ...]) -> None:
    """Make the notebooks of lessons by their NUMBERS, or of all."""
    chosen = {
        path: out / f"{path.stem}.ipynb"
        for path in sorted(COURSE.glob("[0-9]*.py"))
        if not numbers or int(path.stem[:2]) in numbers
    }
    held = [str(notebook) for notebook in chosen.values() if notebook.exists()]
    if held and not overwrite:
        raise click.ClickException(f"{held[0]} is there and may hold answers; see --overwrite.")
    out.mkdir(parents=True, exist_ok=True)
    for path, target in chosen.items():
        notebook = jupytext.read(path, fmt="py:percent")
        if run:
            place = {"metadata": {"path": str(COURSE)}}
            NotebookClient(notebook, timeout=300, resources=place).execute()
        nbformat.write(notebook, target)
        click.echo(target)


if __name__ == "__main__":
    main()
