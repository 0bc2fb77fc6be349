"""The studies and the verdicts of the commands, as jobs for a crew."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from empirical import compression_study as compression
from empirical.compression_study import CompressionCell, compression_parts
from empirical.linear_study import DEFAULT, FULL, QUICK, LinearCell, linear_parts
from empirical.verify import (
    COMPRESSION_CHECKS,
    DRAWN_CHECKS,
    STUDY_CHECKS,
    Verdict,
    verdict_of,
)
from sparsebound.crew import Crew, Job

PLANS = {"quick": QUICK, "default": DEFAULT, "full": FULL}
COMPRESSION_PLANS = {
    "quick": compression.QUICK,
    "default": compression.DEFAULT,
    "full": compression.FULL,
}
Jobs = dict[str, list[Job]]
_PARTS = ("networks", "cells")  # of the two studies, the longer first


@dataclass(frozen=True, kw_only=True)
class Measured:
    """What verdicts rest on: the cells of both studies, and verdicts that needed neither.

    Parameters
    ----------
    cells : list of LinearCell
    networks : list of CompressionCell
    verdicts : dict of str to Verdict
        By the key of the claim.
    """

    cells: list[LinearCell]
    networks: list[CompressionCell]
    verdicts: dict[str, Verdict]


def measuring(keys: Sequence[str], plan: str, *, seed: int, also: Collection[str] = ()) -> Jobs:
    """Return the jobs that measure what verdicts on these claims rest on, the longest first.

    Also "cells" or "networks" are those of a study that none of them rests on.
    """
    jobs: Jobs = {"networks": [], "cells": []}
    if "networks" in also or any(key in COMPRESSION_CHECKS for key in keys):
        pruned = compression_parts(COMPRESSION_PLANS[plan], seed=seed)
        jobs["networks"] = [Job("pruned networks", part) for part in pruned]
    if "cells" in also or any(key in STUDY_CHECKS for key in keys):
        jobs["cells"] = [
            Job("linear classifiers", part) for part in linear_parts(PLANS[plan], seed=seed)
        ]
    drawn = {key: [Job(key, _verdict, (key, [], [], seed))] for key in keys if key in DRAWN_CHECKS}
    return jobs | drawn


def measured(found: Mapping[str, Sequence[Any]]) -> Measured:
    """Return what the jobs of `measuring` gave."""
    networks, cells = ([cell for part in found[name] for cell in part] for name in _PARTS)
    verdicts = {key: found[key][0] for key in found if key in DRAWN_CHECKS}
    return Measured(cells=cells, networks=networks, verdicts=verdicts)


def judged(keys: Sequence[str], known: Measured, crew: Crew, *, seed: int) -> list[Verdict]:
    """Return the verdicts on claims, showing progress on standard error."""
    cells, networks = crew.shared(known.cells), crew.shared(known.networks)
    rests_on = {
        key: (cells if key in STUDY_CHECKS else [], networks if key in COMPRESSION_CHECKS else [])
        for key in keys
        if key not in known.verdicts
    }
    jobs = {key: [Job(key, _verdict, (key, *rest, seed))] for key, rest in rests_on.items()}
    found = {key: verdicts[0] for key, verdicts in crew.results("judge claims", jobs).items()}
    return [(known.verdicts | found)[key] for key in keys]


def _verdict(key: str, cells: Any, networks: Any, seed: int) -> Verdict:
    return verdict_of(key, cells, networks, seed=seed)
