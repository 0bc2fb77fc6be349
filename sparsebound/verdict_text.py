"""Verdicts as text and as JSON."""

from collections.abc import Sequence
from typing import Any

import click

from empirical.verify import Verdict
from figures.verdicts import verdict_row
from sparsebound.options import json_text

_COLOURS = {"holds": "green", "refuted": "yellow", "inconclusive": "white", "not covered": "white"}


def verdict_lines(verdicts: Sequence[Verdict], *, evidence: bool = False) -> str:
    """Return a paragraph a verdict: claim, what we say, what attacks say, and what decides."""
    lines = []
    for verdict in verdicts:
        claim = verdict.claim
        status = click.style(verdict.status, fg=_COLOURS[verdict.status], bold=True)
        warning = click.style("  CONTRADICTS US", fg="red", bold=True)
        lines.append(
            f"{claim.key:<26} we say: {claim.standing:<9} attacks say: {status}"
            + (warning if verdict.contradicts_us else "")
        )
        lines.append(f"    {verdict.summary}")
        if evidence:
            lines.append(f"    {claim.statement}")
            lines += [f"      {name}: {value}" for name, value in _shown(verdict)]
    return "\n".join(lines)


def verdict_json(verdicts: Sequence[Verdict]) -> str:
    """Return a list of objects, one a verdict; what is not a finite number is null."""
    return json_text([_object(verdict) for verdict in verdicts])


def _object(verdict: Verdict) -> dict[str, Any]:
    claim = verdict.claim
    return {
        **verdict_row(verdict),
        "assumptions": list(claim.assumptions),
        "note": claim.note,
        "bibtex": claim.source.bibtex,
        "evidence": dict(verdict.evidence),
    }


def _shown(verdict: Verdict) -> list[tuple[str, str]]:
    return [
        (name, f"{value:.6g}" if isinstance(value, float) else value)
        for name, value in verdict.evidence.items()
    ]
