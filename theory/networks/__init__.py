"""ReLU networks as records: what they compute, and smaller networks that compute the same."""

from theory.networks.network import (
    ReluNetwork,
    activation_pattern,
    class_scores,
    forward,
    jacobian,
    preactivations,
)
from theory.networks.reduce import Reduction, reduce, reduced_inputs

__all__ = [
    "Reduction",
    "ReluNetwork",
    "activation_pattern",
    "class_scores",
    "forward",
    "jacobian",
    "preactivations",
    "reduce",
    "reduced_inputs",
]
