"""Two Gaussian classes: what a linear classifier keeps under attack, and the best any can keep.

An input with label y in {-1, +1} is drawn from N(mu_y, Sigma). The signed margin y (w·x + b) is
then Gaussian within each label, so its law is six numbers, and every accuracy is a function of
them. No box: inputs and attacks range over all of R^d. Proofs: theory/proofs/mixtures.md. Where
only a sample of margins is known: `sample_law`, `smoothed_accuracy`; where the margins are not
Gaussian: `accuracy_limits`, `gaussian_error`, `student_accuracy`. Proofs: theory/proofs/plug_in.md.
"""

from theory.mixtures.accuracy import (
    accuracy_after_drop,
    clean_accuracy,
    mean_positive_margin,
    r_2,
    r_inf,
    robust_accuracy,
)
from theory.mixtures.bayes import bayes_classifier, robust_bayes_accuracy, robust_bayes_classifier
from theory.mixtures.law import GaussianClasses, MarginLaw, margin_law
from theory.mixtures.plug_in import (
    distribution_bandwidth,
    label_bandwidths,
    sample_law,
    smoothed_accuracy,
    smoothed_error,
)
from theory.mixtures.tails import (
    AccuracyLimits,
    GaussianGap,
    accuracy_limits,
    gaussian_error,
    student_accuracy,
    student_gap,
)

__all__ = [
    "AccuracyLimits",
    "GaussianClasses",
    "GaussianGap",
    "MarginLaw",
    "accuracy_after_drop",
    "accuracy_limits",
    "bayes_classifier",
    "clean_accuracy",
    "distribution_bandwidth",
    "gaussian_error",
    "label_bandwidths",
    "margin_law",
    "mean_positive_margin",
    "r_2",
    "r_inf",
    "robust_accuracy",
    "robust_bayes_accuracy",
    "robust_bayes_classifier",
    "sample_law",
    "smoothed_accuracy",
    "smoothed_error",
    "student_accuracy",
    "student_gap",
]
