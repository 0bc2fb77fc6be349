"""Ratios of networks with symmetric weights drawn from fewer numbers, their law as it was.

What may be left out, and why the law stays: proofs/ratio_law.md, 11.
"""

from typing import Any

import numpy as np

from empirical.ratio_study.drawn import (
    Floats,
    RandomWeights,
    masked_rows,
    normal_entries,
    ratios_of,
    sign_entries,
)
from theory.validation import FloatArray, UnsupportedSettingError

_SYMMETRIC = (normal_entries, sign_entries)


def reduced_ratios(
    law: RandomWeights, x: FloatArray, *, count: int, rng: np.random.Generator
) -> FloatArray:
    """Return |g(x)| / ‖∇g(x)‖ drawn from the law that `drawn_ratios` draws them from.

    Kind: exact in law, up to float32; the networks themselves are not drawn.

    Parameters
    ----------
    law : RandomWeights
        Of normal weights or of signs, without a mean.
    x, count, rng
        As in `drawn_ratios`.

    Returns
    -------
    array, shape (count,)

    Raises
    ------
    UnsupportedSettingError
        If the law is another one.

    Examples
    --------
    >>> law = RandomWeights((4096, 4096))
    >>> found = reduced_ratios(law, np.ones(4096), count=3, rng=np.random.default_rng(0))
    >>> found.shape, bool((found >= 0).all())
    ((3,), True)
    """
    return ratios_of(reduced_squares(law, x, count=count, rng=rng))


def reduced_squares(
    law: RandomWeights, x: FloatArray, *, count: int, rng: np.random.Generator
) -> FloatArray:
    """Return g(x)² and ‖∇g(x)‖² drawn from their joint law, as `reduced_ratios`.

    Returns
    -------
    array, shape (count, 2)

    Raises
    ------
    UnsupportedSettingError
        As `reduced_ratios`.
    """
    if law.entries not in _SYMMETRIC or law.shift:
        raise UnsupportedSettingError(
            "law must have normal_entries or sign_entries and no shift; got"
            f" {law.entries.__name__} and {law.shift}."
        )
    point = x.astype(np.float32)
    draw = _directions if law.density >= 1 and law.entries is normal_entries else _units_on
    return np.array([draw(law, point, rng) for _ in range(count)])


def _units_on(law: RandomWeights, x: Floats, rng: np.random.Generator) -> tuple[float, float]:
    """Return both squares from the units that coins have on: (a) of the proof."""
    weights, row = _drawn_on(law, rng)
    values, signs = x, []
    for W in weights:
        z = W @ values
        signs.append(np.sign(z))  # of a row that keeps nothing that is on: 0, so off after all
        values = np.abs(z)
    output = float(row @ values)
    for W, turned in zip(reversed(weights), reversed(signs), strict=True):
        row = (row * turned) @ W
    return output**2, float(row @ row)


def _drawn_on(law: RandomWeights, rng: np.random.Generator) -> tuple[list[Floats], Floats]:
    """Return weights among the units that coins have on, and the row of g.

    Units that nothing leads on from are left out.
    """
    heads = [int(rng.binomial(n, 0.5)) for n in law.widths[1:]]
    columns = [law.widths[0], *heads]
    rows = masked_rows(law, rng, law.outputs, columns[-1])
    row, weights = rows[0] if law.outputs == 1 else rows[0] - rows[1], []
    seen = np.flatnonzero(row) if heads else np.arange(row.size)
    row = row[seen]
    for j in range(len(heads) - 1, -1, -1):
        W = masked_rows(law, rng, seen.size, columns[j])
        if j:
            seen = np.flatnonzero(W.any(axis=0))
            W = W[:, seen]
        weights.append(W)
    return weights[::-1], row


def _directions(law: RandomWeights, x: Floats, rng: np.random.Generator) -> tuple[float, float]:
    """Return both squares of dense normal weights, a layer's given what it makes: (b)."""
    size = float(np.linalg.norm(x))
    met: list[Any] = []
    made: list[Any] = []
    for n in law.widths[1:]:
        made.append(normal_entries(rng, n))
        values = np.maximum(made[-1], 0)
        length = float(np.linalg.norm(values))
        met.append(values / np.float32(length or 1.0))
        size *= length
    last = float(rng.standard_normal())
    row, along = np.full(1, np.sqrt(law.outputs)), np.full(1, last)
    for direction, below in zip(reversed(met), reversed(made), strict=True):
        row = _through(row, along, direction, rng) * (below > 0)
        along = below
    across = 2 * float(rng.standard_gamma((x.size - 1) / 2))  # chi-square
    gradient = float(row @ along) ** 2 + float(row @ row) * across
    return law.outputs * (size * last) ** 2, gradient


def _through(row: Any, along: Any, direction: Any, rng: np.random.Generator) -> Any:
    """Return row · W for W that is known along a direction, and normal across it."""
    fresh = normal_entries(rng, direction.size)
    across = fresh - (fresh @ direction) * direction
    return (row @ along) * direction + np.linalg.norm(row) * across
