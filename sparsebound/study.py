"""The linear study and the verdicts, with their progress on standard error."""

from collections.abc import Sequence
from typing import Any

from threadpoolctl import threadpool_limits

from empirical.linear_study import DEFAULT, FULL, QUICK, LinearCell, linear_study, study_datasets
from empirical.verify import STUDY_CHECKS, Verdict, verdict_of
from sparsebound.progress import progress

PLANS = {"quick": QUICK, "default": DEFAULT, "full": FULL}


def studied(plan: str, seed: int) -> list[LinearCell]:
    """Return the cells of the linear study, showing progress on standard error."""
    datasets = study_datasets(seed)
    cells: list[LinearCell] = []
    with one_thread(), progress(PLANS[plan].splits * len(datasets), "train and attack") as bar:
        for part in linear_study(PLANS[plan], seed=seed, datasets=datasets):
            cells += part
            bar.set_postfix_str(part[0].dataset, refresh=False)
            bar.update()
    return cells


def judged(keys: Sequence[str], cells: Sequence[LinearCell], seed: int) -> list[Verdict]:
    """Return the verdicts on claims, showing progress on standard error."""
    verdicts = []
    with one_thread(), progress(len(keys), "judge claims") as bar:
        for key in keys:
            bar.set_postfix_str(key, refresh=False)
            verdicts.append(verdict_of(key, cells, seed=seed))
            bar.update()
    return verdicts


def needs_study(keys: Sequence[str]) -> bool:
    """Return whether a claim among these is judged by the cells of the study."""
    return any(key in STUDY_CHECKS for key in keys)


def one_thread() -> Any:
    """Return a context in which small arrays are not shared out: that costs more than it saves."""
    return threadpool_limits(limits=1)
