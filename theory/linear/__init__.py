"""Exact geometry of linear classifiers: distances, nearest flips, robust accuracy."""

from theory.linear.classifier import LinearClassifier, class_scores
from theory.linear.distance import Flips, flip_distance, nearest_flip
from theory.linear.robustness import r_2, r_inf, robust_accuracy

__all__ = [
    "Flips",
    "LinearClassifier",
    "class_scores",
    "flip_distance",
    "nearest_flip",
    "r_2",
    "r_inf",
    "robust_accuracy",
]
