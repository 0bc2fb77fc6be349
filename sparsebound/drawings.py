"""The figures of the main job, as jobs for a crew."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from empirical.compression_study import CompressionCell
from empirical.curves import Comparison, digits_comparison, study_comparison
from empirical.linear_study import LinearCell
from empirical.network_study import Row, digits_networks, distance_table, lipschitz_table
from empirical.planar import planar_network
from empirical.random_pruning import norm_table, ratio_table, trained_digits
from empirical.slack_study import slack_table
from empirical.transfer_study import transfer_study
from figures import (
    adversarial_share,
    certified_accuracy,
    compression,
    digit_flips,
    lipschitz_sparsity,
    network_sandwich,
    pruning_ratio,
    r2_sparsity,
    random_pruning,
    robust_accuracy,
    slacks,
    sparsity,
    tickets,
    transfer,
)
from figures import cells as planar_cells
from sparsebound.crew import Crew, Job

_INPUTS, _SANDWICHED = 50, 50  # test digits whose distances are computed, and are drawn one by one
_EVALUATIONS = 120  # of instances of each claim that is searched for a violation


class NetworkTables(NamedTuple):
    """What the figures of networks show: their name, distances by network, and constants."""

    name: str
    distances: dict[str, list[Row]]
    constants: list[Row]


def network_tables(seed: int) -> NetworkTables:
    """Return distances of a dense and a pruned network of digits, and constants of all."""
    study = digits_networks(seed=seed)
    named = {"dense": study.at(1.0), "90 % pruned and retrained": study.at(0.1)}
    X, y = (part[:_INPUTS] for part in study.test)
    return NetworkTables(
        name=study.name,
        distances={
            f"{study.name}, {name}": distance_table(one.net, X, y) for name, one in named.items()
        },
        constants=lipschitz_table(study, rng=np.random.default_rng(seed)),
    )


def linear_drawings(
    study: Sequence[LinearCell], out: Path, crew: Crew, *, seed: int, carlini_wagner: bool
) -> list[Job]:
    """Return the figures of the linear study, the longest to draw first."""
    names = {cell.dataset: 0 for cell in study}
    groups = [[cell for cell in study if cell.dataset == name] for name in names]
    comparisons = [study_comparison(group) for group in groups]
    return [
        Job("robust-accuracy", _draw_curves, (comparisons, out, seed, carlini_wagner)),
        *(Job("sparsity", sparsity.draw, (crew.shared(group), out)) for group in groups),
        Job("digit-flips", _draw_flips, (comparisons[0], out)),
    ]


def network_drawings(tables: NetworkTables, out: Path, *, seed: int) -> list[Job]:
    """Return the figures of ReLU networks."""
    return [
        Job("cells", _draw_plane, (out, seed)),
        Job("network-sandwich", _draw_sandwich, (tables, out)),
        Job("lipschitz-sparsity", _draw_constants, (tables, out)),
        Job("certified-accuracy", certified_accuracy.draw, (tables.distances, out)),
    ]


def compression_drawings(
    study: Sequence[CompressionCell],
    linear_study: Sequence[LinearCell],
    out: Path,
    crew: Crew,
    *,
    seed: int,
) -> list[Job]:
    """Return the figures of pruned networks, the longest to draw first."""
    models = {cell.model: 0 for cell in study}
    groups = [[cell for cell in study if cell.model == model] for model in models]
    cells, linear_cells = crew.shared(study), crew.shared(linear_study)
    return [
        Job("transfer", _draw_transfer, (out, seed)),
        Job("r2-sparsity", r2_sparsity.draw, (cells, linear_cells, out)),
        *(Job("compression", compression.draw, (crew.shared(group), out)) for group in groups),
        Job("tickets", tickets.draw, (cells, out)),
        Job("adversarial-share", adversarial_share.draw, (cells, out)),
    ]


def random_pruning_drawings(out: Path, *, seed: int) -> list[Job]:
    """Return the figures of random pruning, the longest to draw first."""
    return [
        Job("pruning-ratio", _draw_ratios, (out, seed)),
        Job("random-pruning", _draw_norms, (out, seed)),
    ]


def search_drawings(out: Path, *, seed: int) -> list[Job]:
    """Return the figure of searches for violations."""
    return [Job("slacks", _draw_slacks, (out, seed))]


def _draw_curves(
    comparisons: Sequence[Comparison], out: Path, seed: int, carlini_wagner: bool
) -> list[Path]:
    every = [*comparisons, digits_comparison(seed)]
    return robust_accuracy.draw(every, out, carlini_wagner=carlini_wagner)


def _draw_flips(pair: Comparison, out: Path) -> list[Path]:
    image = pair.test.X[pair.test.y == 1][0]
    return digit_flips.draw(pair.models, image, out, change="have an 8 called a 3")


def _draw_plane(out: Path, seed: int) -> list[Path]:
    net, _, unseen = planar_network(seed=seed)
    return planar_cells.draw(net, unseen, out)


def _draw_sandwich(tables: NetworkTables, out: Path) -> list[Path]:
    rows = next(iter(tables.distances.values()))[:_SANDWICHED]
    return network_sandwich.draw(rows, out, network=tables.name)


def _draw_constants(tables: NetworkTables, out: Path) -> list[Path]:
    return lipschitz_sparsity.draw(tables.constants, out, network=tables.name)


def _draw_transfer(out: Path, seed: int) -> list[Path]:
    return transfer.draw(transfer_study(seed=seed), out)


def _draw_slacks(out: Path, seed: int) -> list[Path]:
    return slacks.draw(slack_table(seed=seed, evaluations=_EVALUATIONS), out)


def _draw_ratios(out: Path, seed: int) -> list[Path]:
    rng = np.random.default_rng(seed)
    return pruning_ratio.draw(ratio_table(trained_digits(rng), rng), out)


def _draw_norms(out: Path, seed: int) -> list[Path]:
    rng = np.random.default_rng(seed)
    return random_pruning.draw(norm_table(trained_digits(rng), rng), out)
