"""What ties training to attack for linear classifiers: norms inside the loss, outside, and SVMs.

Binary, no box. Proofs: theory/proofs/classics.md.
"""

from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import LinearConstraint, linprog, minimize, nnls

from theory.claims.claim import Claim, Source
from theory.linear import LinearClassifier
from theory.linear.classifier import dual_norm
from theory.linear.contest import open_contest
from theory.validation import FloatArray, UnsupportedSettingError, as_budget, as_finite

Loss = Literal["logistic", "hinge"]


def _margins(model: LinearClassifier, X: ArrayLike, y: ArrayLike) -> FloatArray:
    return np.asarray(open_contest(model, X, y).lead.min(axis=1))


def adversarial_loss(
    model: LinearClassifier,
    X: ArrayLike,
    y: ArrayLike,
    eps: float,
    *,
    norm: float = 2,
    loss: Loss = "logistic",
) -> float:
    """Return sum_i max over ‖delta‖ <= eps of the loss at x_i + delta.

    Kind: exact. The norm is inside: sum_i loss(y_i f(x_i) - eps ‖w‖_*).

    Parameters
    ----------
    model : LinearClassifier, binary
    X : array, shape (n, d)
    y : array, shape (n,)
    eps : float, nonnegative
    norm : 1, 2 or inf
    loss : {"logistic", "hinge"}
        Of the margin m: log(1 + exp(-m)) or max(0, 1 - m).

    Raises
    ------
    TypeError, ValueError
        If an argument is malformed.
    UnsupportedSettingError
        For norm 0 or more than two labels.

    Notes
    -----
    Goodfellow, Shlens, Szegedy 2015, section 5, for Linf.

    Examples
    --------
    >>> adversarial_loss(LinearClassifier(weights=[3.0, 4.0]), [[1.0, 0.0]], [1], 0.5, loss="hinge")
    0.5
    """
    drop = float(as_budget(eps)) * dual_norm(model, norm)
    attacked = _margins(model, X, y) - drop
    if loss == "hinge":
        return float(np.maximum(0.0, 1.0 - attacked).sum())
    if loss == "logistic":
        return float(np.logaddexp(0.0, -attacked).sum())
    raise ValueError(f'loss must be "logistic" or "hinge"; got {loss!r}.')


def aggregate_hinge_loss(
    model: LinearClassifier, X: ArrayLike, y: ArrayLike, budget: float, *, norm: float = 2
) -> float:
    """Return the largest hinge loss when the sizes of all moves together are at most a budget.

    Kind: exact. Here the norm comes out: sum_i max(0, 1 - y_i f(x_i)) + budget ‖w‖_*.

    Parameters
    ----------
    model, X, y, norm
        As in `adversarial_loss`.
    budget : float, nonnegative
        Of sum_i ‖delta_i‖.

    Raises
    ------
    UnsupportedSettingError
        If every margin exceeds 1: then some of the budget is spent before the loss rises.
        Points that no linear classifier separates always have a margin of at most 0.

    Notes
    -----
    Xu, Caramanis, Mannor 2009, Theorem 3.

    Examples
    --------
    >>> model = LinearClassifier(weights=[3.0, 4.0])
    >>> aggregate_hinge_loss(model, [[1.0, 0.0], [0.1, 0.0]], [1, 1], 1.0)
    5.7
    """
    rise = float(as_budget(budget, "budget")) * dual_norm(model, norm)
    margins = _margins(model, X, y)
    if margins.min() > 1:
        raise UnsupportedSettingError(
            f"one margin must be at most 1, as inseparable points have; got {margins.min()} and up."
        )
    return float(np.maximum(0.0, 1.0 - margins).sum() + rise)


def outside_penalty_residual() -> float:
    """Return what "training against attacks is adding lambda ‖w‖" predicts: a residual of zero.

    The residual: of the gradient of sum_i loss(y_i f(x_i)) at a minimiser of the adversarial loss,
    the part not along w, relative to the whole. A minimiser of sum_i loss + lambda ‖w‖₂ has none,
    whatever lambda.
    """
    return 0.0


def outside_penalty_counterexample() -> tuple[FloatArray, FloatArray, float]:
    """Return points (6, 2), labels and an L2 budget whose adversarial minimiser no lambda gives.

    Three points and their mirror images with the other label, so that b = 0 is optimal. The first
    and the third contradict each other, which keeps w finite; the second has room to spare and so
    feels less of the norm than the others.
    """
    X = np.array([[1.0, 1.0], [-2.0, 2.0], [3.0, 3.0]])
    y = np.array([1.0, 1.0, -1.0])
    return np.vstack([X, -X]), np.append(y, -y), 0.5


