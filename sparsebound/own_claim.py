"""A user's own claim: a Python file with one Claim and one function that measures it."""

import importlib.util
import sys
import traceback
import zlib
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple, get_args

from empirical.verify import Verdict
from theory.claims import CATALOGUE, Claim
from theory.claims.claim import Form, Standing

# The functions that a file may have, and what each is given.
MEASURES = {
    "measure": "a generator",
    "measure_cells": "the cells of the linear study",
    "measure_networks": "the cells of the compression study",
}
_EXAMPLE = "`sparsebound claims --example` prints one."


class OwnClaim(NamedTuple):
    """A claim, the file that it is in, and the function that measures it by its name."""

    path: Path
    claim: Claim
    takes: str
    measure: Callable[[Any], Any]


def is_file_of_a_claim(name: str) -> bool:
    """Return whether an argument is a file rather than a key: it ends in .py."""
    return name.endswith(".py")


def own_claim(path: Path) -> OwnClaim:
    """Return the claim in a Python file, and how it is measured. The file is run.

    Raises
    ------
    OSError
        If there is no such file.
    ValueError
        If it is no Python or fails when run, does not hold one Claim and one function that
        measures it, or the claim is malformed or in the catalogue; the message says which.
    """
    if not path.is_file():
        raise FileNotFoundError(f"{path} must be a Python file; there is none.")
    held = vars(_run(path))
    claim = _claim(path, held)
    names = [name for name in MEASURES if callable(held.get(name))]
    if len(names) != 1:
        raise ValueError(
            f"{path} must have one function of {', '.join(MEASURES)}; it has"
            f" {' and '.join(names) or 'none'}. {_EXAMPLE}"
        )
    return OwnClaim(path, claim, names[0], held[names[0]])


def own_verdict(own: OwnClaim, given: Any) -> Verdict:
    """Return what a user's function makes of what it is given.

    Raises
    ------
    ValueError
        If it raises anything, of which the message names the line, or returns the verdict of
        another claim.
    TypeError
        If it returns something else.
    """
    try:
        verdict = own.measure(given)
    except (Exception, SystemExit) as error:
        raise _told(own.path, error) from error
    if not isinstance(verdict, Verdict):
        raise TypeError(
            f"{own.takes} of {own.path} must return a Verdict; got {type(verdict).__name__}."
        )
    if verdict.claim != own.claim:
        raise ValueError(
            f"{own.takes} of {own.path} must return a Verdict of {own.claim.key}; got one of"
            f" {verdict.claim.key}."
        )
    return verdict


def own_seed(own: OwnClaim, seed: int) -> list[int]:
    """Return the seed of a claim's generator: it depends on the key alone, not on other claims."""
    return [seed, 4, zlib.crc32(own.claim.key.encode())]


def _run(path: Path) -> ModuleType:
    """Return a Python file as a module."""
    name = f"sparsebound_own_claim_{zlib.crc32(str(path.resolve()).encode())}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ValueError(f"{path} must be a Python file.")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # where its dataclasses and pickles look for it
    try:
        spec.loader.exec_module(module)
    except SyntaxError as error:
        raise ValueError(f"{path} must be Python; line {error.lineno}: {error.msg}.") from error
    except (Exception, SystemExit) as error:
        raise _told(path, error) from error
    return module


def _claim(path: Path, held: dict[str, Any]) -> Claim:
    known = set(map(id, CATALOGUE.values()))
    found = {id(value): value for value in held.values() if isinstance(value, Claim)}
    own = [claim for number, claim in found.items() if number not in known]
    if len(own) != 1:
        count = f"{len(own)}: {', '.join(str(claim.key) for claim in own)}" if own else "none"
        raise ValueError(f"{path} must hold one Claim of its own; it has {count}. {_EXAMPLE}")
    claim = own[0]
    if not isinstance(claim.key, str) or not claim.key or claim.key != "".join(claim.key.split()):
        raise ValueError(f"the key in {path} must be text without spaces; got {claim.key!r}.")
    if claim.key in CATALOGUE:
        raise ValueError(f"the key in {path} must be new; {claim.key} is in the catalogue.")
    for name, values in (("form", get_args(Form)), ("standing", get_args(Standing))):
        if getattr(claim, name) not in values:
            raise ValueError(
                f"{name} of the Claim in {path} must be one of {', '.join(values)}; got"
                f" {getattr(claim, name)!r}."
            )
    return claim


def _told(path: Path, error: BaseException) -> ValueError:
    """Return an error that names what went wrong in a file, and its last line there."""
    steps = traceback.extract_tb(error.__traceback__)
    lines = [step.lineno for step in steps if step.filename == str(path)]
    place = f"{path}, line {lines[-1]}" if lines else str(path)
    return ValueError(f"{place}: {type(error).__name__}: {error} (--traceback shows all)")
