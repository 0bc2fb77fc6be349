"""Certificates of smoothed linear classifiers without sampling.

A label wins if it wins its duel with each other label. In standard deviations of the noise the lead
in a duel is the (signed) distance to the other label's half-space over sigma, so the probability is
that of a Gaussian orthant.
"""

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import log_ndtr, logsumexp, ndtr, ndtri_exp, owens_t
from scipy.stats import multivariate_normal

from theory.linear.classifier import LinearClassifier, class_scores, live_rows
from theory.smoothing.record import SmoothedRadii, as_sigma, certified
from theory.validation import FloatArray, as_inputs

# By how much a probability may be off: of three labels, and of more, where quasi Monte Carlo is
# asked for a tenth of it, since it only estimates its own error, and stops at so many points.
_ACCURACY_OF_THREE, _ACCURACY_OF_MORE, _POINTS = 1e-12, 3e-4, 100_000


def smoothed_probabilities(model: LinearClassifier, X: ArrayLike, *, sigma: float) -> FloatArray:
    """Return the probability of each label of a linear classifier under Gaussian noise.

    Kind: exact up to rounding for two labels, to 1e-12 for three (Owen's T), to 3e-4 for more
    (quasi Monte Carlo, the same points each time). Absolute errors; of ties the first label wins.

    Parameters
    ----------
    model : LinearClassifier
    X : array, shape (n, d)
    sigma : float, positive

    Returns
    -------
    array, shape (n, c)

    Examples
    --------
    >>> model = LinearClassifier(weights=[[0.0, 0.0], [-1.0, 0.0], [0.0, -1.0]])
    >>> smoothed_probabilities(model, [[0.0, 0.0]], sigma=1.0).tolist()
    [[0.25, 0.375, 0.375]]
    """
    leads, units = _duels(model, X, as_sigma(sigma))
    own = range(model.classes.size)
    return np.stack([_all_won(leads[:, k], units[k]) for k in own], axis=1)


def linear_smoothed_radius(model: LinearClassifier, X: ArrayLike, *, sigma: float) -> SmoothedRadii:
    """Return the certificates of a smoothed linear classifier without sampling.

    Kind: lower, surely; for two labels exact, and equal to `flip_distance`. For more it is
    sigma/2 (Φ⁻¹(pA) - Φ⁻¹(pB)) but for the accuracy of `smoothed_probabilities`, and may lie on
    either side of the flip distance of the model itself, which is not the smoothed classifier.

    Parameters
    ----------
    model, X, sigma
        As in `smoothed_probabilities`.

    Returns
    -------
    SmoothedRadii
        Abstained where no label is more likely than all others.

    Raises
    ------
    TypeError, ValueError
        If an argument is malformed.

    Notes
    -----
    Cohen, Rosenfeld, Kolter 2019, Theorem 1 and appendix B. Far out, where errors would count, the
    probabilities of single duels bound those of labels.

    Examples
    --------
    >>> model = LinearClassifier(weights=[3.0, 4.0], bias=-1.0)
    >>> linear_smoothed_radius(model, [[1.0, 2.0]], sigma=0.5).radii.tolist()
    [2.0]
    """
    scale = as_sigma(sigma)
    leads, units = _duels(model, X, scale)
    c = model.classes.size
    every = np.arange(len(leads))
    chances = np.stack([_all_won(leads[:, k], units[k]) for k in range(c)], axis=1)
    A = leads.min(axis=2).argmax(axis=1) if c == 2 else chances.argmax(axis=1)
    lost = log_ndtr(-leads[every, A])  # of single duels, the own entry nothing
    fails, rivals = logsumexp(lost, axis=1), lost.max(axis=1)
    if c > 2:
        slack = _ACCURACY_OF_THREE if c == 3 else _ACCURACY_OF_MORE
        top = chances[every, A]
        chances[every, A] = 0.0  # leaves its rivals
        with np.errstate(divide="ignore"):
            fails = np.minimum(fails, np.log(np.minimum(1.0, 1 - top + slack)))
            rivals = np.minimum(rivals, np.log(np.minimum(1.0, chances.max(axis=1) + slack)))
    closest = leads[every, A].min(axis=1)
    # No label is likelier than to win its closest duel; and logarithms end at -1e308.
    sure = np.minimum(-ndtri_exp(fails), closest)
    radii = scale / 2 * (sure + np.where(np.isneginf(rivals), closest, -ndtri_exp(rivals)))
    return certified(
        model.classes[A], radii, -np.expm1(fails), np.exp(rivals), sigma=scale, confidence=1.0
    )


