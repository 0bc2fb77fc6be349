"""The stages "attack" and "measure": what becomes of a cell's network, as the values of a row."""

from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any

import numpy as np
from torch import nn

from empirical.data import Part, Split
from empirical.experiments.data import chosen_inputs
from empirical.experiments.streams import seed_of, stream
from empirical.experiments.training import Step, unit_box
from empirical.intervals import Interval
from empirical.measures import accuracy_beyond, distance_summary, robust_curve
from empirical.module_attacks import MODEL_ATTACKS, ModelAttackResult, model_attack_distances
from empirical.module_budgets import model_robust_accuracy
from empirical.module_target import ModuleTarget
from empirical.pruning import compression_of, empty_layers, weight_counts
from empirical.sweeps import Settings
from empirical.sweeps.known import BALLS, GROUPS, NORMS

Row = dict[str, Any]


def sparsity_row(model: nn.Module) -> Row:
    """Return how many weights a network keeps. Kind: exact; biases do not count."""
    counts = weight_counts(model)
    return {
        "compression": compression_of(model),
        "weights": sum(count.total for count in counts.values()),
        "weights_kept": sum(count.kept for count in counts.values()),
        "layers": list(counts),
        "layer_weights": [count.total for count in counts.values()],
        "layer_kept": [count.kept for count in counts.values()],
        "empty_layers": list(empty_layers(model)),
    }


def training_row(steps: Sequence[Step]) -> Row:
    """Return what the dense training did, and what those after each step of pruning did."""
    dense, *later = steps
    return {
        "training_epochs": dense["epochs"],
        "training_kept": dense["kept"],
        "pruning_asked": [step["asked"] for step in later],
        "pruning_reached": [step["compression"] for step in later],
        "pruning_epochs": [step["epochs"] for step in later],
        "pruning_kept": [step["kept"] for step in later],
        "diverged": any(step["diverged"] for step in steps),
        "validation_loss": steps[-1]["validation_loss"],
        "seconds_training": dense["seconds"],
        "seconds_pruning": sum(step["seconds"] for step in later),
    }


def accuracy_row(model: nn.Module, data: Split) -> Row:
    """Return the accuracy on each part. Kind: exact for these inputs, but for float64 rounding."""
    return {f"{name}_accuracy": _accuracy(model, part) for name, part in data._asdict().items()}


def attacked_part(settings: Settings, data: Split) -> Part:
    """Return the inputs that are attacked, and their labels."""
    rows = chosen_inputs(settings)
    return Part(np.asarray(data.test.X[rows], dtype=np.float64), data.test.y[rows])


def attacks_of(settings: Settings, norm: str) -> str | list[str]:
    """Return the attacks of a norm: a group's name, or names.

    Examples
    --------
    >>> attacks_of({"attack.names": ["ddn", "linf_pgd"]}, "linf")
    ['linf_pgd']
    """
    names: Any = settings["attack.names"]
    if names[0] in GROUPS:
        return str(names[0])
    return [name for name in names if MODEL_ATTACKS[name] == NORMS[norm]]


def attack_results(
    model: nn.Module, part: Part, settings: Settings
) -> dict[str, ModelAttackResult]:
    """Return the nearest flips that a cell's attacks find, by norm. Kind: upper."""
    norms: Any = settings["attack.norms"] or []
    return {
        norm: model_attack_distances(
            model,
            part.X,
            part.y,
            norm=NORMS[norm],
            box=unit_box(settings["attack.box"]),
            attacks=attacks_of(settings, norm),
            rng=stream(seed_of(settings), "attack", norm),
        )
        for norm in norms
    }


def attack_row(
    model: nn.Module, part: Part, settings: Settings, found: Mapping[str, ModelAttackResult]
) -> Row:
    """Return what nearest flips come to, and the robust accuracy that budgets leave.

    Names begin with the norm. Kind: upper, for distances, their means and medians, and robust
    accuracies.
    """
    row: Row = {}
    for norm, result in found.items():
        row |= _named(norm, _distance_row(result, part, _level(settings)))
    for norm in BALLS:
        budgets: Any = settings[f"measure.budgets.{norm}"]
        if budgets is not None:
            row |= _named(norm, _budget_row(model, part, settings, norm))
            if norm in found:
                curve = accuracy_beyond(found[norm], budgets, level=_level(settings))
                row |= _named(norm, {"accuracy_beyond": curve.accuracy})
    return row


def _distance_row(result: ModelAttackResult, part: Part, level: float) -> Row:
    summary = distance_summary(result, part.y, level=level)
    row: Row = {}
    for item in fields(summary):
        value = getattr(summary, item.name)
        if isinstance(value, Interval):
            row |= {item.name: value.value, f"{item.name}_low": value.low}
            row[f"{item.name}_high"] = value.high
    winners, wins = np.unique(result.winner[result.status == "witnessed"], return_counts=True)
    return row | {
        "at_chance": summary.at_chance,
        "kind": result.kind,
        "box": result.box,
        "attacks": list(result.attacks),
        "wins": dict(zip(winners.tolist(), wins.tolist(), strict=True)),
        "distances": result.distances,
    }


def _budget_row(model: nn.Module, part: Part, settings: Settings, norm: str) -> Row:
    restarts: Any = settings["measure.restarts"]
    budgets: Any = settings[f"measure.budgets.{norm}"]
    result = model_robust_accuracy(
        model,
        part.X,
        part.y,
        budgets,
        norm=NORMS[norm],
        box=unit_box(settings["attack.box"]),
        restarts=restarts,
        rng=stream(seed_of(settings), "measure", norm),
    )
    curve = robust_curve(result, level=_level(settings))
    return {
        "eps": curve.eps,
        "robust_accuracy": curve.accuracy,
        "robust_accuracy_low": curve.low,
        "robust_accuracy_high": curve.high,
        "alarms": list(curve.alarms),
    }


def _named(norm: str, row: Row) -> Row:
    return {f"{norm}_{name}": value for name, value in row.items()}


def _level(settings: Settings) -> float:
    level: Any = settings["measure.confidence"]
    return float(level)


def _accuracy(model: nn.Module, part: Part) -> float:
    """Return how many inputs have their label ahead of every other, in float64: a tie is wrong."""
    X = np.asarray(part.X, dtype=np.float64)
    scores, rows = ModuleTarget(model, X.shape[1]).scores(X), np.arange(len(part.y))
    own = scores[rows, part.y]
    scores[rows, part.y] = -np.inf
    return float((own > scores.max(axis=1)).mean())
