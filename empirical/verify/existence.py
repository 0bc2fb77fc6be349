"""The test of claims that something exists: some compression with all that is claimed of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from operator import itemgetter

import numpy as np
from scipy import stats

from empirical.verify.verdict import SIGNIFICANCE, Status, Verdict, not_covered, worse
from theory.claims.claim import Claim
from theory.validation import FloatArray

_FEWEST = 3  # seeds: of two, one difference decides how sure it is of itself
_ROUNDING = 1e-12  # of effects, which are differences of numbers up to about 1


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
    inputs : int or None
        Of each seed, if the effect is a difference of shares of them; None if it is of anything
        that moves by less than an input.
    unit : str
        Of the effect, in words.
    """

    what: str
    effect: FloatArray
    least: float
    test_to_train: float
    inputs: int | None
    unit: str = "of accuracy"

    @property
    def lead(self) -> float:
        """The mean beyond least, in standard errors; 0 where that is rounding, or without error."""
        beyond, error = float(self.effect.mean() - self.least), self._error()
        return beyond / error if abs(beyond) > _ROUNDING and error > 0 else 0.0

    def p_value(self, sign: int) -> float:
        """Return the two-sided p-value of an effect beyond least to that side; 1 if it is not."""
        ahead = sign * self.lead
        return float(2 * stats.t.sf(ahead, self.effect.size - 1)) if ahead > 0 else 1.0

    def interval(self, level: float) -> tuple[float, float, float]:
        """Return the mean and the limits that decide as `p_value` does."""
        mean = float(self.effect.mean())
        reach = float(stats.t.ppf((1 + level) / 2, self.effect.size - 1)) * self._error()
        return mean, mean - reach, mean + reach

    def _error(self) -> float:
        """Return the standard error of the mean, its variance corrected as `resampled_interval`'s.

        Seeds whose shares agree by chance are no surer than shares are: that of a seed is off as if
        one more input spoke for each side. Other effects that agree to rounding say nothing of
        their error, which is 0.
        """
        spread = float(self.effect.std(ddof=1))
        least = np.sqrt(2) / self.inputs if self.inputs else 0.0
        spread = max(least, spread if spread > _ROUNDING else 0.0)
        return spread * float(np.sqrt(1 / self.effect.size + self.test_to_train))


Candidates = Mapping[str, Sequence[Needed]]


def judge_existence(claim: Claim, measures: Mapping[str, Candidates], *, parts: int = 1) -> Verdict:
    """Return whether, however it is measured, some candidate has all effects that it needs.

    Corrected t-tests over seeds. It holds if, by every measure, all effects of one and the same
    candidate are significantly above their thresholds, corrected for the number of candidates. A
    measure excludes it if of every candidate one effect is significantly below, corrected for the
    number of its effects; it is refuted if all measures exclude it. Else inconclusive: what is true
    of an upper and not of a lower bound is not known of what lies between, and nothing is decided
    without the power for it. Of fewer than three seeds nothing is said.

    Parameters
    ----------
    claim : Claim
    measures : mapping of str to mapping of str to sequence of Needed
        The same by each measure, as an attack and a proof; by what might have the effects.
    parts : int
        Of the claim, judged each by itself: that one is refuted is corrected for their number.

    Raises
    ------
    ValueError
        If measures are of different candidates.
    """
    _refuse_others(measures)
    if not measures or not all(measures.values()) or _has_unknown(measures):
        return not_covered(
            claim,
            "the study has no such networks, fewer than three seeds of them, or an effect is"
            " unknown.",
        )
    together = {
        name: [one for candidates in measures.values() for one in candidates[name]]
        for name in next(iter(measures.values()))
    }
    shown = {name: _shown(candidates) for name, candidates in measures.items()}
    gone = {name: _excluded(candidates) * parts for name, candidates in measures.items()}
    status: Status = "inconclusive"
    if _shown(together) <= SIGNIFICANCE:
        status = "holds"
    elif max(gone.values()) <= SIGNIFICANCE:
        status = "refuted"
    no_one = status != "holds" and max(shown.values()) <= SIGNIFICANCE
    return _verdict(
        claim,
        status,
        measures,
        # a refutation is as sure as its least sure measure; else the weakest effect of any counts
        deciding=[max(gone, key=gone.__getitem__)] if status == "refuted" else list(measures),
        parts=parts,
        told=f"shown by {_names(shown)}{', but of no one by all' * no_one};"
        f" excluded by {_names(gone)}",
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
    deciding: Sequence[str],
    parts: int,
    told: str,
) -> Verdict:
    """Return the verdict with the candidate nearest to having all, and the effect it lacks most."""
    lacked = [
        min(
            (
                (one.lead, measure, candidate, one)
                for measure in deciding
                for one in measures[measure][candidate]
            ),
            key=itemgetter(0),
        )
        for candidate in measures[deciding[0]]
    ]
    _, measure, candidate, one = max(lacked, key=itemgetter(0))
    tests, what = len(lacked), "candidates"
    if status == "refuted":
        tests, what = len(measures[measure][candidate]) * parts, "ways to fail"
    mean, low, high = one.interval(1 - SIGNIFICANCE / tests)
    name = f"{measure}, {candidate}, {one.what}"
    return Verdict(
        claim=claim,
        status=status,
        predicted=one.least,
        measured=mean,
        interval=(low, high),
        summary=f"{told}; {name}: {mean:+.3g} [{low:+.3g}, {high:+.3g}] {one.unit}, has to"
        f" exceed {one.least:+.3g}{f'; limits corrected for {tests} {what}' * (tests > 1)}",
        evidence={
            "interval of": name,
            "measures": float(len(measures)),
            "seeds": float(one.effect.size),
            "unit": one.unit,
            **_means(measures),
        },
    )


def _means(measures: Mapping[str, Candidates]) -> dict[str, float]:
    return {
        f"{measure}, {candidate}, {one.what}": float(one.effect.mean())
        for measure, candidates in measures.items()
        for candidate, needed in candidates.items()
        for one in needed
    }


def _refuse_others(measures: Mapping[str, Candidates]) -> None:
    names = [set(candidates) for candidates in measures.values()]
    if any(own != names[0] for own in names):
        told = " and ".join(str(sorted(own)) for own in names)
        raise ValueError(f"measures must be of the same candidates; got {told}.")


def _has_unknown(measures: Mapping[str, Candidates]) -> bool:
    needed = [one for candidates in measures.values() for own in candidates.values() for one in own]
    return any(one.effect.size < _FEWEST or not np.isfinite(one.effect).all() for one in needed)
