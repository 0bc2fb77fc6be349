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
    return Needed(
        what="gain", effect=mean + spread * STEPS, least=least, test_to_train=ratio, inputs=None
    )


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
    assert verdict.predicted == 4.4
    assert verdict.measured == pytest.approx(2.2, rel=1e-12)
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


@pytest.mark.parametrize("effect", [[np.nan, 1.0, 2.0], [np.inf, 1.0, 2.0], [1.0], [5.0, 5.01]])
def test_judge_existence_of_unknown_effects_is_not_covered(effect: Any) -> None:
    unknown = Needed(
        what="gain", effect=np.array(effect), least=0.0, test_to_train=0.0, inputs=None
    )
    assert judged([unknown]).status == "not covered"
    assert judged([unknown], [needed(9.0)]).status == "not covered"


def test_judge_existence_of_nothing_is_not_covered() -> None:
    assert judge_existence(CLAIM, {}).status == "not covered"
    assert judge_existence(CLAIM, {"one": {}}).status == "not covered"


@pytest.mark.parametrize("mean", [0.5, 0.0, -0.5])
def test_judge_existence_of_effects_without_spread_is_open(mean: float) -> None:
    assert judged([needed(mean, spread=0.0)]).status == "inconclusive"
    # .1 + .2 - .3 is no spread
    rounded = np.array([0.3, 0.1 + 0.2, 0.3])
    one = Needed(what="gain", effect=rounded, least=-mean, test_to_train=0.5, inputs=None)
    assert (one.p_value(1), one.p_value(-1)) == (1.0, 1.0)


def of_shares(gained: Any, least: float, *, inputs: int = 100, base: Any = (97, 98, 96)) -> Needed:
    """Return the gains of seeds in shares of inputs, off by rounding as such differences are."""
    effect = (np.array(base) + gained) / inputs - np.array(base) / inputs
    return Needed(what="gain", effect=effect, least=least, test_to_train=0.09, inputs=inputs)


def test_needed_of_shares_is_no_surer_than_one_input_more_each_side() -> None:
    # Of 100 inputs two that differ have a variance of 2 / 100^2; 3 seeds share some inputs.
    error = np.sqrt(2) / 100 * np.sqrt(1 / 3 + 0.09)
    for gained in (2, 5):
        one = of_shares([gained] * 3, 0.0)
        assert one.p_value(1) == pytest.approx(2 * stats.t.sf(gained / 100 / error, 2), rel=1e-9)
        reach = stats.t.ppf(0.99, 2) * error
        limits = (gained / 100, gained / 100 - reach, gained / 100 + reach)
        assert one.interval(0.98) == pytest.approx(limits, rel=1e-9)
    # what spreads more is as sure as its spread says
    wide = of_shares([1, 5, 9], 0.0)
    expected = stats.t.sf(0.05 / (0.04 * np.sqrt(1 / 3 + 0.09)), 2) * 2
    assert wide.p_value(1) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("base", [(97, 98, 96), (93, 91, 90), (58, 57, 59)])
@pytest.mark.parametrize(("gained", "least"), [(-1, -0.01), (2, 0.02), (-5, -0.05), (10, 0.1)])
def test_needed_of_a_tie_at_the_threshold_is_open(gained: int, least: float, base: Any) -> None:
    one = of_shares([gained] * 3, least, base=base)
    assert (one.p_value(1), one.p_value(-1)) == (1.0, 1.0)
    turns = of_shares([gained - 1, gained, gained + 1], least, base=base)
    assert (turns.p_value(1), turns.p_value(-1)) == (1.0, 1.0)


def test_judge_existence_of_few_shares_that_agree_decides_little() -> None:
    few, many = (
        judged([of_shares([1] * 3, -0.01, inputs=n, base=(70, 70, 70))]) for n in (100, 100_000)
    )
    assert few.status == "inconclusive"  # two inputs of 100 above the threshold
    assert many.status == "holds"  # a thousand of 100 000


