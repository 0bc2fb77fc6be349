"""Which of two penalties serves better, over signals of every density and attacks of every size."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from theory.asymptotics.law import CoordinateLaw, spiked_law
from theory.asymptotics.limit import Limit, limit_robust_accuracy
from theory.asymptotics.objective import Loss, Objective
from theory.asymptotics.predict import predict_many
from theory.asymptotics.tuning import STRENGTHS
from theory.validation import FloatArray, as_budget

LawOfDensity = Callable[[float], CoordinateLaw]


@dataclass(frozen=True, kw_only=True, eq=False)
class PhaseDiagram:
    """Robust accuracies at the best strength; rows are densities, columns are budgets.

    Kind of every accuracy: estimate (limit).
    """

    densities: Any  # (r,)
    budgets: Any  # (c,)
    l1: Any  # (r, c) robust accuracy with the L1 penalty
    l2: Any
    l1_strength: Any  # (r, c) the strength that reaches it
    l2_strength: Any


def phase_diagram(
    densities: Sequence[float],
    *,
    ratio: float,
    eps: ArrayLike = 0.0,
    eps_inf: ArrayLike = 0.0,
    loss: Loss = "logistic",
    law: LawOfDensity | None = None,
    signal: float = 2.0,
) -> PhaseDiagram:
    """Return the best robust accuracy of L1- and of L2-penalised training, by density and budget.

    Kind: estimate (limit). Each penalty's strength is the best of 25 from 1e-3 to 1e3, the
    accuracy between them by the parabola through the best three.

    Parameters
    ----------
    densities : sequence of float, in (0, 1]
        Of the signal.
    ratio : float, above 0
        n / d.
    eps, eps_inf : float or array, shape (c,), nonnegative
        Budgets of the attack, as in `limit_robust_accuracy`; broadcast together.
    loss : {"logistic", "squared", "hinge"}
    law : callable, optional
        Maps a density to a law; `spiked_law(signal, density)` by default.
    signal : float

    Returns
    -------
    PhaseDiagram
        Its budgets are the larger of eps and eps_inf.

    Raises
    ------
    TypeError, ValueError
        As `spiked_law`, `predict_many` and `limit_robust_accuracy`.

    Notes
    -----
    A path of strengths is solved once for each density and serves every budget.

    Examples
    --------
    >>> diagram = phase_diagram([0.05, 1.0], ratio=2, eps_inf=[0, 0.5], loss="squared")
    >>> (diagram.l1 > diagram.l2).tolist()
    [[True, True], [False, False]]
    """
    drops = np.broadcast_arrays(
        np.atleast_1d(as_budget(eps)), np.atleast_1d(as_budget(eps_inf, "eps_inf"))
    )
    laws = [law(density) if law else spiked_law(signal, density) for density in densities]
    paths = {
        "l1": [Objective(loss=loss, l1=strength) for strength in STRENGTHS],
        "l2": [Objective(loss=loss, l2=strength) for strength in STRENGTHS],
    }
    best = {penalty: _best(path, laws, ratio, drops) for penalty, path in paths.items()}
    return PhaseDiagram(
        densities=np.asarray(densities, dtype=np.float64),
        budgets=np.maximum(*drops),
        l1=best["l1"][0],
        l2=best["l2"][0],
        l1_strength=best["l1"][1],
        l2_strength=best["l2"][1],
    )


def _best(
    path: Sequence[Objective],
    laws: Sequence[CoordinateLaw],
    ratio: float,
    drops: Sequence[FloatArray],
) -> tuple[FloatArray, FloatArray]:
    """Return the best accuracy, and the strength that reaches it, of each law and budget."""
    # Strength by strength, so that what is solved side by side is alike.
    settings = [(objective, law) for objective in path for law in laws]
    limits = predict_many(
        [objective for objective, _ in settings],
        [law for _, law in settings],
        [ratio] * len(settings),
    )
    scores = np.stack([_scores(limit, drops) for limit in limits])
    scores = scores.reshape(len(path), len(laws), -1)
    place = scores.argmax(axis=0)
    inner = place.clip(1, len(path) - 2)
    left, middle, right = (
        np.take_along_axis(scores, (inner + step)[None], axis=0)[0] for step in (-1, 0, 1)
    )
    top = np.take_along_axis(scores, place[None], axis=0)[0]
    with np.errstate(invalid="ignore"):  # -inf beside -inf: no classifier at either strength
        lean, bend = left - right, left - 2 * middle + right
    is_peak = np.isfinite(bend) & (bend < 0) & (place == inner)
    shift = np.where(is_peak, lean, 0.0) / np.where(is_peak, 2 * bend, 1.0)
    peak = top - np.where(is_peak, lean, 0.0) * shift / 4
    logs = np.log(STRENGTHS)
    return peak, np.exp(logs[place] + shift * (logs[1] - logs[0]))


def _scores(limit: Limit | None, drops: Sequence[FloatArray]) -> FloatArray:
    if limit is None:
        return np.full(drops[0].shape, -np.inf)
    return limit_robust_accuracy(limit, eps=drops[0], eps_inf=drops[1])
