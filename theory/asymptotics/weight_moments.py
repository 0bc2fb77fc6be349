"""What training makes of each weight, given what the inputs say: a soft-thresholded Gaussian."""

from typing import NamedTuple

import numpy as np

from theory.asymptotics.batch import Batch
from theory.asymptotics.loss_moments import LossMoments
from theory.asymptotics.soft_threshold import soft_moments
from theory.validation import FloatArray


class WeightMoments(NamedTuple):
    """Expectations over beta = sqrt(d) w, arrays of shape (n,), one entry a setting."""

    overlap: FloatArray  # E[m beta] = mu·w
    spread_square: FloatArray  # E[sigma^2 beta^2], the variance of a fresh margin
    susceptibility: FloatArray  # V = E[sigma^2 1{beta != 0} / stiffness]
    norm_square: FloatArray  # E[beta^2] = ||w||_2^2
    absolute: FloatArray  # E|beta| = ||w||_1 / sqrt(d)
    share: FloatArray  # Pr(beta != 0)


def weight_moments(
    batch: Batch, moments: LossMoments, *, norm: FloatArray, ridge: FloatArray
) -> WeightMoments:
    """Return the moments of the weights that answer to moments of the loss.

    Kind: exact, of the limiting law. The weight of a feature is beta = soft(field, T) / A with
    field = n/d (pull m + sqrt(scatter / (n/d)) sigma xi), xi ~ N(0, 1).

    Parameters
    ----------
    batch : Batch
    moments : LossMoments
    norm : array, shape (n,)
        ||w||_2 where the training attack is evaluated, above 0.
    ridge : array, shape (n,)
        Added to l2.

    Returns
    -------
    WeightMoments

    Notes
    -----
    theory/proofs/asymptotics.md, [A4] and [A8].
    """
    pull = (batch.ratio * moments.pull)[:, None]
    price = batch.ratio * moments.price
    threshold = (batch.l1 + batch.eps_inf * price)[:, None]
    l2 = (batch.l2 + ridge + batch.eps * price / norm)[:, None]
    stiffness = (batch.ratio * moments.stiffness)[:, None] * batch.scales**2 + l2
    noise = (batch.ratio * moments.scatter)[:, None] * batch.scales**2
    soft = soft_moments(
        pull * batch.means, np.sqrt(pull**2 * batch.deviations**2 + noise), threshold
    )
    # E[m soft(field)] for a Gaussian m, by Stein's lemma.
    along = batch.means * soft.mean + pull * batch.deviations**2 * soft.share
    scaled = batch.weights / stiffness
    return WeightMoments(
        overlap=(scaled * along).sum(axis=1),
        spread_square=(scaled / stiffness * batch.scales**2 * soft.square).sum(axis=1),
        susceptibility=(scaled * batch.scales**2 * soft.share).sum(axis=1),
        norm_square=(scaled / stiffness * soft.square).sum(axis=1),
        absolute=(scaled * soft.absolute).sum(axis=1),
        share=(batch.weights * soft.share).sum(axis=1),
    )
