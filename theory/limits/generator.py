"""Inputs that a smooth generator makes of Gaussian noise: no classifier of them is robust."""

import math

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtr, ndtri

from theory.limits.checks import as_positive, as_share
from theory.limits.gaussian import mean_positive_part
from theory.validation import FloatArray, as_budget

# Shares counted in data sum to 1 up to far less than this.
_ROUNDING = 1e-9


def generator_robust_ceiling(
    shares: ArrayLike, eps: ArrayLike, *, lipschitz: float = 1.0
) -> FloatArray:
    """Return the share of inputs whose label survives every attack that no classifier exceeds.

    Kind: upper, for every deterministic classifier of inputs x = g(z), z standard Gaussian of any
    dimension, and attacks that stay among what g makes; others do no less. Robust accuracy is no
    larger, whatever the true labels. Exact in that two half-spaces of a linear g have it.

    Parameters
    ----------
    shares : array, shape (k,)
        The probability that the classifier says each of its k labels; sum 1.
    eps : float or array, nonnegative
        In the units of x, in the norm of the Lipschitz constant.
    lipschitz : float, above 0
        L with ‖g(z) - g(z')‖ <= L ‖z - z'‖₂. For a modulus of continuity ω instead: L = 1, and for
        eps the largest t with ω(t) <= eps.

    Returns
    -------
    array, shape of eps

    Raises
    ------
    TypeError, ValueError
        If a number is out of its range, or the shares do not sum to 1.

    Notes
    -----
    Σ_k Φ(Φ⁻¹(p_k) - eps/L), at most 2 Φ(-eps/L) where no share exceeds 1/2: Fawzi, Fawzi, Fawzi
    2018, Theorem 1; theory/proofs/limits.md, [L5] to [L7].

    Examples
    --------
    >>> generator_robust_ceiling([0.5, 0.5], [0.0, 1.0]).round(4).tolist()
    [1.0, 0.3173]
    >>> generator_robust_ceiling([0.1] * 10, 1.0).round(4).tolist()
    0.1126
    """
    scores = ndtri(_checked(shares))
    moved = as_budget(eps) / as_positive("lipschitz", lipschitz)
    return np.asarray(ndtr(scores - moved[..., None]).sum(axis=-1))


def generator_distance_ceiling(shares: ArrayLike, *, lipschitz: float = 1.0) -> float:
    """Return the mean distance to the nearest input of another label that no classifier exceeds.

    Kind: upper, as `generator_robust_ceiling`; errors count like other inputs.

    Parameters
    ----------
    shares, lipschitz
        As in `generator_robust_ceiling`.

    Returns
    -------
    float
        In the units of x; infinite if there is one label only.

    Raises
    ------
    TypeError, ValueError
        As `generator_robust_ceiling`.

    Notes
    -----
    The integral of `generator_robust_ceiling` over eps: theory/proofs/limits.md, [L7].

    Examples
    --------
    >>> round(generator_distance_ceiling([0.5, 0.5], lipschitz=2.0), 4)
    1.5958
    """
    scores = ndtri(_checked(shares))
    return as_positive("lipschitz", lipschitz) * float(mean_positive_part(scores).sum())


def _checked(shares: ArrayLike) -> FloatArray:
    p = as_share("shares", shares)
    if p.ndim != 1 or not math.isclose(p.sum(), 1, rel_tol=0, abs_tol=_ROUNDING):
        raise ValueError(f"shares must have shape (k,) and sum to 1; got {p.tolist()!s:.80}.")
    return p
