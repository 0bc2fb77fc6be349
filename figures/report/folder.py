"""What `sparsebound reproduce` leaves in a folder, and a list by which to know it again."""

import csv
import hashlib
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from empirical.ledger import surroundings
from empirical.whole_files import whole_file

VERSION = 1  # of what run.json says
RUN, VERDICTS, PAGE, LATEX = "run.json", "verdicts.json", "report.html", "verdicts.tex"
_AGAIN = "run `sparsebound reproduce` again"
_COLUMNS = (
    *("claim", "source", "statement", "form", "we say", "verdict", "predicted", "measured"),
    *("low", "high", "what decides", "evidence", "assumptions", "note", "bibtex"),
)


@dataclass(frozen=True, kw_only=True)
class Run:
    """How and where a run was made, and what it left.

    Parameters
    ----------
    plan : "quick", "default" or "full"
    seed : int
    code, machine : str
        As of `empirical.ledger.Surroundings`.
    libraries : mapping of str to str
        Versions by name.
    files : mapping of str to str
        SHA-256 of each file, by its name.
    """

    plan: str
    seed: int
    code: str
    machine: str
    libraries: Mapping[str, str]
    files: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Drawn:
    """A figure as it lies in a folder.

    Parameters
    ----------
    name : str
    svg, csv : bytes
        The picture, and the table that it draws.
    """

    name: str
    svg: bytes
    csv: bytes


@dataclass(frozen=True, kw_only=True)
class Reproduced:
    """What a run left.

    Parameters
    ----------
    run : Run
    verdicts : sequence of mapping
        As verdicts.json has them.
    figures : sequence of Drawn
    tables : mapping of str to list of dict
        Rows of the tables asked for, of those that the run left, by name.
    """

    run: Run
    verdicts: Sequence[Mapping[str, Any]]
    figures: Sequence[Drawn]
    tables: Mapping[str, list[dict[str, str]]]


def run_of(folder: Path, names: Sequence[str], *, plan: str, seed: int) -> Run:
    """Return the run that this process made, with the files it left in a folder.

    Raises
    ------
    OSError
        If one cannot be read.
    """
    here = surroundings()
    return Run(
        plan=plan,
        seed=seed,
        code=here.code,
        machine=here.machine,
        libraries=json.loads(here.libraries),
        files={name: _digest((folder / name).read_bytes()) for name in sorted(names)},
    )


def write_run(folder: Path, run: Run) -> None:
    """Write the list of a run, last of all: what it lists is whole.

    Raises
    ------
    OSError
        If the folder cannot be written to.
    """
    text = json.dumps({"version": VERSION, **asdict(run)}, indent=2, ensure_ascii=False)
    with whole_file(folder / RUN) as unfinished:
        unfinished.write_text(text + "\n", encoding="utf-8")


def read_reproduced(folder: Path, *, tables: Sequence[str] = ()) -> Reproduced:
    """Return what a finished run left in a folder.

    Parameters
    ----------
    folder : Path
    tables : sequence of str
        Names of CSV files, without their ending, whose rows are wanted.

    Raises
    ------
    OSError
        If there is no such folder or no finished run in it.
    ValueError
        If the run is of another version, or a file has changed since, is gone or is no such file.
    """
    run = _read_run(folder)
    found = {name: _unchanged(folder / name, digest) for name, digest in run.files.items()}
    if VERDICTS not in found:
        raise ValueError(f"{folder / RUN} must list {VERDICTS}; it does not: {_AGAIN}.")
    stems = [Path(name).stem for name in found if name.endswith(".svg")]
    return Reproduced(
        run=run,
        verdicts=_verdicts(found[VERDICTS], folder / VERDICTS),
        figures=[_drawn(stem, found, folder) for stem in stems],
        tables={name: _rows(found[f"{name}.csv"]) for name in tables if f"{name}.csv" in found},
    )


def _read_run(folder: Path) -> Run:
    path = folder / RUN
    if not path.is_file():
        raise FileNotFoundError(
            f"{folder} must hold a finished run; there is no {RUN}: `sparsebound reproduce --out"
            f" {folder}` writes one."
        )
    said = _json(path.read_bytes(), path)
    version = said.pop("version", None) if isinstance(said, dict) else None
    if version != VERSION:
        raise ValueError(f"{path} must be of version {VERSION}; it has {version}: {_AGAIN}.")
    kinds = {"seed": int, "libraries": dict, "files": dict}
    for field in fields(Run):
        if not isinstance(said.get(field.name), kinds.get(field.name, str)):
            raise ValueError(f"{path} must say {field.name}; it has {said.get(field.name)!r}.")
    return Run(**{field.name: said[field.name] for field in fields(Run)})


def _unchanged(path: Path, digest: str) -> bytes:
    if path.name in {"", ".", ".."} or path.parent / path.name != path or not path.is_file():
        raise ValueError(f"{path}, which {RUN} lists, must be a file; there is none: {_AGAIN}.")
    content = path.read_bytes()
    if _digest(content) != digest:
        raise ValueError(
            f"{path} must be as the run of {RUN} left it; it has changed, or another run was"
            f" stopped: {_AGAIN}."
        )
    return content


def _verdicts(content: bytes, path: Path) -> list[dict[str, Any]]:
    rows = _json(content, path)
    if not isinstance(rows, list) or not rows:
        raise ValueError(f"{path} must be a list of verdicts; it has none.")
    for row in rows:
        missing = [name for name in _COLUMNS if not isinstance(row, dict) or name not in row]
        if missing:
            raise ValueError(f"{path} must say {missing[0]} of each verdict: {_AGAIN}.")
    return rows


def _drawn(stem: str, found: Mapping[str, bytes], folder: Path) -> Drawn:
    if f"{stem}.csv" not in found:
        raise ValueError(f"{folder / stem}.csv must be beside its figure; {RUN} does not list it.")
    return Drawn(name=stem, svg=found[f"{stem}.svg"], csv=found[f"{stem}.csv"])


def _rows(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode("utf-8"), newline="")))


def _json(content: bytes, path: Path) -> Any:
    try:
        return json.loads(content)
    except ValueError as error:
        raise ValueError(f"{path} must be JSON: {error}.") from error


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
