"""Proven Lipschitz constants of ReLU networks: upper, exact and lower, global and local."""

from theory.lipschitz.bound import LipschitzBound
from theory.lipschitz.chain import eclipse, eclipse_fast
from theory.lipschitz.enumeration import exact_constant
from theory.lipschitz.local import (
    Interval,
    gradient_norm_bound,
    jacobian_bounds,
    local_network,
    preactivation_bounds,
)
from theory.lipschitz.norms import frobenius_product, path_norm, spectral_product
from theory.lipschitz.sampled import gradient_norm, sampled_bound
from theory.lipschitz.sdp import lipsdp_layer, lipsdp_neuron, lipsdp_pairs, lipsdp_split
from theory.lipschitz.verified import spectral_norm

__all__ = [
    "Interval",
    "LipschitzBound",
    "eclipse",
    "eclipse_fast",
    "exact_constant",
    "frobenius_product",
    "gradient_norm",
    "gradient_norm_bound",
    "jacobian_bounds",
    "lipsdp_layer",
    "lipsdp_neuron",
    "lipsdp_pairs",
    "lipsdp_split",
    "local_network",
    "path_norm",
    "preactivation_bounds",
    "sampled_bound",
    "spectral_norm",
    "spectral_product",
]
