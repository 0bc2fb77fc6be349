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
# The probability of a false alarm that a trend or an equivalence allows itself, over all its tests
# together. Four standard errors, which identities and bounds allow, are .00006 a case.
SIGNIFICANCE = 0.05


@dataclass(frozen=True, kw_only=True, eq=False)
class Verdict:
    """What measurement says of a claim.

    Parameters
    ----------
    claim : Claim
    status : {"holds", "refuted", "inconclusive", "not covered"}
    predicted, measured : float
        What the claim gives and what attacks gave: means over all cases of an identity or a bound;
        for a trend or an equivalence no effect, 0, and the effect in the case that decides. NaN if
        not covered.
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


def worse(one: Status, other: Status) -> Status:
    """Return the status of a claim with two parts: the graver of theirs."""
    graveness: tuple[Status, ...] = ("holds", "inconclusive", "not covered", "refuted")
    return max(one, other, key=graveness.index)


def judge_identity(
    claim: Claim,
    predicted: ArrayLike,
    measured: ArrayLike,
    *,
    tolerance: float,
    reason: str,
    errors: ArrayLike = 0.0,
    margin: float | None = None,
    scale: ArrayLike | None = None,
) -> Verdict:
    """Return whether measurements equal predictions.

    A case is unequal if its error exceeds the tolerance even with four standard errors taken off,
    and equal if with four added it stays within the margin: noise alone makes nothing equal.
    Refuted if one is unequal, holds if all are equal, else inconclusive.

    Parameters
    ----------
    predicted, measured : array, shape (k,)
    tolerance : float
        What an equality may miss by for a known reason, relative to `scale`.
    reason : str
        Why not zero.
    errors : array, shape (k,), optional
        Standard errors of the measurements.
    margin : float, optional
        Declared beforehand: the largest error, relative to `scale`, that counts as none. By
        default the tolerance, as suits measurements without noise.
    scale : float or array, shape (k,), optional
        What errors are relative to: by default the prediction, or 1 where that is zero.
    """
    p, m, spread = _paired(predicted, measured, errors)
    unknown = np.isnan([p, m, spread]).any(axis=0)
    if unknown.any() or p.size == 0:
        return not_covered(claim, f"{unknown.sum()} of {p.size} cases are unknown.")
    unit = np.where(p == 0, 1.0, np.abs(p)) if scale is None else np.broadcast_to(scale, p.shape)
    accepted = tolerance if margin is None else margin
    off, noise = np.abs(m - p) / unit, 4 * spread / unit
    unequal, equal = off - noise > tolerance, off + noise <= accepted
    status: Status = "refuted" if unequal.any() else "holds" if equal.all() else "inconclusive"
    worst = int(np.argmax(off - noise if unequal.any() else off + noise))
    known = f" ± {4 * spread[worst]:.2g} (four standard errors)" if spread.any() else ""
    return Verdict(
        claim=claim,
        status=status,
        predicted=float(p.mean()),
        measured=float(m.mean()),
        interval=(float(off.min()), float(off.max())),
        summary=f"{equal.sum()} of {p.size} cases agree, {unequal.sum()} differ; the worst:"
        f" predicted {p[worst]:.6g}, measured {m[worst]:.6g}{known}",
        evidence={
            "interval of": "relative errors, least to largest",
            "cases": float(p.size),
            "unequal": float(unequal.sum()),
            "largest relative error": float(off.max()),
            "median relative error": float(np.median(off)),
            "largest four standard errors": float(noise.max()),
            "tolerance": tolerance,
            "reason of the tolerance": reason,
            "margin": accepted,
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
