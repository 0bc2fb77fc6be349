"""Checks of what is foretold of training: simulated mixtures, trained on and measured."""

import math
from collections.abc import Sequence

import numpy as np

from empirical.risk_study import Simulation, normal_noise, run_once, sign_noise
from empirical.risk_study.sampling import Noise
from empirical.verify.verdict import Verdict, judge_bound, judge_identity, judge_trend
from theory.asymptotics import (
    CoordinateLaw,
    Limit,
    Objective,
    gaussian_law,
    limit_accuracy,
    limit_r_2,
    limit_robust_accuracy,
    phase_diagram,
    predict,
    spiked_law,
)
from theory.claims import CATALOGUE
from theory.validation import FloatArray, IntArray

_D, _RUNS, _FRESH = 300, 24, 5_000
_PAIRS = 10  # draws that two penalties are compared on, which takes fewer
_EPS, _EPS_INF = 0.5, 0.3
_MEASURES = ("accuracy", "robust_accuracy", "r_2", "nonzero_fraction")
# What the claim allows at d features, in shares; of r_2 relatively.
_OFF = np.array([0.1, 0.1, 0.3, 0.1]) / math.sqrt(_D)
# Beyond this many times what is allowed, noise included, a prediction is not called right.
_MARGIN = 6.0
_FEW = 100  # features, where a claim holds for every number of them
_SPARSE, _DENSE = spiked_law(2.0, density=0.1), gaussian_law(1.5)

Setting = tuple[Objective, CoordinateLaw, float]
_PLAIN: Sequence[Setting] = (
    (Objective(loss="logistic", l1=0.4), _SPARSE, 1.5),
    (Objective(loss="logistic", l2=0.2), _DENSE, 3.0),
    (Objective(loss="squared", l1=0.5), _SPARSE, 2.0),
    (Objective(loss="squared", l1=0.2, l2=0.3), _DENSE, 0.7),
    (Objective(loss="hinge", l2=0.3), _SPARSE, 1.0),
)
_ATTACKED: Sequence[Setting] = (
    (Objective(loss="logistic", l2=0.1, eps=0.5), _SPARSE, 1.5),
    (Objective(loss="logistic", l1=0.2, eps_inf=0.5), _SPARSE, 1.5),
    (Objective(loss="squared", l2=0.2, eps=0.3, eps_inf=0.3), _DENSE, 2.0),
)
_RIDGES = tuple(
    Objective(loss=loss, l2=l2) for loss in ("logistic", "squared", "hinge") for l2 in (0.05, 0.5)
)
_DENSITIES = {"sparse": 0.05, "dense": 1.0}
_ATTACKS = {"clean": (0.0, 0.0), "L2": (0.5, 0.0), "L∞": (0.0, 0.5)}  # eps, eps_inf


def check_training(rng: np.random.Generator) -> Verdict:
    """Return the verdict on plain training."""
    return _compared("asymptotics.training", _PLAIN, normal_noise, rng, times=1.0)


def check_adversarial(rng: np.random.Generator) -> Verdict:
    """Return the verdict on adversarial training."""
    return _compared("asymptotics.adversarial", _ATTACKED, normal_noise, rng, times=2.0)


def check_universality(rng: np.random.Generator) -> Verdict:
    """Return the verdict on noise of ±1; a signal in a tenth of the features is the sparsest."""
    return _compared("asymptotics.universality", _PLAIN[:3], sign_noise, rng, times=2.0)


def check_averaging(rng: np.random.Generator) -> Verdict:
    """Return whether any L2-penalised training is more accurate than the mean of the inputs."""
    lead, noise = [], []
    for law, ratio in ((_SPARSE, 1.5), (_DENSE, 0.7)):
        seeds = rng.integers(2**62, size=_RUNS)
        mean = _accuracies(Objective(loss="squared", l2=1e6), law, ratio, seeds, _FEW)
        for objective in _RIDGES:
            gap = _accuracies(objective, law, ratio, seeds, _FEW) - mean
            lead.append(gap.mean())
            noise.append(gap.std(ddof=1) / math.sqrt(gap.size))
    return judge_bound(
        CATALOGUE["asymptotics.averaging"],
        np.zeros(len(lead)),
        lead,
        allowance=4 * np.array(noise),
        reason="four standard errors of the mean over draws",
    )


