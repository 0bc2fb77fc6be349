"""Moments of the correctly classified part of each class, and what moments bound."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from theory.linear.classifier import LinearClassifier, dual_norm, refuse_many_classes
from theory.linear.contest import open_contest
from theory.validation import FloatArray, UnsupportedSettingError, as_budget, as_finite


@dataclass(frozen=True, kw_only=True, eq=False)
class CorrectMoments:
    """Moments of the correctly classified part of the classes -1 and +1, in this order.

    Parameters
    ----------
    priors : array, shape (2,), summing to 1
        P(y = k).
    accuracies : array, shape (2,), in [0, 1]
        P(correct | y = k).
    means : array, shape (2, d)
        m_k = E[x | y = k, correct]; zero where nothing is correct.
    margin_variances : array, shape (2,), nonnegative
        Var[f(x) | y = k, correct].

    Raises
    ------
    TypeError, ValueError
        If a moment is malformed or outside its range.
    """

    priors: FloatArray
    accuracies: FloatArray
    means: FloatArray
    margin_variances: FloatArray

    def __post_init__(self) -> None:
        for name in ("priors", "accuracies", "means", "margin_variances"):
            array = as_finite(name, getattr(self, name))
            if array.shape[:1] != (2,) or array.ndim != (2 if name == "means" else 1):
                raise ValueError(f"{name} must have a row for -1 and +1; got shape {array.shape}.")
            if name != "means" and (array < 0).any():
                raise ValueError(f"{name} must be at least 0; got {array.min()}.")
            object.__setattr__(self, name, array)
        if abs(self.priors.sum() - 1) > 1e-9:
            raise ValueError(f"priors must sum to 1; got {self.priors.sum()}.")
        if (self.accuracies > 1).any():
            raise ValueError(f"accuracies must be at most 1; got {self.accuracies.max()}.")

    @property
    def shares(self) -> FloatArray:
        """P(y = k and correct)."""
        return np.asarray(self.priors * self.accuracies)


def correct_moments(model: LinearClassifier, X: ArrayLike, y: ArrayLike) -> CorrectMoments:
    """Return the moments of the correctly classified part of each class of a sample.

    Kind: exact for these inputs; an estimate of the moments of the law they come from.

    Parameters
    ----------
    model : LinearClassifier, binary
    X : array, shape (n, d)
    y : array, shape (n,)
        Both labels must occur.

    Raises
    ------
    TypeError, ValueError
        If an argument is malformed, or if a label is missing.
    UnsupportedSettingError
        If the model is not binary.

    Examples
    --------
    >>> model = LinearClassifier(weights=[3.0, 4.0])
    >>> moments = correct_moments(model, [[1.0, 0.0], [3.0, 0.0], [0.0, 1.0]], [1, 1, -1])
    >>> moments.accuracies.tolist(), moments.means.tolist()
    ([0.0, 1.0], [[0.0, 0.0], [2.0, 0.0]])
    """
    refuse_many_classes(model)
    contest = open_contest(model, X, y)
    margin = contest.lead.min(axis=1)
    counts = np.bincount(contest.own, minlength=2)
    if (counts == 0).any():
        raise ValueError(f"y must hold both labels, -1 and +1; got {counts[0]} and {counts[1]}.")
    correct = [(contest.own == k) & (margin > 0) for k in (0, 1)]
    hits = np.array([part.sum() for part in correct])
    return CorrectMoments(
        priors=counts / counts.sum(),
        accuracies=hits / counts,
        means=np.stack([contest.X[part].sum(axis=0) / max(1, part.sum()) for part in correct]),
        margin_variances=np.array([margin[part].var() if part.any() else 0.0 for part in correct]),
    )


def tail_bound(mean: ArrayLike, variance: ArrayLike, threshold: ArrayLike) -> FloatArray:
    """Return the supremum of Pr(Z >= threshold) over Z >= 0 with this mean and variance.

    Kind: upper, the least possible: 1 up to the mean, Markov's mean/a up to E[Z²]/mean (approached,
    not attained), Cantelli's var/(var + (a - mean)²) beyond. Arguments broadcast. Up to rounding:
    with no variance the step at the mean is as sharp as float64.

    Examples
    --------
    >>> tail_bound(1.0, 1.0, [0.5, 1.5, 3.0]).round(3).tolist()
    [1.0, 0.667, 0.2]
    """
    mu, var, a = (np.asarray(v, dtype=np.float64) for v in (mean, variance, threshold))
    with np.errstate(divide="ignore", invalid="ignore"):
        markov = mu / a
        cantelli = var / (var + (a - mu) ** 2)
        beyond = np.where(a * mu <= mu**2 + var, markov, cantelli)
    return np.where(a <= mu, 1.0, beyond)


def norm_of_w(model: LinearClassifier, norm: float) -> float:
    """Return the dual norm of w, refusing w = 0: a theorem divides by it."""
    size = dual_norm(model, norm)
    if size == 0:
        raise UnsupportedSettingError("the theorem divides by the norm of w; got w = 0.")
    return size


def margin_means(model: LinearClassifier, moments: CorrectMoments) -> FloatArray:
    """Return E[k f(x) | y = k, correct], zero where nothing is correct."""
    if moments.means.shape[1] != model.dimension:
        raise ValueError(
            f"moments must be of d={model.dimension} features; got {moments.means.shape[1]}."
        )
    along = np.asarray(model.weights @ moments.means.T)[0]
    means = model.classes * (along + model.bias[0])
    means = np.where(moments.accuracies > 0, means, 0.0)
    rounding = 1e-9 * (np.abs(along) + np.abs(model.bias[0]))
    if (means < -rounding).any():
        raise ValueError(
            "moments must be those of this model, whose correct margins are positive;"
            f" got a mean margin of {means.min()}."
        )
    return np.asarray(means.clip(min=0.0))


def markov_bound(
    model: LinearClassifier, moments: CorrectMoments, eps: ArrayLike, *, norm: float = np.inf
) -> FloatArray:
    """Return the bound sum_k P(k and correct) k f(m_k) / (eps ‖w‖_*) on robust accuracy.

    Kind: upper (proven without a box; with one it can be violated); inf at eps = 0.

    Parameters
    ----------
    model : LinearClassifier, binary
    moments : CorrectMoments
    eps : float or array of any shape, nonnegative
    norm : 1, 2 or inf
        Of the attack; inf bounds r_inf, as the paper does.

    Returns
    -------
    array, shape of eps

    Raises
    ------
    UnsupportedSettingError
        If w = 0.

    Notes
    -----
    Guo et al. 2018, Theorem 3.1, second part, for any priors and accuracies: Markov's inequality
    on the margin of the correctly classified.

    Examples
    --------
    >>> model = LinearClassifier(weights=[3.0, 4.0])
    >>> moments = correct_moments(model, [[1.0, 0.0], [0.0, -1.0]], [1, -1])
    >>> markov_bound(model, moments, [0.5, 1.0]).tolist()
    [1.0, 0.5]
    """
    drop = as_budget(eps) * norm_of_w(model, norm)
    mean = moments.shares @ margin_means(model, moments)
    return np.asarray(np.divide(mean, drop, out=np.full(drop.shape, np.inf), where=drop > 0))


def two_moment_bound(
    model: LinearClassifier, moments: CorrectMoments, eps: ArrayLike, *, norm: float = np.inf
) -> FloatArray:
    """Return the best bound on robust accuracy that two moments of the margin a class allow.

    Kind: upper (proven without a box), and tight: see `tail_bound`. Never above `markov_bound`
    nor above the accuracy.

    Parameters
    ----------
    model, moments, eps, norm
        As in `markov_bound`.

    Returns
    -------
    array, shape of eps

    Raises
    ------
    UnsupportedSettingError
        If w = 0.

    Examples
    --------
    >>> model = LinearClassifier(weights=[3.0, 4.0])
    >>> moments = correct_moments(model, [[1.0, 0.0], [0.0, -1.0]], [1, -1])
    >>> two_moment_bound(model, moments, [0.5, 1.0]).tolist()  # margins 3 and 4, drops 3.5 and 7
    [0.5, 0.0]
    """
    drop = (as_budget(eps) * norm_of_w(model, norm))[..., None]
    means, variances = margin_means(model, moments), moments.margin_variances
    return np.asarray(tail_bound(means, variances, drop) @ moments.shares)
