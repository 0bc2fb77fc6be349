"""A stack of linear classifiers as one network, the checks of its points, and how foolbox is used.

m classifiers that meet the same n inputs are one affine network: its batch holds the inputs for the
first model, then for the second, and so on, so that one call to foolbox attacks them all. Nothing
here knows an exact distance, and nothing that an attack returns is believed.

Positive factors change no label, but decide whether foolbox's absolute constants do harm:

- each row's logits are multiplied so that its input starts at a stated gap between its label and
  the best rival: the cross entropy of a confident model has a gradient of zero, or of the wrong
  direction, and that of an unconfident one mixes all rivals;
- inputs are divided by a power of two, which is exact: DeepFool adds 1e-4 to every distance, and
  DDN's steps have lengths from 1 to .01, whatever the units of the data.
"""

import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import eagerpy
import numpy as np
import scipy.sparse as sp
import torch
from numpy.typing import ArrayLike, NDArray

from theory.linear.classifier import LinearClassifier
from theory.validation import (
    FloatArray,
    IntArray,
    as_box,
    as_inputs,
    as_labels,
    refuse_nonfinite,
    refuse_outside,
)

with warnings.catch_warnings():
    # foolbox 3.3.4 imports scipy.ndimage.filters, which SciPy deprecates.
    warnings.simplefilter("ignore", DeprecationWarning)
    import foolbox

BoolArray = NDArray[np.bool_]
foolbox_attacks, foolbox_targets = foolbox.attacks, foolbox.criteria.TargetedMisclassification

# The gap between the logits at the start: small enough that no gradient underflows, large enough
# that the best rival leads it.
GAP = 10.0
# DDN's runs: the gap, the relative change of the norm at each step, the number of steps. The other
# temperature of the second run leads it to other rivals.
DDN_RUNS = ((GAP, 0.5, 30), (5.0, 0.05, 20), (GAP, 0.005, 40))
DDN_FRACTION = 4.0
# Units so small that the 1e-4 that DeepFool adds to distances is nothing; a gap as large in
# proportion: it also adds 1e-8 to the norms of gradients.
DEEPFOOL_FRACTION, DEEPFOOL_GAP = 2.0**-20, 2.0**20
# PGD, after a start at the input itself.
PGD = {"steps": 40, "rel_stepsize": 0.1}
# So far that no attack gets there: foolbox needs bounds where there is no box.
_FAR = 1e100
# A block of this many numbers stays in a CPU's cache; larger ones take up to twice as long.
_BLOCK = 2**16


@dataclass(frozen=True, kw_only=True, eq=False)
class Stack:
    """Models, the inputs they share, and scalar bounds.

    Parameters
    ----------
    weights : array, shape (m, c, d)
        A binary model has two rows, the first zero.
    bias : array, shape (m, c)
    X : array, shape (n, d)
    y : array of int, shape (n,)
        The rows of the true labels.
    lo, hi : float
        Infinite where there is no box.
    """

    weights: FloatArray
    bias: FloatArray
    X: FloatArray
    y: IntArray
    lo: float
    hi: float

    def unit(self, fraction: float) -> float:
        """Return a unit for the inputs: a fraction of their size."""
        return power_of_two_unit(self.X, (self.lo, self.hi), fraction)


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

    Raises
    ------
    ValueError
        In a call, if the batch has another number of rows.

    Examples
    --------
    >>> rows, bias = np.array([[[0.0, 0.0], [3.0, 4.0]]]), np.zeros((1, 2))
    >>> network = LinearNetwork(rows, bias, unit=1.0, factors=np.ones((1, 1)))
    >>> network(torch.ones((1, 2), dtype=torch.float64)).tolist()
    [[0.0, 7.0]]
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
        m, n = self.factors.shape[:2]
        if inputs.shape[0] != m * n:
            raise ValueError(f"the batch must hold m·n={m * n} rows; got {inputs.shape[0]}.")
        # One product a model: its n inputs share their weights, which are never copied.
        logits = torch.baddbmm(self.bias, inputs.reshape(m, n, -1), self.weights) * self.factors
        return logits.reshape(m * n, -1)


