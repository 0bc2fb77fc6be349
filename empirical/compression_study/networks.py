"""The networks of the compression study: trained, pruned and trained on, many at a time."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from torch import nn

from empirical.compression_study.record import BOX, CNN, EPS, MLP, TrainedBy
from empirical.data import Split
from empirical.models import cnn, mlp
from empirical.pruning import (
    SCHEMES,
    Stage,
    apply_masks,
    compression_of,
    copied,
    gradual,
    lottery_tickets,
    masks_of,
    state_of,
)
from empirical.training import Adversary, Training, train_together

COMPRESSIONS = (1, 2, 4, 8, 16)
CONVOLUTIONS = (1, 2, 4, 8)  # of the kernels or filters of a layer with eight
CRITERIA = ("weight magnitude global", "weight random layer")
RESETS = ("original", "random", "none")
# Of the weights left, the share that a round removes: the output layer's at half the rate, as in
# the paper, but fewer rounds with more each.
TICKET_RATES = {"conv": 0.5, "hidden": 0.5, "output": 0.25}
_STEPS = len(COMPRESSIONS) - 1

_NATURAL = Training(rate=1e-2, batch=64, keep="last")
_ADVERSARY = Adversary(norm=np.inf, eps=EPS[-1], share=0.5, box=BOX)


@dataclass(frozen=True, kw_only=True, eq=False)
class Pruned:
    """A trained network with its place in the study."""

    network: nn.Module
    model: str
    trained: TrainedBy
    family: str
    level: int

    @property
    def compression(self) -> float:
        """All weights over weights kept."""
        return compression_of(self.network)


class Start(NamedTuple):
    """Seeds of initial weights, and of the order of inputs at each level."""

    weights: int
    orders: tuple[int, ...]


def drawn_start(rng: np.random.Generator) -> Start:
    """Return seeds for networks that are to start alike, and to see inputs in one order."""
    return Start(_seed(rng), tuple(_seed(rng) for _ in range(_STEPS + 1)))


def natural_networks(
    data: Split, start: Start, *, epochs: int, rng: np.random.Generator
) -> list[Pruned]:
    """Return networks trained without an adversary: pruned by two criteria, and lottery tickets.

    All are trained on from one dense network, for as many epochs whatever their compression, the
    dense one too: longer training alone costs robustness. Tickets are reset before each level, and
    trained for the epochs of one.

    Parameters
    ----------
    data : Split
        Of the digits.
    start : Start
        Networks of one start share their initial weights and the order of inputs.
    epochs : int
        Of the dense network, and again after each of the steps that lead to a compression.
    rng : Generator
        Draws what random criteria and resets do.
    """
    training, seeds = replace(_NATURAL, epochs=epochs), start.orders
    untrained = _masked(mlp(64, 20, 10, seed=start.weights))
    dense = copied(untrained)
    train_together([dense], data, [training], seeds=seeds[:1])
    gradually = [(family, c) for family in CRITERIA for c in COMPRESSIONS]
    models, ticket = [copied(dense) for _ in gradually], copied(dense)
    stages = [
        gradual(model, SCHEMES[family], compression=c, steps=_STEPS, train=_later, rng=rng)
        for model, (family, c) in zip(models, gradually, strict=True)
    ]
    stages.append(_tickets(ticket, untrained, "original", rng))
    found = [_ticket(dense, "natural", "original", 0)]
    for level, seed in enumerate(seeds[1:], start=1):
        _train_next(stages, [*models, ticket], data, training, seed)
        found.append(_ticket(copied(ticket), "natural", "original", level))
    pruned = [
        _natural(model, MLP, family, COMPRESSIONS.index(c))
        for model, (family, c) in zip(models, gradually, strict=True)
    ]
    return [*pruned, *found]


def adversarial_networks(
    data: Split, start: Start, *, epochs: int, rng: np.random.Generator
) -> list[Pruned]:
    """Return lottery tickets found and trained against sign-gradient steps, by their resets.

    Parameters
    ----------
    data, start, epochs, rng
        As of `natural_networks`.
    """
    training = replace(_NATURAL, epochs=epochs, adversary=_ADVERSARY)
    untrained, seeds = _masked(mlp(64, 20, 10, seed=start.weights)), start.orders
    dense = copied(untrained)
    train_together([dense], data, [training], seeds=seeds[:1])
    models = [copied(dense) for _ in RESETS]
    stages = [
        _tickets(model, untrained, reset, rng) for model, reset in zip(models, RESETS, strict=True)
    ]
    found = [_ticket(dense, "adversarial", reset, 0) for reset in RESETS]
    for level, seed in enumerate(seeds[1:], start=1):
        _train_next(stages, models, data, training, seed)
        found += [
            _ticket(copied(model), "adversarial", reset, level)
            for model, reset in zip(models, RESETS, strict=True)
        ]
    return found


def convolutional_networks(
    data: Split, start: Start, *, epochs: int, rng: np.random.Generator
) -> list[Pruned]:
    """Return convolutional networks trained without an adversary, pruned by each of nine schemes.

    As `natural_networks`: all for as many epochs. Schemes of kernels and filters leave the last
    layer dense. Each layer keeps a weight, kernel or filter.

    Parameters
    ----------
    data, start, epochs, rng
        As of `natural_networks`.
    """
    training, seeds = replace(_NATURAL, epochs=epochs), start.orders
    dense = _masked(cnn((1, 8, 8), [8, 8], [10], seed=start.weights))
    train_together([dense], data, [training], seeds=seeds[:1])
    places = [(family, c) for family in SCHEMES for c in CONVOLUTIONS]
    models = [copied(dense) for _ in places]
    stages = [
        gradual(
            model, SCHEMES[family], compression=c, steps=_STEPS, train=_later, rng=rng, at_least=1
        )
        for model, (family, c) in zip(models, places, strict=True)
    ]
    for seed in seeds[1:]:
        _train_next(stages, models, data, training, seed)
    return [
        _natural(model, CNN, family, CONVOLUTIONS.index(c))
        for model, (family, c) in zip(models, places, strict=True)
    ]


def _masked(network: nn.Sequential) -> nn.Sequential:
    """Return a network with masks that keep all: those trained together are all pruned, or none."""
    apply_masks(network, masks_of(network))
    return network


def _later(model: nn.Module) -> None:
    """Stand for training in schedules whose networks are trained together after each stage."""
    del model


def _train_next(
    stages: Sequence[Iterator[Stage]],
    models: Sequence[nn.Module],
    data: Split,
    training: Training,
    seed: int,
) -> None:
    """Prune each network for its next stage, then train all, shown inputs in one order."""
    for stage in stages:
        next(stage)
    train_together(models, data, [training] * len(models), seeds=[seed] * len(models))


def _tickets(
    model: nn.Module, untrained: nn.Module, reset: str, rng: np.random.Generator
) -> Iterator[Stage]:
    """Return the rounds of lottery tickets after the dense one, which is trained already."""
    return lottery_tickets(
        model,
        rounds=_STEPS,
        train=_later,
        rng=rng,
        original=state_of(untrained),
        reset=reset,
        rates=TICKET_RATES,
        done=1,
    )


def _natural(network: nn.Module, model: str, family: str, level: int) -> Pruned:
    return Pruned(network=network, model=model, trained="natural", family=family, level=level)


def _ticket(network: nn.Module, trained: TrainedBy, reset: str, level: int) -> Pruned:
    family = f"ticket {reset}"
    return Pruned(network=network, model=MLP, trained=trained, family=family, level=level)


def _seed(rng: np.random.Generator) -> int:
    return int(rng.integers(2**31))
