"""Claims about trained networks say beforehand what counts as none, in words and as a number."""

import re

import pytest

from theory.claims import Claim, cosentino2019, guo2018_networks, merkle2021

TRENDS = [*guo2018_networks.CLAIMS, *cosentino2019.CLAIMS, *merkle2021.CLAIMS]
EACH = pytest.mark.parametrize("claim", TRENDS, ids=[claim.key for claim in TRENDS])


def test_there_are_claims_of_each_paper() -> None:
    assert len(TRENDS) == 10


@EACH
def test_what_mathematics_does_not_settle_is_left_open(claim: Claim) -> None:
    assert (claim.form, claim.standing) == ("trend", "open")


@EACH
def test_the_threshold_is_the_one_of_the_statement(claim: Claim) -> None:
    said = re.findall(r"(?:more|less) than (\d+) (?:%|points)", claim.statement)
    said += re.findall(r"by more than (\d+)", claim.statement)
    assert {float(number) / 100 for number in said} <= {claim.predict()}
    assert bool(said) == (claim.predict() != 0)


@EACH
def test_assumptions_say_norm_and_box_and_equal_training(claim: Claim) -> None:
    told = "; ".join(claim.assumptions)
    assert "for as many epochs" in told
    assert ("L2, no box" in told) != ("L∞" in told and "[0, 1]" in told)
