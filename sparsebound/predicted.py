"""What `sparsebound predict` tells: the limit, the curves around it, and simulations beside it."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from empirical.risk_study import Simulated, Simulation, simulate
from sparsebound.progress import progress
from theory.asymptotics import (
    CoordinateLaw,
    Limit,
    Objective,
    best_strength,
    limit_accuracy,
    limit_ceiling,
    limit_r_2,
    limit_robust_accuracy,
    predict_many,
)

# Of the penalties' strength, the share that l1 has.
SHARES = {"l1": 1.0, "l2": 0.0}
_MEASURES = ("accuracy", "robust_accuracy", "r_2", "nonzero_fraction")


class Attack(NamedTuple):
    """Budgets that an attack may spend together: of L2, and sqrt(d) times of Linf."""

    eps: float = 0.0
    eps_inf: float = 0.0


def penalised(objective: Objective, lam: float, share: float) -> Objective:
    """Return an objective with penalties of strength lam, a share of it of l1."""
    return replace(objective, l1=share * lam, l2=(1 - share) * lam)


def tuned(
    objective: Objective,
    shares: Sequence[float],
    law: CoordinateLaw,
    *,
    ratio: float,
    attack: Attack,
) -> tuple[Limit, float]:
    """Return the limit of the strength and share that keep most under an attack; and the share."""
    found = [
        (
            best_strength(
                lambda lam, share=share: penalised(objective, lam, share),  # type: ignore[misc]
                law,
                ratio=ratio,
                **attack._asdict(),
            ),
            share,
        )
        for share in shares
    ]
    return max(found, key=lambda each: float(limit_robust_accuracy(each[0], **attack._asdict())))


def summary_of(limit: Limit, attack: Attack, share: float) -> dict[str, Any]:
    """Return what is told of a limit; `overlap` is w·mu, `l1_norm` is of w over sqrt(d)."""
    objective = limit.objective
    return {
        "loss": objective.loss,
        "penalty": {1.0: "l1", 0.0: "l2"}.get(share, f"elastic {share:g}"),
        "lam": objective.l1 + objective.l2,
        "kind": "estimate (limit)",
        "accuracy": limit_accuracy(limit),
        "robust_accuracy": float(limit_robust_accuracy(limit, **attack._asdict())),
        "r_2": limit_r_2(limit),
        "nonzero_fraction": limit.nonzero_fraction,
        "overlap": limit.overlap,
        "cosine": limit.cosine,
        "norm": limit.norm,
        "l1_norm": limit.l1_norm,
        "training_loss": limit.training_loss,
        "ceiling": limit_ceiling(limit.law, **attack._asdict()),
        "iterations": limit.iterations,
        "residual": max(limit.residual, limit.prox_residual, limit.quadrature_error),
    }


def path_around(limit: Limit, share: float) -> list[Limit]:
    """Return the limits over strengths from a thousandth to a thousand times this one's."""
    middle = limit.objective.l1 + limit.objective.l2 or 1.0
    path = [
        penalised(limit.objective, float(lam), share) for lam in middle * np.logspace(-3, 3, 61)
    ]
    found = predict_many(path, [limit.law] * len(path), [limit.ratio] * len(path))
    return [each for each in found if each is not None]


def simulated(limit: Limit, attack: Attack, *, dimension: int, most: int, seed: int) -> Simulated:
    """Train what a limit predicts on simulated inputs until r_2 is known to .3 %."""
    simulation = Simulation(
        objective=limit.objective,
        law=limit.law,
        ratio=limit.ratio,
        dimension=dimension,
        **attack._asdict(),
    )
    with progress(most, "train") as bar:

        def tell(runs: int, precision: float) -> None:
            bar.set_postfix_str(f"r_2 to {precision:.2%}")
            bar.update(runs - bar.n)

        return simulate(simulation, rng=np.random.default_rng(seed), most=most, progress=tell)


def compared(summary: Mapping[str, Any], measured: Simulated) -> dict[str, dict[str, float]]:
    """Return for each measure the mean over trainings, its standard error, and what is foretold."""
    return {
        name: {
            "predicted": summary[name],
            "mean": float(measured.measures[name].mean),
            "standard_error": float(measured.measures[name].error),
        }
        for name in _MEASURES
    }
