"""Randomly pruned ReLU networks: what is expected of their gradients, exactly or bounded."""

from theory.random_masks.connection import (
    disconnection_bounds,
    disconnection_probability,
    layer_cut_probability,
)
from theory.random_masks.expected import (
    expected_norm_bound,
    expected_path_norm,
    path_constants,
    product_bound,
    rms_path_norm,
    shrinkage,
    shrinkage_slopes,
)
from theory.random_masks.gradient import gradient_gram, squared_gradient_variance
from theory.random_masks.gram import path_gram
from theory.random_masks.margins import difference_norm_bound, margin_norm_bound
from theory.random_masks.masks import LayerMask, masked_network
from theory.random_masks.sampled import (
    constant_probability_bounds,
    sampled_gradient_norms,
    sampled_path_norms,
)
from theory.random_masks.whole import whole_expected_path_norm, whole_rms_path_norm

__all__ = [
    "LayerMask",
    "constant_probability_bounds",
    "difference_norm_bound",
    "disconnection_bounds",
    "disconnection_probability",
    "expected_norm_bound",
    "expected_path_norm",
    "gradient_gram",
    "layer_cut_probability",
    "margin_norm_bound",
    "masked_network",
    "path_constants",
    "path_gram",
    "product_bound",
    "rms_path_norm",
    "sampled_gradient_norms",
    "sampled_path_norms",
    "shrinkage",
    "shrinkage_slopes",
    "squared_gradient_variance",
    "whole_expected_path_norm",
    "whole_rms_path_norm",
]
