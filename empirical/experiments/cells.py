"""What a cell computes: settings in, a row and weights out."""

import time
from pathlib import Path

from empirical.experiments.data import chosen_inputs, split_of
from empirical.experiments.measure import (
    accuracy_row,
    attack_results,
    attack_row,
    attacked_part,
    sparsity_row,
    training_row,
)
from empirical.experiments.networks import Network
from empirical.experiments.refusals import refuse_cell
from empirical.experiments.stages import built_network
from empirical.experiments.streams import one_thread
from empirical.ledger import Result
from empirical.pruning import state_of
from empirical.sweeps import Settings


def run_cell(settings: Settings, *, kept: Path | None = None) -> Result:
    """Return what one trained, pruned and attacked network comes to.

    The same settings give the same row, but for seconds, on one machine: every stage has its own
    stream of random numbers, and computes on one thread. So attacks never change the network.

    Parameters
    ----------
    settings : mapping
        All of `empirical.sweeps.known.KNOWN` and "seed".
    kept : Path, optional
        Folder of networks that cells share, as of `built_network`; it changes nothing but time.

    Returns
    -------
    Result
        In the row: accuracies, counts of weights, epochs, and for each norm distances (upper) and
        what they come to, with limits; curves of robust accuracy where there are budgets. Seconds
        of training and pruning are those that they took, if in an earlier cell. Weights are the
        network's state.

    Raises
    ------
    ValueError, TypeError, OSError
        As `refuse_cell`; or if the network does not score inputs finitely.
    """
    refuse_cell(settings)
    with one_thread():
        began = time.perf_counter()
        data = split_of(settings)
        loaded = time.perf_counter() - began
        network = built_network(settings, data, kept=kept)
        row = network_row(network, settings=settings)
    weights = {name: value.numpy() for name, value in state_of(network.model).items()}
    return Result(row={**row, "seconds_data": loaded}, weights=weights)


def network_row(network: Network, *, settings: Settings) -> dict[str, object]:
    """Return what a network comes to under a cell's attacks."""
    data, model = split_of(settings), network.model
    began = time.perf_counter()
    part = attacked_part(settings, data)
    attacks = attack_row(model, part, settings, attack_results(model, part, settings))
    return {
        **accuracy_row(model, data),
        **sparsity_row(model),
        **training_row(network.steps),
        **attacks,
        "inputs": chosen_inputs(settings) if attacks else [],
        "seconds_attack": time.perf_counter() - began,
    }
