"""`sparsebound train`: one network, from data to a file."""

from pathlib import Path
from typing import Any

import click

from empirical.data import Split
from empirical.experiments import (
    Network,
    accuracy_row,
    built_network,
    most_epochs,
    one_thread,
    refuse_cell,
    save_network,
    sparsity_row,
    split_of,
    training_row,
)
from empirical.models import MODELS
from empirical.sweeps.known import DATASETS
from empirical.training import PRESETS
from sparsebound.network_settings import (
    given_settings,
    refuse_twice,
    resolved,
    with_hash,
    with_settings,
)
from sparsebound.options import as_json, json_text, table_text
from sparsebound.progress import progress
from sparsebound.row_file import refuse_unwritable

_TOLD = ("train_accuracy", "validation_accuracy", "test_accuracy", "weights", "weights_kept")


@click.command()
@click.option(
    "--data",
    type=click.Choice(DATASETS),
    metavar="NAME",
    help=f"Data set: {', '.join(DATASETS)}; default: {DATASETS[0]}. The last two are files:"
    " --set data.path=FILE.",
)
@click.option(
    "--model",
    type=click.Choice(list(MODELS)),
    metavar="NAME",
    help=f"Network: {', '.join(MODELS)}; default: mlp.",
)
@click.option(
    "--preset",
    type=click.Choice(list(PRESETS)),
    metavar="NAME",
    help=f"Training that is known to do well: {', '.join(PRESETS)}. --set overrides it.",
)
@with_settings
@click.option(
    "--seed",
    type=click.IntRange(min=0),
    default=0,
    show_default=True,
    help="Of initial weights and the order of inputs.",
)
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    default=Path("net.safetensors"),
    show_default=True,
    help="File of the network, with its settings.",
)
@as_json
def train(
    data: str | None,
    model: str | None,
    preset: str | None,
    pairs: tuple[str, ...],
    seed: int,
    out: Path,
    as_json: bool,
) -> None:
    """Train a network, and keep it with its settings, so that `prune` and `attack` know them.

    \b
    Examples:
      sparsebound train --set training.epochs=20 --out net.safetensors
      sparsebound train --data mnist --model lenet5-small --preset lenet5-small
      sparsebound train --set training.keep=last --set training.epochs=50

    The settings are those of sweep files, and so is the network: a cell of a sweep with the same
    settings and seed trains the same one. The validation part chooses the epoch; the test part is
    only counted. `sparsebound certify` reads the file too.
    """  # noqa: D301  # click wants the character itself
    options = {"data.name": data, "model.name": model, "training.preset": preset}
    given = refuse_twice(given_settings(pairs), options)
    settings = resolved(with_hash(given), seed=seed)
    if settings["pruning.method"] != "none":
        raise click.UsageError("pruning.method is for `sparsebound prune`; here it must be none.")
    refuse_cell(settings)
    refuse_unwritable(out, ())
    with one_thread():
        parts = split_of(settings)
        with progress(most_epochs(settings), "train") as bar:
            network = built_network(settings, parts, progress=lambda _: bar.update())
        summary = saved_summary(network, parts, out)
    click.echo(json_text(summary) if as_json else table_text(summary))


def saved_summary(network: Network, data: Split, out: Path) -> dict[str, Any]:
    """Write a network's file; return what the network comes to."""
    out.parent.mkdir(parents=True, exist_ok=True)
    save_network(out, network)
    row = {
        **accuracy_row(network.model, data),
        **sparsity_row(network.model),
        **training_row(network.steps),
    }
    told = {key: row[key] for key in (*_TOLD, "compression", "empty_layers")}
    epochs = [row["training_epochs"], *row["pruning_epochs"]]
    return {**told, "epochs": epochs, "diverged": row["diverged"], "file": str(out)}
