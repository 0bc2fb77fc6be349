"""Numbers that attacks of trained models give, each with its kind and its interval."""

from empirical.measures.distances import DistanceSummary, distance_summary, median_interval
from empirical.measures.linear_curves import attack_curves
from empirical.measures.mixed import BestByShare, MixedAccuracy, best_by_share, mixed_accuracy
from empirical.measures.seeds import over_seeds
from empirical.measures.strongest import strongest_points
from empirical.measures.survival import RobustCurve, accuracy_beyond, robust_curve
from empirical.measures.transfer import TransferMatrix, transfer_matrix, transfer_of_points

__all__ = [
    "BestByShare",
    "DistanceSummary",
    "MixedAccuracy",
    "RobustCurve",
    "TransferMatrix",
    "accuracy_beyond",
    "attack_curves",
    "best_by_share",
    "distance_summary",
    "median_interval",
    "mixed_accuracy",
    "over_seeds",
    "robust_curve",
    "strongest_points",
    "transfer_matrix",
    "transfer_of_points",
]
