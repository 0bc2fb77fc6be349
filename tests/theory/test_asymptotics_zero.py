"""Where training leaves all weights at 0: exactly, and by convention."""

import numpy as np
import pytest
from scipy.stats import norm

from tests.theory.fitted_margins import soft_by_definition
from theory.asymptotics import Objective, gaussian_law, predict, spiked_law
from theory.validation import UnsupportedSettingError

LOSSES = ("logistic", "squared", "hinge")


def alone(objective, law, ratio):
    try:
        return predict(objective, law, ratio=ratio)
    except UnsupportedSettingError:
        return None


@pytest.mark.parametrize("loss", LOSSES)
def test_weights_vanish_exactly_where_the_attack_outweighs_the_slopes(loss):
    # At w = 0 the slopes are pull (ratio m + sqrt(ratio) xi), their root mean square
    # pull sqrt(ratio^2 s^2 + ratio); the L2 attack's friction is ratio pull eps.
    s, ratio = 0.8, 2.0
    edge = np.sqrt(s**2 + 1 / ratio)
    assert alone(Objective(loss=loss, l2=0.1, eps=1.001 * edge), spiked_law(s), ratio) is None
    near = alone(Objective(loss=loss, l2=0.1, eps=0.99 * edge), spiked_law(s), ratio)
    assert 0 < near.norm < alone(Objective(loss=loss, l2=0.1), spiked_law(s), ratio).norm


@pytest.mark.parametrize("loss", LOSSES)
def test_weights_vanish_exactly_where_slopes_and_thresholds_say(loss):
    # With thresholds the edge is the root mean square of soft(F, T) at w = 0, by quadrature, which
    # needs the slope of the loss at 0: 1/2 for the logistic one.
    ratio, l1, law = 2.0, 0.3, gaussian_law(0.8)
    pull = 0.5 if loss == "logistic" else 1.0
    spread = np.hypot(ratio * pull * 0.8, np.sqrt(ratio) * pull)
    square = soft_by_definition(0.0, spread, l1)[2]
    edge = np.sqrt(square) / (ratio * pull)
    assert alone(Objective(loss=loss, l1=l1, l2=0.1, eps=1.001 * edge), law, ratio) is None
    assert alone(Objective(loss=loss, l1=l1, l2=0.1, eps=0.995 * edge), law, ratio) is not None


def test_no_weights_are_said_below_one_in_ten_million():
    # Pr(|F| > T) with F ~ N(0, ratio / 4): a convention, not a theorem; [A9].
    ratio = 2.0
    for share, has_weights in ((1e-5, True), (2e-7, True), (5e-8, False)):
        l1 = float(np.sqrt(ratio) / 2 * norm.isf(share / 2))
        limit = alone(Objective(loss="logistic", l1=l1), spiked_law(0.0), ratio)
        assert (limit is not None) == has_weights
        if has_weights:  # weights are tiny there: the share is that of w = 0
            assert limit.nonzero_fraction == pytest.approx(share, rel=0.05)
