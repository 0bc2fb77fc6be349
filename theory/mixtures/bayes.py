"""The classifiers of two Gaussian classes that no classifier beats, with and without an attack."""

import math
from typing import Any

import numpy as np
import scipy.sparse as sp
from scipy.linalg import solve
from scipy.optimize import brentq, lsq_linear

from theory.linear import LinearClassifier
from theory.mixtures.accuracy import robust_accuracy
from theory.mixtures.law import GaussianClasses
from theory.validation import FloatArray, UnsupportedSettingError, as_budget, as_norm


def bayes_classifier(classes: GaussianClasses) -> LinearClassifier:
    """Return the most accurate of all classifiers: linear discriminant analysis.

    Kind: exact, up to the rounding of a linear solve. The score is the log-odds of label +1.

    Parameters
    ----------
    classes : GaussianClasses
        With a nonsingular covariance.

    Returns
    -------
    LinearClassifier
        If the two means are equal, as in `robust_bayes_classifier`.

    Raises
    ------
    UnsupportedSettingError
        If the covariance is singular.

    Notes
    -----
    w = Sigma^-1 (mu_+ - mu_-): theory/proofs/mixtures.md, [M4].

    Examples
    --------
    >>> bayes_classifier(GaussianClasses(means=[[0, 1], [2, 1]], covariance=1.0)).weights.tolist()
    [[2.0, 0.0]]
    """
    return robust_bayes_classifier(classes, 0.0, norm=2)


def robust_bayes_classifier(
    classes: GaussianClasses, eps: float, *, norm: float
) -> LinearClassifier:
    """Return a classifier that no other, linear or not, beats in robust accuracy.

    Kind: exact, up to the rounding of a linear solve. No box. The score is the log-odds of label +1
    after the optimal attack, which moves every input of label y by -y z, one z for all.

    Parameters
    ----------
    classes : GaussianClasses
        With a nonsingular covariance.
    eps : float, nonnegative
        In the units of x.
    norm : {2, inf}

    Returns
    -------
    LinearClassifier
        Dense weights; for norm inf those that vanish are exactly zero. If an attack can make the
        classes alike (eps at least the norm of half the difference of the means), w = 0 and the
        label is the likelier one: +1 at equal priors, where each constant is right half the time.

    Raises
    ------
    UnsupportedSettingError
        If the covariance is singular, or the norm is 0 or 1.
    TypeError, ValueError
        If eps is not one finite nonnegative number.
    RuntimeError
        If the solver of the lasso does not end (norm inf, covariance not diagonal).

    Notes
    -----
    w = 2 argmin_v v'Sigma v / 2 - mu'v + eps ||v||_dual with mu = (mu_+ - mu_-) / 2: ridge in L2,
    the lasso in Linf. Bhagoji, Cullina, Mittal, NeurIPS 2019 (arXiv 1909.12272), equal priors;
    Dobriban, Hassani, Hong, Robey 2020 (arXiv 2006.05161), any prior with Sigma = s I; proof for
    any prior and Sigma: theory/proofs/mixtures.md, [M4] to [M8].

    Examples
    --------
    >>> classes = GaussianClasses(means=[[-3, -1], [3, 1]], covariance=1.0)
    >>> robust_bayes_classifier(classes, 1.0, norm=float("inf")).weights.tolist()
    [[4.0, 0.0]]
    """
    w = 2 * _robust_direction(classes, eps, norm)
    log_odds = math.log(classes.positive_prior) - math.log1p(-classes.positive_prior)
    bias = log_odds - float(w @ classes.means.mean(axis=0))
    if not w.any() and bias == 0:
        bias = 1.0  # a score of 0 is a tie, an error for both labels; a constant is right for one
    return LinearClassifier(weights=w, bias=bias)


def robust_bayes_accuracy(classes: GaussianClasses, eps: float, *, norm: float) -> float:
    """Return the highest robust accuracy that any classifier, linear or not, can have.

    Kind: exact. No box.

    Parameters
    ----------
    classes, eps, norm
        As in `robust_bayes_classifier`.

    Returns
    -------
    float

    Raises
    ------
    TypeError, ValueError, UnsupportedSettingError
        As `robust_bayes_classifier`.

    Notes
    -----
    The robust accuracy of `robust_bayes_classifier`: theory/proofs/mixtures.md, [M5] and [M6].

    Examples
    --------
    >>> classes = GaussianClasses(means=[[-3, -4], [3, 4]], covariance=1.0)
    >>> round(robust_bayes_accuracy(classes, 4.0, norm=2), 4)
    0.8413
    """
    best = robust_bayes_classifier(classes, eps, norm=norm)
    return float(robust_accuracy(classes, best, eps, norm=norm))


