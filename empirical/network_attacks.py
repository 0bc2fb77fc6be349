"""How near flips of ReLU networks are, by attacks that see nothing but their logits.

foolbox attacks a torch module built from the record. Every point that it returns is scored again in
NumPy, by products written here: nothing of what certifies, nor `theory.networks.forward`, is used.

As in `empirical.attack_stack`, factors that change no label keep foolbox's absolute constants from
doing harm: each row's logits start at a stated gap, inputs are divided by a power of two.
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray

from empirical.attack_stack import (
    DDN_FRACTION,
    DDN_RUNS,
    DEEPFOOL_FRACTION,
    DEEPFOOL_GAP,
    GAP,
    PGD,
    BoolArray,
    attacked_points,
    ddn_attack,
    deepfool_attack,
    foolbox_attacks,
    power_of_two_unit,
)
from theory.networks import ReluNetwork
from theory.networks.arrays import dense
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


@dataclass(frozen=True, kw_only=True, eq=False)
class NetworkAttackResult:
    """The nearest flips that attacks found for n inputs.

    Kind of the distances: `upper`, each witnessed by a point that was checked.

    Parameters
    ----------
    distances : array, shape (n,)
        In `norm`; 0 where the input is already wrong or tied, nan where no flip was found.
    witnesses : array, shape (n, d)
        A point in the box, with a wrong label or a tie, at that distance; nan where there is none.
    status : array of str, shape (n,)
        "witnessed", "wrong" (the input already is) or "unknown".
    norm : float
        2 or inf.
    box : None or (lo, hi)
    """

    distances: FloatArray
    witnesses: FloatArray
    status: NDArray[np.str_]
    norm: float
    box: tuple[float, float] | None


class LogitsModule(torch.nn.Module):
    """The logits of a ReLU network in float64, (0, f) for a network with one output.

    Parameters
    ----------
    net : ReluNetwork
        Its linear units stay linear.
    unit : float
        The batch holds inputs divided by it.
    factors : array, shape (n,)
        Positive; the logits of each row are multiplied by its own.
    """

    factors: torch.Tensor

    def __init__(self, net: ReluNetwork, *, unit: float, factors: FloatArray) -> None:
        super().__init__()
        weights = [np.asarray(dense(W)) for W in net.weights]
        weights[0] = weights[0] * unit
        for j, (W, b, mask) in enumerate(zip_longest(weights, net.biases, net.relu)):
            self.register_buffer(f"weights_{j}", torch.from_numpy(W.T.copy()))
            self.register_buffer(f"biases_{j}", torch.from_numpy(b.copy()))
            self.register_buffer(f"relu_{j}", None if mask is None else torch.from_numpy(mask))
        self.register_buffer("factors", torch.from_numpy(factors[:, None].copy()))
        self.depth = net.depth
        self.eval()

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """Return logits of shape (n, c) for inputs of shape (n, d)."""
        values = inputs
        for j in range(self.depth):
            values = values @ self.get_buffer(f"weights_{j}") + self.get_buffer(f"biases_{j}")
            if (mask := self._buffers[f"relu_{j}"]) is not None:
                values = torch.where(mask, values.relu(), values)
        if values.shape[1] == 1:
            values = torch.cat([torch.zeros_like(values), values], dim=1)
        return values * self.factors


class _Task(NamedTuple):
    """A network, its inputs, the columns of their labels among the scores, and scalar bounds."""

    net: ReluNetwork
    X: FloatArray
    y: IntArray
    lo: float
    hi: float

    def margins(self, points: FloatArray) -> FloatArray:
        """Return by how much (n,) the true label outscores the best rival, in NumPy's float64."""
        scores = _scores(self.net, points)
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


def network_attack_distances(
    net: ReluNetwork,
    X: ArrayLike,
    y: ArrayLike,
    *,
    attacks: Sequence[str] = ("l2_deepfool", "ddn"),
    box: tuple[float, float] | None,
) -> NetworkAttackResult:
    """Return how far the best of some attacks has to move each input of a network.

    Kind: `upper`; every distance has its witness, checked in NumPy and pulled back towards its
    input by bisection. Where all attacks fail there is nan (unknown): that proves nothing.

    Parameters
    ----------
    net : ReluNetwork
    X : array, shape (n, d)
    y : array, shape (n,)
        The true labels: -1 and +1 for one output, 0..c-1 for more.
    attacks : sequence of {"l2_deepfool", "ddn"} or of {"linf_deepfool", "linf_pgd"}
        In this order, all of one norm: L2 or L∞. DDN and PGD start from what was found before.
    box : None or (lo, hi)
        Numbers, the same for each feature; inputs lie in it and witnesses stay in it.

    Returns
    -------
    NetworkAttackResult

    Raises
    ------
    TypeError, ValueError
        If an argument is not as described.

    Notes
    -----
    foolbox 3.3, as in `empirical.attacks`. Deterministic: no attack starts at random.

    Examples
    --------
    >>> net = ReluNetwork(weights=[[[1.0], [-1.0]], [[1.0, 1.0]]], biases=[[0.0, 0.0], [-1.0]])
    >>> network_attack_distances(net, [[3.0], [-2.0]], [1, 1], box=None).distances.round(9).tolist()
    [2.0, 1.0]
    """
    norm, runs = _chosen(attacks)
    task = _as_task(net, X, y, box)
    wrong = task.margins(task.X) <= 0
    sizes, witnesses = np.where(wrong, 0.0, np.nan), np.where(wrong[:, None], task.X, np.nan)
    for run in runs:
        for points in run(task, sizes):
            polished = _pulled_back(task, points)
            found = np.linalg.norm(polished - task.X, ord=norm, axis=1)
            nearer = (found < sizes) | (np.isnan(sizes) & ~np.isnan(found))
            sizes[nearer], witnesses[nearer] = found[nearer], polished[nearer]
    status = np.select([wrong, np.isnan(sizes)], ["wrong", "unknown"], "witnessed")
    return NetworkAttackResult(
        distances=sizes, witnesses=witnesses, status=status, norm=norm, box=box
    )


