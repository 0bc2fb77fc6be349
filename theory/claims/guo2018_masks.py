"""Guo, Zhang, Zhang, Chen 2018: ReLU networks pruned at random (Theorem 3.2), restated.

g_k is output k, K a ball around an input, L_q^k(K) the largest Lq norm of a gradient of g_k in K,
E the mean over masks, c_q the Lq norm of |w_k| |W_{L-1}| ... |W_1|. The theorem says that
E L ≤ c (1 - η) with some constant c and an η that rises in each alpha; here both are given.
Proofs: theory/proofs/random_masks.md.
"""

from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from theory.claims import guo2018
from theory.claims.claim import Claim
from theory.lipschitz import gradient_norm_bound
from theory.networks import ReluNetwork
from theory.random_masks import (
    expected_norm_bound,
    expected_path_norm,
    margin_norm_bound,
    path_constants,
    rms_path_norm,
    shrinkage,
)
from theory.random_masks.masks import Masks, as_layer_masks, densities
from theory.validation import FloatArray, UnsupportedSettingError


class Counterexample(NamedTuple):
    """A network, how much of each of its layers is pruned, and the ball where a claim fails."""

    net: ReluNetwork
    alphas: tuple[float, ...]
    center: FloatArray
    radius: float


def product_without_root(net: ReluNetwork, masks: Masks) -> FloatArray:
    """Return c_2 times all densities, for each output: the formula of q = 1, taken for q = 2.

    Kind: lower, up to rounding, of the mean path norm: no bound on E L_2.

    Parameters
    ----------
    net : ReluNetwork
    masks : float, or sequence of L floats or LayerMask

    Returns
    -------
    array, shape (out,)

    Raises
    ------
    TypeError, ValueError
        As `rms_path_norm`.

    Examples
    --------
    >>> net, alphas, _, _ = product_counterexample()
    >>> product_without_root(net, alphas).round(6).tolist()  # the mean is .853553
    [0.707107]
    """
    laws = as_layer_masks(net, masks)
    return np.asarray(path_constants(net) * densities(laws).prod())


def dense_slope(net: ReluNetwork, X: ArrayLike, radius: float, *, norm: float = 2) -> FloatArray:
    """Return a bound on the largest gradient norm of each output in each ball, nothing pruned.

    Kind: upper, proven, of the dense network's L_q^k; exact up to rounding where no unit can
    change side in the ball. Pruned networks may exceed it.

    Parameters
    ----------
    net : ReluNetwork
    X : array, shape (n, d)
        Centres of the balls, L2 for q = 2 and L∞ for q = 1.
    radius : float
    norm : 1 or 2
        q, the norm of gradients.

    Returns
    -------
    array, shape (n, out)

    Raises
    ------
    TypeError, ValueError, UnsupportedSettingError
        As `gradient_norm_bound`; if the norm is another one.

    Examples
    --------
    >>> net, _, center, radius = cancelling_counterexample()
    >>> dense_slope(net, center[None], radius).round(9).tolist()
    [[0.0]]
    """
    if norm not in {1, 2}:
        raise UnsupportedSettingError(f"norm must be 1 or 2, of the gradient; got {norm}.")
    return gradient_norm_bound(net, X, radius, norm=2 if norm == 2 else np.inf)


def product_counterexample() -> Counterexample:
    """Return one layer of two weights 1, each pruned with probability 1/2.

    E L_2 = √2/4 + 1/2 = .854, and c_2 ρ = √2/2 = .707.
    """
    return Counterexample(ReluNetwork(weights=[[[1.0, 1.0]]]), (0.5,), np.ones(2), 0.5)


def cancelling_counterexample() -> Counterexample:
    """Return max(0, x) - max(0, x), the weights of its output pruned with probability 1/2.

    Dense it is zero. Pruned it has slope ±1 where one of the two is kept: E L = 2 ρ (1 - ρ) = 1/2.
    """
    net = ReluNetwork(weights=[[[1.0], [1.0]], [[1.0, -1.0]]])
    return Counterexample(net, (0.0, 0.5), np.ones(1), 0.5)


def twin_outputs() -> Counterexample:
    """Return two outputs that are both max(0, x), their weights pruned with probability 1/2.

    Dense their margin is zero. Pruned it has slope ±1 where one of them is kept: E L = 1/2.
    """
    net = ReluNetwork(weights=[[[1.0]], [[1.0], [1.0]]])
    return Counterexample(net, (0.0, 0.5), np.ones(1), 0.5)


_SOURCE = guo2018.CLAIMS[0].source
_MASKED = (
    "ReLU network, any biases",
    "each weight of layer j is pruned by itself, with probability α_j; ρ_j = 1 − α_j",
)

