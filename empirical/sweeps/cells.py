"""What a cell is: resolved settings, and the hash that names what they lead to."""

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

_Scalar = str | int | float | bool | None
Value = _Scalar | list[Any]
Settings = Mapping[str, Value]

# Raised when what a stage does changes: rows of before are then no longer those of its cells.
PROTOCOLS: Mapping[str, int] = MappingProxyType(
    {"data": 1, "model": 1, "training": 1, "pruning": 1, "attack": 1, "measure": 2}
)


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One trained, pruned, attacked model that is to be, by all its settings.

    Parameters
    ----------
    text : str
        Canonical JSON of the settings, by dotted key.
    protocols : str
        Canonical JSON of the version of each stage.
    """

    text: str
    protocols: str

    @property
    def key(self) -> str:
        """The name of its row: a hash of settings and protocol versions."""
        whole = f'{{"protocols":{self.protocols},"settings":{self.text}}}'
        return hashlib.sha256(whole.encode()).hexdigest()

    @property
    def settings(self) -> dict[str, Value]:
        """The settings, each time as a new dictionary."""
        settings: dict[str, Value] = json.loads(self.text)
        return settings


def cell_of(settings: Settings, protocols: Mapping[str, int] = PROTOCOLS) -> Cell:
    """Return the cell of settings.

    Raises
    ------
    TypeError, ValueError
        If a value is not text, a finite number, true, false, none or a list of such.
    """
    for key, value in settings.items():
        _refuse_unwritable(key, value)
    return Cell(text=_canonical(settings), protocols=_canonical(protocols))


def cell_key(settings: Settings, protocols: Mapping[str, int] = PROTOCOLS) -> str:
    """Return the hash that names the row of a cell.

    It depends on every setting and every protocol version, but not on the order of keys. Whole
    numbers and floats differ: 1 is not 1.0. (`read_sweep` gives each setting its one type.)

    Parameters
    ----------
    settings : mapping
        All of them resolved, by dotted key.
    protocols : mapping
        The version of each stage.

    Returns
    -------
    str
        SHA-256 in hexadecimal, of canonical JSON: sorted keys, floats by their shortest
        representation that is exact, no spaces, ASCII.

    Raises
    ------
    TypeError, ValueError
        If a value is not text, a finite number, true, false, none or a list of such.

    Examples
    --------
    >>> cell_key({"seed": 0, "training.rate": 0.1})[:12]
    '40549a0c89f1'
    """
    return cell_of(settings, protocols).key


def section(settings: Settings, name: str) -> dict[str, Value]:
    """Return the settings of one section, by what follows its name.

    Examples
    --------
    >>> section({"training.rate": 0.1, "training.adversary.eps": 0.0, "seed": 1}, "training")
    {'rate': 0.1, 'adversary.eps': 0.0}
    """
    start = f"{name}."
    return {key.removeprefix(start): v for key, v in settings.items() if key.startswith(start)}


def _canonical(values: Mapping[str, Any]) -> str:
    return json.dumps(dict(values), sort_keys=True, separators=(",", ":"), allow_nan=False)


def _refuse_unwritable(key: str, value: Any) -> None:
    if isinstance(value, list):
        for part in value:
            _refuse_unwritable(key, part)
    elif isinstance(value, float):
        if type(value) is not float or not math.isfinite(value):
            raise ValueError(f"{key} must be a finite float of Python; got {value!r}.")
    elif value is not None and type(value) not in (str, int, bool):
        raise TypeError(f"{key} must be text, a number, true, false or a list; got {value!r}.")
