"""What a search for a violation found, as text and as JSON."""

import shlex
import textwrap
from pathlib import Path
from typing import Any, NamedTuple

import click
import numpy as np

from empirical.falsify import SEARCHES, WRONG, Falsification
from sparsebound.options import json_text, quantiles
from theory.claims import CATALOGUE, Claim

_SAID = {"upper": "at most", "lower": "at least", "equal": "exactly"}
_COLOURS = {"violated": "yellow", "not violated": "green", "no search": "white"}


class Outcome(NamedTuple):
    """What a search found, and the file that has its instance; or why a claim has no search."""

    claim: Claim
    found: Falsification | None
    path: Path | None = None
    reason: str = ""


def false_claims(*, as_json: bool) -> str:
    """Return the claims that can be refuted: those wrong on purpose, and those of the catalogue."""
    refuted = [
        claim
        for claim in CATALOGUE.values()
        if claim.standing == "refuted" and claim.key in SEARCHES
    ]
    listed = [*WRONG.values(), *refuted]
    if as_json:
        return json_text(
            [{"key": one.key, "statement": one.statement, "lesson": one.note} for one in listed]
        )
    return "\n\n".join(
        "\n".join([click.style(one.key, bold=True), *_wrapped(one.statement, one.note)])
        for one in listed
    )


def outcome_lines(outcome: Outcome) -> str:
    """Return a paragraph: claim, what we say, what the search says, and the instance."""
    found, claim = outcome.found, outcome.claim
    if found is None:
        return "\n".join([_head(claim, "no search"), *_wrapped(claim.statement, _instead(outcome))])
    told = "" if not found.slacks.size else f"{found.evaluations} instances tried; "
    lines = [
        _head(claim, found.verdict),
        *_wrapped(claim.statement, _numbers(found)),
        *(f"      {name} = {_array(array)}" for name, array in found.instance.items()),
        f"    {told}sparsebound falsify --replay {shlex.quote(str(outcome.path))}",
    ]
    return "\n".join(lines)


def outcome_object(outcome: Outcome) -> dict[str, Any]:
    """Return the numbers of an outcome by name."""
    found, claim = outcome.found, outcome.claim
    told: dict[str, Any] = {
        "claim": claim.key,
        "statement": claim.statement,
        "we say": claim.standing,
        "search says": "no search" if found is None else found.verdict,
    }
    if found is None:
        return {**told, "reason": _instead(outcome)}
    search = SEARCHES[found.key]
    return {
        **told,
        "claimed": found.claimed,
        "claimed is": search.direction,
        "true": found.true,
        "kind": search.kind,
        "slack": found.slack,
        "allowance": search.allowance,
        "reason of the allowance": search.reason,
        "exact arithmetic agrees": found.confirmed,
        "instances": found.evaluations,
        "covered": int(found.slacks.size),
        **quantiles("slack", found.slacks),
        "seconds": found.seconds,
        "interrupted": found.interrupted,
        "file": str(outcome.path),
        "instance": {name: _listed(array) for name, array in found.instance.items()},
    }


def _head(claim: Claim, verdict: str) -> str:
    said = click.style(verdict, fg=_COLOURS[verdict], bold=True)
    wrong = claim.standing == "proven" and verdict == "violated"
    warning = click.style("  CONTRADICTS US", fg="red", bold=True) if wrong else ""
    return f"{claim.key:<26} we say: {claim.standing:<9} search says: {said}{warning}"


def _numbers(found: Falsification) -> str:
    """Return both sides, and by how much they differ."""
    search = SEARCHES[found.key]
    told = (
        f"claimed: {_SAID[search.direction]} {found.claimed:.9g}; {search.kind}: {found.true:.9g}"
    )
    relative = "the larger" if search.scale is None else f"{search.scale:g}"
    if found.verdict == "violated":
        checked = "exact arithmetic agrees" if found.confirmed else "in float64"
        return f"{told}; violated by {-found.slack:.3g} of {relative}, {checked}"
    if found.confirmed is False:
        return f"{told}; {-found.slack:.2g} of {relative}, which exact arithmetic does not confirm"
    if search.direction == "equal":
        return f"{told}; the largest difference found, {-found.slack:.2g} of {relative}"
    return f"{told}; the tightest found, {found.slack:.2g} of {relative} from equality"


def _instead(outcome: Outcome) -> str:
    return f"no search: {outcome.reason}; use `sparsebound check {outcome.claim.key}`"


def _wrapped(*texts: str) -> list[str]:
    return [
        textwrap.fill(text, 96, initial_indent="    ", subsequent_indent="    ") for text in texts
    ]


def _array(array: Any) -> str:
    return np.array2string(
        np.asarray(array), precision=6, separator=", ", max_line_width=10_000
    ).replace("\n", "")


def _listed(array: Any) -> Any:
    """Return an array as lists; JSON has no number for inf, which it gets by name."""
    if np.isfinite(array).all():
        return np.asarray(array).tolist()
    return [str(value) for value in np.ravel(array).tolist()]
