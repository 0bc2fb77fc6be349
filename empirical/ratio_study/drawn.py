"""Networks whose weights and masks are drawn anew each time: ratios, squares and flips."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from empirical.ratio_study.masks import kept
from theory.validation import FloatArray

Floats = NDArray[np.float32]
Entry = NDArray[np.float32] | NDArray[np.int8]
Entries = Callable[[np.random.Generator, int], Entry]
# Of layers with a smaller share of weights left, weights are drawn only for those: cheaper.
_MANY = 0.25


def normal_entries(rng: np.random.Generator, count: int) -> Floats:
    """Return so many standard normal numbers."""
    return rng.standard_normal(count, dtype=np.float32)


def sign_entries(rng: np.random.Generator, count: int) -> Entry:
    """Return so many signs, each +1 or -1 with probability 1/2."""
    bits = np.frombuffer(rng.bytes(count // 8 + 1), dtype=np.uint8)
    return np.unpackbits(bits, count=count).view(np.int8) * np.int8(2) - np.int8(1)


def skewed_entries(rng: np.random.Generator, count: int) -> Floats:
    """Return so many exponential numbers less their mean: mean 0, variance 1, skewness 2."""
    drawn = rng.standard_exponential(count, dtype=np.float32)
    drawn -= 1
    return drawn


class RandomWeights(NamedTuple):
    """How the weights of a network without biases are drawn and pruned.

    Attributes
    ----------
    widths : tuple of int
        (d, n_1, ..., n_{L-1}): inputs, and units of each hidden layer.
    density : float
        The probability that a weight of any layer is kept, to 1/65536.
    entries : callable
        Draws weights, of mean zero and variance one.
    shift : float
        The mean of weights, times the root of the number of inputs of their layer.
    outputs : 1 or 2
        1: g is an output; 2: the difference of two.
    """

    widths: tuple[int, ...]
    density: float = 1.0
    entries: Entries = normal_entries
    shift: float = 0.0
    outputs: int = 1


def drawn_ratios(
    law: RandomWeights, x: FloatArray, *, count: int, rng: np.random.Generator
) -> FloatArray:
    """Return |g(x)| / ‖∇g(x)‖ of networks of which weights and masks are drawn anew each time.

    Kind: exact for each network, up to float32; 0 where g and its gradient are zero.

    Parameters
    ----------
    law : RandomWeights
    x : array, shape (d,)
    count : int
        Of networks.
    rng : numpy.random.Generator

    Returns
    -------
    array, shape (count,)

    Examples
    --------
    >>> law = RandomWeights((50, 60), density=0.5)
    >>> found = drawn_ratios(law, np.ones(50), count=3, rng=np.random.default_rng(0))
    >>> found.shape, bool((found >= 0).all())
    ((3,), True)
    """
    return ratios_of(drawn_squares(law, x, count=count, rng=rng))


def ratios_of(squares: FloatArray) -> FloatArray:
    """Return |g| / ‖∇g‖ of squares, (count, 2); 0 where the gradient is zero."""
    output, gradient = squares.T
    return np.asarray(np.sqrt(output / np.where(gradient > 0, gradient, 1.0)))


def drawn_squares(
    law: RandomWeights, x: FloatArray, *, count: int, rng: np.random.Generator
) -> FloatArray:
    """Return g(x)² and ‖∇g(x)‖² of networks drawn, as `drawn_ratios`.

    Returns
    -------
    array, shape (count, 2)
    """
    point = x.astype(np.float32)

    def one() -> tuple[float, float]:
        output, gradient = _differentiated(*_drawn(law, rng), point)
        return output**2, float(gradient @ gradient)

    return np.array([one() for _ in range(count)])


def drawn_flips(
    law: RandomWeights, x: FloatArray, *, steps: float, count: int, rng: np.random.Generator
) -> NDArray[np.bool_]:
    """Return for networks drawn whether g changes its sign along a step against its gradient.

    Kind: exact for each network, up to float32.

    Parameters
    ----------
    law, x, count, rng
        As in `drawn_ratios`.
    steps : float
        The length of the step, in linearised distances |g| / ‖∇g‖.

    Returns
    -------
    array of bool, shape (count,)
    """
    point = x.astype(np.float32)

    def one() -> bool:
        weights, row = _drawn(law, rng)
        output, gradient = _differentiated(weights, row, point)
        square = float(gradient @ gradient)
        if square == 0:
            return False
        moved = point - np.float32(steps * output / square) * gradient
        return _differentiated(weights, row, moved)[0] * output < 0

    return np.array([one() for _ in range(count)])


def _drawn(law: RandomWeights, rng: np.random.Generator) -> tuple[list[Floats], Floats]:
    """Return weights drawn of the hidden layers, and the row of g.

    Units that nothing leads on from are left out: what they do is not seen.
    """
    rows = masked_rows(law, rng, law.outputs, law.widths[-1])
    row = rows[0] if law.outputs == 1 else rows[0] - rows[1]
    if len(law.widths) == 1:
        return [], row
    seen = np.flatnonzero(row)
    row, weights = row[seen], []
    for j in range(len(law.widths) - 2, -1, -1):
        W = masked_rows(law, rng, seen.size, law.widths[j])
        if j:
            seen = np.flatnonzero(W.any(axis=0))
            W = W[:, seen]
        weights.append(W)
    return weights[::-1], row


def masked_rows(law: RandomWeights, rng: np.random.Generator, number: int, columns: int) -> Floats:
    """Return so many rows of a layer with so many inputs, drawn and pruned."""
    total, mean = number * columns, np.float32(law.shift / np.sqrt(max(columns, 1)))
    if law.density > _MANY:
        W = law.entries(rng, total)
        W = W + mean if law.shift else W
        pruned = W if law.density >= 1 else W * kept(rng, total, law.density)
        return pruned.astype(np.float32, copy=False).reshape(number, columns)
    few, at = np.zeros(total, dtype=np.float32), np.flatnonzero(kept(rng, total, law.density))
    few[at] = law.entries(rng, at.size) + mean
    return few.reshape(number, columns)


def _differentiated(weights: Sequence[Floats], row: Floats, x: Floats) -> tuple[float, Floats]:
    """Return g and its gradient at x, of one network."""
    values, on = x, []
    for W in weights:
        z = W @ values
        on.append(z > 0)
        values = np.maximum(z, 0)
    output = float(row @ values)
    for W, passed in zip(reversed(weights), reversed(on), strict=True):
        row = (row * passed) @ W
    return output, row
