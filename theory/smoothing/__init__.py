"""Randomised smoothing: the label that wins under Gaussian noise, and how far it surely wins.

g(x) is the label that f(x + δ) is most likely to be, δ ~ N(0, sigma² I). Everything here is L2,
without a box, and about g, not about f. Proofs: theory/proofs/smoothing.md.
"""

from theory.smoothing.linear import linear_smoothed_radius, smoothed_probabilities
from theory.smoothing.record import NO_LABEL, SmoothedRadii
from theory.smoothing.sampled import clopper_pearson_lower, smoothed_radius

__all__ = [
    "NO_LABEL",
    "SmoothedRadii",
    "clopper_pearson_lower",
    "linear_smoothed_radius",
    "smoothed_probabilities",
    "smoothed_radius",
]
