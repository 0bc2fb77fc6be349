"""The hinge loss max(0, 1 + drop - m) of a fitted margin m, in closed form."""

import numpy as np
from scipy.special import ndtr

from theory.asymptotics.loss_moments import LossMoments
from theory.asymptotics.soft_threshold import density
from theory.validation import FloatArray


def hinge_moments(
    mean: FloatArray, spread: FloatArray, V: FloatArray, drop: FloatArray
) -> LossMoments:
    """Return the moments of the hinge loss, its worst case within a drop of the margin.

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
    With v = 1 + drop - h the fit moves the margin by v clipped to [0, V]:
    theory/proofs/asymptotics.md, [A6].
    """
    mean = 1 + drop - mean
    at_zero, at_V = mean / spread, (mean - V) / spread
    p_ramp, p_full = ndtr(at_zero) - ndtr(at_V), ndtr(at_V)
    d_zero, d_V = spread * density(at_zero), spread * density(at_V)
    ramp_mean = mean * p_ramp + d_zero - d_V  # E[v; 0 < v < V]
    ramp_square = mean * ramp_mean + spread**2 * p_ramp - V * d_V
    pull = ramp_mean / V + p_full
    return LossMoments(
        pull=pull,
        scatter=ramp_square / V**2 + p_full,
        stiffness=p_ramp / V,
        price=pull,
        loss=(mean - V) * p_full + d_V,
        prox_residual=np.zeros_like(V),
        quadrature_error=np.zeros_like(V),
    )
