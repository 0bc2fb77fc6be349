"""Predictions from a sample of margins: Gaussian with its moments, or the sample itself, smoothed.

Proofs: theory/proofs/plug_in.md.
"""

import math

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtr

from theory.mixtures.law import MarginLaw
from theory.validation import FloatArray, as_budget, as_finite, as_labels

# (4/n)^(1/3) deviations is best for Gaussian margins [P8].
_BEST = 4 ** (1 / 3)
# Quartiles of a Gaussian lie so many deviations apart.
_QUARTILES = 1.3489795003921634
_BLOCK = 2**22  # numbers at a time


def sample_law(margins: ArrayLike, y: ArrayLike) -> MarginLaw:
    """Return Gaussian margins with the moments of a sample, label by label.

    Kind: estimate. Optimistic if the classifier was trained on the very inputs.

    Parameters
    ----------
    margins : array, shape (n,)
        Signed: positive where right.
    y : array, shape (n,)
        Labels -1 and +1, at least two inputs of each.

    Returns
    -------
    MarginLaw
        Variances divided by the number of inputs less one.

    Raises
    ------
    TypeError, ValueError
        If margins are not finite, or labels do not fit.

    Examples
    --------
    >>> law = sample_law([1, 3, 2, 2], [-1, -1, 1, 1])
    >>> law.means.tolist(), law.deviations.round(3).tolist()
    ([2.0, 2.0], [1.414, 0.0])
    """
    parts = _by_label(margins, y)
    return MarginLaw(
        means=[part.mean() for part in parts],
        deviations=[part.std(ddof=1) for part in parts],
        priors=np.array([part.size for part in parts]) / sum(part.size for part in parts),
    )


def distribution_bandwidth(margins: ArrayLike) -> float:
    """Return by how much to smooth a sample so that its distribution function errs least.

    Kind: estimate; for Gaussian margins the best as n grows (least mean integrated square error).
    The scale is the smaller of the deviation and of what the quartiles say it is, so that a heavy
    tail widens nothing.

    Parameters
    ----------
    margins : array, shape (n,), n >= 2

    Returns
    -------
    float
        Deviation of the Gaussian kernel, in the units of the margins; 0 if they are all equal.

    Raises
    ------
    TypeError, ValueError
        If margins are not finite or fewer than two.

    Notes
    -----
    h = (4/n)^(1/3) scale: theory/proofs/plug_in.md, [P8]. The order n^(-1/3), less than that of
    densities: Azzalini 1981, A note on the estimation of a distribution function.

    Examples
    --------
    >>> round(distribution_bandwidth([-1.0, 0.0, 1.0, 0.0]), 4)
    0.3707
    """
    sample = _as_sample(margins)
    low, high = np.quantile(sample, [0.25, 0.75])
    deviation = float(sample.std(ddof=1))
    quartiles = float(high - low) / _QUARTILES
    scale = min(deviation, quartiles) if quartiles > 0 else deviation
    return float(_BEST * scale * sample.size ** (-1 / 3))


def label_bandwidths(margins: ArrayLike, y: ArrayLike) -> FloatArray:
    """Return for each input the `distribution_bandwidth` of the margins of its label.

    Kind: estimate.

    Parameters
    ----------
    margins, y
        As in `sample_law`.

    Returns
    -------
    array, shape (n,)

    Raises
    ------
    TypeError, ValueError
        As `sample_law`.

    Examples
    --------
    >>> label_bandwidths([1, 3, 2, 2], [-1, -1, 1, 1]).round(3).tolist()
    [0.934, 0.934, 0.0, 0.0]
    """
    widths = [distribution_bandwidth(part) for part in _by_label(margins, y)]
    return np.asarray(np.where(np.asarray(y) == -1, *widths))


