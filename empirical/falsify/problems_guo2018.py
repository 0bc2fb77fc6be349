"""Instances of Theorem 3.1 of Guo et al. 2018: a linear classifier and labelled inputs.

What is so comes from the definitions: each input's distance to the boundary, and what a step along
the sign of w leaves right.
"""

from collections.abc import Callable
from dataclasses import replace
from itertools import combinations, product
from typing import Any

import numpy as np

from empirical.falsify.exact import as_floats, lengths
from empirical.falsify.search import TINY, Instance, Search, Span
from theory.claims import CATALOGUE
from theory.claims.claim import Claim
from theory.linear import LinearClassifier
from theory.linear.moments import CorrectMoments, correct_moments
from theory.validation import UnsupportedSettingError

_POINTS = 4
LINEAR_AXES = {"w": ("input",), "b": (), "X": ("point", "input"), "y": ("point",)}
LABELS = frozenset({"y"})
LINEAR_SPACE = (
    Span("w", (2,), -2, 2),
    Span("b", (), -1, 1),
    Span("X", (_POINTS, 2), -2, 2),
    Span("y", (_POINTS,), 0, 1, whole=True),
)
_EPS = Span("eps", (), 0.01, 1)
# Of eps, for bounds that fall with it: with no variance they step, as sharply as sums are rounded.
_LESS = 1 - 1e-10
# The held-out error allowed, of r_2: the claim's own number.
_HELD_OUT = 0.1


def linear_classifier(instance: Instance) -> LinearClassifier:
    """Return the classifier of an instance.

    Raises
    ------
    UnsupportedSettingError
        If its weights are zero: then no step leads anywhere.
    """
    if not instance["w"].any():
        raise UnsupportedSettingError("w must not be zero.")
    refuse_other_labels(instance)
    return LinearClassifier(weights=instance["w"], bias=instance["b"])


def refuse_other_labels(instance: Instance) -> None:
    """Raise UnsupportedSettingError unless all labels are -1 or +1."""
    if not set(as_floats(instance["y"]).tolist()) <= {-1.0, 1.0}:
        raise UnsupportedSettingError("y must hold -1 and +1 only.")


def labelled(arrays: Instance) -> Instance:
    """Return arrays with labels -1 and +1 in place of 0 and 1.

    Raises
    ------
    ValueError
        If the weights are all but zero.
    """
    if np.abs(arrays["w"]).max() < TINY**0.5:
        raise UnsupportedSettingError("w must not be zero.")
    return {**arrays, "y": 2 * arrays["y"] - 1}


def margins(instance: Instance, X: Any = None) -> Any:
    """Return y f(x) of each input, floats or fractions."""
    points = instance["X"] if X is None else X
    return instance["y"] * (points @ instance["w"] + instance["b"])


def _moments(instance: Instance) -> tuple[LinearClassifier, CorrectMoments]:
    model = linear_classifier(instance)
    return model, correct_moments(model, instance["X"], instance["y"])


def _moments_of_both(instance: Instance) -> tuple[LinearClassifier, CorrectMoments]:
    """Return moments that are all of something: m_k of no inputs would be zero by convention."""
    model, moments = _moments(instance)
    if (moments.accuracies == 0).any():
        raise UnsupportedSettingError("some inputs of each label must be right.")
    return model, moments


def mean_distance(instance: Instance) -> Any:
    """Return the mean of 1{correct} times the distance to the boundary, floats or fractions."""
    right = margins(instance)
    right = np.where(right > 0, right, right * 0)
    return right.sum() / len(right) / lengths(instance["w"][None], 2)[0]


