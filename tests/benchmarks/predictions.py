"""How long a prediction and a phase diagram take, and the same by training.

    OMP_NUM_THREADS=1 python tests/benchmarks/predictions.py

A prediction: median and longest over sixty settings, one call each. A phase diagram: 50 densities
and 50 budgets, for L2 and for L∞. The same by simulation: the training of one path, 25 strengths of
both penalties at d = 1000, on one draw, timed; times 50 densities and 4 draws, budgets for nothing.
The trainings are as fast as scikit-learn's solvers at their usual tolerance.
"""

import time
import warnings

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression

from empirical.risk_study import draw_inputs, draw_mixture
from theory.asymptotics import Objective, gaussian_law, phase_diagram, predict, spiked_law
from theory.asymptotics.tuning import STRENGTHS

D, RATIO, DRAWS, SIDE = 1000, 2.0, 4, 50
LAWS = (spiked_law(2.0, density=0.05), spiked_law(2.0, density=0.3), gaussian_law(1.5))
PENALTIES = ({"l1": 0.3}, {"l2": 0.1}, {"l1": 0.2, "l2": 0.1}, {"l1": 0.01}, {"l2": 1e-3})
ATTACKS = ({}, {"eps": 0.3, "eps_inf": 0.3})


def predictions() -> None:
    """Print how long single predictions take."""
    taken = []
    for loss in ("logistic", "squared"):
        for law in LAWS:
            for penalty in PENALTIES:
                for attack in ATTACKS:
                    began = time.perf_counter()
                    predict(Objective(loss=loss, **penalty, **attack), law, ratio=RATIO)  # type: ignore[arg-type]
                    taken.append(1e3 * (time.perf_counter() - began))
    print(
        f"one prediction: median {np.median(taken):.1f} ms, longest {max(taken):.1f} ms of"
        f" {len(taken)}"
    )


def diagram(name: str) -> float:
    """Return how long a phase diagram takes."""
    densities, budgets = np.geomspace(0.02, 1, SIDE).tolist(), np.linspace(0, 1.9, SIDE)
    began = time.perf_counter()
    phase_diagram(densities, ratio=RATIO, **{name: budgets})
    return time.perf_counter() - began


def trained_path(density: float) -> float:
    """Return how long the trainings of one density and one draw take."""
    rng = np.random.default_rng(0)
    mixture = draw_mixture(spiked_law(2.0, density=density), D, rng=rng)
    X, y = draw_inputs(mixture, round(RATIO * D), rng=rng)
    began = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        for strength in STRENGTHS:
            common = {"fit_intercept": False}
            LogisticRegression(
                l1_ratio=1, solver="liblinear", C=1 / (strength * np.sqrt(D)), **common
            ).fit(X, y)
            LogisticRegression(C=1 / (strength * D), **common).fit(X, y)
    return time.perf_counter() - began


if __name__ == "__main__":
    predictions()
    taken = {name: diagram(name) for name in ("eps", "eps_inf")}
    path = trained_path(0.1)
    simulated = path * SIDE * DRAWS
    for name, seconds in taken.items():
        print(
            f"{SIDE} × {SIDE} phase diagram, {name}: {seconds:.1f} s; by {DRAWS} draws at"
            f" d = {D}: {simulated / 60:.0f} min ({path:.1f} s a path), {simulated / seconds:.0f} ×"
        )
