"""A network with given weights, pruned at random: its margin and local gradient, from moments."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtr

from theory.networks import ReluNetwork, activation_pattern
from theory.networks.network import as_network
from theory.random_masks import gradient_gram
from theory.random_masks.gram import gram_step, squares
from theory.random_masks.masks import LayerMask, Masks, as_single_masks
from theory.validation import FloatArray, as_finite, as_inputs, refuse_nonfinite


class MarginSlope(NamedTuple):
    """Moments over masks at each input.

    Attributes
    ----------
    margin : array, shape (n,)
        The mean of c·g(x).
    slope : array, shape (n,)
        The root of the mean square of ‖∇(c·g)(x)‖, L2.
    """

    margin: FloatArray
    slope: FloatArray

    @property
    def ratio(self) -> FloatArray:
        """Margin by slope: of moments, not the mean of a ratio; nan where the slope is zero."""
        divisor = np.where(self.slope > 0, self.slope, np.nan)
        return np.asarray(self.margin / divisor)


def fixed_pattern_margin_slope(
    net: ReluNetwork, masks: Masks, X: ArrayLike, forms: ArrayLike
) -> MarginSlope:
    """Return the moments of margins and of their gradients if masks turned no unit on or off.

    Kind: exact, up to rounding, of the network whose units at x stay as they are nothing pruned.
    Estimate, of the network itself: masks do turn units.

    Parameters
    ----------
    net : ReluNetwork
    masks : float, or sequence of L floats
        Each weight is pruned by itself.
    X : array, shape (n, d)
    forms : array, shape (n, out)
        c of each input: the margin of label y over k has 1 at y and -1 at k.

    Returns
    -------
    MarginSlope
        Without biases the ratio never rises as densities fall: proofs/ratio_law.md, 8.

    Raises
    ------
    TypeError, ValueError, UnsupportedSettingError
        As `gradient_gram`; if weights are not pruned one by one; if X or forms do not fit.

    Examples
    --------
    >>> net = ReluNetwork(weights=[[[3.0, 4.0]], [[1.0]]])
    >>> found = fixed_pattern_margin_slope(net, [0.5, 0.0], [[1.0, 1.0]], [[1.0]])
    >>> found.margin.item(), found.slope.round(4).item()
    (3.5, 3.5355)
    """
    laws = as_single_masks(net, masks)
    inputs, rows = _as_cases(net, X, forms)
    patterns = activation_pattern(net, inputs)
    slopes = np.empty(rows.shape[0])
    for i, c in enumerate(rows):
        G = gradient_gram(net, laws, [on[i] for on in patterns])
        slopes[i] = np.sqrt(max(float(c @ G @ c), 0.0))
    values = inputs
    for j, (W, b, law) in enumerate(zip(net.weights, net.biases, laws, strict=True)):
        passed = values * patterns[j - 1] if j else values
        values = law.density * np.asarray(W @ passed.T).T + b
    return MarginSlope((values * rows).sum(axis=1), slopes)


def gaussian_margin_slope(
    net: ReluNetwork, masks: Masks, X: ArrayLike, forms: ArrayLike
) -> MarginSlope:
    """Return the moments of margins and of their gradients with units that masks may turn.

    Kind: estimate. Preactivations are taken for normal and for independent of each other, and
    units for on independently of their weights: good where units keep many weights.

    Parameters
    ----------
    net, masks, X, forms
        As in `fixed_pattern_margin_slope`.

    Returns
    -------
    MarginSlope
        Exact for the first layer's preactivations' means and variances; with nothing pruned it is
        exact.

    Raises
    ------
    TypeError, ValueError, UnsupportedSettingError
        As `fixed_pattern_margin_slope`.

    Notes
    -----
    Means and variances go through each layer and each max(0, ·) in closed form: proofs/
    ratio_law.md, 9.

    Examples
    --------
    >>> net = ReluNetwork(weights=[[[3.0, 4.0]], [[1.0]]])
    >>> found = gaussian_margin_slope(net, 0.0, [[1.0, 1.0]], [[1.0]])
    >>> found.margin.item(), found.slope.item()
    (7.0, 5.0)
    """
    laws = as_single_masks(net, masks)
    inputs, rows = _as_cases(net, X, forms)
    mean, variance = inputs, np.zeros_like(inputs)
    chances: list[FloatArray] = []
    for j, (W, b, law) in enumerate(zip(net.weights, net.biases, laws, strict=True)):
        if j:
            mean, variance, on = _rectified(mean, variance, net.relu[j - 1])
            chances.append(on)
        mean, variance = _masked_layer(W, b, law, mean, variance)
    slopes = np.array([_slope(net, laws, [on[i] for on in chances], c) for i, c in enumerate(rows)])
    return MarginSlope((mean * rows).sum(axis=1), slopes)


def _masked_layer(
    W: Any, b: FloatArray, law: LayerMask, mean: FloatArray, variance: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return means and variances of (W∘M) h + b for independent h."""
    rho, spread = law.density, law.density * (variance + law.alpha * mean**2)
    return rho * np.asarray(W @ mean.T).T + b, np.asarray(squares(W) @ spread.T).T


def _rectified(
    mean: FloatArray, variance: FloatArray, relu: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return means and variances of max(0, z) for normal z, and how often z passes."""
    deviation = np.sqrt(variance)
    known = deviation == 0
    scaled = mean / np.where(known, 1.0, deviation)
    on = np.where(known, mean > 0, ndtr(scaled))
    edge = np.where(known, 0.0, np.exp(-(scaled**2) / 2) / np.sqrt(2 * np.pi))
    first = mean * on + deviation * edge
    second = (mean**2 + variance) * on + mean * deviation * edge
    spread = np.maximum(second - first**2, 0.0)  # of units all but never on it may round below
    return np.where(relu, first, mean), np.where(relu, spread, variance), np.where(relu, on, 1.0)


def _slope(
    net: ReluNetwork, laws: tuple[LayerMask, ...], on: Sequence[FloatArray], c: FloatArray
) -> float:
    """Return the root mean square of a gradient, units passed independently with their chances."""
    G = gram_step(net.weights[0], None, laws[0])
    for W, law, p in zip(net.weights[1:], laws[1:], on, strict=True):
        G = gram_step(W, G * np.where(np.eye(p.size, dtype=bool), p, p[:, None] * p), law)
    return float(np.sqrt(max(float(c @ G @ c), 0.0)))


def _as_cases(net: ReluNetwork, X: ArrayLike, forms: ArrayLike) -> tuple[FloatArray, FloatArray]:
    inputs, rows = as_inputs(X, as_network(net).dimension), as_finite("forms", forms)
    refuse_nonfinite(inputs)
    if rows.shape != (inputs.shape[0], net.outputs):
        raise ValueError(
            f"forms must have shape (n, out), {(inputs.shape[0], net.outputs)}; got {rows.shape}."
        )
    return inputs, rows