def _with_equal_shares(arrays: Instance) -> Instance:
    """Return as many inputs of each label, moved along w until as many of each are right."""
    w, spots = arrays["w"], arrays["X"]
    labels = np.repeat([1.0, -1.0], len(spots) // 2)
    right = np.tile(np.arange(len(spots) // 2) < arrays["right"], 2)
    wanted = labels * np.where(right, 1.0, -1.0) * arrays["margins"]
    if np.abs(w).max() < TINY**0.5:
        raise UnsupportedSettingError("w must not be zero.")
    moves = (wanted - spots @ w - arrays["b"])[:, None] * w / (w @ w)
    return {"w": w, "b": arrays["b"], "X": spots + moves, "y": labels}


def _survivors(instance: Instance, *, clipped: bool) -> Any:
    """Return the accuracy after the sign-gradient step; margins of the size of rounding are lost.

    Kind: exact but for those, else lower.
    """
    w, X, eps = instance["w"], instance["X"], instance["eps"]
    moved = X - eps * instance["y"][:, None] * np.sign(w)
    if clipped:
        if (X < 0).any() or (X > 1).any():
            raise UnsupportedSettingError("inputs must lie in the box [0, 1].")
        moved = np.minimum(np.maximum(moved, X * 0), X * 0 + 1)
    left = margins(instance, moved)
    size = np.abs(X) @ np.abs(w) + eps * np.abs(w).sum() + abs(instance["b"])
    kept = left > size * 1e-12  # fractions need no such thing, and are hardly changed by it
    return int(kept.sum()) / len(left)


def _survived(instance: Instance) -> Any:
    return _survivors(instance, clipped=False)


def _survived_clipped(instance: Instance) -> Any:
    return _survivors(instance, clipped=True)


def _mean_held_out_error(instance: Instance) -> float:
    """Return |mean error| / r_2 of predictions from half of the inputs of each label.

    The mean over all halvings, each way round: exact.
    """
    X, y, model = instance["X"], instance["y"], linear_classifier(instance)
    rows = [np.flatnonzero(y == label) for label in (-1, 1)]
    if any(part.size < 2 or part.size % 2 for part in rows):
        raise UnsupportedSettingError("each label must have an even number of inputs.")
    halves = [combinations(part, part.size // 2) for part in rows]
    errors, sizes = [], []
    for chosen in product(*halves):
        seen = np.isin(np.arange(y.size), np.concatenate(chosen))
        moments = correct_moments(model, X[seen], y[seen])
        found = mean_distance({**instance, "X": X[~seen], "y": y[~seen]})
        errors.append(CATALOGUE["guo2018.r2-held-out"].predict(model, moments) - found)
        sizes.append(found)
    if np.mean(sizes) < TINY:
        raise UnsupportedSettingError("some inputs must be right.")
    return float(abs(np.mean(errors)) / np.mean(sizes))


def _halved(arrays: Instance) -> Instance:
    return labelled({**arrays, "y": np.repeat([0.0, 1.0], len(arrays["X"]) // 2)})


def _mean_of(key: str, **given: Any) -> Search:
    """Return the search of a formula for r_2."""
    formula: Callable[..., float] = CATALOGUE[key].predict
    settings: dict[str, Any] = {
        "claim": CATALOGUE[key],
        "direction": "equal",
        "space": LINEAR_SPACE,
        "build": labelled,
        "claimed": lambda instance: formula(*_moments_of_both(instance)),
        "true": mean_distance,
        "kind": "exact: the mean distance to the boundary, errors counted as 0",
        "axes": LINEAR_AXES,
        "fixed": LABELS,
        "rational": True,
    }
    return Search(**(settings | given))


def accuracy_bound(claim: Claim) -> Search:
    """Return the search of a bound on r_inf from moments."""
    return Search(
        claim=claim,
        direction="upper",
        space=(*LINEAR_SPACE, _EPS),
        build=labelled,
        claimed=lambda instance: float(
            claim.predict(*_moments_of_both(instance), instance["eps"] * _LESS)
        ),
        true=_survived,
        kind="exact: the accuracy after a step of eps along the sign of w",
        axes={**LINEAR_AXES, "eps": ()},
        fixed=LABELS,
        reason="rounding of the moments",
        rational=True,
    )


_BOXED = (*LINEAR_SPACE[:2], Span("X", (_POINTS, 2), 0, 1), LINEAR_SPACE[3], _EPS)

SEARCHES = (
    _mean_of(
        "guo2018.r2",
        space=(
            *LINEAR_SPACE[:3],
            Span("margins", (_POINTS,), 0.01, 2),
            Span("right", (), 1, _POINTS // 2, whole=True),
        ),
        build=_with_equal_shares,
    ),
    _mean_of(
        "guo2018.r2-general",
        claimed=lambda one: CATALOGUE["guo2018.r2-general"].predict(*_moments(one)),
    ),
    _mean_of("guo2018.r2-unrestricted"),
    accuracy_bound(CATALOGUE["guo2018.rinf-markov"]),
    accuracy_bound(CATALOGUE["guo2018.rinf-two-moments"]),
    replace(
        accuracy_bound(CATALOGUE["guo2018.rinf-clipped"]),
        space=_BOXED,
        true=_survived_clipped,
        kind="exact: the accuracy after that step, clipped to [0, 1]",
    ),
    Search(
        claim=CATALOGUE["guo2018.r2-held-out"],
        direction="upper",
        space=(*LINEAR_SPACE[:2], Span("X", (8, 2), -2, 2)),
        build=_halved,
        claimed=lambda instance: _HELD_OUT,
        true=_mean_held_out_error,
        kind="exact: the mean error over all halvings, of r_2",
        axes=LINEAR_AXES,
        fixed=LABELS,
        scale=1.0,
    ),
)
