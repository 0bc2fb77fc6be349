"""The cells of sweeps in a table: a row for those that differ in nothing but the seed."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from empirical.intervals import Interval
from empirical.measures import over_seeds
from empirical.sweeps.known import BALLS, KNOWN, NORMS

Row = Mapping[str, Any]
_DISTANCES = ("mean", "median")


@dataclass(frozen=True, kw_only=True)
class Measure:
    """What one number of a group of cells is.

    Parameters
    ----------
    name : str
        In words.
    eps : float, optional
        The budget of a robust accuracy.
    """

    name: str
    eps: float | None = None


@dataclass(frozen=True, kw_only=True)
class Group:
    """Cells of a sweep that differ in their seed alone.

    Parameters
    ----------
    sweep : str
    settings : mapping of str to value
        Those that vary within the sweep.
    done, failed : int
        How many cells; measures are of those done.
    measures : mapping of Measure to Interval
        Means over seeds of the cells done. All nan where a cell done does not have a number, as
        where an attack found no flip of an input; limits nan where there is but one.
    """

    sweep: str
    settings: Mapping[str, Any]
    done: int
    failed: int
    measures: Mapping[Measure, Interval]


def seed_groups(rows: Sequence[Row]) -> list[Group]:
    """Return what the cells of a ledger gave, over seeds.

    Kind: estimates of means over seeds, given data and split, of numbers that are exact
    (accuracy, compression) or upper (distances, robust accuracies).

    Parameters
    ----------
    rows : sequence of mapping
        As of `empirical.ledger.result_rows`. A cell of two sweeps is in both.
    """
    sweeps: dict[str, list[Row]] = {}
    for row in rows:
        for name in row["sweeps"].split(","):
            sweeps.setdefault(name, []).append(row)
    return [group for name, own in sweeps.items() for group in _groups(name, own)]


def _groups(sweep: str, rows: Sequence[Row]) -> Iterator[Group]:
    keys = {row["key"]: {key: json.dumps(row.get(key)) for key in KNOWN} for row in rows}
    varying = [key for key in KNOWN if len({settings[key] for settings in keys.values()}) > 1]
    cells: dict[tuple[str, ...], list[Row]] = {}
    for row in rows:
        cells.setdefault(tuple(keys[row["key"]][key] for key in varying), []).append(row)
    for group in cells.values():
        done = [row for row in group if row["status"] == "done"]
        yield Group(
            sweep=sweep,
            settings={key: group[0].get(key) for key in varying},
            done=len(done),
            failed=len(group) - len(done),
            measures=_measures(done),
        )


def _measures(cells: Sequence[Row]) -> dict[Measure, Interval]:
    numbers = [dict(_numbers(cell)) for cell in cells]
    known = dict.fromkeys(measure for cell in numbers for measure in cell)
    return {measure: _mean([cell.get(measure) for cell in numbers]) for measure in known}


def _numbers(cell: Row) -> Iterator[tuple[Measure, float | None]]:
    for name, key in (("test accuracy", "test_accuracy"), ("compression", "compression")):
        if key in cell:
            yield Measure(name=name), cell[key]
    for norm in NORMS:
        for name in _DISTANCES:
            if cell.get(f"{norm}_kind") is not None:
                yield Measure(name=f"{name} {_written(norm)} distance"), cell.get(f"{norm}_{name}")
    for norm in BALLS:
        budgets, left = (cell.get(f"{norm}_{what}") or [] for what in ("eps", "robust_accuracy"))
        for eps, accuracy in zip(budgets, left, strict=False):
            yield Measure(name=f"{_written(norm)} robust accuracy", eps=eps), accuracy


def _mean(values: Sequence[float | None]) -> Interval:
    sample = np.array([np.nan if value is None else value for value in values], dtype=np.float64)
    if sample.size == 1 and np.isfinite(sample[0]):
        return Interval(float(sample[0]), np.nan, np.nan)
    return over_seeds(sample)


def _written(norm: str) -> str:
    return norm.upper().replace("LINF", "L∞")
