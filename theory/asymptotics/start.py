"""Before anything is learned: the slopes at w = 0, and whether training leaves it."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from theory.asymptotics.batch import Batch
from theory.asymptotics.fixed_point import state_of
from theory.asymptotics.loss_moments import LossMoments
from theory.asymptotics.objective import Loss
from theory.asymptotics.weight_moments import WeightMoments, weight_moments
from theory.validation import FloatArray

BoolArray = NDArray[np.bool_]

# -l'(0) of the losses: at w = 0 every input pulls equally.
_PULL: dict[Loss, float] = {"logistic": 0.5, "squared": 1.0, "hinge": 1.0}
# Shares of weights below this mean none: not one in ten million features.
NO_SHARE = 1e-7


class Start(NamedTuple):
    """A first state under a strong ridge, and which settings never leave w = 0."""

    state: FloatArray  # (n, 5); not finite where stuck
    stuck: BoolArray  # (n,)
    share: FloatArray  # (n,), of features whose slope at w = 0 exceeds the threshold


def start(batch: Batch, ridge: FloatArray) -> Start:
    """Return the response to a strong ridge, of first order in 1 / ridge, and who is stuck at 0.

    Kind: exact condition of w = 0 for the L2 part of the training attack; for the threshold,
    w = 0 where less than 1e-7 of the features would have a weight.

    Parameters
    ----------
    batch : Batch
    ridge : array, shape (n,)
        Above 0.

    Returns
    -------
    Start

    Notes
    -----
    w = 0 minimises where the root mean square of the thresholded slopes is at most eps times the
    price of a drop: theory/proofs/asymptotics.md, [A9].
    """
    pull = np.full(batch.ratio.shape, _PULL[batch.loss])
    nothing = np.zeros_like(pull)
    at_zero = LossMoments(pull, pull**2, nothing, pull, nothing, nothing, nothing)
    unattacked = Batch(**(vars(batch) | {"eps": nothing, "l2": nothing}))
    slopes = weight_moments(unattacked, at_zero, norm=np.ones_like(pull), ridge=ridge + batch.l2)
    force = np.sqrt(slopes.norm_square) * (ridge + batch.l2)
    friction = batch.eps * batch.ratio * pull
    stuck = (slopes.share < NO_SHARE) | (force <= friction)
    with np.errstate(divide="ignore", invalid="ignore"):
        kept = np.where(stuck, np.nan, 1 - friction / force)
        state = state_of(_scaled(slopes, kept))
    return Start(state, stuck, slopes.share)


def _scaled(weights: WeightMoments, factor: FloatArray) -> WeightMoments:
    """Return the moments of factor · beta."""
    return WeightMoments(
        weights.overlap * factor,
        weights.spread_square * factor**2,
        weights.susceptibility * factor,
        weights.norm_square * factor**2,
        weights.absolute * factor,
        weights.share,
    )
