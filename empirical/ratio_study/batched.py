"""Many small networks drawn at once: squares of outputs and of gradients."""

import numpy as np

from empirical.ratio_study.drawn import Floats, RandomWeights, masked_rows
from theory.validation import FloatArray

_ENTRIES = 1_000_000  # of weights that are held at a time


def batched_squares(
    law: RandomWeights, x: FloatArray, *, count: int, rng: np.random.Generator
) -> FloatArray:
    """Return g(x)² and ‖∇g(x)‖² of networks drawn, as `drawn_squares`: faster for small ones.

    Kind: exact for each network, up to float32.

    Parameters
    ----------
    law, x, count, rng
        As in `drawn_squares`.

    Returns
    -------
    array, shape (count, 2)

    Examples
    --------
    >>> law = RandomWeights((3, 4), density=0.5)
    >>> batched_squares(law, np.ones(3), count=1000, rng=np.random.default_rng(0)).shape
    (1000, 2)
    """
    shapes = list(zip([*law.widths[1:], law.outputs], law.widths, strict=True))
    at_once = max(_ENTRIES // sum(o * i for o, i in shapes), 1)
    point = x.astype(np.float32)
    parts = []
    for start in range(0, count, at_once):
        some = min(at_once, count - start)
        layers = [masked_rows(law, rng, some * o, i).reshape(some, o, i) for o, i in shapes]
        rows = layers[-1] if law.outputs == 1 else layers[-1][:, :1] - layers[-1][:, 1:]
        parts.append(_squares([*layers[:-1], rows], point))
    return np.concatenate(parts)


def _squares(layers: list[Floats], x: Floats) -> FloatArray:
    """Return both squares of each network, (count, 2)."""
    values = np.broadcast_to(x[:, None], (len(layers[0]), x.size, 1))
    on = []
    for W in layers[:-1]:
        z = W @ values
        on.append(z > 0)
        values = np.maximum(z, 0)
    rows = layers[-1]
    outputs = (rows @ values)[:, 0, 0].astype(np.float64)
    for W, passed in zip(reversed(layers[:-1]), reversed(on), strict=True):
        rows = (rows * passed.transpose(0, 2, 1)) @ W
    return np.stack([outputs**2, (rows[:, 0].astype(np.float64) ** 2).sum(axis=1)], axis=1)
