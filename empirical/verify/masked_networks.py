"""Networks pruned at random and differentiated, without the theory of them.

The largest gradient norm among points of a ball is a lower bound of the Lipschitz constant there;
its mean over masks drawn is an estimate of a lower bound of the mean.
"""

from collections.abc import Iterator, Sequence
from itertools import pairwise, product
from typing import Any, NamedTuple

import numpy as np
import torch
from sklearn.neural_network import MLPClassifier

from empirical.data import digits
from empirical.lowering import network_from_estimator
from theory.networks import ReluNetwork
from theory.validation import FloatArray

_CENTERS, _EPOCHS = 2, 20


class Case(NamedTuple):
    """A network, how much of each layer is pruned, and the balls in which gradients are taken."""

    name: str
    net: ReluNetwork
    alphas: tuple[float, ...]
    X: FloatArray
    radius: float
    points: int = 12
    masks: int = 400


class Means(NamedTuple):
    """Means over masks, and their standard errors."""

    values: FloatArray
    errors: FloatArray


def means_over_masks(norms: FloatArray) -> Means:
    """Return the means over the first axis, of independent masks."""
    return Means(norms.mean(axis=0), norms.std(axis=0, ddof=1) / np.sqrt(norms.shape[0]))


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """Yield networks of digits, random ones, and those whose gradients fill the bounds."""
    trained, X = digits_network(rng, _CENTERS)
    inputs = rng.normal(size=(_CENTERS, 6))
    positive = rng.uniform(2.0, 3.0, size=(_CENTERS, 20))
    for alphas in ((0.1, 0.1, 0.1), (0.5, 0.4, 0.2), (0.8, 0.8, 0.5)):
        yield Case("digits", trained, alphas, X, 0.3)
        yield Case("random", random_network(rng, 6, 8, 8, 3), alphas, inputs, 1.0)
    wide, narrow = aligned_network(rng, 20, 20), aligned_network(rng, 2, 2)
    yield Case("aligned, wide", wide, (0.2, 0.1), positive, 0.5)
    yield Case("aligned, wide", wide, (0.0, 0.5), positive, 0.5)
    yield Case("aligned, narrow", narrow, (0.5, 0.5), positive[:, :2], 0.5, masks=4000)


def digits_network(rng: np.random.Generator, count: int) -> tuple[ReluNetwork, FloatArray]:
    """Return a network trained on ten digits, and so many inputs that it has not seen."""
    data = digits()
    order = rng.permutation(data.y.size)
    held, rows = order[:count], order[count:1000]
    fitted = MLPClassifier(
        (12, 12), batch_size=50, learning_rate_init=0.01, random_state=int(rng.integers(2**31))
    )
    for _ in range(_EPOCHS):  # fit would warn that it has not converged
        fitted.partial_fit(data.X[rows], data.y[rows], classes=np.unique(data.y))
    return network_from_estimator(fitted).net, data.X[held]


def random_network(rng: np.random.Generator, *widths: int) -> ReluNetwork:
    """Return a network with normal weights and biases; widths from the inputs to the outputs."""
    weights = [rng.normal(size=(o, i)) * np.sqrt(2 / i) for i, o in pairwise(widths)]
    return ReluNetwork(weights=weights, biases=[rng.normal(size=o) / 2 for o in widths[1:]])


def aligned_network(rng: np.random.Generator, *widths: int) -> ReluNetwork:
    """Return a network of two outputs without cancellation: of positive weights, but the last row.

    At positive inputs all units are on, so that gradients, and those of the margin, fill the paths.
    """
    weights = [rng.uniform(0.5, 1.5, size=(o, i)) for i, o in pairwise((*widths, 2))]
    weights[-1][1] *= -1
    return ReluNetwork(weights=weights, biases=[rng.uniform(0.0, 1.0, len(W)) for W in weights])


def drawn_weights(case: Case, rng: np.random.Generator) -> list[FloatArray]:
    """Return the weights of each layer under masks drawn, (masks, out, in)."""
    return [
        W * (rng.random((case.masks, *W.shape)) >= alpha)
        for W, alpha in zip(map(np.asarray, case.net.weights), case.alphas, strict=True)
    ]


def largest_norms(
    case: Case,
    weights: Sequence[FloatArray],
    rng: np.random.Generator,
    *,
    q: int,
    forms: FloatArray | None = None,
) -> FloatArray:
    """Return the largest Lq norms of gradients found in each ball, of outputs or forms of them.

    Kind: lower, for each mask.

    Parameters
    ----------
    case : Case
    weights : sequence of L arrays, shapes (masks, n_j, n_{j-1})
        Instead of the network's.
    rng : numpy.random.Generator
    q : 1 or 2
        Balls are L∞ for 1, L2 for 2.
    forms : array, shape (m, out), optional
        By default each output.

    Returns
    -------
    array, shape (masks, balls, m)
    """
    found = []
    for center in case.X:
        slopes = _gradients(case.net, weights, _in_ball(case, center, q, rng))
        seen = slopes if forms is None else forms @ slopes
        found.append(np.linalg.norm(seen, ord=q, axis=-1).max(axis=1))
    return np.stack(found, axis=1)


def every_mask(net: ReluNetwork, alphas: Sequence[float]) -> tuple[list[FloatArray], FloatArray]:
    """Return the weights under each of all masks, as `drawn_weights`, and the masks' chances."""
    dense = [np.asarray(W) for W in net.weights]
    sizes = [W.size for W in dense]
    kept = np.split(np.array(list(product([0, 1], repeat=sum(sizes)))), np.cumsum(sizes)[:-1], 1)
    chances = [
        np.where(m, 1 - alpha, alpha).prod(axis=1) for m, alpha in zip(kept, alphas, strict=True)
    ]
    weights = [W * m.reshape(-1, *W.shape) for W, m in zip(dense, kept, strict=True)]
    return weights, np.prod(chances, axis=0)


def path_powers(weights: Sequence[FloatArray], q: int) -> FloatArray:
    """Return for each mask and output the q-th power of the path norm, (masks, out)."""
    paths = np.abs(weights[-1])
    for W in reversed(weights[:-1]):
        paths = paths @ np.abs(W)
    return np.asarray((paths**q).sum(axis=-1))


def _gradients(net: ReluNetwork, weights: Sequence[FloatArray], points: FloatArray) -> Any:
    """Return gradients by torch, (masks, points, out, d), at points (points, d)."""
    shape = (weights[0].shape[0], *points.shape)
    inputs = torch.from_numpy(np.broadcast_to(points, shape).copy()).requires_grad_()
    passed = inputs
    for j, (W, b) in enumerate(zip(weights, net.biases, strict=True)):
        units = torch.relu(passed) if j else passed
        passed = units @ torch.from_numpy(W).mT + torch.from_numpy(np.array(b))
    slopes = [
        torch.autograd.grad(passed[..., k].sum(), inputs, retain_graph=True)[0]
        for k in range(net.outputs)
    ]
    return torch.stack(slopes, dim=2).numpy()


def _in_ball(case: Case, center: FloatArray, q: int, rng: np.random.Generator) -> FloatArray:
    """Return the centre and points of the ball, half of them on its sphere."""
    size = (case.points, center.size)
    moves = rng.normal(size=size) if q == 2 else rng.uniform(-1.0, 1.0, size)
    moves /= np.linalg.norm(moves, ord=2 if q == 2 else np.inf, axis=1, keepdims=True)
    moves[1::2] *= rng.random((case.points, 1))[1::2] ** (1 / center.size)
    return np.vstack([center, center + case.radius * moves])
