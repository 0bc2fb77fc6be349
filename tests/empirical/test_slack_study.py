"""The slacks of short searches: signs, seeds and refusals."""

import numpy as np
import pytest

from empirical.falsify import SEARCHES
from empirical.slack_study import QUICK, SLOW, slack_table

# Equal, at most and violated.
KEYS = ("classics.norm-inside", "guo2018.rinf-markov", "wrong.eta-falls")


def test_slack_table_has_negative_slacks_of_violations_alone() -> None:
    equal, bound, wrong = slack_table(KEYS, seed=0, evaluations=60)
    allowed = SEARCHES["classics.norm-inside"].allowance
    assert equal["most"] <= 0
    assert equal["least"] >= -allowed
    assert bound["least"] >= 0
    assert (wrong["verdict"], wrong["least"] < 0) == ("violated", True)
    for row in (equal, bound, wrong):
        spread = [row[n] for n in ("least", "quarter", "median", "three quarters", "most")]
        assert (np.diff(spread) >= 0).all()
        assert 0 < row["covered"] <= row["tried"]


def test_slack_table_depends_on_seed_and_key_alone() -> None:
    alone = slack_table(KEYS[1:2], seed=3, evaluations=40)
    assert slack_table(KEYS, seed=3, evaluations=40)[1:2] == alone
    assert slack_table(KEYS[1:2], seed=4, evaluations=40) != alone


def test_slack_table_refuses_what_has_no_search() -> None:
    with pytest.raises(ValueError, match=r"keys must have a search; got 'guo2018\.networks-l2'"):
        slack_table(["guo2018.networks-l2"], seed=0)


def test_quick_and_slow_are_all_searches() -> None:
    assert set(QUICK) | set(SLOW) == set(SEARCHES)
    assert not set(QUICK) & set(SLOW)
