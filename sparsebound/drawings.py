"""The figures of the main job, each to be drawn by a call, so that progress can be shown."""

from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path

import numpy as np

from empirical.compression_study import CompressionCell
from empirical.curves import digits_comparison, study_comparison
from empirical.linear_study import LinearCell
from empirical.network_study import Row, digits_networks, distance_table, lipschitz_table
from empirical.planar import planar_network
from empirical.transfer_study import transfer_study
from figures import (
    adversarial_share,
    cells,
    certified_accuracy,
    compression,
    digit_flips,
    lipschitz_sparsity,
    network_sandwich,
    r2_sparsity,
    robust_accuracy,
    sparsity,
    tickets,
    transfer,
)

Drawing = Callable[[], list[Path]]

_INPUTS, _SANDWICHED = 80, 64  # test digits whose distances are computed, and are drawn one by one


def linear_drawings(
    study: Sequence[LinearCell], out: Path, *, seed: int, carlini_wagner: bool
) -> list[Drawing]:
    """Return the figures of the linear study."""
    names = {cell.dataset: 0 for cell in study}
    groups = [[cell for cell in study if cell.dataset == name] for name in names]
    comparisons = [study_comparison(group) for group in groups]
    pair = comparisons[0]
    image = pair.test.X[pair.test.y == 1][0]
    return [
        *(lambda group=group: sparsity.draw(group, out) for group in groups),
        lambda: robust_accuracy.draw(
            [*comparisons, digits_comparison(seed)], out, carlini_wagner=carlini_wagner
        ),
        lambda: digit_flips.draw(pair.models, image, out, change="have an 8 called a 3"),
    ]


def network_drawings(out: Path, *, seed: int) -> list[Drawing]:
    """Return the figures of ReLU networks; the first to be drawn trains the networks."""
    study = cache(lambda: digits_networks(seed=seed))

    @cache
    def tables() -> dict[str, list[Row]]:
        named = {"dense": study().at(1.0), "90 % pruned and retrained": study().at(0.1)}
        X, y = (part[:_INPUTS] for part in study().test)
        return {
            f"{study().name}, {name}": distance_table(one.net, X, y) for name, one in named.items()
        }

    def sandwich() -> list[Path]:
        rows = next(iter(tables().values()))[:_SANDWICHED]
        return network_sandwich.draw(rows, out, network=study().name)

    def constants() -> list[Path]:
        rows = lipschitz_table(study(), rng=np.random.default_rng(seed))
        return lipschitz_sparsity.draw(rows, out, network=study().name)

    def plane() -> list[Path]:
        net, _, unseen = planar_network(seed=seed)
        return cells.draw(net, unseen, out)

    return [sandwich, lambda: certified_accuracy.draw(tables(), out), constants, plane]


def compression_drawings(
    study: Sequence[CompressionCell],
    linear_study: Sequence[LinearCell],
    out: Path,
    *,
    seed: int,
) -> list[Drawing]:
    """Return the figures of pruned networks; the last to be drawn trains some of its own."""
    models = {cell.model: 0 for cell in study}
    groups = [[cell for cell in study if cell.model == model] for model in models]
    return [
        *(lambda group=group: compression.draw(group, out) for group in groups),
        lambda: tickets.draw(study, out),
        lambda: r2_sparsity.draw(study, linear_study, out),
        lambda: adversarial_share.draw(study, out),
        lambda: transfer.draw(transfer_study(seed=seed), out),
    ]
