"""Instances of margins that are not Gaussian, or of a sample: laws of a few values, and Student's.

What is so is counted on a law of a few values, or added up from the density of the scale.
"""

import math
from functools import cache
from typing import Any

import numpy as np

from empirical.falsify.search import TINY, Instance, Search, Span
from theory.claims import CATALOGUE
from theory.mixtures import MarginLaw
from theory.validation import FloatArray, UnsupportedSettingError

_VALUES = 3
_ENDLESS = 10**15  # margins, whose sampling adds less than 1e-7


@cache  # some tenths of a second, which an import should not take
def _rule() -> tuple[FloatArray, FloatArray]:
    return np.polynomial.legendre.leggauss(400)


def _few_values(arrays: Instance) -> Instance:
    """Return the drop, and for each label the values of its margin and their probabilities."""
    shares = np.abs(arrays["shares"])
    if (shares.sum(axis=1) < TINY).any():
        raise UnsupportedSettingError("each label must have a value of positive probability.")
    return {**arrays, "shares": shares / shares.sum(axis=1, keepdims=True)}


def _moments(instance: Instance) -> MarginLaw:
    values, shares, prior = instance["values"], instance["shares"], float(instance["prior"])
    if np.abs(shares.sum(axis=1) - 1).max() > TINY or not 0 < prior < 1:
        raise UnsupportedSettingError("shares must sum to 1, and both labels must occur.")
    means = (shares * values).sum(axis=1)
    deviations = np.sqrt((shares * (values - means[:, None]) ** 2).sum(axis=1))
    if deviations.min() < TINY:
        raise UnsupportedSettingError("each label must have margins of positive variance.")
    return MarginLaw(means=means, deviations=deviations, priors=[1 - prior, prior])


def _gaussian(law: MarginLaw, drop: float) -> float:
    kept = [
        math.erfc((drop - mean) / deviation / math.sqrt(2)) / 2
        for mean, deviation in zip(law.means, law.deviations, strict=True)
    ]
    return float(law.priors @ kept)


def _missed(instance: Instance) -> float:
    """Return by how much the Gaussian formula misses the share of margins above the drop."""
    law, drop = _moments(instance), float(instance["drop"])
    kept = (instance["shares"] * (instance["values"] > drop)).sum(axis=1)
    return abs(float(law.priors @ kept) - _gaussian(law, drop))


def _law(instance: Instance) -> MarginLaw:
    prior = float(instance["prior"])
    if np.abs(instance["deviations"]).min() < TINY:
        raise UnsupportedSettingError("each label must have margins of positive variance.")
    return MarginLaw(
        means=instance["means"], deviations=instance["deviations"], priors=[1 - prior, prior]
    )


def _scaled_gaussians(instance: Instance) -> float:
    """Return the accuracy as a mean of Gaussian ones over the chi-square of the scale."""
    law, freedom = _law(instance), float(instance["freedom"])
    # In u = log c² the density is smooth, and below e^-60 and above e^8 it adds nothing.
    lo, hi = -60.0 / freedom, math.log(freedom + 40 * math.sqrt(freedom) + 60)
    nodes, weights = _rule()
    u = lo + (hi - lo) * (nodes + 1) / 2
    log_density = freedom / 2 * u - np.exp(u) / 2 - freedom / 2 * math.log(2)
    density = np.exp(log_density - math.lgamma(freedom / 2))
    scales = np.sqrt((freedom - 2) * np.exp(-u))
    far = (float(instance["drop"]) - law.means) / law.deviations / math.sqrt(2)
    kept = np.array([math.erfc(x) / 2 for x in np.outer(1 / scales, far).flat]).reshape(-1, 2)
    return float((hi - lo) / 2 * (weights @ (density * (kept @ law.priors))))


def _student(instance: Instance) -> float:
    predict = CATALOGUE["mixtures.student"].predict
    drop, freedom = float(instance["drop"]), float(instance["freedom"])
    return float(predict(_law(instance), drop, freedom=freedom))


def _blocks(instance: Instance) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return where two blocks of even density begin and end, and how much each holds."""
    starts, widths = instance["starts"], np.abs(instance["widths"])
    if widths.min() < TINY or float(instance["bandwidth"]) < TINY:
        raise UnsupportedSettingError("margins must have a density, and a bandwidth.")
    share = float(instance["share"])
    return starts, starts + widths, np.array([share, 1 - share])


def _smoothing_error(instance: Instance) -> float:
    """Return what smoothing alone makes of the law: the error of a sample without end."""
    starts, ends, shares = _blocks(instance)
    h, drop = float(instance["bandwidth"]), float(instance["drop"])
    smooth = [
        h * (_mean_above((end - drop) / h) - _mean_above((start - drop) / h)) / (end - start)
        for start, end in zip(starts, ends, strict=True)
    ]
    kept = ((ends - drop) / (ends - starts)).clip(0, 1)
    return abs(float(shares @ (smooth - kept)))


def _mean_above(t: float) -> float:
    """Return the integral of the standard normal distribution function up to t."""
    density = math.exp(-t * t / 2) / math.sqrt(2 * math.pi)
    return t * math.erfc(-t / math.sqrt(2)) / 2 + density


def _smoothing_bound(instance: Instance) -> float:
    starts, ends, shares = _blocks(instance)
    each = shares / (ends - starts)
    overlap = max(starts) < min(ends)
    density = float(each.sum() if overlap else each.max())
    predict = CATALOGUE["mixtures.smoothed"].predict
    return float(predict(_ENDLESS, bandwidth=float(instance["bandwidth"]), density=density))


_ONE: dict[str, Any] = {"prior": (), "drop": ()}

SEARCHES = (
    Search(
        claim=CATALOGUE["mixtures.smoothed"],
        direction="upper",
        space=(
            Span("starts", (2,), -2, 2),
            Span("widths", (2,), 0.05, 2),
            Span("share", (), 0, 1),
            Span("drop", (), 0, 2),
            Span("bandwidth", (), 0.01, 2),
        ),
        build=dict,
        claimed=_smoothing_bound,
        true=_smoothing_error,
        kind="exact: the smoothed tail of two blocks of even density, of a sample without end",
        axes={"starts": ("",), "widths": ("",), "share": (), "drop": (), "bandwidth": ()},
        scale=1.0,
    ),
    Search(
        claim=CATALOGUE["mixtures.two-moments"],
        direction="upper",
        space=(
            Span("values", (2, _VALUES), -3, 3),
            Span("shares", (2, _VALUES), 0, 1),
            Span("prior", (), 0.05, 0.95),
            Span("drop", (), 0, 2),
        ),
        build=_few_values,
        claimed=lambda instance: float(
            CATALOGUE["mixtures.two-moments"].predict(_moments(instance), float(instance["drop"]))
        ),
        true=_missed,
        kind="exact: margins of a few values, counted",
        axes={**_ONE, "values": ("", "value"), "shares": ("", "value")},
        scale=1.0,
    ),
    Search(
        claim=CATALOGUE["mixtures.student"],
        direction="equal",
        space=(
            Span("means", (2,), -2, 2),
            Span("deviations", (2,), 0.1, 2),
            Span("prior", (), 0.05, 0.95),
            Span("drop", (), 0, 2),
            Span("freedom", (), 2.05, 30),
        ),
        build=dict,
        claimed=_student,
        true=_scaled_gaussians,
        kind="exact: quadrature over the chi-square of the scale",
        axes={**_ONE, "means": ("",), "deviations": ("",), "freedom": ()},
        fixed=frozenset({"freedom"}),
        scale=1.0,
    ),
)
