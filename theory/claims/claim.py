"""What somebody claims, as data."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

Form = Literal["identity", "bound", "limit", "trend", "equivalence"]
Standing = Literal["proven", "refuted", "open"]


@dataclass(frozen=True, kw_only=True)
class Source:
    """Where a claim is made.

    Parameters
    ----------
    citation : str
        Authors and year, as one would say it.
    place : str
        Theorem, equation or section.
    bibtex : str
    """

    citation: str
    place: str
    bibtex: str


@dataclass(frozen=True, kw_only=True)
class Claim:
    """A statement about robustness that a measurement can meet.

    Parameters
    ----------
    key : str
        Name on the command line: the source's file, a dot, what it is about.
    source : Source
    statement : str
        In words and signs of the field, complete enough to be checked by hand.
    form : {"identity", "bound", "limit", "trend", "equivalence"}
        Decides the test that makes a measurement a verdict.
    assumptions : tuple of str
        All that the proof uses.
    standing : {"proven", "refuted", "open"}
        What we say of it: proven under its assumptions; false as stated, with a counterexample;
        or left to the data.
    note : str
        What the assumptions hide, where the proof stands, or what the counterexample is.
    predict : callable
        Gives the predicted number or numbers; its own docstring says from what.
    """

    key: str
    source: Source
    statement: str
    form: Form
    assumptions: tuple[str, ...]
    standing: Standing
    note: str
    predict: Callable[..., Any]
