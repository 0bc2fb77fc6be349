"""Sweep files: TOML in, cells out.

A file has a table [sweep] with a name and seeds, tables of settings, and a table [grid] whose lists
are tried in all combinations::

    [sweep]
    name = "compression"
    seeds = [0, 1, 2]

    [training]
    epochs = 20

    [grid]
    pruning.compression = [1, 2, 4, 8]
"""

import re
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

from empirical.sweeps.cells import PROTOCOLS, Cell, Settings, Value, cell_of
from empirical.sweeps.options import Option, implied, integer, several

MAX_CELLS = 100_000
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._-]{0,99}")
_SEEDS = several(integer(0))
Flat = dict[str, Any]


class SweepFileError(ValueError):
    """What a sweep file says cannot be done."""


@dataclass(frozen=True, kw_only=True)
class Sweep:
    """Cells that are run under one name.

    Parameters
    ----------
    name : str
    cells : tuple of Cell
        Different from each other; seeds change first.
    """

    name: str
    cells: tuple[Cell, ...]


def _allow(settings: Settings) -> None:
    """Refuse nothing."""


def read_sweep(
    path: Path,
    *,
    known: Mapping[str, Option],
    protocols: Mapping[str, int] = PROTOCOLS,
    refuse: Callable[[Settings], None] = _allow,
) -> Sweep:
    """Return the sweep of a file.

    Parameters
    ----------
    path : Path
    known : mapping from dotted key to Option
        What a file may set, as `empirical.sweeps.known.KNOWN`; every cell has all of these, and
        "seed".
    protocols : mapping
        The version of each stage.
    refuse : callable
        Raises ValueError or TypeError on settings that do not go together.

    Raises
    ------
    OSError
        If the file cannot be read.
    SweepFileError
        If it is not TOML, a key is unknown, a value is none of its setting, or `refuse` refuses.
    """
    try:
        given = tomllib.loads(path.read_text(encoding="utf-8"))
        return expanded(given, known=known, protocols=protocols, refuse=refuse)
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SweepFileError(f"{path}: must be TOML in UTF-8: {error}.") from error
    except (ValueError, TypeError) as error:
        raise SweepFileError(f"{path}: {error}") from error


def expanded(
    given: Mapping[str, Any],
    *,
    known: Mapping[str, Option],
    protocols: Mapping[str, int] = PROTOCOLS,
    refuse: Callable[[Settings], None] = _allow,
) -> Sweep:
    """Return the sweep of what a file says.

    Parameters
    ----------
    given : mapping
        Its tables. Settings may stand outside of tables, by dotted key.
    known, protocols, refuse
        As of `read_sweep`.

    Raises
    ------
    TypeError, ValueError
        If a key is unknown, a value is none of its setting, or `refuse` refuses.

    Examples
    --------
    >>> known = {"training.epochs": Option(default=30, read=integer(0))}
    >>> head = {"sweep": {"name": "small", "seeds": [3]}}
    >>> [cell.text for cell in expanded({**head, "training.epochs": 5}, known=known).cells]
    ['{"seed":3,"training.epochs":5}']
    """
    name, seeds = _head(_table(given, "sweep"))
    grid = _flat(_table(given, "grid"), known)
    fixed = _flat({k: v for k, v in given.items() if k not in ("sweep", "grid")}, known)
    _refuse_twice(fixed, grid)
    fixed = {key: _read(known, key, value) for key, value in fixed.items()}
    axes = {key: _axis(known, key, values) for key, values in grid.items()}
    _refuse_many([*axes.values(), seeds])
    cells = []
    for settings in _combinations(fixed, axes, seeds, known):
        _refuse_together(settings, axes, refuse)
        cells.append(cell_of(settings, protocols))
    return Sweep(name=name, cells=tuple(cells))


def _table(given: Mapping[str, Any], name: str) -> Flat:
    table = given.get(name, {})
    if not isinstance(table, dict):
        raise TypeError(f"{name} must be a table; got {table!r}.")
    return table


def _head(table: Flat) -> tuple[str, list[Value]]:
    for key in table:
        if key not in ("name", "seeds"):
            raise ValueError(f"sweep.{key} is no setting; sweep has name and seeds.")
    name = table.get("name")
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise ValueError(
            "sweep.name must be 1 to 100 letters, digits, spaces, dots, dashes or underscores, the"
            f" first a letter or digit; got {name!r}."
        )
    return name, _distinct("sweep.seeds", _named("sweep.seeds", _SEEDS, table.get("seeds", [0])))


def _flat(table: Flat, known: Mapping[str, Option], start: str = "") -> Flat:
    """Return values by dotted key; quoted dotted keys and nested tables are the same."""
    flat: Flat = {}
    for key, value in table.items():
        whole = f"{start}{key}"
        if isinstance(value, dict) and any(name.startswith(f"{whole}.") for name in known):
            inner = _flat(value, known, f"{whole}.")
            _refuse_twice(flat, inner)
            flat |= inner
        elif whole not in known:
            raise ValueError(f"{whole} is no setting; known: {_neighbours(whole, known)}.")
        else:
            _refuse_twice(flat, {whole: value})
            flat[whole] = value
    return flat


def _neighbours(key: str, known: Mapping[str, Option]) -> str:
    """Return the settings of the key's section; of all of them if it is unknown."""
    section = key.partition(".")[0]
    near = [name for name in known if name.partition(".")[0] == section]
    return ", ".join(near or known)


def _refuse_twice(one: Flat, other: Flat) -> None:
    for key in one.keys() & other.keys():
        raise ValueError(f"{key} must be given once; got two.")


def _axis(known: Mapping[str, Option], key: str, values: Any) -> list[Value]:
    if not isinstance(values, list) or not values:
        raise TypeError(f"grid.{key} must be a list of one value or more; got {values!r}.")
    return _distinct(f"grid.{key}", [_read(known, key, value) for value in values])


def _distinct(key: str, values: Any) -> list[Value]:
    for i, value in enumerate(values):
        if any(value == one and type(value) is type(one) for one in values[:i]):
            raise ValueError(f"{key} must list different values; got {value!r} twice.")
    return list(values)


def _read(known: Mapping[str, Option], key: str, value: Any) -> Value:
    read: Value = _named(key, known[key].read, value)
    return read


def _named(key: str, read: Callable[[Any], Value], value: Any) -> Any:
    try:
        return read(value)
    except (ValueError, TypeError) as error:
        raise type(error)(f"{key} {error}") from error


def _refuse_many(axes: Sequence[Sequence[Value]]) -> None:
    count = 1
    for axis in axes:
        count *= len(axis)
    if count > MAX_CELLS:
        raise ValueError(f"the grid must have at most {MAX_CELLS} cells; got {count}.")


def _combinations(
    fixed: Settings,
    axes: Mapping[str, Sequence[Value]],
    seeds: Sequence[Value],
    known: Mapping[str, Option],
) -> Iterator[dict[str, Value]]:
    defaults = {key: option.resolved for key, option in known.items()}
    for values in product(*axes.values(), seeds):
        given = {**fixed, **dict(zip((*axes, "seed"), values, strict=True))}
        yield {**defaults, **implied(known, given), **given}


def _refuse_together(
    settings: Settings, axes: Mapping[str, Any], refuse: Callable[[Settings], None]
) -> None:
    try:
        refuse(settings)
    except (ValueError, TypeError) as error:
        where = ", ".join(f"{key} = {settings[key]!r}" for key in axes)
        raise ValueError(f"{error} ({where or 'every cell'})") from error
