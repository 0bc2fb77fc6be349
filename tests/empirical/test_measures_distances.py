"""Summaries of distances: what counts how, by hand; limits by their definition; affine models."""

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from torch import nn

from empirical.measures import distance_summary, median_interval
from empirical.module_attacks import ModelAttackResult, model_attack_distances
from tests.empirical.attacked import module_of_ten_digits
from theory.linear import LinearClassifier, flip_distance, r_2

NAN = float("nan")
# The probability that a correct interval fails a simulated test; the generators are fixed.
FALSE_ALARM = 1e-6


def found(*distances: float, norm: float = 2.0, box: Any = None) -> ModelAttackResult:
    """Return a result of given distances: 0 is of a wrong input, nan is unknown."""
    sizes = np.array(distances, dtype=np.float64)
    status = np.select([sizes == 0, np.isnan(sizes)], ["wrong", "unknown"], "witnessed")
    return ModelAttackResult(
        distances=sizes,
        witnesses=np.zeros((sizes.size, 1)),
        status=status,
        winner=np.where(status == "witnessed", "ddn", ""),
        attacks=("ddn",),
        norm=norm,
        box=box,
    )


def affine(norm: float) -> tuple[LinearClassifier, Any, Any, ModelAttackResult]:
    """Return a model of ten digits, 40 inputs of which two are wrong, and what attacks find."""
    model, record, X, y = module_of_ten_digits()
    y = np.concatenate([(y[:2] + 1) % 10, y[2:]])
    attacks = ["ddn"] if norm == 2 else ["linf_deepfool", "linf_pgd"]
    rng = np.random.default_rng(0)
    result = model_attack_distances(model, X, y, norm=norm, box=(0, 1), attacks=attacks, rng=rng)
    return record, X, y, result


def test_summary_by_hand_counts_wrong_ones_as_zero() -> None:
    summary = distance_summary(found(0, 1, 2, 3, 0, 6, box=(0, 1)), [0, 1, 2, 3, 4, 5])
    assert (summary.n, summary.norm, summary.box, summary.kind) == (6, 2.0, (0, 1), "upper")
    assert summary.accuracy.value == pytest.approx(4 / 6)  # one division
    assert summary.success.value == 1
    assert summary.unknown.value == 0
    assert summary.mean.value == 2
    assert summary.mean_of_right.value == 3
    assert summary.median.value == 1.5
    assert summary.median_of_right.value == 2.5
    # scipy's interval of a mean, from the standard error
    right = np.array([1.0, 2.0, 3.0, 6.0])
    limits = stats.t.interval(0.95, 3, loc=right.mean(), scale=stats.sem(right))
    assert summary.mean_of_right[1:] == pytest.approx(limits, rel=1e-12)  # two orders of sums


def test_unknown_ones_leave_no_mean_but_a_median() -> None:
    summary = distance_summary(found(0, 1, 2, 4, 5, NAN, NAN), [0, 1] * 3 + [2])
    assert summary.success.value == pytest.approx(4 / 6)
    assert summary.unknown.value == pytest.approx(2 / 7)
    assert np.isnan(summary.mean).all()
    assert np.isnan(summary.mean_of_right).all()
    assert summary.median.value == 4
    assert summary.median_of_right.value == 4.5  # of 1, 2, 4, 5 and two at infinity


def test_a_median_among_the_unknown_is_not_covered() -> None:
    summary = distance_summary(found(0, 0, 1, NAN, NAN), [0, 1, 0, 1, 0])
    assert summary.median.value == 1
    assert np.isnan(summary.median_of_right).all()  # two of three unknown
    # half of the inputs: the middle of a number and infinity
    assert np.isnan(median_interval([1.0, NAN])).all()
    assert np.isnan(median_interval([])).all()


def test_a_network_without_a_right_answer_has_no_success() -> None:
    summary = distance_summary(found(0, 0, 0), [0, 1, 2])
    assert summary.accuracy.value == 0
    assert np.isnan(summary.success).all()
    assert summary.mean.value == summary.median.value == 0
    assert np.isnan(summary.mean_of_right).all()
    assert np.isnan(summary.median_of_right).all()
    assert summary.at_chance


def test_one_distance_has_a_median_without_limits_and_no_mean() -> None:
    summary = distance_summary(found(2.0), [0])
    assert summary.median == (2.0, 0.0, np.inf)
    assert np.isnan(summary.mean).all()


@pytest.mark.parametrize("norm", [2.0, np.inf])
def test_mean_of_affine_models_is_little_above_the_exact_r_2(norm: float) -> None:
    record, X, y, result = affine(norm)
    summary = distance_summary(result, y)
    exact = flip_distance(record, X, y, norm=norm, box=(0, 1))
    assert (exact == 0).sum() == 2
    assert summary.accuracy.value == (exact > 0).mean()
    # witnesses are nearer than the exact flip by rounding at most; DDN and PGD find all but 1 %
    assert exact.mean() * (1 - 1e-9) <= summary.mean.value <= 1.01 * exact.mean()
    assert np.median(exact) * (1 - 1e-9) <= summary.median.value <= 1.02 * np.median(exact)
    assert summary.mean.low <= exact.mean() <= summary.mean.high
    assert not summary.at_chance
    if norm == 2:
        assert summary.mean.value >= r_2(record, X, y, box=(0, 1)) * (1 - 1e-9)


def test_ties_count_as_wrong() -> None:
    model = nn.Linear(1, 2)
    model.load_state_dict({"weight": torch.tensor([[1.0], [-1.0]]), "bias": torch.zeros(2)})
    result = model_attack_distances(
        model,
        [[0.0], [2.0]],
        [0, 0],
        norm=2,
        box=None,
        attacks=["l2_deepfool"],
        rng=np.random.default_rng(0),
    )
    summary = distance_summary(result, [0, 0])
    assert summary.accuracy.value == 0.5
    # DeepFool overshoots by 1e-4 of the move, and is pulled back
    assert summary.mean.value == pytest.approx(1.0, rel=1e-6)


