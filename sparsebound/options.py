"""The options that commands share, and what --json prints."""

import json
import math
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import click
import numpy as np
from numpy.typing import ArrayLike, NDArray

Command = TypeVar("Command", bound=Callable[..., Any])

_seed = click.option(
    "--seed",
    type=click.IntRange(min=0),
    default=0,
    show_default=True,
    help="Of splits and synthetic data: the same seed gives the same numbers.",
)
_quick = click.option("--quick", is_flag=True, help="Fewer splits and sparsities.")
_full = click.option("--full", is_flag=True, help="More of both, and slower attacks; minutes.")
as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text.")


def effort(command: Command) -> Command:
    """Add --quick, --full and --seed to a command."""
    return _quick(_full(_seed(command)))


def plan_name(quick: bool, full: bool) -> str:
    """Return the name of the plan asked for.

    Raises
    ------
    click.UsageError
        If both are.
    """
    if quick and full:
        raise click.UsageError("--quick and --full exclude each other.")
    return "quick" if quick else "full" if full else "default"


def json_text(value: Any) -> str:
    """Return JSON that every parser and terminal takes; what is not a finite number is null."""
    return json.dumps(_plain(value), indent=2, allow_nan=False)


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _plain(part) for name, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(part) for part in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def table_text(summary: Mapping[str, Any]) -> str:
    """Return a line for each entry of a summary."""
    width = max(len(name) for name in summary)
    return "\n".join(f"{name:<{width}}  {_cell(value)}" for name, value in summary.items())


def setting_columns(norm: float, box: tuple[ArrayLike, ArrayLike] | None) -> dict[str, str | int]:
    """Return the columns of a table that say in which norm and box its distances are."""
    sides = "none"
    if box is not None:
        sides = "per feature" if any(map(np.ndim, box)) else f"{box[0]} {box[1]}"
    return {"norm": norm_name(norm), "box": sides}


def norm_name(norm: float) -> str | int:
    """Return a norm as it is written: 2, or inf, which JSON has no number for."""
    return "inf" if math.isinf(norm) else int(norm)


def quantiles(what: str, values: NDArray[np.float64]) -> dict[str, float | None]:
    """Return entries of a summary: quantiles of those values that are finite, None if none is."""
    finite = values[np.isfinite(values)]
    places = {"5 %": 0.05, "median": 0.5, "95 %": 0.95}
    return {
        f"{what}, {name}": float(np.quantile(finite, q)) if finite.size else None
        for name, q in places.items()
    }


def _cell(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {count}" for name, count in value.items())
    if isinstance(value, list):
        return "; ".join(map(str, value)) or "None"
    return f"{value:.6g}" if isinstance(value, float) else str(value)
