"""The study: networks pruned to rising compressions, seed by seed, attacked and certified."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial

import numpy as np

from empirical.compression_study.measuring import (
    certified,
    right,
    survivals,
    with_distances,
    with_flips,
)
from empirical.compression_study.networks import (
    CRITERIA,
    Pruned,
    adversarial_networks,
    convolutional_networks,
    drawn_start,
    natural_networks,
)
from empirical.compression_study.record import CNN, EPS, MLP, CompressionCell, Plan
from empirical.data import Part, Split, digits, split
from empirical.lowering import network_from_module

_SEARCHED = CRITERIA[0]  # the family whose distances are searched for


def compression_parts(plan: Plan, *, seed: int) -> list[Callable[[], list[CompressionCell]]]:
    """Return the parts of the study: calls that may be made in any order, and in any process.

    Each gives the cells of one split of the digits: natural networks, then adversarial ones. After
    all splits come those of convolutional networks, if any.

    Parameters
    ----------
    plan : Plan
    seed : int

    Examples
    --------
    >>> len(compression_parts(Plan(seeds=3, convolutions=2), seed=0))
    5
    """
    return [
        *(partial(_split_cells, plan, seed, index) for index in range(plan.seeds)),
        *(partial(_convolutional_cells, plan, seed, index) for index in range(plan.convolutions)),
    ]


def compression_study(plan: Plan, *, seed: int) -> Iterator[list[CompressionCell]]:
    """Yield the cells of each of the `compression_parts`.

    Deterministic given the seed, but for searches that end for want of time.

    Parameters
    ----------
    plan : Plan
    seed : int

    Examples
    --------
    >>> plan = Plan(seeds=2, inputs=8, searched=1, epochs=1)
    >>> cells = next(compression_study(plan, seed=0))
    >>> natural = [cell for cell in cells if cell.trained == "natural"]
    >>> [round(cell.compression) for cell in natural if cell.family == "weight magnitude global"]
    [1, 2, 4, 8, 16]
    """
    return (part() for part in compression_parts(plan, seed=seed))


def _split_cells(plan: Plan, seed: int, index: int) -> list[CompressionCell]:
    rng = np.random.default_rng([seed, 3, index])
    data = split(digits(), rng=rng)
    start, attack_seed = drawn_start(rng), _attack_seed(seed, index)
    cells: list[CompressionCell] = []
    for trained in (natural_networks, adversarial_networks):
        networks = trained(data, start, epochs=plan.epochs, rng=rng)
        cells += _cells(networks, data, plan, index=index, attack_seed=attack_seed)
    return cells


def _convolutional_cells(plan: Plan, seed: int, index: int) -> list[CompressionCell]:
    rng = np.random.default_rng([seed, 4, index])
    data = split(digits(), rng=rng)
    networks = convolutional_networks(data, drawn_start(rng), epochs=plan.epochs, rng=rng)
    return _cells(networks, data, plan, index=index, attack_seed=_attack_seed(seed, index))


def _attack_seed(seed: int, index: int) -> int:
    """Return the seed of random starts: one for all networks of a split, another for another."""
    return int(np.random.default_rng([seed, 5, index]).integers(2**31))


def _cells(
    networks: Sequence[Pruned], data: Split, plan: Plan, *, index: int, attack_seed: int
) -> list[CompressionCell]:
    test = Part(*(part[: plan.inputs] for part in data.test))
    models = [one.network for one in networks]
    nets = [network_from_module(model, (test.X.shape[1],)) for model in models]
    fgsm, survived = survivals(models, nets, test, seed=attack_seed)
    few = Part(*(part[: plan.searched] for part in test))
    found = []
    for r, (one, net) in enumerate(zip(networks, nets, strict=True)):
        cell = CompressionCell(
            seed=index,
            model=one.model,
            trained=one.trained,
            family=one.family,
            level=one.level,
            compression=one.compression,
            trained_on=data.train.y.size,
            correct=right(net, test.X, test.y),
            eps=np.array(EPS),
            fgsm=fgsm[r],
            survived=survived[r],
            certified=certified(net, test) if one.model == MLP else np.full(len(EPS), np.nan),
        )
        if one.model == CNN:
            cell = with_flips(cell, one.network, net, test)
        elif one.family == _SEARCHED:
            cell = with_distances(cell, net, few)
        found.append(cell)
    return found
