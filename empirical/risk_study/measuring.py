"""What given weights do on a mixture: accuracy, robust accuracy, r_2, sparsity, sizes."""

import math
from collections.abc import Mapping

import numpy as np

from empirical.risk_study.optimality import attacked_losses, margin_drop
from empirical.risk_study.sampling import Mixture, normal_noise, sign_noise
from theory.asymptotics import Objective
from theory.linear import LinearClassifier
from theory.mixtures import GaussianClasses, accuracy_after_drop, margin_law, mean_positive_margin
from theory.validation import FloatArray, UnsupportedSettingError

_BLOCK = 2_000_000  # entries of fresh inputs that are held at a time


def population_measures(
    mixture: Mixture,
    weights: FloatArray,
    *,
    eps: FloatArray,
    eps_inf: FloatArray,
) -> dict[str, float | FloatArray]:
    """Return accuracy, robust accuracy and r_2 of weights on a mixture with Gaussian noise.

    Kind: exact given the weights. No box. A tie counts as an error.

    Parameters
    ----------
    mixture : Mixture
        With `normal_noise`.
    weights : array, shape (d,)
        Not all zero.
    eps, eps_inf : arrays of one shape
        L2 budgets, and sqrt(d) times Linf budgets, pair by pair: an attack may use both, its move
        a sum of two.

    Returns
    -------
    dict
        "accuracy", "robust_accuracy" (an array), "r_2" (in units of x).

    Raises
    ------
    UnsupportedSettingError
        If the noise is not Gaussian, or all weights are zero.
    """
    if mixture.noise is not normal_noise:
        raise UnsupportedSettingError("mixture must have Gaussian noise; got another: draw inputs.")
    norm = _norm(weights)
    classes = GaussianClasses(
        means=np.stack([-mixture.mu, mixture.mu]), covariance=mixture.scales**2
    )
    law = margin_law(classes, LinearClassifier(weights=weights))
    drops = _drops(weights, eps, eps_inf)
    return {
        "accuracy": float(accuracy_after_drop(law, 0.0)),
        "robust_accuracy": accuracy_after_drop(law, drops),
        "r_2": mean_positive_margin(law) / norm,
    }


def sampled_measures(
    mixture: Mixture,
    weights: FloatArray,
    *,
    eps: FloatArray,
    eps_inf: FloatArray,
    count: int,
    rng: np.random.Generator,
) -> dict[str, float | FloatArray]:
    """Return what `population_measures` does, on fresh inputs, for noise of any law.

    Kind: estimates, with a standard error of at most 0.5 / sqrt(count) for accuracies. Ties count
    as errors.

    Parameters
    ----------
    mixture, weights, eps, eps_inf
        As in `population_measures`.
    count : int
        Of inputs.
    rng : numpy.random.Generator

    Raises
    ------
    UnsupportedSettingError
        If all weights are zero.
    """
    norm, margins = _norm(weights), _fresh_margins(mixture, weights, count, rng)
    drops = _drops(weights, eps, eps_inf)
    return {
        "accuracy": float((margins > 0).mean()),
        "robust_accuracy": (margins[:, None] > drops.ravel()).mean(axis=0).reshape(drops.shape),
        "r_2": float(np.maximum(margins, 0).mean()) / norm,
    }


def sizes(mixture: Mixture, weights: FloatArray) -> Mapping[str, float]:
    """Return how large weights are and how many are left. Kind: exact.

    Returns
    -------
    mapping
        "overlap" (mu·w), "spread" (deviation of a fresh margin), "norm" (L2), "l1_norm" (divided
        by sqrt(d)) and "nonzero_fraction", the share of weights that are not exactly 0.
    """
    return {
        "overlap": float(mixture.mu @ weights),
        "spread": float(np.linalg.norm(mixture.scales * weights)),
        "norm": float(np.linalg.norm(weights)),
        "l1_norm": float(np.abs(weights).sum()) / math.sqrt(weights.size),
        "nonzero_fraction": float(np.mean(weights != 0)),
    }


def training_loss(objective: Objective, weights: FloatArray, X: FloatArray, y: FloatArray) -> float:
    """Return the mean loss of training inputs at their worst within the attack, without penalties.

    Kind: exact.
    """
    drop = margin_drop(objective, weights)
    return float(attacked_losses(objective, y * (X @ weights), drop).mean())


def _norm(weights: FloatArray) -> float:
    norm = float(np.linalg.norm(weights))
    if norm == 0:
        raise UnsupportedSettingError("weights must make a boundary; got w=0.")
    return norm


def _drops(weights: FloatArray, eps: FloatArray, eps_inf: FloatArray) -> FloatArray:
    """Return the score that each pair of budgets can take away."""
    l1 = float(np.abs(weights).sum()) / math.sqrt(weights.size)
    return np.asarray(eps * np.linalg.norm(weights) + eps_inf * l1)


def _fresh_margins(
    mixture: Mixture, weights: FloatArray, count: int, rng: np.random.Generator
) -> FloatArray:
    d, margins = weights.size, []
    rows = max(1, _BLOCK // d)
    for start in range(0, count, rows):
        number = min(rows, count - start)
        y = sign_noise(rng, number, 1)[:, 0]
        noise = mixture.noise(rng, number, d) @ (mixture.scales * weights)
        margins.append(mixture.mu @ weights + y * noise)
    return np.concatenate(margins)
