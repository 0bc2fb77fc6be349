"""Curves of robust accuracy from budgets and from distances: by hand, and of affine models."""

import math
from typing import Any

import numpy as np
import pytest
from scipy import stats

from empirical.measures import accuracy_beyond, robust_curve
from empirical.module_attacks import ModelAttackResult, model_attack_distances
from empirical.module_budgets import BudgetResult, model_robust_accuracy
from tests.empirical.attacked import module_of_ten_digits
from theory.linear import robust_accuracy

BOX = (0.0, 1.0)
NAN = float("nan")


def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def budgets(survived: Any, **broken: Any) -> BudgetResult:
    kept = np.array(survived, dtype=bool)
    names = ("fgm", "random_fgm", "pgd", "random_pgd", "noise")
    table = [broken.get(name, np.zeros(kept.shape)) for name in names]
    return BudgetResult(
        eps=np.arange(len(kept)) / 10,
        attacks=names,
        broken=np.array(table, dtype=bool),
        survived=kept,
        witnesses=np.zeros((*kept.shape, 1)),
        wrong=~kept[0] if kept.size else np.zeros(0, dtype=bool),
        norm=math.inf,
        box=BOX,
    )


def distances(*sizes: float) -> ModelAttackResult:
    array = np.array(sizes, dtype=np.float64)
    status = np.select([array == 0, np.isnan(array)], ["wrong", "unknown"], "witnessed")
    return ModelAttackResult(
        distances=array,
        witnesses=np.zeros((array.size, 1)),
        status=status,
        winner=np.full(array.size, ""),
        attacks=("ead",),
        norm=1.0,
        box=None,
    )


def test_robust_curve_by_hand() -> None:
    curve = robust_curve(budgets([[1, 1, 1, 0], [1, 0, 0, 0]]))
    assert curve.eps.tolist() == [0.0, 0.1]
    assert curve.accuracy.tolist() == [0.75, 0.25]
    assert (curve.n, curve.norm, curve.box, curve.kind) == (4, math.inf, BOX, "upper")
    assert curve.alarms == ()
    z = stats.norm.ppf(0.975)
    for p, low, high in zip(curve.accuracy, curve.low, curve.high, strict=True):
        # Wilson's limits solve |p - x| = z sqrt(x (1 - x) / n)
        for x in (low, high):
            assert abs(p - x) == pytest.approx(z * np.sqrt(x * (1 - x) / 4), rel=1e-9)
        assert low < p < high


def test_robust_curve_carries_alarms_of_masking() -> None:
    curve = robust_curve(budgets([[1, 1], [1, 0]], noise=[[0, 0], [0, 1]]))
    assert curve.alarms == ("At eps=0.1 random moves broke 1 inputs that no gradient did.",)


def test_accuracy_beyond_counts_the_unknown_as_surviving_and_wrong_ones_never() -> None:
    curve = accuracy_beyond(distances(0, 1, 2, NAN), [0, 0.5, 1, 2, 1e9])
    assert curve.accuracy.tolist() == [0.75, 0.75, 0.5, 0.25, 0.25]
    assert (curve.n, curve.norm, curve.box, curve.kind) == (4, 1.0, None, "upper")
    assert curve.alarms == ()


@pytest.mark.parametrize("norm", [2.0, math.inf])
def test_both_curves_of_affine_models_fall_towards_the_exact_and_not_below(norm: float) -> None:
    model, record, X, y = module_of_ten_digits()
    eps = np.array([0.0, 0.02, 0.05, 0.1, 0.3])
    given = {"norm": norm, "box": BOX, "rng": rng()}
    swept = robust_curve(model_robust_accuracy(model, X, y, eps, **given))
    attacks = ["ddn"] if norm == 2 else ["linf_deepfool", "linf_pgd"]
    searched = accuracy_beyond(model_attack_distances(model, X, y, attacks=attacks, **given), eps)
    # what the exact accuracy is a little further out: PGD's last step is short of its budget
    exact, later = (
        robust_accuracy(record, X, y, each, norm=norm, box=BOX) for each in (eps, 0.9 * eps)
    )
    for curve in (swept, searched):
        assert (curve.accuracy >= exact - 1e-12).all()  # means of 40 in two orders
        assert (curve.accuracy <= later + 1e-12).all()
        assert (np.diff(curve.accuracy) <= 0).all()
        assert curve.accuracy[0] == pytest.approx(exact[0], abs=1e-12)
        assert (curve.low <= curve.accuracy).all()
        assert (curve.accuracy <= curve.high).all()


def test_levels_widen_limits_alone() -> None:
    result = budgets([[1, 1, 0], [1, 0, 0]])
    narrow, wide = (robust_curve(result, level=level) for level in (0.5, 0.99))
    assert (narrow.accuracy == wide.accuracy).all()
    assert (wide.low < narrow.low).all()
    assert (narrow.high < wide.high).all()


@pytest.mark.parametrize("level", [0.0, 1.0, -1, NAN])
def test_levels_outside_are_refused(level: float) -> None:
    with pytest.raises(ValueError, match=r"level must lie in \(0, 1\)"):
        robust_curve(budgets([[1]]), level=level)
    with pytest.raises(ValueError, match=r"level must lie in \(0, 1\)"):
        accuracy_beyond(distances(1.0), [0.1], level=level)


@pytest.mark.parametrize(
    ("eps", "message"),
    [
        ([], r"eps must have shape \(k,\) with k >= 1; got shape \(0,\)"),
        (0.1, r"eps must have shape \(k,\)"),
        ([-0.1], "eps must be at least 0; got -0.1"),
        ([NAN], "eps must be finite"),
    ],
)
def test_malformed_budgets_are_refused(eps: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        accuracy_beyond(distances(1.0), eps)


def test_results_without_inputs_are_refused() -> None:
    with pytest.raises(ValueError, match="result must hold at least one input"):
        accuracy_beyond(distances(), [0.1])
    with pytest.raises(ValueError, match="result must hold at least one input"):
        robust_curve(budgets(np.zeros((2, 0))))
