"""The falsifier: searches the instances that a claim allows for one that violates it.

To add a claim's search, write it into the `SEARCHES` of the module of its source, or into a new
module listed here; claims without instances are named in UNSEARCHED.
"""

from collections.abc import Mapping

from empirical.falsify import (
    problems_classics,
    problems_fawzi2018,
    problems_guo2018,
    problems_limits,
    problems_masks,
    problems_mixtures,
    problems_networks,
    problems_plug_in,
    problems_ratio,
    problems_smoothing,
    problems_spheres,
    problems_wrong,
)
from empirical.falsify.files import load_instance, save_instance
from empirical.falsify.search import (
    Falsification,
    Instance,
    Search,
    Sides,
    is_confirmed,
    is_violated,
    sides,
    slack_of,
)
from empirical.falsify.searching import falsify
from theory.claims.claim import Claim

__all__ = [
    "SEARCHES",
    "UNSEARCHED",
    "WRONG",
    "Falsification",
    "Instance",
    "Search",
    "Sides",
    "falsify",
    "is_confirmed",
    "is_violated",
    "load_instance",
    "save_instance",
    "sides",
    "slack_of",
]

# Claims that are wrong on purpose: lessons, and the falsifier's own tests.
WRONG: Mapping[str, Claim] = {one.claim.key: one.claim for one in problems_wrong.SEARCHES}
# The search of each claim that has instances.
SEARCHES: Mapping[str, Search] = {
    search.claim.key: search
    for module in (
        problems_guo2018,
        problems_fawzi2018,
        problems_mixtures,
        problems_classics,
        problems_smoothing,
        problems_networks,
        problems_masks,
        problems_ratio,
        problems_limits,
        problems_spheres,
        problems_plug_in,
        problems_wrong,
    )
    for search in module.SEARCHES
}
_LIMIT = "a limit, and an average over draws"
_NETWORKS = "a trend over trained networks"
_CLASSIFIERS = "a trend over trained classifiers"
_LIMIT = "a limit of widths, which no single network violates"
# Claims without instances, and what they are about instead.
UNSEARCHED: Mapping[str, str] = {
    "guo2018.l2-sparsity": _CLASSIFIERS,
    "guo2018.linf-sparsity": _CLASSIFIERS,
    "mixtures.plug-in": "an error on real data",
    "mixtures.unseen-margins": "an error on real data",
    "mixtures.seen-margins": _CLASSIFIERS,
    "asymptotics.training": _LIMIT,
    "asymptotics.adversarial": _LIMIT,
    "asymptotics.universality": _LIMIT,
    "asymptotics.averaging": "an average over draws",
    "asymptotics.l1-beats-l2": "an average over draws",
    "guo2018.networks-l2": _NETWORKS,
    "guo2018.networks-linf": _NETWORKS,
    "cosentino2019.tickets": _NETWORKS,
    "cosentino2019.reset": _NETWORKS,
    "cosentino2019.natural": _NETWORKS,
    "merkle2021.sweet-spot-l2": _NETWORKS,
    "merkle2021.sweet-spot-linf": _NETWORKS,
    "merkle2021.magnitude": _NETWORKS,
    "merkle2021.granularity": _NETWORKS,
    "merkle2021.ratio": _NETWORKS,
    "guo2018.over-sparsification": _NETWORKS,
    "guo2018.ratio-law": _LIMIT,
    "guo2018.ratio-fixed": _LIMIT,
    "guo2018.ratio-mean": _LIMIT,
    "initialised.distance": _LIMIT,
}