CLAIMS = (
    Claim(
        key="guo2018.lipschitz-l1",
        source=replace(_SOURCE, place="Theorem 3.2, q = 1, restated"),
        statement="E L_1^k(K) ≤ c_1 Π ρ_j with c_1 = ‖|w_k| |W_{L−1}| ⋯ |W_1|‖₁, for every output"
        " k and every ball K",
        form="bound",
        assumptions=_MASKED,
        standing="proven",
        note="For L∞ attacks. Equal where all weights and biases are nonnegative and K has a"
        " positive point. c_1 is the path norm; the dense network's own Lipschitz constant will not"
        " do: guo2018.lipschitz-falls. The law of masks within a layer does not matter.",
        predict=expected_path_norm,
    ),
    Claim(
        key="guo2018.lipschitz-l2",
        source=replace(_SOURCE, place="Theorem 3.2, q = 2, restated"),
        statement="E L_2^k(K) ≤ √(G_L)_kk for every output k and every ball K, where G_0 = I and"
        " G_j = ρ_j² |W_j| G_{j−1} |W_j|ᵀ + ρ_j (1 − ρ_j) diag((W_j ∘ W_j) diag G_{j−1})",
        form="bound",
        assumptions=_MASKED,
        standing="proven",
        note="For L2 attacks. The root of the exact mean square of the path norm; between c_2 Π ρ_j"
        " and c_2 √Π ρ_j.",
        predict=rms_path_norm,
    ),
    Claim(
        key="guo2018.lipschitz-sharp",
        source=replace(_SOURCE, place="Theorem 3.2, q = 2, sharpened by us"),
        statement="E L_2^k(K) ≤ Σ_m P(m weights of w_k are kept) min{√(T_m γ_m), the mean path norm"
        " for q = 1 given m}, T_m the mean squared path norm given m, γ_m a bound on the"
        " probability that output k is connected to an input given m",
        form="bound",
        assumptions=_MASKED,
        standing="proven",
        note="Never above guo2018.lipschitz-l1 or guo2018.lipschitz-l2; gains where few weights are"
        " left.",
        predict=expected_norm_bound,
    ),
    Claim(
        key="guo2018.lipschitz-eta",
        source=replace(_SOURCE, place="Theorem 3.2, η"),
        statement="η rises in each α_j: η = 1 − Π ρ_j for q = 1 and 1 − √(G_L)_kk / c_2 for q = 2,"
        " by how much the mean of the path norm, or the root of its mean square, falls",
        form="trend",
        assumptions=(*_MASKED, "α_i < 1 in the other layers", "not all paths of the output zero"),
        standing="proven",
        note="It says that the bound falls. It does not say that E L does, nor that gradients fall"
        " as fast: theirs fall about as √Π ρ_j where signs are random.",
        predict=shrinkage,
    ),
    Claim(
        key="guo2018.lipschitz-margin",
        source=replace(_SOURCE, place="Theorem 3.2, for margins"),
        statement="for the margin g_y − g_k, E L_q(K) is at most the bound of"
        " guo2018.lipschitz-l1 or guo2018.lipschitz-l2 for an output with the paths of |w_y| +"
        " |w_k|: (c_1^y + c_1^k) Π ρ_j for q = 1, √(G_yy + G_kk + 2 G_yk), G = G_L, for q = 2",
        form="bound",
        assumptions=_MASKED,
        standing="proven",
        note="Distances need margins. The paths of |w_y − w_k| bound nothing once the output layer"
        " is pruned: of twin_outputs, w_y = w_k = 1, ρ_L = 1/2, E L = 1/2. A bound on E L is none"
        " on E of a distance.",
        predict=margin_norm_bound,
    ),
    Claim(
        key="guo2018.lipschitz-product",
        source=replace(_SOURCE, place="Theorem 3.2, q = 2 read like q = 1"),
        statement="E L_2^k(K) ≤ c_2 Π ρ_j with c_2 = ‖|w_k| |W_{L−1}| ⋯ |W_1|‖₂",
        form="bound",
        assumptions=_MASKED,
        standing="refuted",
        note="By Jensen's inequality it lies below the mean path norm. One layer w = (1, 1),"
        " ρ = 1/2: E L_2 = .854, c_2 ρ = .707. c_2 √Π ρ_j is a bound.",
        predict=product_without_root,
    ),
    Claim(
        key="guo2018.lipschitz-falls",
        source=replace(_SOURCE, place="Theorem 3.2, read as of the Lipschitz constant itself"),
        statement="pruning at random does not raise the expected local Lipschitz constant:"
        " E L_q^k(K) ≤ L_q^k(K) of the dense network, for every output k and every ball K",
        form="bound",
        assumptions=_MASKED,
        standing="refuted",
        note="max(0, x) − max(0, x), the output's weights pruned: E L = 2ρ(1 − ρ), zero at ρ = 1"
        " and largest at ρ = 1/2. No constant of the dense function can be the theorem's c: of this"
        " one all are 0.",
        predict=dense_slope,
    ),
)
