"""Models of other tools, and files, as theory records."""

from empirical.lowering.affine import MAX_ENTRIES
from empirical.lowering.estimators import network_from_estimator
from empirical.lowering.files import network_from_file
from empirical.lowering.linear import (
    NamedLinear,
    linear_from_estimator,
    linear_from_file,
    own_labels,
)
from empirical.lowering.named import NamedNetwork
from empirical.lowering.networks import network_from_module, network_from_onnx
from empirical.lowering.npz_files import load_arrays

__all__ = [
    "MAX_ENTRIES",
    "NamedLinear",
    "NamedNetwork",
    "linear_from_estimator",
    "linear_from_file",
    "load_arrays",
    "network_from_estimator",
    "network_from_file",
    "network_from_module",
    "network_from_onnx",
    "own_labels",
]
