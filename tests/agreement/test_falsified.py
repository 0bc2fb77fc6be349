"""Theory against the falsifier: what is false falls within seconds, what is proven does not."""

from functools import cache
from pathlib import Path

import numpy as np
import pytest

from empirical.falsify import SEARCHES, WRONG, Falsification, falsify, load_instance, save_instance
from empirical.falsify.searching import replayed
from theory.claims import CATALOGUE

FALSE = [*WRONG, *(k for k, c in CATALOGUE.items() if c.standing == "refuted" and k in SEARCHES)]
PROVEN = [k for k, c in CATALOGUE.items() if c.standing == "proven" and k in SEARCHES]
# Instances of ten milliseconds and more, of which the fast suite tries a few.
DEAR = {
    "networks.certificates",
    "networks.local-lipschitz",
    "classics.svm",
    "guo2018.ratio-moments",
    "guo2018.r2-held-out",
}


@cache
def refuted(key: str) -> Falsification:
    return falsify(SEARCHES[key], np.random.default_rng(0), evaluations=20_000)


@pytest.mark.parametrize("key", [key for key in FALSE if key != "networks.clever"])
def test_what_is_false_is_refuted_by_an_instance_that_a_file_keeps(
    key: str, tmp_path: Path
) -> None:
    found = refuted(key)
    assert found.verdict == "violated"
    assert found.seconds < 30
    assert found.confirmed is not False
    assert found.slack < -SEARCHES[key].allowance
    save_instance(tmp_path / "found.npz", key, found.instance)
    again = replayed(*load_instance(tmp_path / "found.npz", SEARCHES))
    assert (again.verdict, again.claimed, again.true) == ("violated", found.claimed, found.true)
    assert again.confirmed == found.confirmed


def test_refuted_instances_are_small() -> None:
    assert refuted("wrong.margin").instance["W1"].size <= 2
    assert refuted("guo2018.rinf-clipped").instance["X"].size <= 4  # where the catalogue has 101
    assert refuted("guo2018.r2-unrestricted").instance["w"].size == 1


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1])
def test_clever_is_refuted_in_seconds(seed: int) -> None:
    found = falsify(SEARCHES["networks.clever"], np.random.default_rng(seed), seconds=30)
    assert (found.verdict, found.confirmed) == ("violated", True)


@pytest.mark.parametrize("key", PROVEN)
def test_what_is_proven_is_not_refuted(key: str) -> None:
    tried = 8 if key in DEAR else 40
    found = falsify(SEARCHES[key], np.random.default_rng(0), evaluations=tried)
    assert found.verdict == "not violated"
    assert (found.slacks >= -SEARCHES[key].allowance).all()


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("key", PROVEN)
def test_what_is_proven_is_not_refuted_in_seconds(key: str, seed: int) -> None:
    found = falsify(SEARCHES[key], np.random.default_rng(seed), seconds=6)
    assert found.verdict == "not violated"


# Where a bound is attained, by its proof, a search should come near.
ATTAINED = {
    "fawzi2018.linear": 0.05,
    "mixtures.robust-bayes": 1e-3,
    "guo2018.lipschitz-l1": 1e-3,
    "guo2018.lipschitz-l2": 1e-3,
    "guo2018.lipschitz-margin": 1e-2,
    "guo2018.rinf-two-moments": 1e-3,
}


@pytest.mark.slow
@pytest.mark.parametrize(("key", "slack"), ATTAINED.items())
def test_tight_bounds_are_found_tight(key: str, slack: float) -> None:
    found = falsify(SEARCHES[key], np.random.default_rng(0), evaluations=4000)
    assert found.verdict == "not violated"
    assert found.slack < slack
