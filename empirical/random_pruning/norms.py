"""Gradient norms of a trained network pruned at random: bounds, moments and masks drawn."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from empirical.intervals import Interval, resampled_interval
from empirical.random_pruning.trained import TrainedDigits
from empirical.ratio_study import masked_margins
from theory.initialised import gaussian_margin_slope
from theory.networks import ReluNetwork
from theory.random_masks import expected_norm_bound, product_bound, rms_path_norm
from theory.validation import FloatArray

Row = dict[str, Any]
ALPHAS = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95)
# By the name of a bound on an expected gradient norm; the loosest first.
NORM_BOUNDS = {
    "product of densities": product_bound,
    "second moment": rms_path_norm,
    "sharper": expected_norm_bound,
}
# Which layers are pruned: the last one, which turns no unit, or all.
_PANELS = ("output layer", "all layers")


def norm_table(
    trained: TrainedDigits,
    rng: np.random.Generator,
    *,
    alphas: Sequence[float] = ALPHAS,
    inputs: int = 20,
    masks: int = 40,
) -> list[Row]:
    """Return L2 gradient norms of outputs, over masks: bounded, predicted by moments, measured.

    All are means over the outputs, of a mean or a root mean square over masks and inputs not seen
    in training. Kind: each row says it. Upper: of the expected largest norm of a gradient anywhere.
    Moments: exact where only the output layer is pruned, else estimates. Measured: estimates, with
    95 % limits over masks, which see nothing of the theory.

    Parameters
    ----------
    trained : TrainedDigits
    rng : numpy.random.Generator
    alphas : sequence of float in [0, 1]
        The share of weights pruned.
    inputs, masks : int

    Returns
    -------
    list of dict
        Keys pruned, alpha, what, kind, value, low and high: the limits, or the value.
    """
    net, X = trained.net, trained.test.X[:inputs]
    cases = np.repeat(X, net.outputs, axis=0), np.tile(np.eye(net.outputs), (len(X), 1))
    rows: list[Row] = []
    for pruned in _PANELS:
        for alpha in alphas:
            laws = [alpha if pruned == _PANELS[1] else 0.0] * (net.depth - 1) + [alpha]
            found = {
                **_predicted(net, laws, *cases, kind="exact" if pruned == _PANELS[0] else ""),
                **_measured(net, laws, *cases, masks=masks, rng=rng),
            }
            rows += [
                {"network": trained.name, "pruned": pruned, "alpha": alpha, "what": what}
                | {"kind": kind, **interval._asdict()}
                for what, (kind, interval) in found.items()
            ]
    return rows


def _predicted(
    net: ReluNetwork, laws: Sequence[float], X: FloatArray, forms: FloatArray, *, kind: str
) -> dict[str, tuple[str, Interval]]:
    """Return what theory says: bounds on means, and the root mean square by moments."""
    told = {what: ("upper", _known(bound(net, laws).mean())) for what, bound in NORM_BOUNDS.items()}
    slopes = gaussian_margin_slope(net, laws, X, forms).slope
    return told | {"moments": (kind or "estimate", _known(np.sqrt((slopes**2).mean())))}


def _measured(
    net: ReluNetwork,
    laws: Sequence[float],
    X: FloatArray,
    forms: FloatArray,
    *,
    masks: int,
    rng: np.random.Generator,
) -> dict[str, tuple[str, Interval]]:
    """Return the mean and the root mean square over masks drawn, with limits."""
    kept = [1 - alpha for alpha in laws]
    slopes = masked_margins(net, X, forms, densities=kept, count=masks, rng=rng).slopes
    mean = resampled_interval(slopes.mean(axis=1), test_to_train=0.0)
    square = resampled_interval((slopes**2).mean(axis=1), test_to_train=0.0)
    root = Interval(*np.sqrt(np.maximum(square, 0.0)).tolist())
    return {"mean": ("estimate", mean), "root mean square": ("estimate", root)}


def _known(value: float) -> Interval:
    return Interval(float(value), float(value), float(value))
