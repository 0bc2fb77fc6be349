"""What training reaches when the inputs n and the features d grow together, before it is done.

Inputs x = y mu + Sigma^(1/2) z with balanced labels y = ±1, z standard Gaussian and Sigma diagonal;
mu_j = m_j / sqrt(d) with m_j drawn from a `CoordinateLaw`; n / d fixed. The weights that minimise
an `Objective` then behave, coordinate by coordinate, as soft-thresholded Gaussians whose moments
solve five equations. Proofs: theory/proofs/asymptotics.md.
"""

from theory.asymptotics.ceiling import limit_ceiling
from theory.asymptotics.law import CoordinateLaw, gaussian_law, spiked_law
from theory.asymptotics.limit import (
    Limit,
    fresh_margins,
    limit_accuracy,
    limit_r_2,
    limit_robust_accuracy,
)
from theory.asymptotics.objective import Objective
from theory.asymptotics.phase import PhaseDiagram, phase_diagram
from theory.asymptotics.predict import NotConvergedError, predict, predict_many
from theory.asymptotics.separable import separability_ratio
from theory.asymptotics.tuning import Price, best_strength, price_of_robustness, ratio_needed

__all__ = [
    "CoordinateLaw",
    "Limit",
    "NotConvergedError",
    "Objective",
    "PhaseDiagram",
    "Price",
    "best_strength",
    "fresh_margins",
    "gaussian_law",
    "limit_accuracy",
    "limit_ceiling",
    "limit_r_2",
    "limit_robust_accuracy",
    "phase_diagram",
    "predict",
    "predict_many",
    "price_of_robustness",
    "ratio_needed",
    "separability_ratio",
    "spiked_law",
]
