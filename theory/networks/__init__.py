"""ReLU networks as records: what they compute, and smaller networks that compute the same."""

from theory.networks.network import (
    ReluNetwork,
    activation_pattern,
    class_scores,
    forward,
    jacobian,
    preactivations,
)

__all__ = [
    "ReluNetwork",
    "activation_pattern",
    "class_scores",
    "forward",
    "jacobian",
    "preactivations",
]
