"""What certifies ReLU networks, and what is taken for a certificate: local slopes, CLEVER, bounds.

L2 and Linf, in a box or not. Proofs: theory/proofs/networks.md.
"""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import fmin_l_bfgs_b
from scipy.stats import weibull_max

from theory.certify import METHODS, certified_radius
from theory.certify.domain import open_domain
from theory.claims.claim import Claim, Source
from theory.lipschitz import gradient_norm_bound
from theory.networks import ReluNetwork, jacobian
from theory.validation import FloatArray, as_finite


class _Group(NamedTuple):
    """The inputs of one label, its leads as forms of the outputs, and their values."""

    net: ReluNetwork
    rows: Any
    X: FloatArray
    forms: FloatArray
    leads: FloatArray


def local_lipschitz_radius(
    net: ReluNetwork,
    X: ArrayLike,
    y: ArrayLike,
    *,
    radii: ArrayLike,
    norm: float = 2,
    box: tuple[ArrayLike, ArrayLike] | None = None,
) -> FloatArray:
    """Return max over R of min(R, min over k of (f_y - f_k)(x) / L_k(B(x, R))).

    Kind: lower, proven up to the rounding of the lead, for the distance to the nearest flip or tie.
    L_k is `gradient_norm_bound`, an upper bound of the slope of f_y - f_k in the ball (and box).

    Parameters
    ----------
    net : ReluNetwork
    X : array, shape (n, d)
    y : array, shape (n,)
    radii : array, shape (r,), positive
        The R that are tried; the result is at most the largest.
    norm, box
        As in `certified_radius`.

    Returns
    -------
    array, shape (n,)
        0 where the input is wrong or tied.

    Raises
    ------
    TypeError, ValueError, UnsupportedSettingError
        As `certified_radius`; and if a radius is not positive.

    Notes
    -----
    Hein, Andriushchenko 2017, Theorem 2.1; Weng et al. 2018, Theorem 3.2, for ReLU networks.

    Examples
    --------
    >>> net = ReluNetwork(weights=[[[1.0], [-1.0]], [[1.0, 1.0]]], biases=[[0.0, 0.0], [-1.0]])
    >>> local_lipschitz_radius(net, [[3.0]], [1], radii=[1.0, 2.5, 9.0]).round(6).tolist()
    [2.0]
    """
    tried = _as_radii(radii)
    best = np.zeros(np.shape(X)[0])
    for group in _groups(net, X, y, norm=norm, box=box):
        for radius in tried:
            ball: Any = {"directions": group.forms, "norm": norm, "box": box}
            slopes = gradient_norm_bound(group.net, group.X, radius, **ball)
            reached = np.minimum(radius, _ratios(group.leads, slopes))
            best[group.rows] = np.maximum(best[group.rows], reached)
    return best


def clever_score(
    net: ReluNetwork,
    X: ArrayLike,
    y: ArrayLike,
    rng: np.random.Generator,
    *,
    radius: float,
    batches: int = 50,
    samples: int = 100,
    norm: float = 2,
) -> FloatArray:
    """Return CLEVER: min(R, min over k of (f_y - f_k)(x) / L_k), where L_k is fitted to samples.

    Kind: estimate. L_k is the location of the reverse Weibull law of largest likelihood for the
    largest gradient norms of f_y - f_k in each of some batches of points drawn from the ball.

    Parameters
    ----------
    net, X, y
        As in `local_lipschitz_radius`.
    rng : numpy.random.Generator
    radius : float, positive
        R; no box.
    batches, samples : int, positive
        N_b batches of N_s points each. The paper: 500 and 1024.
    norm : 2 or inf

    Returns
    -------
    array, shape (n,)
        0 where the input is wrong or tied.

    Raises
    ------
    TypeError, ValueError, UnsupportedSettingError
        As `local_lipschitz_radius`; and if a count is not positive.

    Notes
    -----
    Weng et al. 2018, Algorithm 1. The score never exceeds R, nor the lead over the steepest sample.

    Examples
    --------
    >>> net = ReluNetwork(weights=[[[3.0, 4.0]], [[1.0]]])
    >>> clever_score(net, [[3.0, 4.0]], [1], np.random.default_rng(0), radius=4.0).round(9).tolist()
    [4.0]
    """
    (size,) = _as_radii([radius])
    if batches < 1 or samples < 1:
        raise ValueError(f"batches and samples must be at least 1; got {batches} and {samples}.")
    scores = np.zeros(np.shape(X)[0])
    for group in _groups(net, X, y, norm=norm, box=None):
        for i, x, lead in zip(group.rows, group.X, group.leads, strict=True):
            largest = [
                _slopes(group, x + size * _in_unit_ball(rng, (samples, x.size), norm), norm).max(0)
                for _ in range(batches)
            ]
            limits = np.array([_weibull_end(maxima) for maxima in np.transpose(largest)])
            scores[i] = min(size, _ratios(lead[None], limits[None])[0])
    return scores


