"""How robust linear classifiers prove under attacks that see nothing but their logits.

A *stack* of m classifiers that meet the same n inputs is one affine network: its batch holds the
inputs for the first model, then for the second, and so on, so that one call to foolbox attacks them
all. Nothing here knows an exact distance, and nothing that an attack returns is believed: every
point is checked again in NumPy, for its label, its entries, its box and its norm.

Positive factors change no label, but decide whether foolbox's absolute constants do harm:

- each row's logits are multiplied so that its input starts at a stated gap between the two highest:
  the cross entropy of a confident model has a gradient of zero, or of the wrong direction, and that
  of an unconfident one mixes all rivals. Hence an attack sees the decision, not the confidence;
- inputs are divided by a power of two, which is exact: DeepFool adds 1e-4 to every distance, and
  DDN's steps have lengths from 1 to .01, whatever the units of the data.
"""

import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray

from theory.linear.classifier import LinearClassifier
from theory.validation import (
    FloatArray,
    IntArray,
    as_box,
    as_budget,
    as_inputs,
    as_labels,
    refuse_nonfinite,
    refuse_outside,
)

with warnings.catch_warnings():
    # foolbox 3.3.4 imports scipy.ndimage.filters, which SciPy deprecates.
    warnings.simplefilter("ignore", DeprecationWarning)
    import eagerpy
    import foolbox

BoolArray = NDArray[np.bool_]

# So far that no attack gets there: foolbox needs bounds where there is no box.
_FAR = 1e100
# A block of this many numbers stays in a CPU's cache; larger ones run at half the speed.
_BLOCK = 2**16
_ROUNDING = 1e-9


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


class LinearNetwork(torch.nn.Module):
    """The logits of a stack of linear classifiers, in float64.

    Row i of a batch of m·n rows is scored by model i // n. A binary model has the logits (0, f).

    Parameters
    ----------
    weights : array, shape (m, c, d)
    bias : array, shape (m, c)
    unit : float
        The batch holds inputs divided by it.
    factors : array, shape (m, n)
        Positive; the logits of each row are multiplied by its own.
    """

    weights: torch.Tensor
    bias: torch.Tensor
    factors: torch.Tensor

    def __init__(
        self, weights: FloatArray, bias: FloatArray, *, unit: float, factors: FloatArray
    ) -> None:
        super().__init__()
        columns = np.ascontiguousarray(weights.transpose(0, 2, 1) * unit)
        self.register_buffer("weights", torch.from_numpy(columns))
        self.register_buffer("bias", torch.from_numpy(bias[:, None, :].copy()))
        self.register_buffer("factors", torch.from_numpy(factors[:, :, None].copy()))
        self.eval()

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """Return logits of shape (m·n, c) for inputs of shape (m·n, d)."""
        models, n = self.factors.shape[:2]
        if inputs.shape[0] != models * n:
            raise ValueError(f"the batch must hold {models * n} rows; got {inputs.shape[0]}.")
        stacked = inputs.reshape(models, n, -1)
        logits = torch.baddbmm(self.bias, stacked, self.weights) * self.factors
        return logits.reshape(models * n, -1)


@dataclass(frozen=True, kw_only=True, eq=False)
class _Block:
    """Models, inputs, labels (as indices) and scalar bounds that meet in one call to foolbox."""

    weights: FloatArray
    bias: FloatArray
    X: FloatArray
    y: IntArray
    lo: float
    hi: float

    def scores(self, points: FloatArray) -> FloatArray:
        """Return the scores (m, n, c) of points (m, n, d) or (n, d)."""
        return np.asarray(points @ self.weights.transpose(0, 2, 1) + self.bias[:, None, :])


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
    whole = _whole(models, X, y, box)
    if attack == "carlini_wagner" and not np.isfinite([whole.lo, whole.hi]).all():
        raise ValueError(f"box must be a finite pair (lo, hi) for {attack!r}; got {box!r}.")
    shape = (len(whole.weights), *whole.X.shape)
    distances, witnesses = np.full(shape[:2], np.nan), np.full(shape, np.nan)
    wrong = np.zeros(shape[:2], dtype=bool)
    for rows, columns, block in _blocks(whole):
        (points,) = run(block)
        fooled, sizes = _checked(block, points, norm)
        wrong[rows, columns] = already = _is_fooled(block, block.X)
        sizes[already], points[already] = 0.0, np.broadcast_to(block.X, points.shape)[already]
        distances[rows, columns] = np.where(fooled | already, sizes, np.nan)
        witnesses[rows, columns] = np.where((fooled | already)[..., None], points, np.nan)
    status = np.where(wrong, "wrong", np.where(np.isnan(distances), "unknown", "witnessed"))
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
    attack : {"fgsm", "linf_pgd", "l2_pgd"}
        FGSM is one sign step (L∞); PGD takes 40.
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
    whole = _whole(models, X, y, box)
    budgets = as_budget(eps)
    if budgets.ndim != 1 or budgets.size == 0:
        raise ValueError(f"eps must have shape (k,) with k >= 1; got shape {budgets.shape}.")
    survived = np.empty((len(whole.weights), budgets.size, len(whole.X)), dtype=bool)
    for rows, columns, block in _blocks(whole):
        already = _is_fooled(block, block.X)
        slack = np.spacing(np.abs(block.X).max(axis=1)) * np.sqrt(block.X.shape[1])
        for k, points in enumerate(run(block, budgets)):
            fooled, sizes = _checked(block, points, norm)
            within = sizes <= budgets[k] * (1 + _ROUNDING) + slack
            survived[rows, k, columns] = ~(already | (fooled & within))
    return survived


