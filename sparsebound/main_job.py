"""The main job: studies, verdicts and figures."""

import time
from pathlib import Path

from empirical.whole_files import whole_file
from figures import verdicts
from figures.report import chart_parts, read_reproduced, run_of, write_run
from sparsebound.crew import Crew, Job
from sparsebound.drawings import (
    before_training_drawings,
    compression_drawings,
    linear_drawings,
    long_plug_in_drawings,
    network_drawings,
    network_tables,
    plug_in_drawings,
    random_pruning_drawings,
    report_tables,
    search_drawings,
)
from sparsebound.report import TABLES, write_report
from sparsebound.study import judged, measured, measuring
from sparsebound.verdict_text import verdict_json, verdict_lines
from theory.claims import CATALOGUE


def main_job(plan: str, *, seed: int, out: Path, aside: Path, crew: Crew, as_json: bool) -> str:
    """Write verdicts, figures and report to a folder, each file whole; return what to tell.

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
        report = {"report": [Job("report", chart_parts)]}
        jobs = tables | report | measuring(list(CATALOGUE), plan, seed=seed)
        found = crew.results("measure", jobs)
        known = measured(found)
        reached = judged(list(CATALOGUE), known, crew, seed=seed)
        unfinished.write_text(verdict_json(reached) + "\n", encoding="utf-8")
    drawings = [  # the longest first, as far as that is known
        *(long_plug_in_drawings(aside, seed=seed) if plan == "full" else []),
        *(search_drawings(aside, seed=seed) if plan == "full" else []),
        *before_training_drawings(plan, aside, seed=seed),
        *plug_in_drawings(aside, seed=seed),
        Job("verdicts", verdicts.draw, (reached, aside)),
        *linear_drawings(known.cells, aside, crew, seed=seed, carlini_wagner=plan == "full"),
        *random_pruning_drawings(aside, seed=seed),
        *network_drawings(found["tables"][0], aside, seed=seed),
        *compression_drawings(known.networks, known.cells, aside, crew, seed=seed),
        *report_tables(known.cells, aside, crew),
    ]
    written = ["verdicts.json"]
    for _, files in crew.done("draw", drawings):
        for path in files:
            path.replace(out / path.name)
            written.append(path.name)
    write_run(out, run_of(out, written, plan=plan, seed=seed))
    write_report(read_reproduced(out, tables=TABLES), None, out, parts=found["report"][0])
    drawn = sum(name.endswith(".png") for name in written)
    if as_json:
        return verdict_json(reached)
    return (
        f"{verdict_lines(reached)}\n\n{drawn} figures (PNG, SVG, CSV), verdicts.json and"
        f" report.html in {out.resolve()}, after {time.perf_counter() - started:.0f} s"
    )