def _pulled_back(task: _Task, points: FloatArray) -> FloatArray:
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


def _found_points(
    task: _Task, attack: Any, *, unit: float, gap: float, epsilons: Sequence[float | None] = (None,)
) -> list[FloatArray]:
    """Return what a foolbox attack finds for each epsilon, in the box; still to be checked."""
    margins = np.abs(task.margins(task.X))
    module = LogitsModule(task.net, unit=unit, factors=gap / np.where(margins > 0, margins, 1.0))
    bounds = (task.lo, task.hi)
    return attacked_points(
        attack, module, task.X, task.y, unit=unit, bounds=bounds, epsilons=epsilons
    )


def _ddn(task: _Task, sizes: FloatArray) -> Iterator[FloatArray]:
    """Yield the points of three runs of DDN, each from the distances known when it starts."""
    unit = task.unit(DDN_FRACTION)
    for k, (gap, gamma, steps) in enumerate(DDN_RUNS):
        # The first run starts afresh, not beside what is known.
        start = np.where((sizes > 0) & (k > 0), sizes / unit, 1.0)
        attack = ddn_attack(start, gamma=gamma, steps=steps)
        yield from _found_points(task, attack, unit=unit, gap=gap)


def _deepfool(kind: Callable[..., Any]) -> Callable[[_Task, FloatArray], Iterator[FloatArray]]:
    """Return a run of DeepFool."""

    def run(task: _Task, sizes: FloatArray) -> Iterator[FloatArray]:
        unit = task.unit(DEEPFOOL_FRACTION)
        yield from _found_points(task, deepfool_attack(kind), unit=unit, gap=DEEPFOOL_GAP)

    return run


def _linf_pgd(task: _Task, sizes: FloatArray) -> Iterator[FloatArray]:
    """Yield the points of PGD at three radii: quantiles of the distances known when it starts."""
    unit, known = task.unit(1.0), sizes[sizes > 0]
    radii = np.quantile(known / unit, (0.25, 0.5, 0.75)) if known.size else np.array([0.1, 0.3, 1])
    attack = foolbox_attacks.LinfPGD(random_start=False, **PGD)
    yield from _found_points(task, attack, unit=unit, gap=GAP, epsilons=radii.tolist())


def _as_task(net: ReluNetwork, X: ArrayLike, y: ArrayLike, box: Any) -> _Task:
    inputs = as_inputs(X, net.dimension)
    refuse_nonfinite(inputs)
    lo, hi = as_box((-np.inf, np.inf) if box is None else box, net.dimension)
    if (lo != lo[0]).any() or (hi != hi[0]).any():
        raise ValueError(f"box must be None or one pair of numbers for all; got {box!r:.80}.")
    refuse_outside(inputs, (lo, hi))
    return _Task(net, inputs, as_labels(y, net.classes, len(inputs)), float(lo[0]), float(hi[0]))


def _chosen(attacks: Sequence[str]) -> tuple[float, list[Callable[..., Iterator[FloatArray]]]]:
    norms = {_ATTACKS[name][0] if name in _ATTACKS else -1.0 for name in attacks}
    if len(norms) != 1 or norms == {-1.0}:
        raise ValueError(
            f"attacks must be names of one norm among {', '.join(_ATTACKS)}; got {attacks!r}."
        )
    return norms.pop(), [_ATTACKS[name][1] for name in attacks]


def _scores(net: ReluNetwork, points: FloatArray) -> FloatArray:
    """Return the scores (n, c) of points (n, d); (0, f) for a network with one output."""
    values = points
    for W, b, mask in zip_longest(net.weights, net.biases, net.relu):
        values = np.asarray((W @ values.T).T) + b
        if mask is not None:
            values = np.where(mask, np.maximum(values, 0.0), values)
    if values.shape[1] == 1:
        values = np.hstack([np.zeros_like(values), values])
    return np.asarray(values)


_ATTACKS: Mapping[str, tuple[float, Callable[[_Task, FloatArray], Iterator[FloatArray]]]] = {
    "l2_deepfool": (2.0, _deepfool(foolbox_attacks.L2DeepFoolAttack)),
    "ddn": (2.0, _ddn),
    "linf_deepfool": (math.inf, _deepfool(foolbox_attacks.LinfDeepFoolAttack)),
    "linf_pgd": (math.inf, _linf_pgd),
}
