"""Instances of the classics: losses under attack, the norm outside, the hard-margin SVM.

What is so comes from the moves themselves: every input is moved and its loss added up; the hulls'
distance is the least over pairs of a point and a segment.
"""

from itertools import combinations_with_replacement
from typing import Any

import numpy as np
from scipy.optimize import linprog, minimize
from scipy.special import expit

from empirical.falsify.problems_guo2018 import (
    LABELS,
    LINEAR_AXES,
    LINEAR_SPACE,
    labelled,
    linear_classifier,
    refuse_other_labels,
)
from empirical.falsify.search import Instance, Search, Span
from theory.claims import CATALOGUE
from theory.claims.classics import Loss
from theory.validation import FloatArray, UnsupportedSettingError

NORMS = (1.0, 2.0, np.inf)
_LOSSES: tuple[Loss, Loss] = ("logistic", "hinge")
NORM = Span("norm", (), 0, 2, whole=True)
# The relative gradient below which a minimiser is found, of a residual of which 1e-3 counts.
_MINIMISED, _RESIDUAL = 1e-6, 1e-3


def dual_move(w: FloatArray, norm: float) -> FloatArray:
    """Return the move of this norm's length one that gains most along w."""
    if norm == np.inf:
        return np.sign(w)
    if norm == 2:
        return np.asarray(w / np.linalg.norm(w))
    return np.where(np.arange(w.size) == np.abs(w).argmax(), np.sign(w), 0.0)


def with_norm(arrays: Instance) -> Instance:
    """Return arrays with a norm in place of its number, and labels."""
    return labelled({**arrays, "norm": np.asarray(NORMS[int(arrays["norm"])])})


def _attacked(instance: Instance, sizes: Any) -> FloatArray:
    """Return y f of each input moved against its label by some sizes."""
    w, y = instance["w"], instance["y"]
    step = dual_move(w, float(instance["norm"]))
    moved = instance["X"] - np.asarray(sizes)[..., None] * y[:, None] * step
    return np.asarray(y * (moved @ w + instance["b"]))


def _losses(attacked: FloatArray, loss: Loss) -> FloatArray:
    if loss == "hinge":
        return np.maximum(0.0, 1.0 - attacked)
    return np.log1p(np.exp(-np.abs(attacked))) + np.maximum(0.0, -attacked)


def _claimed_inside(instance: Instance) -> float:
    return float(
        CATALOGUE["classics.norm-inside"].predict(
            linear_classifier(instance),
            instance["X"],
            instance["y"],
            instance["eps"],
            norm=float(instance["norm"]),
            loss=_LOSSES[int(instance["loss"])],
        )
    )


def _true_inside(instance: Instance) -> float:
    sizes = np.full(len(instance["y"]), instance["eps"])
    return float(_losses(_attacked(instance, sizes), _LOSSES[int(instance["loss"])]).sum())


def _claimed_aggregate(instance: Instance) -> float:
    data = instance["X"], instance["y"], instance["budget"]
    norm = float(instance["norm"])
    predict = CATALOGUE["classics.aggregate-hinge"].predict
    return float(predict(linear_classifier(instance), *data, norm=norm))


def true_aggregate(instance: Instance) -> float:
    """Return the largest hinge loss over all ways to share out the budget.

    Kind: exact: the loss is convex in the shares, so that one input gets it all.
    """
    shares = instance["budget"] * np.vstack([np.eye(len(instance["y"]))])
    return float(_losses(_attacked(instance, shares), "hinge").sum(axis=1).max())


def _outside_residual(instance: Instance) -> float:
    """Return, at the minimiser of the adversarial loss, the plain gradient's part across w.

    With their mirror images, which have the other label, the points make b = 0 optimal; and labels
    times inputs are the same for both.
    """
    refuse_other_labels(instance)
    points, eps = instance["y"][:, None] * instance["X"], float(instance["eps"])
    _refuse_separable(points)

    def loss(w: FloatArray) -> tuple[float, FloatArray]:
        size = float(np.linalg.norm(w))
        weight = expit(eps * size - points @ w)
        slope = weight.sum() * eps * w / max(size, 1e-12) - weight @ points
        return float(np.logaddexp(0.0, eps * size - points @ w).sum()), slope

    start = points.mean(axis=0)
    found: Any = minimize(loss, start, jac=True, method="BFGS", options={"gtol": 1e-10})
    w = np.asarray(found.x)
    plain = expit(-points @ w) @ points
    if not w.any() or not np.linalg.norm(loss(w)[1]) <= _MINIMISED * np.linalg.norm(plain):
        raise UnsupportedSettingError("the adversarial loss must have a minimiser w ≠ 0.")
    along = w / np.linalg.norm(w)
    across = plain - (plain @ along) * along
    return float(np.linalg.norm(across) / np.linalg.norm(plain))


