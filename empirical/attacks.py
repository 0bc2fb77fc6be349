"""How robust linear classifiers prove under attacks that see nothing but their logits.

Each function attacks a whole stack of models at once. Every point that foolbox returns is checked
again in NumPy: its label, its entries, its box and its norm. The attacks see the decision of a
model, not its confidence nor the units of its data: see `empirical.attack_stack`.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from empirical.attack_stack import (
    DDN_FRACTION,
    DDN_RUNS,
    DEEPFOOL_FRACTION,
    DEEPFOOL_GAP,
    GAP,
    PGD,
    BoolArray,
    Stack,
    as_stack,
    blocks,
    checked_sizes,
    ddn_attack,
    deepfool_attack,
    foolbox_attacks,
    found_points,
    is_fooled,
)
from theory.linear.classifier import LinearClassifier
from theory.validation import FloatArray, as_budget

Run = TypeVar("Run")


@dataclass(frozen=True, kw_only=True, eq=False)
class AttackResult:
    """What an attack that minimises a norm found for m models and n inputs.

    Kind of the distances: `upper`, each witnessed by a point that was checked.

    Parameters
    ----------
    distances : array, shape (m, n)
        In `norm`; 0 where the input is already wrong, nan where no point was found.
    witnesses : array, shape (m, n, d)
        A point with a wrong label or a tie at that distance; nan where there is none.
    status : array of str, shape (m, n)
        "witnessed", "wrong" (the input already is) or "unknown".
    attack : str
    norm : float
        2 or inf.
    box : None or (lo, hi)
    """

    distances: FloatArray
    witnesses: FloatArray
    status: NDArray[np.str_]
    attack: str
    norm: float
    box: tuple[float, float] | None


def attack_distances(
    models: Sequence[LinearClassifier],
    X: ArrayLike,
    y: ArrayLike,
    *,
    attack: str,
    box: tuple[float, float] | None,
) -> AttackResult:
    """Return how far an attack that minimises a norm has to move each input of each model.

    Kind: `upper`; every distance has its witness, checked in NumPy. An attack that fails leaves nan
    (unknown): it proves nothing.

    Parameters
    ----------
    models : sequence of m LinearClassifier
        With the same features and the same labels.
    X : array, shape (n, d)
    y : array, shape (n,)
        The true labels.
    attack : {"ddn", "l2_deepfool", "carlini_wagner", "linf_deepfool"}
        The last minimises the L∞ norm, the others L2.
    box : None or (lo, hi)
        Numbers, the same for each feature; inputs lie in it and witnesses stay in it.

    Returns
    -------
    AttackResult

    Raises
    ------
    TypeError, ValueError
        If an argument is not as described; Carlini and Wagner's attack refuses box=None, because
        it is defined through a finite box.

    Notes
    -----
    foolbox 3.3: Rony et al. 2019 (arXiv 1811.09600), Moosavi-Dezfooli et al. 2016 (1511.04599),
    Carlini and Wagner 2017 (1608.04644). DDN runs three times, each from the distances of the time
    before and with a smaller change of norm; DeepFool overshoots by 1e-4. Deterministic: no attack
    starts at random.

    Examples
    --------
    >>> model = LinearClassifier(weights=[3.0, 4.0], bias=-1.0)
    >>> found = attack_distances([model], [[1.0, 1.0]], [1], attack="l2_deepfool", box=None)
    >>> found.distances.round(2).tolist()
    [[1.2]]
    """
    norm, run = _chosen(_DISTANCE_ATTACKS, attack)
    stack = as_stack(models, X, y, box)
    if attack == "carlini_wagner" and not np.isfinite(stack.hi - stack.lo):
        raise ValueError(f"box must be a finite pair (lo, hi) for {attack!r}; got {box!r}.")
    shape = (len(stack.weights), *stack.X.shape)
    distances, witnesses = np.empty(shape[:2]), np.empty(shape)
    status = np.full(shape[:2], "witnessed")
    for rows, columns, piece in blocks(stack):
        points = run(piece)
        sizes = checked_sizes(piece, points, norm)
        wrong, unknown = is_fooled(piece, piece.X), np.isnan(sizes)
        points[unknown], sizes[wrong] = np.nan, 0.0
        distances[rows, columns] = sizes
        witnesses[rows, columns] = np.where(wrong[..., None], piece.X, points)
        status[rows, columns] = np.select([wrong, unknown], ["wrong", "unknown"], "witnessed")
    return AttackResult(
        distances=distances, witnesses=witnesses, status=status, attack=attack, norm=norm, box=box
    )


def attack_accuracy(
    models: Sequence[LinearClassifier],
    X: ArrayLike,
    y: ArrayLike,
    eps: ArrayLike,
    *,
    attack: str,
    box: tuple[float, float] | None,
) -> BoolArray:
    """Return whether each input keeps its label under an attack of each size on each model.

    Kind: the mean over inputs is an `upper` bound on robust accuracy. False is witnessed by a point
    checked in NumPy; True says only that this attack failed.

    Parameters
    ----------
    models : sequence of m LinearClassifier
        With the same features and the same labels.
    X : array, shape (n, d)
    y : array, shape (n,)
        The true labels.
    eps : array, shape (k,)
        Budgets in the attack's norm; kept up to 1e-9 of their size and the rounding of X.
    attack : {"fgsm", "l2_fgm", "linf_pgd", "l2_pgd"}
        FGSM is one sign step (L∞), FGM one step along the gradient (L2); PGD takes 40.
    box : None or (lo, hi)
        Numbers, the same for each feature.

    Returns
    -------
    array of bool, shape (m, k, n)
        False also where the input is already wrong.

    Raises
    ------
    TypeError, ValueError
        If an argument is not as described.

    Notes
    -----
    foolbox 3.3: Goodfellow et al. 2015 (arXiv 1412.6572), Madry et al. 2018 (1706.06083). PGD
    starts at the input and not at random: the cross entropy of a binary linear model rises with
    its score, so that no other start does better, and the result is deterministic.

    Examples
    --------
    >>> model = LinearClassifier(weights=[3.0, 4.0], bias=-1.0)
    >>> attack_accuracy([model], [[1.0, 1.0]], [1], [0.8, 0.9], attack="fgsm", box=None).tolist()
    [[[True], [False]]]
    """
    norm, run = _chosen(_BUDGET_ATTACKS, attack)
    stack = as_stack(models, X, y, box)
    budgets = as_budget(eps)
    if budgets.ndim != 1 or budgets.size == 0:
        raise ValueError(f"eps must have shape (k,) with k >= 1; got shape {budgets.shape}.")
    survived = np.empty((len(stack.weights), budgets.size, len(stack.X)), dtype=bool)
    for rows, columns, piece in blocks(stack):
        wrong = is_fooled(piece, piece.X)
        slack = np.spacing(np.abs(piece.X).max(axis=1)) * np.sqrt(piece.X.shape[1])
        for k, points in enumerate(run(piece, budgets)):
            within = checked_sizes(piece, points, norm) <= budgets[k] * (1 + 1e-9) + slack
            survived[rows, k, columns] = ~(wrong | within)
    return survived


def _ddn(stack: Stack) -> FloatArray:
    """Return the nearest points of three runs of DDN, each with a finer change of norm."""
    unit = stack.unit(DDN_FRACTION)
    nearest = np.full((len(stack.weights), *stack.X.shape), np.nan)
    sizes = np.full(nearest.shape[:2], np.nan)
    for gap, gamma, steps in DDN_RUNS:
        start = np.where(np.isnan(sizes), 1.0, sizes / unit).ravel()
        attack = ddn_attack(start, gamma=gamma, steps=steps)
        (points,) = found_points(stack, attack, unit=unit, gap=gap)
        found = checked_sizes(stack, points, 2.0)
        closer = (found < sizes) | (np.isnan(sizes) & ~np.isnan(found))
        nearest[closer], sizes[closer] = points[closer], found[closer]
    return nearest


def _deepfool(kind: Callable[..., Any]) -> Callable[[Stack], FloatArray]:
    """Return a run of DeepFool."""

    def run(stack: Stack) -> FloatArray:
        unit = stack.unit(DEEPFOOL_FRACTION)
        (points,) = found_points(stack, deepfool_attack(kind), unit=unit, gap=DEEPFOOL_GAP)
        return points

    return run


def _carlini_wagner(stack: Stack) -> FloatArray:
    """Return the points of Carlini and Wagner's attack; nan for the origin it returns on failure.

    Without abort_early, which stops every row when the sum of their losses stands still: a row's
    result would depend on its neighbours.
    """
    attack = foolbox_attacks.L2CarliniWagnerAttack(
        binary_search_steps=6, steps=150, stepsize=0.05, initial_const=0.01, abort_early=False
    )
    (points,) = found_points(stack, attack, unit=stack.unit(1.0), gap=GAP)
    points[(points == np.clip(0.0, stack.lo, stack.hi)).all(axis=-1)] = np.nan
    return points


def _budgeted(
    kind: Callable[..., Any], **settings: float
) -> Callable[[Stack, FloatArray], list[FloatArray]]:
    """Return a run of a fixed-budget attack from the input itself: one array of points a budget."""

    def run(stack: Stack, budgets: FloatArray) -> list[FloatArray]:
        unit = stack.unit(1.0)
        attack = kind(random_start=False, **settings)
        return found_points(stack, attack, unit=unit, gap=GAP, epsilons=(budgets / unit).tolist())

    return run


def _chosen(attacks: Mapping[str, tuple[float, Run]], attack: str) -> tuple[float, Run]:
    if attack not in attacks:
        raise ValueError(f"attack must be one of {', '.join(attacks)}; got {attack!r}.")
    return attacks[attack]


_DISTANCE_ATTACKS = {
    "ddn": (2.0, _ddn),
    "l2_deepfool": (2.0, _deepfool(foolbox_attacks.L2DeepFoolAttack)),
    "carlini_wagner": (2.0, _carlini_wagner),
    "linf_deepfool": (math.inf, _deepfool(foolbox_attacks.LinfDeepFoolAttack)),
}
_BUDGET_ATTACKS = {
    "fgsm": (math.inf, _budgeted(foolbox_attacks.FGSM)),
    "l2_fgm": (2.0, _budgeted(foolbox_attacks.L2FastGradientAttack)),
    "linf_pgd": (math.inf, _budgeted(foolbox_attacks.LinfPGD, **PGD)),
    "l2_pgd": (2.0, _budgeted(foolbox_attacks.L2PGD, **PGD)),
}
