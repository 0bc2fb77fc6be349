"""The logistic loss log(1 + exp(drop - m)) of a fitted margin m, by quadrature."""

import numpy as np
from scipy.special import expit, wrightomega

from theory.asymptotics.loss_moments import LossMoments
from theory.asymptotics.quadrature import Rule, even_rule, graded_rule
from theory.validation import FloatArray

_EVEN_UP_TO = np.array([1, 1.5, 2, 3, 4, 6, 8, 12, 16])  # spreads; each class has its own nodes
_NEWTON = 60
_CLOSE = 1e-9  # a Newton step this small, relative, leaves an error of its square


def logistic_moments(
    mean: FloatArray, spread: FloatArray, V: FloatArray, drop: FloatArray
) -> LossMoments:
    """Return the moments of the logistic loss, its worst case within a drop of the margin.

    Kind: exact up to the quadrature, whose error is estimated by comparing it with a coarser
    rule.

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
    The fit is analytic within pi of the real margins, whatever V. A setting's nodes depend on
    its own margins only: theory/proofs/asymptotics.md, [A7].
    """
    mean = mean - drop
    moments = np.full((len(LossMoments._fields), mean.size), np.nan)
    sizes = np.searchsorted(_EVEN_UP_TO, spread)
    sizes[~np.isfinite(mean + spread + V)] = -1  # a path that left float64
    for size in np.unique(sizes[sizes >= 0]):
        rows = np.flatnonzero(sizes == size)
        at = mean[rows], spread[rows], V[rows]
        is_even = size < _EVEN_UP_TO.size
        rule = even_rule(_EVEN_UP_TO[size]) if is_even else graded_rule(*at)
        moments[:, rows] = _integrals(*at, rule)
    return LossMoments(*moments)


def logistic_prox(h: FloatArray, V: FloatArray) -> FloatArray:
    """Return u with u = h + V / (1 + exp(u)): the margin that a step against the loss reaches.

    Kind: exact up to rounding; Newton's method from a start from which it cannot overshoot.

    Parameters
    ----------
    h, V : array, broadcastable
        Finite; V above 0.

    Returns
    -------
    array, of the broadcast shape

    Notes
    -----
    The equation is unchanged by (u, h) -> (-u, -h - V), so let h >= -V/2 and u >= 0. There
    f(u) = u - h - V / (1 + exp(u)) is increasing and concave, so Newton's method climbs to the root
    from any point below it; 1 / (1 + exp(u)) >= exp(-u) / 2 gives one that is close:
    theory/proofs/asymptotics.md, [A7].

    Examples
    --------
    >>> h, V = np.array([0.0, -5.0]), np.array([1.0, 1e4])
    >>> u = logistic_prox(h, V)
    >>> bool(np.allclose(u - V / (1 + np.exp(u)), h))
    True
    """
    flipped = h < -V / 2
    k = np.where(flipped, -h - V, h)
    u = np.maximum(k + wrightomega(np.log(V / 2) - k), 0.0)
    for _ in range(_NEWTON):
        slope = expit(-u)
        step = (V * slope + k - u) / (1 + V * slope * (1 - slope))
        u = u + step
        if (np.abs(step) <= _CLOSE * (1 + u)).all():
            break
    return np.asarray(np.where(flipped, -u, u))


def _integrals(mean: FloatArray, spread: FloatArray, V: FloatArray, rule: Rule) -> LossMoments:
    V = V[:, None]
    h = mean[:, None] + spread[:, None] * rule.nodes
    u = logistic_prox(h, V)
    slope = expit(-u)
    curvature = slope * (1 - slope)
    bend = 1 + V * curvature
    pull = _integral(slope, rule.weights)
    scatter = _integral(slope * slope, rule.weights)
    stiffness = _integral(curvature / bend, rule.weights)
    error = np.zeros_like(pull)
    for values, found in (
        (slope, pull),
        (slope * slope, scatter),
        (curvature / bend, stiffness),
    ):
        error = np.maximum(error, np.abs(_integral(values, rule.check) / found - 1))
    return LossMoments(
        pull=pull,
        scatter=scatter,
        stiffness=stiffness,
        price=pull,
        loss=_integral(np.logaddexp(0, -u), rule.weights),
        prox_residual=np.abs((u - V * slope - h) / (bend * (1 + np.abs(u)))).max(axis=1),
        quadrature_error=error,
    )


def _integral(values: FloatArray, weights: FloatArray) -> FloatArray:
    return np.asarray(np.einsum("nk,nk->n", values, weights))
