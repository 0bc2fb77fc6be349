"""The main job: studies, verdicts and figures."""

import time
from pathlib import Path

from empirical.whole_files import whole_file
from figures import verdicts
from sparsebound.crew import Crew, Job
from sparsebound.drawings import (
    compression_drawings,
    linear_drawings,
    network_drawings,
    network_tables,
    random_pruning_drawings,
    search_drawings,
)
from sparsebound.study import judged, measured, measuring
from sparsebound.verdict_text import verdict_json, verdict_lines
from theory.claims import CATALOGUE


def main_job(plan: str, *, seed: int, out: Path, aside: Path, crew: Crew, as_json: bool) -> str:
    """Write verdicts and figures to a folder, each file when it is whole; return what to tell.

    Parameters
    ----------
    plan : "quick", "default" or "full"
    seed : int
    out, aside : Path
        The folder, and one in it for files that are not whole yet.
    crew : Crew
    as_json : bool
        Whether to tell the verdicts as JSON instead of text.
    """
    started = time.perf_counter()
    with whole_file(out / "verdicts.json") as unfinished:
        tables = {"tables": [Job("networks", network_tables, (seed,))]}
        found = crew.results("measure", tables | measuring(list(CATALOGUE), plan, seed=seed))
        known = measured(found)
        reached = judged(list(CATALOGUE), known, crew, seed=seed)
        unfinished.write_text(verdict_json(reached) + "\n", encoding="utf-8")
    drawings = [
        *linear_drawings(known.cells, aside, crew, seed=seed, carlini_wagner=plan == "full"),
        *random_pruning_drawings(aside, seed=seed),
        *(search_drawings(aside, seed=seed) if plan == "full" else []),
        *network_drawings(found["tables"][0], aside, seed=seed),
        *compression_drawings(known.networks, known.cells, aside, crew, seed=seed),
        Job("verdicts", verdicts.draw, (reached, aside)),
    ]
    drawn = 0
    for _, files in crew.done("draw", drawings):
        for path in files:
            path.replace(out / path.name)
        drawn += 1
    if as_json:
        return verdict_json(reached)
    return (
        f"{verdict_lines(reached)}\n\n{drawn} figures (PNG, SVG, CSV) and verdicts.json in"
        f" {out.resolve()}, after {time.perf_counter() - started:.0f} s"
    )
