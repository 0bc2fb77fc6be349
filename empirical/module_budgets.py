"""Which inputs of a torch classifier survive attacks of given sizes, and signs of masked gradients.

foolbox attacks a copy in float64; every point is checked again by that copy: its label, its
entries, its box and the size of its move.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike

from empirical.attack_search import Task, found_points, is_near
from empirical.attack_stack import GAP, PGD, BoolArray, foolbox_attacks
from empirical.module_target import module_task
from theory.validation import FloatArray, as_budget

_Run = Callable[[Task, FloatArray, int], Iterator[list[FloatArray]]]


@dataclass(frozen=True, kw_only=True, eq=False)
class BudgetResult:
    """What attacks of k budgets did to n inputs of a torch classifier.

    Parameters
    ----------
    eps : array, shape (k,)
        Ascending.
    attacks : tuple of str
        The m attacks, by name.
    broken : array of bool, shape (m, k, n)
        Whether the attack found a checked point at this budget, whatever it found at others.
    survived : array of bool, shape (k, n)
        Whether the input is right and no attack broke it at this budget or a smaller one. Kind of
        the robust accuracy that is its mean: `upper`.
    witnesses : array, shape (k, n, d)
        A point of a smaller move than the budget that does not survive; nan where all did. The
        input itself where it is already wrong.
    wrong : array of bool, shape (n,)
        The inputs that are wrong or tied before any attack.
    norm : 2 or inf
    box : None or (lo, hi)
    kind : str
        "upper".
    """

    eps: FloatArray
    attacks: tuple[str, ...]
    broken: BoolArray
    survived: BoolArray
    witnesses: FloatArray
    wrong: BoolArray
    norm: float
    box: tuple[float, float] | None
    kind: str = "upper"


def model_robust_accuracy(
    model: torch.nn.Module,
    X: ArrayLike,
    y: ArrayLike,
    eps: ArrayLike,
    *,
    norm: float,
    box: tuple[float, float] | None,
    restarts: int = 3,
    rng: np.random.Generator,
) -> BudgetResult:
    """Return which inputs survive fast-gradient, PGD and random attacks of each budget.

    Kind: `upper`, for the robust accuracy.

    Parameters
    ----------
    model, X, y, box
        As `empirical.module_attacks.model_attack_distances` takes them.
    eps : array, shape (k,)
        Ascending budgets, no less than 0.
    norm : 2 or inf
    restarts : int
        Random starts of PGD, beside the start at the input; as many of the fast-gradient attack,
        and ten times as many random moves.
    rng : numpy Generator
        Gives the seeds of starts and of random moves.

    Returns
    -------
    BudgetResult

    Raises
    ------
    TypeError, ValueError
        If an argument is not as described.

    Notes
    -----
    foolbox 3.3. "fgm" is Goodfellow et al. 2015 (arXiv 1412.6572), in L∞ the sign-gradient attack;
    "random_fgm" takes its step of length eps from a random point of the ball, as Wong et al. 2020
    (2001.03994), and returns to the ball; "pgd" is Madry et al. 2018 (1706.06083), "random_pgd"
    with random starts. "noise" is a random move of length eps: to a corner in L∞.

    Examples
    --------
    >>> model = torch.nn.Linear(2, 2)
    >>> _ = model.load_state_dict({"weight": torch.eye(2), "bias": torch.zeros(2)})
    >>> rng = np.random.default_rng(0)
    >>> found = model_robust_accuracy(
    ...     model, [[1.0, 0.0]], [0], [0.4, 0.6], norm=math.inf, box=None, rng=rng
    ... )
    >>> found.survived.tolist()
    [[True], [False]]
    """
    runs, budgets = _checked(eps, norm, restarts)
    task = module_task(model, X, y, box=box, rng=rng)
    wrong = task.margins(task.X) <= 0
    n, k = len(task.X), len(budgets)
    broken = np.zeros((len(runs), k, n), dtype=bool)
    witnesses = np.full((k, *task.X.shape), np.nan)
    witnesses[:, wrong] = task.X[wrong]
    for m, run in enumerate(runs.values()):
        for trial in run(task, budgets, restarts):
            for j, points in enumerate(trial):
                fooled = is_near(task, points, norm, budgets[j]) & task.flipped(points) & ~wrong
                broken[m, j] |= fooled
                _fill(witnesses, points, fooled, j)
    return BudgetResult(
        eps=budgets,
        attacks=tuple(runs),
        broken=broken,
        survived=np.asarray(np.isnan(witnesses).any(axis=2)),
        witnesses=witnesses,
        wrong=wrong,
        norm=float(norm),
        box=box,
    )


def masking_alarms(result: BudgetResult) -> tuple[str, ...]:
    """Return in plain words what in a result suggests that gradients mislead; none is no proof.

    Parameters
    ----------
    result : BudgetResult

    Returns
    -------
    tuple of str
        A sentence for each budget where one step broke more inputs than PGD, for each where PGD
        broke fewer than with a smaller one, and for each where random moves broke inputs that no
        gradient did.

    Notes
    -----
    Athalye, Carlini and Wagner 2018 (arXiv 1802.00420), section 3.1.

    Examples
    --------
    >>> result = model_robust_accuracy(
    ...     torch.nn.Linear(1, 2), [[1.0]], [0], [0.0], norm=2, box=None,
    ...     rng=np.random.default_rng(0),
    ... )
    >>> masking_alarms(result)
    ()
    """
    rows = dict(zip(result.attacks, result.broken, strict=True))
    one_step = rows["fgm"] | rows["random_fgm"]
    pgd = rows["pgd"] | rows["random_pgd"]
    unseen = rows["noise"] & ~(one_step | pgd)
    alarms = []
    for j, eps in enumerate(result.eps):
        fast, slow, noise = (int(each[j].sum()) for each in (one_step, pgd, unseen))
        if fast > slow:
            alarms.append(f"At eps={eps:g} one step broke {fast} inputs, PGD only {slow}.")
        if j and slow < (before := int(pgd[j - 1].sum())):
            smaller = result.eps[j - 1]
            alarms.append(f"PGD broke {slow} inputs at eps={eps:g}, {before} at eps={smaller:g}.")
        if noise:
            alarms.append(f"At eps={eps:g} random moves broke {noise} inputs that no gradient did.")
    return tuple(alarms)


def _checked(eps: ArrayLike, norm: float, restarts: int) -> tuple[dict[str, _Run], FloatArray]:
    if norm not in _RUNS:
        raise ValueError(f"norm must be 2 or inf; got {norm!r}.")
    if not isinstance(restarts, int) or isinstance(restarts, bool) or restarts < 1:
        raise ValueError(f"restarts must be a positive integer; got {restarts!r}.")
    budgets = as_budget(eps)
    if budgets.ndim != 1 or budgets.size == 0 or (np.diff(budgets) <= 0).any():
        raise ValueError(f"eps must be ascending, of shape (k,) with k >= 1; got {eps!r:.80}.")
    return _RUNS[norm], budgets


def _fill(witnesses: FloatArray, points: FloatArray, fooled: BoolArray, first: int) -> None:
    """Keep points for their budget and the larger ones, where nothing is kept yet."""
    for kept in witnesses[first:]:
        open_rows = fooled & np.isnan(kept).any(axis=1)
        kept[open_rows] = points[open_rows]


def _stepped(kind: Callable[..., Any], **settings: Any) -> _Run:
    """Return the run of an attack from the inputs themselves."""

    def run(task: Task, budgets: FloatArray, restarts: int) -> Iterator[list[FloatArray]]:
        yield _foolbox_points(task, budgets, kind(random_start=False, **settings))

    return run


def _restarted(kind: Callable[..., Any], **settings: Any) -> _Run:
    """Return the run of an attack from several random starts, each of its own seed."""

    def run(task: Task, budgets: FloatArray, restarts: int) -> Iterator[list[FloatArray]]:
        for k in range(1, restarts + 1):
            seeded = replace(task, seed=task.seed + k)
            yield _foolbox_points(seeded, budgets, kind(random_start=True, **settings))

    return run


def _foolbox_points(task: Task, budgets: FloatArray, attack: Any) -> list[FloatArray]:
    unit = task.unit(1.0)
    return found_points(task, attack, unit=unit, gap=GAP, epsilons=(budgets / unit).tolist())


def _noise(norm: float) -> _Run:
    """Return the run of random moves of the whole budget, clipped to the box."""

    def run(task: Task, budgets: FloatArray, restarts: int) -> Iterator[list[FloatArray]]:
        rng = np.random.default_rng(task.seed)
        for _ in range(10 * restarts):
            moves = rng.normal(size=task.X.shape)
            if norm == math.inf:
                moves = np.sign(moves)
            moves /= np.linalg.norm(moves, ord=norm, axis=1, keepdims=True)
            yield [np.clip(task.X + eps * moves, task.lo, task.hi) for eps in budgets]

    return run


def _runs(norm: float, fast: Callable[..., Any], pgd: Callable[..., Any]) -> dict[str, _Run]:
    return {
        "fgm": _stepped(fast),
        "random_fgm": _restarted(fast),
        "pgd": _stepped(pgd, **PGD),
        "random_pgd": _restarted(pgd, **PGD),
        "noise": _noise(norm),
    }


_RUNS: dict[float, dict[str, _Run]] = {
    math.inf: _runs(math.inf, foolbox_attacks.FGSM, foolbox_attacks.LinfPGD),
    2.0: _runs(2.0, foolbox_attacks.L2FastGradientAttack, foolbox_attacks.L2PGD),
}
