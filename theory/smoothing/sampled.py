"""Certificates of any classifier under noise, by sampling."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import betaincinv, ndtri

from theory.smoothing.record import SmoothedRadii, as_sigma, certified
from theory.validation import FloatArray, IntArray, as_finite, as_inputs, refuse_nonfinite


def smoothed_radius(
    classify: Callable[[FloatArray], Any],
    X: ArrayLike,
    *,
    sigma: float,
    n0: int,
    n: int,
    level: float,
    rng: np.random.Generator,
    rows_a_call: int = 1024,
) -> SmoothedRadii:
    """Return sampled certificates of any classifier, smoothed.

    Kind: lower, with probability 1 - level for each input by itself: of k certificates, k · level
    may be expected to fail. The label is guessed from n0 samples, its probability bounded from n
    others (Clopper-Pearson), the radius sigma Φ⁻¹ of the bound; at 1/2 or less it abstains.

    Parameters
    ----------
    classify : callable
        Takes inputs (m, d), returns m integer labels.
    X : array, shape (n, d)
    sigma : float, positive
    n0, n : int, at least 1
        Samples an input.
    level : float in (0, 1)
    rng : Generator
    rows_a_call : int, at least 1
        How many inputs classify gets at most; the result does not depend on it.

    Returns
    -------
    SmoothedRadii

    Raises
    ------
    TypeError, ValueError
        If an argument is malformed, or what classify returns.

    Notes
    -----
    Cohen, Rosenfeld, Kolter 2019, Theorem 1 with pB = 1 - pA, and their procedure "Certify".

    Examples
    --------
    >>> found = smoothed_radius(lambda X: (X[:, 0] > 0).astype(int), [[1.0]], sigma=1.0, n0=10,
    ...     n=1000, level=0.001, rng=np.random.default_rng(0))
    >>> found.labels.tolist(), bool(0.7 < found.radii[0] < 1.0)
    ([1], True)
    """
    inputs = as_inputs(X, _columns(X))
    refuse_nonfinite(inputs)
    scale = as_sigma(sigma)
    for name, count in (("n0", n0), ("n", n), ("rows_a_call", rows_a_call)):
        _refuse_uncountable(name, count)
    _refuse_level(level)
    if not isinstance(rng, np.random.Generator):
        raise TypeError(f"rng must be a numpy.random.Generator; got {type(rng).__name__}.")
    guesses, hits = np.empty(len(inputs), dtype=np.intp), np.empty(len(inputs), dtype=np.intp)
    blocks = partial(_noises, inputs.shape[1], rows_a_call, rng)
    for i, x in enumerate(inputs):
        first = [_labels(classify, x + scale * noise) for noise in blocks(n0)]
        labels, counts = np.unique(np.concatenate(first), return_counts=True)
        guesses[i] = labels[counts.argmax()]
        others = (_labels(classify, x + scale * noise) for noise in blocks(n))
        hits[i] = sum(np.count_nonzero(block == guesses[i]) for block in others)
    top = clopper_pearson_lower(hits, n, level=level)
    return certified(guesses, scale * ndtri(top), top, 1 - top, sigma=scale, confidence=1 - level)


def clopper_pearson_lower(hits: ArrayLike, n: int, *, level: float) -> FloatArray:
    """Return a lower confidence bound on a probability of which `hits` of n draws came true.

    Kind: lower, with probability at least 1 - level.

    Parameters
    ----------
    hits : int or array of int, in [0, n]
    n : int, at least 1
    level : float in (0, 1)

    Raises
    ------
    TypeError, ValueError
        If an argument is malformed.

    Notes
    -----
    Clopper, Pearson 1934: the probability under which so many hits have probability `level`.

    Examples
    --------
    >>> clopper_pearson_lower([0, 100], 100, level=0.05).round(4).tolist()
    [0.0, 0.9705]
    """
    _refuse_uncountable("n", n)
    _refuse_level(level)
    k = as_finite("hits", hits)
    if (k % 1 != 0).any():
        raise ValueError(f"hits must be integers; got {k[k % 1 != 0].flat[0]:g}.")
    if ((k < 0) | (k > n)).any():
        raise ValueError(f"hits must lie in [0, n={n}]; got {k[(k < 0) | (k > n)].flat[0]:g}.")
    return np.where(k == 0, 0.0, betaincinv(np.maximum(k, 1), n - k + 1, level))


def _noises(d: int, rows: int, rng: np.random.Generator, count: int) -> Iterator[FloatArray]:
    """Yield standard Gaussian noise (count, d) in blocks; the numbers do not depend on these."""
    for start in range(0, count, rows):
        yield rng.standard_normal((min(rows, count - start), d))


def _labels(classify: Callable[[FloatArray], Any], points: FloatArray) -> IntArray:
    labels, m = np.asarray(classify(points)), len(points)
    if labels.shape != (m,) or not np.issubdtype(labels.dtype, np.integer):
        raise ValueError(
            f"classify must return m={m} integer labels; got {labels.dtype} of shape"
            f" {labels.shape}."
        )
    return labels.astype(np.intp)


def _refuse_level(level: float) -> None:
    if not 0 < level < 1:
        raise ValueError(f"level must lie in (0, 1); got {level}.")


def _columns(X: ArrayLike) -> int:
    return int(np.shape(X)[1]) if np.ndim(X) == 2 else 1


def _refuse_uncountable(name: str, count: int) -> None:
    if not isinstance(count, (int, np.integer)) or isinstance(count, bool):
        raise TypeError(f"{name} must be an integer; got {count!r}.")
    if count < 1:
        raise ValueError(f"{name} must be at least 1; got {count}.")
