"""Small networks under every mask that can be drawn: slopes and path norms, floats or fractions."""

from collections.abc import Iterator, Sequence
from itertools import product
from typing import Any, NamedTuple

import numpy as np

from empirical.falsify.exact import as_floats, as_fractions, lengths
from theory.validation import FloatArray, UnsupportedSettingError

_MOST = 12  # weights that are not zero: 4096 masks
_INSIDE = 0.999  # of the radius: points in the ball however sums are rounded
_KINK = 1e-9  # a unit this near zero may be on either side


class Masked(NamedTuple):
    """The weights of each layer under each mask, (masks, out, in), and the masks' chances."""

    weights: list[Any]
    chances: Any


def every_mask(weights: Sequence[Any], alphas: Any) -> Masked:
    """Return a network's weights under every mask of those that are not zero.

    Raises
    ------
    UnsupportedSettingError
        If these are more than 12, or an alpha is no probability.
    """
    counts = [int(np.count_nonzero(W)) for W in weights]
    if sum(counts) > _MOST:
        raise UnsupportedSettingError(f"at most {_MOST} weights may be nonzero; got {sum(counts)}.")
    if (alphas < 0).any() or (alphas > 1).any():
        raise UnsupportedSettingError("alphas must be in [0, 1].")
    kept = np.array(list(product([0, 1], repeat=sum(counts))), dtype=int)
    parts = np.split(kept, np.cumsum(counts)[:-1], axis=1)
    masked, chances = [], alphas[:1].prod() * 0 + 1 + np.zeros(len(kept), dtype=int)
    for W, part, alpha in zip(weights, parts, alphas, strict=True):
        mask = np.zeros((len(kept), *W.shape), dtype=int)
        mask[:, W != 0] = part
        masked.append(W * mask)
        chances = chances * np.where(part == 1, 1 - alpha, alpha).prod(axis=1)
    return Masked(masked, chances)


def points_of_ball(center: Any, radius: Any, q: float) -> Any:
    """Return the centre and points near the sphere of a ball, (k, d), L2 for q = 2 or L∞ for 1."""
    d = center.size
    ways = np.array(list(product([0, -1, 1], repeat=d)), dtype=float)
    size = np.linalg.norm(ways, ord=2 if q == 2 else np.inf, axis=1, keepdims=True)
    moves = _INSIDE * float(radius) * ways / np.where(size > 0, size, 1.0)
    points = as_floats(center) + moves
    return as_fractions(points) if center.dtype == object else points


def mean_slopes(
    masked: Masked, biases: Sequence[Any], points: Any, *, q: float, forms: FloatArray | None = None
) -> Any:
    """Return the mean over masks of the largest Lq norm of a gradient at some points, (m,).

    Kind: lower, of the mean of the largest in any region that holds the points; a point where a
    unit is at its kink does not count.

    Parameters
    ----------
    masked : Masked
    biases : sequence of L-1 arrays
        Of the hidden layers.
    points : array, shape (k, d)
    q : 1 or 2
    forms : array, shape (m, out), optional
        Rows of outputs; by default each output.
    """
    masks, shape = len(masked.chances), points.shape
    values = np.broadcast_to(points, (masks, *shape))
    slopes = np.eye(shape[1], dtype=int)[None, None]
    sure = np.ones((masks, shape[0]), dtype=bool)
    for W, b in zip(masked.weights[:-1], biases, strict=True):
        values = values @ W.transpose(0, 2, 1) + b
        slopes = W[:, None] @ slopes
        moves = (slopes != 0).any(axis=-1)
        sure &= ~((np.abs(values) <= _KINK) & moves).any(axis=-1)
        on = (values > 0).astype(int)
        values, slopes = values * on, slopes * on[..., None]
    last = masked.weights[-1] if forms is None else forms.astype(int) @ masked.weights[-1]
    norms = lengths(last[:, None] @ slopes, q) * sure[..., None]
    return masked.chances @ norms.max(axis=1)


def path_norms(masked: Masked, q: float) -> Any:
    """Return for each mask and output the Lq norm of the sums over paths, (masks, out)."""
    paths = np.abs(masked.weights[-1])
    for W in reversed(masked.weights[:-1]):
        paths = paths @ np.abs(W)
    return lengths(paths, q)


def networks_of(masked: Masked) -> Iterator[tuple[float, list[Any]]]:
    """Yield each mask's chance, and the weights under it."""
    for i, chance in enumerate(masked.chances):
        yield float(chance), [W[i] for W in masked.weights]
