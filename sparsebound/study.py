"""The options and the progress of commands that run the linear study."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import click
from tqdm import tqdm

from empirical.experiments import DEFAULT, FULL, QUICK, Cell, linear_study, study_datasets
from empirical.verify import STUDY_CHECKS, Verdict, verdict_of

PLANS = {"quick": QUICK, "default": DEFAULT, "full": FULL}
Command = TypeVar("Command", bound=Callable[..., Any])

_seed = click.option(
    "--seed",
    type=click.IntRange(min=0),
    default=0,
    show_default=True,
    help="Of splits and synthetic data: the same seed gives the same numbers.",
)
_quick = click.option("--quick", is_flag=True, help="Fewer splits and sparsities.")
_full = click.option("--full", is_flag=True, help="More of both, and slower attacks; minutes.")
as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")


def effort(command: Command) -> Command:
    """Add --quick, --full and --seed to a command."""
    return _quick(_full(_seed(command)))


def plan_name(quick: bool, full: bool) -> str:
    """Return the name of the plan asked for.

    Raises
    ------
    click.UsageError
        If both are.
    """
    if quick and full:
        raise click.UsageError("--quick and --full exclude each other.")
    return "quick" if quick else "full" if full else "default"


def studied(plan: str, seed: int) -> list[Cell]:
    """Return the cells of the linear study, showing progress on standard error."""
    datasets = study_datasets(seed)
    cells: list[Cell] = []
    with progress(PLANS[plan].splits * len(datasets), "train and attack") as bar:
        for part in linear_study(PLANS[plan], seed=seed, datasets=datasets):
            cells += part
            bar.set_postfix_str(part[0].dataset)
            bar.update()
    return cells


def judged(keys: Sequence[str], cells: Sequence[Cell], seed: int) -> list[Verdict]:
    """Return the verdicts on claims, showing progress on standard error."""
    verdicts = []
    with progress(len(keys), "judge claims") as bar:
        for key in keys:
            bar.set_postfix_str(key)
            verdicts.append(verdict_of(key, cells, seed=seed))
            bar.update()
    return verdicts


def needs_study(keys: Sequence[str]) -> bool:
    """Return whether a claim among these is judged by the cells of the study."""
    return any(key in STUDY_CHECKS for key in keys)


def progress(total: int, what: str) -> Any:
    """Return a progress bar on standard error."""
    return tqdm(total=total, desc=what, dynamic_ncols=True)
