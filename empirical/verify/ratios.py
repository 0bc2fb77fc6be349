"""Ratios of networks pruned at random, met by draws: their limit law, moments and trends.

A law is met by a sample: the limits of a Kolmogorov-Smirnov distance, for any sample size, are
those of Dvoretzky, Kiefer, Wolfowitz and Massart.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from itertools import pairwise

import numpy as np

from empirical.ratio_study import (
    Gap,
    RandomWeights,
    batched_squares,
    drawn_flips,
    drawn_ratios,
    gap_from,
    masked_margins,
    nearest_forms,
    ratios,
    sign_entries,
    skewed_entries,
    trained_digits,
)
from empirical.verify.verdict import (
    SIGNIFICANCE,
    Status,
    Verdict,
    judge_bound,
    judge_identity,
    judge_trend,
)
from theory.claims import CATALOGUE
from theory.initialised import (
    RandomNetwork,
    dead_probability,
    gaussian_margin_slope,
    ratio_cdf,
    shifted_ratio_cdf,
)
from theory.networks import ReluNetwork
from theory.validation import FloatArray

# Declared before any measurement: the distance of laws that counts as none.
_MARGIN = 0.05
# Units that keep 200 weights at least, and one setting where they keep five.
_LAWS = {
    "signs, ρ = 1": RandomWeights((200, 200), entries=sign_entries),
    "signs, ρ = 0.5": RandomWeights((400, 400), density=0.5, entries=sign_entries),
    "skewed, ρ = 1": RandomWeights((200, 200), entries=skewed_entries),
}
_FEW = RandomWeights((256, 256), density=0.02)
_DRAWS, _FEW_DRAWS = 5000, 1500
_MOMENTS = (
    RandomWeights((5, 8, 6), density=0.75),
    RandomWeights((6, 10), density=0.375, outputs=2),
)
# Squares of small networks vary by some three times their mean: so many draws leave errors of
# half a percent, of which an agreement within the margin needs eight.
_SQUARES, _MOMENT_MARGIN = 300_000, 0.05
_PATTERN_MASKS, _SHIFT = 500, 2.0
_POINT = 1_000_000  # a law of one value is known: a sample of any size may be drawn of it
_STEPS = (1.0, 0.7, 0.4, 0.2)
_NETWORKS, _INPUTS, _MASKS, _TRAINED_ON = 6, 150, 60, 1200
_NEAR, _NEAR_DRAWS = RandomWeights((100, 100)), 3000


def check_law(rng: np.random.Generator) -> Verdict:
    """Return the verdict on the limit law: three laws of weights, dense and pruned."""
    key, told, gaps = "guo2018.ratio-law", {}, {}
    for name, law in _LAWS.items():
        x = rng.normal(size=law.widths[0])
        gaps[name] = _gap(drawn_ratios(law, x, count=_DRAWS, rng=rng), _limit(x), len(_LAWS))
    x = rng.normal(size=_FEW.widths[0])
    few = gap_from(drawn_ratios(_FEW, x, count=_FEW_DRAWS, rng=rng), _limit(x))
    dead = dead_probability(RandomNetwork(widths=_FEW.widths, densities=_FEW.density), x)
    told = {
        f"distance, five weights a unit, ρ = {_FEW.density}": few.value,
        "of that the probability of a dead output, predicted": dead,
    }
    return _judged_law(key, gaps, told)


def check_fixed(rng: np.random.Generator) -> Verdict:
    """Return the verdict on masks alone: one network drawn, dense and pruned."""
    key, n = "guo2018.ratio-fixed", 128
    net = ReluNetwork(weights=[rng.normal(size=(n, n)), rng.normal(size=(1, n))])
    x, gaps, told = rng.normal(size=n), {}, {}
    for density, count in ((1.0, 1), (0.95, 1000), (0.5, 1000)):
        found = masked_margins(
            net, x[None], np.ones((1, 1)), densities=(density, density), count=count, rng=rng
        )
        sample = np.abs(ratios(found)).ravel()
        told[f"median R √d / ‖x‖, ρ = {density:g}"] = float(np.median(sample) / _unit(x))
        sample = np.full(_POINT, sample[0]) if density == 1 else sample
        gaps[f"ρ = {density:g}"] = _gap(sample, _limit(x), 3)
    return _judged_law(key, gaps, told)


def check_mean(rng: np.random.Generator) -> Verdict:
    """Return the verdict on weights with a mean, at x = (1, ..., 1)."""
    x, gaps, told = np.ones(128), {}, {}
    for density in (1.0, 0.25):
        law = RandomWeights((128, 128), density=density, shift=_SHIFT)
        sample, name = drawn_ratios(law, x, count=1000, rng=rng), f"ρ = {density:g}"
        gaps[name] = _gap(sample, _limit(x), 2)

        def shifted(t: FloatArray, density: float = density) -> FloatArray:
            return shifted_ratio_cdf(
                t, dimension=x.size, shift=_SHIFT, density=density, input_norm=_norm(x)
            )

        told[f"distance from the law with this mean, {name}"] = gap_from(sample, shifted).value
    return _judged_law("guo2018.ratio-mean", gaps, told)


def check_moments(rng: np.random.Generator) -> Verdict:
    """Return the verdict on mean squares: an output, and a difference of two, of small networks."""
    claim = CATALOGUE["guo2018.ratio-moments"]
    predicted, measured, errors = [], [], []
    for law in _MOMENTS:
        x = rng.normal(size=law.widths[0])
        found = batched_squares(law, x, count=_SQUARES, rng=rng)
        model = RandomNetwork(widths=law.widths, densities=law.density, difference=law.outputs == 2)
        output, gradient = claim.predict(model, x)
        mean = found.mean(axis=0)
        share = found[:, 0] / mean[0] - found[:, 1] / mean[1]  # of a quotient, to first order
        predicted += [output, gradient, output / gradient]
        measured += [*mean, mean[0] / mean[1]]
        spread = [*found.std(axis=0), share.std() * mean[0] / mean[1]]
        errors += [s / np.sqrt(_SQUARES) for s in spread]
    return judge_identity(
        claim,
        predicted,
        measured,
        errors=errors,
        tolerance=1e-5,
        reason="float32",
        margin=_MOMENT_MARGIN,
    )


def check_pattern(rng: np.random.Generator) -> Verdict:
    """Return the verdict on units held fixed: networks of linear units, which nothing turns."""
    claim = CATALOGUE["guo2018.ratio-pattern"]
    bounds, measured, errors = [], [], []
    for widths in ((6, 8, 3), (5, 6, 6, 2)):
        net = _linear_network(rng, widths)
        X, forms = rng.normal(size=(4, widths[0])), rng.normal(size=(4, widths[-1]))
        dense = np.abs(claim.predict(net, 0.0, X, forms).ratio)
        for density in (0.9, 0.5, 0.2):
            found = masked_margins(
                net, X, forms, densities=[density] * net.depth, count=_PATTERN_MASKS, rng=rng
            )
            ratio, error = _ratio_of_means(found.margins, found.slopes)
            bounds.append(dense)
            measured.append(ratio)
            errors.append(error)
    return judge_bound(
        claim,
        np.concatenate(bounds),
        np.concatenate(measured),
        allowance=4 * np.concatenate(errors),
        reason="four standard errors of means over masks",
    )


def check_over(rng: np.random.Generator) -> Verdict:
    """Return the verdict on the falling ratio of trained networks, hidden layers pruned."""
    measured = np.empty((_NETWORKS, len(_STEPS)))
    predicted = np.empty_like(measured)
    for i in range(_NETWORKS):
        net, X, y = trained_digits(rng, _INPUTS, hidden=(30, 30))
        forms = nearest_forms(net, X, y)
        for j, density in enumerate(_STEPS):
            kept = [density] * (net.depth - 1) + [1.0]
            found = masked_margins(net, X, forms, densities=kept, count=_MASKS, rng=rng)
            measured[i, j] = found.margins.mean() / np.sqrt((found.slopes**2).mean())
            model = gaussian_margin_slope(net, [1 - rho for rho in kept], X, forms)
            predicted[i, j] = model.margin.mean() / np.sqrt((model.slope**2).mean())
    falls = {
        f"from ρ = {a:g} to {b:g}": measured[:, j] - measured[:, j + 1]
        for j, (a, b) in enumerate(pairwise(_STEPS))
    }
    verdict = judge_trend(
        CATALOGUE["guo2018.over-sparsification"],
        falls,
        test_to_train=_INPUTS / _TRAINED_ON,
        unit="of margin / root mean squared gradient, lower",
    )
    told = {
        f"ratio, ρ = {rho:g}": f"measured {m:.3g}, predicted {p:.3g}"
        for rho, m, p in zip(_STEPS, measured.mean(axis=0), predicted.mean(axis=0), strict=True)
    }
    off = float(np.abs(predicted / measured - 1).max())
    return replace(verdict, evidence={**verdict.evidence, **told, "largest error": off})


def check_distance(rng: np.random.Generator) -> Verdict:
    """Return the verdict on networks at initialisation: the median of R, and flips at 2 R."""
    claim, x = CATALOGUE["initialised.distance"], rng.normal(size=_NEAR.widths[0])
    found = drawn_ratios(_NEAR, x, count=_NEAR_DRAWS, rng=rng)
    flips = drawn_flips(_NEAR, x, steps=2.0, count=_NEAR_DRAWS, rng=rng)
    predicted = float(claim.predict(0.5, dimension=x.size, input_norm=_norm(x)))
    # A median has half the spread of a share of 1/2, by the density there: .64 for |N(0, 1)|.
    error = 0.5 / 0.64 * _unit(x) / np.sqrt(_NEAR_DRAWS)
    return judge_identity(
        claim,
        [predicted, 1.0],
        [float(np.median(found)), float(flips.mean())],
        errors=[error, np.sqrt(max(flips.mean() * (1 - flips.mean()), 1e-4) / _NEAR_DRAWS)],
        tolerance=_MARGIN,
        reason="layers of 100 units",
        margin=0.15,
    )


def _judged_law(key: str, gaps: Mapping[str, Gap], evidence: Mapping[str, float | str]) -> Verdict:
    """Return whether all laws are within the margin of the limit, or one is beyond it."""
    beyond = [gap.lower > _MARGIN for gap in gaps.values()]
    within = [gap.upper <= _MARGIN for gap in gaps.values()]
    status: Status = "refuted" if any(beyond) else "holds" if all(within) else "inconclusive"
    name, worst = max(gaps.items(), key=lambda pair: pair[1].value)
    return Verdict(
        claim=CATALOGUE[key],
        status=status,
        predicted=0.0,
        measured=worst.value,
        interval=(worst.lower, worst.upper),
        summary=f"{sum(within)} of {len(gaps)} laws within {_MARGIN} of the limit, {sum(beyond)}"
        f" beyond; {name}: Kolmogorov-Smirnov distance {worst.value:.3g}"
        f" [{worst.lower:.3g}, {worst.upper:.3g}]",
        evidence={
            "interval of": f"the distance, {name}",
            "cases": float(len(gaps)),
            "margin": _MARGIN,
            **{f"distance, {case}": gap.value for case, gap in gaps.items()},
            **{f"upper 95 % limit, {case}": gap.upper for case, gap in gaps.items()},
            **evidence,
        },
    )


def _gap(sample: FloatArray, cdf: Callable[[FloatArray], FloatArray], cases: int) -> Gap:
    """Return a distance, its lower limit corrected for the number of cases: one may refute."""
    return gap_from(sample, cdf)._replace(
        lower=gap_from(sample, cdf, level=1 - SIGNIFICANCE / cases).lower
    )


def _limit(x: FloatArray) -> Callable[[FloatArray], FloatArray]:
    return lambda t: ratio_cdf(t, dimension=x.size, input_norm=_norm(x))


def _norm(x: FloatArray) -> float:
    return float(np.linalg.norm(x))


def _unit(x: FloatArray) -> float:
    return _norm(x) / float(np.sqrt(x.size))


def _linear_network(rng: np.random.Generator, widths: tuple[int, ...]) -> ReluNetwork:
    return ReluNetwork(
        weights=[rng.normal(size=(o, i)) for i, o in pairwise(widths)],
        relu=[np.zeros(n, dtype=bool) for n in widths[1:-1]],
    )


def _ratio_of_means(margins: FloatArray, slopes: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return |mean margin| / root mean squared slope of each input, and its standard error."""
    mean, square = margins.mean(axis=0), (slopes**2).mean(axis=0)
    parts = (margins - mean * slopes**2 / (2 * square)) / np.sqrt(square)  # to first order
    error = parts.std(axis=0, ddof=1) / np.sqrt(margins.shape[0])
    return np.abs(mean) / np.sqrt(square), error
