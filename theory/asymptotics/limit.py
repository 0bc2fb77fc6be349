"""What training reaches, and how accurate and robust that is."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from theory.asymptotics.law import CoordinateLaw
from theory.asymptotics.objective import Objective
from theory.mixtures import MarginLaw, accuracy_after_drop, clean_accuracy, mean_positive_margin
from theory.validation import FloatArray, as_budget


@dataclass(frozen=True, kw_only=True, eq=False)
class Limit:
    """The trained classifier as n, d -> infinity; every number is an estimate (a limit) of it.

    Parameters
    ----------
    objective : Objective
    law : CoordinateLaw
    ratio : float
        n / d.
    overlap : float
        w·mu, the mean margin of a fresh input.
    spread : float
        The standard deviation of a fresh margin; ||w||_2 where the noise is 1.
    norm : float
        ||w||_2.
    l1_norm : float
        ||w||_1 / sqrt(d).
    nonzero_fraction : float
        The share of weights that are not zero.
    susceptibility : float
        How far a training margin's fit moves it, for each unit of slope of the loss.
    training_loss : float
        The mean loss over the training inputs, under the training attack, without penalties.
    iterations : int
        Newton steps taken.
    residual : float
        The largest relative error in the equations of the limit.
    prox_residual, quadrature_error : float
        The same of the fitted training margins, and of the integrals over them; 0 where these are
        closed forms.
    """

    objective: Objective
    law: CoordinateLaw
    ratio: float
    overlap: float
    spread: float
    norm: float
    l1_norm: float
    nonzero_fraction: float
    susceptibility: float
    training_loss: float
    iterations: int
    residual: float
    prox_residual: float
    quadrature_error: float

    @property
    def cosine(self) -> float:
        """The cosine of the angle between w and mu; 0 where there is no signal."""
        signal = self.law.signal
        return self.overlap / (self.norm * signal) if signal > 0 else 0.0


def fresh_margins(limit: Limit) -> MarginLaw:
    """Return the law of the signed margin of a fresh input.

    Kind: estimate (limit). For Gaussian inputs and w = the trained weights it is Gaussian.

    Parameters
    ----------
    limit : Limit

    Returns
    -------
    MarginLaw

    Notes
    -----
    theory/proofs/asymptotics.md, [A1].
    """
    return MarginLaw(means=[limit.overlap] * 2, deviations=[limit.spread] * 2, priors=[0.5, 0.5])


def limit_accuracy(limit: Limit) -> float:
    """Return the accuracy on fresh inputs; kind: estimate (limit).

    Parameters
    ----------
    limit : Limit

    Returns
    -------
    float
    """
    return clean_accuracy(fresh_margins(limit))


def limit_robust_accuracy(
    limit: Limit, *, eps: ArrayLike = 0.0, eps_inf: ArrayLike = 0.0
) -> FloatArray:
    """Return the accuracy under an attack that may move an input by both budgets together.

    Kind: estimate (limit). No box.

    Parameters
    ----------
    limit : Limit
    eps : float or array, nonnegative
        L2 budget, in units of x.
    eps_inf : float or array, nonnegative
        sqrt(d) times the Linf budget.

    Returns
    -------
    array, of the broadcast shape

    Raises
    ------
    TypeError, ValueError
        If a budget is negative or not finite.

    Notes
    -----
    Pr(margin > eps ||w||_2 + eps_inf ||w||_1 / sqrt(d)).
    """
    drop = as_budget(eps) * limit.norm + as_budget(eps_inf, "eps_inf") * limit.l1_norm
    return accuracy_after_drop(fresh_margins(limit), np.asarray(drop))


def limit_r_2(limit: Limit) -> float:
    """Return r_2, E[1{correct} · L2 distance to the decision boundary]; kind: estimate (limit).

    Parameters
    ----------
    limit : Limit

    Returns
    -------
    float
        In units of x.
    """
    return mean_positive_margin(fresh_margins(limit)) / limit.norm
