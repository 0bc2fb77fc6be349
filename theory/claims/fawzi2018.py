"""Fawzi, Fawzi, Frossard 2018: how far adversarial examples can be on average, linear case.

The mean *unsigned* distance to the boundary, errors included. Proof: theory/proofs/fawzi2018.md.
"""

import numpy as np
from numpy.typing import ArrayLike

from theory.claims.claim import Claim, Source
from theory.validation import as_finite


def unsigned_distance_bound(
    priors: ArrayLike, class_means: ArrayLike, *, radius: float, error_rate: float
) -> float:
    """Return ‖p₊ mu₊ - p₋ mu₋‖₂ + M |p₊ - p₋| + 4 M R, which E|f(x)| / ‖w‖₂ does not exceed.

    Kind: upper, for every linear classifier with error rate R whose boundary meets the ball of
    radius M (|b| <= M ‖w‖₂) that holds all inputs. No box.

    Parameters
    ----------
    priors : array, shape (2,)
        P(y = -1), P(y = +1).
    class_means : array, shape (2, d)
        E[x | y], of the whole class.
    radius : float
        M: every input has ‖x‖₂ <= M.
    error_rate : float, in [0, 1]
        R = P(y f(x) <= 0).

    Raises
    ------
    TypeError, ValueError
        If an argument is malformed or outside its range.

    Notes
    -----
    Fawzi, Fawzi, Frossard 2018, linear classifiers. The constants are right and none can be
    lowered with the others kept: one point M with P(+1) = 1 - R > 1/2 and f(x) = x + M makes it
    an equality.

    Examples
    --------
    >>> unsigned_distance_bound([0.5, 0.5], [[-1.0], [1.0]], radius=2.0, error_rate=0.25)
    3.0
    """
    p, means = as_finite("priors", priors), as_finite("class_means", class_means)
    if p.shape != (2,) or (p < 0).any() or abs(p.sum() - 1) > 1e-9:
        raise ValueError(f"priors must be two probabilities that sum to 1; got {p.tolist()}.")
    if means.ndim != 2 or means.shape[0] != 2:
        raise ValueError(f"class_means must have shape (2, d); got shape {means.shape}.")
    if not 0 <= radius < np.inf or not 0 <= error_rate <= 1:
        raise ValueError(
            f"radius must be in [0, inf) and error_rate in [0, 1]; got {radius} and {error_rate}."
        )
    signal = np.linalg.norm(p[1] * means[1] - p[0] * means[0])
    if np.linalg.norm(means, axis=1).max() > radius * (1 + 1e-9):
        raise ValueError(f"class_means must lie in the ball of radius {radius}; they do not.")
    return float(signal + radius * abs(p[1] - p[0]) + 4 * radius * error_rate)


CLAIMS = (
    Claim(
        key="fawzi2018.linear",
        source=Source(
            citation="Fawzi, Fawzi, Frossard 2018",
            place="linear classifiers",
            bibtex="""@article{fawzi2018analysis,
  author  = {Alhussein Fawzi and Omar Fawzi and Pascal Frossard},
  title   = {Analysis of classifiers' robustness to adversarial perturbations},
  journal = {Machine Learning},
  volume  = {107},
  number  = {3},
  pages   = {481--508},
  year    = {2018}
}""",
        ),
        statement="E|f(x)| / ‖w‖₂ ≤ ‖p₊μ₊ − p₋μ₋‖₂ + M |p₊ − p₋| + 4 M R",
        form="bound",
        assumptions=(
            "binary linear classifier with error rate R, w ≠ 0",
            "‖x‖₂ ≤ M for every input, and |b| ≤ M ‖w‖₂",
            "no box",
        ),
        standing="proven",
        note="Tight: an instance attains it. The mean is over all points and unsigned.",
        predict=unsigned_distance_bound,
    ),
)