def _ddn(block: _Block) -> list[FloatArray]:
    """Return the nearest points of three runs of DDN, each with a finer change of norm."""
    unit = _unit(block, 4.0)
    nearest = np.full((len(block.weights), *block.X.shape), np.nan)
    sizes = np.full(nearest.shape[:2], np.inf)
    for gap, gamma, steps in _DDN_RUNS:
        # foolbox multiplies init_epsilon by a vector of ones: a vector gives each row its own.
        start = torch.from_numpy(np.where(np.isinf(sizes), 1.0, sizes / unit).ravel())
        attack = foolbox.attacks.DDNAttack(
            init_epsilon=eagerpy.astensor(start), gamma=gamma, steps=steps
        )
        (points,) = _points(block, attack, unit=unit, gap=gap)
        fooled, found = _checked(block, points, 2.0)
        closer = fooled & (found < sizes)
        nearest[closer], sizes[closer] = points[closer], found[closer]
    return [nearest]


def _deepfool(attack: Callable[..., Any]) -> Callable[[_Block], list[FloatArray]]:
    """Return a run of DeepFool in units so small that the 1e-4 it adds to distances is nothing."""

    def run(block: _Block) -> list[FloatArray]:
        overshot = attack(steps=50, candidates=None, overshoot=1e-4)
        return _points(block, overshot, unit=_unit(block, 2.0**-20), gap=2.0**20)

    return run


def _carlini_wagner(block: _Block) -> list[FloatArray]:
    """Return the points of Carlini and Wagner's attack; nan for the origin it returns on failure.

    Without abort_early, which stops all rows when their total stands still: a row's result would
    depend on its neighbours.
    """
    attack = foolbox.attacks.L2CarliniWagnerAttack(
        binary_search_steps=6, steps=150, stepsize=0.05, initial_const=0.01, abort_early=False
    )
    (points,) = _points(block, attack, unit=_unit(block, 1.0), gap=_GAP)
    points[(points == 0).all(axis=-1)] = np.nan
    return [points]


def _budgeted(
    attack: Callable[..., Any], **settings: float
) -> Callable[[_Block, FloatArray], list[FloatArray]]:
    """Return a run of a fixed-budget attack from the input itself."""

    def run(block: _Block, budgets: FloatArray) -> list[FloatArray]:
        unit = _unit(block, 1.0)
        started = attack(random_start=False, **settings)
        return _points(block, started, unit=unit, gap=_GAP, epsilons=(budgets / unit).tolist())

    return run


# The gap between logits at the start, the relative change of the norm, the number of steps.
_DDN_RUNS = ((10.0, 0.5, 30), (5.0, 0.05, 20), (10.0, 0.005, 40))
# Large enough that the nearest rival leads the gradient, small enough that none of it underflows.
_GAP = 10.0
_DISTANCE_ATTACKS = {
    "ddn": (2.0, _ddn),
    "l2_deepfool": (2.0, _deepfool(foolbox.attacks.L2DeepFoolAttack)),
    "carlini_wagner": (2.0, _carlini_wagner),
    "linf_deepfool": (np.inf, _deepfool(foolbox.attacks.LinfDeepFoolAttack)),
}
_BUDGET_ATTACKS = {
    "fgsm": (np.inf, _budgeted(foolbox.attacks.FGSM)),
    "linf_pgd": (np.inf, _budgeted(foolbox.attacks.LinfPGD, steps=40, rel_stepsize=0.05)),
    "l2_pgd": (2.0, _budgeted(foolbox.attacks.L2PGD, steps=40, rel_stepsize=0.1)),
}


