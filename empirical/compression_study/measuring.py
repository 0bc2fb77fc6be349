"""What is known of the robustness of trained networks: attacked together, proven one by one."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from empirical.compression_study.record import BOX, EPS, BoolArray, CompressionCell
from empirical.data import Part
from empirical.module_attacks import model_attack_distances
from empirical.network_attacks import network_attack_distances
from empirical.training import Adversary
from empirical.training.adversary import attacked
from empirical.training.replicas import Replicas, effective, stacked
from theory.certify import certified_accuracy
from theory.certify.branch_and_bound import exact_distance
from theory.networks import ReluNetwork, class_scores
from theory.validation import FloatArray

_CERTIFICATE = "crown"
_RTOL, _SECONDS = 1e-4, 2.0  # of exact searches, each input's
_PGD_STEPS = 20


def attack_points(
    models: Sequence[nn.Module], test: Part, *, eps: float, steps: int, starts: Sequence[int]
) -> list[FloatArray]:
    """Return where sign-gradient ascent moves each input of each network, once for each start.

    Parameters
    ----------
    models : sequence of R torch modules
        Of one architecture.
    test : Part
        In the box.
    eps : float, positive
        L∞.
    steps : int
        One step is FGSM.
    starts : sequence of int
        0 for the inputs themselves, else the seed of random ones.

    Returns
    -------
    list of array, shape (R, n, d)
        Within eps, and in the box.
    """
    replicas = stacked(models)
    values = {name: value.double() for name, value in effective(replicas).items()}
    count, losses = replicas.count, partial(_losses, replicas, values)
    X = torch.as_tensor(test.X, dtype=torch.float64).expand(count, *test.X.shape)
    y = torch.as_tensor(test.y).expand(count, *test.y.shape)
    ascent = Adversary(norm=np.inf, eps=eps, steps=steps, box=BOX)
    low, high = np.maximum(test.X - eps, BOX[0]), np.minimum(test.X + eps, BOX[1])
    found = []
    for start in starts:
        generators = [torch.Generator().manual_seed(start) for _ in range(count)]
        adversary = replace(ascent, random_start=start > 0)
        moved = attacked(losses, X, y, adversary, eps=eps, generators=generators)
        found.append(np.clip(moved.detach().numpy(), low, high))
    return found


def _losses(replicas: Replicas, values: dict[str, Tensor], X: Tensor, y: Tensor) -> Tensor:
    return cross_entropy(replicas.forward(values, X).mT, y, reduction="none")


def right(net: ReluNetwork, X: FloatArray, y: Any) -> BoolArray:
    """Return which inputs a network gives their label, ahead of every other."""
    scores = class_scores(net, X)
    rows = np.arange(len(y))
    own = scores[rows, y]
    scores[rows, y] = -np.inf
    return np.asarray(own > scores.max(axis=1))


def survivals(
    models: Sequence[nn.Module], nets: Sequence[ReluNetwork], test: Part, *, seed: int
) -> tuple[BoolArray, BoolArray]:
    """Return which inputs survive FGSM, and which FGSM and PGD, of each network and budget.

    Kind of the means: upper. Every point is scored again by the network as lowered. The seed is of
    PGD's random start; it has another from the inputs themselves.

    Returns
    -------
    pair of array of bool, shape (R, k, n)
    """
    fgsm = np.empty((len(models), len(EPS), len(test.y)), dtype=bool)
    both = np.empty_like(fgsm)
    for k, eps in enumerate(EPS):
        steps = attack_points(models, test, eps=eps, steps=1, starts=[0])
        runs = attack_points(models, test, eps=eps, steps=_PGD_STEPS, starts=[0, seed + 1])
        for r, net in enumerate(nets):
            fgsm[r, k] = right(net, test.X, test.y) & right(net, steps[0][r], test.y)
            both[r, k] = fgsm[r, k]
            for points in runs:
                both[r, k] &= right(net, points[r], test.y)
    return fgsm, np.logical_and.accumulate(both, axis=1)


def certified(net: ReluNetwork, test: Part) -> FloatArray:
    """Return the share of inputs proven robust within each budget, in the box. Kind: lower."""
    budgets: Any = {"norm": np.inf, "box": BOX, "method": _CERTIFICATE}
    return certified_accuracy(net, test.X, test.y, EPS, **budgets)


def with_distances(cell: CompressionCell, net: ReluNetwork, test: Part) -> CompressionCell:
    """Return a cell with the L2 distances of the inputs given, searched for and attacked."""
    found = exact_distance(net, *test, norm=2, rtol=_RTOL, time_limit=_SECONDS)
    result = network_attack_distances(net, *test, attacks=("l2_deepfool",), box=None)
    deepfool = np.where(np.isnan(result.distances), np.inf, result.distances)
    return replace(cell, distances=found, deepfool=deepfool)


def with_flips(
    cell: CompressionCell, model: nn.Module, net: ReluNetwork, test: Part
) -> CompressionCell:
    """Return a cell with the distances in L0 and L2 of the flips that attacks find in the box.

    Kind: upper. In L0 the steepest feature goes first, which misses many flips of one feature
    alone: these are tried one by one. In L2 a flip of k features is no farther than √k, as the box
    is one wide: that is what is left where every slope is 0, and an attack by slopes finds nothing.
    """
    rng = np.random.default_rng(cell.seed)
    under: Any = {"box": BOX, "rng": rng}
    greedy = model_attack_distances(model, *test, norm=0, attacks=["l0_greedy"], **under).distances
    ddn = model_attack_distances(model, *test, norm=2, attacks=["ddn"], **under).distances
    alone = flipped_by_one(net, test) & (greedy != 0)
    changed = np.where(alone, 1.0, greedy)
    return replace(cell, flips={"L0": changed, "L2": np.fmin(ddn, np.sqrt(changed))})


def flipped_by_one(net: ReluNetwork, test: Part) -> BoolArray:
    """Return which inputs get another label when one feature goes to a side of the box.

    Or has another already. A flip on the way to the side, and back, is not looked for.
    """
    n, d = test.X.shape
    flipped = np.zeros(n, dtype=bool)
    for side in BOX:
        points = np.where(np.eye(d, dtype=bool), side, test.X[:, None, :])
        kept = right(net, points.reshape(n * d, d), np.repeat(test.y, d))
        flipped |= ~kept.reshape(n, d).all(axis=1)
    return flipped
