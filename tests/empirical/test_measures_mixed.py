"""Accuracy at shares of adversarial inputs: by hand, at its ends, the coverage of its limits."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from empirical.measures import BestByShare, best_by_share, mixed_accuracy

NAN = float("nan")
SHARES = np.array([0.0, 0.1, 0.5, 0.9, 1.0])
# The probability that a correct interval fails a simulated test; the generators are fixed.
FALSE_ALARM = 1e-6


def outcomes(n: int, clean: int, robust: int) -> tuple[Any, Any]:
    """Return the first inputs as right, and the first of those as surviving."""
    return np.arange(n) < clean, np.arange(n) < robust


def study(n: int, **counts: tuple[int, int]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return what networks, named with their counts of right and surviving inputs, do."""
    pairs = {name: outcomes(n, *pair) for name, pair in counts.items()}
    right, survived = ({name: pair[i] for name, pair in pairs.items()} for i in (0, 1))
    return right, survived


def wilson(hits: int, n: int, level: float) -> list[float]:
    """Return the two rates at which the score statistic of the level is met."""
    z, p = stats.norm.ppf((1 + level) / 2), hits / n
    return sorted(np.roots([1 + z**2 / n, -2 * p - z**2 / n, p**2]).real)


def test_mixed_accuracy_is_the_accuracy_of_inputs_of_which_a_share_is_adversarial() -> None:
    right, survived = outcomes(20, 18, 5)
    rng, q, draws = np.random.default_rng(0), 0.3, 200_000
    # by definition: each input is drawn, and attacked with probability q
    drawn, attacked = rng.integers(20, size=draws), rng.random(draws) < q
    hits = int(np.where(attacked, survived[drawn], right[drawn]).sum())
    value = mixed_accuracy(right, survived, [q]).value[0]
    assert stats.binomtest(hits, draws, value).pvalue > FALSE_ALARM


@pytest.mark.parametrize("level", [0.8, 0.95])
def test_mixed_accuracy_has_wilsons_limits_at_both_ends(level: float) -> None:
    found = mixed_accuracy(*outcomes(40, 38, 12), [0, 1], level=level)
    assert found.value == pytest.approx([38 / 40, 12 / 40])
    # a quadratic's roots lose half the digits where they all but meet
    assert [found.low[0], found.high[0]] == pytest.approx(wilson(38, 40, level), abs=1e-7)
    assert [found.low[1], found.high[1]] == pytest.approx(wilson(12, 40, level), abs=1e-7)
    assert (found.n, found.level, found.kind) == (40, level, "upper")


@pytest.mark.parametrize("robust", [0, 5, 20])
def test_mixed_accuracy_never_has_limits_without_width(robust: int) -> None:
    found = mixed_accuracy(*outcomes(20, 20, robust), SHARES)
    assert (found.high - found.low > 0.1).all()
    assert (np.diff(found.value) <= 0).all()


@pytest.mark.parametrize(("clean", "robust"), [(0.95, 0.6), (0.9, 0.1), (0.5, 0.5)])
def test_mixed_accuracy_covers_at_its_level_at_least(clean: float, robust: float) -> None:
    rng, n, draws = np.random.default_rng(1), 200, 1000
    q = np.array([0.25, 0.5, 0.75])
    u = rng.random((draws, n))
    found = [mixed_accuracy(row < clean, row < robust, q) for row in u]
    truth = (1 - q) * clean + q * robust
    covered = sum((each.low <= truth) & (truth <= each.high) for each in found)
    for count in covered:
        # Wilson's level holds on average over rates: up to 2 % less at single ones
        assert stats.binomtest(int(count), draws, 0.93, alternative="less").pvalue > FALSE_ALARM


@given(data=st.data(), n=st.integers(1, 30))
def test_mixed_accuracy_lies_between_its_limits_and_ends(data: Any, n: int) -> None:
    clean = data.draw(st.integers(0, n))
    robust = data.draw(st.integers(0, clean))
    shares = data.draw(st.lists(st.floats(0, 1), min_size=1, max_size=5))
    found = mixed_accuracy(*outcomes(n, clean, robust), shares)
    slack = 1e-12  # two products and a sum
    assert (found.low <= found.value + slack).all()
    assert (found.value <= found.high + slack).all()
    assert (found.value >= robust / n - slack).all()
    assert (found.value <= clean / n + slack).all()
    assert (found.low >= -slack).all()
    assert (found.high <= 1 + slack).all()