def smoothed_accuracy(
    margins: ArrayLike, drop: ArrayLike, *, bandwidth: ArrayLike = 0.0
) -> FloatArray:
    """Return the share of a sample's margins above a drop, each margin smoothed to a Gaussian.

    Kind: estimate of Pr(margin > drop), whatever the law; exact for the sample itself at bandwidth
    0. A margin equal to the drop does not survive.

    Parameters
    ----------
    margins : array, shape (n,)
    drop : float or array of any shape, nonnegative
        In the units of the margins: eps, where margins are signed distances.
    bandwidth : float or array, shape (n,), nonnegative
        Deviation of the Gaussian around each margin.

    Returns
    -------
    array, shape of drop

    Raises
    ------
    TypeError, ValueError
        If an entry is not finite, or a drop or a bandwidth is negative, or shapes do not fit.

    Notes
    -----
    The mean of Phi((margin - drop) / bandwidth); its error: theory/proofs/plug_in.md, [P6], [P7].

    Examples
    --------
    >>> smoothed_accuracy([-1.0, 1.0, 3.0, 5.0], [0.0, 1.0]).tolist()
    [0.75, 0.5]
    >>> smoothed_accuracy([-1.0, 1.0, 3.0, 5.0], [0.0, 1.0], bandwidth=1.0).round(3).tolist()
    [0.75, 0.625]
    """
    sample, drops = _as_sample(margins, least=1), as_budget(drop, "drop")
    widths = as_budget(bandwidth, "bandwidth")
    if widths.shape not in {(), sample.shape}:
        raise ValueError(
            f"bandwidth must be a number or have shape {sample.shape}; got shape {widths.shape}."
        )
    flat = drops.reshape(-1, 1)
    step = max(1, _BLOCK // sample.size)
    blocks = [flat[i : i + step] for i in range(0, flat.size, step)]
    kept = [_above(sample - block, widths).mean(axis=1) for block in blocks]
    return np.concatenate([*kept, np.empty(0)]).reshape(drops.shape)


def smoothed_error(n: int, *, bandwidth: float, density: float, level: float = 0.05) -> float:
    """Return how far, at any drop, the smoothed share of a sample can be from the truth.

    Kind: upper, with probability 1 - level over samples; whatever the tails. Not checked: that the
    margins are independent draws of one law, of a classifier that they did not train, and that the
    density is a bound.

    Parameters
    ----------
    n : int, at least 1
        Number of margins.
    bandwidth : float, at least 0
        Chosen without looking at the sample.
    density : float, at least 0
        The largest density of the margins; their law may only have less.
    level : float, in (0, 1)

    Returns
    -------
    float

    Raises
    ------
    TypeError, ValueError
        If a number is out of its range.

    Notes
    -----
    sqrt(log(2/level) / (2n)) + sqrt(2/pi) bandwidth density: theory/proofs/plug_in.md, [P7]; the
    first term by Massart 1990, The tight constant in the Dvoretzky-Kiefer-Wolfowitz inequality.

    Examples
    --------
    >>> round(smoothed_error(200, bandwidth=0.1, density=0.4), 4)
    0.1279
    """
    for name, value in (("n", n), ("bandwidth", bandwidth), ("density", density)):
        if as_finite(name, value).shape != () or value < (name == "n"):
            raise ValueError(f"{name} must be at least {int(name == 'n')}; got {value}.")
    if not 0 < as_finite("level", level) < 1:
        raise ValueError(f"level must be in (0, 1); got {level}.")
    sampling = math.sqrt(math.log(2 / level) / (2 * n))
    return sampling + math.sqrt(2 / math.pi) * bandwidth * density


def _above(gaps: FloatArray, widths: FloatArray) -> FloatArray:
    """Return Phi(gap / width), at width 0 whether the gap is positive."""
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        t = gaps / widths
    return np.asarray(np.where(widths > 0, ndtr(t), gaps > 0))


def _as_sample(margins: ArrayLike, *, least: int = 2) -> FloatArray:
    sample = as_finite("margins", margins)
    if sample.ndim != 1 or sample.size < least:
        raise ValueError(
            f"margins must have shape (n,) with n >= {least}; got shape {sample.shape}."
        )
    return sample


def _by_label(margins: ArrayLike, y: ArrayLike) -> list[FloatArray]:
    """Return the margins of label -1 and of +1, at least two of each."""
    sample = _as_sample(margins)
    labels = as_labels(y, np.array([-1, 1]), sample.size)
    parts = [sample[labels == label] for label in (0, 1)]
    if min(part.size for part in parts) < 2:
        raise ValueError(
            "y must hold each of -1 and +1 at least twice; got"
            f" {parts[0].size} and {parts[1].size}."
        )
    return parts
