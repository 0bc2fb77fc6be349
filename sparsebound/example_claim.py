"""A claim of one's own, for `sparsebound check`: copy it, change it, run it.

    sparsebound claims --example > my_claim.py
    sparsebound check my_claim.py

Such a file holds one Claim and one function, named for what it measures, that returns a Verdict:

    measure(rng)                draw, train and attack what you like, with this NumPy generator
    measure_cells(cells)        the linear study: a list of empirical.linear_study.LinearCell
    measure_networks(networks)  pruned networks: empirical.compression_study.CompressionCell

A judge of empirical.verify.verdict makes the Verdict: judge_identity, judge_bound, judge_trend or
judge_equivalence. Prediction and measurement share no code: what is predicted is compared with what
an attack does.
"""

import math

import numpy as np

from empirical.attacks import attack_distances
from empirical.verify.verdict import Verdict, judge_identity
from theory.claims import Claim, Source
from theory.linear import LinearClassifier


def mean_distance() -> float:
    """Return E |w·x| / ‖w‖₂ for x ~ N(0, I): the mean of |N(0, 1)|."""
    return math.sqrt(2 / math.pi)


CLAIM = Claim(
    key="mine.mean-distance",  # a name of your own, a dot, what it is about
    source=Source(citation="You 2026", place="Theorem 1", bibtex="@misc{you2026}"),
    statement="for x ~ N(0, I) the mean L2 distance to the boundary of w·x is √(2/π), however"
    " sparse w is",
    form="identity",  # identity, bound, limit, trend or equivalence
    assumptions=("binary linear classifier, w ≠ 0, no bias", "no box"),
    standing="proven",  # proven, refuted or open: what you say of it beforehand
    note="w·x / ‖w‖₂ ~ N(0, 1) whatever w is.",
    predict=mean_distance,
)


def measure(rng: np.random.Generator) -> Verdict:
    """Return whether DeepFool finds that mean, for 50, 5 and 1 weights that are not zero."""
    means, errors = [], []
    for nonzeros in (50, 5, 1):
        weights = np.append(rng.normal(size=nonzeros), np.zeros(50 - nonzeros))
        X = rng.normal(size=(2000, 50))
        y = np.where(X @ weights > 0, 1, -1)
        model = LinearClassifier(weights=weights)
        found = attack_distances([model], X, y, attack="l2_deepfool", box=None).distances[0]
        means.append(found.mean())
        errors.append(found.std() / math.sqrt(found.size))
    return judge_identity(
        CLAIM,
        np.full(3, CLAIM.predict()),
        means,
        errors=errors,  # standard errors: four of them count as noise
        tolerance=1e-3,
        reason="DeepFool ends up to 1e-4 beyond the boundary",
        margin=0.1,  # declared beforehand: the relative error that counts as none
    )
