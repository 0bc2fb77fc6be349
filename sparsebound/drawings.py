"""The figures of the main job, as jobs for a crew."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from empirical import before_training_study
from empirical.budget_table import budget_table
from empirical.compression_study import CompressionCell
from empirical.curves import Comparison, digits_comparison, study_comparison
from empirical.linear_study import LinearCell
from empirical.network_study import Row, digits_networks, distance_table, lipschitz_table
from empirical.planar import planar_network
from empirical.plug_in_study import embedded_datasets, file_datasets, plug_in_cells, student_table
from empirical.random_pruning import norm_table, ratio_table, trained_digits
from empirical.slack_study import slack_table
from empirical.transfer_study import transfer_study
from empirical.whole_files import whole_file, write_table
from figures import (
    adversarial_share,
    before_training,
    certified_accuracy,
    compression,
    digit_flips,
    heavy_tails,
    lipschitz_sparsity,
    network_sandwich,
    phase_diagram,
    pruning_ratio,
    r2_sparsity,
    random_pruning,
    real_data,
    robust_accuracy,
    slacks,
    sparsity,
    tickets,
    transfer,
)
from figures import cells as planar_cells
from sparsebound.crew import Crew, Job

_INPUTS, _SANDWICHED = 36, 36  # test digits whose distances are computed, and are drawn one by one
_SPLITS, _FILE_SPLITS, _REPEATS = 3, 8, 8  # of real data, of large ones; of draws of heavy tails
_EVALUATIONS = 120  # of instances of each claim that is searched for a violation

_SIMULATED = {
    "quick": before_training_study.QUICK,
    "default": before_training_study.DEFAULT,
    "full": before_training_study.FULL,
}


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


def before_training_drawings(plan: str, out: Path, *, seed: int) -> list[Job]:
    """Return the figures of predictions before training.

    Parameters
    ----------
    plan : "quick", "default" or "full"
    out : Path
    seed : int
    """
    return [
        Job("before-training", _draw_predicted, (_SIMULATED[plan], out, seed)),
        Job("phase-diagram", _draw_phases, (_SIMULATED[plan], out, seed)),
    ]


def plug_in_drawings(out: Path, *, seed: int) -> list[Job]:
    """Return the figure of predictions for real data that need no file."""
    return [Job("real-data", _draw_real, (out, seed))]


def long_plug_in_drawings(out: Path, *, seed: int) -> list[Job]:
    """Return the figures of heavy tails, and of the real data whose files are there, if any."""
    return [
        Job("real-data-files", _draw_real_files, (out, seed)),
        Job("heavy-tails", _draw_tails, (out, seed)),
    ]


def search_drawings(out: Path, *, seed: int) -> list[Job]:
    """Return the figure of searches for violations."""
    return [Job("slacks", _draw_slacks, (out, seed))]


def report_tables(study: Sequence[LinearCell], out: Path, crew: Crew) -> list[Job]:
    """Return the tables that only the report draws."""
    return [Job("budgets", _tabulate_budgets, (crew.shared(study), out))]


def _draw_curves(
    comparisons: Sequence[Comparison], out: Path, seed: int, carlini_wagner: bool
) -> list[Path]:
    every = [*comparisons, digits_comparison(seed)]
    return robust_accuracy.draw(every, out, carlini_wagner=carlini_wagner)


def _tabulate_budgets(study: Sequence[LinearCell], out: Path) -> list[Path]:
    path = out / "budgets.csv"
    with whole_file(path) as part, part.open("w", encoding="utf-8", newline="") as stream:
        write_table(budget_table(study), stream)
    return [path]


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


def _draw_predicted(plan: before_training_study.Plan, out: Path, seed: int) -> list[Path]:
    table = before_training_study.curve_table(plan, seed=seed)
    return before_training.draw(table, out, dimension=plan.dimension)


def _draw_phases(plan: before_training_study.Plan, out: Path, seed: int) -> list[Path]:
    table = before_training_study.phase_table(plan, seed=seed)
    return phase_diagram.draw(table, out, dimension=plan.dimension)


def _draw_real(out: Path, seed: int) -> list[Path]:
    groups = [plug_in_cells(dataset, _SPLITS, seed=seed) for dataset in embedded_datasets()]
    return real_data.draw(groups, out)


def _draw_real_files(out: Path, seed: int) -> list[Path]:
    found = file_datasets(seed)
    groups = [plug_in_cells(dataset, _FILE_SPLITS, seed=seed) for dataset in found]
    return real_data.draw(groups, out, name="real-data-files") if groups else []


def _draw_tails(out: Path, seed: int) -> list[Path]:
    return heavy_tails.draw(student_table(_REPEATS, seed=seed), out)


def _draw_slacks(out: Path, seed: int) -> list[Path]:
    return slacks.draw(slack_table(seed=seed, evaluations=_EVALUATIONS), out)


def _draw_ratios(out: Path, seed: int) -> list[Path]:
    rng = np.random.default_rng(seed)
    return pruning_ratio.draw(ratio_table(trained_digits(rng), rng), out)


def _draw_norms(out: Path, seed: int) -> list[Path]:
    rng = np.random.default_rng(seed)
    return random_pruning.draw(norm_table(trained_digits(rng), rng), out)
