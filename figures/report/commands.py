"""The commands that give what a page shows again."""

import shlex

from figures.report.folder import Run

_OPTIONS = {"quick": "--quick ", "default": "", "full": "--full "}


def reproduce_command(run: Run) -> str:
    """Return the command that makes a run again.

    Examples
    --------
    >>> about = {"code": "", "machine": "", "libraries": {}, "files": {}}
    >>> reproduce_command(Run(plan="quick", seed=3, **about))
    'sparsebound reproduce --quick --seed 3'
    """
    return f"sparsebound reproduce {_settings(run)}"


def check_command(run: Run, claim: str) -> str:
    """Return the command that judges one claim again, as the run did.

    Examples
    --------
    >>> about = {"code": "", "machine": "", "libraries": {}, "files": {}}
    >>> check_command(Run(plan="default", seed=0, **about), "guo2018.r2")
    'sparsebound check guo2018.r2 --seed 0'
    """
    return f"sparsebound check {shlex.quote(claim)} {_settings(run)}"


def _settings(run: Run) -> str:
    return f"{_OPTIONS.get(run.plan, '')}--seed {run.seed}"
