"""The checks of what is foretold of training see planted errors.

That they uphold the claims is among the tests of all verdicts.
"""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from empirical.verify import DRAWN_CHECKS, asymptotics
from theory.asymptotics import CoordinateLaw, Limit, Objective, predict, spiked_law


def judged(name: str, seed: int = 0) -> Any:
    return DRAWN_CHECKS[f"asymptotics.{name}"](np.random.default_rng(seed))


@pytest.mark.parametrize("name", ["training", "adversarial", "universality"])
def test_a_prediction_for_other_data_is_refuted(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    def of_more(objective: Objective, law: CoordinateLaw, *, ratio: float) -> Limit:
        return predict(objective, law, ratio=2 * ratio)

    monkeypatch.setattr(asymptotics, "predict", of_more)
    monkeypatch.setattr(asymptotics, "_RUNS", 8)
    assert judged(name).status == "refuted"


def test_adversarial_training_is_not_plain_training(monkeypatch: pytest.MonkeyPatch) -> None:
    def plain(objective: Objective, law: CoordinateLaw, *, ratio: float) -> Limit:
        return predict(replace(objective, eps=0.0, eps_inf=0.0), law, ratio=ratio)

    monkeypatch.setattr(asymptotics, "predict", plain)
    monkeypatch.setattr(asymptotics, "_RUNS", 8)
    assert judged("adversarial").status == "refuted"


def test_averaging_is_beaten_by_what_knows_of_sparsity(monkeypatch: pytest.MonkeyPatch) -> None:
    # The assumption dropped: L1 does not treat all directions alike.
    sparse = Objective(loss="logistic", l1=0.5)
    monkeypatch.setattr(asymptotics, "_RIDGES", (sparse,))
    monkeypatch.setattr(asymptotics, "_SPARSE", spiked_law(2.0, density=0.02))
    assert judged("averaging").status == "refuted"


def test_l1_does_not_lead_where_signals_change_places(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asymptotics, "_DENSITIES", {"sparse": 1.0, "dense": 0.05})
    monkeypatch.setattr(asymptotics, "_PAIRS", 6)
    assert judged("l1-beats-l2").status == "refuted"
