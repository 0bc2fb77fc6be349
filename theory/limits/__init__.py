"""Upper bounds of robust accuracy that hold for every classifier, linear or not: ceilings.

They rest on isoperimetry: where inputs are spread out, any set of errors grows fast when the points
near it are added, and half-spaces or caps grow slowest. Classifiers are deterministic, no box.
Without a clean accuracy, two Gaussian classes have theory.mixtures.robust_bayes_accuracy.
Proofs: theory/proofs/limits.md.
"""

from theory.limits.caps import cap_angle, cap_measure
from theory.limits.gaussian import (
    gaussian_distance_ceiling,
    gaussian_robust_ceiling,
    largest_deviation,
)
from theory.limits.generator import generator_distance_ceiling, generator_robust_ceiling
from theory.limits.sphere import (
    chord,
    sphere_arc_ceiling,
    sphere_arc_rate,
    sphere_distance_ceiling,
    sphere_robust_ceiling,
)
from theory.limits.two_gaussians import two_gaussians_distance_ceiling, two_gaussians_robust_ceiling

__all__ = [
    "cap_angle",
    "cap_measure",
    "chord",
    "gaussian_distance_ceiling",
    "gaussian_robust_ceiling",
    "generator_distance_ceiling",
    "generator_robust_ceiling",
    "largest_deviation",
    "sphere_arc_ceiling",
    "sphere_arc_rate",
    "sphere_distance_ceiling",
    "sphere_robust_ceiling",
    "two_gaussians_distance_ceiling",
    "two_gaussians_robust_ceiling",
]
