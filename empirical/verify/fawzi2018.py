"""The bound of Fawzi, Fawzi, Frossard 2018, met by attacks on trained classifiers."""

from collections import defaultdict
from collections.abc import Sequence

import numpy as np

from empirical.attacks import attack_distances
from empirical.linear_study import LinearCell
from empirical.verify.verdict import Verdict, judge_bound, not_covered
from theory.claims import CATALOGUE
from theory.claims.fawzi2018 import unsigned_distance_bound


def check_linear(cells: Sequence[LinearCell]) -> Verdict:
    """Return the verdict on the mean unsigned distance, on the first split of each data set."""
    claim = CATALOGUE["fawzi2018.linear"]
    first: dict[str, list[LinearCell]] = defaultdict(list)
    for cell in cells:
        if cell.split == 0:
            first[cell.dataset].append(cell)
    bounds: list[float] = []
    measured: list[float] = []
    for group in first.values():
        X, y = group[0].test
        radius = float(np.linalg.norm(X, axis=1).max())
        covered = [c for c in group if _boundary_meets_ball(c, radius)]
        if not covered:
            continue
        models = [cell.trained.model for cell in covered]
        # An input that is wrong is attacked as one of the other label: the distance is unsigned.
        other = attack_distances(models, X, -y, attack="l2_deepfool", box=None).distances
        for cell, wrong in zip(covered, other, strict=True):
            bounds.append(_bound(cell, radius))
            measured.append(float(np.maximum(cell.distances, wrong).mean()))
    if not bounds:
        return not_covered(claim, "no boundary meets the ball that holds the inputs.")
    return judge_bound(
        claim, bounds, measured, allowance=1e-3 * np.array(bounds), reason="DeepFool's overshoot"
    )


def _boundary_meets_ball(cell: LinearCell, radius: float) -> bool:
    model = cell.trained.model
    return bool(abs(model.bias[0]) <= radius * np.linalg.norm(model.weights))


def _bound(cell: LinearCell, radius: float) -> float:
    X, y = cell.test
    return unsigned_distance_bound(
        [(y == label).mean() for label in (-1, 1)],
        [X[y == label].mean(axis=0) for label in (-1, 1)],
        radius=radius,
        error_rate=1 - cell.accuracy,
    )
