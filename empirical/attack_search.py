"""A search for the nearest flips of one model, whatever it is: the harness and its parts.

A model is a `Target`: scores in float64, by which every point is judged, and a torch module of the
same scores, which is all that an attack sees. Nothing that an attack returns is believed: a point
counts if it is finite, in the box and flips the scores; it is then pulled back towards its input.

As in `empirical.attack_stack`, factors that change no label keep foolbox's absolute constants from
doing harm: each row's logits start at a stated gap, inputs are divided by a power of two.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import ArrayLike

from empirical.attack_stack import BoolArray, attacked_points, power_of_two_unit
from theory.validation import (
    FloatArray,
    IntArray,
    as_box,
    as_inputs,
    as_labels,
    refuse_nonfinite,
    refuse_outside,
)

# Halvings of the segment from an input to its flip: beyond these only rounding is left.
_HALVINGS = 45


class Target(Protocol):
    """What is attacked."""

    @property
    def dimension(self) -> int:
        """Return the number of features."""

    @property
    def classes(self) -> IntArray:
        """Return the labels, sorted: one a column of the scores."""

    def scores(self, points: FloatArray) -> FloatArray:
        """Return the scores (n, c) of points (n, d), in float64; (0, f) for one output."""

    def module(self, *, unit: float, factors: FloatArray) -> torch.nn.Module:
        """Return the scores of n rows that are divided by the unit, each times its factor."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Task:
    """A target, its inputs, the columns of their labels among the scores, and scalar bounds.

    Parameters
    ----------
    target : Target
    X : array, shape (n, d)
    y : array of int, shape (n,)
    lo, hi : float
        Infinite where there is no box.
    seed : int
        Of what attacks draw.
    """

    target: Target
    X: FloatArray
    y: IntArray
    lo: float
    hi: float
    seed: int = 0

    def margins(self, points: FloatArray) -> FloatArray:
        """Return by how much (n,) the true label outscores the best rival."""
        scores = self.target.scores(points)
        is_own = np.arange(scores.shape[1]) == self.y[:, None]
        own, rival = (np.where(kept, scores, -np.inf).max(axis=1) for kept in (is_own, ~is_own))
        return np.asarray(own - rival)

    def flipped(self, points: FloatArray) -> BoolArray:
        """Return whether each point is finite, in the box, and has a wrong label or a tie."""
        inside = np.isfinite(points) & (points >= self.lo) & (points <= self.hi)
        usable = np.asarray(inside.all(axis=1))
        return usable & (self.margins(np.where(usable[:, None], points, self.X)) <= 0)

    def unit(self, fraction: float) -> float:
        """Return a unit for the inputs: a fraction of their size."""
        return power_of_two_unit(self.X, (self.lo, self.hi), fraction)

    def module(self, *, unit: float, gap: float) -> torch.nn.Module:
        """Return what an attack sees: each row's scores start at the gap."""
        margins = np.abs(self.margins(self.X))
        factors = gap / np.where(margins > 0, margins, 1.0)
        return self.target.module(unit=unit, factors=factors)

    def rows(self, kept: BoolArray) -> "Task":
        """Return the task of some of the inputs."""
        return replace(self, X=self.X[kept], y=self.y[kept])


@dataclass(frozen=True, kw_only=True, eq=False)
class Flips:
    """The nearest flips known so far, in one norm; `keep_nearer` writes into the arrays.

    Parameters
    ----------
    norm : 0, 1, 2 or inf
    sizes : array, shape (n,)
        Kind: `upper`. 0 where the input is already wrong or tied, nan where no flip is known.
    witnesses : array, shape (n, d)
        The points at those distances; nan where there is none.
    """

    norm: float
    sizes: FloatArray
    witnesses: FloatArray


def as_task(target: Target, X: ArrayLike, y: ArrayLike, *, box: Any, seed: int = 0) -> Task:
    """Return the checked arguments of an attack.

    Raises
    ------
    TypeError, ValueError
        If X, y or box are malformed, not finite, not labels of the target, or outside the box.
    """
    inputs = as_inputs(X, target.dimension)
    refuse_nonfinite(inputs)
    lo, hi = as_box((-np.inf, np.inf) if box is None else box, target.dimension)
    if (lo != lo[0]).any() or (hi != hi[0]).any():
        raise ValueError(f"box must be None or one pair of numbers for all; got {box!r:.80}.")
    refuse_outside(inputs, (lo, hi))
    labels = as_labels(y, target.classes, len(inputs))
    return Task(target=target, X=inputs, y=labels, lo=float(lo[0]), hi=float(hi[0]), seed=seed)


