"""The points of a fixed budget that a network gets most wrong: what is tried on other networks."""

import math
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike

from empirical.attack_search import Task, found_points, is_near
from empirical.attack_stack import GAP, PGD, foolbox_attacks
from empirical.module_target import module_task
from theory.validation import FloatArray, as_budget

_ATTACKS: dict[float, tuple[Callable[..., Any], Callable[..., Any]]] = {
    math.inf: (foolbox_attacks.FGSM, foolbox_attacks.LinfPGD),
    2.0: (foolbox_attacks.L2FastGradientAttack, foolbox_attacks.L2PGD),
}


def strongest_points(
    model: torch.nn.Module,
    X: ArrayLike,
    y: ArrayLike,
    *,
    eps: float,
    norm: float,
    box: tuple[float, float] | None,
    restarts: int = 3,
    rng: np.random.Generator,
) -> FloatArray:
    """Return for each input the point within eps that a network gets most wrong of those tried.

    Tried are the last points of PGD, from the input and from random starts, and the point of the
    fast-gradient attack; the label's lead over its best rival is least at the one returned, the
    input itself where it is least there. Kind of that lead: `upper`, for the least within eps.

    Parameters
    ----------
    model, X, y, box
        As `empirical.module_attacks.model_attack_distances` takes them.
    eps : float
    norm : 2 or inf
    restarts : int
        Random starts of PGD, beside the start at the input.
    rng : numpy Generator
        Gives one seed.

    Returns
    -------
    array, shape (n, d)

    Raises
    ------
    TypeError, ValueError
        If an argument is not as described.

    Notes
    -----
    foolbox 3.3, as `empirical.module_budgets`; PGD's last point, not the first that flips.

    Examples
    --------
    >>> model = torch.nn.Linear(2, 2)
    >>> _ = model.load_state_dict({"weight": torch.eye(2), "bias": torch.zeros(2)})
    >>> strongest_points(
    ...     model, [[1.0, 0.0]], [0], eps=0.25, norm=math.inf, box=None,
    ...     rng=np.random.default_rng(0),
    ... ).tolist()
    [[0.75, 0.25]]
    """
    budget = as_single_budget(eps, norm)
    if not isinstance(restarts, int) or isinstance(restarts, bool) or restarts < 0:
        raise ValueError(f"restarts must be an integer, at least 0; got {restarts!r}.")
    task = module_task(model, X, y, box=box, rng=rng)
    best, least = task.X.copy(), task.margins(task.X)
    for points in _candidates(task, norm, budget, restarts):
        usable = is_near(task, points, norm, budget)
        leads = np.where(usable, task.margins(np.where(usable[:, None], points, task.X)), np.inf)
        worse = leads < least
        best[worse], least[worse] = points[worse], leads[worse]
    return best


def as_single_budget(eps: float, norm: float) -> float:
    """Return one budget of a norm that points are crafted in, 2 or inf."""
    if norm not in _ATTACKS:
        raise ValueError(f"norm must be 2 or inf; got {norm!r}.")
    budget = as_budget(eps)
    if budget.ndim:
        raise ValueError(f"eps must be one number; got shape {budget.shape}.")
    return float(budget)


def _candidates(task: Task, norm: float, eps: float, restarts: int) -> Iterator[FloatArray]:
    """Yield what attacks of the whole budget return; still to be checked."""
    fast, pgd = _ATTACKS[norm]
    unit = task.unit(1.0)
    attacks = [fast(), pgd(random_start=False, **PGD)]
    attacks += [pgd(random_start=True, **PGD)] * restarts
    for k, attack in enumerate(attacks):
        seeded = replace(task, seed=task.seed + k)
        yield found_points(seeded, attack, unit=unit, gap=GAP, epsilons=[eps / unit])[0]
