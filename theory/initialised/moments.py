"""Exact moments, over weights and masks, of an output and of its gradient at an input."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from theory.initialised.random_network import RandomNetwork, as_input
from theory.validation import UnsupportedSettingError


class ExpectedSquares(NamedTuple):
    """Mean squares over weights and masks.

    Attributes
    ----------
    output : float
        E g(x)².
    gradient : float
        E ‖∇g(x)‖², L2.
    """

    output: float
    gradient: float


class RelativeVariations(NamedTuple):
    """Variances of squares, each divided by the square of its mean.

    Attributes
    ----------
    output : float
        Var g(x)² / (E g(x)²)²: 2 of a normal g.
    gradient : float
        Var ‖∇g(x)‖² / (E ‖∇g(x)‖²)²: what has to vanish for the ratio to have a limit law.
    """

    output: float
    gradient: float


def expected_squares(net: RandomNetwork, x: ArrayLike) -> ExpectedSquares:
    """Return the mean squares of an output and of its gradient.

    Kind: exact, up to rounding, at every width, if weights have a symmetric law without atoms;
    the first also with atoms. Not checked: a law is told by two moments. A weight law of mean zero
    that is not symmetric has other mean squares.

    Parameters
    ----------
    net : RandomNetwork
    x : array, shape (d,)
        Not zero; units at zero count as off.

    Returns
    -------
    ExpectedSquares
        If no input is zero, their ratio is ‖x‖² / d, whatever the densities.

    Raises
    ------
    TypeError, ValueError
        If x is not one input, or zero.

    Notes
    -----
    A layer multiplies both by n_j Var_j / 2: proofs/ratio_law.md, 1.

    Examples
    --------
    >>> net = RandomNetwork(widths=(4, 10), densities=0.5)
    >>> expected_squares(net, [1.0, 1.0, 1.0, 1.0])
    ExpectedSquares(output=5.0, gradient=5.0)
    """
    point = as_input(net, x)
    hidden = float(np.prod(np.array(net.widths[1:]) * net.variances[:-1] / 2))
    scale = hidden * float(net.variances[-1])
    support = np.count_nonzero(point)
    # Weights of inputs that are zero count where the unit keeps one that is not: it may be on.
    alive = 1.0 if net.depth == 1 else 1.0 - (1.0 - float(net.densities[0])) ** support
    seen = support + (net.dimension - support) * alive
    return ExpectedSquares(scale * float(point @ point), scale * float(seen))


def relative_variations(net: RandomNetwork, x: ArrayLike) -> RelativeVariations:
    """Return how much the squares of an output and of its gradient vary.

    Kind: exact, up to rounding, at every width, if weights have a symmetric law without atoms.

    Parameters
    ----------
    net : RandomNetwork
    x : array, shape (d,)
        Without zeros.

    Returns
    -------
    RelativeVariations

    Raises
    ------
    TypeError, ValueError
        As `expected_squares`.
    UnsupportedSettingError
        If an input is zero.

    Notes
    -----
    Two fourth moments, of the L2 and of the L4 norm, close under a layer: proofs/ratio_law.md, 2.

    Examples
    --------
    >>> some = RandomNetwork(widths=(300, 300))
    >>> round(relative_variations(some, np.ones(300)).gradient, 4)
    0.0234
    >>> few = RandomNetwork(widths=(300, 300), densities=0.1)
    >>> round(relative_variations(few, np.ones(300)).gradient, 4)
    0.2226
    """
    point = as_input(net, x)
    if not point.all():
        raise UnsupportedSettingError("x must have no zeros, for variances of its gradient.")
    return RelativeVariations(_output_fourth(net, point) - 1, _gradient_fourth(net) - 1)


def _output_fourth(net: RandomNetwork, x: np.ndarray) -> float:
    """Return E g⁴ / (E g²)², from the inputs to the output."""
    two, four = 1.0, float((x**4).sum() / (x @ x) ** 2)  # ‖h‖₂⁴ and ‖h‖₄⁴, over (E ‖h‖²)²
    for n, tail in zip(net.widths[1:], net.tails, strict=False):
        one = 3 * two + (tail - 3) * four  # a preactivation's fourth moment
        two, four = (1 - 1 / n) * two + 2 * one / n, 2 * one / n
    return float(3 * two + (net.tails[-1] - 3) * four)


def _gradient_fourth(net: RandomNetwork) -> float:
    """Return E ‖∇g‖⁴ / (E ‖∇g‖²)², from the output to the inputs."""
    two, four = 1.0, 1.0  # of the row q that meets a layer, over (E ‖q‖²)²
    for j in range(net.depth - 1, -1, -1):
        n = net.widths[j]
        one = 3 * two + (net.tails[j] - 3) * four
        row_two, row_four = (1 - 1 / n) * two + one / n, one / n
        two, four = row_two + row_four, 2 * row_four  # each unit is on or off, with a fair coin
    return float(row_two)
