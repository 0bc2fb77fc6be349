"""Instances of claims about single ReLU networks: one hidden layer, one input, its nearest flip.

What is so is the distance of a point that has another label or a tie, which was looked at: at least
the distance to the nearest flip, so that no true lower bound exceeds it.
"""

from fractions import Fraction
from typing import Any

import numpy as np

from empirical.falsify.exact import as_floats, as_fractions, lengths
from empirical.falsify.search import Instance, Search, Span
from theory.certify import METHODS
from theory.certify.branch_and_bound import exact_distance
from theory.claims import CATALOGUE
from theory.claims.claim import Claim
from theory.networks import ReluNetwork, class_scores
from theory.validation import FloatArray, UnsupportedSettingError

_NORMS = (2.0, np.inf)
_SIDE = 1.5  # of the box, where there is one: inputs lie in it anyway
_LEAST_LEAD = 1e-3  # of an input's label, so that rounding of scores is nothing beside it
_SECONDS = 5.0  # for the nearest flip: networks this small take milliseconds
# By how much a flip is overshot, relatively, until exact arithmetic sees that it is one.
_OVERSHOOTS = (0.0, 1e-13, 1e-12, 1e-11, 1e-10, 1e-9)
_UNITS = 3
_INPUTS = (50, 200)  # all but two idle: the more, the less of a ball is steep
_RADII = Span("radii", (3,), 0.05, 4)
_SPACE = (
    Span("W1", (_UNITS, 2), -2, 2),
    Span("b1", (_UNITS,), -2, 2),
    Span("W2", (2, _UNITS), -2, 2),
    Span("b2", (2,), -2, 2),
    Span("x", (2,), -_SIDE, _SIDE),
    Span("norm", (), 0, 1, whole=True),
    Span("boxed", (), 0, 1, whole=True),
)
NETWORK_AXES = {
    "W1": ("unit", "input"),
    "b1": ("unit",),
    "W2": ("", "unit"),
    "b2": ("",),
    "x": ("input",),
    "norm": (),
    "box": ("",),
    "label": (),
}
_FIXED = frozenset({"norm", "box", "label"})


def network(instance: Instance) -> ReluNetwork:
    """Return the network of an instance."""
    weights = [as_floats(instance["W1"]), as_floats(instance["W2"])]
    return ReluNetwork(
        weights=weights, biases=[as_floats(instance["b1"]), as_floats(instance["b2"])]
    )


def setting(instance: Instance) -> dict[str, Any]:
    """Return the norm and the box, as certificates and searches take them."""
    lo, hi = as_floats(instance["box"])
    return {"norm": float(instance["norm"]), "box": None if np.isinf(hi) else (lo, hi)}


def own_label(instance: Instance) -> tuple[FloatArray, list[int]]:
    """Return the input (1, d) and its label.

    Raises
    ------
    UnsupportedSettingError
        If the network gives it another, or hardly that one.
    """
    net, x, label = network(instance), as_floats(instance["x"])[None], int(instance["label"])
    scores = np.asarray(class_scores(net, x))[0]
    rivals = scores[net.classes != label]
    if not scores[net.classes == label][0] - rivals.max() > _LEAST_LEAD:
        raise UnsupportedSettingError("x must be classified as its label, and no tie.")
    return x, [label]


def with_label(arrays: Instance) -> Instance:
    """Return the instance of arrays of the space: the label is that of the network."""
    built = {name: array for name, array in arrays.items() if name != "boxed"}
    side = _SIDE if arrays["boxed"] else np.inf
    built |= {"norm": np.asarray(_NORMS[int(arrays["norm"])]), "box": np.array([-side, side])}
    scores = np.asarray(class_scores(network(built), built["x"][None]))[0]
    return {**built, "label": np.asarray(float(network(built).classes[scores.argmax()]))}


def flip_distance(instance: Instance) -> Any:
    """Return the distance of the nearest flip that branch and bound finds.

    Kind: upper, witnessed: of fractions, in exact arithmetic.

    Raises
    ------
    UnsupportedSettingError
        If nothing flips.
    """
    x, label = own_label(instance)
    known = setting(instance)
    found = exact_distance(network(instance), x, label, time_limit=_SECONDS, **known)
    if np.isinf(found.upper[0]) or found.witness is None:
        raise UnsupportedSettingError("some point must have another label.")
    if instance["x"].dtype != object:
        return float(found.upper[0])
    return _exact_distance(instance, found.witness[0], known["norm"])


