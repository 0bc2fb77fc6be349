"""Pruning of torch networks by the masks of torch.nn.utils.prune: what to remove, and when."""

from empirical.pruning.masks import (
    Count,
    Masks,
    State,
    apply_masks,
    compression_of,
    copied,
    empty_layers,
    masks_of,
    prunable,
    restore,
    state_of,
    weight_counts,
)
from empirical.pruning.schedules import COMPRESSIONS, cubic_density, gradual, iterative, one_shot
from empirical.pruning.schemes import SCHEMES, Scheme, masks_above, masks_for
from empirical.pruning.selection import compression_at
from empirical.pruning.stages import Stage
from empirical.pruning.surgery import (
    Surgery,
    operated_masks,
    planned_surgery,
    revision,
    train_under_surgery,
)
from empirical.pruning.tickets import RATES, RESETS, lottery_tickets, ticket_masks

__all__ = [
    "COMPRESSIONS",
    "RATES",
    "RESETS",
    "SCHEMES",
    "Count",
    "Masks",
    "Scheme",
    "Stage",
    "State",
    "Surgery",
    "apply_masks",
    "compression_at",
    "compression_of",
    "copied",
    "cubic_density",
    "empty_layers",
    "gradual",
    "iterative",
    "lottery_tickets",
    "masks_above",
    "masks_for",
    "masks_of",
    "one_shot",
    "operated_masks",
    "planned_surgery",
    "prunable",
    "restore",
    "revision",
    "state_of",
    "ticket_masks",
    "train_under_surgery",
    "weight_counts",
]
