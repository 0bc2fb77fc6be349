"""On either side of each limit of the halving's effect: accuracy, margin, sizes, splits, cover."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from empirical.data import Part
from empirical.linear_study import LinearCell
from empirical.verify import Verdict, verdict_of
from tests.empirical.planted import planted

Sizes = tuple[int, ...]
SIZES: Sizes = (4, 8, 16, 32)
EPS = np.array([0.1, 0.2, 0.3])
INPUTS = np.vstack([np.ones((100, 32)), -np.ones((100, 32))])


def halvings(size: int) -> float:
    return float(np.log2(32 / size))


def flat(size: int) -> float:
    del size
    return 1.0


def path(
    *,
    r_2: Callable[[int], float] = flat,
    gain: float = 0.1,
    errors: Callable[[int], int] = lambda size: 0,
    sizes: Sizes = SIZES,
    splits: int = 5,
    **named: Any,
) -> list[LinearCell]:
    """Return cells of planted r_2 whose r_inf gains 1, 2 and 3 times `gain` a halving.

    Of 200 inputs, `errors` of a classifier's size are wrong.
    """
    cells = []
    for split in range(splits):
        for size in sizes:
            y = np.repeat([1, -1], 100)
            y[: errors(size)] = -1
            kept = 0.1 + gain * np.arange(1, 4) * halvings(size)
            cells.append(
                planted(
                    Part(INPUTS, y),
                    weights=(np.arange(32) < size).astype(float),
                    distances=np.full(200, r_2(size)),
                    survived=np.arange(1000) + 0.5 < 1000 * kept[:, None],
                    eps=EPS,
                    split=split,
                    **named,
                )
            )
    return cells


def l2(cells: list[LinearCell]) -> Verdict:
    return verdict_of("guo2018.l2-sparsity", cells, seed=0)


def linf(cells: list[LinearCell]) -> Verdict:
    return verdict_of("guo2018.linf-sparsity", cells, seed=0)


@pytest.mark.parametrize(("change", "status"), [(0.04, "holds"), (0.06, "refuted")])
def test_a_halving_may_change_r_2_by_five_percent(change: float, status: str) -> None:
    for sign in (1, -1):
        cells = path(r_2=lambda s, by=sign * change: float(np.exp(by * halvings(s))))
        assert l2(cells).status == status


@pytest.mark.parametrize(("wrong", "status"), [(5, "refuted"), (7, "holds")])
def test_classifiers_within_three_points_are_compared(wrong: int, status: str) -> None:
    # Of 200, 5 are 2.5 points and 7 are 3.5: only the former's r_2, a tenth, counts.
    cells = path(r_2=lambda s: 0.1 if s == 4 else 1.0, errors=lambda s: wrong if s == 4 else 0)
    assert l2(cells).status == status


@pytest.mark.parametrize(("sizes", "status"), [((8, 32), "not covered"), ((8, 16, 32), "holds")])
def test_a_line_needs_three_sizes(sizes: Sizes, status: str) -> None:
    assert l2(path(sizes=sizes)).status == status


@pytest.mark.parametrize(("splits", "status"), [(3, "not covered"), (4, "holds")])
def test_an_effect_needs_four_splits(splits: int, status: str) -> None:
    assert l2(path(splits=splits)).status == status


def test_linf_sparsity_names_the_data_set_it_does_not_cover() -> None:
    bare = path(dataset="bare", sizes=(8, 32))
    verdict = linf(path() + bare)
    assert verdict.status == "not covered"
    assert "no family of bare has" in verdict.summary


def test_linf_sparsity_leaves_out_families_that_a_split_does_not_cover() -> None:
    four = path(gain=-0.01, family="four splits", splits=4)  # the fifth has two sizes only
    fifth = [c for c in path(family="four splits", sizes=(8, 32)) if c.split == 4]
    few = path(gain=-0.01, family="two sizes", sizes=(8, 32))
    steep = path(gain=0.05, family="steep", dataset="other")
    verdict = linf([*path(gain=0.1), *four, *fifth, *few, *steep])
    assert verdict.status == "holds"
    assert verdict.evidence["left out, planted"] == "four splits, two sizes"
    assert verdict.evidence["left out, other"] == "none"
    # the middle budget gains twice `gain`; a line through four exact points
    assert verdict.evidence["effect, planted, ε = 0.2"] == pytest.approx(0.2, rel=1e-9)


def test_linf_sparsity_tells_the_mean_over_families_at_every_budget() -> None:
    verdict = linf(path(gain=0.1) + path(gain=0.02, family="flatter"))
    told = [verdict.evidence[f"mean, planted, ε = {eps:g}"] for eps in EPS]
    # (.1 + .02)/2 times 1, 2, 3; lines through four exact points
    assert told == pytest.approx([0.06, 0.12, 0.18], rel=1e-9)
    assert verdict.measured == pytest.approx(0.12, rel=1e-9)
