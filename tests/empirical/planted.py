"""Cells made so that what a check must say of them is known by hand."""

from typing import Any

import numpy as np

from empirical.data import Part
from empirical.linear import TrainedLinear
from empirical.linear_study import LinearCell
from theory.linear import LinearClassifier


def part(*margins: float) -> Part:
    """Return inputs on a line and their labels: the model w = 1, b = 0 gives them these margins.

    Each margin occurs once for -1 and once for +1.
    """
    sizes = np.array(margins)
    return Part(np.append(-sizes, sizes)[:, None], np.repeat([-1, 1], sizes.size))


def planted(
    test: Part,
    *,
    validation: Part | None = None,
    weights: Any = (1.0,),
    bias: float = 0.0,
    distances: Any = None,
    survived: Any = None,
    **named: Any,
) -> LinearCell:
    """Return a cell whose measurements are those of the definition where they are not given."""
    w, eps = np.asarray(weights), np.asarray(named.get("eps", [0.1]))
    margins = test.y * (test.X @ w + bias)
    if distances is None:
        distances = np.maximum(margins, 0) / np.linalg.norm(w)
    if survived is None:
        survived = margins > eps[:, None] * np.abs(w).sum()
    return LinearCell(
        dataset=named.get("dataset", "planted"),
        split=named.get("split", 0),
        trained=TrainedLinear(
            family=named.get("family", "L1 logistic"),
            strength=1.0,
            model=LinearClassifier(weights=w, bias=bias),
            nonzeros=int(np.count_nonzero(w)),
        ),
        validation=test if validation is None else validation,
        test=test,
        distances=np.asarray(distances),
        eps=eps,
        survived=np.asarray(survived),
    )
