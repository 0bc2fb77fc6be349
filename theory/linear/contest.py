"""Each input's label against its rivals: leads, and the nearest rival with or without a box."""

from collections.abc import Iterator
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.spatial.distance import cdist

from theory.linear.classifier import LinearClassifier, class_scores, live_rows
from theory.linear.moves import move_size
from theory.validation import Box, FloatArray, IntArray, as_inputs, as_labels

# The lead over a rival changes by at most this distance between the two rows of weights for each
# unit the input moves. L0 asks only whether the rows differ.
_DUAL_METRIC: dict[float, Literal["chebyshev", "euclidean", "cityblock"]] = {
    0.0: "chebyshev",
    1.0: "chebyshev",
    2.0: "euclidean",
    np.inf: "cityblock",
}
_ROWS_A_BLOCK = 128  # so that a block of some 800 features stays in a core's cache


class Contest(NamedTuple):
    """Inputs (n, d), the index of the label each defends (n,), and its lead over each (n, c).

    The lead over a label that is no rival (the own one, one struck off) is inf.
    """

    X: FloatArray
    own: IntArray
    lead: FloatArray

    def part(self, rows: IntArray) -> "Contest":
        """Return the contest of some of the inputs."""
        return Contest(self.X[rows], self.own[rows], self.lead[rows])


def open_contest(model: LinearClassifier, X: ArrayLike, y: ArrayLike | None) -> Contest:
    """Return the contest of labels y, or of the predicted labels, against all others."""
    inputs = as_inputs(X, model.dimension)
    scores = class_scores(model, inputs)
    every = np.arange(inputs.shape[0])
    own = scores.argmax(axis=1) if y is None else as_labels(y, model.classes, every.size)
    lead = scores[every, own][:, None] - scores
    lead[every, own] = np.inf
    return Contest(inputs, own, lead)


def free_distances(model: LinearClassifier, contest: Contest, norm: float) -> FloatArray:
    """Return the distance (n, c) to each rival's region without a box; inf for no rival."""
    rows = live_rows(model)[0]
    scale = np.abs(rows).max(initial=0.0) or 1.0  # lest the squares of tiny weights underflow
    slope = cdist(rows / scale, rows / scale, _DUAL_METRIC[norm]) * scale
    if norm == 0:
        is_movable = (slope > 0)[contest.own] & np.isfinite(contest.lead)
        return np.where(contest.lead <= 0, 0.0, np.where(is_movable, 1.0, np.inf))
    with np.errstate(divide="ignore", invalid="ignore"):
        distances = contest.lead / slope[contest.own]
    return np.fmax(distances, 0.0, out=distances)  # fmax also makes 0/0, a standing tie, zero


def nearest_rival(
    model: LinearClassifier, contest: Contest, norm: float, box: Box
) -> tuple[FloatArray, IntArray]:
    """Return the distance within the box to the nearest rival's region, and that rival.

    Rivals are tried in the order of their distance without the box, which bounds the one within
    it from below: an input is done once the next rival's bound reaches its best distance.
    """
    rows, features = live_rows(model)
    free = free_distances(model, contest, norm)
    order = free.argsort(axis=1, kind="stable")
    rival = order[:, 0].copy()
    best = np.where(free.min(axis=1) > 0, np.inf, 0.0)
    active = np.arange(best.size)
    for candidates in order.T:
        active = active[free[active, candidates[active]] < best[active]]
        for part, own, other in label_blocks(active, contest.own, candidates):
            gradient = rows[other] - rows[own]
            _, pull, room = directions(contest.X[part], gradient, features, box)
            scale = np.abs(pull).max()
            margin = contest.lead[part, other] / scale
            distance = move_size(norm, np.abs(pull) / scale, room, margin)
            distance = np.maximum(distance, free[part, other])  # but for rounding it never is less
            nearer = distance < best[part]
            best[part[nearer]], rival[part[nearer]] = distance[nearer], other
    return best, rival


def label_blocks(
    inputs: IntArray, own: IntArray, rival: IntArray
) -> Iterator[tuple[IntArray, int, int]]:
    """Yield blocks of the inputs that share both their own label and their rival, with the two."""
    by_pair = inputs[np.lexsort((rival[inputs], own[inputs]))]
    changes = (np.diff(own[by_pair]) != 0) | (np.diff(rival[by_pair]) != 0)
    for together in np.split(by_pair, np.flatnonzero(changes) + 1):
        for start in range(0, together.size, _ROWS_A_BLOCK):
            block = together[start : start + _ROWS_A_BLOCK]
            yield block, int(own[block[0]]), int(rival[block[0]])


def directions(
    X: FloatArray, gradient: FloatArray, features: IntArray, box: Box
) -> tuple[IntArray, FloatArray, FloatArray]:
    """Return the features that gain on a lead, the gain a unit, and their room in the box."""
    # Weights that vanish beside the largest would underflow, and move nothing within reach.
    live = np.flatnonzero(np.abs(gradient) > 1e-300 * np.abs(gradient).max(initial=0.0))
    moved, pull = features[live], gradient[live]
    lo, hi = box[0][moved], box[1][moved]
    inputs = X[:, moved]
    return moved, pull, np.where(pull > 0, hi - inputs, inputs - lo)
