"""Two Gaussian classes: what a classifier of a given accuracy keeps under attack at most."""

import math
from typing import NamedTuple

import numpy as np
from scipy.optimize import brentq
from scipy.special import ndtr

from theory.limits.checks import as_share
from theory.limits.gaussian import largest_deviation, mean_positive_part
from theory.mixtures import GaussianClasses, margin_law, robust_bayes_classifier
from theory.validation import FloatArray

# By how much an accuracy may exceed the highest there is and still count as that one.
_ROUNDING = 1e-9
_FAR = 40.0  # deviations beyond which Φ is 0 or 1 in float64


class _Curve(NamedTuple):
    """Labels -1 and +1 are right with Φ(gap/2 - tilt) and Φ(gap/2 + tilt): one classifier a tilt.

    Attributes
    ----------
    priors : array, shape (2,)
        Of the labels -1 and +1.
    gap : float
        Negative where attacks reach farther than half the distance of the classes.
    """

    priors: FloatArray
    gap: float

    def accuracy(self, tilt: float) -> float:
        return float(self.priors @ ndtr([self.gap / 2 - tilt, self.gap / 2 + tilt]))

    def peak(self) -> float:
        """Return the tilt of the highest accuracy, for a gap of at least 0 [L16]."""
        log_odds = math.log(self.priors[1]) - math.log(self.priors[0])
        far = self.gap / 2 + _FAR  # beyond which the accuracy is that of a constant
        return (
            min(max(log_odds / self.gap, -far), far) if self.gap else math.copysign(far, log_odds)
        )


def two_gaussians_robust_ceiling(
    classes: GaussianClasses, accuracy: float, eps: float, *, norm: float
) -> float:
    """Return the robust accuracy that no classifier of at least a given accuracy exceeds.

    Kind: upper, for every deterministic classifier; never above `robust_bayes_accuracy`. Exact for
    L2 and a covariance s² I, where a linear classifier has it. No box.

    Parameters
    ----------
    classes : GaussianClasses
        With a nonsingular covariance.
    accuracy : float
        At most that of `bayes_classifier`.
    eps : float, nonnegative
        In the units of x.
    norm : {2, inf}

    Returns
    -------
    float

    Raises
    ------
    ValueError
        If no classifier has this accuracy, or an argument is malformed.
    TypeError, UnsupportedSettingError
        As `robust_bayes_classifier`.

    Notes
    -----
    theory/proofs/limits.md, [L14] to [L17].

    Examples
    --------
    >>> classes = GaussianClasses(means=[[-2.0], [2.0]], covariance=1.0, positive_prior=0.8)
    >>> round(two_gaussians_robust_ceiling(classes, 0.5, 1.5, norm=2), 4)
    0.8138
    >>> round(two_gaussians_robust_ceiling(classes, 0.98, 1.5, norm=2), 4)
    0.7841
    """
    clean = _Curve(_priors(classes), _separation(classes, 0.0, norm))
    gap = _separation(classes, eps, norm)
    lo, hi = _tilts(clean, accuracy)
    least = clean.gap - 2 * float(eps) / largest_deviation(classes.covariance, norm=norm)
    attacked = _Curve(clean.priors, min(gap, least))
    room = (least - attacked.gap) / 2
    lo, hi = lo - room, hi + room
    ends = max(attacked.accuracy(lo), attacked.accuracy(hi))
    if attacked.gap <= 0:  # then between two tilts accuracy is below one of its ends
        return ends
    return max(ends, attacked.accuracy(min(max(attacked.peak(), lo), hi)))


def two_gaussians_distance_ceiling(
    classes: GaussianClasses, accuracy: float, *, norm: float = 2
) -> float:
    """Return the r_2 that no classifier of at least a given accuracy exceeds.

    Kind: upper, as `two_gaussians_robust_ceiling`: the mean distance to the nearest input of the
    other label, an error counted as zero. Of an accuracy within rounding of a constant's it has few
    digits.

    Parameters
    ----------
    classes, accuracy, norm
        As in `two_gaussians_robust_ceiling`; the norm is that of the distance.

    Returns
    -------
    float
        In the units of x; infinite where a constant is accurate enough.

    Raises
    ------
    TypeError, ValueError, UnsupportedSettingError
        As `two_gaussians_robust_ceiling`.

    Notes
    -----
    theory/proofs/limits.md, [L18].

    Examples
    --------
    >>> classes = GaussianClasses(means=[[-2.0], [2.0]], covariance=1.0)
    >>> round(two_gaussians_distance_ceiling(classes, 0.9), 4)
    2.0556
    """
    clean = _Curve(_priors(classes), _separation(classes, 0.0, norm))
    tilts = np.array(_tilts(clean, accuracy))
    scores = clean.gap / 2 + np.stack([-tilts, tilts], axis=1)
    means = mean_positive_part(scores) @ clean.priors
    return largest_deviation(classes.covariance, norm=norm) * float(means.max())


def _priors(classes: GaussianClasses) -> FloatArray:
    return np.array([1 - classes.positive_prior, classes.positive_prior])


def _separation(classes: GaussianClasses, eps: float, norm: float) -> float:
    """Return the distance of the classes in their deviations, once attacks bring them closer."""
    best = robust_bayes_classifier(classes, eps, norm=norm)
    return float(margin_law(classes, best).deviations[0])


def _tilts(clean: _Curve, accuracy: float) -> tuple[float, float]:
    """Return the least and the largest tilt with at least this accuracy [L16]; may be infinite."""
    wanted = as_share("accuracy", accuracy)
    if wanted.shape != ():
        raise ValueError(f"accuracy must be one number; got shape {wanted.shape}.")
    a, (never, always) = float(wanted), clean.priors.tolist()
    best = max(never, always, clean.accuracy(clean.peak()))
    if a > best + _ROUNDING:
        raise ValueError(f"accuracy must be at most {best:.9g}, the highest there is; got {a}.")
    lo = _crossing(clean, a, -1.0) if a > never else -math.inf
    hi = _crossing(clean, a, 1.0) if a > always else math.inf
    return lo, hi


def _crossing(clean: _Curve, accuracy: float, side: float) -> float:
    """Return the tilt beyond the peak, on one side, where accuracy has fallen to this one."""
    peak = clean.peak()
    if clean.accuracy(peak) <= accuracy:
        return peak
    end = side * (clean.gap / 2 + _FAR)
    return float(brentq(lambda tilt: clean.accuracy(tilt) - accuracy, peak, end, xtol=1e-13))
