"""The checks of networks see planted errors, and what they train is what they say."""

import re
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest

from empirical.verify import DRAWN_CHECKS, Verdict, networks
from theory.certify import METHODS
from theory.claims import CATALOGUE
from theory.networks import ReluNetwork


@cache
def attacked(seed: int) -> list[Any]:
    return list(networks._attacked(np.random.default_rng(seed)))


@pytest.fixture
def attacked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Attack one pair of networks for all tests: what they plant comes after the attacks."""
    cases = attacked(0)
    monkeypatch.setattr(networks, "_attacked", lambda rng: cases)


def judged(key: str, seed: int = 0) -> Verdict:
    return DRAWN_CHECKS[f"networks.{key}"](np.random.default_rng(seed))


def plant(monkeypatch: pytest.MonkeyPatch, key: str, wrong: Any) -> None:
    """Replace what a claim predicts by a function of what it predicts and of the arguments."""
    claim = CATALOGUE[f"networks.{key}"]
    planted = replace(
        claim, predict=lambda *args, **named: wrong(claim.predict(*args, **named), **named)
    )
    monkeypatch.setitem(CATALOGUE, claim.key, planted)


@pytest.mark.usefixtures("attacked_once")
def test_predicted_is_the_bound_measured_the_attack_and_every_method_is_tried() -> None:
    verdict = judged("certificates")
    assert verdict.status == "holds"
    assert 0 < verdict.predicted < verdict.measured
    assert float(verdict.evidence["slack, median"]) >= 0
    tried = {name.split()[1] for name in verdict.evidence if " / attack" in name}
    assert tried == set(METHODS)
    # Four inputs of each of two networks, in two norms, in a box or not.
    assert re.fullmatch(r"closed \d+ of 32", str(verdict.evidence["exact searches"]))


@pytest.mark.usefixtures("attacked_once")
def test_local_slopes_that_claim_a_little_more_are_refuted(monkeypatch: pytest.MonkeyPatch) -> None:
    plant(monkeypatch, "local-lipschitz", lambda found, **named: 1.02 * found)
    verdict = judged("local-lipschitz")
    assert verdict.status == "refuted"
    assert verdict.contradicts_us


# Those that reach the distance itself of some input; the others lie below it by more than 5 %.
@pytest.mark.usefixtures("attacked_once")
@pytest.mark.parametrize("method", ["fast-lin", "crown", "sdp", "best"])
def test_one_method_that_certifies_five_percent_more_is_refuted(
    method: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def wrong(found: Any, **named: Any) -> Any:
        return replace(found, lower=found.lower * 1.05) if named["method"] == method else found

    plant(monkeypatch, "certificates", wrong)
    monkeypatch.setattr(networks, "METHODS", (method,))
    assert judged("certificates").status == "refuted"


@pytest.mark.usefixtures("attacked_once")
@pytest.mark.parametrize("factor", [1.05, 2.0])
def test_exact_distances_that_are_too_long_are_refuted(
    factor: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    true = networks.exact_distance

    def wrong(*args: Any, **named: Any) -> Any:
        found = true(*args, **named)
        return replace(found, lower=factor * found.lower, upper=factor * found.upper)

    monkeypatch.setattr(networks, "exact_distance", wrong)
    monkeypatch.setattr(networks, "METHODS", ("crown",))
    assert judged("certificates").status == "refuted"


@pytest.mark.usefixtures("attacked_once")
def test_certificates_above_exact_distances_are_refuted(monkeypatch: pytest.MonkeyPatch) -> None:
    true = networks.exact_distance

    def wrong(*args: Any, **named: Any) -> Any:
        found = true(*args, **named)
        return replace(found, lower=0.5 * found.lower, upper=0.5 * found.upper)

    monkeypatch.setattr(networks, "exact_distance", wrong)
    monkeypatch.setattr(networks, "METHODS", ("crown",))
    assert judged("certificates").status == "refuted"


@pytest.mark.usefixtures("attacked_once")
def test_certificates_for_another_box_are_refuted(monkeypatch: pytest.MonkeyPatch) -> None:
    claim = CATALOGUE["networks.certificates"]

    def boxed(*args: Any, **named: Any) -> Any:
        return claim.predict(*args, **{**named, "box": (0.0, 1.0)})

    monkeypatch.setitem(CATALOGUE, claim.key, replace(claim, predict=boxed))
    monkeypatch.setattr(networks, "METHODS", ("crown",))
    assert judged("certificates").status == "refuted"


def test_a_certificate_of_a_wrong_input_is_refuted(monkeypatch: pytest.MonkeyPatch) -> None:
    plant(monkeypatch, "local-lipschitz", lambda found, **named: np.where(found > 0, found, 1e-6))
    monkeypatch.setattr(networks, "_EPOCHS", 2)  # so early that some inputs are wrong
    monkeypatch.setattr(networks, "_INPUTS", 10)
    assert judged("local-lipschitz").status == "refuted"


def test_clever_is_caught_at_its_counterexample_and_on_digits() -> None:
    for seed in (0, 1):
        verdict = judged("clever", seed)
        assert verdict.status == "refuted"
        assert not verdict.contradicts_us
        assert verdict.evidence["score of the counterexample"] == 1.0
        # Bisection leaves rounding only.
        flip = verdict.evidence["distance of a flip of the counterexample"]
        assert flip == pytest.approx(11 / 20.1, rel=1e-9)
        assert float(verdict.evidence["digits, violations"]) >= 1


def test_clever_would_hold_if_its_scores_were_smaller(monkeypatch: pytest.MonkeyPatch) -> None:
    plant(monkeypatch, "clever", lambda found, **named: 0.3 * found)
    verdict = judged("clever")
    assert verdict.status == "holds"
    assert verdict.contradicts_us


def test_attacks_that_find_nothing_refute_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    true = networks.network_attack_distances
    for name, few in (("_EPOCHS", 1), ("_INPUTS", 2), ("_CLEVER_INPUTS", 2)):
        monkeypatch.setattr(networks, name, few)

    def blind(*args: Any, **named: Any) -> Any:
        found = true(*args, **named)
        return replace(found, distances=np.full_like(found.distances, np.nan))

    monkeypatch.setattr(networks, "network_attack_distances", blind)
    assert judged("local-lipschitz").status == "not covered"
    assert judged("clever").status == "not covered"


def test_networks_are_trained_and_pruned_as_said() -> None:
    both: list[Any] = list(networks._networks(np.random.default_rng(0)))
    (_, dense, X, y), (_, pruned, _, _) = both
    assert isinstance(dense, ReluNetwork)
    assert min(dense.densities) > 0.9
    assert max(pruned.densities) <= 0.21  # a fifth, and ties
    for net in (dense, pruned):
        hidden = np.maximum(0, (net.weights[0] @ X.T).T + net.biases[0])
        scores = (net.weights[1] @ hidden.T).T + net.biases[1]
        assert (scores.argmax(axis=1) == y).mean() >= 0.8  # of 30 inputs; nearly all in training
