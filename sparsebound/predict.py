"""`sparsebound predict`: what training will reach, before it is done."""

from collections.abc import Mapping
from pathlib import Path
from typing import get_args

import click

from figures import prediction
from sparsebound.options import as_json, json_text, table_text
from sparsebound.predicted import (
    SHARES,
    Attack,
    compared,
    path_around,
    penalised,
    simulated,
    summary_of,
    tuned,
)
from theory.asymptotics import NotConvergedError, Objective, gaussian_law, spiked_law
from theory.asymptotics import predict as limit_of
from theory.asymptotics.objective import Loss

_LAWS = {"equal": spiked_law, "gaussian": gaussian_law}
_GOALS = ("clean", "robust-l2", "robust-linf")
_AT_LEAST_0 = click.FloatRange(min=0)


@click.command()
@click.option(
    "--delta",
    type=click.FloatRange(min=0, min_open=True),
    default=2.0,
    show_default=True,
    help="Inputs a feature, n / d.",
)
@click.option(
    "--signal",
    type=_AT_LEAST_0,
    default=2.0,
    show_default=True,
    help="Length of the mean mu of class +1 (of class −1: −mu); the noise has deviation 1.",
)
@click.option(
    "--signal-density",
    type=click.FloatRange(min=0, min_open=True, max=1),
    default=1.0,
    show_default=True,
    help="Share of features whose mean is not zero.",
)
@click.option(
    "--signal-law",
    type=click.Choice(list(_LAWS)),
    default="equal",
    show_default=True,
    help="Of the means that are not zero.",
)
@click.option(
    "--loss",
    type=click.Choice(get_args(Loss)),
    default="logistic",
    show_default=True,
    help="Of a signed margin.",
)
@click.option(
    "--penalty",
    type=click.Choice(list(SHARES)),
    help="lam √d ‖w‖₁ (l1) or lam d ‖w‖²/2 (l2). Default: l1; with --tune the better one.",
)
@click.option(
    "--elastic",
    type=click.FloatRange(min=0, max=1),
    metavar="R",
    help="R times the l1 penalty and 1 − R times the l2 penalty, instead of --penalty.",
)
@click.option("--lam", type=_AT_LEAST_0, help="Strength of the penalty; this or --tune.")
@click.option("--tune", type=click.Choice(_GOALS), help="Take the strength that is best for this.")
@click.option(
    "--eps", type=_AT_LEAST_0, default=0.0, show_default=True, help="L2 budget of the attack."
)
@click.option(
    "--eps-inf",
    type=_AT_LEAST_0,
    default=0.0,
    show_default=True,
    help="E: a Linf budget of E/√d; together with --eps, both.",
)
@click.option(
    "--train-eps",
    type=_AT_LEAST_0,
    default=0.0,
    show_default=True,
    help="L2 budget of the attack in training.",
)
@click.option(
    "--train-eps-inf",
    type=_AT_LEAST_0,
    default=0.0,
    show_default=True,
    help="That of training, as --eps-inf.",
)
@click.option("--verify", is_flag=True, help="Train on simulated inputs to check; seconds.")
@click.option(
    "--d",
    "dimension",
    type=click.IntRange(min=10),
    default=1000,
    show_default=True,
    help="Features, for --verify.",
)
@click.option(
    "--runs",
    type=click.IntRange(min=2),
    default=40,
    show_default=True,
    help="Trainings at most, for --verify: fewer once r_2 is known to .3 %.",
)
@click.option(
    "--seed",
    type=click.IntRange(min=0),
    default=0,
    show_default=True,
    help="Of --verify: the same seed gives the same trainings.",
)
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder of the figure (PNG, SVG, CSV); default: prediction, with --json none.",
)
@as_json
def predict(
    delta: float,
    signal: float,
    signal_density: float,
    signal_law: str,
    loss: Loss,
    penalty: str | None,
    elastic: float | None,
    lam: float | None,
    tune: str | None,
    eps: float,
    eps_inf: float,
    train_eps: float,
    train_eps_inf: float,
    verify: bool,
    dimension: int,
    runs: int,
    seed: int,
    out: Path | None,
    as_json: bool,
) -> None:
    """Predict accuracy, robust accuracy, r_2 and sparsity of a linear classifier to be trained.

    \b
    Examples:
      sparsebound predict --signal-density 0.1 --lam 0.5 --eps 1
      sparsebound predict --signal-density 0.1 --tune robust-linf --eps-inf 1
      sparsebound predict --loss hinge --penalty l2 --lam 0.1 --eps 1 --verify

    Inputs are x = y mu + z with labels y = ±1 and standard Gaussian z; training minimises
    Σ loss(y x·w) + penalty, without an intercept; the squared loss is (1 − m)²/2. What is told is
    the limit of many features at this n / d, an estimate of any finite number; no box.
    """  # noqa: D301  # click wants the character itself
    attack = Attack(eps, eps_inf)
    counted = _counted(tune, lam, attack)
    objective = Objective(loss=loss, eps=train_eps, eps_inf=train_eps_inf)
    law = _LAWS[signal_law](signal, signal_density)
    shares = _shares(penalty, elastic, both=tune is not None)
    try:
        if lam is None:
            limit, share = tuned(objective, shares, law, ratio=delta, attack=counted)
        else:
            share = shares[0]
            limit = limit_of(penalised(objective, lam, share), law, ratio=delta)
    except NotConvergedError as error:
        raise click.ClickException(str(error)) from error
    summary = summary_of(limit, attack, share)
    trained = None
    if verify:
        trained = simulated(limit, attack, dimension=dimension, most=runs, seed=seed)
        told = compared(summary, trained)
        summary |= {"simulated": told} if as_json else _lines(told, trained.runs, dimension)
    if out is not None or not as_json:
        folder = out or Path("prediction")
        files = prediction.draw(path_around(limit, share), limit, attack._asdict(), trained, folder)
        summary["figure"] = str(files[0])
    click.echo(json_text(summary) if as_json else table_text(summary))


def _shares(penalty: str | None, elastic: float | None, *, both: bool) -> list[float]:
    """Return the shares of l1 in the penalties to be considered."""
    if elastic is not None:
        if penalty is not None:
            raise click.UsageError("--penalty and --elastic exclude each other.")
        return [elastic]
    if penalty is not None:
        return [SHARES[penalty]]
    return list(SHARES.values()) if both else [SHARES["l1"]]


def _counted(goal: str | None, lam: float | None, attack: Attack) -> Attack:
    """Return the attack under which accuracy is to be best; refuse a goal that lacks one."""
    if (goal is None) == (lam is None):
        given = "neither" if goal is None else f"--lam {lam:g} and --tune {goal}"
        raise click.UsageError(f"give one of --lam and --tune; got {given}.")
    if goal == "robust-l2":
        if attack.eps == 0:
            raise click.UsageError("--tune robust-l2 must have a budget, as --eps 1.")
        return Attack(eps=attack.eps)
    if goal == "robust-linf":
        if attack.eps_inf == 0:
            raise click.UsageError("--tune robust-linf must have a budget, as --eps-inf 1.")
        return Attack(eps_inf=attack.eps_inf)
    return Attack()


def _lines(told: Mapping[str, Mapping[str, float]], runs: int, dimension: int) -> dict[str, str]:
    """Return a line for each measure of the simulations."""
    return {
        f"simulated {name}": f"{each['mean']:.6g} ± {each['standard_error']:.2g}"
        f" ({each['predicted'] - each['mean']:+.2g}; {runs} trainings, d={dimension})"
        for name, each in told.items()
    }
