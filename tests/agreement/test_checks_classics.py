"""The checks of norms in losses and of the SVM refuse small errors, and see what is true."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from empirical.verify import Verdict, classics, verdict_of
from theory.claims import CATALOGUE


def judged(key: str) -> Verdict:
    return verdict_of(f"classics.{key}", [], seed=0)


@pytest.mark.parametrize("key", ["norm-inside", "aggregate-hinge", "svm"])
@pytest.mark.parametrize("factor", [0.99, 1.01])
def test_one_percent_off_is_refuted(
    key: str, factor: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    claim = CATALOGUE[f"classics.{key}"]
    wrong = replace(claim, predict=lambda *args, **named: factor * claim.predict(*args, **named))
    monkeypatch.setitem(CATALOGUE, claim.key, wrong)
    assert judged(key).status == "refuted"


@pytest.mark.parametrize(("factor", "status"), [(1.0, "holds"), (0.99, "refuted")])
def test_norm_outside_is_judged_by_its_residual(
    factor: float, status: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    claim, residual = CATALOGUE["classics.norm-outside"], judged("norm-outside").measured
    assert residual > 0.01
    told = replace(claim, predict=lambda: factor * residual)
    monkeypatch.setitem(CATALOGUE, claim.key, told)
    assert judged("norm-outside").status == status


def test_norm_outside_holds_where_all_points_lie_on_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    # Every gradient is along (2, 1), and so is w: there the penalty may stand outside.
    X = np.outer([3.0, 2.0, 1.0], [2.0, 1.0])
    y = np.array([1.0, 1.0, -1.0])
    points = np.vstack([X, -X]), np.append(y, -y), 0.5
    monkeypatch.setattr(classics, "outside_penalty_counterexample", lambda: points)
    verdict = judged("norm-outside")
    assert verdict.status == "holds"
    assert verdict.contradicts_us


def test_norm_outside_is_not_covered_before_the_optimiser_is_done(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    complete: Any = torch.optim.LBFGS

    def hurried(parameters: Any, **settings: Any) -> Any:
        return complete(parameters, **{**settings, "max_iter": 3})

    monkeypatch.setattr(torch.optim, "LBFGS", hurried)
    verdict = judged("norm-outside")
    assert verdict.status == "not covered"
    assert "the optimiser stopped at a relative gradient of" in verdict.summary