def test_best_by_share_by_hand() -> None:
    right, survived = study(10, dense=(10, 0), half=(9, 5), sparse=(6, 6))
    found = best_by_share(right, survived, [0.0, 0.5, 1.0])
    assert found.names == ("dense", "half", "sparse")
    assert found.accuracy == pytest.approx(np.array([[1, 0.5, 0], [0.9, 0.7, 0.5], [0.6] * 3]))
    assert [found.names[i] for i in found.best] == ["dense", "half", "sparse"]
    assert [found.names[i] for i in found.runner_up] == ["half", "sparse", "half"]
    lead = found.gain("half", "sparse", at=1)
    assert lead.value == pytest.approx(0.1)
    assert lead.low < 0 < lead.high
    assert found.unbeaten == found.names  # ten inputs prove nothing
    assert (found.n, found.level, found.kind) == (10, 0.95, "estimate")


def bonett_price(gains: int, losses: int, n: int, level: float) -> tuple[float, float]:
    """Return limits from the counts of inputs that only the one, only the other gets right."""
    one, other = (gains + 1) / (n + 2), (losses + 1) / (n + 2)
    deviation = np.sqrt((one + other - (one - other) ** 2) / (n + 1))
    reach = stats.t.ppf((1 + level) / 2, n + 1) * deviation
    return one - other - reach, one - other + reach


@pytest.mark.parametrize(("gains", "losses"), [(0, 0), (5, 0), (7, 3), (1, 20)])
def test_differences_have_corrected_limits_by_their_counts(gains: int, losses: int) -> None:
    n = 60
    one = np.arange(n) < gains + 30
    other = (np.arange(n) >= gains) & (np.arange(n) < gains + 30 + losses)
    third = np.zeros(n, dtype=bool)
    found = best_by_share(
        {"one": one, "other": other, "third": third}, {"one": one, "other": one & other,
        "third": third}, [0.0], level=0.9,
    )  # fmt: skip
    lead = found.gain("one", "other", at=0)
    assert lead.value == pytest.approx((gains - losses) / n)
    # three pairs at two ends share the error of one tenth
    limits = bonett_price(gains, losses, n, 1 - 0.1 / 6)
    assert lead[1:] == pytest.approx(limits, rel=1e-9)  # two orders of sums
    assert lead.low < lead.value < lead.high


def drawn(seed: int, m: int, n: int) -> BestByShare:
    rng = np.random.default_rng(seed)
    right = {f"{i}": rng.random(n) < rng.random() for i in range(m)}
    survived = {name: clean & (rng.random(n) < 0.5) for name, clean in right.items()}
    return best_by_share(right, survived, SHARES)


@pytest.mark.parametrize("seed", range(5))
def test_differences_are_those_of_the_accuracies_and_turn_with_their_pair(seed: int) -> None:
    found = drawn(seed, m=4, n=50)
    by_hand = found.accuracy[:, None] - found.accuracy
    assert found.difference == pytest.approx(by_hand, abs=1e-12)  # means in two orders
    assert (found.difference == -found.difference.transpose(1, 0, 2)).all()
    assert (found.low == -found.high.transpose(1, 0, 2)).all()
    assert (found.low <= found.difference).all()
    assert (found.difference <= found.high).all()
    ends = found.low[..., [0, -1]]
    assert found.low == pytest.approx(ends[..., :1] * (1 - SHARES) + ends[..., 1:] * SHARES)
    own = np.arange(4)
    assert (found.low[own, own] == 0).all()
    assert (found.accuracy.max(axis=0) == found.accuracy[found.best, np.arange(5)]).all()
    assert (found.best != found.runner_up).all()


def test_networks_that_are_each_surely_beaten_somewhere_leave_no_best_at_all_shares() -> None:
    right, survived = study(500, dense=(495, 50), sparse=(400, 390), poor=(300, 40))
    assert best_by_share(right, survived, SHARES).unbeaten == ()
    # at small shares alone, the dense one may always be best
    assert best_by_share(right, survived, [0.0, 0.1]).unbeaten == ("dense",)
    assert best_by_share(right, survived, [0.9]).unbeaten == ("sparse",)