def test_a_dead_network_is_at_chance_and_its_distances_unknown() -> None:
    dead = nn.Linear(3, 4)
    dead.load_state_dict({"weight": torch.zeros(4, 3), "bias": torch.tensor([1.0, 0.0, 0.0, 0.0])})
    y = np.arange(40) % 4
    result = model_attack_distances(
        dead, np.full((40, 3), 0.5), y, norm=2, box=(0, 1), attacks=["ddn"],
        rng=np.random.default_rng(0),
    )  # fmt: skip
    summary = distance_summary(result, y)
    assert summary.at_chance
    assert summary.accuracy.value == 0.25
    assert summary.success.value == 0
    assert np.isnan(summary.mean).all()
    assert summary.median.value == 0  # three quarters are wrong


@pytest.mark.parametrize(
    ("rights", "expected"),
    [(50, True), (59, True), (60, False), (100, False)],
)
def test_at_chance_is_decided_by_the_score_test_of_the_commonest_labels_share(
    rights: int, expected: bool
) -> None:
    # Wilson's low limit is above p exactly where the score statistic of p exceeds z
    z = (rights / 100 - 0.5) / np.sqrt(0.5 * 0.5 / 100)
    assert (z <= stats.norm.ppf(0.975)) == expected
    summary = distance_summary(found(*[1.0] * rights, *[0.0] * (100 - rights)), [0, 1] * 50)
    assert summary.at_chance is expected


def test_one_label_alone_is_no_better_than_chance() -> None:
    assert distance_summary(found(*[1.0] * 50), [3] * 50).at_chance


true = st.lists(st.floats(0, 100), min_size=1, max_size=30)


@given(truth=true, data=st.data())
def test_median_of_found_distances_is_never_below_the_true_one(truth: Any, data: Any) -> None:
    n = len(truth)
    excess = data.draw(st.lists(st.floats(0, 10), min_size=n, max_size=n))
    failed = data.draw(st.lists(st.booleans(), min_size=n, max_size=n))
    upper = np.where(failed, NAN, np.array(truth) + excess)
    value, low, high = median_interval(upper)
    assert np.isnan(value) == (2 * sum(failed) >= n)
    if not np.isnan(value):
        assert value >= np.median(truth)
        assert 0 <= low <= value <= high


@pytest.mark.parametrize("level", [0.5, 0.9, 0.95, 0.999])
@pytest.mark.parametrize("n", [1, 2, 5, 6, 9, 40, 151])
def test_median_interval_holds_its_level_by_beta_laws_and_no_narrower_one_does(
    n: int, level: float
) -> None:
    # the k-th smallest of n uniform numbers has the law Beta(k, n + 1 - k)
    def coverage(k: int) -> float:
        early, late = (stats.beta.cdf(0.5, i, n + 1 - i) for i in (k, n + 1 - k))
        return float(early - late)

    value, low, high = median_interval(np.arange(1.0, n + 1), level=level)
    assert value == (n + 1) / 2
    if np.isinf(high):
        assert low == 0
        assert coverage(1) < level
        return
    k = int(low)
    assert high == n + 1 - k
    assert coverage(k) >= level
    if k + 1 <= n - k:
        assert coverage(k + 1) < level


def test_median_interval_covers_distances_of_which_many_are_zero() -> None:
    rng, draws = np.random.default_rng(1), 2000
    # wrong inputs at 0; the median of the others' law is where 0.5 = 0.3 + 0.7 (1 - exp(-x))
    median = -np.log(1 - 0.2 / 0.7)
    samples = np.where(rng.random((draws, 60)) < 0.3, 0.0, rng.exponential(size=(draws, 60)))
    samples[samples > 2] = NAN  # attacks fail far away
    limits = [median_interval(row)[1:] for row in samples]
    covered = sum(low <= median <= high for low, high in limits)
    assert stats.binomtest(covered, draws, 0.95, alternative="less").pvalue > FALSE_ALARM


def test_levels_widen_every_interval() -> None:
    result, y = found(*np.linspace(0, 3, 30)), [0, 1, 2] * 10
    narrow, wide = (distance_summary(result, y, level=level) for level in (0.8, 0.99))
    for name in ("accuracy", "mean", "mean_of_right", "median", "median_of_right"):
        inner, outer = getattr(narrow, name), getattr(wide, name)
        assert inner.value == outer.value
        assert outer.low < inner.low <= inner.high < outer.high, name
    assert narrow.level == 0.8


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"level": 1.0}, r"level must lie in \(0, 1\); got 1.0"),
        ({"level": 0.0}, r"level must lie in \(0, 1\); got 0.0"),
        ({"level": NAN}, r"level must lie in \(0, 1\); got nan"),
        ({"y": [0]}, r"y must have shape \(n,\) with n=2; got \(1,\)"),
        ({"y": [[0], [1]]}, r"y must have shape \(n,\) with n=2"),
        ({"result": found(), "y": []}, "result must hold at least one input"),
    ],
)
def test_malformed_arguments_are_refused(changed: dict[str, Any], message: str) -> None:
    given_ = {"result": found(1.0, 2.0), "y": [0, 1], "level": 0.95} | changed
    with pytest.raises(ValueError, match=message):
        distance_summary(given_.pop("result"), given_.pop("y"), **given_)


def test_median_interval_refuses_levels() -> None:
    with pytest.raises(ValueError, match="level must lie"):
        median_interval([1.0], level=2)
