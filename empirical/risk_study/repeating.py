"""Training repeated on fresh draws until its mean is known well enough."""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import numpy as np

from empirical.risk_study.measuring import (
    population_measures,
    sampled_measures,
    sizes,
    training_loss,
)
from empirical.risk_study.sampling import Noise, draw_inputs, draw_mixture, normal_noise
from empirical.risk_study.training import TrainedWeights, train
from theory.asymptotics import CoordinateLaw, Objective
from theory.validation import FloatArray, as_budget

Measures = Mapping[str, FloatArray]
# Runs a function on each of some generators, in order; as the builtin map, or that of a pool.
Mapper = Callable[
    [Callable[[np.random.Generator], Measures], Sequence[np.random.Generator]], Iterable[Measures]
]

_FEWEST, _BATCH = 8, 4


@dataclass(frozen=True, kw_only=True, eq=False)
class Simulation:
    """What is drawn, trained and measured, again and again.

    Parameters
    ----------
    objective : Objective
    law : CoordinateLaw
    ratio : float, above 0
        n / d; n is rounded.
    dimension : int
        d.
    eps, eps_inf : float or arrays of one shape
        Budgets that robust accuracy is measured at: of L2, and sqrt(d) times of Linf, together.
    noise : callable
        As in `empirical.risk_study.Mixture`.
    solver : str, optional
        As in `train`.
    fresh : int
        Inputs that measures are taken on, where noise is not Gaussian.

    Raises
    ------
    TypeError, ValueError
        If a budget is negative, or ratio leaves no input.
    """

    objective: Objective
    law: CoordinateLaw
    ratio: float
    dimension: int
    eps: FloatArray | float = 0.0
    eps_inf: FloatArray | float = 0.0
    noise: Noise = normal_noise
    solver: str | None = None
    fresh: int = 20_000

    def __post_init__(self) -> None:
        eps, eps_inf = as_budget(self.eps), as_budget(self.eps_inf, "eps_inf")
        if round(self.ratio * self.dimension) < 1:
            raise ValueError(
                f"ratio must leave an input; got ratio={self.ratio}, d={self.dimension}."
            )
        eps, eps_inf = np.broadcast_arrays(eps, eps_inf)
        object.__setattr__(self, "eps", eps.copy())
        object.__setattr__(self, "eps_inf", eps_inf.copy())


class Estimate(NamedTuple):
    """A mean over independent runs. Kind: estimate.

    Attributes
    ----------
    mean, error : float or array
        The mean and its standard error.
    deviation : float or array
        Of a single run.
    """

    mean: FloatArray
    error: FloatArray
    deviation: FloatArray


class Simulated(NamedTuple):
    """What a simulation came to.

    Attributes
    ----------
    measures : mapping of str to Estimate
        "accuracy", "robust_accuracy" (of the shape of budgets), "r_2", "nonzero_fraction",
        "overlap", "spread", "norm", "l1_norm", "training_loss" (mean over inputs).
    runs : int
    gap : float
        The largest of `TrainedWeights.gap`; NaN if a solver left none.
    """

    measures: Mapping[str, Estimate]
    runs: int
    gap: float


def run_once(simulation: Simulation, rng: np.random.Generator) -> Measures:
    """Return what one draw, trained, measures; also the "gap" of the solver.

    Kind: exact given the weights for Gaussian noise; else estimates, on fresh inputs.

    Raises
    ------
    ConvergenceError, UnsupportedSettingError
        As `train` and `population_measures`.

    Examples
    --------
    >>> from theory.asymptotics import spiked_law
    >>> law, objective = spiked_law(2.0), Objective(loss="squared", l2=0.5)
    >>> simulation = Simulation(objective=objective, law=law, ratio=4.0, dimension=100)
    >>> bool(0.9 < run_once(simulation, np.random.default_rng(0))["accuracy"] < 0.98)
    True
    """
    d = simulation.dimension
    mixture = draw_mixture(simulation.law, d, noise=simulation.noise, rng=rng)
    X, y = draw_inputs(mixture, round(simulation.ratio * d), rng=rng)
    trained: TrainedWeights = train(simulation.objective, X, y, solver=simulation.solver)
    budgets = {"eps": np.asarray(simulation.eps), "eps_inf": np.asarray(simulation.eps_inf)}
    if simulation.noise is normal_noise:
        measured = population_measures(mixture, trained.weights, **budgets)
    else:
        measured = sampled_measures(
            mixture, trained.weights, **budgets, count=simulation.fresh, rng=rng
        )
    loss = training_loss(simulation.objective, trained.weights, X, y)
    every = {**measured, **sizes(mixture, trained.weights), "training_loss": loss}
    return {name: np.asarray(value) for name, value in {**every, "gap": trained.gap}.items()}


def simulate(
    simulation: Simulation,
    *,
    rng: np.random.Generator,
    precision: float = 0.003,
    most: int = 200,
    progress: Callable[[int, float], None] | None = None,
    mapper: Mapper = map,
) -> Simulated:
    """Return means over fresh draws, as many as r_2 needs to be known this well.

    Kind: estimates, with standard errors. Stopping when the error looks small makes it too small
    by a little: at least 8 runs are made, and runs come 4 at a time.

    Parameters
    ----------
    simulation : Simulation
    rng : numpy.random.Generator
        Spawns one for each run: what comes out does not depend on the mapper.
    precision : float
        Wanted standard error of r_2, as a share of its mean.
    most : int
        Runs at most; the error may then be larger.
    progress : callable, optional
        Told after each batch the runs done and the precision reached.
    mapper : callable
        Like map: that of a pool of processes runs a batch side by side.

    Returns
    -------
    Simulated

    Raises
    ------
    ConvergenceError, UnsupportedSettingError
        As `run_once`.
    ValueError
        If most is below 2.
    """
    if most < 2:
        raise ValueError(f"most must be at least 2, for a standard error; got {most}.")
    runs: list[Measures] = []
    run = partial(run_once, simulation)
    while len(runs) < most:
        wanted = min(_BATCH if runs else _FEWEST, most - len(runs))
        runs += mapper(run, rng.spawn(wanted))
        if len(runs) < 2:
            continue
        r_2 = _estimate(runs, "r_2")
        reached = float(r_2.error / r_2.mean) if r_2.mean else math.inf
        if progress is not None:
            progress(len(runs), reached)
        if reached <= precision:
            break
    names = [name for name in runs[0] if name != "gap"]
    worst = float(np.max([one["gap"] for one in runs]))
    return Simulated({name: _estimate(runs, name) for name in names}, len(runs), worst)


def _estimate(runs: Sequence[Measures], name: str) -> Estimate:
    values = np.stack([run[name] for run in runs])
    deviation = np.asarray(values.std(axis=0, ddof=1))
    return Estimate(values.mean(axis=0), deviation / math.sqrt(len(runs)), deviation)
