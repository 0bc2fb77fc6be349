"""Guo, Zhang, Zhang, Chen 2018: robustness of sparse ReLU networks, as their experiments show it.

Claims about trained networks, which no mathematics settles: each says beforehand by how much an
effect has to differ from none, and is left to the data.
"""

from dataclasses import replace

from theory.claims import guo2018
from theory.claims.claim import Claim

_SOURCE = guo2018.CLAIMS[0].source


def least_rise_of_r_2() -> float:
    """Return by how much r_2 has to rise, relative to the dense network's, to have risen: 5 %."""
    return 0.05


def least_rise_of_r_inf() -> float:
    """Return by how much r_inf has to rise to have risen: 2 points of accuracy."""
    return 0.02


_NETWORKS = (
    "ReLU network, pruned by magnitude step by step and trained on",
    "the dense network is trained for as many epochs",
    "sparsest: a sixteenth of the weights",
    "measured here on small networks, on 8 × 8 digits: larger ones may differ",
)

CLAIMS = (
    Claim(
        key="guo2018.networks-l2",
        source=replace(_SOURCE, place="section 4, experiments with nonlinear networks, L2"),
        statement="the L2 robustness of pruned ReLU networks first rises, then falls: at some"
        " compression between 1 and the largest, r_2 exceeds that of the dense network and that of"
        " the sparsest by more than 5 % of the dense network's, both by proof and by attack",
        form="trend",
        assumptions=(*_NETWORKS, "L2, no box"),
        standing="open",
        note="Refuted if, by proof and by attack, it exceeds one of the two by less at each"
        " compression. Of linear classifiers see guo2018.l2-sparsity.",
        predict=least_rise_of_r_2,
    ),
    Claim(
        key="guo2018.networks-linf",
        source=replace(_SOURCE, place="section 4, experiments with nonlinear networks, L∞"),
        statement="the L∞ robustness of pruned ReLU networks first rises, then falls: at some"
        " compression between 1 and the largest, the accuracy under sign-gradient steps of ε = .05"
        " exceeds that of the dense network and that of the sparsest by more than 2 points; so do"
        " the accuracy under PGD and the share of inputs proven robust",
        form="trend",
        assumptions=(*_NETWORKS, "L∞, pixels stay in [0, 1]"),
        standing="open",
        note="ε costs the dense network about a third of its accuracy. Refuted if, by each"
        " measure, it exceeds one of the two by less at each compression.",
        predict=least_rise_of_r_inf,
    ),
)
