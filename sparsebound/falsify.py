"""`sparsebound falsify`: look for an instance that violates a claim."""

import difflib
import math
import zlib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import click
import numpy as np
from threadpoolctl import threadpool_limits

from empirical.falsify import (
    SEARCHES,
    UNSEARCHED,
    WRONG,
    Falsification,
    load_instance,
    save_instance,
)
from empirical.falsify import falsify as search_for_violation
from empirical.falsify.searching import replayed
from empirical.whole_files import prepare_folder
from sparsebound.falsify_text import Outcome, false_claims, outcome_lines, outcome_object
from sparsebound.options import as_json, json_text
from sparsebound.progress import progress
from theory.claims import Claim, find_claims

_SECONDS = 30.0
_CONTRADICTED, _NOT_FOUND, _NO_SEARCH, _INTERRUPTED = 1, 4, 5, 130
_UNKNOWN = "no search is written for it"
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command()
@click.argument("keys", nargs=-1, metavar="[KEY]...")
@click.option("--wrong", is_flag=True, help="List the claims that are false, some on purpose.")
@click.option("--replay", type=_FILE, help="Recompute both sides of an instance that was saved.")
@click.option(
    "--budget", type=float, metavar="S", help=f"Seconds for each claim. Default: {_SECONDS:g}."
)
@click.option(
    "--evaluations",
    type=int,
    metavar="N",
    help="Instances for each claim. Without --budget, what is found depends on the seed alone.",
)
@click.option(
    "--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Of the search."
)
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("falsified"),
    show_default=True,
    help="Folder of the instances that are found, one npz a claim.",
)
@as_json
@click.pass_context
def falsify(
    ctx: click.Context,
    keys: tuple[str, ...],
    wrong: bool,
    replay: Path | None,
    budget: float | None,
    evaluations: int | None,
    seed: int,
    out: Path,
    as_json: bool,
) -> None:
    """Look for an instance that violates a claim, or for the one nearest to it.

    \b
    Examples:
      sparsebound falsify --wrong
      sparsebound falsify wrong.margin
      sparsebound falsify guo2018 --budget 10
      sparsebound falsify --replay falsified/wrong.margin.npz

    A KEY is a claim (guo2018.r2) or a source (guo2018): see `sparsebound claims`; or one that is
    wrong on purpose. What a claim's assumptions allow (weights, masks, inputs, sizes of attacks) is
    searched by differential evolution; what is found is made simpler and saved. That nothing
    violates a claim proves nothing.

    \b
    Exit codes:
      0  as we say: what is false is violated, what is proven is not
      1  a claim that we call proven is violated
      4  a false claim is not violated: search for longer
      5  no claim asked for has instances to search
    """  # noqa: D301  # click wants the character itself
    if sum((wrong, replay is not None, bool(keys))) != 1:
        raise click.UsageError("give KEYs, or --wrong, or --replay FILE: one of the three.")
    if wrong:
        click.echo(false_claims(as_json=as_json))
    elif replay is not None:
        found = _replayed(replay)
        _tell([Outcome(SEARCHES[found.key].claim, found, replay)], as_json)
        ctx.exit(_code([found]))
    else:
        claims = list({claim.key: claim for key in keys for claim in _claims(key)}.values())
        limits = _limits(budget, evaluations)
        ctx.exit(_code(_tell(_searched(claims, limits, seed=seed, out=out), as_json)))


def _replayed(path: Path) -> Falsification:
    search, instance = load_instance(path, SEARCHES)
    try:
        return replayed(search, instance)
    except ValueError as error:
        raise ValueError(f"{path} must hold what {search.claim.key} covers: {error}") from error


def _claims(key: str) -> list[Claim]:
    """Return the claims of a key, wrong ones included.

    Raises
    ------
    ValueError
        If there is none; the message offers the closest names.
    """
    if key == "wrong":
        return list(WRONG.values())
    if key in WRONG:
        return [WRONG[key]]
    if key.startswith("wrong."):
        near = ", ".join(difflib.get_close_matches(key, WRONG, n=3, cutoff=0.4) or WRONG)
        raise ValueError(
            f"key must be a claim; got {key!r}. Did you mean {near}?"
            " `sparsebound falsify --wrong` lists all that are wrong."
        )
    return find_claims(key)


def _limits(budget: float | None, evaluations: int | None) -> dict[str, float]:
    """Return the seconds and evaluations of each search."""
    if budget is not None and not 0 < budget < math.inf:
        raise ValueError(f"--budget must be a positive number of seconds; got {budget:g}.")
    if evaluations is not None and evaluations < 1:
        raise ValueError(f"--evaluations must be at least 1; got {evaluations}.")
    seconds = budget if budget is not None else _SECONDS if evaluations is None else math.inf
    return {"seconds": seconds, "evaluations": math.inf if evaluations is None else evaluations}


def _searched(
    claims: Sequence[Claim], limits: dict[str, float], *, seed: int, out: Path
) -> Iterator[Outcome]:
    """Yield what each search finds, saved; the last is one that Ctrl-C ended."""
    if any(claim.key in SEARCHES for claim in claims):
        prepare_folder(out)
    for claim in claims:
        if claim.key not in SEARCHES:
            yield Outcome(claim, None, reason=UNSEARCHED.get(claim.key, _UNKNOWN))
            continue
        found = _search(claim.key, limits, seed)
        path = out / f"{claim.key}.npz"
        save_instance(path, claim.key, found.instance)
        yield Outcome(claim, found, path)
        if found.interrupted:
            return


def _search(key: str, limits: dict[str, float], seed: int) -> Falsification:
    rng = np.random.default_rng([seed, zlib.crc32(key.encode())])
    with progress(100, key) as bar, threadpool_limits(limits=1):  # arrays are small

        def tick(count: int, elapsed: float) -> None:
            share = max(elapsed / limits["seconds"], count / limits["evaluations"])
            bar.update(int(100 * min(share, 1.0)) - bar.n)

        return search_for_violation(SEARCHES[key], rng, **limits, tick=tick)


def _tell(outcomes: Iterable[Outcome], as_json: bool) -> list[Falsification]:
    """Print outcomes as they come, or all as JSON; return those of searches."""
    told = []
    for outcome in outcomes:
        told.append(outcome)
        if not as_json:
            click.echo(outcome_lines(outcome))
    if as_json:
        click.echo(json_text([outcome_object(outcome) for outcome in told]))
    return [outcome.found for outcome in told if outcome.found is not None]


def _code(results: Sequence[Falsification]) -> int:
    """Return the exit code; an interruption is told before anything else."""
    if any(found.interrupted for found in results):
        click.echo("Interrupted: the worst instance so far is kept.", err=True)
        return _INTERRUPTED
    said = {(SEARCHES[found.key].claim.standing, found.verdict) for found in results}
    if ("proven", "violated") in said:
        return _CONTRADICTED
    if ("refuted", "not violated") in said:
        return _NOT_FOUND
    return 0 if results else _NO_SEARCH
