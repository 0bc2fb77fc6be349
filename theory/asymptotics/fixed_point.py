"""The equations that the limit of training solves, as a map of its order parameters."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np

from theory.asymptotics.batch import Batch
from theory.asymptotics.hinge import hinge_moments
from theory.asymptotics.logistic import logistic_moments
from theory.asymptotics.loss_moments import LossMoments
from theory.asymptotics.objective import Loss
from theory.asymptotics.squared import squared_moments
from theory.asymptotics.weight_moments import WeightMoments, weight_moments
from theory.validation import FloatArray

MomentsOfLoss = Callable[[FloatArray, FloatArray, FloatArray, FloatArray], LossMoments]

LOSS_MOMENTS: Mapping[Loss, MomentsOfLoss] = {
    "logistic": logistic_moments,
    "squared": squared_moments,
    "hinge": hinge_moments,
}


class State(NamedTuple):
    """Order parameters: columns of an array (n, 5) in this order."""

    overlap: FloatArray  # may be 0; the others are logarithms
    log_spread: FloatArray
    log_susceptibility: FloatArray
    log_norm: FloatArray
    log_absolute: FloatArray


class Image(NamedTuple):
    """Where the map takes each state, and what it met on the way."""

    state: FloatArray  # (n, 5)
    moments: LossMoments
    weights: WeightMoments


def image(batch: Batch, state: FloatArray, ridge: FloatArray) -> Image:
    """Return where the map of training takes the states; a fixed point is what training reaches.

    Kind: exact, up to the quadrature of `LossMoments`.

    Parameters
    ----------
    batch : Batch
    state : array, shape (n, 5)
        Columns as in `State`.
    ridge : array, shape (n,)
        Added to l2; 0 for the setting itself.

    Returns
    -------
    Image

    Notes
    -----
    theory/proofs/asymptotics.md, [A2] to [A4].
    """
    at = State(*state.T)
    spread, norm = np.exp(at.log_spread), np.exp(at.log_norm)
    drop = batch.eps * norm + batch.eps_inf * np.exp(at.log_absolute)
    moments = LOSS_MOMENTS[batch.loss](at.overlap, spread, np.exp(at.log_susceptibility), drop)
    weights = weight_moments(batch, moments, norm=norm, ridge=ridge)
    return Image(state_of(weights), moments, weights)


def differences(state: FloatArray, other: FloatArray) -> FloatArray:
    """Return other - state, shape (n, 5), relative: overlaps in units of other's spread."""
    return (other - state) / units(other)


def units(state: FloatArray) -> FloatArray:
    """Return what a relative step is a multiple of: the spread for overlaps, 1 for logarithms."""
    spread = np.exp(state[:, State._fields.index("log_spread")])
    return np.stack([spread] + [np.ones_like(spread)] * (len(State._fields) - 1), axis=1)


def state_of(weights: WeightMoments) -> FloatArray:
    """Return the states, shape (n, 5), that moments of weights amount to."""
    return np.stack(
        State(
            weights.overlap,
            np.log(weights.spread_square) / 2,
            np.log(weights.susceptibility),
            np.log(weights.norm_square) / 2,
            np.log(weights.absolute),
        ),
        axis=1,
    )
