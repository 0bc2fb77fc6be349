"""The records of two Gaussian classes and of the margins a linear classifier gives them."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse as sp

from theory.linear import LinearClassifier
from theory.linear.classifier import refuse_many_classes
from theory.validation import FloatArray, as_finite

# A covariance computed in float64 is symmetric and positive to far less than this, relatively.
_ROUNDING = 1e-10


@dataclass(frozen=True, kw_only=True, eq=False)
class GaussianClasses:
    """Inputs x given label y drawn from N(mu_y, Sigma), one covariance for both labels.

    Parameters
    ----------
    means : array, shape (2, d)
        Row 0 is the mean of label -1, row 1 that of +1.
    covariance : float or array, shape (), (d,) or (d, d)
        A multiple of the identity, a diagonal, or a symmetric positive semidefinite matrix; kept
        as an array of shape (d,) or (d, d). Variances may be zero.
    positive_prior : float
        Probability of label +1, strictly between 0 and 1.

    Raises
    ------
    TypeError, ValueError
        If an entry is not a finite number; if shapes do not fit; if the covariance is asymmetric or
        has a negative variance (in a matrix: beyond 1e-10 of its largest entry); if the prior is
        not in (0, 1).

    Examples
    --------
    >>> GaussianClasses(means=[[-1, 0], [1, 0]], covariance=4.0).covariance.tolist()
    [4.0, 4.0]
    """

    means: Any
    covariance: Any
    positive_prior: float = 0.5

    def __post_init__(self) -> None:
        means = as_finite("means", self.means)
        if means.ndim != 2 or means.shape[0] != 2 or means.shape[1] == 0:
            raise ValueError(f"means must have shape (2, d) with d >= 1; got shape {means.shape}.")
        prior = as_finite("positive_prior", self.positive_prior)
        if prior.shape != () or not 0 < prior < 1:
            raise ValueError(f"positive_prior must be a number in (0, 1); got {prior}.")
        object.__setattr__(self, "means", means.copy())
        object.__setattr__(self, "covariance", _as_covariance(self.covariance, means.shape[1]))
        object.__setattr__(self, "positive_prior", float(prior))

    @property
    def dimension(self) -> int:
        """The number of features d."""
        return int(self.means.shape[1])


@dataclass(frozen=True, kw_only=True, eq=False)
class MarginLaw:
    """The law of the signed margin y (w·x + b): Gaussian within each label.

    Moments measured on real data may stand here too, as a plug-in estimate: the two deviations
    need not be equal.

    Parameters
    ----------
    means : array, shape (2,)
        Mean margin of label -1, then of +1; of any sign.
    deviations : array, shape (2,)
        Standard deviations, at least 0; 0 is a point mass.
    priors : array, shape (2,)
        Probabilities of the labels, at least 0; they sum to 1.

    Raises
    ------
    TypeError, ValueError
        If an entry is not a finite number or is out of its range, or a shape is not (2,).

    Examples
    --------
    >>> MarginLaw(means=[1, 2], deviations=[1, 0], priors=[0.5, 0.5]).means.tolist()
    [1.0, 2.0]
    """

    means: Any
    deviations: Any
    priors: Any

    def __post_init__(self) -> None:
        for name in ("means", "deviations", "priors"):
            pair = as_finite(name, getattr(self, name))
            if pair.shape != (2,):
                raise ValueError(f"{name} must have shape (2,); got shape {pair.shape}.")
            if name != "means" and (pair < 0).any():
                raise ValueError(f"{name} must be at least 0; got {pair.min()}.")
            object.__setattr__(self, name, pair.copy())
        if abs(self.priors.sum() - 1) > _ROUNDING:
            raise ValueError(f"priors must sum to 1; got {self.priors.tolist()}.")


def margin_law(classes: GaussianClasses, model: LinearClassifier) -> MarginLaw:
    """Return the law of the signed margin of a binary linear classifier.

    Kind: exact, for a model chosen without looking at the inputs it is asked about.

    Parameters
    ----------
    classes : GaussianClasses
    model : LinearClassifier
        Binary, of the dimension of the classes; w = 0 is allowed.

    Returns
    -------
    MarginLaw
        In score units.

    Raises
    ------
    UnsupportedSettingError
        If the model has more than two labels.
    ValueError
        If the dimensions differ.

    Notes
    -----
    Label y has mean y (w·mu_y + b) and variance w'Sigma w: theory/proofs/mixtures.md, [M1].

    Examples
    --------
    >>> classes = GaussianClasses(means=[[-1, 0], [1, 0]], covariance=4.0)
    >>> margin_law(classes, LinearClassifier(weights=[1, 0], bias=0.5)).means.tolist()
    [0.5, 1.5]
    """
    w = checked_weights(classes, model)
    Sigma = classes.covariance
    variance = float(w @ (Sigma * w if Sigma.ndim == 1 else Sigma @ w))
    deviation = math.sqrt(max(variance, 0.0))  # rounding may leave it just below zero
    return MarginLaw(
        means=np.array([-1.0, 1.0]) * (classes.means @ w + model.bias),
        deviations=[deviation, deviation],
        priors=[1 - classes.positive_prior, classes.positive_prior],
    )


def checked_weights(classes: GaussianClasses, model: LinearClassifier) -> FloatArray:
    """Return the dense weights (d,) of a binary model of the classes' dimension; refuse others."""
    refuse_many_classes(model)
    if model.dimension != classes.dimension:
        raise ValueError(
            f"model must have the classes' dimension d={classes.dimension}; got {model.dimension}."
        )
    sparse = sp.issparse(model.weights)
    rows = sp.csr_array(model.weights).toarray() if sparse else model.weights
    return np.asarray(rows[0], dtype=np.float64)


def _as_covariance(covariance: Any, d: int) -> FloatArray:
    Sigma = as_finite("covariance", covariance)
    if Sigma.shape not in {(), (d,), (d, d)}:
        raise ValueError(
            f"covariance must have shape (), ({d},) or ({d}, {d}); got shape {Sigma.shape}."
        )
    if Sigma.ndim == 2:
        return _as_positive_matrix(Sigma)
    if Sigma.min() < 0:
        raise ValueError(f"covariance must have no negative variance; got {Sigma.min()}.")
    return np.broadcast_to(Sigma, (d,)).copy()


def _as_positive_matrix(Sigma: FloatArray) -> FloatArray:
    slack = _ROUNDING * float(np.abs(Sigma).max())
    skew = float(np.abs(Sigma - Sigma.T).max())
    if skew > slack:
        raise ValueError(f"covariance must be symmetric; got mirrored entries {skew} apart.")
    symmetric = (Sigma + Sigma.T) / 2
    smallest = float(np.linalg.eigvalsh(symmetric)[0])
    if smallest < -slack:
        raise ValueError(
            "covariance must be positive semidefinite; got a direction of negative variance,"
            f" {smallest}."
        )
    return symmetric
