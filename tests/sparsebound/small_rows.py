"""Rows of a ledger without the work."""

from collections.abc import Mapping
from typing import Any

from empirical.ledger import Record, row_text, surroundings
from empirical.sweeps import expanded
from empirical.sweeps.known import KNOWN


def cell_record(
    *,
    seed: int,
    compression: float,
    accuracy: float | None,
    train: int | None = None,
    more: Mapping[str, Any] | None = None,
) -> Record:
    """Return what became of a cell, with more that was measured; it failed without an accuracy."""
    given: dict[str, Any] = {
        "sweep": {"name": "one", "seeds": [seed]},
        "pruning.compression": compression,
        "data.train": "none" if train is None else train,
    }
    (cell,) = expanded(given, known=KNOWN).cells
    row = {"test_accuracy": accuracy, "l2_mean": 0.125, "l2_distances": [0.0, 0.25], **(more or {})}
    failed = accuracy is None
    return Record(
        key=cell.key,
        settings=cell.text,
        protocols=cell.protocols,
        seed=seed,
        status="failed" if failed else "done",
        row=None if failed else row_text(row),
        traceback="Traceback:\nValueError: no" if failed else None,
        seconds=0.5,
        surroundings=surroundings(),
    )