def clever_counterexample() -> tuple[ReluNetwork, FloatArray, float]:
    """Return a network of one output, an input (1, 200) labelled +1, and the radius 1 of its ball.

    f(x) = 1 - x_1/10 - 20 max(0, x_1 - 1/2) at x = 0. The slope is 1/10 where x_1 < 1/2: all of the
    unit ball but 1.5e-14 of its volume, so that samples let CLEVER say 1. f is 0 at x_1 = 11/20.1,
    the distance to the nearest flip: .547.
    """
    first = np.zeros((3, 200))
    first[:, 0] = 1.0, -1.0, 1.0
    net = ReluNetwork(weights=[first, [[-0.1, 0.1, -20.0]]], biases=[[0.0, 0.0, -0.5], [1.0]])
    return net, np.zeros((1, 200)), 1.0


def _groups(
    net: ReluNetwork, X: ArrayLike, y: ArrayLike, *, norm: float, box: Any
) -> Iterator[_Group]:
    """Yield the inputs that are right, label by label."""
    domain = open_domain(net, X, y, norm=norm, box=box)
    for label in np.unique(y):
        rows = np.flatnonzero((np.asarray(y) == label) & (domain.leads > 0).all(axis=1))
        if rows.size:
            forms = domain.forms[rows[0]]
            yield _Group(domain.net, rows, domain.X[rows], forms, domain.leads[rows])


def _ratios(leads: FloatArray, slopes: FloatArray) -> FloatArray:
    """Return the least of the rivals' leads over slopes (n, m); inf where there is no slope."""
    with np.errstate(divide="ignore"):
        return np.asarray((leads / slopes).min(axis=1))


def _slopes(group: _Group, points: FloatArray, norm: float) -> FloatArray:
    """Return the dual norms (n, m) of the leads' gradients at points."""
    gradients = group.forms @ jacobian(group.net, points)
    return np.asarray(np.linalg.norm(gradients, ord=2 if norm == 2 else 1, axis=2))


def _in_unit_ball(rng: np.random.Generator, shape: tuple[int, int], norm: float) -> FloatArray:
    """Return points drawn uniformly from the unit ball of a norm."""
    if norm == np.inf:
        return rng.uniform(-1.0, 1.0, shape)
    ways = rng.normal(size=shape)
    lengths = rng.random((shape[0], 1)) ** (1 / shape[1])
    return np.asarray(ways / np.linalg.norm(ways, axis=1, keepdims=True) * lengths)


def _weibull_end(maxima: FloatArray) -> float:
    """Return the upper end of the reverse Weibull law fitted to maxima, and no less than those."""
    top, spread = float(maxima.max()), float(maxima.std())
    if spread <= 1e-9 * top:
        return top
    with np.errstate(all="ignore"):  # the likelihood is not finite everywhere it is tried
        _, end, _ = weibull_max.fit((maxima - top) / spread, 1.0, loc=0.1, optimizer=_nearby)
    return top + spread * max(0.0, float(end))


def _nearby(function: Any, start: Any, args: Any = (), disp: int = 0) -> Any:
    """Return the minimum that L-BFGS-B finds; other searches run off to laws without an end."""
    limits = [(0.01, 100.0), (None, None), (1e-6, None)]
    return fmin_l_bfgs_b(function, start, args=args, approx_grad=True, bounds=limits)[0]


