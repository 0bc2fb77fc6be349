"""Ledgers that reports are made of, without the work."""

from pathlib import Path
from typing import Any

from empirical.ledger import open_ledger
from tests.figures.reports import HOSTILE
from tests.sparsebound.small_rows import cell_record


def small_ledger(path: Path) -> Path:
    records = [
        cell_record(seed=seed, compression=c, accuracy=0.9 - 0.01 * c, more=wide(seed, c))
        for seed in (0, 1)
        for c in (1.0, 4.0)
    ]
    records.append(cell_record(seed=2, compression=4.0, accuracy=None))
    with open_ledger(path) as opened:
        opened.record(records)
        opened.set_members(HOSTILE.replace(",", ""), [record.key for record in records])
    return path


def wide(seed: int, compression: float) -> dict[str, Any]:
    """Return measures as many as a cell has: of a hundred inputs, in two norms."""
    row: dict[str, Any] = {"compression": compression, "inputs": list(range(100))}
    for norm in ("l2", "linf"):
        value = 0.3 / compression + 1e-3 * (seed % 7)
        row |= {f"{norm}_kind": "upper", f"{norm}_mean": value, f"{norm}_median": 0.9 * value}
        row |= {f"{norm}_distances": [value * (k + 0.123456789) / 50 for k in range(100)]}
        row |= {f"{norm}_eps": [0.1, 0.2, 0.3], f"{norm}_robust_accuracy": [0.6, 0.3, value]}
    return row


def large_ledger(path: Path, cells: int, *, seeds: int) -> Path:
    """Return a ledger of so many cells, with rows as wide as a sweep's."""
    count = cells // (2 * seeds)
    records, levels = [], [16.0 ** (k / count) for k in range(count)]
    for train in (100, 200):
        for c in levels:
            for seed in range(seeds):
                accuracy = 0.9 - 0.02 * c - 0.001 * (seed % 7)
                about = {"seed": seed, "compression": c, "train": train}
                records.append(cell_record(**about, accuracy=accuracy, more=wide(seed, c)))
    with open_ledger(path) as opened:
        opened.record(records)
        opened.set_members("large", [record.key for record in records])
    return path
