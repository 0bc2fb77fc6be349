"""Instances of what is claimed of margin over gradient: small networks, every mask and weight.

What is so is added up over all values that weights and masks can take.
"""

from itertools import product
from typing import Any

import numpy as np

from empirical.falsify.every_mask import every_mask
from empirical.falsify.exact import as_floats, roots
from empirical.falsify.search import TINY, Instance, Search, Span
from theory.claims import CATALOGUE
from theory.initialised import RandomNetwork
from theory.networks import ReluNetwork
from theory.validation import UnsupportedSettingError

_KINK = 1e-6  # a preactivation this near zero may be on either side: a law with an atom there
_PRUNED = 0.1  # of some layer at least: with nothing pruned both sides are the same number
# Inputs, units of the one hidden layer, and the values of a weight: ±a, ±b, or pruned.
_INPUTS, _UNITS, _VALUES = 2, 2, 5


def _ratio_of_squares(instance: Instance) -> float:
    """Return E g² / E ‖∇g‖² over every weight of a law of four values, and every mask."""
    x = instance["x"]
    first, second = _INPUTS * _UNITS, _UNITS
    places = np.array(list(product(range(_VALUES), repeat=first + second)))
    weights, chances = [], np.ones(len(places))
    layers = (places[:, :first], places[:, first:])
    for (a, b), density, part in zip(instance["sizes"], instance["densities"], layers, strict=True):
        values = np.array([0.0, a, -a, b, -b])
        law = np.array([1 - density, *[density / 4] * 4])
        weights.append(values[part])
        chances *= law[part].prod(axis=1)
    W = weights[0].reshape(-1, _UNITS, _INPUTS)
    hidden = W @ x
    if ((np.abs(hidden) < _KINK) & W.any(axis=2)).any():
        raise UnsupportedSettingError("no unit may be at its kink.")
    passed = weights[1] * (hidden > 0)
    outputs = (passed * hidden).sum(axis=1)
    slopes = (passed[:, None] @ W)[:, 0]
    return float(chances @ outputs**2) / float(chances @ (slopes**2).sum(axis=1))


def _predicted_ratio(instance: Instance) -> float:
    x, densities = instance["x"], instance["densities"]
    if np.abs(x).min() < TINY or (densities <= 0).any() or np.abs(instance["sizes"]).min() < TINY:
        raise UnsupportedSettingError("inputs, sizes and densities must not be zero.")
    law = RandomNetwork(
        widths=(_INPUTS, _UNITS),
        densities=densities,
        deviations=np.sqrt((instance["sizes"] ** 2).mean(axis=1)),
    )
    found = CATALOGUE["guo2018.ratio-moments"].predict(law, x)
    return float(found.output / found.gradient)


def _dense_ratio(instance: Instance) -> float:
    net = ReluNetwork(weights=[instance["W1"], instance["W2"]])
    predict = CATALOGUE["guo2018.ratio-pattern"].predict
    found = predict(net, 0.0, instance["x"][None], [[1.0]])
    if not found.slope[0] > TINY:
        raise UnsupportedSettingError("the output must have a gradient at x.")
    return float(np.abs(found.ratio[0]))


def _pruned_ratio(instance: Instance) -> Any:
    """Return |E g| / √E‖∇g‖² over every mask, units on or off as with nothing pruned."""
    W1, W2, x = instance["W1"], instance["W2"], instance["x"]
    if as_floats(instance["alphas"]).max() < _PRUNED:
        raise UnsupportedSettingError(f"some alpha must be at least {_PRUNED}.")
    hidden = W1 @ x
    if (np.abs(as_floats(hidden)) < _KINK).any():
        raise UnsupportedSettingError("no unit may be at its kink.")
    masked = every_mask([W1, W2], instance["alphas"])
    rows = masked.weights[1] * (hidden > 0).astype(int)
    slopes = (rows @ masked.weights[0])[:, 0]
    mean = masked.chances @ (slopes @ x)
    square = masked.chances @ (slopes * slopes).sum(axis=1)
    if not square > 0:
        raise UnsupportedSettingError("some mask must leave a gradient.")
    return abs(mean) / roots(np.array(square))[()]


SEARCHES = (
    Search(
        claim=CATALOGUE["guo2018.ratio-moments"],
        direction="equal",
        space=(
            Span("x", (_INPUTS,), -2, 2),
            Span("sizes", (2, 2), 0.1, 2),
            Span("densities", (2,), 0.1, 1),
        ),
        build=dict,
        claimed=_predicted_ratio,
        true=_ratio_of_squares,
        kind="exact: added up over every value of weights of ± two sizes, and every mask",
        axes={"x": ("",), "sizes": ("", ""), "densities": ("",)},
    ),
    Search(
        claim=CATALOGUE["guo2018.ratio-pattern"],
        direction="upper",
        space=(
            Span("W1", (2, 2), -2, 2),
            Span("W2", (1, 2), -2, 2),
            Span("x", (2,), -2, 2),
            Span("alphas", (2,), 0, 0.95),
        ),
        build=dict,
        claimed=_dense_ratio,
        true=_pruned_ratio,
        kind="exact: over every mask, units as they are with nothing pruned",
        axes={"W1": ("unit", "input"), "W2": ("", "unit"), "x": ("input",), "alphas": ("",)},
        rational=True,
    ),
)
