"""The linear study, that of compression and the verdicts, with progress on standard error."""

from collections.abc import Sequence
from typing import Any

from threadpoolctl import threadpool_limits

from empirical import compression_study as compression
from empirical.compression_study import CompressionCell, compression_study
from empirical.linear_study import DEFAULT, FULL, QUICK, LinearCell, linear_study, study_datasets
from empirical.verify import COMPRESSION_CHECKS, STUDY_CHECKS, Verdict, verdict_of
from sparsebound.progress import progress

PLANS = {"quick": QUICK, "default": DEFAULT, "full": FULL}
COMPRESSION_PLANS = {
    "quick": compression.QUICK,
    "default": compression.DEFAULT,
    "full": compression.FULL,
}


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


def compressed(plan: str, seed: int) -> list[CompressionCell]:
    """Return the cells of the compression study, showing progress on standard error."""
    chosen = COMPRESSION_PLANS[plan]
    cells: list[CompressionCell] = []
    with one_thread(), progress(chosen.parts, "prune and attack") as bar:
        for part in compression_study(chosen, seed=seed):
            cells += part
            bar.set_postfix_str(f"{part[0].model}, {part[0].trained}", refresh=False)
            bar.update()
    return cells


def judged(
    keys: Sequence[str],
    cells: Sequence[LinearCell],
    networks: Sequence[CompressionCell],
    *,
    seed: int,
) -> list[Verdict]:
    """Return the verdicts on claims, showing progress on standard error."""
    verdicts = []
    with one_thread(), progress(len(keys), "judge claims") as bar:
        for key in keys:
            bar.set_postfix_str(key, refresh=False)
            verdicts.append(verdict_of(key, cells, networks, seed=seed))
            bar.update()
    return verdicts


def needs_study(keys: Sequence[str]) -> bool:
    """Return whether a claim among these is judged by the cells of the linear study."""
    return any(key in STUDY_CHECKS for key in keys)


def needs_networks(keys: Sequence[str]) -> bool:
    """Return whether a claim among these is judged by the cells of the compression study."""
    return any(key in COMPRESSION_CHECKS for key in keys)


def one_thread() -> Any:
    """Return a context in which small arrays are not shared out: that costs more than it saves."""
    return threadpool_limits(limits=1)