def check_l1_beats_l2(rng: np.random.Generator) -> Verdict:
    """Return the verdict on the best L1 and the best L2 penalty, of sparse and dense signals."""
    eps, eps_inf = np.transpose(list(_ATTACKS.values()))
    best = phase_diagram(list(_DENSITIES.values()), ratio=2.0, eps=eps, eps_inf=eps_inf)
    effects = {}
    for row, (signal, density) in enumerate(_DENSITIES.items()):
        law, seeds = spiked_law(2.0, density=density), rng.integers(2**62, size=_PAIRS)
        for column, name in enumerate(_ATTACKS):
            trained = (
                Objective(loss="logistic", l1=best.l1_strength[row, column]),
                Objective(loss="logistic", l2=best.l2_strength[row, column]),
            )
            budgets = {"eps": eps[column], "eps_inf": eps_inf[column]}
            l1, l2 = (_accuracies(each, law, 2.0, seeds, _D, **budgets) for each in trained)
            effects[f"{signal}, {name}"] = l1 - l2 if signal == "sparse" else l2 - l1
    return judge_trend(
        CATALOGUE["asymptotics.l1-beats-l2"],
        effects,
        test_to_train=0.0,
        unit="robust accuracy, L1 less L2 (dense: L2 less L1)",
    )


def _accuracies(
    objective: Objective,
    law: CoordinateLaw,
    ratio: float,
    seeds: IntArray,
    dimension: int,
    *,
    eps: float = 0.0,
    eps_inf: float = 0.0,
) -> FloatArray:
    """Return the robust accuracy of a training on each draw; equal seeds give equal draws."""
    simulation = Simulation(
        objective=objective, law=law, ratio=ratio, dimension=dimension, eps=eps, eps_inf=eps_inf
    )
    runs = [run_once(simulation, np.random.default_rng(seed)) for seed in seeds.tolist()]
    return np.array([float(run["robust_accuracy"]) for run in runs])


def _compared(
    key: str, settings: Sequence[Setting], noise: Noise, rng: np.random.Generator, *, times: float
) -> Verdict:
    """Return whether what is foretold of the settings is what training reaches on average."""
    predicted, measured, errors = [], [], []
    for objective, law, ratio in settings:
        predicted.append(_foretold(predict(objective, law, ratio=ratio)))
        simulation = Simulation(
            objective=objective,
            law=law,
            ratio=ratio,
            dimension=_D,
            eps=_EPS,
            eps_inf=_EPS_INF,
            noise=noise,
            fresh=_FRESH,
        )
        runs = [run_once(simulation, child) for child in rng.spawn(_RUNS)]
        found = np.array([[float(run[name]) for name in _MEASURES] for run in runs])
        measured.append(found.mean(axis=0))
        errors.append(found.std(axis=0, ddof=1) / math.sqrt(_RUNS))
    # In units of what the claim allows: a case is off by more than 1, or it is not.
    scale = times * _OFF * np.where(np.array(_MEASURES) == "r_2", predicted, 1.0)
    return judge_identity(
        CATALOGUE[key],
        np.ravel(predicted),
        np.ravel(measured),
        errors=np.ravel(errors),
        scale=np.ravel(scale),
        tolerance=1.0,
        margin=_MARGIN,
        reason=f"what the claim allows at d = {_D}",
    )


def _foretold(limit: Limit) -> list[float]:
    robust = float(limit_robust_accuracy(limit, eps=_EPS, eps_inf=_EPS_INF))
    return [limit_accuracy(limit), robust, limit_r_2(limit), limit.nonzero_fraction]
