"""The hinge loss max(0, 1 + drop - m) of a fitted margin m, in closed form."""

import numpy as np
from scipy.special import ndtr

from theory.asymptotics.loss_moments import LossMoments
from theory.asymptotics.slab import slab_moments
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
    ramp = slab_moments(mean, spread, V)
    at_V = (mean - V) / spread
    p_full = ndtr(at_V)
    pull = V * ramp.first + p_full
    return LossMoments(
        pull=pull,
        scatter=V * ramp.second + p_full,
        stiffness=ramp.zeroth,
        price=pull,
        loss=(mean - V) * p_full + spread * density(at_V),
        prox_residual=np.zeros_like(V),
        quadrature_error=np.zeros_like(V),
    )
