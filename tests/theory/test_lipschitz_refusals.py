"""What exact constants refuse."""

import numpy as np
import pytest

from theory.lipschitz import exact_constant
from theory.networks import ReluNetwork
from theory.validation import UnsupportedSettingError


def test_exact_constant_refuses_gradients_that_overflow() -> None:
    net = ReluNetwork(weights=[np.array([[1.0, 2.0], [3.0, -1.0]]) * 1e200, [[1e200, 1e200]]])
    with (
        np.errstate(over="ignore", invalid="ignore"),
        pytest.raises(UnsupportedSettingError, match="gradients do not overflow; a norm is"),
    ):
        exact_constant(net)
