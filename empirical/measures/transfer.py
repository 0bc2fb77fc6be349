"""Whether adversarial points of one network fool others, too.

A minimal flip lies just across its own network's boundary: whether it transfers says more of whose
boundary is nearer than of what networks have in common. So the points here are of a fixed budget:
of all that the attacks return within it, the one that its network gets most wrong.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import ArrayLike

from empirical.attack_search import Task, is_near
from empirical.attack_stack import BoolArray
from empirical.intervals import proportion_interval
from empirical.measures.checks import refuse_level
from empirical.measures.strongest import as_single_budget, strongest_points
from empirical.module_target import module_task
from theory.validation import FloatArray, IntArray, as_finite


@dataclass(frozen=True, kw_only=True, eq=False)
class TransferMatrix:
    """How often points crafted on each of m networks (rows) fool each of them (columns).

    Kind: exact, for these points: a count. Other points of the same budget may transfer better, and
    a row's inputs are those that its source is fooled at: rates of two rows are of different
    inputs. The limits are Wilson's over inputs, for each pair by itself.

    Parameters
    ----------
    names : tuple of str
    rate, low, high : array, shape (m, m)
        The share `fooled / tried`; 1 on the diagonal by construction; nan where none was tried.
    tried : array of int, shape (m, m)
        Inputs that both networks label rightly, and whose point the source labels wrongly.
    fooled : array of int, shape (m, m)
        Those of them whose point the target labels wrongly, or ties.
    right : array of bool, shape (m, n)
        Which inputs each network labels rightly.
    wrong_at : array of bool, shape (m, m, n)
        Whether the target (second) labels the source's (first) point of an input wrongly, or ties.
    witnesses : array, shape (m, n, d)
        The points: in the box and within the budget of their inputs.
    eps : float
    norm : float
    box : None or (lo, hi)
    level : float
    kind : str
        "exact".
    """

    names: tuple[str, ...]
    rate: FloatArray
    low: FloatArray
    high: FloatArray
    tried: IntArray
    fooled: IntArray
    right: BoolArray
    wrong_at: BoolArray
    witnesses: FloatArray
    eps: float
    norm: float
    box: tuple[float, float] | None
    level: float
    kind: str = "exact"


def transfer_matrix(
    models: Mapping[str, torch.nn.Module],
    X: ArrayLike,
    y: ArrayLike,
    *,
    eps: float,
    norm: float,
    box: tuple[float, float] | None,
    restarts: int = 3,
    level: float = 0.95,
    rng: np.random.Generator,
) -> TransferMatrix:
    """Return how often the strongest points of a budget, crafted on each network, fool the others.

    Kind: exact for these points.

    Parameters
    ----------
    models : mapping of str to torch module
        At least one; of one set of labels. As `empirical.module_attacks` takes them.
    X : array, shape (n, d)
    y : array of int, shape (n,)
    eps : float
    norm : 2 or inf
    box : None or (lo, hi)
    restarts : int
        As `strongest_points`.
    level : float
        Of confidence, for each pair by itself.
    rng : numpy Generator
        Gives one seed for each network, in their order.

    Returns
    -------
    TransferMatrix

    Raises
    ------
    TypeError, ValueError
        If an argument is not as described.

    Examples
    --------
    >>> one, other = torch.nn.Linear(2, 2), torch.nn.Linear(2, 2)
    >>> for model, slope in ((one, [1.0, 0.0]), (other, [0.0, 1.0])):
    ...     _ = model.load_state_dict(
    ...         {"weight": torch.tensor([slope, [0.0, 0.0]]), "bias": torch.zeros(2)}
    ...     )
    >>> matrix = transfer_matrix(
    ...     {"one": one, "other": other}, [[1.0, 1.0]], [0], eps=1.5, norm=2, box=None,
    ...     rng=np.random.default_rng(0),
    ... )
    >>> matrix.rate.tolist()
    [[1.0, 0.0], [0.0, 1.0]]
    """
    refuse_level(level)
    _refuse_none(models)
    points = {
        name: strongest_points(model, X, y, eps=eps, norm=norm, box=box, restarts=restarts, rng=rng)
        for name, model in models.items()
    }
    return transfer_of_points(points, models, X, y, eps=eps, norm=norm, box=box, level=level)


def transfer_of_points(
    points: Mapping[str, ArrayLike],
    models: Mapping[str, torch.nn.Module],
    X: ArrayLike,
    y: ArrayLike,
    *,
    eps: float,
    norm: float,
    box: tuple[float, float] | None,
    level: float = 0.95,
) -> TransferMatrix:
    """Return how often given points, one set a network, fool the other networks.

    Kind: exact for these points.

    Parameters
    ----------
    points : mapping of str to array, shape (n, d)
        Crafted on the network of that name, for each input; in the box, within eps.
    models, X, y, norm, box, level
        As `transfer_matrix`.
    eps : float
        The budget that the points keep, but for rounding.

    Raises
    ------
    TypeError, ValueError
        If an argument is not as described, or a point is not finite, outside the box or too far.

    Examples
    --------
    >>> model = torch.nn.Linear(1, 2)
    >>> _ = model.load_state_dict({"weight": torch.tensor([[1.0], [0.0]]), "bias": torch.zeros(2)})
    >>> transfer_of_points(
    ...     {"a": [[-1.0]]}, {"a": model}, [[1.0]], [0], eps=2.0, norm=2, box=None
    ... ).fooled.tolist()
    [[1]]
    """
    refuse_level(level)
    _refuse_none(models)
    if set(points) != set(models):
        raise ValueError(
            f"points must be of the models, {', '.join(models)}; got {', '.join(points) or 'none'}."
        )
    # Nothing is drawn: targets only score.
    rng = np.random.default_rng(0)
    tasks = [module_task(model, X, y, box=box, rng=rng) for model in models.values()]
    budget = as_single_budget(eps, norm)
    sets = [_checked(name, points[name], tasks[0], norm, budget) for name in models]
    right = np.array([task.margins(task.X) > 0 for task in tasks])
    wrong_at = np.array([[task.flipped(each) for task in tasks] for each in sets])
    own = wrong_at[np.arange(len(sets)), np.arange(len(sets))]
    tried = right[:, None] & right & own[:, None]
    rate, low, high = _rates(tried, wrong_at, level)
    return TransferMatrix(
        names=tuple(models),
        rate=rate,
        low=low,
        high=high,
        tried=tried.sum(axis=2),
        fooled=(tried & wrong_at).sum(axis=2),
        right=right,
        wrong_at=wrong_at,
        witnesses=np.array(sets),
        eps=budget,
        norm=float(norm),
        box=box,
        level=level,
    )


def _checked(name: str, points: ArrayLike, task: Task, norm: float, eps: float) -> FloatArray:
    array = as_finite(f"points of {name}", points)
    if array.shape != task.X.shape:
        raise ValueError(f"points of {name} must have shape {task.X.shape}; got {array.shape}.")
    near = is_near(task, array, norm, eps)
    if not near.all():
        raise ValueError(
            f"points of {name} must lie in the box, within eps={eps:g} of their inputs;"
            f" row {near.argmin()} does not."
        )
    return array


def _rates(
    tried: BoolArray, wrong_at: BoolArray, level: float
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return the share (m, m) of the points tried that fool, with limits; nan where none was."""
    table = np.full((3, *tried.shape[:2]), np.nan)
    for s, t in np.ndindex(*tried.shape[:2]):
        if tried[s, t].any():
            table[:, s, t] = proportion_interval(wrong_at[s, t][tried[s, t]], level=level)
    return table[0], table[1], table[2]


def _refuse_none(models: Mapping[str, torch.nn.Module]) -> None:
    if not models:
        raise ValueError("models must hold at least one; got none.")
