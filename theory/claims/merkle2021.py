"""Merkle, Samsinger, Schöttle 2021: which pruning, and how much of it, makes networks robust.

Claims about trained networks, which no mathematics settles: each says beforehand what counts as
none, and is left to the data.
"""

from theory.claims.claim import Claim, Source


def least_gain_of_r_2() -> float:
    """Return by how much r_2 has to exceed the dense network's, relative to it: 5 %."""
    return 0.05


def least_gain_of_accuracy() -> float:
    """Return by how much robust accuracy has to exceed the dense network's: 2 points."""
    return 0.02


def no_difference() -> float:
    """Return the difference between two ways of pruning if there is none."""
    return 0.0


def _source(place: str) -> Source:
    return Source(
        citation="Merkle, Samsinger, Schöttle 2021",
        place=place,
        bibtex="""@misc{merkle2021pruning,
  author    = {Florian Merkle and Maximilian Samsinger and Pascal Sch{\\"o}ttle},
  title     = {Pruning in the Face of Adversaries},
  year      = {2021},
  eprint    = {2108.08560}
}""",
    )


_PRUNED = (
    "ReLU network, trained without an adversary, pruned step by step and trained on",
    "all are trained for as many epochs",
    "measured here on small networks, on 8 × 8 digits: larger ones may differ",
)
_LINF = "L∞, ε = .05, pixels stay in [0, 1]"
_ACCURATE = "it is as accurate if it loses less than 1 point of accuracy"

CLAIMS = (
    Claim(
        key="merkle2021.sweet-spot-l2",
        source=_source("experiments, sweet spots, L2"),
        statement="there is a sweet spot: some compression above 1 by magnitude gives a network as"
        " accurate as the dense one whose r_2 is larger by more than 5 %, both by proof and by"
        " attack",
        form="trend",
        assumptions=(*_PRUNED, "L2, no box", _ACCURATE),
        standing="open",
        note="Refuted if each compression fails, in accuracy or in r_2, by proof and by attack.",
        predict=least_gain_of_r_2,
    ),
    Claim(
        key="merkle2021.sweet-spot-linf",
        source=_source("experiments, sweet spots, L∞"),
        statement="there is a sweet spot: some compression above 1 by magnitude gives a network as"
        " accurate as the dense one whose robust accuracy is larger by more than 2 points, both by"
        " attack and by proof",
        form="trend",
        assumptions=(*_PRUNED, _LINF, _ACCURATE),
        standing="open",
        note="Refuted if each compression fails, in accuracy or in robust accuracy, by attack and"
        " by proof.",
        predict=least_gain_of_accuracy,
    ),
    Claim(
        key="merkle2021.magnitude",
        source=_source("experiments, pruning by magnitude and at random"),
        statement="networks pruned by magnitude are more accurate and more robust than networks"
        " pruned at random to the same compression, on average over compressions above 1, both by"
        " attack and by proof",
        form="trend",
        assumptions=(*_PRUNED, _LINF),
        standing="open",
        note="Single weights; magnitudes of all layers together against any weights of each layer.",
        predict=no_difference,
    ),
    Claim(
        key="merkle2021.granularity",
        source=_source("experiments, pruning of weights, kernels and filters"),
        statement="the finer what is pruned, the more robust the network: at the same compression"
        " convolutional networks that lose weights keep more robust accuracy than those that lose"
        " kernels, and these more than those that lose filters, on average over compressions above"
        " 1 and over criteria, by attack",
        form="trend",
        assumptions=(*_PRUNED, _LINF),
        standing="open",
        note="Compression counts what a scheme removes, weights or kernels or filters: those of"
        " kernels and filters leave the last layer dense, which favours them. What holds depends on"
        " that count: measured at equal shares removed, weights and kernels do not differ in L∞ at"
        " the first two pruned levels (+.010 [-.029, .049]); at equal compression of all weights"
        " they do (+.155 [.099, .212]). Not judged by proof: certificates say little here.",
        predict=no_difference,
    ),
    Claim(
        key="merkle2021.ratio",
        source=_source("discussion, ratio of adversarials"),
        statement="which compression is best depends on the share q of adversarial inputs: the best"
        " one by (1 − q) accuracy + q robust accuracy is another for q = 0 than for q = 1",
        form="trend",
        assumptions=(*_PRUNED, _LINF),
        standing="open",
        note="The best of each seed is chosen by the other seeds. Refuted if one compression is"
        " surely the best for both, and so, as it is linear in q, for all.",
        predict=no_difference,
    ),
)
