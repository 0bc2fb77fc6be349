"""By how much L1 beats L2: over signals of every density, and attacks of every size."""

from collections.abc import Iterator
from functools import cache
from typing import Any

import numpy as np

from empirical.before_training_study.setting import (
    FAMILIES,
    RATIO,
    SIGNAL,
    Plan,
    known,
    over_draws,
)
from empirical.risk_study import Simulation, run_once
from theory.asymptotics import PhaseDiagram, phase_diagram, spiked_law
from theory.validation import FloatArray

# Shares of the features that carry the signal, and sizes of attacks: L2, and √d times L∞.
DENSITIES = 2.0 ** (-np.arange(22, -1, -1) / 4)
BUDGETS = np.linspace(0, 2, 17)
# Measured is at shares of 1/32 to 1/2, and at budgets of .25, 1 and 1.75.
_MEASURED_DENSITIES, _MEASURED_BUDGETS = slice(2, 19, 4), slice(2, 15, 6)

Row = dict[str, Any]
# Columns of the diagram: every size in L2, then every one in L∞.
_ATTACKS = ["L2"] * BUDGETS.size + ["Linf"] * BUDGETS.size
_EPS = np.concatenate([BUDGETS, np.zeros_like(BUDGETS)])
_EPS_INF = np.concatenate([np.zeros_like(BUDGETS), BUDGETS])


def phase_table(plan: Plan, *, seed: int) -> list[Row]:
    """Return by how much L1 beats L2, each at its best strength: by density, attack and its size.

    "value" is the robust accuracy with L1 less that with L2, which "l1" and "l2" are; training
    knows no attack. "predicted" rows are estimates (limits). "measured" rows are estimates, means
    over draws with the 95 % interval of the difference: both penalties, at the strengths that
    theory calls best, to two digits, trained on the same draws.

    Parameters
    ----------
    plan : Plan
    seed : int

    Returns
    -------
    list of dict
        A row a place; "budget" is an L2 budget, or √d times an L∞ budget.
    """
    diagram = phase_diagram(
        DENSITIES.tolist(), ratio=RATIO, signal=SIGNAL, eps=_EPS, eps_inf=_EPS_INF
    )
    rows = list(_predicted(diagram))
    for index in range(DENSITIES.size)[_MEASURED_DENSITIES]:
        rows += _measured(diagram, index, plan, seed=seed)
    return rows


def _predicted(diagram: PhaseDiagram) -> Iterator[Row]:
    for i, j in np.ndindex(diagram.l1.shape):
        l1, l2 = float(diagram.l1[i, j]), float(diagram.l2[i, j])
        strengths = float(diagram.l1_strength[i, j]), float(diagram.l2_strength[i, j])
        yield {**_place(i, j), "what": "predicted", **known(l1 - l2), **_sides((l1, l2), strengths)}


def _measured(diagram: PhaseDiagram, index: int, plan: Plan, *, seed: int) -> Iterator[Row]:
    """Yield the measured rows of one density; one classifier serves all attacks it is best for."""

    @cache
    def survived(penalty: str, strength: float) -> FloatArray:
        return _survived(penalty, strength, index, plan, seed=seed)

    size = BUDGETS.size
    chosen = range(size)[_MEASURED_BUDGETS]
    for j in [*chosen, *(size + k for k in chosen)]:
        best = diagram.l1_strength[index, j], diagram.l2_strength[index, j]
        l1, l2 = (float(f"{strength:.2g}") for strength in best)
        with_l1, with_l2 = survived("L1", l1)[:, j], survived("L2", l2)[:, j]
        means = float(with_l1.mean()), float(with_l2.mean())
        told = {"what": "measured", **over_draws(with_l1 - with_l2), **_sides(means, (l1, l2))}
        yield {**_place(index, j), **told}


def _survived(penalty: str, strength: float, index: int, plan: Plan, *, seed: int) -> FloatArray:
    """Return the robust accuracies of one penalty's classifiers, shape (draws, columns)."""
    simulation = Simulation(
        objective=FAMILIES[penalty](strength),
        law=spiked_law(SIGNAL, float(DENSITIES[index])),
        ratio=RATIO,
        dimension=plan.dimension,
        eps=_EPS,
        eps_inf=_EPS_INF,
    )
    # The generators know nothing of the penalty: both are trained on the same draws.
    generators = [np.random.default_rng([seed, index, draw]) for draw in range(plan.draws)]
    return np.stack([run_once(simulation, rng)["robust_accuracy"] for rng in generators])


def _place(i: int, j: int) -> Row:
    return {
        "attack": _ATTACKS[j],
        "density": float(DENSITIES[i]),
        "budget": float(_EPS[j] + _EPS_INF[j]),
        "kind": "estimate",
    }


def _sides(accuracies: tuple[float, float], strengths: tuple[float, float]) -> Row:
    """Return what the difference is made of."""
    names = ("l1", "l2", "l1 strength", "l2 strength")
    return dict(zip(names, accuracies + strengths, strict=True))
