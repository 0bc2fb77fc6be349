"""Networks with random weights and masks: how far the linearised sign change of an output lies."""

from theory.initialised.dead import dead_probability
from theory.initialised.moments import (
    ExpectedSquares,
    RelativeVariations,
    expected_squares,
    relative_variations,
)
from theory.initialised.pruned import (
    MarginSlope,
    fixed_pattern_margin_slope,
    gaussian_margin_slope,
)
from theory.initialised.random_network import RandomNetwork
from theory.initialised.ratio_law import ratio_cdf, ratio_quantiles, shifted_ratio_cdf

__all__ = [
    "ExpectedSquares",
    "MarginSlope",
    "RandomNetwork",
    "RelativeVariations",
    "dead_probability",
    "expected_squares",
    "fixed_pattern_margin_slope",
    "gaussian_margin_slope",
    "ratio_cdf",
    "ratio_quantiles",
    "relative_variations",
    "shifted_ratio_cdf",
]
