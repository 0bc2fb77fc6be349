"""Instances of smoothed linear classifiers in the plane.

What is so comes from the definition: along each direction from the input noise falls into a label's
region between two distances, and the mean over directions is that label's probability.
"""

from statistics import NormalDist

import numpy as np

from empirical.falsify.search import TINY, Instance, Search, Span
from theory.claims import CATALOGUE
from theory.linear import LinearClassifier
from theory.validation import FloatArray, UnsupportedSettingError

_DIRECTIONS = 4096
# Of three labels: regions have corners, where the mean over directions errs by their square.
_CORNERS = 1e-4
_SIGMA = Span("sigma", (), 0.2, 2)
_NEAREST, _FARTHEST = 0.1, 4.0  # of the boundary in sigmas: where a probability says something


def label_shares(W: FloatArray, b: FloatArray, x: FloatArray, sigma: float) -> FloatArray:
    """Return the probability of each label of a linear classifier of the plane under noise.

    Kind: exact but for the mean over directions, which errs where regions have corners.

    Examples
    --------
    >>> shares = label_shares(np.eye(2), np.zeros(2), np.array([1.0, 1.0]), 1.0)
    >>> shares.round(9).tolist()
    [0.5, 0.5]
    """
    angles = 2 * np.pi * (np.arange(_DIRECTIONS) + 0.5) / _DIRECTIONS
    ways = np.stack([np.cos(angles), np.sin(angles)])
    scores, slopes = W @ x + b, W @ ways
    shares = np.zeros(len(W))
    for k in range(len(W)):
        lo, hi = np.zeros(_DIRECTIONS), np.full(_DIRECTIONS, np.inf)
        for j in range(len(W)):
            if j != k:  # k leads where lead + r rise > 0
                lead, rise = scores[k] - scores[j], slopes[k] - slopes[j]
                with np.errstate(divide="ignore", invalid="ignore"):
                    end = -lead / rise
                never = (rise == 0) & (lead <= 0)
                lo = np.where(rise > 0, np.maximum(lo, end), np.where(never, np.inf, lo))
                hi = np.where(rise < 0, np.minimum(hi, np.maximum(end, 0.0)), hi)
        within = np.exp(-((lo / sigma) ** 2) / 2) - np.exp(-((hi / sigma) ** 2) / 2)
        shares[k] = within.clip(min=0.0).mean()
    return shares


def _sigma(instance: Instance) -> float:
    sigma = float(instance["sigma"])
    if not sigma > 0:
        raise UnsupportedSettingError(f"sigma must be positive; got {sigma}.")
    return sigma


def _binary_rows(instance: Instance) -> tuple[FloatArray, FloatArray]:
    return np.stack([0 * instance["w"], instance["w"]]), np.array([0.0, float(instance["b"])])


def _claimed_binary(instance: Instance) -> float:
    model = LinearClassifier(weights=instance["w"], bias=instance["b"])
    claimed = CATALOGUE["smoothing.linear-binary"].predict(model, instance["x"][None])[0]
    if not _NEAREST <= claimed / _sigma(instance) <= _FARTHEST:
        raise UnsupportedSettingError("the boundary must be at a middling distance in sigmas.")
    return float(claimed)


def _certified_binary(instance: Instance) -> float:
    sigma = _sigma(instance)
    shares = label_shares(*_binary_rows(instance), instance["x"], sigma)
    return sigma * NormalDist().inv_cdf(float(shares.max()))


def _claimed_many(instance: Instance) -> float:
    model = LinearClassifier(weights=instance["W"], bias=instance["b"])
    claimed = float(CATALOGUE["smoothing.linear-many"].predict(model, instance["x"][None])[0])
    if not claimed > TINY:
        raise UnsupportedSettingError("one label must lead at x.")
    return claimed


def _certified_many(instance: Instance) -> float:
    sigma = _sigma(instance)
    shares = np.sort(label_shares(instance["W"], instance["b"], instance["x"], sigma))[::-1]
    if not TINY < shares[1] <= shares[0] < 1 - TINY:
        raise UnsupportedSettingError("two labels must have probabilities that can be told apart.")
    normal = NormalDist()
    return sigma / 2 * (normal.inv_cdf(float(shares[0])) - normal.inv_cdf(float(shares[1])))


SEARCHES = (
    Search(
        claim=CATALOGUE["smoothing.linear-binary"],
        direction="equal",
        space=(Span("w", (2,), -2, 2), Span("b", (), -2, 2), Span("x", (2,), -2, 2), _SIGMA),
        build=dict,
        claimed=_claimed_binary,
        true=_certified_binary,
        kind="the certificate, its probability a mean over directions",
        axes={"w": ("",), "b": (), "x": ("",), "sigma": ()},
        allowance=1e-9,
        reason="at four sigmas a probability's last digit is 1e-12 of a radius",
    ),
    Search(
        claim=CATALOGUE["smoothing.linear-many"],
        direction="equal",
        space=(Span("W", (3, 2), -2, 2), Span("b", (3,), -1, 1), Span("x", (2,), -2, 2), _SIGMA),
        build=dict,
        claimed=_claimed_many,
        true=_certified_many,
        kind="the certificate, its probabilities means over directions",
        axes={"W": ("", ""), "b": ("",), "x": ("",), "sigma": ()},
        allowance=_CORNERS,
        reason="the mean over directions errs where regions have corners",
    ),
)