def _as_radii(radii: ArrayLike) -> Sequence[float]:
    tried = as_finite("radii", radii)
    if tried.ndim != 1 or tried.size == 0 or (tried <= 0).any():
        raise ValueError(f"radii must be positive, at least one; got {np.asarray(radii)!s:.80}.")
    return [float(radius) for radius in tried]


_CLEVER = """@inproceedings{weng2018clever,
  author    = {Tsui-Wei Weng and Huan Zhang and Pin-Yu Chen and Jinfeng Yi and Dong Su and
               Yupeng Gao and Cho-Jui Hsieh and Luca Daniel},
  title     = {Evaluating the Robustness of Neural Networks: An Extreme Value Theory Approach},
  booktitle = {International Conference on Learning Representations},
  year      = {2018}, eprint = {1801.10578}
}"""
_HEIN = """@inproceedings{hein2017formal,
  author    = {Matthias Hein and Maksym Andriushchenko},
  title     = {Formal Guarantees on the Robustness of a Classifier against Adversarial
               Manipulation},
  booktitle = {Advances in Neural Information Processing Systems},
  year      = {2017}, eprint = {1705.08475}
}"""
_CROWN = """@inproceedings{zhang2018crown,
  author    = {Huan Zhang and Tsui-Wei Weng and Pin-Yu Chen and Cho-Jui Hsieh and Luca Daniel},
  title     = {Efficient Neural Network Robustness Certification with General Activation Functions},
  booktitle = {Advances in Neural Information Processing Systems},
  year      = {2018}, eprint = {1811.00866}
}"""

CLAIMS = (
    Claim(
        key="networks.local-lipschitz",
        source=Source(
            citation="Hein, Andriushchenko 2017",
            place="Theorem 2.1; for ReLU networks Weng et al. 2018, Theorem 3.2",
            bibtex=_HEIN,
        ),
        statement="for each R the distance from x to the nearest flip is at least min(R, min over"
        " k ≠ y of (f_y − f_k)(x) / L_k), where L_k bounds the slope of f_y − f_k in the ball of"
        " radius R around x",
        form="bound",
        assumptions=(
            "ReLU network, x classified as y",
            "L_k proven, in the norm that measures distance; ball and distance in one box, or none",
        ),
        standing="proven",
        note="L_k from intervals grows with R: tight only where few units can change side.",
        predict=local_lipschitz_radius,
    ),
    Claim(
        key="networks.clever",
        source=Source(
            citation="Weng et al. 2018", place="section 4, read as a guarantee", bibtex=_CLEVER
        ),
        statement="the CLEVER score, min(R, min over k of (f_y − f_k)(x) / L_k) with L_k fitted to"
        " the largest slopes in samples of the ball, is at most the distance to the nearest flip",
        form="bound",
        assumptions=("ReLU network, x classified as y", "points drawn uniformly from the ball"),
        standing="refuted",
        note="The authors call it an estimate. It misses what is steep but not sampled: in"
        " clever_counterexample it is 1, a flip at .547. Goodfellow 2018 (arXiv 1804.07870) showed"
        " it with masked gradients; trained networks do it without.",
        predict=clever_score,
    ),
    Claim(
        key="networks.certificates",
        source=Source(
            citation="Zhang et al. 2018",
            place="Theorem 3.2, and the methods before and after",
            bibtex=_CROWN,
        ),
        statement="certified radius ≤ distance to the nearest flip ≤ the move of an attack that"
        f" succeeds, for each method: {', '.join(METHODS)}",
        form="bound",
        assumptions=("ReLU network", "the same norm, L2 or L∞", "the same box, or none"),
        standing="proven",
        note="Fast-Lin: Weng et al. 2018 (arXiv 1804.09699); LipSDP: Fazlyab et al. 2019"
        " (1906.04893). Up to the rounding of float64. An attack can refute a certificate, never"
        " prove one.",
        predict=certified_radius,
    ),
)
