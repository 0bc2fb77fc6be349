"""The effect of half as many weights, on cells made so that it is known."""

from typing import Any

import numpy as np
import pytest

from empirical.data import Part
from empirical.linear import TrainedLinear
from empirical.linear_study import LinearCell
from empirical.verify import verdict_of
from theory.linear import LinearClassifier

SIZES = (4, 8, 16, 32)


def planted(distance: Any, robust: Any, accurate: Any = lambda size: True) -> list[LinearCell]:
    """Return cells of five splits whose r_2 and r_inf are functions of the number of weights."""
    rng = np.random.default_rng(0)
    cells = []
    for split in range(5):
        for size in SIZES:
            weights = np.zeros(32)
            weights[:size] = 1.0
            X = np.ones((100, 32))
            y = np.ones(100, dtype=int)
            y[0] = -1
            if not accurate(size):
                y[:10] = -1
            kept = robust(size) + 0.001 * rng.normal()
            cells.append(
                LinearCell(
                    dataset="planted",
                    split=split,
                    trained=TrainedLinear(
                        family="L1 logistic",
                        strength=1.0,
                        model=LinearClassifier(weights=weights),
                        nonzeros=size,
                    ),
                    validation=Part(X, y),
                    test=Part(X, y),
                    distances=np.full(100, distance(size) * (1 + 0.001 * rng.normal())),
                    eps=np.array([0.1]),
                    survived=(np.arange(10_000) < kept * 10_000)[None],
                )
            )
    return cells


def halvings(size: int) -> float:
    return float(np.log2(32 / size))


def test_a_gain_of_robust_accuracy_holds_and_a_loss_is_refuted() -> None:
    gain = planted(lambda s: 1.0, lambda s: 0.5 + 0.1 * halvings(s))
    verdict = verdict_of("guo2018.linf-sparsity", gain, seed=0)
    assert verdict.status == "holds"
    assert verdict.measured == pytest.approx(0.1, abs=0.01)  # the noise is .001
    loss = planted(lambda s: 1.0, lambda s: 0.9 - 0.1 * halvings(s))
    assert verdict_of("guo2018.linf-sparsity", loss, seed=0).status == "refuted"


def test_a_constant_r_2_holds_and_one_that_halves_is_refuted() -> None:
    constant = planted(lambda s: 1.0, lambda s: 0.5)
    assert verdict_of("guo2018.l2-sparsity", constant, seed=0).status == "holds"
    halved = planted(lambda s: 2.0 ** -halvings(s), lambda s: 0.5)
    verdict = verdict_of("guo2018.l2-sparsity", halved, seed=0)
    assert verdict.status == "refuted"
    assert verdict.measured == pytest.approx(-np.log(2), abs=0.01)  # relative: of the logarithm


def test_less_accurate_classifiers_do_not_count() -> None:
    # Without the four-weight classifiers, 9 points less accurate, nothing changes.
    cells = planted(
        lambda s: 0.1 if s == 4 else 1.0, lambda s: 0.5, accurate=lambda size: size != 4
    )
    assert verdict_of("guo2018.l2-sparsity", cells, seed=0).status == "holds"