def _refuse_separable(points: FloatArray) -> None:
    """Raise unless no w has every margin positive: then some mean of the points is zero."""
    ones = np.ones(len(points))
    mean = linprog(
        np.zeros(len(points)), A_eq=np.vstack([points.T, ones]), b_eq=[0.0] * points.shape[1] + [1]
    )
    if mean.status != 0:
        raise UnsupportedSettingError("no hyperplane may separate the points.")


def _two_clouds(arrays: Instance) -> Instance:
    y = np.repeat([1.0, -1.0], len(arrays["X"]) // 2)
    return {"X": arrays["X"] + y[:, None] * np.array([1.5, 0.0]), "y": y}


def _half_hull_distance(instance: Instance) -> float:
    """Return half the distance between the hulls of two separable classes in the plane.

    Kind: exact: of two convex polygons apart, a corner of one is nearest to an edge of the other.
    """
    one, other = (instance["X"][instance["y"] == label] for label in (1, -1))
    return min(_to_segments(one, other), _to_segments(other, one)) / 2


def _to_segments(points: FloatArray, ends: FloatArray) -> float:
    """Return the least distance of points to segments between any two ends."""
    pairs = list(combinations_with_replacement(range(len(ends)), 2))
    A, B = (ends[[pair[k] for pair in pairs]] for k in (0, 1))
    along = B - A
    length = np.maximum((along**2).sum(axis=1), 1e-300)
    share = ((points[:, None] - A) * along).sum(axis=2) / length
    nearest = A + share.clip(0.0, 1.0)[..., None] * along
    return float(np.linalg.norm(points[:, None] - nearest, axis=2).min())


_ATTACK_AXES = {**LINEAR_AXES, "norm": ()}

SEARCHES = (
    Search(
        claim=CATALOGUE["classics.norm-inside"],
        direction="equal",
        space=(*LINEAR_SPACE, Span("eps", (), 0, 2), NORM, Span("loss", (), 0, 1, whole=True)),
        build=with_norm,
        claimed=_claimed_inside,
        true=_true_inside,
        kind="witnessed: the loss after each input's best step",
        axes={**_ATTACK_AXES, "eps": (), "loss": ()},
        fixed=LABELS | {"norm", "loss"},
    ),
    Search(
        claim=CATALOGUE["classics.norm-outside"],
        direction="equal",
        space=(
            Span("X", (3, 2), -3, 3),
            Span("y", (3,), 0, 1, whole=True),
            Span("eps", (), 0.05, 1),
        ),
        build=lambda arrays: {**arrays, "y": 2 * arrays["y"] - 1},
        claimed=lambda instance: float(CATALOGUE["classics.norm-outside"].predict()),
        true=_outside_residual,
        kind="the plain gradient's part across w, where w minimises the adversarial loss of the"
        " points and their mirror images of the other label",
        axes={"X": ("point", "input"), "y": ("point",), "eps": ()},
        fixed=LABELS,
        allowance=_RESIDUAL,
        reason="the optimiser stops at a small gradient, not at zero",
        scale=1.0,
    ),
    Search(
        claim=CATALOGUE["classics.aggregate-hinge"],
        direction="equal",
        space=(*LINEAR_SPACE, Span("budget", (), 0.01, 3), NORM),
        build=with_norm,
        claimed=_claimed_aggregate,
        true=true_aggregate,
        kind="exact: the largest loss when one input has all of the budget",
        axes={**_ATTACK_AXES, "budget": ()},
        fixed=LABELS | {"norm"},
    ),
    Search(
        claim=CATALOGUE["classics.svm"],
        direction="equal",
        space=(Span("X", (6, 2), -1, 1),),
        build=_two_clouds,
        claimed=lambda instance: CATALOGUE["classics.svm"].predict(instance["X"], instance["y"]),
        true=_half_hull_distance,
        kind="exact: half the distance between the classes' convex hulls",
        axes={"X": ("point", ""), "y": ("point",)},
        fixed=LABELS,
        allowance=2e-6,
        reason="the solver's tolerance, 1e-6 of the distance",
    ),
)
