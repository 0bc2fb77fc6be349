"""How far flips of a classifier are on average: means and medians of found distances."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from empirical.attack_stack import BoolArray
from empirical.intervals import Interval, proportion_interval, resampled_interval
from empirical.measures.checks import refuse_level
from empirical.module_attacks import ModelAttackResult
from theory.validation import FloatArray

NOT_COVERED = Interval(np.nan, np.nan, np.nan)


@dataclass(frozen=True, kw_only=True)
class DistanceSummary:
    """What n found distances come to, with limits at one level.

    Kind of means and medians: `upper`, since every distance is. So their high limits are upper
    confidence limits of the true means and medians too; their low limits are not lower ones. The
    limits are over inputs drawn as these; they say nothing of other training seeds.

    Parameters
    ----------
    n : int
    norm : 0, 1, 2 or inf
    box : None or (lo, hi)
    level : float
    accuracy : Interval
        The share of the inputs that are labelled rightly, without a tie.
    success : Interval
        The share of those for which a flip was found; not covered if no input is right.
    unknown : Interval
        The share of all inputs that are right and for which none was found.
    mean : Interval
        Of all inputs, a wrong one at distance 0: in L2, r_2. Not covered if one is unknown.
    mean_of_right : Interval
        Of the inputs that are right. Not covered if one is unknown.
    median : Interval
        Of all inputs, a wrong one at 0, an unknown one at infinity. Not covered if that is what
        the median comes to; the high limit may be infinite.
    median_of_right : Interval
        Of the inputs that are right.
    at_chance : bool
        Whether the accuracy is not surely above that of always giving the commonest label:
        distances of such a network mean nothing.
    kind : str
        "upper".
    """

    n: int
    norm: float
    box: tuple[float, float] | None
    level: float
    accuracy: Interval
    success: Interval
    unknown: Interval
    mean: Interval
    mean_of_right: Interval
    median: Interval
    median_of_right: Interval
    at_chance: bool
    kind: str = "upper"


def distance_summary(
    result: ModelAttackResult, y: ArrayLike, *, level: float = 0.95
) -> DistanceSummary:
    """Return the means, medians and shares that found distances come to.

    Kind: `upper` for means and medians. One rule says what counts how:

    - a wrong or tied input has distance 0;
    - an unknown one, where all attacks failed, may be at any distance: a mean with one is not
      covered (nan), as leaving it out or a stand-in would both be untrue;
    - infinity is an upper bound of any distance, so a median that counts the unknown ones as
      infinite is an upper bound where it is finite, and not covered where it is not.

    Parameters
    ----------
    result : ModelAttackResult
        Of n inputs.
    y : array, shape (n,)
        The labels that were attacked; only how often each occurs is used.
    level : float
        Of confidence, for each interval by itself.

    Returns
    -------
    DistanceSummary

    Raises
    ------
    ValueError
        If the level is not in (0, 1), there is no input, or y is not of the inputs' number.

    Notes
    -----
    Limits of shares are Wilson's, of means Student's, which are approximate for skewed distances,
    of medians the order statistics that hold for every distribution. A network is at chance if the
    low limit of its accuracy is not above the share of the commonest label among these inputs;
    inputs that were picked because they are labelled rightly hide it.

    Examples
    --------
    >>> found = ModelAttackResult(
    ...     distances=np.array([0.0, 1.0, 2.0, np.nan]), witnesses=np.zeros((4, 1)),
    ...     status=np.array(["wrong", "witnessed", "witnessed", "unknown"]),
    ...     winner=np.array(["", "ddn", "ddn", ""]), attacks=("ddn",), norm=2.0, box=None,
    ... )
    >>> summary = distance_summary(found, [0, 1, 0, 1])
    >>> summary.accuracy.value, summary.mean.value, summary.median.value
    (0.75, nan, 1.5)
    """
    refuse_level(level)
    distances, labels = np.asarray(result.distances), np.asarray(y)
    if distances.size == 0:
        raise ValueError("result must hold at least one input; got none.")
    if labels.shape != distances.shape:
        raise ValueError(f"y must have shape (n,) with n={distances.size}; got {labels.shape}.")
    right, found = result.status != "wrong", result.status == "witnessed"
    accuracy = proportion_interval(right, level=level)
    return DistanceSummary(
        n=distances.size,
        norm=result.norm,
        box=result.box,
        level=level,
        accuracy=accuracy,
        success=_share(found[right], level),
        unknown=_share(result.status == "unknown", level),
        mean=_mean(distances, level),
        mean_of_right=_mean(distances[right], level),
        median=median_interval(distances, level=level),
        median_of_right=median_interval(distances[right], level=level),
        at_chance=accuracy.low <= _commonest(labels),
    )


def median_interval(distances: ArrayLike, *, level: float = 0.95) -> Interval:
    """Return the median of distances of which some are unknown (nan), with its limits.

    Kind: `upper` where distances are: an unknown one counts as infinite, which bounds it. All nan
    where the median itself is unknown, or there are no distances. The limits are the order
    statistics between which the median of any distribution lies at the level; 0 and infinity where
    there are too few distances for such.

    Parameters
    ----------
    distances : array, shape (n,)
        No less than 0.
    level : float

    Raises
    ------
    ValueError
        If the level is not in (0, 1).

    Notes
    -----
    David and Nagaraja 2003, Order Statistics, section 7.1: the k-th smallest and the k-th largest
    hold the median with probability at least 1 - 2 P(Bin(n, 1/2) < k).

    Examples
    --------
    >>> median_interval([1, 2, 3, 4, 5, 6, float("nan")])
    Interval(value=4.0, low=1.0, high=inf)
    """
    refuse_level(level)
    ordered = np.sort(np.asarray(distances, dtype=np.float64))  # nan is sorted last
    ordered[np.isnan(ordered)] = np.inf
    n = ordered.size
    value = float(np.median(ordered)) if n else np.inf
    if np.isinf(value):
        return NOT_COVERED
    k = _rank(n, level)
    if k == 0:
        return Interval(value, 0.0, np.inf)
    return Interval(value, float(ordered[k - 1]), float(ordered[n - k]))


def _rank(n: int, level: float) -> int:
    """Return the largest k with 2 P(Bin(n, 1/2) < k) <= 1 - level; 0 if none is."""
    return int((2 * stats.binom.cdf(np.arange(n // 2 + 1), n, 0.5) <= 1 - level).sum())


def _mean(distances: FloatArray, level: float) -> Interval:
    return resampled_interval(distances, test_to_train=0, level=level)


def _share(outcomes: BoolArray, level: float) -> Interval:
    return proportion_interval(outcomes, level=level) if outcomes.size else NOT_COVERED


def _commonest(labels: NDArray[Any]) -> float:
    return float(np.unique(labels, return_counts=True)[1].max() / labels.size)
