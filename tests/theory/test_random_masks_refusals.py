"""What functions of randomly pruned networks refuse."""

from typing import Any

import numpy as np
import pytest

from theory.networks import ReluNetwork
from theory.random_masks import (
    LayerMask,
    constant_probability_bounds,
    difference_norm_bound,
    disconnection_probability,
    expected_norm_bound,
    gradient_gram,
    margin_norm_bound,
    masked_network,
    path_gram,
    rms_path_norm,
    sampled_gradient_norms,
    sampled_path_norms,
    shrinkage,
    shrinkage_slopes,
    squared_gradient_variance,
    whole_expected_path_norm,
    whole_rms_path_norm,
)
from theory.validation import UnsupportedSettingError

HUGE = ReluNetwork(weights=[[[1e200]]])
NET = ReluNetwork(weights=[np.ones((3, 2)), np.ones((2, 3))])
RNG = np.random.default_rng(0)
ROWS = LayerMask(alpha=0.5, unit="row")
ON = [np.ones(3, dtype=bool)]


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: LayerMask(alpha=1.5), ValueError, r"alpha must be a number in \[0, 1\]; got 1.5"),
        (lambda: LayerMask(alpha=-0.1), ValueError, r"in \[0, 1\]; got -0.1"),
        (lambda: LayerMask(alpha=np.nan), ValueError, "alpha must be finite; got nan"),
        (lambda: LayerMask(alpha="most"), TypeError, "alpha must be an array of numbers"),
        (lambda: LayerMask(alpha=0.5, unit="filter"), ValueError, "unit must be one of"),
        (lambda: LayerMask(alpha=0.5, groups=[0, 1]), ValueError, "groups must be a vector"),
        (lambda: LayerMask(alpha=0.5, unit="row", groups=[0.5]), ValueError, "got float64"),
        (lambda: path_gram(NET, [0.5]), ValueError, "one a layer, 2; got 1"),
        (lambda: path_gram(NET, [0.5, 2.0]), ValueError, "got 2.0"),
        (lambda: path_gram(NET, np.nan), ValueError, "got nan"),
        (lambda: path_gram("net", 0.5), TypeError, "net must be a ReluNetwork; got str"),
        (
            lambda: path_gram(NET, LayerMask(alpha=0.5, unit="row", groups=[0, 1])),
            ValueError,
            r"masks\[0\] must group 3 rows; got 2",
        ),
        (
            lambda: path_gram(NET, LayerMask(alpha=0.4, fixed=True)),
            ValueError,
            "whole number of the 6 there are; got alpha=0.4",
        ),
        (lambda: rms_path_norm(HUGE, 0.5), UnsupportedSettingError, "overflow"),
        (lambda: gradient_gram(HUGE, 0.5, []), UnsupportedSettingError, "overflow"),
        (lambda: whole_rms_path_norm(HUGE, 1), UnsupportedSettingError, "overflow"),
        (
            lambda: squared_gradient_variance(ReluNetwork(weights=[[[1e100]]]), 0.5, [], [1.0]),
            UnsupportedSettingError,
            "overflow",
        ),
        (lambda: expected_norm_bound(NET, 0.5, norm=np.inf), UnsupportedSettingError, "1 or 2"),
        (lambda: shrinkage(NET, 0.5, norm=3), UnsupportedSettingError, "got 3"),
        (lambda: shrinkage_slopes(NET, [0.5, 1.0]), UnsupportedSettingError, "below 1"),
        (lambda: shrinkage_slopes(NET, ROWS), UnsupportedSettingError, "by itself; got masks"),
        (lambda: disconnection_probability(NET, ROWS), UnsupportedSettingError, "unit 'row'"),
        (
            lambda: disconnection_probability(
                ReluNetwork(weights=[np.eye(11), np.ones((1, 11))]), 0.5
            ),
            UnsupportedSettingError,
            "use disconnection_bounds",
        ),
        (lambda: gradient_gram(NET, 0.5, []), ValueError, "one a hidden layer, 1; got 0"),
        (lambda: gradient_gram(NET, 0.5, [[1, 1, 1]]), ValueError, "must be 3 booleans; got int"),
        (
            lambda: squared_gradient_variance(NET, ROWS, ON, [1.0, 0.0]),
            UnsupportedSettingError,
            "by itself",
        ),
        (
            lambda: squared_gradient_variance(NET, 0.5, ON, [1.0]),
            ValueError,
            r"direction must have shape \(2,\); got shape \(1,\)",
        ),
        (
            lambda: squared_gradient_variance(
                ReluNetwork(weights=[np.ones((49, 1)), np.ones((1, 49))]),
                0.5,
                [np.ones(49, dtype=bool)],
                [1.0],
            ),
            UnsupportedSettingError,
            "use sampled_gradient_norms",
        ),
        (lambda: margin_norm_bound(NET, 0.5, 2), ValueError, "of 2 here; got 2"),
        (lambda: margin_norm_bound(NET, 0.5, True), TypeError, "label must be an integer"),
        (lambda: difference_norm_bound(NET, ROWS, 0), UnsupportedSettingError, "margin_norm_bound"),
        (lambda: whole_rms_path_norm(NET, 13), ValueError, r"kept must be in \[0, 12\]"),
        (lambda: whole_expected_path_norm(NET, 0.5), TypeError, "kept must be an integer"),
        (lambda: masked_network(NET, 0.5, 0), TypeError, "rng must be a numpy.random.Generator"),
        (lambda: sampled_path_norms(NET, 0.5, count=0, rng=RNG), ValueError, "count must be"),
        (
            lambda: sampled_gradient_norms(NET, 0.5, [[np.nan, 0.0]], count=1, rng=RNG),
            ValueError,
            "X must be finite",
        ),
        (
            lambda: constant_probability_bounds(
                NET, 0.5, [[0.0, 0.0]], count=1, level=0.1, rng=RNG
            ),
            ValueError,
            "at least 2 inputs",
        ),
        (
            lambda: constant_probability_bounds(NET, 0.5, np.eye(2), count=1, level=0.0, rng=RNG),
            ValueError,
            r"level must lie in \(0, 1\)",
        ),
    ],
)
def test_refusals(call: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        call()
