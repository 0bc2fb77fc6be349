"""Cells of networks that take a fraction of a second, and what several tests ask of them."""

from typing import Any

import numpy as np

from empirical.ledger import Result
from empirical.sweeps import Settings, expanded
from empirical.sweeps.known import KNOWN

SMALL: dict[str, Any] = {
    "model.widths": [64, 6, 10],
    "training.epochs": 2,
    "training.rate": 0.01,
    "attack.names": ["l2_deepfool"],
    "attack.inputs": 6,
}


def small(changes: dict[str, Any] | None = None, *, seed: int = 0) -> Settings:
    """Return all settings of a small cell, some changed."""
    head = {"sweep": {"name": "small", "seeds": [seed]}}
    return expanded({**head, **SMALL, **(changes or {})}, known=KNOWN).cells[0].settings


def told(result: Result) -> dict[str, Any]:
    """Return a row's values but for seconds, as lists and numbers."""
    return {
        key: value.tolist() if isinstance(value, np.ndarray) else value
        for key, value in result.row.items()
        if not key.startswith("seconds")
    }


def layers(result: Result) -> list[tuple[Any, Any]]:
    """Return the weights, zero where pruned, and biases of a chain's layers, in float64."""
    names = dict.fromkeys(name.partition(".")[0] for name in result.weights)
    kept = {name: np.asarray(value, dtype=np.float64) for name, value in result.weights.items()}
    return [
        (
            kept[f"{n}.weight"]
            if f"{n}.weight" in kept
            else kept[f"{n}.weight_orig"] * kept[f"{n}.weight_mask"],
            kept[f"{n}.bias"],
        )
        for n in names
    ]


def masks(result: Result) -> dict[str, Any]:
    """Return the masks of a network, by parameter."""
    return {n: np.asarray(v) != 0 for n, v in result.weights.items() if n.endswith("_mask")}
