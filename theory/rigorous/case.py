"""What a claim says of one instance and what its definition gives there, both in balls."""

from typing import NamedTuple

from flint import arb


class Case(NamedTuple):
    """One instance of a claim.

    Attributes
    ----------
    name : str
    predicted : arb
        What the claim's formula gives.
    measured : arb
        What the definition gives: an identity or a bound is about this.
    float64 : float
        What the formula gives in float64, as the catalogue has it.
    """

    name: str
    predicted: arb
    measured: arb
    float64: float
