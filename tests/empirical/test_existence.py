"""The test of "some candidate has all that it needs" on effects made so that the truth is known."""

from typing import Any

import numpy as np
import pytest
from scipy import stats

from empirical.verify.existence import Candidates, Needed, judge_existence, judge_parts
from empirical.verify.verdict import Verdict
from theory.claims import CATALOGUE

CLAIM = CATALOGUE["merkle2021.ratio"]
FALSE_ALARM = 1e-6  # of a test here, by the binomial law of its count
STEPS = np.array([-1.0, 1.0, -1.0, 1.0, -1.0, 1.0]) * np.sqrt(5 / 6)  # variance 1 of mean 0


def needed(mean: float, *, spread: float = 1.0, least: float = 0.0, ratio: float = 0.5) -> Needed:
    return Needed(what="gain", effect=mean + spread * STEPS, least=least, test_to_train=ratio)


def judged(*candidates: Any, **named: Any) -> Verdict:
    listed: Candidates = {str(k): list(own) for k, own in enumerate(candidates)}
    return judge_existence(CLAIM, {"one": listed}, **named)


# t = mean / sqrt(1/6 + 1/2): of 5 degrees of freedom 2.57 is enough alone, 3.16 for one of two.
@pytest.mark.parametrize(
    ("candidates", "status"),
    [
        ([[2.2]], "holds"),
        ([[2.0]], "inconclusive"),
        ([[-2.2]], "refuted"),
        ([[2.2], [0.0]], "inconclusive"),  # of two tried, one has to be clearer
        ([[2.7], [0.0]], "holds"),
        ([[2.7], [-9.0]], "holds"),
        ([[-2.2], [-2.2]], "refuted"),  # all have to fail, no more clearly each
        ([[-2.2], [0.0]], "inconclusive"),
        ([[2.2, 2.2]], "holds"),  # both are needed: no correction
        ([[2.2, 0.0]], "inconclusive"),
        ([[9.0, -2.2]], "inconclusive"),  # one of two that may fail has to fail more clearly
        ([[9.0, -2.7]], "refuted"),
    ],
)
def test_judge_existence_of_planted_effects(candidates: Any, status: str) -> None:
    made = [[needed(mean) for mean in own] for own in candidates]
    assert judged(*made).status == status


def test_judge_existence_measures_from_the_threshold() -> None:
    assert judged([needed(2.2, least=0.0)]).status == "holds"
    assert judged([needed(2.2, least=2.2)]).status == "inconclusive"
    assert judged([needed(2.2, least=4.4)]).status == "refuted"
    verdict = judged([needed(2.2, least=4.4)])
    reach = stats.t.ppf(0.975, 5) * np.sqrt(1 / 6 + 1 / 2)
    assert (verdict.predicted, verdict.measured) == (4.4, pytest.approx(2.2, rel=1e-12))
    assert verdict.interval == pytest.approx((2.2 - reach, 2.2 + reach), rel=1e-9)


def test_judge_existence_widens_by_the_inputs_that_are_shared() -> None:
    assert judged([needed(1.2, ratio=0.0)]).status == "holds"  # t = 1.2 · sqrt(6)
    assert judged([needed(1.2, ratio=0.5)]).status == "inconclusive"


@pytest.mark.parametrize(
    ("upper", "lower", "status"),
    [
        (3.0, 3.0, "holds"),
        (3.0, 0.0, "inconclusive"),
        (3.0, -3.0, "inconclusive"),  # what lies between is not known
        (-3.0, -3.0, "refuted"),
        (-3.0, 0.0, "inconclusive"),
    ],
)
def test_judge_existence_needs_all_measures_to_agree(
    upper: float, lower: float, status: str
) -> None:
    cases = {"upper": {"a": [needed(upper)]}, "lower": {"a": [needed(lower)]}}
    assert judge_existence(CLAIM, cases).status == status


def test_judge_existence_says_which_measure_shows_it() -> None:
    cases = {"upper": {"a": [needed(3.0)]}, "lower": {"a": [needed(-3.0)]}}
    summary = judge_existence(CLAIM, cases).summary
    assert summary.startswith("shown by upper; excluded by lower; lower, a, gain: -3 [")


@pytest.mark.parametrize(
    ("one", "other", "status"),
    [
        (3.0, 3.0, "holds"),
        (3.0, 0.0, "inconclusive"),
        (3.0, -3.0, "refuted"),  # t = -3.67, p = .014: enough for one of two parts
        (3.0, -2.2, "inconclusive"),  # p = .043 is not
    ],
)
def test_judge_parts_is_refuted_by_one_part(one: float, other: float, status: str) -> None:
    parts = {"a": {"m": {"x": [needed(one)]}}, "b": {"m": {"x": [needed(other)]}}}
    verdict = judge_parts(CLAIM, parts)
    assert verdict.status == status
    assert verdict.evidence["a, m, x, gain"] == pytest.approx(one, rel=1e-12)
    assert verdict.evidence["b, m, x, gain"] == pytest.approx(other, abs=1e-12)


@pytest.mark.parametrize("effect", [[np.nan, 1.0], [np.inf, 1.0], [1.0]])
def test_judge_existence_of_unknown_effects_is_not_covered(effect: Any) -> None:
    unknown = Needed(what="gain", effect=np.array(effect), least=0.0, test_to_train=0.0)
    assert judged([unknown]).status == "not covered"
    assert judged([unknown], [needed(9.0)]).status == "not covered"


def test_judge_existence_of_nothing_is_not_covered() -> None:
    assert judge_existence(CLAIM, {}).status == "not covered"
    assert judge_existence(CLAIM, {"one": {}}).status == "not covered"


def test_judge_existence_of_effects_without_spread() -> None:
    for mean, status in ((0.5, "holds"), (0.0, "inconclusive"), (-0.5, "refuted")):
        assert judged([needed(mean, spread=0.0)]).status == status


def at_most(count: int, draws: int, level: float) -> bool:
    return count <= stats.binom.isf(FALSE_ALARM, draws, level)


def drawn(rng: np.random.Generator, means: Any) -> Verdict:
    """Return the verdict on independent normal effects of these means, candidate by candidate."""
    return judged(
        *(
            [
                Needed(what="gain", effect=rng.normal(mean, size=6), least=0.0, test_to_train=0.0)
                for mean in own
            ]
            for own in means
        )
    )


def test_judge_existence_decides_wrongly_no_more_often_than_its_level() -> None:
    rng = np.random.default_rng(0)
    draws = 1000
    none = [drawn(rng, [[0.0], [0.0], [0.0]]).status for _ in range(draws)]
    assert at_most(none.count("holds"), draws, 0.025)  # one side of a level of 5 %
    lacking = [drawn(rng, [[9.0, 0.0], [0.0, 9.0]]).status for _ in range(draws)]
    assert at_most(lacking.count("holds"), draws, 0.025)
    there = [drawn(rng, [[0.0, 0.0], [-9.0, -9.0]]).status for _ in range(draws)]
    assert at_most(there.count("refuted"), draws, 0.025)
