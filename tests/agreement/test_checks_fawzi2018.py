"""The bound of Fawzi et al. on planted cells: errors count, and only the overshoot is allowed."""

import numpy as np
import pytest

from empirical.data import Part
from empirical.verify import verdict_of
from tests.empirical.planted import planted

ROUNDING = 1e-12  # sums and quotients of a few numbers of order one
DEEPFOOL = 2e-4  # DeepFool ends up to 1e-4 beyond the boundary, and rounds


def test_mean_distance_is_unsigned_and_meets_its_bound() -> None:
    # p = 2/5, 3/5; sums -2 and 5 over five; M = 4; two of five are wrong.
    test = Part(np.array([[-3.0], [1.0], [-1.0], [2.0], [4.0]]), np.array([-1, -1, 1, 1, 1]))
    cell = planted(test)
    assert cell.accuracy == 0.6
    far = planted(test, bias=4.1)  # the boundary is beyond the ball of radius 4
    later = planted(test, bias=1.0, split=1)
    verdict = verdict_of("fawzi2018.linear", [cell, far, later], seed=0)
    assert verdict.status == "holds"
    assert verdict.evidence["cases"] == 1
    assert verdict.measured == pytest.approx(11 / 5, rel=DEEPFOOL)
    # |5/5 + 2/5| + 4 · 1/5 + 4 · 4 · 2/5
    assert verdict.predicted == pytest.approx(8.6, rel=ROUNDING)


@pytest.mark.parametrize(("factor", "status"), [(1.0, "holds"), (1.01, "refuted")])
def test_bound_that_is_attained_is_violated_by_one_percent(factor: float, status: str) -> None:
    # Every input at 1 and the boundary at -1: E|f| = 2 = .2 + .2 + .4·4 with .6 of label +1.
    test = Part(np.ones((5, 1)), np.array([-1, -1, 1, 1, 1]))
    exact = planted(test, bias=1.0)
    cell = planted(test, bias=1.0, distances=factor * exact.distances)
    verdict = verdict_of("fawzi2018.linear", [cell], seed=0)
    assert verdict.predicted == pytest.approx(2.0, rel=ROUNDING)
    assert verdict.status == status
