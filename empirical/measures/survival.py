"""Robust accuracy of torch classifiers against the size of the attack."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from empirical.attack_stack import BoolArray
from empirical.intervals import proportion_interval
from empirical.measures.checks import refuse_level
from empirical.module_attacks import ModelAttackResult
from empirical.module_budgets import BudgetResult, masking_alarms
from theory.validation import FloatArray, as_budget


@dataclass(frozen=True, kw_only=True, eq=False)
class RobustCurve:
    """The accuracy that attacks leave at k budgets, with limits over n inputs.

    Kind: `upper`. The limits are Wilson's, for each budget by itself. The high one is an upper
    confidence limit of robust accuracy too; the low one is of what these attacks leave, not of it.

    Parameters
    ----------
    eps : array, shape (k,)
    accuracy, low, high : array, shape (k,)
    alarms : tuple of str
        What suggests that gradients mislead; none is no proof that they do not.
    n : int
    norm : 0, 1, 2 or inf
    box : None or (lo, hi)
    level : float
    kind : str
        "upper".
    """

    eps: FloatArray
    accuracy: FloatArray
    low: FloatArray
    high: FloatArray
    alarms: tuple[str, ...]
    n: int
    norm: float
    box: tuple[float, float] | None
    level: float
    kind: str = "upper"


def robust_curve(result: BudgetResult, *, level: float = 0.95) -> RobustCurve:
    """Return the share of inputs that survive attacks of each budget, with alarms of masking.

    Kind: `upper`.

    Parameters
    ----------
    result : BudgetResult
    level : float
        Of confidence, for each budget by itself.

    Raises
    ------
    ValueError
        If the level is not in (0, 1), or there is no input.

    Examples
    --------
    >>> result = BudgetResult(
    ...     eps=np.array([0.1]), attacks=("fgm", "random_fgm", "pgd", "random_pgd", "noise"),
    ...     broken=np.zeros((5, 1, 4), dtype=bool), wrong=np.array([True, False, False, False]),
    ...     survived=np.array([[False, True, True, True]]), witnesses=np.zeros((1, 4, 1)),
    ...     norm=2.0, box=None,
    ... )
    >>> robust_curve(result).accuracy.tolist()
    [0.75]
    """
    return _curve(result, result.eps, result.survived, masking_alarms(result), level)


def accuracy_beyond(
    result: ModelAttackResult, eps: ArrayLike, *, level: float = 0.95
) -> RobustCurve:
    """Return the share of inputs that no attack flipped within each budget.

    Kind: `upper`: an unknown distance counts as larger than every budget. A flip at exactly eps is
    within it.

    Parameters
    ----------
    result : ModelAttackResult
    eps : array, shape (k,)
        No less than 0; of the result's norm.
    level : float
        Of confidence, for each budget by itself.

    Raises
    ------
    ValueError
        If the level is not in (0, 1), a budget is negative or not finite, or there are none, or
        no input.

    Examples
    --------
    >>> result = ModelAttackResult(
    ...     distances=np.array([0.0, 1.0, np.nan, 3.0]), witnesses=np.zeros((4, 1)),
    ...     status=np.array(["wrong", "witnessed", "unknown", "witnessed"]),
    ...     winner=np.array(["", "ddn", "", "ddn"]), attacks=("ddn",), norm=2.0, box=None,
    ... )
    >>> accuracy_beyond(result, [0.0, 1.0, 4.0]).accuracy.tolist()
    [0.75, 0.5, 0.25]
    """
    budgets = as_budget(eps)
    if budgets.ndim != 1 or budgets.size == 0:
        raise ValueError(f"eps must have shape (k,) with k >= 1; got shape {budgets.shape}.")
    survived = ~(result.distances <= budgets[:, None])  # nan is within no budget
    return _curve(result, budgets, survived, (), level)


def _curve(
    result: BudgetResult | ModelAttackResult,
    eps: FloatArray,
    survived: BoolArray,
    alarms: tuple[str, ...],
    level: float,
) -> RobustCurve:
    refuse_level(level)
    if survived.shape[1] == 0:
        raise ValueError("result must hold at least one input; got none.")
    limits = np.array([proportion_interval(row, level=level) for row in survived])
    return RobustCurve(
        eps=eps,
        accuracy=limits[:, 0],
        low=limits[:, 1],
        high=limits[:, 2],
        alarms=alarms,
        n=survived.shape[1],
        norm=result.norm,
        box=result.box,
        level=level,
    )
