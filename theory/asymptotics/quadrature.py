"""Integrals over a Gaussian margin of what its fit under the logistic loss makes of it."""

import math
from typing import NamedTuple

import numpy as np

from theory.asymptotics.soft_threshold import density
from theory.validation import FloatArray

_REACH = 8.5  # deviations; a Gaussian has less than 2e-17 beyond
_STEP = 0.33  # of the trapezoid rule, in deviations and in units of the margin
_PANEL = 2.0  # deviations, the widest panel
_FINE, _COARSE = (np.polynomial.legendre.leggauss(order) for order in (12, 8))


class Rule(NamedTuple):
    """Nodes in deviations, arrays of shape (n or 1, k), with two rules on them to compare."""

    nodes: FloatArray
    weights: FloatArray
    check: FloatArray  # the weights of a coarser rule


def even_rule(widest: float) -> Rule:
    """Return the trapezoid rule for spreads up to a widest one, checked on every other node.

    Kind: exact up to exp(-2 pi^2 / 0.33), as the fit is analytic within pi of the real margins.

    Parameters
    ----------
    widest : float

    Returns
    -------
    Rule

    Notes
    -----
    theory/proofs/asymptotics.md, [A7].
    """
    half = math.ceil(_REACH * max(1.0, widest) / _STEP / 2) * 2
    nodes = np.arange(-half, half + 1, dtype=np.float64) * (_REACH / half)
    weights = density(nodes) * (_REACH / half)
    check = np.zeros_like(weights)
    check[::2] = 2 * weights[::2]
    return Rule(nodes[None], weights[None], check[None])


def graded_rule(mean: FloatArray, spread: FloatArray, V: FloatArray) -> Rule:
    """Return Gauss-Legendre rules on panels that are short where the fit bends, and only there.

    Kind: exact up to rounding; the coarser rule has 8 nodes a panel where the finer has 12.

    Parameters
    ----------
    mean, spread, V : array, shape (n,)
        Of the margins left out; their susceptibility, above 0.

    Returns
    -------
    Rule
        Some 1,000 nodes for any spread, where the trapezoid rule needs 50 times the spread.

    Notes
    -----
    The fit has its singularities pi above and below two points of the real line. A panel is at
    most as long as its distance from the nearest of them, or pi: theory/proofs/asymptotics.md,
    [A7].
    """
    bend = 2 * np.arcsinh(np.sqrt(V) / 2)
    bend = bend + V / np.expm1(bend)
    doublings = math.ceil(math.log2(2 * _REACH * max(float(spread.max()), 1.0))) + 1
    apart = math.pi * 2.0 ** np.arange(doublings)
    apart = np.concatenate([-apart, [0.0], apart])
    right = np.maximum(bend[:, None] + apart, -V[:, None] / 2)
    left = -V[:, None] - right
    edges = (np.concatenate([right, left], axis=1) - mean[:, None]) / spread[:, None]
    even = np.broadcast_to(np.arange(-_REACH, _REACH, _PANEL), (spread.size, 9))
    ends = np.full((spread.size, 1), _REACH)
    edges = np.sort(np.concatenate([edges, even, ends], axis=1).clip(-_REACH, _REACH), axis=1)
    middle, half = (edges[:, 1:] + edges[:, :-1]) / 2, np.diff(edges, axis=1) / 2
    fine, fine_weights = _panels(middle, half, *_FINE)
    coarse, coarse_weights = _panels(middle, half, *_COARSE)
    return Rule(
        np.concatenate([fine, coarse], axis=1),
        np.concatenate([fine_weights, np.zeros_like(coarse)], axis=1),
        np.concatenate([np.zeros_like(fine), coarse_weights], axis=1),
    )


def _panels(
    middle: FloatArray, half: FloatArray, nodes: FloatArray, weights: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return nodes and weights, the Gaussian density included, of one rule on every panel."""
    at = (middle[..., None] + half[..., None] * nodes).reshape(len(middle), -1)
    return at, (half[..., None] * weights).reshape(len(middle), -1) * density(at)