def as_stack(models: Sequence[LinearClassifier], X: ArrayLike, y: ArrayLike, box: Any) -> Stack:
    """Return the checked arguments of an attack as one stack."""
    shapes = {model.weights.shape for model in models}
    if len(shapes) != 1:
        raise ValueError(
            "models must hold at least one, all with weights of one shape;"
            f" got {len(models)} with the shapes {sorted(shapes)}."
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
    return Stack(weights=weights, bias=bias, X=inputs, y=labels, lo=lo, hi=hi)


def blocks(stack: Stack) -> Iterator[tuple[slice, slice, Stack]]:
    """Yield which models and which inputs a piece of the stack holds, and the piece."""
    n, d = stack.X.shape
    width = max(1, min(n, _BLOCK // d))
    height = max(1, _BLOCK // (width * d))
    for i in range(0, len(stack.weights), height):
        for j in range(0, n, width):
            rows, columns = slice(i, i + height), slice(j, j + width)
            piece = replace(
                stack,
                weights=stack.weights[rows],
                bias=stack.bias[rows],
                X=stack.X[columns],
                y=stack.y[columns],
            )
            yield rows, columns, piece


def found_points(
    stack: Stack,
    attack: Any,
    *,
    unit: float,
    gap: float,
    epsilons: Sequence[float | None] = (None,),
) -> list[FloatArray]:
    """Return the points (m, n, d) that a foolbox attack finds for each epsilon, within the box.

    Kind: none yet; the points are still to be checked. nan where a stand-in for no box was touched.
    """
    m = len(stack.weights)
    network = LinearNetwork(stack.weights, stack.bias, unit=unit, factors=gap / _gaps(stack))
    X, y, bounds = np.tile(stack.X, (m, 1)), np.tile(stack.y, m), (stack.lo, stack.hi)
    found = attacked_points(attack, network, X, y, unit=unit, bounds=bounds, epsilons=epsilons)
    return [points.reshape(m, *stack.X.shape) for points in found]


def attacked_points(
    attack: Any,
    network: torch.nn.Module,
    X: FloatArray,
    y: IntArray,
    *,
    unit: float,
    bounds: tuple[float, float],
    epsilons: Sequence[float | None] = (None,),
    seed: int = 0,
) -> list[FloatArray]:
    """Return the points (n, d) that a foolbox attack finds for each epsilon, within bounds.

    Kind: none yet; the points are still to be checked. nan where a stand-in for no box was touched.
    The network takes X divided by the unit; the seed is that of all random starts.
    """
    lo, hi = bounds
    model = foolbox.PyTorchModel(
        network, bounds=(max(lo / unit, -_FAR), min(hi / unit, _FAR)), device="cpu"
    )
    inputs, labels = torch.from_numpy(X / unit), torch.from_numpy(y)
    with torch.random.fork_rng(devices=[]), torch.enable_grad():
        # DDN replaces gradients of zero by noise, of which the caller's generator must not know.
        torch.default_generator.manual_seed(seed)
        _, found, _ = attack(model, inputs, labels, epsilons=list(epsilons))
    scaled = [points.numpy() for points in found]
    # Attacks add a clipped move to the input again: by rounding, the sum may leave the box.
    return [np.where(np.abs(u) < _FAR, np.clip(u * unit, lo, hi), np.nan) for u in scaled]


def ddn_attack(start: FloatArray, *, gamma: float, steps: int) -> Any:
    """Return DDN with a first norm for each row: foolbox multiplies it by a vector of ones."""
    norms = eagerpy.astensor(torch.from_numpy(start))
    return foolbox_attacks.DDNAttack(init_epsilon=norms, gamma=gamma, steps=steps)


def deepfool_attack(kind: Callable[..., Any]) -> Any:
    """Return DeepFool in one of its norms, all rivals considered, with little overshoot."""
    return kind(steps=50, candidates=None, overshoot=1e-4)


def checked_sizes(stack: Stack, points: FloatArray, norm: float) -> FloatArray:
    """Return the norm of the move to each point; nan if it does not fool, or is not in the box.

    Kind: `upper`. A point that is not finite lies in no box.
    """
    sizes = np.linalg.norm(points - stack.X, ord=norm, axis=-1)
    inside = ((points >= stack.lo) & (points <= stack.hi)).all(axis=-1)
    usable = inside & np.isfinite(sizes)
    fooled = usable & is_fooled(stack, np.where(usable[..., None], points, stack.X))
    return np.where(fooled, sizes, np.nan)


def is_fooled(stack: Stack, points: FloatArray) -> BoolArray:
    """Return whether some rival scores at least as high as the true label, in NumPy's float64."""
    return np.asarray(_margins(_scores(stack, points), stack.y) <= 0)


def power_of_two_unit(X: FloatArray, bounds: tuple[float, float], fraction: float) -> float:
    """Return the power of two nearest to a fraction of the width of a box, or else of max |X|."""
    width = bounds[1] - bounds[0]
    size = width if np.isfinite(width) else float(np.abs(X).max())
    return float(2.0 ** np.round(np.log2(fraction * (size or 1.0))))


def _scores(stack: Stack, points: FloatArray) -> FloatArray:
    """Return the scores (m, n, c) of points (m, n, d) or (n, d)."""
    return np.asarray(points @ stack.weights.transpose(0, 2, 1) + stack.bias[:, None, :])


def _margins(scores: FloatArray, y: IntArray) -> FloatArray:
    """Return by how much (m, n) the true label outscores the best rival."""
    is_own = np.arange(scores.shape[-1]) == y[:, None]
    own = np.where(is_own, scores, -np.inf).max(axis=-1)
    return np.asarray(own - np.where(is_own, -np.inf, scores).max(axis=-1))


def _gaps(stack: Stack) -> FloatArray:
    """Return |margin| at the inputs, no less than the rounding of the scores; 1 instead of 0."""
    scores = _scores(stack, stack.X)
    gaps = np.maximum(np.abs(_margins(scores, stack.y)), 1e-12 * np.abs(scores).max(axis=-1))
    return np.where(gaps > 0, gaps, 1.0)


def _scalar_bounds(X: FloatArray, box: Any) -> tuple[float, float]:
    sides = (-np.inf, np.inf) if box is None else box
    bounds = as_box(sides, X.shape[1])
    for name, side in zip(("lo", "hi"), sides, strict=True):
        if np.ndim(side) != 0:
            raise ValueError(
                f"box {name} must be a number, since foolbox has one pair of bounds for all"
                f" features; got shape {np.shape(side)}."
            )
    refuse_outside(X, bounds)
    return float(bounds[0][0]), float(bounds[1][0])


def _dense(weights: Any) -> FloatArray:
    is_sparse = sp.issparse(weights)
    return np.asarray(weights.toarray() if is_sparse else weights, dtype=np.float64)
