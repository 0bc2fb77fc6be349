"""Settings of networks on the command line, as sweep files have them."""

import json
import tomllib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click

from empirical.experiments import file_hash, refuse_cell
from empirical.sweeps import Settings, expanded
from empirical.sweeps.known import KNOWN

Command = TypeVar("Command", bound=Callable[..., Any])


def with_settings(command: Command) -> Command:
    """Add --set to a command."""
    return click.option(
        "--set",
        "pairs",
        multiple=True,
        metavar="KEY=VALUE",
        help="A setting as sweep files have it, training.epochs=20 or model.widths=[64,10];"
        " repeatable.",
    )(command)


def given_settings(pairs: Sequence[str]) -> dict[str, Any]:
    """Return settings by whole key; a value is TOML, or text if it is none.

    A table counts as the settings in it.

    Raises
    ------
    click.UsageError
        If a pair has no equals sign, a key is given twice, or a table is empty.

    Examples
    --------
    >>> given_settings(["training.epochs=20", "model.widths=[64, 10]", "data.name=digits"])
    {'training.epochs': 20, 'model.widths': [64, 10], 'data.name': 'digits'}
    >>> given_settings(["attack={inputs=3, box='unit'}"])
    {'attack.inputs': 3, 'attack.box': 'unit'}
    """
    given: dict[str, Any] = {}
    for pair in pairs:
        key, sign, value = (part.strip() for part in pair.partition("="))
        own = _flat(key, _value(value))
        whole = {*given, *(name for name, _ in own)}
        if not sign or not key or len(whole) < len(given) + len(own):
            raise click.UsageError(f"--set must be KEY=VALUE, each key once; got {pair!r}.")
        if not own:
            raise click.UsageError(f"--set must give a setting; got the empty table {pair!r}.")
        given |= dict(own)
    return given


def resolved(given: Mapping[str, Any], *, seed: int) -> Settings:
    """Return all settings of a cell: those given, the others at their defaults.

    Raises
    ------
    TypeError, ValueError
        If a key is unknown, or a value is none of its setting.
    """
    for section in {key.partition(".")[0] for key in given} & {"sweep", "grid"}:
        raise ValueError(f"{section} is no setting; it is a table of sweep files.")
    head = {"sweep": {"name": "one", "seeds": [seed]}}
    return expanded({**head, **given}, known=KNOWN).cells[0].settings


def changed(settings: Settings, given: Mapping[str, Any]) -> Settings:
    """Return settings with others in the place of some.

    Raises
    ------
    TypeError, ValueError
        As `resolved`; or if settings then do not go together.
    """
    seed: Any = settings["seed"]
    read = resolved(given, seed=seed)
    new = {**settings, **{key: read[key] for key in given}}
    refuse_cell(new)
    return new


def with_hash(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return settings with the hash of the file that they name, unless they have one.

    Raises
    ------
    OSError
        If it cannot be read.
    """
    path = given.get("data.path")
    if not isinstance(path, str) or path == "none" or "data.sha256" in given:
        return dict(given)
    return {**given, "data.sha256": file_hash(Path(path))}


def refuse_twice(pairs: Mapping[str, Any], options: Mapping[str, Any]) -> dict[str, Any]:
    """Return settings of both; refuse one that both have.

    Parameters
    ----------
    pairs : mapping
        Of --set.
    options : mapping
        Of options of their own; None where one is not given.
    """
    given = {key: value for key, value in options.items() if value is not None}
    for key in pairs.keys() & given.keys():
        raise click.UsageError(f"{key} must be given once, by --set or by its own option.")
    return {**pairs, **given}


def refuse_other_sections(given: Mapping[str, Any], *sections: str) -> None:
    """Refuse settings of stages that are over, or still to come."""
    for key in given:
        if key.partition(".")[0] not in sections:
            raise click.UsageError(
                f"--set must be of {' or '.join(sections)} here, as NET has the rest; got {key}."
            )


def default_file() -> str:
    """Return a sweep file that gives every setting its default."""
    lines = ["[sweep]", 'name = "defaults"', "seeds = [0]"]
    section = "sweep"
    for key, option in KNOWN.items():
        start, _, name = key.partition(".")
        if start != section:
            section = start
            lines += ["", f"[{section}]"]
        # JSON's text, numbers, lists and truth are TOML's.
        value = "none" if option.resolved is None else option.resolved
        lines.append(f"{name} = {json.dumps(value)}")
    return "\n".join(lines)


def _flat(key: str, value: Any) -> list[tuple[str, Any]]:
    """Return the settings of a table, however deep, with their whole keys."""
    if not isinstance(value, dict):
        return [(key, value)]
    return [pair for name, inner in value.items() for pair in _flat(f"{key}.{name}", inner)]


def _value(text: str) -> Any:
    try:
        read = tomllib.loads(f"value = {text}")
    except tomllib.TOMLDecodeError:
        return text
    return read["value"] if read.keys() == {"value"} else text
