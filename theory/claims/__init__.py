"""The catalogue: what papers claim, as data that measurements can meet."""

import difflib

from theory.claims import (
    asymptotics,
    classics,
    cosentino2019,
    fawzi2018,
    guo2018,
    guo2018_masks,
    guo2018_networks,
    guo2018_ratio,
    initialised,
    limits,
    merkle2021,
    mixtures,
    mixtures_plug_in,
    networks,
    smoothing,
)
from theory.claims.claim import Claim, Source

__all__ = ["CATALOGUE", "Claim", "Source", "find_claims"]

CATALOGUE: dict[str, Claim] = {
    claim.key: claim
    for module in (
        guo2018,
        fawzi2018,
        mixtures,
        classics,
        smoothing,
        networks,
        guo2018_networks,
        cosentino2019,
        merkle2021,
        guo2018_masks,
        guo2018_ratio,
        initialised,
        limits,
        asymptotics,
        mixtures_plug_in,
    )
    for claim in module.CLAIMS
}


def find_claims(key: str) -> list[Claim]:
    """Return the claim with this key, or all claims of the source of this name.

    Raises
    ------
    ValueError
        If there is none; the message offers the closest names.

    Examples
    --------
    >>> [claim.key for claim in find_claims("fawzi2018")]
    ['fawzi2018.linear']
    """
    if key in CATALOGUE:
        return [CATALOGUE[key]]
    found = [claim for claim in CATALOGUE.values() if claim.key.split(".")[0] == key]
    if not found:
        names = [*CATALOGUE, *{name.split(".")[0] for name in CATALOGUE}]
        sources = sorted({name.split(".")[0] for name in CATALOGUE})
        near = difflib.get_close_matches(key, names, n=3, cutoff=0.4) or sources
        raise ValueError(
            f"key must be a claim or a source; got {key!r}. Did you mean {', '.join(near)}?"
            " `sparsebound claims` lists all."
        )
    return found
