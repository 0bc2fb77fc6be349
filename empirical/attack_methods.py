"""The attacks of foolbox that minimise a norm, as runs of a search for nearest flips.

Each run yields points that are still to be checked, and sees in `flips` what is known by then.
"""

import importlib.util
import math
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch

from empirical.attack_search import Flips, Task, found_points
from empirical.attack_stack import (
    DDN_FRACTION,
    DDN_RUNS,
    DEEPFOOL_FRACTION,
    DEEPFOOL_GAP,
    GAP,
    PGD,
    attacked_points,
    ddn_attack,
    deepfool_attack,
    foolbox_attacks,
    foolbox_targets,
)
from theory.validation import FloatArray, IntArray

Run = Callable[[Task, Flips, int], Iterator[FloatArray]]

# A walk along the boundary starts beyond the flip it is given, by the first of these parts of its
# move that the attacked module calls wrong: bisection ends at a tie.
_PUSHES = (1e-6, 1e-3, 0.03, 0.3)
# Its first steps, as a part of the start's distance, and how often they are halved.
_WALK_RADIUS, _WALK_HALVINGS = 0.3, 12


@dataclass(frozen=True, kw_only=True, eq=False)
class Method:
    """An attack: the norm it minimises, its run and what it needs.

    Parameters
    ----------
    norm : 0, 1, 2 or inf
    run : callable
        Of a task, the flips known before, and a number of steps: yields points.
    steps : int
        The default; 0 for an attack whose steps are fixed.
    boxed : bool
        Whether it is defined in a finite box only.
    starts : tuple of str
        The names of the attacks whose flips it starts from.
    compiled : bool
        Whether it needs numba, which compiles it for about a minute in each process.
    """

    norm: float
    run: Run
    steps: int = 0
    boxed: bool = False
    starts: tuple[str, ...] = ()
    compiled: bool = False


def has_numba() -> bool:
    """Return whether foolbox can compile Brendel and Bethge's attacks.

    Examples
    --------
    >>> has_numba() in (True, False)
    True
    """
    return importlib.util.find_spec("numba") is not None


def ddn(task: Task, flips: Flips, steps: int) -> Iterator[FloatArray]:
    """Yield the points of three runs of DDN, each from the distances known when it starts."""
    unit = task.unit(DDN_FRACTION)
    for k, (gap, gamma, count) in enumerate(DDN_RUNS):
        # The first run starts afresh, not beside what is known.
        start = np.where((flips.sizes > 0) & (k > 0), flips.sizes / unit, 1.0)
        yield from found_points(
            task, ddn_attack(start, gamma=gamma, steps=count), unit=unit, gap=gap
        )


def deepfool(kind: Callable[..., Any]) -> Run:
    """Return the run of DeepFool in one of its norms."""

    def run(task: Task, flips: Flips, steps: int) -> Iterator[FloatArray]:
        unit = task.unit(DEEPFOOL_FRACTION)
        yield from found_points(task, deepfool_attack(kind), unit=unit, gap=DEEPFOOL_GAP)

    return run


def linf_pgd(task: Task, flips: Flips, steps: int) -> Iterator[FloatArray]:
    """Yield the points of PGD at three radii: quantiles of the distances known when it starts."""
    unit, known = task.unit(1.0), flips.sizes[flips.sizes > 0]
    radii = np.quantile(known / unit, (0.25, 0.5, 0.75)) if known.size else np.array([0.1, 0.3, 1])
    attack = foolbox_attacks.LinfPGD(random_start=False, **PGD)
    yield from found_points(task, attack, unit=unit, gap=GAP, epsilons=radii.tolist())


def carlini_wagner(task: Task, flips: Flips, steps: int) -> Iterator[FloatArray]:
    """Yield the points of Carlini and Wagner's attack; nan for the origin it returns on failure.

    It runs towards the best rival and, since that is not always the nearest, towards the rival of
    the known flips. Without abort_early, which stops every row when the sum of their losses stands
    still: a row's result would depend on its neighbours. So in `elastic_net`.
    """
    attack = foolbox_attacks.L2CarliniWagnerAttack(
        binary_search_steps=6, steps=steps, stepsize=0.05, initial_const=0.01, abort_early=False
    )
    unit = task.unit(1.0)
    yield _without_origin(task, found_points(task, attack, unit=unit, gap=GAP)[0])
    rivals = torch.from_numpy(_rivals(task, flips))
    towards = partial(_towards, attack, foolbox_targets(rivals))
    yield _without_origin(task, found_points(task, towards, unit=unit, gap=GAP)[0])


def _towards(attack: Any, targets: Any, model: Any, inputs: Any, _: Any, **settings: Any) -> Any:
    return attack(model, inputs, targets, **settings)


def _rivals(task: Task, flips: Flips) -> IntArray:
    """Return the best rival of each label: at the known flip, or at the input."""
    known = ~np.isnan(flips.sizes)[:, None]
    scores = task.target.scores(np.where(known, flips.witnesses, task.X)).copy()
    scores[np.arange(len(scores)), task.y] = -np.inf
    return np.asarray(scores.argmax(axis=1))


def elastic_net(task: Task, flips: Flips, steps: int) -> Iterator[FloatArray]:
    """Yield the points of EAD by its L1 rule; nan for the origin it returns on failure."""
    attack = foolbox_attacks.EADAttack(
        binary_search_steps=6,
        steps=steps,
        initial_stepsize=0.02,
        initial_const=0.01,
        regularization=0.1,
        decision_rule="L1",
        abort_early=False,
    )
    yield _without_origin(task, found_points(task, attack, unit=task.unit(1.0), gap=GAP)[0])


