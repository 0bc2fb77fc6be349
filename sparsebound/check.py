"""`sparsebound check`: claims meet attacks."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
import numpy as np

from empirical.verify import Verdict
from sparsebound.crew import Crew, Job
from sparsebound.options import as_json, effort, plan_name
from sparsebound.own_claim import OwnClaim, is_file_of_a_claim, own_claim, own_seed, own_verdict
from sparsebound.study import Measured, judged, measured, measuring
from sparsebound.verdict_text import verdict_json, verdict_lines
from theory.claims import Claim, find_claims


@click.command()
@click.argument("keys", nargs=-1, required=True, metavar="KEY|FILE.py...")
@effort
@click.option(
    "--rigorous",
    is_flag=True,
    help="Compute formula and definition in ball arithmetic, on small instances, instead of"
    " attacking (needs the extra sparsebound[rigorous]).",
)
@as_json
@click.pass_context
def check(
    ctx: click.Context,
    keys: tuple[str, ...],
    quick: bool,
    full: bool,
    seed: int,
    rigorous: bool,
    as_json: bool,
) -> None:
    """Measure by attack whether claims hold; exit with 1 if one contradicts what we say.

    A KEY is a claim (guo2018.r2) or a source (guo2018): see `sparsebound claims`. The exit code is
    1 if a claim that we call proven is refuted, or one that we call refuted holds; else 0.

    A FILE.py holds a claim of your own and a function that measures it; it is run. `sparsebound
    claims --example` prints one to start from.

    With --rigorous no rounding can make an instance hold, or a counterexample fail; claims that
    ball arithmetic does not have say so.
    """
    plan = plan_name(quick, full)
    wanted = _wanted(keys)
    if rigorous:
        balls = _ball_arithmetic()
        verdicts = balls.rigorous_verdicts([_of(one) for one in wanted], seed=seed)
        text = balls.rigorous_lines(verdicts)
    else:
        verdicts = _measured_verdicts(wanted, plan, seed)
        text = verdict_lines(verdicts, evidence=True)
    click.echo(verdict_json(verdicts) if as_json else text)
    ctx.exit(1 if any(verdict.contradicts_us for verdict in verdicts) else 0)


def _wanted(keys: Sequence[str]) -> list[Claim | OwnClaim]:
    """Return the claims asked for, each once, in order; refuse two of one key."""
    found: dict[str, Claim | OwnClaim] = {}
    for key in dict.fromkeys(keys):
        if not is_file_of_a_claim(key):
            found |= {claim.key: claim for claim in find_claims(key)}
            continue
        own = own_claim(Path(key))
        twin = found.setdefault(own.claim.key, own)
        if isinstance(twin, OwnClaim) and twin.path.resolve() != own.path.resolve():
            raise ValueError(
                f"claims must have keys of their own; {twin.path} and {own.path} both have"
                f" {own.claim.key}."
            )
    return list(found.values())


def _of(one: Claim | OwnClaim) -> Claim:
    return one.claim if isinstance(one, OwnClaim) else one


def _measured_verdicts(wanted: Sequence[Claim | OwnClaim], plan: str, seed: int) -> list[Verdict]:
    """Return the verdicts of attacks, showing progress on standard error."""
    listed = [one.key for one in wanted if isinstance(one, Claim)]
    own = [one for one in wanted if isinstance(one, OwnClaim)]
    crew = Crew()
    also = {one.takes.removeprefix("measure_") for one in own}
    known = measured(crew.results("measure", measuring(listed, plan, seed=seed, also=also)))
    verdicts = judged(listed, known, crew, seed=seed)
    jobs = {
        one.claim.key: [Job(one.claim.key, own_verdict, (one, _given(one, known, seed)))]
        for one in own
    }
    made = [found[0] for found in crew.results("judge your own", jobs).values()]
    by_key = {verdict.claim.key: verdict for verdict in (*verdicts, *made)}
    return [by_key[_of(one).key] for one in wanted]


def _given(own: OwnClaim, known: Measured, seed: int) -> Any:
    """Return what a user's function takes, by its name."""
    if own.takes == "measure_cells":
        return known.cells
    if own.takes == "measure_networks":
        return known.networks
    return np.random.default_rng(own_seed(own, seed))


def _ball_arithmetic() -> Any:
    """Return the module that computes claims in balls; refuse if its extra is not installed."""
    try:
        from sparsebound import rigorous_check  # noqa: PLC0415  # an extra
    except ImportError as error:
        raise click.UsageError(f"--rigorous: {error}") from error
    return rigorous_check