def _robust_direction(classes: GaussianClasses, eps: float, norm: float) -> FloatArray:
    """Return argmin_v v'Sigma v / 2 - mu'v + eps ||v||_dual [M6]."""
    order, budget = as_norm(norm), as_budget(eps)
    if order not in (2, math.inf):
        raise UnsupportedSettingError(f"norm must be 2 or inf; got {norm}.")
    if budget.shape != ():
        raise ValueError(f"eps must be one number; got shape {budget.shape}.")
    size, mu = float(budget), (classes.means[1] - classes.means[0]) / 2
    variances, axes = _principal_axes(classes.covariance)
    if size >= np.linalg.norm(mu, ord=order):
        return np.zeros_like(mu)
    if size == 0:
        return np.asarray(axes @ ((axes.T @ mu) / variances))
    if order == 2:
        return np.asarray(axes @ _ridge_direction(variances, axes.T @ mu, size))
    if classes.covariance.ndim == 1:
        return np.asarray(np.sign(mu) * np.maximum(np.abs(mu) - size, 0) / variances)
    return _lasso_direction(classes.covariance, mu, size, (axes / np.sqrt(variances)).T)


def _principal_axes(Sigma: FloatArray) -> tuple[FloatArray, Any]:
    """Return the variances along, and in columns the directions of, the axes of a covariance."""
    variances, floor = Sigma, 0.0
    axes: Any = sp.eye_array(Sigma.shape[0], format="csr")
    if Sigma.ndim == 2:
        variances, axes = np.linalg.eigh(Sigma)
        floor = float(Sigma.shape[0] * np.finfo(np.float64).eps * variances[-1])
    if variances.min() <= floor:
        raise UnsupportedSettingError(
            "covariance must be nonsingular for a Bayes classifier; got variances from"
            f" {variances.min()} to {variances.max()} along its principal axes."
        )
    return variances, axes


def _ridge_direction(variances: FloatArray, mu: FloatArray, eps: float) -> FloatArray:
    """Return (Sigma + nu I)^-1 mu in principal axes, ||nu (Sigma + nu I)^-1 mu|| = eps [M7].

    Solved for s = 1/nu: ||mu / (1 + s variances)|| falls from ||mu|| > eps at s = 0 to at most
    eps / 2 at the other end, so that rounding cannot spoil the bracket, however near eps is.
    """

    def excess(s: float) -> float:
        return float(np.linalg.norm(mu / (1 + s * variances))) - eps

    end = 2 * float(np.linalg.norm(mu)) / (eps * float(variances.min()))
    finest = np.finfo(np.float64)
    s = brentq(excess, 0.0, end, xtol=finest.tiny, rtol=4 * finest.eps, maxiter=1000)
    return np.asarray(mu / (variances + 1 / s))


def _lasso_direction(
    Sigma: FloatArray, mu: FloatArray, eps: float, whiten: FloatArray
) -> FloatArray:
    """Return w = Sigma^-1 (mu - z), where z has |z_i| <= eps and the least whitened mu - z [M8].

    BVLS finds which z_i sit at a bound; w is solved for there and is exactly zero elsewhere.
    """
    target = whiten @ mu
    unit = np.linalg.norm(target)  # gradients are then of order 1, the scale of tol
    fit = lsq_linear(
        (eps / unit) * whiten,
        target / unit,
        bounds=(-1.0, 1.0),
        method="bvls",
        tol=1e-12,
        max_iter=20 * mu.size,
    )
    if fit.status == 0:
        raise RuntimeError(
            f"BVLS must end within {20 * mu.size} steps; got {fit.nit}, d={mu.size}."
        )
    sign = np.sign(fit.active_mask)
    held = np.flatnonzero(sign)
    w = np.zeros_like(mu)
    w[held] = solve(Sigma[np.ix_(held, held)], (mu - eps * sign)[held], assume_a="pos")
    return w