def greedy(task: Task, flips: Flips, steps: int) -> Iterator[FloatArray]:
    """Yield points with one feature after the other at the side of the box that gains most.

    The gain is linear, in the lead of the label over its best rival.
    """
    module = task.module(unit=1.0, gap=GAP)
    points, moved = task.X.copy(), np.zeros(task.X.shape, dtype=bool)
    for _ in range(min(steps, task.X.shape[1])):
        slopes = _slopes(module, points, task.y)
        sides = np.where(slopes > 0, task.lo, task.hi)
        gains = np.where(moved, -1.0, np.abs(slopes * (sides - points)))
        best = np.where(task.flipped(points), -1, gains.argmax(axis=1))
        if (best < 0).all():
            break
        chosen = np.arange(task.X.shape[1]) == best[:, None]
        points, moved = np.where(chosen, sides, points), moved | chosen
    yield points


def _slopes(module: torch.nn.Module, points: FloatArray, y: IntArray) -> FloatArray:
    """Return the gradient (n, d) of each label's lead over its best rival."""
    inputs = torch.from_numpy(points).requires_grad_()
    with torch.enable_grad():
        scores = module(inputs)
        own = torch.nn.functional.one_hot(torch.from_numpy(y), scores.shape[1]).bool()
        leads = scores[own] - scores.masked_fill(own, -torch.inf).max(dim=1).values
        (slopes,) = torch.autograd.grad(leads.sum(), inputs)
    return np.asarray(slopes.numpy())


def boundary_walk(kind: Callable[..., Any]) -> Run:
    """Return the run of Brendel and Bethge's attack in one of its norms.

    It walks from known flips: an input without one stays as it is. foolbox's trust region grows
    with the number of rows and with the bounds; here each row's is a part of its own start's move.
    """

    def run(task: Task, flips: Flips, steps: int) -> Iterator[FloatArray]:
        points = np.full(task.X.shape, np.nan)
        known = flips.sizes > 0
        starts = _pushed(task.rows(known), flips.witnesses[known])
        usable = ~np.isnan(starts).any(axis=1)
        known[known] = usable
        if known.any():
            points[known] = _walked(task.rows(known), starts[usable], kind, steps)
        yield points

    return run


def _walked(task: Task, starts: FloatArray, kind: Callable[..., Any], steps: int) -> FloatArray:
    moves, unit = starts - task.X, task.unit(1.0)
    # Without a box, one that no nearer flip can leave: nothing nearer has a larger L1 norm.
    reach = float(np.abs(moves).sum(axis=1).max())
    lo = task.lo if np.isfinite(task.lo) else float(task.X.min()) - reach
    hi = task.hi if np.isfinite(task.hi) else float(task.X.max()) + reach
    radii = _WALK_RADIUS * np.linalg.norm(moves, axis=1) / (task.X.size * (hi - lo))
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "At the first initialisation", UserWarning)
        # foolbox only reads the array of which torch warns.
        warnings.filterwarnings("ignore", "The given NumPy array is not writable", UserWarning)
        attack = kind(steps=steps, lr=radii, lr_num_decay=_WALK_HALVINGS)
        (points,) = attacked_points(
            partial(attack, starting_points=torch.from_numpy(starts / unit)),
            task.module(unit=unit, gap=GAP),
            task.X,
            task.y,
            unit=unit,
            bounds=(lo, hi),
            seed=task.seed,
        )
    return points


def _pushed(task: Task, witnesses: FloatArray) -> FloatArray:
    """Return a point beyond each witness that the attacked module calls wrong, nan if none is."""
    unit = task.unit(1.0)
    starts = np.full(task.X.shape, np.nan)
    if not len(starts):
        return starts
    module = task.module(unit=unit, gap=GAP)
    for push in _PUSHES:
        there = np.clip(task.X + (1 + push) * (witnesses - task.X), task.lo, task.hi)
        with torch.no_grad():
            wrong = module(torch.from_numpy(there / unit)).argmax(dim=1).numpy() != task.y
        open_rows = np.isnan(starts).any(axis=1) & wrong
        starts[open_rows] = there[open_rows]
    return starts


def _without_origin(task: Task, points: FloatArray) -> FloatArray:
    points[(points == np.clip(0.0, task.lo, task.hi)).all(axis=-1)] = np.nan
    return points


METHODS: dict[str, Method] = {
    "l2_deepfool": Method(norm=2.0, run=deepfool(foolbox_attacks.L2DeepFoolAttack)),
    "ddn": Method(norm=2.0, run=ddn),
    "carlini_wagner": Method(
        norm=2.0, run=carlini_wagner, steps=150, boxed=True, starts=("l2_deepfool",)
    ),
    "l2_brendel_bethge": Method(
        norm=2.0,
        run=boundary_walk(foolbox_attacks.L2BrendelBethgeAttack),
        steps=100,
        starts=("l2_deepfool", "ddn"),
        compiled=True,
    ),
    "linf_deepfool": Method(norm=math.inf, run=deepfool(foolbox_attacks.LinfDeepFoolAttack)),
    "linf_pgd": Method(norm=math.inf, run=linf_pgd, starts=("linf_deepfool",)),
    "linf_brendel_bethge": Method(
        norm=math.inf,
        run=boundary_walk(foolbox_attacks.LinfinityBrendelBethgeAttack),
        steps=100,
        starts=("linf_deepfool",),
        compiled=True,
    ),
    "ead": Method(norm=1.0, run=elastic_net, steps=150),
    "l0_ead": Method(norm=0.0, run=elastic_net, steps=150),
    # Not foolbox's L0 attack of Brendel and Bethge: its compiled solver was seen not to return.
    "l0_greedy": Method(norm=0.0, run=greedy, steps=100, boxed=True),
}
