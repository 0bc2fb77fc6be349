"""The squared loss (|1 - m| + drop)^2 / 2 of a fitted margin m, in closed form."""

import numpy as np
from scipy.special import ndtr

from theory.asymptotics.loss_moments import LossMoments
from theory.asymptotics.soft_threshold import density, soft_moments
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
    low, high = (-dead - mean) / spread, (dead - mean) / spread
    p_dead = ndtr(high) - ndtr(low)
    d_low, d_high = spread * density(low), spread * density(high)
    dead_mean = mean * p_dead + d_low - d_high  # E[v; |v| <= V drop]
    dead_square = mean * dead_mean + spread**2 * p_dead - dead * (d_low + d_high)
    # Outside the dead zone the slope is (v + drop sign v) / (1 + V), inside it is v / V.
    live_square = fitted.square + 2 * dead * fitted.absolute + dead**2 * fitted.share
    live_absolute = fitted.absolute + dead * fitted.share
    live_sign = ndtr(-high) - ndtr(low)
    return LossMoments(
        pull=(mean - dead_mean + drop * live_sign) / (1 + V) + dead_mean / V,
        scatter=(live_square + 2 * drop * live_absolute + drop**2 * fitted.share) / (1 + V) ** 2
        + dead_square / V**2,
        stiffness=fitted.share / (1 + V) + p_dead / V,
        price=fitted.absolute / (1 + V) + drop,
        loss=fitted.square / (1 + V) ** 2 / 2 + drop * fitted.absolute / (1 + V) + drop**2 / 2,
        prox_residual=np.zeros_like(V),
        quadrature_error=np.zeros_like(V),
    )
