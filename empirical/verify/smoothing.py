"""Smoothed linear classifiers, met by sampled noise and by DeepFool."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from scipy.stats import norm
from sklearn.linear_model import LogisticRegression

from empirical.attacks import attack_distances
from empirical.data import sample_classes, sparse_mean_classes
from empirical.verify.verdict import Verdict, judge_identity
from theory.claims import CATALOGUE
from theory.claims.smoothing import linear_many_counterexamples
from theory.linear import LinearClassifier
from theory.validation import FloatArray

# So many draws an input that four standard errors are about a hundredth of a radius.
_DRAWS, _DRAWS_A_CALL = 1_000_000, 100_000
# Declared before any measurement: the relative error of a radius that counts as none.
_MARGIN = 0.02
_OVERSHOOT = "DeepFool ends up to 1e-4 beyond the boundary"


class _Sampled(NamedTuple):
    """A certificate from the shares of labels among the draws, and its standard error."""

    radius: float
    error: float


def _sampled(
    classify: Callable[[FloatArray], Any], x: FloatArray, sigma: float, rng: np.random.Generator
) -> _Sampled:
    """Return sigma/2 (Φ⁻¹(pA) - Φ⁻¹(pB)) with the two largest shares for pA and pB."""
    labels = [
        np.asarray(classify(x + sigma * rng.normal(size=(_DRAWS_A_CALL, x.size))))
        for _ in range(_DRAWS // _DRAWS_A_CALL)
    ]
    counts = np.sort(np.unique(np.concatenate(labels), return_counts=True)[1])
    # A rival that no draw found counts as found once, which keeps its radius finite.
    shares = np.append(1, counts.clip(max=_DRAWS - 1))[-2:][::-1] / _DRAWS
    scores = norm.ppf(shares)
    slopes = np.array([1.0, -1.0]) / norm.pdf(scores)
    variance = ((shares * slopes**2).sum() - (shares @ slopes) ** 2) / _DRAWS
    return _Sampled(sigma / 2 * float(scores[0] - scores[1]), sigma / 2 * float(np.sqrt(variance)))


def check_linear_binary(rng: np.random.Generator) -> Verdict:
    """Return the verdict on two labels: sampled certificates, and DeepFool's distances."""
    data = sample_classes(sparse_mean_classes(8, nonzeros=2, separation=1.5), 200, rng=rng)
    fitted = LogisticRegression().fit(data.X, data.y)
    model = LinearClassifier(weights=fitted.coef_, bias=fitted.intercept_)
    labels = fitted.predict(data.X)
    found = attack_distances([model], data.X, labels, attack="l2_deepfool", box=None).distances[0]
    # Inputs of middling distance: at .5 to 2.5 sigma a share of draws says most about a radius.
    rows = np.argsort(found)[70:130:10]
    claim, middle = CATALOGUE["smoothing.linear-binary"], float(np.median(found))
    sampled = [
        _sampled(fitted.predict, x, sigma, rng)
        for sigma in (middle, middle / 2)
        for x in data.X[rows]
    ]
    radii, errors = np.array(sampled).T
    return judge_identity(
        claim,
        np.tile(claim.predict(model, data.X[rows]), 3),
        np.concatenate([radii, found[rows]]),
        tolerance=1e-3,
        reason=_OVERSHOOT,
        errors=np.concatenate([errors, np.zeros(rows.size)]),
        margin=_MARGIN,
    )


def check_linear_many(rng: np.random.Generator) -> Verdict:
    """Return the verdict on three labels, at the counterexamples: sampled certificates."""
    claim, predicted, sampled = CATALOGUE["smoothing.linear-many"], [], []
    for model, X, sigma in linear_many_counterexamples():
        W, b = model.weights, model.bias

        def classify(points: FloatArray, W: Any = W, b: Any = b) -> Any:
            return (points @ W.T + b).argmax(axis=1)

        predicted += [*claim.predict(model, X)]
        sampled += [_sampled(classify, x, sigma, rng) for x in X]
    radii, errors = np.array(sampled).T
    return judge_identity(
        claim,
        predicted,
        radii,
        tolerance=1e-3,
        reason="none is known: sampling has its standard errors",
        errors=errors,
        margin=_MARGIN,
    )
