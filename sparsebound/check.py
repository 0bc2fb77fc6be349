"""`sparsebound check`: claims meet attacks."""

import click

from sparsebound.crew import Crew
from sparsebound.options import as_json, effort, plan_name
from sparsebound.study import judged, measured, measuring
from sparsebound.verdict_text import verdict_json, verdict_lines
from theory.claims import find_claims


@click.command()
@click.argument("keys", nargs=-1, required=True, metavar="KEY...")
@effort
@as_json
@click.pass_context
def check(
    ctx: click.Context, keys: tuple[str, ...], quick: bool, full: bool, seed: int, as_json: bool
) -> None:
    """Measure by attack whether claims hold; exit with 1 if one contradicts what we say.

    A KEY is a claim (guo2018.r2) or a source (guo2018): see `sparsebound claims`. The exit code is
    1 if a claim that we call proven is refuted, or one that we call refuted holds; else 0.
    """
    wanted = list(dict.fromkeys(claim.key for key in keys for claim in find_claims(key)))
    crew = Crew()
    jobs = measuring(wanted, plan_name(quick, full), seed=seed)
    known = measured(crew.results("measure", jobs))
    verdicts = judged(wanted, known, crew, seed=seed)
    click.echo(verdict_json(verdicts) if as_json else verdict_lines(verdicts, evidence=True))
    ctx.exit(1 if any(verdict.contradicts_us for verdict in verdicts) else 0)
