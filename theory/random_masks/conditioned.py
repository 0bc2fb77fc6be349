"""The mean path norm for q = 2, bounded for each number of weights kept in the output's row."""

import numpy as np
from scipy.stats import binom

from theory.networks import ReluNetwork
from theory.networks.arrays import dense
from theory.random_masks.connection import log_unreached
from theory.random_masks.gram import grams
from theory.random_masks.masks import LayerMask, densities
from theory.validation import FloatArray


def conditioned_bound(
    net: ReluNetwork, laws: tuple[LayerMask, ...], sums: FloatArray
) -> FloatArray:
    """Return for each output a bound on the mean path norm for q = 2, given the masks' laws.

    Kind: upper, up to rounding: the mean, over the number of weights kept in the output's row, of
    the least of the root mean square given that number, times the root of a bound on the
    probability that the output is connected, and of the mean path norm for q = 1.

    Parameters
    ----------
    net : ReluNetwork
    laws : tuple of L LayerMask
        That of the output layer prunes each weight by itself.
    sums : array, shape (n_{L-1},)
        |W_{L-1}| ... |W_1| 1, the inputs' ones for one layer.

    Returns
    -------
    array, shape (out,)

    Notes
    -----
    Proof: proofs/random_masks.md, section 4.
    """
    W = np.abs(np.asarray(dense(net.weights[-1])))
    G = np.eye(net.dimension) if net.depth == 1 else grams(net, laws)[-2]
    unreached = _unreached(net, laws)
    means = sums * densities(laws[:-1]).prod()
    bound = np.zeros(net.outputs)
    for k, row in enumerate(W):
        used = np.flatnonzero(row)
        if used.size:
            w, n = row[used], used.size
            share = np.arange(n + 1) / n
            meet = share * (np.arange(n + 1) - 1) / max(n - 1, 1)  # that two are both kept
            own = float(w**2 @ np.diag(G)[used])
            both = max(float(w @ G[np.ix_(used, used)] @ w) - own, 0.0)
            linked = 1.0 - _mean_products(unreached[used])
            rms = np.sqrt((share * own + meet.clip(min=0.0) * both) * linked)
            least = np.minimum(rms, share * float(w @ means[used]))
            bound[k] = binom.pmf(np.arange(n + 1), n, laws[-1].density) @ least
    return bound


def _unreached(net: ReluNetwork, laws: tuple[LayerMask, ...]) -> FloatArray:
    """Return lower bounds on the probability that each unit before the last layer has no path."""
    if net.depth == 1 or not all(law.independent for law in laws):
        return np.zeros(net.weights[-1].shape[1])
    return np.exp(log_unreached(net, laws)[-2])


def _mean_products(x: FloatArray) -> FloatArray:
    """Return for k = 0..n the mean product of k of n numbers, over all choices of k."""
    n = x.size
    sizes = np.arange(n + 1)
    means = np.zeros(n + 1)
    means[0] = 1.0
    for t in range(1, n + 1):  # the t-th is among k of t with probability k/t
        share = np.minimum(sizes / t, 1.0)
        means[1:] = share[1:] * x[t - 1] * means[:-1] + (1 - share[1:]) * means[1:]
    return means
