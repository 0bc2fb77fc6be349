"""Functions of networks refuse by value what is no input, no budget, no direction."""

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest

from theory.certify import certified_accuracy, certified_radius
from theory.certify.branch_and_bound import exact_distance
from theory.linear import LinearClassifier
from theory.lipschitz import (
    eclipse,
    eclipse_fast,
    exact_constant,
    frobenius_product,
    gradient_norm,
    gradient_norm_bound,
    jacobian_bounds,
    lipsdp_layer,
    lipsdp_neuron,
    lipsdp_pairs,
    lipsdp_split,
    local_network,
    path_norm,
    preactivation_bounds,
    sampled_bound,
    spectral_product,
)
from theory.networks import (
    ReluNetwork,
    activation_pattern,
    class_scores,
    forward,
    jacobian,
    preactivations,
    reduce,
    reduced_inputs,
)
from theory.validation import UnsupportedSettingError

NET = ReluNetwork(weights=[np.eye(2), np.ones((3, 2))])
X, Y = np.array([[0.5, 0.25], [0.0, 1.0]]), np.array([0, 0])


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"X": X * np.nan}, r"X must be finite; got nan at index \(0, 0\)"),
        ({"X": np.ones((2, 3))}, r"with d=2; got shape \(2, 3\)"),
        ({"X": np.ones((0, 2)), "y": []}, "at least one input"),
        ({"X": "two"}, "array of numbers; got 'two'"),
        ({"X": [[0.5, 0.25], [1e308, 1e308]]}, r"scores must not overflow, .* at X\[1\] they do"),
        ({"y": [0, 3]}, r"labels of the model, \{0, 1, 2\}; got 3"),
        ({"y": [0, 0.5]}, "got 0.5"),
        ({"y": [0]}, r"with n=2; got shape \(1,\)"),
        ({"box": (0.0, 0.75)}, r"got X\[1, 1\]=1.0 outside \[0.0, 0.75\]"),
        ({"box": (0.0, math.nan)}, "without NaN"),
        ({"box": (1.0, 0.0)}, "lo=1.0, hi=0.0"),
        ({"norm": 3}, "got 3"),
        ({"rtol": math.nan}, "rtol must be finite; got nan"),
        ({"upper": X[:1]}, r"the shape of X, \(2, 2\); got \(1, 2\)"),
    ],
)
def test_exact_distance_refuses_by_value(given: dict[str, Any], message: str) -> None:
    arguments = {"X": X, "y": Y, **given}
    with pytest.raises((ValueError, TypeError), match=message):
        exact_distance(NET, **arguments)


@pytest.mark.parametrize("function", [preactivation_bounds, gradient_norm_bound])
@pytest.mark.parametrize(
    ("eps", "message"), [(-1.0, "at least 0; got -1.0"), (math.nan, "got nan"), (math.inf, "inf")]
)
def test_local_bounds_refuse_budgets_that_are_none(function: Any, eps: float, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        function(NET, X, eps)


@pytest.mark.parametrize("function", [preactivation_bounds, gradient_norm_bound])
def test_local_bounds_refuse_inputs_by_value(function: Any) -> None:
    with pytest.raises(ValueError, match=r"d=2; got shape \(2, 1\)"):
        function(NET, X[:, :1], 0.1)
    with pytest.raises(ValueError, match=r"X must be finite; got nan"):
        function(NET, X * np.nan, 0.1)
    with pytest.raises(ValueError, match=r"got X\[1, 1\]=1.0 outside"):
        function(NET, X, 0.1, box=(0.0, 0.75))
    with pytest.raises(UnsupportedSettingError, match="got 3"):
        function(NET, X, 0.1, norm=3)


@pytest.mark.parametrize(
    "bound",
    [
        spectral_product,
        frobenius_product,
        path_norm,
        eclipse,
        eclipse_fast,
        lipsdp_neuron,
        exact_constant,
    ],
)
def test_lipschitz_constants_refuse_directions_by_value(bound: Any) -> None:
    with pytest.raises(ValueError, match=r"direction must have shape \(3,\).*got shape \(2,\)"):
        bound(NET, [1.0, 2.0])
    with pytest.raises(ValueError, match="direction must be finite; got nan at index 1"):
        bound(NET, [1.0, math.nan, 0.0])


def test_sampled_constants_refuse_inputs_by_value() -> None:
    with pytest.raises(ValueError, match="X must be finite; got nan"):
        gradient_norm(NET, X * np.nan)
    with pytest.raises(ValueError, match=r"d=2; got shape \(2, 1\)"):
        sampled_bound(NET, X[:, :1], np.random.default_rng(0))
    with pytest.raises(UnsupportedSettingError, match="norm must be 2 or inf; got 0"):
        sampled_bound(NET, X, np.random.default_rng(0), norm=0)


def test_reduced_inputs_refuse_what_is_not_finite() -> None:
    with pytest.raises(ValueError, match="X must be finite; got inf"):
        reduced_inputs(reduce(NET, norm=2), [[np.inf, 0.0]])
    with pytest.raises(TypeError, match=r"pair \(lo, hi\); got \(0,\)"):
        reduce(NET, norm=2, box=(0,))


CALLS: list[Callable[..., Any]] = [
    *(spectral_product, frobenius_product, path_norm, eclipse, eclipse_fast, exact_constant),
    *(lipsdp_neuron, lipsdp_layer, lipsdp_pairs, lipsdp_split),
    *(partial(function, X=X) for function in (forward, class_scores, preactivations)),
    *(partial(function, X=X) for function in (activation_pattern, jacobian, gradient_norm)),
    partial(sampled_bound, X=X, rng=np.random.default_rng(0)),
    partial(preactivation_bounds, X=X, eps=0.1),
    partial(gradient_norm_bound, X=X, eps=0.1),
    partial(jacobian_bounds, bounds=[], n=2),
    partial(local_network, bounds=[]),
    partial(certified_radius, X=X, y=Y),
    partial(certified_accuracy, X=X, y=Y, eps=0.1),
    partial(exact_distance, X=X, y=Y),
    partial(reduce, norm=2),
]


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("net", [np.eye(2), None, LinearClassifier(weights=np.eye(2))])
def test_functions_of_networks_refuse_what_is_none(call: Any, net: Any) -> None:
    with pytest.raises(TypeError, match=f"must be a ReluNetwork; got {type(net).__name__}. Use"):
        call(net)


@pytest.mark.parametrize("function", [lipsdp_neuron, lipsdp_layer, lipsdp_pairs, eclipse])
@pytest.mark.parametrize(
    ("gap", "message"),
    [(-1.0, "at least 0; got -1.0"), (math.nan, "got nan"), (math.inf, "inf"), ("no", "got 'no'")],
)
def test_semidefinite_bounds_refuse_gaps_by_value(function: Any, gap: Any, message: str) -> None:
    with pytest.raises((TypeError, ValueError), match=f"gap must be .*{message}"):
        function(NET, gap=gap)
