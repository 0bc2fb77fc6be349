"""Certified radii and exact distances of networks: the part of `sparsebound certify` that works."""

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from empirical.lowering import NamedNetwork
from sparsebound.network_inputs import Inputs, Search, network_inputs
from sparsebound.network_table import rows, summary
from sparsebound.progress import progress
from sparsebound.row_file import RowFile, kept_rows
from theory.certify import DistanceBounds, certified_radii
from theory.certify.domain import refuse_extremes
from theory.certify.methods import chosen_margins
from theory.networks import Reduction, ReluNetwork, reduce
from theory.validation import as_budget

_INTERRUPTED = 130
# Inputs certified at a time: what is lost at most when the work is broken off.
_AT_A_TIME = 16


def network_radii(
    named: NamedNetwork,
    arrays: Mapping[str, NDArray[Any]],
    *,
    search: Search,
    eps: Sequence[float],
    out: Path | None,
) -> dict[str, Any]:
    """Return a summary of the radius of each input; write a row for each to `out` as it is done."""
    budgets = as_budget(eps)
    _refuse(search)
    inputs = network_inputs(named, arrays, search.box)
    refuse_extremes(inputs.net)
    # Certificates need no isometry of L2, only a Gram matrix, and turned inputs lose digits.
    kept = search.norm if search.exact else math.inf
    reduction = reduce(inputs.net, norm=kept, box=search.box)
    total, pieces = len(inputs.X), []
    with (
        kept_rows(out) as done,
        _told(done, total, out),
        progress(total, "solve" if search.exact else "certify") as bar,
        threadpool_limits(limits=1),  # blocks fit in a core's cache: shared out, they only wait
    ):
        work = _exact if search.exact else _certified
        for piece in work(inputs, search, reduction):
            right = inputs.right[done.count : done.count + piece.lower.size]
            pieces.append(_wrong_at_zero(piece, right))
            done.append(rows(inputs, pieces[-1], done.count, search))
            bar.update(piece.lower.size)
    return summary(inputs, pieces, search, reduction, budgets)


def _refuse(search: Search) -> None:
    """Raise ValueError if there is no such search, before any work is done."""
    if search.norm not in {2, math.inf}:
        raise ValueError(
            f"--norm must be 2 or inf for networks (0 and 1 are for linear models);"
            f" got {search.norm:g}."
        )
    if search.method not in {"exact", "best"}:
        chosen_margins(search.method, ReluNetwork(weights=[[[1.0]]]), search.norm)
    if not 0 < search.tol < 1:
        raise ValueError(f"--tol must be in (0, 1); got {search.tol}.")
    if not search.time_limit > 0:
        raise ValueError(f"--time-limit must be above 0; got {search.time_limit}.")


@contextmanager
def _told(done: RowFile, total: int, out: Path | None) -> Iterator[None]:
    """Say on standard error how much is done when the block ends before all is."""
    try:
        yield
    except KeyboardInterrupt:
        click.echo(f"Interrupted: {_share(done, total, out)}", err=True)
        raise click.exceptions.Exit(_INTERRUPTED) from None
    except Exception:
        if done.count and out is not None:
            click.echo(_share(done, total, out), err=True)
        raise


def _share(done: RowFile, total: int, out: Path | None) -> str:
    share = f"{done.count} of {total} inputs are done"
    if out is None:
        return f"{share}; --out would have kept them."
    return f"{share}, in {out}." if done.count else f"{share}."


def _wrong_at_zero(piece: DistanceBounds, right: NDArray[np.bool_]) -> DistanceBounds:
    """Return bounds that take from the network as given what is wrong, not from a reduced one."""
    return replace(
        piece,
        lower=np.where(right, piece.lower, 0.0),
        upper=np.where(right, piece.upper, 0.0),
        status=np.where(right, piece.status, "exact"),
    )


def _certified(inputs: Inputs, search: Search, reduction: Reduction) -> Iterator[DistanceBounds]:
    """Return radii of the reduced network, some inputs at a time."""
    setting: dict[str, Any] = {"norm": search.norm, "box": search.box, "tol": search.tol}
    y, net = inputs.net.classes[inputs.label], reduction.network
    return certified_radii(net, inputs.X, y, method=search.method, size=_AT_A_TIME, **setting)


def _exact(inputs: Inputs, search: Search, _: Reduction) -> Iterator[DistanceBounds]:
    """Return exact distances one by one: the search reduces the network for itself."""
    from theory.certify.branch_and_bound import exact_distances  # noqa: PLC0415

    setting: dict[str, Any] = {"norm": search.norm, "box": search.box, "rtol": search.tol}
    y, limit = inputs.net.classes[inputs.label], search.time_limit
    return exact_distances(inputs.net, inputs.X, y, time_limit=limit, **setting)
