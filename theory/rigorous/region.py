"""The inputs near one input, and the least value of linear forms there, in balls."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from flint import arb, arb_mat

from theory.rigorous.balls import Balls, balls, total
from theory.validation import Box, FloatArray

_STEPS = 4  # towards the best multiplier: every one of them is proven, later ones are better


@dataclass(frozen=True, kw_only=True, eq=False)
class Region:
    """The inputs within eps of x, in a box if there is one; x lies in it.

    Parameters
    ----------
    x : array, shape (d,)
    eps : float, nonnegative
    norm : 2 or inf
    box : None or pair of arrays, shape (d,)
    """

    x: FloatArray
    eps: float
    norm: float
    box: Box | None


def least_values(region: Region, forms: arb_mat) -> Balls:
    """Return the least value of each row of forms (m, d) times the moves that the region allows.

    Kind: exact, but for an L2 ball in a box, where it is lower: by duality, certify.md, section 3.
    """
    rows = forms.tolist()
    if region.box is not None:
        return _least_in_box(region, rows)
    eps = arb(region.eps)
    if region.norm == 2:
        return [-eps * total(h * h for h in row).sqrt() for row in rows]
    return [-eps * total(abs(h) for h in row) for row in rows]


def _least_in_box(region: Region, rows: list[Balls]) -> Balls:
    fall, rise = _moves(region)
    least = [
        total((h * l).min(h * u) for h, l, u in zip(row, fall, rise, strict=True)) for row in rows
    ]
    if region.norm != 2:
        return least
    multipliers = _multipliers(region, rows)
    for i, (row, mu) in enumerate(zip(rows, multipliers, strict=True)):
        if 0 < mu < math.inf:
            least[i] = least[i].max(_dual(arb(region.eps), row, (fall, rise), arb(mu)))
    return least


def _moves(region: Region) -> tuple[Balls, Balls]:
    """Return how far each feature may fall and rise: by eps at most, and within the box."""
    if region.box is None:
        raise ValueError("moves must have a box to end them.")
    eps, x = arb(region.eps), balls(region.x)
    lo, hi = (balls(side) for side in region.box)
    fall = [(l - v).max(-eps) for l, v in zip(lo, x, strict=True)]
    rise = [(u - v).min(eps) for u, v in zip(hi, x, strict=True)]
    return fall, rise


def _dual(eps: arb, row: Balls, moves: tuple[Balls, Balls], mu: arb) -> arb:
    """Return the least of form·move + mu (‖move‖² - eps²)/2 over the box alone: equation (3)."""
    terms = []
    for h, l, u in zip(row, *moves, strict=True):
        move = (-h / mu).max(l).min(u)
        terms.append(h * move + mu * move * move / 2)
    return total(terms) - mu * eps * eps / 2


def _multipliers(region: Region, rows: list[Balls]) -> FloatArray:
    """Return a multiplier of the ball for each form, in float64: chosen, not proven; [R5]."""
    forms = np.array([[float(h) for h in row] for row in rows])
    fall, rise = (np.array([float(v) for v in side]) for side in _moves(region))
    with np.errstate(all="ignore"):
        mu: Any = np.linalg.norm(forms, axis=1) / region.eps
        for _ in range(_STEPS):
            move = -forms / mu[:, None]
            free = (move > fall) & (move < rise)
            held = np.where(free, 0.0, np.clip(move, fall, rise))
            room = region.eps**2 - (held * held).sum(axis=1)
            better = np.sqrt(np.where(free, forms * forms, 0.0).sum(axis=1) / room)
            mu = np.where((better > 0) & (better < mu), better, mu)
    return np.asarray(mu)
