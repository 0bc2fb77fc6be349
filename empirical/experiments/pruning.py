"""The stage "pruning": the dense network made sparse, in steps that cells can share."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import count
from typing import Any

from torch import nn

from empirical.data import Split
from empirical.experiments.model import new_model
from empirical.experiments.streams import drawn_seed, seed_of, stream
from empirical.experiments.training import Step, step_of, train_dense, training_of
from empirical.pruning import (
    Scheme,
    compression_of,
    gradual,
    lottery_tickets,
    one_shot,
    planned_surgery,
    state_of,
    train_under_surgery,
)
from empirical.sweeps import Settings, section
from empirical.sweeps.known import KNOWN
from empirical.training import Training, train

Progress = Callable[[int], Any] | None  # called with the number of epochs done after each
Work = Callable[[nn.Module, Split, Progress], list[Step]]


@dataclass(frozen=True, kw_only=True)
class PlannedStage:
    """A step on the way to a cell's network.

    Parameters
    ----------
    settings : mapping
        All of a cell that ends here: cells that agree in them share its network.
    epochs : int
        At most so many are trained in it.
    work : callable
        Of the network of the stage before, data and progress: changes the network in place, and
        returns what each training did.
    """

    settings: Settings
    epochs: int
    work: Work


def planned_stages(settings: Settings) -> tuple[PlannedStage, ...]:
    """Return the steps that lead to a cell's network: the dense one, then those of pruning."""
    unpruned = {key: KNOWN[key].resolved for key in settings if key.startswith("pruning.")}
    dense = PlannedStage(
        settings={**settings, **unpruned},
        epochs=training_of(settings).epochs,
        work=lambda model, data, progress: [train_dense(model, data, settings, progress=progress)],
    )
    return dense, *_PLANS[str(settings["pruning.method"])](settings)


def levels_to(compression: float, factor: float) -> list[float]:
    """Return the compressions that iterative pruning goes through, the last one last.

    Examples
    --------
    >>> levels_to(10.0, 2.0), levels_to(1.0, 2.0)
    ([2.0, 4.0, 8.0, 10.0], [])
    """
    levels = []
    level = factor
    while level < compression * (1 - 1e-9):  # not twice what differs by rounding alone
        levels.append(level)
        level *= factor
    return [*levels, compression] if compression > 1 else []


def _one_shot(settings: Settings) -> Iterator[PlannedStage]:
    yield _planned(settings, _pruned_to(settings, 1))


def _iterative(settings: Settings) -> Iterator[PlannedStage]:
    whole = _own(settings)
    for number, level in enumerate(levels_to(whole["compression"], whole["factor"]), start=1):
        own = {**settings, "pruning.compression": level}
        yield _planned(own, _pruned_to(own, number))


def _pruned_to(settings: Settings, number: int) -> Work:
    """Return the step that prunes to settings' compression and trains on."""

    def work(model: nn.Module, data: Split, progress: Progress) -> list[Step]:
        asked = _own(settings)["compression"]
        stage = one_shot(
            model,
            scheme_of(settings),
            compression=asked,
            train=_trainer(settings, data, number, progress),
            rng=stream(seed_of(settings), "pruning", number),
            at_least=_own(settings)["at_least"],
        )
        return [step_of(model, stage.trained, asked=asked)]

    return work


def _gradual(settings: Settings) -> Iterator[PlannedStage]:
    def work(model: nn.Module, data: Split, progress: Progress) -> list[Step]:
        own, numbers = _own(settings), count(1)

        def train_next(model: nn.Module) -> Any:
            return _trainer(settings, data, next(numbers), progress)(model)

        stages = gradual(
            model,
            scheme_of(settings),
            compression=own["compression"],
            steps=own["steps"],
            start=own["start"],
            train=train_next,
            rng=stream(seed_of(settings), "pruning"),
            at_least=own["at_least"],
        )
        return [step_of(model, stage.trained, asked=stage.asked) for stage in stages]

    yield _planned(settings, work, trainings=_own(settings)["steps"])


def _tickets(settings: Settings) -> Iterator[PlannedStage]:
    for number in range(1, _own(settings)["rounds"] + 1):
        own = {**settings, "pruning.rounds": number}
        yield _planned(own, _next_ticket(own, number))


def _next_ticket(settings: Settings, number: int) -> Work:
    def work(model: nn.Module, data: Split, progress: Progress) -> list[Step]:
        own = _own(settings)
        stage = next(
            lottery_tickets(
                model,
                rounds=number,
                done=number,
                train=_trainer(settings, data, number, progress),
                rng=stream(seed_of(settings), "pruning", number),
                original=state_of(new_model(settings)),
                reset=own["reset"],
                rates={kind: own[f"rates.{kind}"] for kind in ("conv", "hidden", "output")},
            )
        )
        return [step_of(model, stage.trained, asked=stage.asked)]

    return work


def _surgery(settings: Settings) -> Iterator[PlannedStage]:
    def work(model: nn.Module, data: Split, progress: Progress) -> list[Step]:
        own = _own(settings)
        surgery = planned_surgery(
            model, c=own["c"], stop=own["stop"], gamma=own["gamma"], power=own["power"]
        )
        history = train_under_surgery(
            model,
            data,
            retraining_of(settings),
            surgery,
            seed=drawn_seed(seed_of(settings), "pruning", "training"),
            rng=stream(seed_of(settings), "pruning"),
            progress=progress,
        )
        return [step_of(model, history, asked=compression_of(model))]

    yield _planned(settings, work)


def _none(settings: Settings) -> Iterator[PlannedStage]:
    return iter(())


_PLANS: dict[str, Callable[[Settings], Iterator[PlannedStage]]] = {
    "none": _none,
    "one-shot": _one_shot,
    "gradual": _gradual,
    "iterative": _iterative,
    "tickets": _tickets,
    "surgery": _surgery,
}


def scheme_of(settings: Settings) -> Scheme:
    """Return what a cell's pruning removes."""
    own = _own(settings)
    return Scheme(granularity=own["granularity"], criterion=own["criterion"], scope=own["scope"])


def retraining_of(settings: Settings) -> Training:
    """Return how a network is trained after a step of pruning."""
    epochs = _own(settings)["epochs"]
    training = training_of(settings)
    return training if epochs is None else replace(training, epochs=epochs)


def _planned(settings: Settings, work: Work, trainings: int = 1) -> PlannedStage:
    epochs = trainings * retraining_of(settings).epochs
    return PlannedStage(settings=settings, epochs=epochs, work=work)


def _trainer(
    settings: Settings, data: Split, number: int, progress: Progress
) -> Callable[[nn.Module], Any]:
    seed = drawn_seed(seed_of(settings), "pruning", "training", number)
    training = retraining_of(settings)
    return lambda model: train(model, data, training, seed=seed, progress=progress)


def _own(settings: Settings) -> dict[str, Any]:
    return section(settings, "pruning")
