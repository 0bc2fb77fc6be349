"""What a cell of a sweep of networks computes, from its data to its measures, a file a stage."""

from empirical.experiments.cells import network_row, run_cell
from empirical.experiments.data import chosen_inputs, data_facts, file_hash, split_of
from empirical.experiments.measure import (
    accuracy_row,
    attack_results,
    attack_row,
    attacked_part,
    sparsity_row,
    training_row,
)
from empirical.experiments.model import model_facts
from empirical.experiments.networks import Network, load_network, save_network
from empirical.experiments.refusals import refuse_cell
from empirical.experiments.stages import built_network, most_epochs, stage_key
from empirical.experiments.streams import one_thread

__all__ = [
    "Network",
    "accuracy_row",
    "attack_results",
    "attack_row",
    "attacked_part",
    "built_network",
    "chosen_inputs",
    "data_facts",
    "file_hash",
    "load_network",
    "model_facts",
    "most_epochs",
    "network_row",
    "one_thread",
    "refuse_cell",
    "run_cell",
    "save_network",
    "sparsity_row",
    "split_of",
    "stage_key",
    "training_row",
]
