"""Accuracies and sparsity against the strength of a penalty, and against the number of inputs."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

import numpy as np

from empirical.before_training_study.setting import (
    DENSITY,
    FAMILIES,
    RATIO,
    SIGNAL,
    Plan,
    known,
    over_draws,
)
from empirical.risk_study import Simulation, run_once
from theory.asymptotics import (
    Limit,
    limit_accuracy,
    limit_ceiling,
    limit_robust_accuracy,
    predict_many,
    spiked_law,
)
from theory.validation import FloatArray

# The strength of a penalty where it is not what varies; attacks of size 1 in L2, of 1/√d in L∞.
STRENGTH, EPS, EPS_INF = 0.5, 1.0, 1.0
MEASURES = ("accuracy", "robust accuracy, L2", "robust accuracy, Linf", "share of nonzero weights")

Against = Literal["strength", "ratio"]
Row = dict[str, Any]
_LAW = spiked_law(SIGNAL, DENSITY)
_LINES: Mapping[Against, FloatArray] = {
    "strength": np.geomspace(0.01, 4, 61),
    "ratio": np.geomspace(0.5, 10, 41),
}
_POINTS: Mapping[Against, Sequence[float]] = {
    "strength": (0.02, 0.06, 0.18, 0.5, 1.4, 4.0),
    "ratio": (0.5, 1.0, 2.0, 4.0, 8.0),
}


def curve_table(plan: Plan, *, seed: int) -> list[Row]:
    """Return accuracies and sparsity by the strength of the penalty, and by n / d.

    A row a place ("at" a "strength" or a "ratio"), a penalty and a measure. "predicted" rows are
    estimates (limits); "measured" ones are estimates, means over draws with their 95 % interval; a
    "ceiling" is exact: the best that any classifier reaches on these classes.

    Parameters
    ----------
    plan : Plan
    seed : int

    Returns
    -------
    list of dict
        Nothing is predicted where training leaves w = 0.
    """
    rows = []
    for key, against in enumerate(_LINES):
        rows += [*_ceilings(against), *_predicted(against)]
        rows += _measured(against, plan, seed=(seed, key))
    return rows


def _setting(against: Against, at: float) -> tuple[float, float]:
    """Return the strength and the ratio."""
    return (at, RATIO) if against == "strength" else (STRENGTH, at)


def _ceilings(against: Against) -> Iterator[Row]:
    budgets = ((0.0, 0.0), (EPS, 0.0), (0.0, EPS_INF))
    for measure, (eps, eps_inf) in zip(MEASURES[:3], budgets, strict=True):
        value = limit_ceiling(_LAW, eps=eps, eps_inf=eps_inf)
        for at in (_LINES[against][0], _LINES[against][-1]):
            place = {"against": against, "at": float(at), "penalty": "any", "measure": measure}
            yield {**place, "what": "ceiling", "kind": "exact", **known(value)}


def _predicted(against: Against) -> Iterator[Row]:
    places = _LINES[against].tolist()
    strengths, ratios = zip(*(_setting(against, at) for at in places), strict=True)
    for penalty, family in FAMILIES.items():
        limits = predict_many([family(s) for s in strengths], [_LAW] * len(places), ratios)
        for at, limit in zip(places, limits, strict=True):
            values = _limit_values(limit) if limit else ()
            for measure, value in zip(MEASURES, values, strict=False):
                place = {"against": against, "at": at, "penalty": penalty, "measure": measure}
                yield {**place, "what": "predicted", "kind": "estimate", **known(value)}


def _limit_values(limit: Limit) -> tuple[float, ...]:
    """Return each of MEASURES."""
    return (
        limit_accuracy(limit),
        float(limit_robust_accuracy(limit, eps=EPS)),
        float(limit_robust_accuracy(limit, eps_inf=EPS_INF)),
        limit.nonzero_fraction,
    )


def _measured(against: Against, plan: Plan, *, seed: tuple[int, int]) -> Iterator[Row]:
    for index, at in enumerate(_POINTS[against]):
        for penalty in FAMILIES:
            simulation = _simulation(penalty, *_setting(against, at), plan.dimension)
            drawn = [
                _drawn_values(simulation, np.random.default_rng([*seed, index, draw]))
                for draw in range(plan.draws)
            ]
            for measure, sample in zip(MEASURES, np.stack(drawn, axis=1), strict=True):
                place = {"against": against, "at": at, "penalty": penalty, "measure": measure}
                yield {**place, "what": "measured", "kind": "estimate", **over_draws(sample)}


def _simulation(penalty: str, strength: float, ratio: float, dimension: int) -> Simulation:
    return Simulation(
        objective=FAMILIES[penalty](strength),
        law=_LAW,
        ratio=ratio,
        dimension=dimension,
        eps=np.array([EPS, 0.0]),
        eps_inf=np.array([0.0, EPS_INF]),
    )


def _drawn_values(simulation: Simulation, rng: np.random.Generator) -> FloatArray:
    """Return each of MEASURES, of one draw."""
    found = run_once(simulation, rng)
    return np.array([found["accuracy"], *found["robust_accuracy"], found["nonzero_fraction"]])
