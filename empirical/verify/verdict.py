"""The record of a verdict, and the test of each form of claim that leads to one."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from empirical.intervals import holm, resampled_interval, resampled_p_value
from theory.claims.claim import Claim
from theory.validation import FloatArray

Status = Literal["holds", "refuted", "inconclusive", "not covered"]
# The probability of a false alarm that a verdict allows itself, over all its tests together.
SIGNIFICANCE = 0.05


@dataclass(frozen=True, kw_only=True, eq=False)
class Verdict:
    """What measurement says of a claim.

    Parameters
    ----------
    claim : Claim
    status : {"holds", "refuted", "inconclusive", "not covered"}
    predicted, measured : float
        What the claim gives and what attacks gave: means over all cases of an identity or a bound,
        the effect in the case that decides a trend or an equivalence. NaN if not covered.
    interval : pair of float
        Of the statistic that decides, which evidence["interval of"] names: the relative errors of
        an identity, the slack of a bound (5th to 95th percentile), the effect of a trend or an
        equivalence (confidence limits, corrected for the number of cases).
    summary : str
        One line that a person can check.
    evidence : mapping of str to float or str
        The numbers behind the summary.
    """

    claim: Claim
    status: Status
    predicted: float
    measured: float
    interval: tuple[float, float]
    summary: str
    evidence: Mapping[str, float | str] = field(default_factory=dict)

    @property
    def contradicts_us(self) -> bool:
        """Whether it refutes what we say is proven, or upholds what we say is false."""
        pairs = {("proven", "refuted"), ("refuted", "holds")}
        return (self.claim.standing, self.status) in pairs


def not_covered(claim: Claim, reason: str) -> Verdict:
    """Return the verdict of a claim whose assumptions or measurements fail."""
    nan = float("nan")
    return Verdict(
        claim=claim,
        status="not covered",
        predicted=nan,
        measured=nan,
        interval=(nan, nan),
        summary=reason,
    )


def judge_identity(
    claim: Claim,
    predicted: ArrayLike,
    measured: ArrayLike,
    *,
    tolerance: float,
    reason: str,
    errors: ArrayLike = 0.0,
) -> Verdict:
    """Return whether measurements equal predictions within a relative tolerance.

    Parameters
    ----------
    predicted, measured : array, shape (k,)
    tolerance : float
        Relative to the prediction (absolute where it is zero).
    reason : str
        Why not zero.
    errors : array, shape (k,), optional
        Standard errors of the measurements: four of them are allowed on top.
    """
    p, m, spread = _paired(predicted, measured, errors)
    unknown = np.isnan([p, m, spread]).any(axis=0)
    if unknown.any() or p.size == 0:
        return not_covered(claim, f"{unknown.sum()} of {p.size} cases are unknown.")
    scale = np.where(p == 0, 1.0, np.abs(p))
    off = np.abs(m - p) / scale
    allowed = tolerance + 4 * spread / scale
    within = off <= allowed
    worst = int(np.argmax(off - allowed))
    noise = "" if not spread.any() else f", four standard errors {4 * spread[worst]:.2g}"
    return Verdict(
        claim=claim,
        status="holds" if within.all() else "refuted",
        predicted=float(p.mean()),
        measured=float(m.mean()),
        interval=(float(off.min()), float(off.max())),
        summary=f"{within.sum()} of {p.size} cases agree; the worst: predicted {p[worst]:.6g},"
        f" measured {m[worst]:.6g}{noise}",
        evidence={
            "interval of": "relative errors, least to largest",
            "cases": float(p.size),
            "unequal": float((~within).sum()),
            "largest relative error": float(off.max()),
            "median relative error": float(np.median(off)),
            "tolerance": tolerance,
            "reason of the tolerance": reason,
        },
    )


def judge_bound(
    claim: Claim, bound: ArrayLike, measured: ArrayLike, *, allowance: ArrayLike, reason: str
) -> Verdict:
    """Return whether measurements stay below their upper bounds.

    Parameters
    ----------
    bound, measured : array, shape (k,)
        Infinite bounds are left out: they say nothing.
    allowance : float or array, shape (k,)
        By how much a measurement may exceed its bound for a known reason.
    reason : str
    """
    b, m, slop = _paired(bound, measured, allowance)
    b, m, slop = (part[b != np.inf] for part in (b, m, slop))
    if np.isnan([b, m, slop]).any() or m.size == 0:
        return not_covered(claim, "a case is unknown, or every bound infinite.")
    slack = b - m
    violated = slack < -slop
    low, middle, high = np.quantile(slack, [0.05, 0.5, 0.95])
    return Verdict(
        claim=claim,
        status="refuted" if violated.any() else "holds",
        predicted=float(b.mean()),
        measured=float(m.mean()),
        interval=(float(low), float(high)),
        summary=f"{violated.sum()} of {m.size} cases violate it;"
        f" slack {low:.3g} / {middle:.3g} / {high:.3g} (5 % / median / 95 %)",
        evidence={
            "interval of": "slack, 5 % to 95 %",
            "cases": float(m.size),
            "violations": float(violated.sum()),
            "largest violation": float(np.maximum(-slack, 0).max()),
            "slack, 5 %": float(low),
            "slack, median": float(middle),
            "slack, 95 %": float(high),
            "allowance": float(slop.max()),
            "reason of the allowance": reason,
        },
    )


def judge_trend(
    claim: Claim, effects: Mapping[str, FloatArray], *, test_to_train: float, unit: str
) -> Verdict:
    """Return whether an effect is positive in every case tested, splits by corrected t-tests.

    Holm's correction over the cases. Refuted if one is significantly negative; otherwise
    inconclusive until all are significantly positive.

    Parameters
    ----------
    effects : mapping of str to array, shape (J,)
        One effect a split for each case; positive as claimed.
    test_to_train : float
        As in `resampled_interval`.
    unit : str
        Of the effect, in words.
    """
    if not effects or any(np.isnan(effect).any() for effect in effects.values()):
        return not_covered(claim, "no case has enough comparable classifiers, or one is unknown.")
    adjusted = holm([resampled_p_value(e, test_to_train=test_to_train) for e in effects.values()])
    means = np.array([effect.mean() for effect in effects.values()])
    up = (adjusted <= SIGNIFICANCE) & (means > 0)
    down = (adjusted <= SIGNIFICANCE) & (means < 0)
    status: Status = "refuted" if down.any() else "holds" if up.all() else "inconclusive"
    deciding = int(np.lexsort((means, ~down))[0])  # one that refutes, else the least
    return _effect_verdict(
        claim,
        status,
        effects,
        deciding=deciding,
        test_to_train=test_to_train,
        counts=f"rises in {up.sum()}, falls in {down.sum()}, undecided in"
        f" {means.size - up.sum() - down.sum()} of {means.size} cases",
        unit=unit,
    )


def judge_equivalence(
    claim: Claim,
    effects: Mapping[str, FloatArray],
    *,
    margin: float,
    test_to_train: float,
    unit: str,
) -> Verdict:
    """Return whether an effect is within ±margin in every case tested: two one-sided tests.

    A case is equivalent if its 90 % interval lies within the margin; all have to be, so that no
    correction is needed. Refuted if the interval of one case, at a level corrected for their
    number, lies beyond the margin.

    Parameters
    ----------
    effects, test_to_train, unit
        As in `judge_trend`.
    margin : float
        Declared beforehand: the largest effect that counts as none.
    """
    if not effects or any(np.isnan(effect).any() for effect in effects.values()):
        return not_covered(claim, "no case has enough comparable classifiers, or one is unknown.")
    inner = [_interval(e, test_to_train, 1 - 2 * SIGNIFICANCE) for e in effects.values()]
    outer = [_interval(e, test_to_train, 1 - SIGNIFICANCE / len(effects)) for e in effects.values()]
    same = np.array([-margin <= low and high <= margin for low, high in inner])
    apart = np.array([low > margin or high < -margin for low, high in outer])
    status: Status = "refuted" if apart.any() else "holds" if same.all() else "inconclusive"
    means = np.array([effect.mean() for effect in effects.values()])
    return _effect_verdict(
        claim,
        status,
        effects,
        deciding=int(np.lexsort((-np.abs(means), ~apart))[0]),  # one that refutes, else the largest
        test_to_train=test_to_train,
        counts=f"within ±{margin:g} in {same.sum()}, beyond in {apart.sum()}, undecided in"
        f" {same.size - same.sum() - apart.sum()} of {same.size} cases",
        unit=unit,
    )


def _effect_verdict(
    claim: Claim,
    status: Status,
    effects: Mapping[str, FloatArray],
    *,
    deciding: int,
    test_to_train: float,
    counts: str,
    unit: str,
) -> Verdict:
    name = list(effects)[deciding]
    low, high = _interval(effects[name], test_to_train, 1 - SIGNIFICANCE / len(effects))
    mean = float(effects[name].mean())
    cases = {f"effect, {case}": float(effect.mean()) for case, effect in effects.items()}
    return Verdict(
        claim=claim,
        status=status,
        predicted=0.0,
        measured=mean,
        interval=(low, high),
        summary=f"{counts}; {name}: {mean:+.3g} [{low:+.3g}, {high:+.3g}] {unit}, limits"
        f" corrected for {len(effects)} cases",
        evidence={"interval of": name, "cases": float(len(effects)), "unit": unit, **cases},
    )


def _interval(effect: FloatArray, test_to_train: float, level: float) -> tuple[float, float]:
    _, low, high = resampled_interval(effect, test_to_train=test_to_train, level=level)
    return low, high


def _paired(*arrays: ArrayLike) -> tuple[FloatArray, ...]:
    flat = (np.asarray(array, dtype=np.float64) for array in arrays)
    return tuple(np.atleast_1d(array) for array in np.broadcast_arrays(*flat))
