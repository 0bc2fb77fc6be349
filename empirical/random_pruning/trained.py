"""Networks of digits without biases, trained side by side; masks hold some weights at zero."""

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import torch

from empirical.data import Part, digits, split
from theory.networks import ReluNetwork
from theory.validation import FloatArray

_HIDDEN = (40, 40)
_BATCH, _STEP = 100, 5e-3  # of Adam
_EPOCHS = 25


class TrainedDigits(NamedTuple):
    """A dense network trained on ten digits, what it was trained on, and what it has not seen.

    It has no biases: what pruning leaves of an output is then all due to paths of weights.
    """

    name: str
    net: ReluNetwork
    train: Part
    test: Part


def trained_digits(
    rng: np.random.Generator, *, hidden: tuple[int, ...] = _HIDDEN, epochs: int = _EPOCHS
) -> TrainedDigits:
    """Return a network trained on a part of the digits, from normal weights after He et al.

    Parameters
    ----------
    rng : numpy.random.Generator
    hidden : tuple of int
        Units of the hidden layers.
    epochs : int
    """
    train, test, *_ = split(digits(), rng=rng)
    widths = (train.X.shape[1], *hidden, np.unique(train.y).size)
    start = [rng.normal(size=(1, o, i)) * np.sqrt(2 / i) for i, o in pairwise(widths)]
    (net,) = networks(trained_on(start, train, rng=rng, epochs=epochs))
    return TrainedDigits("-".join(map(str, widths)), net, train, test)


def networks(weights: Sequence[FloatArray]) -> list[ReluNetwork]:
    """Return the networks of some weights, (networks, n_j, n_{j-1}) of each layer."""
    return [ReluNetwork(weights=list(layers)) for layers in zip(*weights, strict=True)]


def trained_on(
    weights: Sequence[FloatArray], train: Part, *, rng: np.random.Generator, epochs: int
) -> list[FloatArray]:
    """Return weights trained on from given ones; those that are zero stay zero.

    All networks see the same batches, in one order, under Adam and cross-entropy.

    Parameters
    ----------
    weights : sequence of L arrays, shapes (networks, n_j, n_{j-1})
    train : Part
        Labels from 0.
    rng : numpy.random.Generator
    epochs : int

    Returns
    -------
    list of L arrays
        As weights.

    Examples
    --------
    >>> part = Part(np.array([[0.0], [1.0]]), np.array([0, 1]))
    >>> start = [np.array([[[0.0], [1.0]]])]
    >>> (W,) = trained_on(start, part, rng=np.random.default_rng(0), epochs=9)
    >>> W[0, 0].item(), bool(W[0, 1] > 1)
    (0.0, True)
    """
    kept = [torch.from_numpy((W != 0).astype(np.float32)) for W in weights]
    free = [torch.tensor(W, dtype=torch.float32).requires_grad_() for W in weights]
    X, y = torch.tensor(train.X, dtype=torch.float32), torch.tensor(train.y, dtype=torch.int64)
    optimizer = torch.optim.Adam(free, lr=_STEP)
    for _ in range(epochs):
        order = torch.from_numpy(rng.permutation(y.numel()))
        for start in range(0, y.numel(), _BATCH):
            rows = order[start : start + _BATCH]
            scores = X[rows]
            for j, (W, mask) in enumerate(zip(free, kept, strict=True)):
                scores = (torch.relu(scores) if j else scores) @ (W * mask).mT
            labels = y[rows].expand(scores.shape[0], -1)
            losses = torch.nn.functional.cross_entropy(scores.mT, labels, reduction="none")
            optimizer.zero_grad()
            losses.mean(dim=1).sum().backward()  # type: ignore[no-untyped-call]  # no network touches another
            optimizer.step()
    return [(W * mask).detach().double().numpy() for W, mask in zip(free, kept, strict=True)]