def test_a_network_that_dominates_is_alone_unbeaten() -> None:
    right, survived = study(500, dense=(400, 50), sparse=(450, 390))
    found = best_by_share(right, survived, SHARES)
    assert found.unbeaten == ("sparse",)
    assert (found.low[1, 0] > 0).all()


def test_equals_are_named_in_their_order_and_never_surely_apart() -> None:
    right, survived = study(30, dense=(30, 30), copy=(30, 30))
    found = best_by_share(right, survived, [0.5])
    assert (found.best[0], found.runner_up[0]) == (0, 1)
    lead = found.gain("dense", "copy", at=0)
    assert lead.value == 0
    assert lead.low == pytest.approx(-lead.high)
    assert lead.high > 0.05  # thirty inputs do not prove two networks equal


def test_limits_of_all_pairs_and_shares_hold_together() -> None:
    rng, n, draws, m = np.random.default_rng(2), 150, 600, 4
    shares, clean, robust = np.linspace(0, 1, 5), 0.9, 0.4
    missed = 0
    for _ in range(draws):
        # equally good networks that agree in part: all true differences are zero
        u = np.where(rng.random(n) < 0.5, rng.random(n), rng.random((m, n)))
        right = {str(i): row < clean for i, row in enumerate(u)}
        survived = {str(i): row < robust for i, row in enumerate(u)}
        missed += len(best_by_share(right, survived, shares).unbeaten) < m
    assert stats.binomtest(missed, draws, 0.05, alternative="greater").pvalue > FALSE_ALARM


YES, NO = [True, True], [False, False]


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"level": 1.0}, r"level must lie in \(0, 1\); got 1.0"),
        ({"shares": [0.5, 1.1]}, r"shares must lie in \[0, 1\]; got 1.1"),
        ({"shares": [-0.1]}, r"shares must lie in \[0, 1\]; got -0.1"),
        ({"shares": []}, r"shares must have shape \(k,\) with k >= 1"),
        ({"shares": 0.5}, r"shares must have shape \(k,\)"),
        ({"shares": [NAN]}, "shares must be finite"),
        ({"right": np.array([], dtype=bool)}, r"right must have shape \(n,\) with n >= 1"),
        ({"survived": [True]}, r"survived must have shape \(n,\) with n=2; got shape \(1,\)"),
        ({"right": [True, False]}, "survived must not hold where an input is wrong; .* row 1"),
    ],
)
def test_mixed_accuracy_refuses_by_value(changed: dict[str, Any], message: str) -> None:
    given_ = {"right": YES, "survived": YES, "shares": [0.5], "level": 0.95} | changed
    with pytest.raises(ValueError, match=message):
        mixed_accuracy(given_.pop("right"), given_.pop("survived"), given_.pop("shares"), **given_)


def test_outcomes_that_are_no_booleans_are_refused() -> None:
    with pytest.raises(TypeError, match="right must be booleans; got int64"):
        mixed_accuracy([1, 0], NO, [0.5])
    with pytest.raises(TypeError, match="survived of b must be booleans; got float64"):
        best_by_share({"a": YES, "b": YES}, {"a": NO, "b": [0.5, 1.0]}, [0.5])


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"right": {"a": YES}, "survived": {"a": NO}}, "at least two networks; got 1"),
        ({"right": {}, "survived": {}}, "at least two networks; got 0"),
        ({"survived": {"a": NO, "c": NO}}, "of the same networks; got a, b and a, c"),
        (
            {"right": {"a": YES, "b": [True]}, "survived": {"a": NO, "b": [True]}},
            r"of the same inputs for all; got n of \[1, 2\]",
        ),
        ({"survived": {"a": NO, "b": [True]}}, r"survived of b must have shape \(n,\) with n=2"),
        ({"level": 0}, r"level must lie in \(0, 1\); got 0"),
        ({"shares": [2]}, r"shares must lie in \[0, 1\]"),
    ],
)
def test_best_by_share_refuses_by_value(changed: dict[str, Any], message: str) -> None:
    given_ = {
        "right": {"a": YES, "b": YES},
        "survived": {"a": NO, "b": NO},
        "shares": [0.5],
        "level": 0.95,
    } | changed
    with pytest.raises(ValueError, match=message):
        best_by_share(given_.pop("right"), given_.pop("survived"), given_.pop("shares"), **given_)