def test_judge_existence_needs_one_candidate_by_all_measures() -> None:
    apart = {
        "upper": {"a": [needed(9.0)], "b": [needed(0.0)]},
        "lower": {"a": [needed(0.0)], "b": [needed(9.0)]},
    }
    verdict = judge_existence(CLAIM, apart)
    assert verdict.status == "inconclusive"
    assert "shown by upper and lower, but of no one by all;" in verdict.summary
    apart["lower"]["a"] = [needed(9.0)]
    assert judge_existence(CLAIM, apart).status == "holds"


def test_judge_existence_refuses_measures_of_other_candidates() -> None:
    cases = {"upper": {"a": [needed(3.0)]}, "lower": {"b": [needed(3.0)]}}
    with pytest.raises(ValueError, match="measures must be of the same candidates"):
        judge_existence(CLAIM, cases)


@pytest.mark.parametrize(
    ("candidates", "parts", "level"),
    [
        ([[2.7], [0.0]], 1, 0.975),  # shown: one of two
        ([[9.0, -2.7]], 1, 0.975),  # excluded: one of two effects
        ([[-2.2], [-2.4]], 1, 0.95),  # each candidate by its one effect
        ([[9.0, -3.8], [9.0, -3.9]], 2, 0.9875),  # and one of two parts
    ],
)
def test_judge_existence_shows_the_limits_that_decide(
    candidates: Any, parts: int, level: float
) -> None:
    made = [[needed(mean) for mean in own] for own in candidates]
    verdict = judged(*made, parts=parts)
    assert verdict.status in ("holds", "refuted")
    reach = stats.t.ppf((1 + level) / 2, 5) * np.sqrt(1 / 6 + 1 / 2)
    low, high = verdict.interval
    assert (high - low) / 2 == pytest.approx(reach, rel=1e-9)
    assert low > 0 if verdict.status == "holds" else high < 0


def test_judge_existence_ranks_effects_by_their_errors_not_their_units() -> None:
    # A lack of .5 is small where seeds differ by 1, one of .1 is large where they do by .01.
    loose, tight = needed(-0.5, spread=1.0), needed(-0.1, spread=0.01)
    for candidates, named in (([[loose], [tight]], "one, 0"), ([[loose, tight]], "one, 0")):
        verdict = judged(*candidates)
        assert str(verdict.evidence["interval of"]).startswith(named)
        assert verdict.measured == pytest.approx(-0.5 if len(candidates) == 2 else -0.1, rel=1e-9)


def at_most(count: int, draws: int, level: float) -> bool:
    return count <= stats.binom.isf(FALSE_ALARM, draws, level)


def drawn(rng: np.random.Generator, means: Any) -> Verdict:
    """Return the verdict on independent normal effects of these means, candidate by candidate."""
    return judged(
        *(
            [
                Needed(
                    what="gain",
                    effect=rng.normal(mean, size=6),
                    least=0.0,
                    test_to_train=0.0,
                    inputs=None,
                )
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


@pytest.mark.parametrize(("seeds", "inputs"), [(3, 100), (6, 200)])
def test_judge_existence_of_lattice_shares_keeps_its_level(seeds: int, inputs: int) -> None:
    # A loss of 1 point of accuracy as the truth, at the threshold: few discordant inputs, so that
    # seeds agree often. Independent seeds; the interval allows for some that are shared.
    rng, draws = np.random.default_rng(1), 2000
    found = []
    for _ in range(draws):
        candidates = []
        for _ in range(4):
            lost = rng.binomial(inputs, 0.012, seeds) - rng.binomial(inputs, 0.002, seeds)
            one = Needed(
                what="gain",
                effect=-lost / inputs,
                least=-0.01,
                test_to_train=inputs / 1078,
                inputs=inputs,
            )
            candidates.append([one])
        found.append(judged(*candidates).status)
    assert at_most(found.count("holds"), draws, 0.025)
    assert at_most(found.count("refuted"), draws, 0.025)