def largest_smallest_distance(X: ArrayLike, y: ArrayLike) -> float:
    """Return half the distance between the convex hulls of two separable classes.

    Kind: exact to the solver's tolerance (1e-6 relative). No linear classifier has all these
    points right and farther than this from its boundary in L2; the hard-margin SVM has.

    Parameters
    ----------
    X : array, shape (n, d)
    y : array, shape (n,)
        -1 or +1.

    Raises
    ------
    TypeError, ValueError
        If an argument is malformed, or a class missing.
    UnsupportedSettingError
        If no hyperplane strictly separates the classes.
    RuntimeError
        If the solver leaves a wider gap to a pair of points of the hulls.

    Examples
    --------
    >>> round(largest_smallest_distance([[0.0, 0.0], [0.0, 2.0], [3.0, 1.0]], [-1, -1, 1]), 6)
    1.5
    """
    points, signs = as_finite("X", X), as_finite("y", y)
    if set(signs.tolist()) != {-1.0, 1.0}:
        raise ValueError(f"y must hold both -1 and +1 and no other; got {set(signs.tolist())}.")
    points = points - points.mean(axis=0)  # the solver's tolerances are absolute
    unit = np.abs(points).max() or 1.0
    rows = np.column_stack([points / unit, np.ones(len(points))]) * signs[:, None]
    ones, width = np.ones(len(rows)), rows.shape[1]
    start = linprog(np.zeros(width), A_ub=-rows, b_ub=-ones, bounds=(None, None))
    if start.status != 0:
        raise UnsupportedSettingError("the two classes must be separable by a hyperplane.")
    narrowest: Any = minimize(
        _half_square_of_w,
        np.asarray(start.x),
        jac=True,
        method="SLSQP",
        constraints=LinearConstraint(rows, lb=ones),
        options={"ftol": 1e-14, "maxiter": 1000},
    )
    reached = float((rows @ narrowest.x).min() / np.linalg.norm(narrowest.x[:-1]))
    most = _half_hull_distance(rows, narrowest.x)
    if not most - reached <= 1e-6 * most:
        raise RuntimeError(f"the solver left the distance between {reached} and {most}.")
    return float(unit * reached)


def _half_hull_distance(rows: FloatArray, w_and_b: FloatArray) -> float:
    """Return half the distance of two points of the hulls, an upper bound on every margin.

    Their weights are the multipliers, of the points at the margin, that explain w best.
    """
    margins = rows @ w_and_b
    nearest = rows[margins <= margins.min() + 1e-5]
    shares = nnls(nearest.T, np.append(w_and_b[:-1], 0.0))[0]
    signs = nearest[:, -1]
    points = nearest[:, :-1] * signs[:, None]
    ends = [shares[signs == k] @ points[signs == k] / shares[signs == k].sum() for k in (1, -1)]
    return float(np.linalg.norm(ends[0] - ends[1]) / 2)


def _half_square_of_w(w_and_b: Any) -> tuple[float, Any]:
    """Return ‖w‖²/2 and its gradient; b is free."""
    w = w_and_b[:-1]
    return float(w @ w / 2), np.append(w, 0.0)


_BINARY = ("binary linear classifier", "no box")

CLAIMS = (
    Claim(
        key="classics.norm-inside",
        source=Source(
            citation="Goodfellow, Shlens, Szegedy 2015",
            place="section 5",
            bibtex="""@inproceedings{goodfellow2015explaining,
  author    = {Ian J. Goodfellow and Jonathon Shlens and Christian Szegedy},
  title     = {Explaining and Harnessing Adversarial Examples},
  booktitle = {International Conference on Learning Representations},
  year      = {2015},
  eprint    = {1412.6572}
}""",
        ),
        statement="Σ_i max over ‖δ‖ ≤ ε of loss(y_i f(x_i + δ)) = Σ_i loss(y_i f(x_i) − ε ‖w‖_*)",
        form="identity",
        assumptions=(*_BINARY, "a loss that does not rise with the margin"),
        standing="proven",
        note="The norm is inside the loss: a point classified with room to spare feels none of it.",
        predict=adversarial_loss,
    ),
    Claim(
        key="classics.norm-outside",
        source=Source(
            citation="folklore",
            place='"adversarial training of a linear model is a norm penalty"',
            bibtex="@misc{folklore, note = {a reading of Goodfellow et al. 2015, section 5}}",
        ),
        statement="for each ε there is a λ such that the minimiser of Σ_i loss(y_i f(x_i) − ε ‖w‖₂)"
        " minimises Σ_i loss(y_i f(x_i)) + λ ‖w‖₂",
        form="identity",
        assumptions=(*_BINARY, "logistic loss", "points that no hyperplane separates"),
        standing="refuted",
        note="Six points in the plane suffice: outside_penalty_counterexample.",
        predict=outside_penalty_residual,
    ),
    Claim(
        key="classics.aggregate-hinge",
        source=Source(
            citation="Xu, Caramanis, Mannor 2009",
            place="Theorem 3",
            bibtex="""@article{xu2009robustness,
  author  = {Huan Xu and Constantine Caramanis and Shie Mannor},
  title   = {Robustness and Regularization of Support Vector Machines},
  journal = {Journal of Machine Learning Research},
  volume  = {10},
  pages   = {1485--1510},
  year    = {2009}
}""",
        ),
        statement="max over Σ_i ‖δ_i‖ ≤ c of Σ_i [1 − y_i f(x_i + δ_i)]₊"
        " = Σ_i [1 − y_i f(x_i)]₊ + c ‖w‖_*",
        form="identity",
        assumptions=(
            *_BINARY,
            "points that no hyperplane separates (one margin at most 1 suffices)",
        ),
        standing="proven",
        note="For separable points and margins above 1 it fails: part of c is spent for nothing.",
        predict=aggregate_hinge_loss,
    ),
    Claim(
        key="classics.svm",
        source=Source(
            citation="Boser, Guyon, Vapnik 1992",
            place="section 2",
            bibtex="""@inproceedings{boser1992training,
  author    = {Bernhard E. Boser and Isabelle M. Guyon and Vladimir N. Vapnik},
  title     = {A Training Algorithm for Optimal Margin Classifiers},
  booktitle = {Workshop on Computational Learning Theory},
  pages     = {144--152},
  year      = {1992}
}""",
        ),
        statement="the hard-margin SVM's smallest L2 distance over the training points, errors"
        " counted as 0, is half the distance between the classes' convex hulls: the most a linear"
        " classifier can have",
        form="identity",
        assumptions=(
            "two classes that a hyperplane strictly separates",
            "a free intercept",
            "no box",
        ),
        standing="proven",
        note="Without the intercept it fails: classes at 1 and 3 on a line are separated by no w.",
        predict=largest_smallest_distance,
    ),
)
