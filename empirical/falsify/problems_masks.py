"""Instances of Theorem 3.2 of Guo et al. 2018: small networks under every mask.

What is so is the mean over all masks of the steepest of some points of the ball: no more than E L.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from empirical.falsify.every_mask import every_mask, mean_slopes, path_norms, points_of_ball
from empirical.falsify.exact import as_floats, roots
from empirical.falsify.search import Instance, Search, Span
from theory.claims import CATALOGUE
from theory.networks import ReluNetwork
from theory.random_masks import path_constants
from theory.validation import FloatArray, UnsupportedSettingError

_STEEPEST = "lower: the mean over all masks of the steepest of some points of the ball"
_ALPHAS = Span("alphas", (3,), 0, 0.9)
_SPACE = (
    Span("W1", (2, 2), -2, 2),
    Span("b1", (2,), -1, 1),
    Span("W2", (2, 2), -2, 2),
    Span("b2", (2,), -1, 1),
    Span("W3", (1, 2), -2, 2),
    _ALPHAS,
    Span("center", (2,), -1, 1),
    Span("radius", (), 0.1, 1),
)
_WEIGHTS = {"W1": ("unit 1", "input"), "W2": ("unit 2", "unit 1"), "W3": ("", "unit 2")}
_AXES = {
    **_WEIGHTS,
    "b1": ("unit 1",),
    "b2": ("unit 2",),
    "alphas": ("",),
    "center": ("input",),
    "radius": (),
    "q": (),
}
_PATH_AXES = {**_WEIGHTS, "alphas": ("",), "layer": (), "raised": (), "q": ()}
_Q = Span("q", (), 1, 2, whole=True)


def weights_of(instance: Instance) -> list[Any]:
    """Return the weights, layer by layer."""
    return [instance[name] for name in ("W1", "W2", "W3") if name in instance]


def biases_of(instance: Instance) -> list[Any]:
    """Return the biases of the hidden layers."""
    return [instance[name] for name in ("b1", "b2") if name in instance]


def masked_network(instance: Instance) -> ReluNetwork:
    """Return the network with nothing pruned; its outputs have no biases, which no slope needs."""
    weights = [as_floats(W) for W in weights_of(instance)]
    last = np.zeros(len(weights[-1]))
    biases = [as_floats(b) for b in biases_of(instance)] or [np.zeros(len(W)) for W in weights[:-1]]
    return ReluNetwork(weights=weights, biases=[*biases, last])


def mean_slope(instance: Instance, alphas: Any = None, forms: FloatArray | None = None) -> Any:
    """Return the mean over masks of the steepest of some points of the ball, of the first form."""
    if not instance["radius"] > 0:
        raise UnsupportedSettingError("the ball must have a positive radius.")
    pruned = instance["alphas"] if alphas is None else alphas
    masked = every_mask(weights_of(instance), pruned)
    points = points_of_ball(instance["center"], instance["radius"], float(instance["q"]))
    return mean_slopes(masked, biases_of(instance), points, q=float(instance["q"]), forms=forms)[0]


def _true_margin(instance: Instance) -> Any:
    return mean_slope(instance, forms=np.array([[1, -1]]))


def _claimed_margin(instance: Instance) -> float:
    predict, q = CATALOGUE["guo2018.lipschitz-margin"].predict, float(instance["q"])
    return float(predict(masked_network(instance), instance["alphas"], 0, norm=q)[1])


def _claimed_dense(instance: Instance) -> float:
    predict, q = CATALOGUE["guo2018.lipschitz-falls"].predict, float(instance["q"])
    center, radius = instance["center"][None], float(instance["radius"])
    return float(predict(masked_network(instance), center, radius, norm=q)[0, 0])


def with_q(q: float) -> Callable[[Instance], Instance]:
    """Return what adds the norm of gradients to the arrays of a space."""
    return lambda arrays: {**arrays, "q": np.asarray(q)}


def _slope_bound(key: str, q: float, **given: Any) -> Search:
    """Return the search of a bound on E L of a network of one output."""
    claim = CATALOGUE[key]
    settings: dict[str, Any] = {
        "claim": claim,
        "direction": "upper",
        "space": _SPACE,
        "build": with_q(q),
        "claimed": lambda one: float(claim.predict(masked_network(one), one["alphas"])[0]),
        "true": mean_slope,
        "kind": _STEEPEST,
        "axes": _AXES,
        "fixed": frozenset({"q"}),
        "rational": True,
    }
    return Search(**(settings | given))


def higher(instance: Instance) -> Any:
    """Return the alphas, floats or fractions, with the one raised.

    Raises
    ------
    UnsupportedSettingError
        If it is not higher, or not below one.
    """
    alphas, j = instance["alphas"].copy(), int(instance["layer"])
    if not alphas[j] < instance["raised"] < 1:
        raise UnsupportedSettingError("the alpha must be raised, and stay below 1.")
    alphas[j] = instance["raised"][()]
    return alphas


def predicted_eta(instance: Instance, alphas: Any) -> float:
    """Return η as the theory has it."""
    higher(instance)  # refuses what is no rise
    net, q = masked_network(instance), float(instance["q"])
    return float(CATALOGUE["guo2018.lipschitz-eta"].predict(net, alphas, norm=q)[0])


def measured_eta(instance: Instance, alphas: Any) -> Any:
    """Return by how much the mean path norm, or its root mean square, falls: over all masks."""
    q = float(instance["q"])
    if path_constants(masked_network(instance), norm=q)[0] == 0:
        raise UnsupportedSettingError("some path of the output must be nonzero.")
    masked = every_mask(weights_of(instance), alphas)
    norms = path_norms(masked, q)[:, 0]
    mean = masked.chances @ norms if q == 1 else roots(masked.chances @ (norms * norms))
    return 1 - mean / norms[-1]  # under the last mask nothing is pruned


ETA: dict[str, Any] = {
    "space": (
        *(span for span in _SPACE if span.name in _WEIGHTS),
        _ALPHAS,
        Span("layer", (), 0, 2, whole=True),
        Span("raised", (), 0.05, 0.95),
        _Q,
    ),
    "build": dict,
    "axes": _PATH_AXES,
    "fixed": frozenset({"q", "layer"}),
    "scale": 1.0,
    "rational": True,
}

SEARCHES = (
    _slope_bound("guo2018.lipschitz-l1", 1),
    _slope_bound("guo2018.lipschitz-l2", 2),
    _slope_bound("guo2018.lipschitz-sharp", 2),
    Search(
        claim=CATALOGUE["guo2018.lipschitz-eta"],
        direction="upper",
        claimed=lambda instance: predicted_eta(instance, higher(instance)),
        true=lambda instance: measured_eta(instance, instance["alphas"]),
        kind="exact: η over all masks, at the lower alphas",
        **ETA,
    ),
    _slope_bound(
        "guo2018.lipschitz-margin",
        2,
        space=(
            *_SPACE[:2],
            Span("W2", (2, 2), -2, 2),
            Span("alphas", (2,), 0, 0.9),
            *_SPACE[6:],
            _Q,
        ),
        build=dict,
        claimed=_claimed_margin,
        true=_true_margin,
        axes={
            "W1": ("unit 1", "input"),
            "b1": ("unit 1",),
            "W2": ("", "unit 1"),
            **{name: _AXES[name] for name in ("alphas", "center", "radius", "q")},
        },
    ),
    _slope_bound("guo2018.lipschitz-product", 2),
    _slope_bound("guo2018.lipschitz-falls", 2, claimed=_claimed_dense),
)