def _points(
    block: _Block, attack: Any, *, unit: float, gap: float, epsilons: Sequence[Any] = (None,)
) -> list[FloatArray]:
    """Return the points (m, n, d) that foolbox finds for each epsilon, clipped to the box.

    DDN adds the move to the input again after its last clip: a unit in the last place outside.
    """
    m, lo, hi = len(block.weights), block.lo, block.hi
    network = LinearNetwork(block.weights, block.bias, unit=unit, factors=gap / _gaps(block))
    bounds = (max(lo / unit, -_FAR), min(hi / unit, _FAR))
    model = foolbox.PyTorchModel(network, bounds=bounds, device="cpu")
    inputs = torch.from_numpy(np.tile(block.X / unit, (m, 1)))
    labels = torch.from_numpy(np.tile(block.y, m))
    with torch.random.fork_rng(devices=[]), torch.enable_grad():
        # DDN replaces gradients of zero by noise, of which the caller's generator must not know.
        torch.default_generator.manual_seed(0)
        _, found, _ = attack(model, inputs, labels, epsilons=list(epsilons))
    scaled = [points.numpy().reshape(m, *block.X.shape) for points in found]
    return [np.where(np.abs(u) < _FAR, np.clip(u * unit, lo, hi), np.nan) for u in scaled]


def _checked(block: _Block, points: FloatArray, norm: float) -> tuple[BoolArray, FloatArray]:
    """Return which points are finite and fool their model, and the norm of each move."""
    sizes = np.linalg.norm(points - block.X, ord=norm, axis=-1)
    usable = np.isfinite(sizes)
    return usable & _is_fooled(block, np.where(usable[..., None], points, block.X)), sizes


def _is_fooled(block: _Block, points: FloatArray) -> BoolArray:
    """Return whether some rival scores at least as high as the true label."""
    return np.asarray(_margins(block.scores(points), block.y) <= 0)


def _margins(scores: FloatArray, y: IntArray) -> FloatArray:
    """Return the score (m, n) of the true label above that of the best rival."""
    is_own = np.arange(scores.shape[-1]) == y[:, None]
    rival = np.where(is_own, -np.inf, scores).max(axis=-1)
    return np.asarray(np.where(is_own, scores, -np.inf).max(axis=-1) - rival)


def _gaps(block: _Block) -> FloatArray:
    """Return |margin| at the input, no less than the rounding of the scores."""
    scores = block.scores(block.X)
    gaps = np.maximum(np.abs(_margins(scores, block.y)), 1e-12 * np.abs(scores).max(axis=-1))
    return np.where(gaps > 0, gaps, 1.0)


def _unit(block: _Block, fraction: float) -> float:
    """Return the power of two nearest to a fraction of the width of the box or the size of X."""
    width = block.hi - block.lo
    size = width if np.isfinite(width) else float(np.abs(block.X).max())
    return float(2.0 ** np.round(np.log2(fraction * (size or 1.0))))


def _blocks(whole: _Block) -> Iterator[tuple[slice, slice, _Block]]:
    """Yield the stack in pieces that stay in cache, with the models and inputs of each."""
    n, d = whole.X.shape
    width = max(1, min(n, _BLOCK // d))
    height = max(1, _BLOCK // (width * d))
    for i in range(0, len(whole.weights), height):
        for j in range(0, n, width):
            rows, columns = slice(i, i + height), slice(j, j + width)
            yield (
                rows,
                columns,
                _Block(
                    weights=whole.weights[rows],
                    bias=whole.bias[rows],
                    X=whole.X[columns],
                    y=whole.y[columns],
                    lo=whole.lo,
                    hi=whole.hi,
                ),
            )


def _whole(models: Sequence[LinearClassifier], X: ArrayLike, y: ArrayLike, box: Any) -> _Block:
    """Return the checked arguments as one block."""
    shapes = {model.weights.shape for model in models}
    if len(shapes) != 1:
        raise ValueError(
            "models must hold at least one, all with weights of the same shape; got the shapes"
            f" {sorted(shapes)}."
        )
    inputs = as_inputs(X, models[0].dimension)
    refuse_nonfinite(inputs)
    labels = as_labels(y, models[0].classes, len(inputs))
    weights = np.stack([_dense(model.weights) for model in models])
    bias = np.stack([model.bias for model in models])
    if models[0].is_binary:
        weights = np.concatenate([np.zeros_like(weights), weights], axis=1)
        bias = np.concatenate([np.zeros_like(bias), bias], axis=1)
    lo, hi = _scalar_bounds(inputs, box)
    return _Block(weights=weights, bias=bias, X=inputs, y=labels, lo=lo, hi=hi)
