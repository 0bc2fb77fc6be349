"""Accuracy, robust accuracy, r_2 and r_inf of a linear classifier on two Gaussian classes."""

import math

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtr

from theory.linear import LinearClassifier
from theory.linear.classifier import dual_norm
from theory.mixtures.law import GaussianClasses, MarginLaw, checked_weights, margin_law
from theory.validation import FloatArray, UnsupportedSettingError, as_budget, as_finite


def accuracy_after_drop(law: MarginLaw, drop: ArrayLike) -> FloatArray:
    """Return Pr(margin > drop): the accuracy left once every margin is lowered by drop.

    Kind: exact for this law. A margin equal to the drop does not survive.

    Parameters
    ----------
    law : MarginLaw
    drop : float or array of any shape, nonnegative
        In score units: eps times the dual norm of the weights.

    Returns
    -------
    array, shape of drop

    Raises
    ------
    TypeError, ValueError
        If a drop is not a finite number or is negative.

    Notes
    -----
    The mean over labels of Phi((mean - drop) / deviation): theory/proofs/mixtures.md, [M2].

    Examples
    --------
    >>> law = MarginLaw(means=[1, 1], deviations=[1, 1], priors=[0.5, 0.5])
    >>> accuracy_after_drop(law, [0.0, 1.0]).round(4).tolist()
    [0.8413, 0.5]
    """
    drops = as_finite("drop", drop)
    if (drops < 0).any():
        raise ValueError(f"drop must be at least 0; got {drops.min()}.")
    kept = ndtr(_standardised(law, drops[..., None]))
    return np.asarray((kept * law.priors).sum(axis=-1))


def clean_accuracy(law: MarginLaw) -> float:
    """Return Pr(margin > 0): the accuracy without an attack, a tie counted as an error.

    Kind: exact for this law.

    Parameters
    ----------
    law : MarginLaw

    Returns
    -------
    float

    Notes
    -----
    `accuracy_after_drop` at drop 0.

    Examples
    --------
    >>> law = MarginLaw(means=[1, 1], deviations=[1, 1], priors=[0.5, 0.5])
    >>> round(clean_accuracy(law), 4)
    0.8413
    """
    return float(accuracy_after_drop(law, 0.0))


def mean_positive_margin(law: MarginLaw) -> float:
    """Return E[max(margin, 0)]: the mean margin, an error counted as zero.

    Kind: exact for this law.

    Parameters
    ----------
    law : MarginLaw

    Returns
    -------
    float
        In score units.

    Notes
    -----
    The mean over labels of m Phi(m/s) + s phi(m/s), with m the label's mean and s its deviation:
    theory/proofs/mixtures.md, [M3].

    Examples
    --------
    >>> law = MarginLaw(means=[0, 2], deviations=[1, 0], priors=[0.5, 0.5])
    >>> round(mean_positive_margin(law), 4)
    1.1995
    """
    # Beyond 40 deviations both Phi and phi are 0 or 1 in float64, and t * t stays finite.
    t = _standardised(law, 0.0).clip(-40, 40)
    density = np.exp(-t * t / 2) / math.sqrt(2 * math.pi)
    return float(law.priors @ (law.means * ndtr(t) + law.deviations * density))


def robust_accuracy(
    classes: GaussianClasses, model: LinearClassifier, eps: ArrayLike, *, norm: float
) -> FloatArray:
    """Return the probability that no attack of norm at most eps can change the right label.

    Kind: exact. No box. A tie counts as an error.

    Parameters
    ----------
    classes : GaussianClasses
    model : LinearClassifier
        As in `margin_law`.
    eps : float or array of any shape, nonnegative
        In the units of x.
    norm : {1, 2, inf}

    Returns
    -------
    array, shape of eps

    Raises
    ------
    TypeError, ValueError
        As `margin_law`; if a budget is negative or not finite.
    UnsupportedSettingError
        As `margin_law`; if the norm is 0, which has no dual.

    Notes
    -----
    `accuracy_after_drop` at eps ||w||_dual: theory/proofs/mixtures.md, [M2].

    Examples
    --------
    >>> classes = GaussianClasses(means=[[-3, -4], [3, 4]], covariance=1.0)
    >>> robust_accuracy(classes, LinearClassifier(weights=[3, 4]), [0, 4], norm=2).round(4).tolist()
    [1.0, 0.8413]
    """
    drop = as_budget(eps) * dual_norm(model, norm)
    return accuracy_after_drop(margin_law(classes, model), drop)


def r_2(classes: GaussianClasses, model: LinearClassifier) -> float:
    """Return E[1{correct} · L2 distance to the decision boundary].

    Kind: exact. No box.

    Parameters
    ----------
    classes : GaussianClasses
    model : LinearClassifier
        As in `margin_law`, with w not zero.

    Returns
    -------
    float
        In the units of x.

    Raises
    ------
    ValueError
        As `margin_law`.
    UnsupportedSettingError
        As `margin_law`; if w = 0: there is no boundary.

    Notes
    -----
    `mean_positive_margin` / ||w||. The quantity: Guo et al. 2018 (arXiv 1810.09619), section 3.1;
    the formula: theory/proofs/mixtures.md, [M3].

    Examples
    --------
    >>> classes = GaussianClasses(means=[[-3, -4], [3, 4]], covariance=0.0)
    >>> r_2(classes, LinearClassifier(weights=[3, 4]))
    5.0
    """
    w = checked_weights(classes, model)
    if not w.any():
        raise UnsupportedSettingError("r_2 must have weights that make a boundary; got w=0.")
    return mean_positive_margin(margin_law(classes, model)) / float(np.linalg.norm(w))


def r_inf(classes: GaussianClasses, model: LinearClassifier, eps: ArrayLike) -> FloatArray:
    """Return the accuracy after every feature moved by eps along the sign of the loss's gradient.

    Kind: exact; for two labels it is the robust accuracy in Linf. No box.

    Parameters
    ----------
    classes, model, eps
        As in `robust_accuracy`.

    Returns
    -------
    array, shape of eps

    Raises
    ------
    TypeError, ValueError, UnsupportedSettingError
        As `robust_accuracy`.

    Notes
    -----
    Guo et al. 2018 (arXiv 1810.09619), section 3.1; theory/proofs/mixtures.md, [M2].

    Examples
    --------
    >>> classes = GaussianClasses(means=[[-3, -4], [3, 4]], covariance=1.0)
    >>> r_inf(classes, LinearClassifier(weights=[3, 4]), [2.0]).round(4).tolist()
    [0.9861]
    """
    return robust_accuracy(classes, model, eps, norm=math.inf)


def _standardised(law: MarginLaw, drop: FloatArray | float) -> FloatArray:
    """Return (mean - drop) / deviation; for a point mass inf above the drop, else -inf."""
    gap = law.means - drop
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        t = gap / law.deviations
    return np.where(law.deviations > 0, t, np.where(gap > 0, math.inf, -math.inf))