def no_flips(task: Task, norm: float) -> Flips:
    """Return what is known before any attack: the inputs that are already wrong."""
    wrong = task.margins(task.X) <= 0
    witnesses = np.where(wrong[:, None], task.X, np.nan)
    return Flips(norm=norm, sizes=np.where(wrong, 0.0, np.nan), witnesses=witnesses)


def keep_nearer(task: Task, flips: Flips, points: FloatArray) -> BoolArray:
    """Keep the points that flip nearer than what is known, and return which did."""
    polished = restored(task, points) if flips.norm == 0 else pulled_back(task, points)
    return keep_nearest(flips, _moved(task, polished, flips.norm), polished)


def keep_nearest(flips: Flips, sizes: FloatArray, witnesses: FloatArray) -> BoolArray:
    """Keep checked witnesses that are nearer than what is known, and return which are."""
    nearer = (sizes < flips.sizes) | (np.isnan(flips.sizes) & ~np.isnan(sizes))
    flips.sizes[nearer], flips.witnesses[nearer] = sizes[nearer], witnesses[nearer]
    return np.asarray(nearer)


def pulled_back(task: Task, points: FloatArray) -> FloatArray:
    """Return for each point that flips the last that does on its segment; nan for the others."""
    flips = task.flipped(points)
    kept = np.where(flips[:, None], points, np.nan)
    moves = np.where(flips[:, None], points - task.X, 0.0)
    short, long = np.zeros((len(points), 1)), np.ones((len(points), 1))
    for _ in range(_HALVINGS):
        middle = (short + long) / 2
        there = np.clip(task.X + middle * moves, task.lo, task.hi)
        flipped = (task.flipped(there) & flips)[:, None]
        kept = np.where(flipped, there, kept)
        short, long = np.where(flipped, short, middle), np.where(flipped, middle, long)
    return kept


def restored(task: Task, points: FloatArray) -> FloatArray:
    """Return each point that flips with all features back that it does without; nan for the others.

    The least moved features go back first: as many at once as bisection finds, then one by one.
    """
    flips = task.flipped(points)
    kept = np.where(flips[:, None], points, task.X)
    ranks = np.abs(kept - task.X).argsort(axis=1).argsort(axis=1)
    low, high = np.zeros(len(points)), np.full(len(points), float(ranks.shape[1]))
    for _ in range(int(np.ceil(np.log2(ranks.shape[1] + 1)))):
        count = np.ceil((low + high) / 2)
        trial = np.where(ranks < count[:, None], task.X, points)
        good = task.flipped(trial) & flips
        kept = np.where(good[:, None], trial, kept)
        low, high = np.where(good, count, low), np.where(good, high, count - 1)
    for rank in np.unique(ranks[kept != task.X]):
        trial = np.where(ranks == rank, task.X, kept)
        kept = np.where((task.flipped(trial) & flips)[:, None], trial, kept)
    return np.where(flips[:, None], kept, np.nan)


def found_points(
    task: Task,
    attack: Callable[..., Any],
    *,
    unit: float,
    gap: float,
    epsilons: Sequence[float | None] = (None,),
) -> list[FloatArray]:
    """Return what a foolbox attack finds for each epsilon, in the box; still to be checked."""
    return attacked_points(
        attack,
        task.module(unit=unit, gap=gap),
        task.X,
        task.y,
        unit=unit,
        bounds=(task.lo, task.hi),
        epsilons=epsilons,
        seed=task.seed,
    )


def _moved(task: Task, points: FloatArray, norm: float) -> FloatArray:
    return np.asarray(
        np.where(
            np.isnan(points).any(axis=1), np.nan, np.linalg.norm(points - task.X, ord=norm, axis=1)
        )
    )


def is_near(task: Task, points: FloatArray, norm: float, eps: float) -> BoolArray:
    """Return which points are in the box, and within eps but for the rounding of a sum."""
    held = np.isfinite(points) & (points >= task.lo) & (points <= task.hi)
    inside = np.asarray(held.all(axis=1))
    slack = np.spacing(np.abs(task.X).max(axis=1)) * np.sqrt(task.X.shape[1])
    moves = np.where(inside[:, None], points - task.X, np.inf)
    return np.asarray(np.linalg.norm(moves, ord=norm, axis=1) <= eps * (1 + 1e-9) + slack)
