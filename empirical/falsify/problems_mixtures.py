"""Instances of two Gaussian classes and a linear classifier.

What is so comes from the law of the margin: the move against the label is made, and the density
that is left on the right side is added up.
"""

import math
from typing import Any

import numpy as np

from empirical.falsify.problems_classics import NORMS, dual_move
from empirical.falsify.search import TINY, Instance, Search, Span
from theory.claims import CATALOGUE
from theory.linear import LinearClassifier
from theory.mixtures import GaussianClasses
from theory.validation import FloatArray, UnsupportedSettingError

_LABELS = np.array([-1.0, 1.0])
_FLOOR = 0.1  # of the variance in any direction: a nonsingular covariance
_NODES = np.polynomial.legendre.leggauss(100)
_FAR = 9.0  # deviations beyond which a Gaussian has nothing that float64 could add
_SPACE = (
    Span("means", (2, 2), -2, 2),
    Span("root", (2, 2), -1, 1),
    Span("prior", (), 0.05, 0.95),
    Span("w", (2,), -2, 2),
    Span("b", (), -2, 2),
)
_EPS = Span("eps", (), 0.01, 2)
_AXES = {
    "means": ("", "input"),
    "covariance": ("input", "input"),
    "prior": (),
    "w": ("input",),
    "b": (),
}


def _with_covariance(arrays: Instance) -> Instance:
    if np.abs(arrays["w"]).max() < TINY**0.5:
        raise UnsupportedSettingError("w must not be zero.")
    built = {name: array for name, array in arrays.items() if name != "root"}
    root = arrays["root"]
    built["covariance"] = root @ root.T + _FLOOR * np.eye(len(root))
    return built


def _with_norm(arrays: Instance) -> Instance:
    return _with_covariance({**arrays, "norm": np.asarray(NORMS[int(arrays["norm"])])})


def _law(instance: Instance) -> GaussianClasses:
    return GaussianClasses(
        means=instance["means"],
        covariance=instance["covariance"],
        positive_prior=float(instance["prior"]),
    )


def _model(instance: Instance) -> LinearClassifier:
    return LinearClassifier(weights=instance["w"], bias=instance["b"])


def _attacked(instance: Instance) -> dict[str, Any]:
    return {"eps": float(instance["eps"]), "norm": float(instance["norm"])}


def _margin_law(instance: Instance, eps: float = 0.0) -> tuple[FloatArray, float, FloatArray]:
    """Return the margins' means after the moves, their deviation, and the labels' priors."""
    w, b = instance["w"], instance["b"]
    if not w.any():
        raise UnsupportedSettingError("w must not be zero.")
    step = dual_move(w, float(instance["norm"])) if eps else np.zeros_like(w)
    moved = instance["means"] - eps * _LABELS[:, None] * step
    deviation = math.sqrt(max(0.0, float(w @ instance["covariance"] @ w)))
    if deviation == 0:
        raise UnsupportedSettingError("the margin must have a density.")
    prior = float(instance["prior"])
    return _LABELS * (moved @ w + b), deviation, np.array([1 - prior, prior])


def _robust_accuracy(instance: Instance) -> float:
    means, deviation, priors = _margin_law(instance, float(instance["eps"]))
    kept = [math.erfc(-mean / deviation / math.sqrt(2)) / 2 for mean in means]
    return float(priors @ kept)


def _mean_distance(instance: Instance) -> float:
    """Return E max(margin, 0) / ‖w‖ by quadrature of the density, exact to rounding."""
    means, deviation, priors = _margin_law(instance)
    return float(priors @ [_positive_part(m, deviation) for m in means]) / float(
        np.linalg.norm(instance["w"])
    )


def _positive_part(mean: float, deviation: float) -> float:
    lo, hi = max(0.0, mean - _FAR * deviation), max(0.0, mean + _FAR * deviation)
    at = lo + (hi - lo) * (_NODES[0] + 1) / 2
    density = np.exp(-(((at - mean) / deviation) ** 2) / 2) / deviation / math.sqrt(2 * math.pi)
    return float((hi - lo) / 2 * (_NODES[1] @ (at * density)))


def _formula(key: str, instance: Instance) -> float:
    return float(CATALOGUE[key].predict(_law(instance), _model(instance), **_attacked(instance)))


def _ceiling(instance: Instance) -> float:
    predict = CATALOGUE["mixtures.robust-bayes"].predict
    return float(predict(_law(instance), **_attacked(instance)))


_ACCURACY: dict[str, Any] = {
    "true": _robust_accuracy,
    "kind": "exact: Gaussian tails after the best move of each label",
    "axes": {**_AXES, "eps": (), "norm": ()},
    "fixed": frozenset({"norm"}),
    "build": _with_norm,
    "scale": 1.0,
}

SEARCHES = (
    Search(
        claim=CATALOGUE["mixtures.robust-accuracy"],
        direction="equal",
        space=(*_SPACE, _EPS, Span("norm", (), 0, 2, whole=True)),
        claimed=lambda instance: _formula("mixtures.robust-accuracy", instance),
        **_ACCURACY,
    ),
    Search(
        claim=CATALOGUE["mixtures.r2"],
        direction="equal",
        space=_SPACE,
        build=_with_covariance,
        claimed=lambda instance: float(
            CATALOGUE["mixtures.r2"].predict(_law(instance), _model(instance))
        ),
        true=_mean_distance,
        kind="exact: quadrature of the margin's density",
        axes=_AXES,
    ),
    Search(
        claim=CATALOGUE["mixtures.robust-bayes"],
        direction="upper",
        space=(*_SPACE, _EPS, Span("norm", (), 1, 2, whole=True)),
        claimed=_ceiling,
        **_ACCURACY,
    ),
)
