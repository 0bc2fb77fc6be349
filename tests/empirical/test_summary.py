"""Predictions come from the validation part, measurements from the attacked test part."""

import numpy as np
import pytest

from empirical.data import Part
from empirical.linear import TrainedLinear
from empirical.linear_study import LinearCell
from empirical.summary import (
    attacked_r_2,
    attacked_r_inf,
    bounded_r_inf,
    middle_budget,
    plug_in_law,
    predicted_r_2,
    predicted_r_inf,
)
from theory.linear import LinearClassifier

MODEL = LinearClassifier(weights=[3.0, 4.0], bias=-1.0)
# Margins 9, 4 of label +1 and 6, 1 of label -1, one wrong of each: distances are a fifth.
VALIDATION = Part(
    np.array([[2.0, 1.0], [1.0, 0.5], [-1.0, -0.5], [0.0, 0.0], [-1.0, 0.0], [1.0, 1.0]]),
    np.array([1, 1, -1, -1, 1, -1]),
)
ELSEWHERE = Part(100 * VALIDATION.X, -VALIDATION.y)


def cell() -> LinearCell:
    return LinearCell(
        dataset="planted",
        split=0,
        trained=TrainedLinear(family="L1 logistic", strength=1.0, model=MODEL, nonzeros=2),
        validation=VALIDATION,
        test=ELSEWHERE,
        distances=np.array([0.0, 1.0, 2.0, 3.0]),
        eps=np.array([0.1, 0.5, 0.9]),
        survived=np.array([[True] * 4, [True, True, True, False], [False] * 4]),
    )


def test_measurements_are_those_of_the_cell() -> None:
    assert attacked_r_2(cell()) == 1.5
    assert middle_budget(cell()) == 0.5
    assert attacked_r_inf(cell()) == 0.75
    assert cell().accuracy == 0.75


def test_predicted_r_2_is_that_of_the_validation_part() -> None:
    # rounding of moments
    assert predicted_r_2(cell()) == pytest.approx((9 + 4 + 6 + 1) / 5 / 6, rel=1e-12)


def test_plug_in_law_has_the_margins_of_the_validation_part() -> None:
    law = plug_in_law(cell())
    negative, positive = np.array([6.0, 1.0, -6.0]), np.array([9.0, 4.0, -4.0])
    assert law.means == pytest.approx([negative.mean(), positive.mean()])
    assert law.deviations == pytest.approx([negative.std(), positive.std()])
    assert law.priors.tolist() == [0.5, 0.5]


def test_predicted_r_inf_is_gaussian_at_the_middle_budget() -> None:
    rng = np.random.default_rng(0)
    negative, positive = np.array([6.0, 1.0, -6.0]), np.array([9.0, 4.0, -4.0])
    drop = 0.5 * 7  # eps times the L1 norm of the weights
    kept = [rng.normal(m.mean(), m.std(), 200_000) > drop for m in (negative, positive)]
    # four standard errors of 400,000 draws
    assert predicted_r_inf(cell()) == pytest.approx(np.mean(kept), abs=4 * 0.5 / 400_000**0.5)


def test_bounded_r_inf_is_above_what_the_validation_part_keeps() -> None:
    # Margins above 3.5: 9, 4 and 6 of six. Means 3.5 and 6.5 are not below: the accuracy is left.
    assert bounded_r_inf(cell()) == pytest.approx(4 / 6)
