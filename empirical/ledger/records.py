"""What a ledger says of a cell that was run."""

import hashlib
import json
import platform
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike

import empirical
import theory

_LIBRARIES = ("numpy", "scipy", "scikit-learn", "torch", "foolbox")
Status = Literal["done", "failed"]


@dataclass(frozen=True, kw_only=True)
class Surroundings:
    """Where and by what a cell was run.

    Parameters
    ----------
    code : str
        The version of sparsebound and a hash of the source files of `theory` and `empirical`.
    libraries : str
        JSON: versions by name.
    machine : str
    """

    code: str
    libraries: str
    machine: str


@dataclass(frozen=True, kw_only=True)
class Result:
    """What a cell gives.

    Parameters
    ----------
    row : mapping
        Text, numbers, arrays or lists of such, by name.
    weights : mapping
        Arrays by name; kept in a file beside the ledger unless there are none.
    """

    row: Mapping[str, Any]
    weights: Mapping[str, ArrayLike] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Record:
    """What became of a cell.

    Parameters
    ----------
    key : str
        `Cell.key`.
    settings, protocols : str
        JSON; of the cell.
    seed : int, optional
    status : "done" or "failed"
    row : str, optional
        JSON of what was measured. None where it failed.
    traceback : str, optional
        None where it is done.
    seconds : float
    surroundings : Surroundings
    """

    key: str
    settings: str
    protocols: str
    seed: int | None
    status: Status
    row: str | None
    traceback: str | None
    seconds: float
    surroundings: Surroundings


def row_text(row: Mapping[str, Any]) -> str:
    """Return a row as JSON that Python reads back: NaN and infinity as NaN and Infinity.

    Raises
    ------
    TypeError
        If a name is no text, or a value is not text, a number, true, false, None, an array or a
        list or mapping of such.
    """
    for name in row:
        if not isinstance(name, str):
            raise TypeError(f"the names of a row must be text; got {name!r}.")
    return json.dumps(dict(row), default=_plain)


def _plain(value: Any) -> Any:
    if isinstance(value, (np.generic, np.ndarray)):
        return value.tolist()
    raise TypeError(f"values of a row must be numbers, text or lists; got {type(value).__name__}.")


@cache
def surroundings() -> Surroundings:
    """Return the code, libraries and machine of this process."""
    libraries = {name: _version(name) for name in _LIBRARIES}
    libraries["python"] = platform.python_version()
    return Surroundings(
        code=f"{_version('sparsebound')}+{_source_hash()[:12]}",
        libraries=json.dumps(libraries, sort_keys=True),
        machine=f"{platform.node()} {platform.machine()}",
    )


def _source_hash() -> str:
    digest = hashlib.sha256()
    for package in (theory, empirical):
        folder = Path(package.__path__[0])
        for path in sorted(folder.rglob("*.py")):
            name = path.relative_to(folder).as_posix()
            digest.update(f"{package.__name__}/{name}\0".encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"
