"""Every claim of the catalogue meets its measurement: what we say of it stands."""

from functools import cache

import numpy as np
import pytest

from empirical.compression_study import QUICK, CompressionCell, compression_study
from empirical.data import digits, split
from empirical.linear_study import TEST_TO_TRAIN, LinearCell, Plan, linear_study
from empirical.verify import COMPRESSION_CHECKS, DRAWN_CHECKS, STUDY_CHECKS, verdict_of
from theory.claims import CATALOGUE

SEEDS = pytest.mark.parametrize("seed", [0, pytest.param(1, marks=pytest.mark.slow)])


@cache
def study(seed: int) -> list[LinearCell]:
    return [c for part in linear_study(Plan(splits=10, strengths=4), seed=seed) for c in part]


@cache
def compressed() -> list[CompressionCell]:
    return [cell for part in compression_study(QUICK, seed=0) for cell in part]


def test_every_claim_has_one_check() -> None:
    assert sorted([*STUDY_CHECKS, *COMPRESSION_CHECKS, *DRAWN_CHECKS]) == sorted(CATALOGUE)


def test_parts_of_a_split_have_the_sizes_that_intervals_assume() -> None:
    parts = split(digits(3, 8), rng=np.random.default_rng(0))
    # Of 357 inputs, rounding moves one: less than a hundredth of the ratio.
    assert len(parts.test.y) / len(parts.train.y) == pytest.approx(TEST_TO_TRAIN, abs=0.01)


@SEEDS
@pytest.mark.parametrize("key", [key for key, c in CATALOGUE.items() if c.standing == "proven"])
def test_proven_claims_hold(key: str, seed: int) -> None:
    assert verdict_of(key, study(seed), seed=seed).status == "holds"


@SEEDS
@pytest.mark.parametrize("key", [key for key, c in CATALOGUE.items() if c.standing == "refuted"])
def test_false_claims_are_refuted(key: str, seed: int) -> None:
    assert verdict_of(key, study(seed), seed=seed).status == "refuted"


def test_hidden_term_explains_the_error_of_the_unrestricted_theorem() -> None:
    evidence = verdict_of("guo2018.r2-unrestricted", study(0), seed=0).evidence
    assert float(evidence["largest relative error"]) > 0.1
    # What is left is DeepFool's overshoot, 1e-4 of distances below 3.
    assert float(evidence["largest error left by the hidden term"]) < 1e-3


def test_two_moments_are_never_looser_than_markov() -> None:
    markov = verdict_of("guo2018.rinf-markov", study(0), seed=0).evidence
    sharper = verdict_of("guo2018.rinf-two-moments", study(0), seed=0).evidence
    for quantile in ("slack, 5 %", "slack, median", "slack, 95 %"):
        assert float(sharper[quantile]) < float(markov[quantile])
    assert markov["violations"] == sharper["violations"] == 0


def test_held_out_prediction_is_covered_as_often_as_it_claims() -> None:
    evidence = verdict_of("guo2018.r2-held-out", study(0), seed=0).evidence
    # 95 % is expected; classifiers of one split share their inputs, so the fraction is noisy.
    assert float(evidence["single errors within 1.96 standard errors"]) > 0.8


@pytest.mark.parametrize("key", ["guo2018.l2-sparsity", "guo2018.linf-sparsity"])
def test_open_claims_say_what_the_data_show(key: str) -> None:
    verdict = verdict_of(key, study(0), seed=0)
    effects = [float(v) for name, v in verdict.evidence.items() if name.startswith("effect")]
    assert len(effects) >= 3  # data sets, or families of them
    assert np.isfinite(effects).all()
    assert verdict.interval[0] <= verdict.interval[1]


@pytest.mark.slow
@pytest.mark.parametrize("key", [key for key in COMPRESSION_CHECKS if "granularity" not in key])
def test_open_claims_of_networks_say_what_the_data_show(key: str) -> None:
    verdict = verdict_of(key, [], compressed(), seed=0)
    assert verdict.status != "not covered"
    numbers = [value for value in verdict.evidence.values() if isinstance(value, float)]
    assert np.isfinite(numbers).all()
    assert verdict.interval[0] <= verdict.measured <= verdict.interval[1]


@pytest.mark.slow
def test_convolutional_networks_are_of_the_full_study_alone() -> None:
    verdict = verdict_of("merkle2021.granularity", [], compressed(), seed=0)
    assert verdict.status == "not covered"
    assert "full study" in verdict.summary
