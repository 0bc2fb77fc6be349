"""The squared loss (|1 - m| + drop)^2 / 2 of a fitted margin m, in closed form."""

import numpy as np
from scipy.special import ndtr

from theory.asymptotics.loss_moments import LossMoments
from theory.asymptotics.slab import slab_moments
from theory.asymptotics.soft_threshold import soft_moments
from theory.validation import FloatArray


def squared_moments(
    mean: FloatArray, spread: FloatArray, V: FloatArray, drop: FloatArray
) -> LossMoments:
    """Return the moments of the squared loss, its worst case within a drop of the margin.

    Kind: exact.

    Parameters
    ----------
    mean, spread : array, shape (n,)
        Of the margin left out; the spread above 0.
    V, drop : array, shape (n,)
        The susceptibility, above 0; how far the training attack moves a margin.

    Returns
    -------
    LossMoments

    Notes
    -----
    With v = 1 - h the fitted residual is soft(v, V drop) / (1 + V): theory/proofs/asymptotics.md,
    [A5].
    """
    mean = 1 - mean
    dead = V * drop
    fitted = soft_moments(mean, spread, dead)
    slab = slab_moments(mean + dead, spread, 2 * dead)  # the dead zone |v| <= V drop
    dead_slope = 2 * dead * drop * (2 * slab.first - slab.zeroth)  # E[v / V] there
    dead_scatter = 2 * dead * drop**2 * (4 * slab.second - 4 * slab.first + slab.zeroth)
    # Outside the dead zone the slope is (v + drop sign v) / (1 + V), inside it is v / V.
    live_square = fitted.square + 2 * dead * fitted.absolute + dead**2 * fitted.share
    live_absolute = fitted.absolute + dead * fitted.share
    live_sign = ndtr((mean - dead) / spread) - ndtr(-(mean + dead) / spread)
    return LossMoments(
        pull=(mean - V * dead_slope + drop * live_sign) / (1 + V) + dead_slope,
        scatter=(live_square + 2 * drop * live_absolute + drop**2 * fitted.share) / (1 + V) ** 2
        + dead_scatter,
        stiffness=fitted.share / (1 + V) + 2 * drop * slab.zeroth,
        price=fitted.absolute / (1 + V) + drop,
        loss=fitted.square / (1 + V) ** 2 / 2 + drop * fitted.absolute / (1 + V) + drop**2 / 2,
        prox_residual=np.zeros_like(V),
        quadrature_error=np.zeros_like(V),
    )
