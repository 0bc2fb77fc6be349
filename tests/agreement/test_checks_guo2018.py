"""What the checks of Theorem 3.1 must say of planted cells: which part, which norm, which unit."""

from typing import Any

import numpy as np
import pytest
from scipy import stats

from empirical.data import Part
from empirical.linear_study import LinearCell
from empirical.verify import Verdict, verdict_of
from tests.empirical.planted import part, planted

ROUNDING = 1e-12  # sums and quotients of a few numbers of order one


def judged(key: str, cells: list[LinearCell]) -> Verdict:
    return verdict_of(f"guo2018.{key}", cells, seed=0)


def held_out(errors: Any, **named: Any) -> list[LinearCell]:
    """Return a cell a split: r_2 is 10 on the test part and 10 + error on the validation part."""
    return [
        planted(part(8.0, 12.0), validation=part(10.0 + error), split=split, **named)
        for split, error in enumerate(errors)
    ]


@pytest.mark.parametrize(
    ("error", "status"),
    [(0.0, "holds"), (0.8, "holds"), (-0.8, "holds"), (1.2, "refuted"), (-1.2, "refuted")],
)
def test_held_out_allows_a_tenth_of_r_2(error: float, status: str) -> None:
    assert judged("r2-held-out", held_out([error] * 4)).status == status


def test_held_out_predicts_from_the_validation_part_relative_to_r_2() -> None:
    errors = np.array([0.1, 0.4, -0.2, 0.5])
    verdict = judged("r2-held-out", held_out(errors))
    assert verdict.measured == pytest.approx(0.02, rel=ROUNDING)  # .2 of 10
    # Student's interval of independent splits, s²/J and no more
    reach = stats.t.ppf(0.975, 3) * errors.std(ddof=1) / 10 / np.sqrt(4)
    assert verdict.interval == pytest.approx((0.02 - reach, 0.02 + reach), rel=1e-9)


def test_held_out_errors_of_two_families_do_not_cancel() -> None:
    up, down = (held_out([e] * 4, family=name) for e, name in ((2.0, "one"), (-2.0, "other")))
    assert judged("r2-held-out", up + down).status == "refuted"


# Margins 1, 2 right and one wrong of -1; 1, 3, 5 right and two wrong of +1.
UNEVEN = Part(
    np.array([[-1.0], [-2.0], [1.0], [1.0], [3.0], [5.0], [-1.0], [-2.0]]),
    np.array([-1, -1, -1, 1, 1, 1, 1, 1]),
)


def test_r2_is_met_on_as_many_right_and_wrong_inputs_of_each_label() -> None:
    verdict = judged("r2", [planted(UNEVEN)])
    assert verdict.status == "holds"
    # Two right of each label and one wrong of each: distances 1, 2, 1, 3, 0, 0.
    assert verdict.predicted == pytest.approx(7 / 6, rel=ROUNDING)
    assert verdict.measured == pytest.approx(7 / 6, rel=ROUNDING)


@pytest.mark.parametrize("key", ["r2", "r2-general"])
@pytest.mark.parametrize(("factor", "status"), [(1 + 5e-4, "holds"), (1 + 2e-3, "refuted")])
def test_r2_allows_ten_of_deepfools_overshoots(key: str, factor: float, status: str) -> None:
    exact = planted(part(1.0, 4.0))
    cell = planted(part(1.0, 4.0), distances=factor * exact.distances)
    assert judged(key, [cell]).status == status


@pytest.mark.parametrize(
    ("key", "bound"),
    # Margins 1 and 3 of each label: mean 2, variance 1. Markov 2/3, Cantelli 1/(1 + 1²).
    [("rinf-markov", 2 / 3), ("rinf-two-moments", 1 / 2)],
)
def test_r_inf_is_bounded_by_moments_of_the_inputs_attacked(key: str, bound: float) -> None:
    cell = planted(part(1.0, 3.0), validation=part(7.0, 8.0), eps=[3.0])
    verdict = judged(key, [cell])
    assert verdict.status == "holds"
    assert (verdict.predicted, verdict.measured) == pytest.approx((bound, 0.0), rel=ROUNDING)


def test_r_inf_clipped_attacks_digits_within_their_box() -> None:
    # w·x - 1.5: (1, 0) is -1 at margin .5 and only its second pixel can rise; (1, 1) can fall.
    pixels, seen = Part(np.array([[1.0, 0.0], [1.0, 1.0]]), np.array([-1, 1])), part(0.1)
    named: dict[str, Any] = {"weights": [1.0, 1.0], "bias": -1.5, "eps": [0.3]}
    unseen = Part(np.hstack([seen.X, [[1.3], [1.4]]]), seen.y)
    cells = [
        planted(pixels, validation=unseen, dataset="digits", **named),
        planted(pixels, dataset="digits", split=1, **{**named, "eps": [0.1]}),
        planted(pixels, dataset="no pixels", **{**named, "eps": [0.1]}),
    ]
    verdict = judged("rinf-clipped", cells)
    assert verdict.evidence["cases"] == 2  # the one built for it, and digits of the first split
    assert verdict.measured == pytest.approx((1.0 + 0.5) / 2, rel=ROUNDING)
    assert verdict.predicted == pytest.approx(0.5 / 0.6, rel=ROUNDING)  # of both


def test_r2_unrestricted_is_off_by_the_hidden_term() -> None:
    verdict = judged("r2-unrestricted", [planted(UNEVEN)])
    # Shares 2/8 and 3/8, means -1.5 and 3: 5/8 · 4.5/2 is predicted, (3 + 9)/8 measured.
    assert verdict.status == "refuted"
    assert verdict.predicted == pytest.approx(45 / 32, rel=ROUNDING)
    assert verdict.measured == pytest.approx(12 / 8, rel=ROUNDING)
    left = verdict.evidence["largest error left by the hidden term"]
    assert left == pytest.approx(0.0, abs=ROUNDING)
