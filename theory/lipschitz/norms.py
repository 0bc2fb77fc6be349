"""Lipschitz bounds from norms of the weights alone."""

import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from theory.lipschitz.bound import LipschitzBound, last_weights
from theory.lipschitz.verified import UNIT, gamma, spectral_norm
from theory.networks import ReluNetwork
from theory.networks.arrays import rows_times
from theory.validation import UnsupportedSettingError


def spectral_product(net: ReluNetwork, direction: ArrayLike | None = None) -> LipschitzBound:
    """Return the product of the spectral norms of the layers.

    Kind: upper, L2 to L2; proven, rounding included. Biases and activations do not enter.

    Parameters
    ----------
    net : ReluNetwork
    direction : array, shape (out,) or (k, out), optional
        C: the bound is of C f, and the last layer C W_L. None: of f.

    Returns
    -------
    LipschitzBound

    Raises
    ------
    TypeError, ValueError
        If the direction does not fit the outputs.
    UnsupportedSettingError
        If a layer has more than 6000 rows and columns.

    Notes
    -----
    Szegedy et al. 2014 (arXiv 1312.6199), section 4.3. Proof: proofs/lipschitz.md, section 2.

    Examples
    --------
    >>> net = ReluNetwork(weights=[[[2.0, 0.0], [0.0, 1.0]], [[3.0, 4.0]]])
    >>> round(spectral_product(net).value, 9)
    10.0
    """
    last, error = last_weights(net, direction)
    factors = [spectral_norm(W) for W in net.weights[:-1]] + [spectral_norm(last, error)]
    return _upper(math.prod(factors) * (1 + gamma(net.depth)), "spectral product")


def frobenius_product(net: ReluNetwork, direction: ArrayLike | None = None) -> LipschitzBound:
    """Return the product of the Frobenius norms of the layers.

    Kind: upper, L2 to L2; proven, rounding included; never below `spectral_product` but by
    rounding, and cheap at any size.

    Parameters
    ----------
    net, direction
        As in `spectral_product`.

    Returns
    -------
    LipschitzBound

    Examples
    --------
    >>> net = ReluNetwork(weights=[[[2.0, 0.0], [0.0, 1.0]], [[3.0, 4.0]]])
    >>> round(frobenius_product(net).value ** 2, 9)
    125.0
    """
    last, error = last_weights(net, direction)
    factors = [_frobenius(W) for W in net.weights[:-1]] + [_frobenius(last) + _frobenius(error)]
    return _upper(math.prod(factors) * (1 + gamma(net.depth)), "Frobenius product")


def path_norm(
    net: ReluNetwork, direction: ArrayLike | None = None, *, norm: float = math.inf
) -> LipschitzBound:
    """Return a norm of |C W_L| |W_{L-1}| ... |W_1|, whose entries are sums over paths.

    Kind: upper, from the norm to the same norm; proven, rounding included.

    Parameters
    ----------
    net, direction
        As in `spectral_product`.
    norm : inf or 2
        inf: the largest sum of a row, all paths that end in one output. 2: the spectral norm.

    Returns
    -------
    LipschitzBound

    Raises
    ------
    TypeError, ValueError, UnsupportedSettingError
        As `spectral_product`; and if the norm is another one.

    Notes
    -----
    Neyshabur et al. 2015 (arXiv 1503.00036). Proof: proofs/lipschitz.md, section 3.

    Examples
    --------
    >>> net = ReluNetwork(weights=[[[2.0, 0.0], [0.0, 1.0]], [[3.0, -4.0]]])
    >>> round(path_norm(net).value, 9)
    10.0
    """
    if norm not in {2, math.inf}:
        raise UnsupportedSettingError(f"norm must be 2 or inf; got {norm}.")
    last, error = last_weights(net, direction)
    paths: Any = np.abs(last) + error
    if norm == 2:
        for W in reversed(net.weights[:-1]):
            paths = rows_times(paths, abs(W))
        value = spectral_norm(paths)
    else:
        sums = np.ones(net.dimension)
        for W in net.weights[:-1]:
            sums = abs(W) @ sums
        value = float((paths @ sums).max())
    # Sums of nonnegative terms: their relative errors add up, layer by layer.
    roundings = sum(net.widths) + net.dimension + 2 * net.depth
    return _upper(value * (1 + gamma(roundings)), "path norm", norm)


def _frobenius(W: Any) -> float:
    entries = W.data if hasattr(W, "indptr") else np.asarray(W).ravel()
    largest = float(np.abs(entries).max(initial=0.0))
    if largest == 0.0:
        return 0.0
    return float(np.linalg.norm(entries / largest)) * largest * (1 + gamma(entries.size + 4))


def _upper(value: float, method: str, norm: float = 2) -> LipschitzBound:
    return LipschitzBound(value=value * (1 + UNIT), kind="upper", method=method, norm=norm)
