"""Build the site: python course/site/build.py --out DIR."""

import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import click

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))  # the clone's own packages, as Sphinx will read them

from gather import gather

_NEEDED = ("sphinx", "furo", "myst_nb", "jupytext", "ipykernel")
_MARK = ".buildinfo"  # Sphinx puts it into every site


@click.command()
@click.option(
    "--out",
    required=True,
    type=click.Path(path_type=Path, file_okay=False),
    help="Where to: a new or empty folder, or a site built before, which is replaced.",
)
@click.option(
    "--run/--no-run",
    default=True,
    help="Whether lessons and pages with code are run, some minutes; default: they are.",
)
@click.option(
    "--lesson",
    "lessons",
    multiple=True,
    type=click.IntRange(1, 9),
    help="Only this lesson; repeatable. Default: all.",
)
@click.option(
    "--jobs", type=click.IntRange(min=1), default=1, show_default=True, help="Pages at once."
)
def main(out: Path, run: bool, lessons: tuple[int, ...], jobs: int) -> None:
    """Build the site and print where it begins.

    Nothing is written to --out unless all goes well: a page that fails, a warning or a broken
    reference stops the build.
    """
    _refuse_missing()
    _refuse_others(out)
    if run:
        click.echo("Running lessons and pages: this takes some minutes.", err=True)
    with tempfile.TemporaryDirectory(prefix="sparsebound-site-") as temporary:
        pages, made = Path(temporary) / "pages", Path(temporary) / "made"
        pages.mkdir()
        try:
            gather(pages, lessons=lessons or None)
        except (OSError, ValueError, ImportError) as error:
            raise click.ClickException(str(error)) from error
        _call_sphinx(pages, made, run=run, jobs=jobs)
        _put(made, out)
    click.echo(out.resolve() / "index.html")


def _refuse_missing() -> None:
    missing = [name for name in _NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        raise click.ClickException(
            f"{', '.join(missing)} must be installed; pip install -e '.[site]' does it."
        )


def _refuse_others(out: Path) -> None:
    """Refuse a folder that holds anything but a site, or that cannot be one."""
    above = next(folder for folder in out.absolute().parents if folder.exists())
    if not above.is_dir():
        raise click.ClickException(f"--out must be in a folder; {above} is a file.")
    if out.is_dir() and any(out.iterdir()) and not (out / _MARK).is_file():
        raise click.ClickException(
            f"--out must be new, empty or a site built before; got {out}, which holds other files."
        )


def _call_sphinx(pages: Path, made: Path, *, run: bool, jobs: int) -> None:
    """Run Sphinx, by itself: what pages import stays out of this process."""
    options = ["-W", "--keep-going", "-q", "-b", "html", "-j", str(jobs)]
    options += ["-D", f"nb_execution_mode={'force' if run else 'off'}"]
    options += ["-d", str(made.with_name("doctrees"))]
    done = subprocess.run(
        [sys.executable, "-m", "sphinx", *options, str(pages), str(made)],
        env=_environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        lines = (done.stderr.strip() or done.stdout.strip()).splitlines()
        said = [line for line in lines if "[IPKernelApp]" not in line]  # of every kernel the same
        raise click.ClickException("\n".join(["Sphinx stopped:", *said]))


def _environment() -> dict[str, str]:
    """Return the environment in which pages run: the clone's code, one thread, no colours."""
    paths = [str(ROOT), str(ROOT / "course"), os.environ.get("PYTHONPATH", "")]
    programs = [str(Path(sys.executable).parent), os.environ.get("PATH", "")]
    return {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(filter(None, paths)),
        "PATH": os.pathsep.join(filter(None, programs)),
        "OMP_NUM_THREADS": "1",  # the same sums in the same order
        "NO_COLOR": "1",
        "TQDM_DISABLE": "1",  # how long it took is no part of a page
        "PYTHONWARNINGS": "ignore:IProgress not found",  # and its bars in notebooks are not missed
        "PYTHONHASHSEED": "0",
        "COLUMNS": "96",
    }


def _put(made: Path, out: Path) -> None:
    """Move a finished site to where it is asked for, in place of what was there."""
    out.parent.mkdir(parents=True, exist_ok=True)
    beside = Path(tempfile.mkdtemp(prefix=f".{out.name}-", dir=out.parent))
    try:
        shutil.move(made, beside / "new")
        if out.exists():
            out.rename(beside / "old")
        (beside / "new").rename(out)
    finally:
        shutil.rmtree(beside)


if __name__ == "__main__":
    main()
