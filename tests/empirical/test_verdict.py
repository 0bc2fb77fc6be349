"""Verdicts on planted truths, on planted violations, and on nothing at all."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy import stats

from empirical.verify.verdict import (
    Verdict,
    judge_bound,
    judge_equivalence,
    judge_identity,
    judge_trend,
    not_covered,
    worse,
)
from theory.claims import Claim, Source

CLAIM = Claim(
    key="planted.truth",
    source=Source(citation="nobody", place="nowhere", bibtex=""),
    statement="what a test plants",
    form="identity",
    assumptions=(),
    standing="proven",
    note="",
    predict=float,
)
RATIO = 0.5
# The probability that a judge of the right level fails a simulated test; the generator is fixed.
FALSE_ALARM = 1e-6


def identity(predicted: Any, measured: Any) -> Verdict:
    return judge_identity(CLAIM, predicted, measured, tolerance=0.01, reason="planted")


def bound(limits: Any, measured: Any, allowance: Any = 0.0) -> Verdict:
    return judge_bound(CLAIM, limits, measured, allowance=allowance, reason="planted")


def trend(effects: Any) -> Verdict:
    return judge_trend(CLAIM, effects, test_to_train=RATIO, unit="units")


def equivalence(effects: Any, margin: float = 1.0) -> Verdict:
    return judge_equivalence(CLAIM, effects, margin=margin, test_to_train=RATIO, unit="units")


def splits(rng: np.random.Generator, means: Any, J: int = 6, spread: float = 1.0) -> Any:
    """Return a case for each mean: J values as correlated as the corrected t-test models them.

    Student's law is then exact: see Nadeau and Bengio 2003.
    """
    shared = np.sqrt(RATIO) * rng.normal(size=(len(means), 1))
    rows = np.asarray(means)[:, None] + spread * (shared + rng.normal(size=(len(means), J)))
    return {f"case {i}": row for i, row in enumerate(rows)}


@pytest.mark.parametrize(
    ("predicted", "measured", "status"),
    [
        ([1.0, -2.0], [1.0, -2.0], "holds"),
        ([100.0, 1e-6], [100.9, 1.009e-6], "holds"),  # relative, whatever the size
        ([100.0, 1.0], [100.9, 1.02], "refuted"),
        ([100.0, -1.0], [100.0, 1.0], "refuted"),
        ([0.0], [0.009], "holds"),  # absolute where the prediction is zero
        ([0.0], [0.011], "refuted"),
        ([5.0, 5.0], [5.0, np.nan], "not covered"),
        ([5.0, np.nan], [5.0, 5.0], "not covered"),
        ([np.nan], [np.nan], "not covered"),
        (2.0, 2.01, "holds"),
    ],
)
def test_judge_identity_of_planted_cases(predicted: Any, measured: Any, status: str) -> None:
    assert identity(predicted, measured).status == status


def test_judge_identity_reports_the_worst_case() -> None:
    verdict = identity([1.0, 2.0, 4.0], [1.0, 2.01, 4.4])
    assert verdict.status == "refuted"
    assert "2 of 3 cases agree, 1 differ; the worst: predicted 4, meas" in verdict.summary
    assert "measured 4.4" in verdict.summary
    assert verdict.evidence["unequal"] == 1
    # one subtraction of numbers of order one
    assert verdict.evidence["largest relative error"] == pytest.approx(0.1, rel=1e-12)
    assert (verdict.predicted, verdict.measured) == pytest.approx((7 / 3, 7.41 / 3), rel=1e-12)
    assert verdict.evidence["reason of the tolerance"] == "planted"


def noisy_identity(predicted: Any, measured: Any, errors: Any, **settings: Any) -> Verdict:
    return judge_identity(
        CLAIM, predicted, measured, tolerance=0.01, reason="planted", errors=errors, **settings
    )


@pytest.mark.parametrize(
    ("measured", "errors", "margin", "status"),
    [
        ([10.5], [0.0999], 0.2, "refuted"),  # .5 less .3996 is beyond .1
        ([10.5], [0.1001], 0.2, "holds"),  # .5 + .4004 is within 2
        ([10.5], [0.1001], 0.09, "inconclusive"),  # .5 + .4004 is beyond .9
        ([9.5], [0.0999], 0.2, "refuted"),
        ([9.5], [0.1001], 0.09, "inconclusive"),
        ([10.0], [1.0], 0.2, "inconclusive"),  # too noisy to agree, however near
        ([10.0], [0.02], None, "holds"),  # the margin is then the tolerance: .08 of .1
        ([10.0], [0.03], None, "inconclusive"),
        ([10.0], [np.nan], 0.2, "not covered"),
    ],
)
def test_judge_identity_of_noisy_measurements(
    measured: Any, errors: Any, margin: float | None, status: str
) -> None:
    assert noisy_identity([10.0], measured, errors, margin=margin).status == status


def test_judge_identity_is_refuted_by_one_case_and_undecided_by_one() -> None:
    assert noisy_identity([10.0] * 2, [10.0, 10.5], [1.0, 0.0], margin=0.2).status == "refuted"
    assert noisy_identity([10.0] * 2, [10.0, 10.0], [1.0, 0.0], margin=0.2).status == "inconclusive"
    shown = noisy_identity([10.0, 20.0], [10.0, 10.0], [1.0, 0.0], margin=0.2)
    assert "predicted 20, measured 10" in shown.summary  # the case that refutes


def test_judge_identity_measures_errors_on_the_scale_it_is_given() -> None:
    assert noisy_identity([0.1], [0.105], [0.0], margin=0.02).status == "refuted"  # 5 % of .1
    assert noisy_identity([0.1], [0.105], [0.0], margin=0.02, scale=1.0).status == "holds"
    verdict = noisy_identity([0.1], [0.15], [0.01], margin=0.02, scale=0.5)
    # one subtraction and one division of numbers of order one
    assert verdict.evidence["largest relative error"] == pytest.approx(0.1, rel=1e-12)
    assert verdict.evidence["largest four standard errors"] == pytest.approx(0.08, rel=1e-12)
    assert verdict.evidence["margin"] == 0.02


@pytest.mark.parametrize(
    ("one", "other", "status"),
    [
        ("holds", "holds", "holds"),
        ("holds", "inconclusive", "inconclusive"),
        ("not covered", "holds", "not covered"),
        ("refuted", "not covered", "refuted"),
    ],
)
def test_worse_is_the_graver_status(one: Any, other: Any, status: str) -> None:
    assert worse(one, other) == worse(other, one) == status


@pytest.mark.parametrize(
    ("limits", "measured", "allowance", "status"),
    [
        ([1.0, 2.0], [1.0, 1.5], 0.0, "holds"),
        ([1.0, 2.0], [1.001, 1.5], 0.0, "refuted"),
        ([1.0], [1.0999], 0.1, "holds"),
        ([1.0], [1.1001], 0.1, "refuted"),
        ([1.0, 1.0], [1.05, 1.05], [0.1, 0.0], "refuted"),
        ([np.inf, 1.0], [1e9, 0.5], 0.0, "holds"),
        ([np.inf, 1.0], [0.5, 1.5], 0.0, "refuted"),
        ([np.inf, 1.0], [np.nan, 0.5], 0.0, "holds"),  # unknown where nothing was said
        ([np.inf, np.inf], [0.5, 0.5], 0.0, "not covered"),
        ([1.0, 1.0], [0.5, np.nan], 0.0, "not covered"),
        ([np.nan, 1.0], [9.0, 0.5], 0.0, "not covered"),
        ([1.0], [9.0], np.nan, "not covered"),
        ([], [], 0.0, "not covered"),
        (1.0, [0.2, 0.3], 0.0, "holds"),
    ],
)
def test_judge_bound_of_planted_cases(
    limits: Any, measured: Any, allowance: Any, status: str
) -> None:
    assert bound(limits, measured, allowance).status == status


def test_judge_bound_reports_slack_and_violation() -> None:
    verdict = bound([1.0, 2.0, 3.0, np.inf], [1.5, 1.0, 1.0, 7.0])
    assert verdict.evidence["cases"] == 3
    assert verdict.evidence["violations"] == 1
    assert verdict.evidence["largest violation"] == 0.5
    assert verdict.evidence["slack, median"] == 1.0
    # quantiles interpolate between -.5 and 1, and between 1 and 2
    assert verdict.interval == pytest.approx((-0.35, 1.9), rel=1e-12)
    assert bound([1.0], [0.5]).evidence["largest violation"] == 0


def test_judge_trend_of_planted_effects() -> None:
    rng = np.random.default_rng(0)
    assert trend(splits(rng, [20.0, 30.0, 40.0])).status == "holds"
    assert trend(splits(rng, [20.0, -20.0, 40.0])).status == "refuted"
    assert trend(splits(rng, [20.0, 0.0, 40.0])).status == "inconclusive"
    assert trend({}).status == "not covered"
    fallen = trend({"up": np.array([2.0, 2.1, 1.9]), "down": np.array([-2.0, -2.1, -1.9])})
    assert "rises in 1, falls in 1, undecided in 0 of 2 cases;" in fallen.summary
    assert "down: -2 [" in fallen.summary
    assert fallen.evidence["effect, up"] == pytest.approx(2.0, rel=1e-12)  # a mean of three


def test_judge_trend_needs_more_of_each_case_among_many() -> None:
    # t = 2 / sqrt(1/6 + 1/2) · 1 = 2.45 of 5 degrees of freedom: p = .058 alone is not enough
    values = np.array([-1.0, 1.0, -1.0, 1.0, -1.0, 1.0]) * np.sqrt(5 / 6)
    assert trend({"a": values + 2.0}).status == "inconclusive"
    clear = values + 2.5  # t = 3.06, p = .028: enough alone, too little of two such
    assert trend({"a": clear}).status == "holds"
    assert trend({"a": clear, "b": clear}).status == "inconclusive"
    assert trend({"a": -clear}).status == "refuted"


def test_judge_trend_of_effects_without_spread() -> None:
    assert trend({"a": np.full(4, 0.5)}).status == "holds"
    assert trend({"a": np.full(4, -0.5)}).status == "refuted"
    assert trend({"a": np.zeros(4)}).status == "inconclusive"


NOISY = np.array([-9.0, 9.0, 9.0, -9.0, 9.0, 9.0])  # mean 3, and undecided


def test_judges_show_the_case_that_refutes_not_a_more_extreme_undecided_one() -> None:
    steady = np.array([2.0, 2.1, 1.9, 2.0, 2.1, 1.9])
    fallen = trend({"noisy": -NOISY, "down": -steady})
    assert fallen.status == "refuted"
    assert fallen.interval[1] < 0
    beyond = equivalence({"noisy": NOISY, "apart": steady})
    assert beyond.status == "refuted"
    assert beyond.interval[0] > 1.0


def at_most(count: int, draws: int, level: float) -> bool:
    """Return whether a count of events of at most this probability is credible."""
    return count <= stats.binom.isf(FALSE_ALARM, draws, level)


def test_judge_trend_decides_wrongly_no_more_often_than_its_level() -> None:
    rng = np.random.default_rng(1)
    null = [trend(splits(rng, [0.0, 0.0, 0.0])).status for _ in range(1000)]
    assert at_most(len(null) - null.count("inconclusive"), 1000, 0.05)
    single = [trend(splits(rng, [0.0])).status for _ in range(1000)]
    assert at_most(len(single) - single.count("inconclusive"), 1000, 0.05)
    # one flat case among rising ones: the claim that all rise is false
    mixed = [trend(splits(rng, [0.0, 50.0])).status for _ in range(500)]
    assert at_most(mixed.count("holds"), 500, 0.025)


def test_judge_equivalence_of_planted_effects() -> None:
    rng = np.random.default_rng(2)
    assert equivalence(splits(rng, [0.0, 0.2, -0.3], spread=0.05)).status == "holds"
    assert equivalence(splits(rng, [0.0, 2.0, -0.3], spread=0.05)).status == "refuted"
    assert equivalence(splits(rng, [0.0, -2.0, -0.3], spread=0.05)).status == "refuted"
    assert equivalence(splits(rng, [0.0, 1.0], spread=0.05)).status == "inconclusive"
    assert equivalence({}).status == "not covered"


def test_judge_equivalence_never_holds_where_little_is_known() -> None:
    rng = np.random.default_rng(3)
    # s = 20 at six splits: no 90 % interval is shorter than 2 but for a sample far below s
    wide = [equivalence(splits(rng, [0.0, 0.0], spread=20.0)).status for _ in range(300)]
    assert "holds" not in wide
    assert equivalence({"a": np.array([0.0])}).status == "inconclusive"  # one split: no interval
    assert equivalence({"a": np.array([0.0, np.nan, 0.0])}).status == "not covered"


def test_judge_equivalence_decides_wrongly_no_more_often_than_its_level() -> None:
    rng = np.random.default_rng(4)
    # on the margin: it is false that the effect is within, and false that it is beyond
    edge = [equivalence(splits(rng, [1.0], spread=0.1)).status for _ in range(1000)]
    assert at_most(edge.count("holds"), 1000, 0.05)
    assert edge.count("holds") > 10  # the test has power: near .05, not zero
    several = [equivalence(splits(rng, [1.0, -1.0, 1.0], spread=0.1)).status for _ in range(700)]
    assert at_most(several.count("refuted"), 700, 0.05)


@pytest.mark.parametrize("status", ["holds", "refuted", "inconclusive", "not covered"])
@pytest.mark.parametrize("standing", ["proven", "refuted", "open"])
def test_contradicts_us_only_where_proof_and_measurement_disagree(
    standing: Any, status: Any
) -> None:
    verdict = Verdict(
        claim=replace(CLAIM, standing=standing),
        status=status,
        predicted=0.0,
        measured=0.0,
        interval=(0.0, 0.0),
        summary="",
    )
    disagree = {("proven", "refuted"), ("refuted", "holds")}
    assert verdict.contradicts_us == ((standing, status) in disagree)


def test_not_covered_says_why_and_gives_no_number() -> None:
    verdict = not_covered(CLAIM, "the power was out.")
    assert verdict.status == "not covered"
    assert verdict.summary == "the power was out."
    assert np.isnan([verdict.predicted, verdict.measured, *verdict.interval]).all()
    assert not verdict.contradicts_us
