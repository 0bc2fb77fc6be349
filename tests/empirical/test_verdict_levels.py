"""The levels of trends and equivalences, on planted effects just on either side of them."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy import stats

from empirical.verify.verdict import Verdict, judge_equivalence, judge_trend
from theory.claims import CATALOGUE

CLAIM = replace(CATALOGUE["guo2018.l2-sparsity"], key="planted.truth")
# Six splits of mean 0 and s = 1; of test_to_train 1/2 the mean's error is √(1/6 + 1/2).
SPREAD = np.array([-1.0, 1.0, -1.0, 1.0, -1.0, 1.0]) * np.sqrt(5 / 6)
ERROR = np.sqrt(1 / 6 + 1 / 2)


def reach(p: float) -> float:
    """Return how far from zero a mean of six splits has a two-sided p-value of p."""
    return float(stats.t.isf(p / 2, 5) * ERROR)


def equivalence(*means: float, margin: float) -> Verdict:
    effects: dict[str, Any] = {f"case {i}": SPREAD + mean for i, mean in enumerate(means)}
    return judge_equivalence(CLAIM, effects, margin=margin, test_to_train=0.5, unit="units")


def trend(*means: float) -> Verdict:
    effects: dict[str, Any] = {f"case {i}": SPREAD + mean for i, mean in enumerate(means)}
    return judge_trend(CLAIM, effects, test_to_train=0.5, unit="units")


@pytest.mark.parametrize(("p", "status"), [(0.051, "inconclusive"), (0.049, "refuted")])
@pytest.mark.parametrize("cases", [1, 2, 5])
def test_equivalence_is_refuted_at_a_level_corrected_for_the_number_of_cases(
    cases: int, p: float, status: str
) -> None:
    apart = 1.0 + reach(p / cases)
    for sign in (1, -1):
        assert equivalence(sign * apart, *[0.0] * (cases - 1), margin=1.0).status == status


@pytest.mark.parametrize(("p", "status"), [(0.098, "holds"), (0.102, "inconclusive")])
def test_equivalence_holds_by_two_one_sided_tests_at_five_percent(p: float, status: str) -> None:
    # The margin is farther than a p-value of .1 two-sided is: .05 for each side.
    for mean in (-0.5, 0.5):
        assert equivalence(mean, margin=0.5 + reach(p)).status == status


@pytest.mark.parametrize(("p", "status"), [(0.051, "inconclusive"), (0.049, "holds")])
@pytest.mark.parametrize("cases", [1, 2, 5])
def test_trend_holds_at_holms_level(cases: int, p: float, status: str) -> None:
    # Holm asks p / k of the least p-value, p of the last: equal ones must all pass the first.
    assert trend(*[reach(p / cases)] * cases).status == status


@pytest.mark.parametrize(("p", "status"), [(0.051, "inconclusive"), (0.049, "refuted")])
def test_trend_is_refuted_at_holms_level(p: float, status: str) -> None:
    assert trend(-reach(p / 2), 0.0).status == status


@pytest.mark.parametrize("judge", [trend, lambda *means: equivalence(*means, margin=9.0)])
def test_limits_shown_are_corrected_for_the_number_of_cases(judge: Any) -> None:
    low, high = judge(0.0, 0.0, 0.0).interval
    # one quantile and one sum of order one
    assert (low, high) == pytest.approx((-reach(0.05 / 3), reach(0.05 / 3)), rel=1e-9)