def _duels(model: LinearClassifier, X: ArrayLike, sigma: float) -> tuple[FloatArray, FloatArray]:
    """Return each label's lead over each other in standard deviations, and the unit gradients.

    Shapes (n, c, c) and (c, c, s). The lead over oneself is inf; over labels with the same weights
    ±inf, as no noise parts them.
    """
    inputs = as_inputs(X, model.dimension)
    scores, rows = class_scores(model, inputs), live_rows(model)[0]
    gradients = rows[:, None] - rows
    size = np.linalg.norm(gradients, axis=2)
    leads = scores[:, :, None] - scores[:, None, :]
    first = np.tri(len(rows), dtype=bool).T  # of two labels that tie the first one wins
    certain = np.where((leads > 0) | ((leads == 0) & first), np.inf, -np.inf)
    with np.errstate(divide="ignore", invalid="ignore"):
        leads = np.where(size > 0, leads / (sigma * size), certain)
        units = np.where(size[..., None] > 0, gradients / size[..., None], 0.0)
    return leads, units


def _all_won(leads: FloatArray, units: FloatArray) -> FloatArray:
    """Return the probability (n,) that z·u_j <= lead_j for all j, z standard Gaussian."""
    uncertain = ~np.isposinf(leads).all(axis=0)
    h, u = leads[:, uncertain], units[uncertain]
    if h.shape[1] < 2:
        chances: FloatArray = ndtr(h).prod(axis=1)
        return chances
    if h.shape[1] == 2:
        return _both_won(h[:, 0], h[:, 1], u[0], u[1])
    covariance = u @ u.T
    np.fill_diagonal(covariance, 1.0)
    found: FloatArray = ndtr(h.min(axis=1))
    for i in np.flatnonzero(found > _ACCURACY_OF_MORE / 10):
        found[i] = multivariate_normal.cdf(
            h[i].clip(max=40.0),  # where Φ is 1
            cov=covariance,
            allow_singular=True,
            abseps=_ACCURACY_OF_MORE / 10,
            maxpts=_POINTS,
            rng=np.random.default_rng(0),
        )
    return found


def _both_won(h: FloatArray, k: FloatArray, u: FloatArray, v: FloatArray) -> FloatArray:
    """Return P(z·u <= h, z·v <= k) by Owen's T (Owen 1956, equation 2.1).

    The sine of the angle between u and v comes from u ± v, lest 1 - cosine² lose small angles.
    """
    apart, along = float(np.linalg.norm(u - v)), float(np.linalg.norm(u + v))
    if not u.any() or not v.any():  # what is certain is independent
        product: FloatArray = ndtr(h) * ndtr(k)
        return product
    if apart == 0:
        return np.asarray(ndtr(np.minimum(h, k)))
    if along == 0:
        return np.asarray((ndtr(h) - ndtr(-k)).clip(min=0.0))
    sine, cosine = apart * along / 2, (along**2 - apart**2) / 4

    def owen(a: FloatArray, b: FloatArray) -> FloatArray:
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            slope = np.where(a == 0, np.copysign(np.inf, b), (b - cosine * a) / (a * sine))
        return np.asarray(owens_t(a, slope))

    h, k = h.clip(-40.0, 40.0), k.clip(-40.0, 40.0)
    opposite = (np.sign(h) * np.sign(k) < 0) | ((h == 0) & (k < 0)) | ((k == 0) & (h < 0))
    both = (ndtr(h) + ndtr(k)) / 2 - owen(h, k) - owen(k, h) - opposite / 2
    at_apex = 0.5 - np.arctan2(sine, cosine) / (2 * np.pi)
    chances: FloatArray = np.where((h == 0) & (k == 0), at_apex, both).clip(0.0, 1.0)
    return chances
