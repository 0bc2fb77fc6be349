"""How the exercises of lesson 3 are judged."""

from typing import Any

import numpy as np
from scipy.stats import norm as normal

from exercises.judging import called, judge_number, number, require, vector
from theory.linear import LinearClassifier
from theory.mixtures import (
    GaussianClasses,
    bayes_classifier,
    clean_accuracy,
    margin_law,
    robust_accuracy,
    robust_bayes_accuracy,
    robust_bayes_classifier,
)


def _two_accuracies(mu: Any, eps: float) -> tuple[float, float]:
    """Return the clean accuracies of the Bayes classifier and of the one best at eps in Linf."""
    classes = GaussianClasses(means=[-mu, mu], covariance=1.0)
    best = robust_bayes_classifier(classes, eps, norm=np.inf)
    laws = (margin_law(classes, one) for one in (bayes_classifier(classes), best))
    before, after = (clean_accuracy(law) for law in laws)
    return before, after


def exercise_3a(answer: Any) -> None:
    """Judge a function that returns the Linf robust accuracy."""
    rng = np.random.default_rng(3)
    for sigma in (1.0, 0.5, 2.0):
        mu, w = rng.uniform(0.2, 1, size=3), rng.normal(0.8, 0.5, size=3)
        classes = GaussianClasses(means=[-mu, mu], covariance=sigma**2)
        model, eps = LinearClassifier(weights=w), 0.2
        truth = float(robust_accuracy(classes, model, eps, norm=np.inf))
        value = number(called(answer, mu, w, eps, sigma))
        with_l2 = float(robust_accuracy(classes, model, eps, norm=2))
        require(not np.isclose(value, with_l2), "That is for L2. The dual of L∞ is L1.")
        require(
            not np.isclose(value, normal.cdf((w @ mu) / (sigma * np.linalg.norm(w)))),
            "That is the accuracy without an attack: where is ε?",
        )
        require(
            sigma == 1 or not np.isclose(value, called(answer, mu, w, eps, 1.0)),
            "Your accuracy does not depend on σ.",
        )
        require(
            np.isclose(value, truth),
            f"At μ={mu.round(2)}, w={w.round(2)}, ε=.2, σ={sigma} it must be {truth:.4f}; yours is"
            f" {value:.4f}. The deviation of the margin is σ times the L2 length of w.",
        )


def exercise_3b(answer: Any) -> None:
    """Judge the budget at which the Bayes classifier is right half of the time."""
    mu = np.append(1.0, np.full(100, 0.1))
    judge_number(
        answer,
        float(mu @ mu / np.abs(mu).sum()),
        {
            float(np.linalg.norm(mu) / np.abs(mu).sum()): "w·μ is the square of the length of μ.",
            float(np.linalg.norm(mu)): "That is for L2. Here ε multiplies the L1 norm of w.",
            0.1: "There (3.4) drops weak features; the Bayes classifier keeps them.",
        },
        otherwise="Φ is ½ at 0: solve w·μ = ε|w|₁ with w = μ.",
    )


def exercise_3c(answer: Any) -> None:
    """Judge a price of robustness."""
    mu = np.append(1.0, np.full(100, 0.1))
    classes = GaussianClasses(means=[-mu, mu], covariance=1.0)
    before, after = _two_accuracies(mu, 0.3)
    attacked = robust_bayes_accuracy(classes, 0.3, norm=np.inf)
    judge_number(
        answer,
        before - after,
        {
            before - attacked: "That counts the attack too; the price is what is lost without one.",
            after: "That is the accuracy which is left; the price is the difference to the best.",
            100 * (before - after): "As a number between 0 and 1, please, not in percent.",
        },
        otherwise="At ε = .3 only the strong feature is left: Φ(1). Without an attack Bayes has"
        " Φ(|μ|₂).",
        tolerance=0.01,
    )


def exercise_3d(answer: Any) -> None:
    """Judge means for which robustness is cheap although the attack is costly."""
    mu = vector(answer, 3)
    require((mu > 0).all() and len(set(mu)) == 3, "The three numbers must be positive, different.")
    require(mu.max() > 0.5, "The attack of ε = .5 leaves nothing: make some entry larger.")
    classes = GaussianClasses(means=[-mu, mu], covariance=1.0)
    before, after = _two_accuracies(mu, 0.5)
    cost = before - robust_bayes_accuracy(classes, 0.5, norm=np.inf)
    require(
        cost >= 0.05,
        f"The attack costs only {cost:.3f}: the classes are too far apart for it to hurt.",
    )
    require(
        before - after < 0.001,
        f"The price is {before - after:.4f}. It is 0 if (3.4) is a multiple of μ: when is it"
        " nearly so?",
    )
