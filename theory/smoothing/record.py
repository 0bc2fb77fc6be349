"""What is certified of a smoothed classifier, as a record."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from theory.validation import FloatArray, IntArray, as_finite

# The label of an abstention; -1 is a label of binary models.
NO_LABEL = int(np.iinfo(np.intp).min)


@dataclass(frozen=True, kw_only=True, eq=False)
class SmoothedRadii:
    """What is certified of a smoothed classifier at n inputs.

    Kind: lower, for each input with probability `confidence` over the noise drawn: no point closer
    than `radii` (L2, no box) has another smoothed label.

    Parameters
    ----------
    labels : array of int, shape (n,)
        The smoothed label; NO_LABEL where abstained.
    radii : array, shape (n,)
        0 where abstained.
    top : array, shape (n,)
        Lower bound on the probability of that label (of the one tried, where abstained).
    rival : array, shape (n,)
        Upper bound on the probability of every other label.
    status : array of str, shape (n,)
        "certified" or "abstained".
    confidence : float
        1 where nothing was sampled.
    sigma : float
        Standard deviation of the noise.
    """

    labels: IntArray
    radii: FloatArray
    top: FloatArray
    rival: FloatArray
    status: NDArray[np.str_]
    confidence: float
    sigma: float


def certified(
    labels: IntArray,
    radii: FloatArray,
    top: FloatArray,
    rival: FloatArray,
    *,
    sigma: float,
    confidence: float,
) -> SmoothedRadii:
    """Return the record of radii, an abstention where one is not positive."""
    wins = radii > 0
    return SmoothedRadii(
        labels=np.where(wins, labels, NO_LABEL),
        radii=np.where(wins, radii, 0.0),
        top=top,
        rival=rival,
        status=np.where(wins, "certified", "abstained"),
        confidence=confidence,
        sigma=sigma,
    )


def as_sigma(sigma: float) -> float:
    """Return the standard deviation of the noise as a float; refuse what is not positive."""
    scale = float(as_finite("sigma", sigma))
    if scale <= 0:
        raise ValueError(f"sigma must be positive; got {scale:g}.")
    return scale
