"""Linear classifiers trained on simulated mixtures: what they reach, measured.

Nothing here predicts: `theory.asymptotics` gives the records of what is trained, not of what comes
out of it.
"""

from empirical.risk_study.extrapolating import Extrapolated, allowance, extrapolate
from empirical.risk_study.measuring import (
    population_measures,
    sampled_measures,
    sizes,
    training_loss,
)
from empirical.risk_study.optimality import optimality_gap, risk
from empirical.risk_study.repeating import Estimate, Simulated, Simulation, run_once, simulate
from empirical.risk_study.sampling import (
    Mixture,
    Noise,
    draw_inputs,
    draw_mixture,
    normal_noise,
    pixel_noise,
    sign_noise,
)
from empirical.risk_study.splitting import ConvergenceError, Minimiser, minimise
from empirical.risk_study.training import SOLVERS, TrainedWeights, reference_solver, train

__all__ = [
    "SOLVERS",
    "ConvergenceError",
    "Estimate",
    "Extrapolated",
    "Minimiser",
    "Mixture",
    "Noise",
    "Simulated",
    "Simulation",
    "TrainedWeights",
    "allowance",
    "draw_inputs",
    "draw_mixture",
    "extrapolate",
    "minimise",
    "normal_noise",
    "optimality_gap",
    "pixel_noise",
    "population_measures",
    "reference_solver",
    "risk",
    "run_once",
    "sampled_measures",
    "sign_noise",
    "simulate",
    "sizes",
    "train",
    "training_loss",
]
