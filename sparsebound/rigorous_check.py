"""Verdicts of ball arithmetic: the part of `sparsebound check --rigorous` that works."""

import math
from collections.abc import Sequence

import click
import numpy as np

from empirical.verify import Verdict
from empirical.verify.verdict import Status, not_covered
from theory.claims import CATALOGUE, Claim
from theory.rigorous import CASES, Case

# What a claim's formula and its definition may differ by, relatively: the balls of both are some
# 1e-37 wide. And what float64's formula may, whose rounding is a few 1e-16 a term.
_WIDTH, _FLOAT64 = 1e-25, 1e-9
_NONE = "no rigorous check: nothing that it says is computed in ball arithmetic."


def rigorous_verdicts(claims: Sequence[Claim], *, seed: int) -> list[Verdict]:
    """Return a verdict on each claim: proven or disproven on instances, or not covered."""
    return [_verdict(claim, seed) for claim in claims]


def rigorous_lines(verdicts: Sequence[Verdict]) -> str:
    """Return a paragraph a verdict: claim, what we say, what ball arithmetic says, and of what."""
    lines = []
    for verdict in verdicts:
        claim, nothing = verdict.claim, verdict.status == "not covered"
        status = click.style("nothing" if nothing else verdict.status, bold=True)
        warning = click.style("  CONTRADICTS US", fg="red", bold=True)
        lines.append(
            f"{claim.key:<26} we say: {claim.standing:<9} ball arithmetic says: {status}"
            + (warning if verdict.contradicts_us else "")
        )
        lines.append(f"    {verdict.summary}")
        lines += [f"      {name}: {value}" for name, value in verdict.evidence.items()]
    return "\n".join(lines)


def _verdict(claim: Claim, seed: int) -> Verdict:
    if claim.key not in CASES:
        return not_covered(claim, _NONE)
    rng = np.random.default_rng([seed, 3, list(CATALOGUE).index(claim.key)])
    cases = CASES[claim.key](claim.key, rng)
    found = [_status(claim, case) for case in cases]
    worst = max(found, key=("holds", "inconclusive", "refuted").index)
    decides = cases[found.index(worst)]
    off = [abs(case.float64 - case.predicted) / _unit(case) for case in cases]
    stands = all(gap <= _FLOAT64 for gap in off)
    gaps = [float(case.predicted - case.measured) for case in cases]
    return Verdict(
        claim=claim,
        status=worst,
        predicted=float(np.mean([float(case.predicted) for case in cases])),
        measured=float(np.mean([float(case.measured) for case in cases])),
        interval=(min(gaps), max(gaps)),
        summary=f"{found.count('holds')} of {len(cases)} instances prove it,"
        f" {found.count('refuted')} disprove it; {decides.name}: {_relation(claim, decides)};"
        f" float64's formula {'stands' if stands else 'DOES NOT STAND'}",
        evidence={
            "interval of": "predicted less measured, least to largest",
            "instances": float(len(cases)),
            "left open by balls": float(found.count("inconclusive")),
            "largest relative error of float64's formula": max(map(float, off)),
        },
    )


def _status(claim: Claim, case: Case) -> Status:
    """Return whether an instance is proven to be as claimed, proven not to be, or left open."""
    excess = case.measured - case.predicted
    if claim.form == "identity":
        excess = abs(excess)
    allowed = _WIDTH * _unit(case)
    return "holds" if excess <= allowed else "refuted" if excess > allowed else "inconclusive"


def _unit(case: Case) -> float:
    return abs(float(case.predicted)) or 1.0


def _relation(claim: Claim, case: Case) -> str:
    sign = "=" if claim.form == "identity" else "≤"
    spread = math.fsum([float(case.predicted.rad()), float(case.measured.rad())])
    return (
        f"{float(case.measured):.12g} {sign} {float(case.predicted):.12g}"
        f" {'proven' if _status(claim, case) == 'holds' else 'disproven'}"
        f" (balls of {spread:.0e})"
    )
