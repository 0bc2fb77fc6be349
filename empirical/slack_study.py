"""By how much the instances that the falsifier tries obey the claims they are of: as a table."""

import zlib
from collections.abc import Sequence
from typing import Any

import numpy as np

from empirical.falsify import SEARCHES, falsify

Row = dict[str, Any]
# Those that take milliseconds an instance: exact searches of networks, and sums over many masks.
SLOW = (
    "guo2018.r2-held-out",
    "guo2018.ratio-moments",
    "networks.certificates",
    "networks.clever",
    "networks.local-lipschitz",
)
QUICK = tuple(key for key in SEARCHES if key not in SLOW)
# What is false gets so many times the instances: its search ends with the first clear violation.
_LONGER = 4
_QUANTILES = {"least": 0.0, "quarter": 0.25, "median": 0.5, "three quarters": 0.75, "most": 1.0}


def slack_table(keys: Sequence[str] = QUICK, *, seed: int, evaluations: int = 120) -> list[Row]:
    """Return the spread of slacks of the instances that short searches of claims try.

    Kind: exact for each instance, up to the search's allowance; of the claim an estimate: that no
    slack is negative proves nothing. Searches move towards small slacks: this is no law of
    instances.

    Parameters
    ----------
    keys : sequence of str
        Claims of `empirical.falsify.SEARCHES`.
    seed : int
        Each search depends on it and its key alone.
    evaluations : int
        Of a claim that is proven; false ones get four times as many, and most need fewer.

    Returns
    -------
    list of dict
        One a claim: what is claimed, what we say of it, what the search says, how many instances
        were tried and how many of them covered, and quantiles of their slacks.

    Raises
    ------
    ValueError
        If a key has no search; as `falsify`.
    RuntimeError
        As `falsify`.

    Examples
    --------
    >>> (row,) = slack_table(["classics.norm-inside"], seed=0, evaluations=30)
    >>> row["standing"], row["verdict"], row["tried"]
    ('proven', 'not violated', 24)
    """
    unknown = [key for key in keys if key not in SEARCHES]
    if unknown:
        raise ValueError(f"keys must have a search; got {unknown[0]!r}.")
    return [_row(key, seed, evaluations) for key in keys]


def _row(key: str, seed: int, evaluations: int) -> Row:
    search = SEARCHES[key]
    times = 1 if search.claim.standing == "proven" else _LONGER
    rng = np.random.default_rng([seed, zlib.crc32(key.encode())])
    found = falsify(search, rng, evaluations=times * evaluations)
    quantiles = np.quantile(found.slacks, list(_QUANTILES.values())).tolist()
    return {
        "claim": key,
        "statement": search.claim.statement,
        "standing": search.claim.standing,
        "claimed is": search.direction,
        "verdict": found.verdict,
        "tried": found.evaluations,
        "covered": int(found.slacks.size),
        **dict(zip(_QUANTILES, quantiles, strict=True)),
    }
