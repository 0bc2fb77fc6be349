"""How often a random pruned network is dead at an input: zero, with a gradient of zero."""

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import binom

from theory.initialised.random_network import RandomNetwork, as_input

# Numbers of units less likely than this are left out: they add less than rounding does.
_NEGLIGIBLE = 1e-17


def dead_probability(net: RandomNetwork, x: ArrayLike) -> float:
    """Return the probability that g(x) = 0: then its gradient is zero, and the ratio 0 / 0.

    Kind: exact, up to 1e-13, for weights with a symmetric law without atoms. Upper, of the
    probability that pruning makes g constant: of `theory.random_masks.disconnection_probability`.

    Parameters
    ----------
    net : RandomNetwork
    x : array, shape (d,)
        Not zero.

    Returns
    -------
    float

    Raises
    ------
    TypeError, ValueError
        As `expected_squares`.

    Notes
    -----
    The numbers of units that are on are a Markov chain: proofs/ratio_law.md, 3.

    Examples
    --------
    >>> net = RandomNetwork(widths=(2, 1), densities=0.5)
    >>> round(dead_probability(net, [1.0, 1.0]), 9)  # on with 3/8, kept on with 1/2
    0.8125
    """
    counts, chances = np.array([np.count_nonzero(as_input(net, x))]), np.ones(1)
    pruned = 1.0 - net.densities
    for n, alpha in zip(net.widths[1:], pruned, strict=False):
        on = (1.0 - alpha**counts) / 2
        following = chances @ binom.pmf(np.arange(n + 1), n, on[:, None])
        counts = np.flatnonzero(following > _NEGLIGIBLE)
        chances = following[counts]
    rows = 2 if net.difference else 1
    return float(min(chances @ pruned[-1] ** (rows * counts), 1.0))