def _exact_distance(instance: Instance, flip: FloatArray, norm: float) -> Fraction:
    """Return how far the first point is that flips in exact arithmetic, at the flip or beyond."""
    x, box = instance["x"], as_floats(instance["box"])
    for extra in _OVERSHOOTS:
        point = x + (as_fractions(flip) - x) * Fraction(1 + extra)
        if (as_floats(point) < box[0]).any() or (as_floats(point) > box[1]).any():
            continue
        hidden = instance["W1"] @ point + instance["b1"]
        scores = instance["W2"] @ np.where(hidden > 0, hidden, hidden * 0) + instance["b2"]
        scores = np.concatenate([[Fraction(0)], scores]) if len(scores) == 1 else scores
        own = int(np.flatnonzero(network(instance).classes == int(instance["label"]))[0])
        if max(np.delete(scores, own)) >= scores[own]:
            return Fraction(lengths((point - x)[None], norm)[0])
    raise UnsupportedSettingError("a flip must be one in exact arithmetic as well.")


def _local_lipschitz(instance: Instance) -> float:
    x, label = own_label(instance)
    predict, radii = CATALOGUE["networks.local-lipschitz"].predict, instance["radii"]
    return float(predict(network(instance), x, label, radii=radii, **setting(instance))[0])


def _certified(instance: Instance) -> float:
    x, label = own_label(instance)
    method = METHODS[int(instance["method"])]
    predict = CATALOGUE["networks.certificates"].predict
    return float(predict(network(instance), x, label, method=method, **setting(instance)).lower[0])


def _clever(instance: Instance) -> float:
    x, label = own_label(instance)
    if instance["norm"] != 2 or np.isfinite(instance["box"]).any():
        raise UnsupportedSettingError("the ball must be of L2, without a box.")
    predict, rng = CATALOGUE["networks.clever"].predict, np.random.default_rng(0)
    return float(predict(network(instance), x, label, rng, radius=float(instance["radius"]))[0])


def _among_idle_inputs(arrays: Instance) -> Instance:
    """Return a network of one output that looks at two of its inputs only."""
    width = int(arrays["width"])
    W1, x = np.zeros((_UNITS, width)), np.zeros(width)
    W1[:, :2], x[:2] = arrays["W1"], arrays["x"]
    rest = {name: arrays[name] for name in ("b1", "W2", "b2", "radius")}
    flat = {"norm": np.asarray(0.0), "boxed": np.asarray(0.0)}
    return with_label({"W1": W1, "x": x, **rest, **flat})


def flip_bound(claim: Claim, **given: Any) -> Search:
    """Return the search of a lower bound on the distance to the nearest flip."""
    settings: dict[str, Any] = {
        "claim": claim,
        "direction": "lower",
        "space": _SPACE,
        "build": with_label,
        "true": flip_distance,
        "kind": "witnessed: the distance of the nearest flip found",
        "axes": NETWORK_AXES,
        "fixed": _FIXED,
        "reason": "float64 rounds scores, so that a flip may be seen before its distance",
        "rational": True,
    }
    return Search(**(settings | given))


SEARCHES = (
    flip_bound(
        CATALOGUE["networks.local-lipschitz"],
        space=(*_SPACE, _RADII),
        axes={**NETWORK_AXES, "radii": ("radius",)},
        claimed=_local_lipschitz,
    ),
    flip_bound(
        CATALOGUE["networks.clever"],
        space=(
            *_SPACE[:2],
            Span("W2", (1, _UNITS), -20, 20),
            Span("b2", (1,), -2, 2),
            Span("x", (2,), -1, 1),
            Span("radius", (), 0.2, 2),
            Span("width", (), *_INPUTS, whole=True),
        ),
        build=_among_idle_inputs,
        axes={**NETWORK_AXES, "radius": ()},
        claimed=_clever,
    ),
    flip_bound(
        CATALOGUE["networks.certificates"],
        space=(*_SPACE, Span("method", (), 0, len(METHODS) - 1, whole=True)),
        axes={**NETWORK_AXES, "method": ()},
        fixed=_FIXED | {"method"},
        claimed=_certified,
    ),
)
