"""Bounds computed anew in ball arithmetic: what float64 found, proven with its rounding.

Needs python-flint, which is an extra: pip install 'sparsebound[rigorous]'.
"""

try:
    import flint as _  # noqa: F401
except ModuleNotFoundError as error:
    raise ImportError(
        "ball arithmetic needs python-flint: pip install 'sparsebound[rigorous]'."
    ) from error

from theory.rigorous.case import Case
from theory.rigorous.claims import CASES
from theory.rigorous.exact import MOST_WEIGHTS
from theory.rigorous.linear import Enclosure, proven_distances
from theory.rigorous.radii import METHODS, proven_leads, proven_radii

__all__ = [
    "CASES",
    "METHODS",
    "MOST_WEIGHTS",
    "Case",
    "Enclosure",
    "proven_distances",
    "proven_leads",
    "proven_radii",
]
