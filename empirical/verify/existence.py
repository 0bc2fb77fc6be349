"""The test of claims that something exists: some compression with all that is claimed of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import reduce

import numpy as np

from empirical.intervals import resampled_interval, resampled_p_value
from empirical.verify.verdict import SIGNIFICANCE, Status, Verdict, not_covered, worse
from theory.claims.claim import Claim
from theory.validation import FloatArray


@dataclass(frozen=True, kw_only=True, eq=False)
class Needed:
    """An effect whose mean over seeds has to exceed a threshold.

    Parameters
    ----------
    what : str
    effect : array, shape (J,)
    least : float
        Declared beforehand.
    test_to_train : float
        As in `resampled_interval`.
    unit : str
        Of the effect, in words.
    """

    what: str
    effect: FloatArray
    least: float
    test_to_train: float
    unit: str = "of accuracy"

    def p_value(self, sign: int) -> float:
        """Return the two-sided p-value of an effect beyond least to that side; 1 if it is not."""
        beyond = sign * (self.effect - self.least)
        two_sided = resampled_p_value(beyond, test_to_train=self.test_to_train)
        return two_sided if beyond.mean() > 0 else 1.0


Candidates = Mapping[str, Sequence[Needed]]


def judge_existence(claim: Claim, measures: Mapping[str, Candidates], *, parts: int = 1) -> Verdict:
    """Return whether, however it is measured, some candidate has all effects that it needs.

    Corrected t-tests over seeds. A measure shows it if all effects of one candidate are
    significantly above their thresholds, corrected for the number of candidates; it excludes it if
    of every candidate one effect is significantly below, corrected for the number of its effects.
    Holds if all measures show it and is refuted if all exclude it. Else inconclusive: what is true
    of an upper and not of a lower bound is not known of what lies between, and nothing is decided
    without the power for it.

    Parameters
    ----------
    claim : Claim
    measures : mapping of str to mapping of str to sequence of Needed
        The same by each measure, as an attack and a proof; by what might have the effects.
    parts : int
        Of the claim, judged each by itself: that one is refuted is corrected for their number.
    """
    if not measures or not all(measures.values()) or _has_unknown(measures):
        return not_covered(claim, "the study has no such networks, or an effect is unknown.")
    shown = {name: _shown(candidates) for name, candidates in measures.items()}
    gone = {name: _excluded(candidates) * parts for name, candidates in measures.items()}
    status: Status = "inconclusive"
    if max(shown.values()) <= SIGNIFICANCE:
        status = "holds"
    elif max(gone.values()) <= SIGNIFICANCE:
        status = "refuted"
    table = gone if status == "refuted" else shown
    return _verdict(
        claim,
        status,
        measures,
        deciding=max(table, key=table.__getitem__),
        told=f"shown by {_names(shown)}; excluded by {_names(gone)}",
    )


def judge_parts(claim: Claim, parts: Mapping[str, Mapping[str, Candidates]]) -> Verdict:
    """Return whether all parts of a claim hold, each as `judge_existence`; one refutes it."""
    verdicts = {
        part: judge_existence(claim, measures, parts=len(parts)) for part, measures in parts.items()
    }
    status = reduce(worse, (verdict.status for verdict in verdicts.values()))
    part, gravest = next(item for item in verdicts.items() if item[1].status == status)
    evidence = {
        f"{part}, {name}" if isinstance(value, float) else name: value
        for part, verdict in verdicts.items()
        for name, value in verdict.evidence.items()
    }
    told = ", ".join(f"{part}: {verdict.status}" for part, verdict in verdicts.items())
    return replace(
        gravest,
        summary=f"{told}; {part}: {gravest.summary}",
        evidence={**evidence, **{"interval of": f"{part}, {gravest.evidence.get('interval of')}"}},
    )


def _names(p_values: Mapping[str, float]) -> str:
    return " and ".join(name for name, p in p_values.items() if p <= SIGNIFICANCE) or "none"


def _shown(candidates: Candidates) -> float:
    """Return the p-value of there being no candidate with all effects."""
    each = [max(one.p_value(1) for one in needed) for needed in candidates.values()]
    return min(each) * len(each)


def _excluded(candidates: Candidates) -> float:
    """Return the p-value of there being a candidate with all effects."""
    return max(
        min(one.p_value(-1) for one in needed) * len(needed) for needed in candidates.values()
    )


def _verdict(
    claim: Claim,
    status: Status,
    measures: Mapping[str, Candidates],
    *,
    deciding: str,
    told: str,
) -> Verdict:
    """Return the verdict with the candidate nearest to having all, and the effect it lacks most."""
    best = max(measures[deciding], key=lambda name: _margin(measures[deciding][name]))
    one, tried = min(measures[deciding][best], key=_lead), len(measures[deciding])
    level = 1 - SIGNIFICANCE / tried
    mean, low, high = resampled_interval(one.effect, test_to_train=one.test_to_train, level=level)
    evidence = {
        f"{measure}, {candidate}, {needed.what}": float(needed.effect.mean())
        for measure, candidates in measures.items()
        for candidate, all_needed in candidates.items()
        for needed in all_needed
    }
    name = f"{deciding}, {best}, {one.what}"
    return Verdict(
        claim=claim,
        status=status,
        predicted=one.least,
        measured=mean,
        interval=(low, high),
        summary=f"{told}; {name}: {mean:+.3g} [{low:+.3g}, {high:+.3g}] {one.unit}, has to"
        f" exceed {one.least:+.3g}{f'; limits corrected for {tried} candidates' * (tried > 1)}",
        evidence={
            "interval of": name,
            "measures": float(len(measures)),
            "seeds": float(one.effect.size),
            "unit": one.unit,
            **evidence,
        },
    )


def _lead(one: Needed) -> float:
    return float(one.effect.mean() - one.least)


def _margin(needed: Sequence[Needed]) -> float:
    return min(_lead(one) for one in needed)


def _has_unknown(measures: Mapping[str, Candidates]) -> bool:
    needed = [one for candidates in measures.values() for own in candidates.values() for one in own]
    return any(one.effect.size < 2 or not np.isfinite(one.effect).all() for one in needed)
