"""Mixtures drawn: the signal, the noise, and the inputs of both classes."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from empirical.data import digits
from theory.asymptotics import CoordinateLaw
from theory.validation import FloatArray

# Draws noise of mean 0 and variance 1 in every entry, shape (inputs, features); rows independent.
Noise = Callable[[np.random.Generator, int, int], FloatArray]


@dataclass(frozen=True, kw_only=True, eq=False)
class Mixture:
    """Two classes of inputs x = y mu + scales * noise, labels y = ±1 equally likely.

    Parameters
    ----------
    mu : array, shape (d,)
        The mean of label +1; that of -1 is -mu.
    scales : array, shape (d,)
        Standard deviations of the noise.
    noise : callable
        `normal_noise`, or another law with mean 0 and variance 1 in every entry.
    """

    mu: FloatArray
    scales: FloatArray
    noise: Noise


def normal_noise(rng: np.random.Generator, rows: int, columns: int) -> FloatArray:
    """Return independent standard normal numbers, shape (rows, columns)."""
    return rng.standard_normal((rows, columns))


def sign_noise(rng: np.random.Generator, rows: int, columns: int) -> FloatArray:
    """Return independent signs, +1 and -1 with probability 1/2, shape (rows, columns)."""
    signs: FloatArray = rng.integers(2, size=(rows, columns), dtype=np.int8).astype(np.float64)
    return 2 * signs - 1


def pixel_noise(rarest: float = 0.05) -> Noise:
    """Return noise whose features are pixels of scikit-learn's digits, standardised and shuffled.

    Feature j takes, for each input anew, the value of pixel j mod k in a digit drawn at random:
    features are independent, bounded and skewed, and no two of the first k have the same law.

    Parameters
    ----------
    rarest : float, in [0, 1)
        Pixels are used that are not blank in more than this share of the digits. The rarest weigh
        most when standardised: at 0 one is over 40 deviations from its mean in one digit, and
        does not vary in the others, so that it hardly hides the label.

    Returns
    -------
    callable

    Raises
    ------
    ValueError
        If no pixel is left.

    Examples
    --------
    >>> drawn = pixel_noise()(np.random.default_rng(0), 5000, 100)
    >>> drawn.shape, bool(np.abs(drawn.mean(axis=0)).max() < 0.1)
    ((5000, 100), True)
    """
    X = digits().X
    X = X[:, (X > 0).mean(axis=0) > rarest]
    if X.shape[1] == 0:
        raise ValueError(f"rarest must be below the share of the commonest pixel; got {rarest}.")
    pixels = (X - X.mean(axis=0)) / X.std(axis=0)

    def drawn(rng: np.random.Generator, rows: int, columns: int) -> FloatArray:
        images = rng.integers(pixels.shape[0], size=(rows, columns))
        return np.asarray(pixels[images, np.arange(columns) % pixels.shape[1]])

    return drawn


def draw_mixture(
    law: CoordinateLaw, d: int, *, noise: Noise = normal_noise, rng: np.random.Generator
) -> Mixture:
    """Return a mixture of d features whose means and scales follow a law of coordinates.

    Each component of the law gets its share of the features, to the nearest whole number, and
    means within a component are shifted and scaled to its mean and deviation: so ||mu|| is the
    law's signal, as far as shares are whole, not only in the limit. Drawn independently instead,
    features have the same limit, but ||mu||^2 strays by some 1 / sqrt(d).

    Parameters
    ----------
    law : CoordinateLaw
    d : int, at least 1
    noise : callable
        As in `Mixture`.
    rng : numpy.random.Generator

    Returns
    -------
    Mixture

    Raises
    ------
    ValueError
        If d is below 1.

    Examples
    --------
    >>> from theory.asymptotics import spiked_law
    >>> mixture = draw_mixture(spiked_law(2.0, density=0.25), 8, rng=np.random.default_rng(0))
    >>> np.sort(mixture.mu).round(4).tolist()
    [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.4142, 1.4142]
    """
    if d < 1:
        raise ValueError(f"d must be at least 1; got {d}.")
    counts = _whole_shares(law.weights, d)
    each = [
        mean + deviation * _standardised(rng, count)
        for mean, deviation, count in zip(law.means, law.deviations, counts, strict=True)
    ]
    order = rng.permutation(d)
    mu = np.concatenate(each)[order] / np.sqrt(d)
    return Mixture(mu=mu, scales=np.repeat(law.scales, counts)[order], noise=noise)


def draw_inputs(
    mixture: Mixture, n: int, *, rng: np.random.Generator
) -> tuple[FloatArray, FloatArray]:
    """Return n inputs of a mixture, shape (n, d), and their labels, -1.0 or 1.0, shape (n,).

    Parameters
    ----------
    mixture : Mixture
    n : int, at least 1
    rng : numpy.random.Generator

    Raises
    ------
    ValueError
        If n is below 1.
    """
    if n < 1:
        raise ValueError(f"n must be at least 1; got {n}.")
    y = sign_noise(rng, n, 1)[:, 0]
    X = mixture.noise(rng, n, mixture.mu.size) * mixture.scales
    return X + y[:, None] * mixture.mu, y


def _whole_shares(weights: FloatArray, d: int) -> list[int]:
    """Return d shared out by weights; what rounding leaves goes to the largest remainders."""
    exact = weights * d
    counts = np.floor(exact + 1e-9).astype(int)
    short = np.argsort(counts - exact, kind="stable")[: d - int(counts.sum())]
    counts[short] += 1
    return [int(count) for count in counts]


def _standardised(rng: np.random.Generator, count: int) -> FloatArray:
    """Return normal numbers of mean 0 and variance 1 among themselves; one alone is left as is."""
    z = rng.standard_normal(count)
    if count < 2:
        return z
    centred = z - z.mean()
    return np.asarray(centred / centred.std())
